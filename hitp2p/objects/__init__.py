"""The signed object: envelope and the bodies of all kinds. One block at a time, no graph."""
