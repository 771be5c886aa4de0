"""UnixFS, the format of files and folders in IPFS: one door to its parts."""

from hitp2p.codec.unixfs_builder import (
    BuiltFile,
    ByteReader,
    ByteTaker,
    FileBuilder,
    Leaf,
    Node,
    build_file,
)
from hitp2p.codec.unixfs_folder import (
    BuiltDirectory,
    DirectoryEntry,
    build_directory,
    build_tree,
    iter_directory,
)
from hitp2p.codec.unixfs_message import NodeType, UnixFs, decode_unixfs, encode_unixfs
from hitp2p.codec.unixfs_reader import file_size, iter_file, iter_file_cids

__all__ = [
    "BuiltDirectory",
    "BuiltFile",
    "ByteReader",
    "ByteTaker",
    "DirectoryEntry",
    "FileBuilder",
    "Leaf",
    "Node",
    "NodeType",
    "UnixFs",
    "build_directory",
    "build_file",
    "build_tree",
    "decode_unixfs",
    "encode_unixfs",
    "file_size",
    "iter_directory",
    "iter_file",
    "iter_file_cids",
]
