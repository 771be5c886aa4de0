"""Bytes to values and back: CIDs, dag-cbor, CAR, UnixFS. No keys, no meaning."""
