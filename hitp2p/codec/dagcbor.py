"""dag-cbor: bytes to values and back, in the one canonical form [ENC-1..13].

`decode_reference` is the definition. `decode_object` gives the same values and the same verdicts, through the
accelerator of `hitp2p.codec.fast` where that is installed.
"""

from __future__ import annotations

from typing import cast

from hitp2p.codec import fast
from hitp2p.codec.dagcbor_decoder import decode_item
from hitp2p.codec.dagcbor_encoder import encode_item
from hitp2p.codec.profile import Encodable, Profile, Value
from hitp2p.errors import DecodeError
from hitp2p.limits import BLOCK_BYTES

__all__ = ["Encodable", "Profile", "Value", "decode", "decode_object", "decode_reference", "encode"]


def decode(data: bytes, *, profile: Profile = Profile.IPLD) -> Value:
    """The value that `data` spells.

    Raises:
        DecodeError: the first broken rule, with its offset.
    """
    return decode_object(data) if profile is Profile.OBJECT else decode_reference(data)


def decode_object(data: bytes) -> Value:
    """`decode_reference(data, profile=Profile.OBJECT)`, twice as fast where libipld is installed."""
    if fast.is_enabled():
        value = fast.decode_object(data)
        if value is not fast.UNDECIDED:
            return cast(Value, value)
    return decode_reference(data, profile=Profile.OBJECT)


def decode_reference(data: bytes, *, profile: Profile = Profile.IPLD) -> Value:
    """As `decode`, in pure Python always: what the accelerator must agree with."""
    if len(data) > BLOCK_BYTES:
        raise DecodeError(f"{len(data)} bytes; at most {BLOCK_BYTES} allowed", rule="ENC-9")
    return decode_item(bytes(data), profile.value)


def encode(value: Encodable, *, profile: Profile = Profile.IPLD) -> bytes:
    """The one encoding of `value`.

    Raises:
        UsageError: the value can't be written in this profile; the message says what and by which rule.
    """
    return encode_item(value, profile.value)
