"""The command `hitp2p`: one module a verb group."""
