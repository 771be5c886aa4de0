"""The vectors' maker: a second implementation of spec/, which shares no code with the package."""
