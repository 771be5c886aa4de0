"""hitp2p: creative works made together, with a signed, content-addressed trail."""

__version__ = "0.1.0"
