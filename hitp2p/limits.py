"""Every bound, with its unit and the rule or reason behind it. Change `spec/` first."""

from __future__ import annotations

from typing import Final

# --- dag-cbor (spec 01) -------------------------------------------------------------------------
BLOCK_BYTES: Final = 2 * 1024 * 1024
"""Largest block of any codec, in bytes [ENC-9]; Kubo refuses larger ones too."""
IPLD_DEPTH: Final = 1024
"""Deepest nesting in the IPLD profile, in levels [ENC-9]."""
OBJECT_DEPTH: Final = 16
"""Deepest nesting in the object profile, in levels [ENC-12]."""
MAP_ENTRIES: Final = 256
"""Most entries of a map in the object profile [ENC-13]."""
MAP_KEY_BYTES: Final = 64
"""Longest map key in the object profile, in bytes of UTF-8 [ENC-13]."""
INT_MIN: Final = -(2**63)
"""Smallest integer in the object profile [ENC-11]."""
INT_MAX: Final = 2**63 - 1
"""Largest integer in the object profile [ENC-11]."""

# --- CAR (spec 01) ------------------------------------------------------------------------------
CAR_HEADER_BYTES: Final = 64 * 1024
"""Largest CAR header, in bytes [CAR-1]."""
CAR_ROOTS: Final = 64
"""Most roots of a CAR [CAR-1]."""
CAR_CID_BYTES: Final = 128
"""Room for the CID of a section beside its block, in bytes [CAR-2]."""
VARINT_BYTES: Final = 9
"""Longest varint, in bytes [CAR-2]."""

# --- keys and identity (spec 02) ----------------------------------------------------------------
KEY_FILE_BYTES: Final = 4096
"""Largest key envelope, in bytes [KEY-8]."""
KDF_MEMORY_KIB: Final = 1_048_576
"""Most memory that a key envelope may ask for, in KiB [KEY-8]."""
KDF_PASSES: Final = 64
"""Most Argon2id passes [KEY-8]."""
KDF_LANES: Final = 16
"""Most Argon2id lanes [KEY-8]."""
IDENTITY_FILE_BYTES: Final = 2 * 1024 * 1024
"""Largest identity file, in bytes [KEY-10]."""
IDENTITY_FILE_BLOCKS: Final = 1024
"""Most events of an identity file, and most pages [KEY-11, KEY-13]."""
IDENTITY_EVENT_BYTES: Final = 8 * 1024
"""Largest identity event, in bytes [IDN-7]."""
IDENTITY_KEYS: Final = 16
"""Most signing keys of an identity event [IDN-5]."""
IDENTITY_NEXT: Final = 5
"""Most commitments of an identity event [IDN-5]."""
IDENTITY_PARENTS: Final = 8
"""Most parents of an identity event [IDN-2]."""
IDENTITY_DROPPED: Final = 32
"""Most dropped keys in one identity event [spec 02]."""

# --- objects (spec 03) --------------------------------------------------------------------------
OBJECT_BYTES: Final = 64 * 1024
"""Largest signed object, in bytes [OBJ-2]."""
KIND_CHARS: Final = 32
"""Longest kind, in characters [OBJ-4]."""
PARENTS: Final = 128
"""Most parents of an object [OBJ-7]."""
REFERENCES: Final = 512
"""Most links and refs of an object together [OBJ-10]."""
TIME_MAX: Final = 2**53 - 1
"""Largest claimed time, in milliseconds since 1970 [OBJ-13]."""
TITLE_BYTES: Final = 256
"""Longest title, in bytes of UTF-8 [OBJ-16]."""
NAME_BYTES: Final = 64
"""Longest name, in bytes of UTF-8 [OBJ-16]."""
TAG_BYTES: Final = 64
"""Longest tag, in bytes of UTF-8 [OBJ-16]."""
NOTE_BYTES: Final = 1024
"""Longest note, prompt, purpose, reason or text in a body, in bytes of UTF-8 [OBJ-16]; longer ones are blocks."""
URL_BYTES: Final = 2048
"""Longest URL, in bytes [OBJ-16]."""
LICENSE_BYTES: Final = 256
"""Longest licence expression, in bytes [OBJ-16]."""
LINE_BYTES: Final = 256
"""Longest other line of text, in bytes of UTF-8 [OBJ-16]."""
USES: Final = 128
"""Most uses in a body [OBJ-18]."""
CREDITS: Final = 256
"""Most credits in a body [OBJ-18]."""
TAGS: Final = 32
"""Most tags [OBJ-18]."""
MEDIA_ENTRIES: Final = 64
"""Most media entries in a body [OBJ-18]."""
LANGUAGES: Final = 16
"""Most languages [OBJ-18]."""
LIST_ENTRIES: Final = 128
"""Most entries of any other list in a body [OBJ-18]."""
PART_BYTES: Final = 64
"""Longest media fragment, in bytes [OBJ-19]."""
ROLE_BYTES: Final = 64
"""Longest role, in bytes of UTF-8 [OBJ-20]."""
LANGUAGE_BYTES: Final = 35
"""Longest language tag, in bytes [OBJ-21]."""
LIST_PAGE_ENTRIES: Final = 500
"""Most entries of a list page [OBJ-23]."""
LIST_PAGE_BYTES: Final = 256 * 1024
"""Largest list page, in bytes [OBJ-23]."""
RULES_ROLES: Final = 16
"""Most roles in rules [KND-1]."""
RULES_IDENTITIES: Final = 64
"""Most identities of one role [KND-1]."""
WITNESS_REFS: Final = 500
"""Most refs of a witness [KND-6]."""
LINE_INDEX: Final = 65_535
"""Highest index of a line that an answer may speak of [KND-1]."""
SPLIT_POINTS: Final = 10_000
"""What the points of a split add up to [KND-5]."""

# --- media (spec 05) ----------------------------------------------------------------------------
CHUNK_BYTES: Final = 1024 * 1024
"""Bytes of a leaf in profile unixfs-v1-2025 [spec 05]."""
UNIXFS_WIDTH: Final = 1024
"""Most links of a UnixFS node that we write [spec 05]."""
FILE_BYTES: Final = 2**53 - 1
"""Longest file, in bytes [MED-1, MED-5]; JSON and JavaScript hold no larger number exactly."""
UNIXFS_DEPTH: Final = 16
"""Deepest file tree that we read, in levels [MED-5]."""
HAMT_FANOUT: Final = 256
"""The only fan-out of a HAMT folder that we read [MED-6]."""
HAMT_DEPTH: Final = 8
"""Deepest HAMT folder that we read, in levels [MED-6]."""
MEDIA_TYPE_BYTES: Final = 127
"""Longest media type, in bytes [MED-1]."""
TEXT_BLOCK_BYTES: Final = 1024 * 1024
"""Largest text block, in bytes [MED-8]."""
METADATA_BYTES: Final = 4 * 1024 * 1024
"""Largest EXIF block or XMP packet of a picture, in bytes [MED-12]."""
SVG_BYTES: Final = 8 * 1024 * 1024
"""Largest SVG that has an essence, in bytes [MED-16]; the costliest of this size takes some seconds."""
MARKUP_DEPTH: Final = 256
"""Deepest nesting of elements, in levels [MED-16]."""
MARKUP_ATTRIBUTES: Final = 256
"""Most attributes of an element [MED-16]."""
MARKUP_PREFIXES: Final = 64
"""Most namespace prefixes that hold in one place, `xml` among them [MED-16]."""
TEXT_LINE_BYTES: Final = 1024 * 1024
"""Longest line of a text that has an essence, in bytes without its end [MED-17]; a bound on memory."""
FILM_BOXES: Final = 65_536
"""Most boxes side by side in a film [MED-22]; a bound on time."""
FILM_BOX_BYTES: Final = 16 * 1024 * 1024
"""Largest content of a box that is read as a whole, such as a sample description, in bytes [MED-22]."""
FILM_TAG_LEVELS: Final = 4
"""Deepest nesting of a film's tags within tags, in levels [MED-22]."""
FILM_TRACKS: Final = 256
"""Most tracks of a film [MED-22]."""
FILM_DESCRIPTIONS: Final = 64
"""Most sample descriptions of a track [MED-22]."""
FILM_EDITS: Final = 64
"""Most entries of an edit list [MED-22]."""
SOUND_TAG_BYTES: Final = 16 * 1024 * 1024
"""Largest tag of an MP3 or WAV that a pointer is written into, in bytes; it is held in memory [MED-30]."""
SOUND_LONG_TAG_BYTES: Final = 1_000_000
"""Longest ID3v2 tag before an MP3 that may end with another tag than ID3v1, in bytes [MED-18]."""
SOUND_PARTS: Final = 1024
"""Most metadata blocks of a FLAC [MED-19], and most chunks of a WAV [MED-20]. 500,001 empty blocks took 26 times
their size of memory without it."""
COMMENT_LINES: Final = 65_536
"""Most lines of a Vorbis comment [MED-19, MED-21]."""
OGG_PACKET_PAGES: Final = 256
"""Most pages over whose ends a packet may go on, which makes 16 MiB; it is held in memory [MED-21]."""
PDF_BYTES: Final = 256 * 1024 * 1024
"""Largest PDF that a pointer is written into, in bytes; pikepdf works in memory."""

# --- snapshots (spec 06) ------------------------------------------------------------------------
SNAPSHOT_LINKS: Final = 500
"""Most links of a snapshot page [SNP-1]."""
SNAPSHOT_CUT: Final = 128
"""A page ends after a CID whose first four digest bytes are 0 modulo this [spec 06]."""
SNAPSHOT_LEVELS: Final = 16
"""Most levels of a snapshot [SNP-1]."""

# --- pulling from IPFS ----------------------------------------------------------------------------
PULL_OBJECTS: Final = 131_072
"""Most objects and list pages of one pull; they are held in memory until all of them are judged."""
PULL_BYTES: Final = 256 * 1024 * 1024
"""Most bytes of them."""
PULL_BUNDLE_BYTES: Final = 2**30
"""Largest bundle that is fetched as a file, in bytes."""

# --- verdicts (spec 08) -------------------------------------------------------------------------
VERIFY_OBJECTS: Final = 16_000
"""Most objects and list pages of a bundle that `verify` holds in memory; an import has no such bound."""
VERIFY_BYTES: Final = 7 * 1024 * 1024
"""Most bytes of them; a byte that is read may take twenty, and a report must fit into 200 MB."""
SHEET_ENTRIES: Final = 65_536
"""Most uses, parents without a use and credits together that the credits of one work are made from [CRD-6]."""
SHEET_PAGE_BYTES: Final = 32 * 1024 * 1024
"""Most bytes of list pages that are read for it, each as often as it is read [CRD-6]."""
LICENSE_IDENTIFIERS: Final = 8
"""Most identifiers of an expression that is judged by its parts [LIC-3]; a bound on time."""
LICENSE_HELD: Final = 65_536
"""Most uses of what collections hold that are judged in one report [LIC-6]; a bound on time and memory."""
VERIFY_BLOCKS: Final = 131_072
"""Most blocks of a bundle that `verify` reads; the names of all are held."""
VERIFY_EVENTS: Final = 4096
"""Most events of one identity in a bundle that `verify` judges: the cost of a line with forks grows with their square."""
NEAR_MEDIA: Final = 16
"""Most media of a bundle that a file is compared with [VER-1]; decoding one may take 20 s."""
NEAR_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of them."""
ENTRY_BYTES: Final = 64 * 1024 * 1024
"""Longest file that is read again from the blocks at hand, to hold its entry to it [VER-9]."""
RIVALS: Final = 64
"""Most records of one file that a report weighs against each other [VER-2]."""

# --- IPNS names (spec 09) -----------------------------------------------------------------------
IPNS_RECORD_BYTES: Final = 10 * 1024
"""Longest record of an IPNS name, in bytes [IPN-2]."""

# --- the node (spec 10) ---
NODE_ADDRESS_BYTES: Final = 256
"""Longest address of a node, in bytes [NET-24]."""
NODE_RECORD_BYTES: Final = 1024
"""Largest address record, in bytes [NET-20]."""
NODE_RECORD_ADDRESSES: Final = 8
"""Most addresses of a record [NET-20]."""
NODE_RECORD_AGE_MS: Final = 14 * 24 * 3_600_000
"""How long a record holds, in milliseconds [NET-20]."""
NODE_RECORD_AHEAD_MS: Final = 24 * 3_600_000
"""How far ahead of the reader's clock a record may be, in milliseconds [NET-20]."""
NODE_RECORDS_ASKED: Final = 32
"""Most records that are handed out at a time [NET-21]."""
NODE_RECORDS_EVERY_S: Final = 60
"""Seconds until the same peer is handed records again [NET-21]."""
NODE_DIAL_EVERY_S: Final = 1
"""Seconds between two dials to addresses that others told [NET-21]."""
NODE_DIAL_HOST_EVERY_S: Final = 60
"""Seconds between two such dials to one host, so that nobody is flooded by what is told about them [NET-21]."""
NODE_BACKOFF_FIRST_S: Final = 3
"""Longest wait after a first dial that failed, in seconds; it doubles with each [spec 10]."""
NODE_BACKOFF_LAST_S: Final = 3600
"""Longest wait after any number of them, in seconds [spec 10]."""
NODE_BOOK_NEW: Final = 256 * 8
"""Places of an address book for peers that were told of: 256 buckets, 8 of which a telling network can reach [spec 10]."""
NODE_BOOK_TRIED: Final = 64 * 8
"""Places of an address book for peers that were reached: 64 buckets, 2 of which a network can reach [spec 10]."""
NODE_BOOK_NAMED: Final = 256
"""Most peers that the operator names [spec 10]."""
NODE_ANCHORS: Final = 2
"""Peers to which a node goes back first when it starts again [spec 10]."""
NODE_REST_EVERY_S: Final = 3600
"""Seconds until a node that has all its connections ends one of them to dial another [spec 10]."""
NODE_BAN_KEY_S: Final = 3600
"""How long a key is kept out, in seconds [NET-23]."""
NODE_BAN_HOST_S: Final = 60
"""How long an address is kept out, in seconds [NET-23]."""
NODE_BANS: Final = 4096
"""Most keys that are kept out at once, and most addresses; a bound on memory [NET-23]."""
NODE_METERS: Final = 1024
"""Most keys whose rate is remembered, and most addresses; a bound on memory [NET-22]."""

# --- the node: frames (spec 10) -----------------------------------------------------------------
NODE_FIRST_FRAME_BYTES: Final = 4 * 1024
"""Longest frame before the other side's HELLO has been read, without its length [NET-5]."""
NODE_FRAME_BYTES: Final = 64 * 1024
"""Longest frame else, and the most of a longer one that isn't in byte strings [NET-5]."""
NODE_BLOCKS_FRAME_BYTES: Final = BLOCK_BYTES + NODE_FRAME_BYTES
"""Longest frame while an answer with blocks is awaited [NET-5]."""
NODE_FRAME_DEPTH: Final = 8
"""Deepest nesting in a frame, in levels; its own array is the first [NET-6]."""
NODE_FRAME_ARRAY: Final = 2048
"""Most entries of an array in a frame [NET-6]: more digests than fit into a frame are never answered to."""
NODE_FRAME_MAP: Final = 64
"""Most entries of a map in a frame [NET-6]."""
NODE_FRAME_KEY_BYTES: Final = 32
"""Longest key of a map in a frame, in bytes of UTF-8 [NET-6]."""
NODE_REQUEST_ID: Final = 2**31 - 1
"""Highest type, and highest number of a request [NET-7]."""
NODE_VERSIONS: Final = 8
"""Most versions in HELLO [NET-8]."""
NODE_FEATURES: Final = 16
"""Most features in HELLO [NET-8]."""
NODE_FEATURE_BYTES: Final = 32
"""Longest name of a feature [NET-8]."""
NODE_AGENT_BYTES: Final = 64
"""Longest name of a program in HELLO [NET-8]."""
NODE_LISTEN: Final = 16
"""Most addresses in HELLO [NET-8]."""
NODE_FOLLOWED: Final = 1024
"""Most topics in FOLLOW [NET-8]."""
NODE_PUSH_OBJECTS: Final = 64
"""Most objects in PUSH [NET-8]."""
NODE_PUSH_OBJECT_BYTES: Final = 8 * 1024
"""Largest object in PUSH; larger ones are offered by their digest [NET-8, NET-13]."""
NODE_PUSH_DIGESTS: Final = 256
"""Most digests in PUSH [NET-8]."""
NODE_HEADS: Final = 64
"""Most heads in HEADS and STATE [NET-8]."""
NODE_RANGES: Final = 1024
"""Most ranges in RECON and RANGES [NET-15]."""
NODE_GET_CIDS: Final = 256
"""Most CIDs in GET [NET-8]."""
NODE_BLOCKS: Final = 256
"""Most blocks in BLOCKS [NET-8]."""
NODE_PULL_BYTES: Final = 1024 * 1024
"""Most bytes that PULL may ask for [NET-8]."""
NODE_CODE_BYTES: Final = 32
"""Longest code in BYE [NET-8]."""
NODE_BYE_TEXT_BYTES: Final = 256
"""Longest text in BYE [NET-8]."""
NODE_HANDSHAKES: Final = 64
"""Most connections in the handshake at once; the oldest gives way to one more [spec 10]."""
NODE_FROM_ADDRESS: Final = 8
"""Most connections from one address; the operator's own network is exempt [spec 10]."""

# --- the node: comparing (spec 10) --------------------------------------------------------------
NODE_RANGES_BYTES: Final = 60 * 1024
"""Most bytes of the ranges of one message [NET-16]."""
NODE_RANGE_KEYS: Final = 32
"""Most keys of a range that are listed rather than cut further [NET-16]."""
NODE_RANGE_PARTS: Final = 16
"""Most ranges in answer to one [NET-16]."""
NODE_RECON_ROUNDS: Final = 16
"""Most rounds of RECON in one comparison [spec 10]."""
NODE_RECON_SURPLUS: Final = 32_768
"""Most keys that are remembered as lacking on the other side in one comparison; as many as it can name the other way."""
NODE_HELLO_S: Final = 10
"""How long HELLO may take, in seconds [NET-9]."""
NODE_PING_S: Final = 20
"""Seconds without a frame until PING goes out [spec 10]."""
NODE_DEAD_S: Final = 60
"""Seconds without a frame until a connection counts as dead [spec 10]."""
NODE_REQUESTS: Final = 64
"""Most open requests of a side [NET-11]."""
NODE_QUEUE_BYTES: Final = 4 * 1024 * 1024
"""Most bytes that wait to be sent to a peer [NET-14]; a last BYE comes on top."""
NODE_STALL_S: Final = 30
"""How long a peer may take nothing of its queue, in seconds [spec 10]."""
NODE_BATCHES: Final = 2
"""Batches of a peer's objects that may wait to be judged before reading from it stops [spec 10]."""
NODE_FLIGHT_BYTES: Final = 8 * 1024 * 1024
"""Most bytes of blocks on the way from a peer [NET-19]."""
NODE_SILENCE_S: Final = 30
"""Seconds without an answer until the next peer is asked [NET-19]."""
NODE_FRAMES_A_S: Final = 50
"""Frames a second from a peer, answers aside [NET-22]."""
NODE_FRAMES_AT_ONCE: Final = 500
"""Frames at once [NET-22]."""
NODE_OBJECTS_A_S: Final = 5
"""Objects a second that a peer may push [NET-22]."""
NODE_OBJECTS_AT_ONCE: Final = 1024
"""Objects at once [NET-22]."""
NODE_RECONS_A_S: Final = 1
"""Questions about ranges a second from a peer [NET-22]."""
NODE_RECONS_AT_ONCE: Final = 32
"""Questions about ranges at once [NET-22]."""
NODE_WAITING_OBJECTS: Final = 1000
"""Most objects of a peer that wait for what they require [spec 10]."""
NODE_WAITING_PEER_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of them [spec 10]."""
NODE_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of such objects of all peers [spec 10]."""
NODE_WAITING_S: Final = 600
"""How long such an object waits, in seconds [spec 10]."""
NODE_WANTED: Final = 65_536
"""Most blocks that are wanted at once; a bound on memory."""
NODE_WANTED_PEER: Final = 16_384
"""Most members that are wanted from one peer at once; a bound on memory."""
NODE_JUDGED: Final = 65_536
"""Most CIDs that are remembered as not to be asked for again; a bound on memory."""
NODE_JUDGED_S: Final = 600
"""How long they are, in seconds: a policy, or what is known, may have changed since."""
NODE_MEDIA_PEERS: Final = 4
"""Most peers that are asked for media of a topic at once [spec 10]."""
NODE_INBOUND: Final = 128
"""Most connections that others dialled [spec 10]."""
NODE_OUTBOUND: Final = 8
"""Most connections that a node dials of its own accord [spec 10]."""
NODE_DIALLED: Final = 16
"""Most connections that it dials, those that the operator names among them [spec 10]."""
NODE_HOST_LINKS: Final = 8
"""Most connections from one address [spec 10]."""
NODE_GREETINGS: Final = 64
"""Most connections whose HELLO hasn't come [spec 10]."""
NODE_COMPARISONS: Final = 8
"""Most comparisons with one peer at once; the others wait."""
