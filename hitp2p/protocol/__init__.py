"""The node without I/O: bytes, time and answers of the store go in, actions come out. See spec/10."""
