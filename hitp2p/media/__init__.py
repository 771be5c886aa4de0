"""What a media file is, by its bytes."""
