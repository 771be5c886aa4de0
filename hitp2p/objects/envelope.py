"""The signed object: parse, verify and sign one block.

Three steps, in the order of their cost: the envelope (OBJ rules), the body (the table of its kind), the
signature. `parse_object` does the first two; an object from it is "as received" until
`verify_signature` has passed. What needs other objects is in `hitp2p.trail.check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, final

from hitp2p import limits
from hitp2p.codec import fast
from hitp2p.codec.cid import DAG_CBOR, OBJECT_CID_HEAD, SHA2_256, Cid, raw_bytes, recent_link
from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.errors import DecodeError, NewerVersionError, RuleError, SignatureError
from hitp2p.keys.ed25519 import OBJECT_DOMAIN, verify
from hitp2p.objects.contribution import Contribution
from hitp2p.objects.envelope_rules import ENVELOPE_RULES
from hitp2p.objects.glance import see_contribution
from hitp2p.objects.identity import IDENTITY_RULES, IdentityEvent
from hitp2p.objects.kinds import KINDS, ObjectClass
from hitp2p.objects.project import Project
from hitp2p.objects.quick import draft_quickly, is_surely_right
from hitp2p.objects.references import (
    OBJECT_RULES,
    iter_links,
    iter_refs,
    may_have_many_references,
)
from hitp2p.objects.shape import say_type
from hitp2p.ports import Signer

__all__ = [
    "Content",
    "ObjectClass",
    "SignedObject",
    "parse_object",
    "refuse_signature",
    "sign_object",
    "verify_object",
    "verify_signature",
]

Content = IdentityEvent | Project | Contribution | Mapping[str, Any]
"""A typed body, or a read-only view of it for kinds without a class."""

_UNKNOWN: Final = ObjectClass.UNKNOWN
_EVENT: Final = ObjectClass.EVENT
_WORK: Final = ObjectClass.WORK
SIGNATURE_AT: Final = slice(7, 71)
"""`sig` sorts first, so its 64 bytes stand here: a map head, a key of four bytes, a head of two."""


@final
class SignedObject:
    """One signed object. Treat it as immutable, and so its body; equal and hashed by its CID.

    A plain class, because 10^4 of them are made while a trail is checked: a frozen dataclass of as many
    fields takes 3.2 us to make, this 0.5 us.
    """

    __slots__ = (
        "_body",
        "_content",
        "_links",
        "_refs",
        "_required",
        "author",
        "block",
        "cid",
        "event",
        "kind",
        "object_class",
        "parents",
        "project",
        "signer",
        "time",
        "uses_here",
    )

    def __init__(
        self, cid: Cid, block: bytes, fields: Mapping[str, Any], object_class: ObjectClass
    ) -> None:
        """For this module; others call `parse_object` or `sign_object`."""
        get = fields.get
        self.cid: Cid = cid
        self.object_class: ObjectClass = object_class
        """What part it plays in the trail."""
        self.block: bytes = block
        """The encoded object, signature included."""
        self.kind: str = fields["kind"]
        self.time: int = fields["time"]
        """When, in milliseconds since 1970, as the signer claims; orders and judges nothing."""
        self.signer: bytes = fields["signer"]
        """The 32-byte public key."""
        self.author: Cid | None = get("author")
        """The genesis of the identity that speaks; None in a genesis."""
        self.event: Cid | None = get("event")
        """The identity event under which `signer` may speak; None in identity events."""
        self.project: Cid | None = get("project")
        self.parents: tuple[Cid, ...] = tuple(get("parents", ()))
        """Sorted by their bytes."""
        self._body: dict[str, Any] | None = fields["body"]
        self.uses_here: tuple[str, ...] = ()
        """Refs of the works that a contribution uses as of its own project; parents, if it is valid [TRL-7]."""
        self._content: Content | None = None
        self._links: tuple[Cid, ...] | None = None
        self._refs: tuple[Cid, ...] | None = None
        self._required: tuple[Cid, ...] | None = None

    @property
    def body(self) -> dict[str, Any]:
        """As decoded, unknown fields included; decoded again on first use, and then kept.

        Kept from the start, the many small containers of bodies made a trail of 10^4 objects 10 us an
        object slower to check, as the garbage collector walks them again and again, and took 2.7 times the
        memory.
        """
        body = self._body
        if body is None:
            fields: Any = decode_object(self.block)
            self._body = body = fields["body"]
        return body

    def passing_body(self) -> dict[str, Any]:
        """`body` for one look: decoded for it and not kept, unless it is kept already."""
        if self._body is not None:
            return self._body
        fields: Any = decode_object(self.block)
        body: dict[str, Any] = fields["body"]
        return body

    @property
    def is_genesis(self) -> bool:
        """Whether it is the first event of an identity; its CID is that identity's name."""
        return self.author is None

    @property
    def identity(self) -> Cid:
        """The genesis of the identity that speaks: `author`, or the object itself."""
        return self.cid if self.author is None else self.author

    @property
    def project_cid(self) -> Cid | None:
        """The project that the object belongs to; a project belongs to itself."""
        return self.cid if self.kind == "project" else self.project

    @property
    def required(self) -> tuple[Cid, ...]:
        """The signed objects that judging this one needs: author, event, project, parents; unique."""
        if self._required is None:
            links = (self.author, self.event, self.project, *self.parents)
            self._required = tuple(dict.fromkeys(link for link in links if link is not None))
        return self._required

    @property
    def links(self) -> tuple[Cid, ...]:
        """Every link in the block, unknown fields included; unique, in order of appearance."""
        if self._links is None:
            self._links = tuple(dict.fromkeys(iter_links(self)))
        return self._links

    @property
    def refs(self) -> tuple[Cid, ...]:
        """The refs in known fields; unique, in order of appearance."""
        if self._refs is None:
            texts = dict.fromkeys(iter_refs(self))
            known = {str(cid): cid for cid in self.required}  # most refs; reading one takes 5 us
            self._refs = tuple([known.get(text) or Cid.parse(text) for text in texts])
        return self._refs

    @property
    def content(self) -> Content:
        """The body as `IdentityEvent`, `Project` or `Contribution`; a read-only view for other kinds."""
        if self._content is None:
            build = _CONTENT.get(self.kind)
            self._content = MappingProxyType(self.body) if build is None else build(self.body)
        return self._content

    @property
    def signature(self) -> bytes:
        """The 64 bytes of `sig`."""
        return self.block[SIGNATURE_AT]

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over, behind the domain: the block as if `sig` weren't in it [OBJ-6]."""
        return bytes((self.block[0] - 1,)) + self.block[71:]

    def __eq__(self, other: object) -> bool:
        return self.cid == other.cid if isinstance(other, SignedObject) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.cid)

    def __repr__(self) -> str:
        return f"SignedObject({self.kind} {self.cid})"

    def __reduce__(self) -> tuple[object, ...]:
        return (parse_object, (self.block,))


_CONTENT: Final[dict[str, Callable[[Mapping[str, Any]], Content]]] = {
    "identity": IdentityEvent.from_body,
    "project": Project.from_body,
    "contribution": Contribution.from_body,
}


def parse_object(block: bytes, *, cid: Cid | None = None) -> SignedObject:
    """Read a block and check all that spec 01 to 03 ask of it, but for the signature.

    Args:
        block: as received.
        cid: the name under which it came, if any.

    Raises:
        DecodeError: not canonical dag-cbor (ENC), or the bytes don't hash to `cid` (CAR-3).
        NewerVersionError: made by a later version of the format (OBJ-3).
        RuleError: another rule on envelope or body is broken.
    """
    return _parse(block, cid, whole=False)


def _parse(block: bytes, cid: Cid | None, *, whole: bool) -> SignedObject:
    """`whole`: whether its body is kept."""
    if len(block) > limits.OBJECT_BYTES:
        raise RuleError(
            f"object of {len(block)} bytes; at most {limits.OBJECT_BYTES} allowed", rule="OBJ-2"
        )
    if cid is None:
        cid = Cid.of(DAG_CBOR, block)
    elif raw_bytes(cid) != OBJECT_CID_HEAD + sha256(block).digest():
        raise _other_name(cid, Cid.of(DAG_CBOR, block))
    try:
        obj = _parse_quickly(block, cid, whole=whole) or _parse_by_rules(block, cid)
    except (DecodeError, RuleError, NewerVersionError) as error:
        if error.cid is None:
            error.cid = cid
        raise
    if obj.kind == "contribution" and obj._body is not None:  # pyright: ignore[reportPrivateUsage]
        obj.uses_here = _uses_here(obj.body)
    if not whole and obj.object_class is not _EVENT:
        # Events stay whole: they are few, and each object that follows asks for their keys.
        obj._body = None  # pyright: ignore[reportPrivateUsage]
    return obj


def _uses_here(body: Mapping[str, Any]) -> tuple[str, ...]:
    uses: list[dict[str, Any]] = body.get("uses", ())
    return tuple([use["work"] for use in uses if "work" in use and "project" not in use])


def _parse_quickly(block: bytes, cid: Cid, *, whole: bool) -> SignedObject | None:
    """What `_parse_by_rules` would give, or None where that has to look; its body may be kept only if `whole`."""
    if may_have_many_references(block):
        return None
    seen = None if whole else see_contribution(block)
    if seen is not None:
        obj = SignedObject(cid, block, seen[0], _WORK)
        obj.uses_here = seen[1]
        return obj
    fields: Any
    if fast.is_enabled() and not whole:
        fields = fast.decode_canonical(block)
        if not is_surely_right(fields, links_are_bytes=True):
            return None
        fields["author"] = recent_link(fields["author"])
        fields["event"] = recent_link(fields["event"])
        if "project" in fields:
            fields["project"] = recent_link(fields["project"])
            fields["parents"] = map(recent_link, fields["parents"])
    else:
        try:
            fields = decode_object(block)
        except DecodeError:
            return None
        if not is_surely_right(fields, links_are_bytes=False):
            return None
    return SignedObject(cid, block, fields, KINDS[fields["kind"]].object_class)


def _parse_by_rules(block: bytes, cid: Cid) -> SignedObject:
    """The definition: each rule of spec 01 to 03 is a function or a row of a table, and is asked."""
    fields: Any = decode_object(block)  # which lets no link through that OBJ-12 forbids
    if fields.__class__ is not dict:
        raise RuleError(f"{say_type(fields)}; an object is a map", rule="OBJ-1")
    ENVELOPE_RULES(fields)
    kind = KINDS.get(fields["kind"])
    obj = SignedObject(cid, block, fields, _UNKNOWN if kind is None else kind.object_class)
    if kind is not None:  # else its envelope alone counts [KND-10]
        try:
            kind.body.check(obj.body)
        except RuleError as error:
            raise RuleError(f"{obj.kind}: {error.message}", rule=error.rule) from error
    OBJECT_RULES(obj)
    if obj.kind == "identity":
        IDENTITY_RULES(obj)
    return obj


def _other_name(cid: Cid, own_cid: Cid) -> DecodeError | RuleError:
    if cid.version != 1 or cid.codec != DAG_CBOR or cid.hash_code != SHA2_256:
        return RuleError(
            "an object is named by a CIDv1 with dag-cbor and sha2-256 only", rule="OBJ-11", cid=cid
        )
    return DecodeError(f"the bytes hash to {own_cid}", rule="CAR-3", cid=cid)


def verify_signature(obj: SignedObject) -> SignedObject:
    """Return `obj`, as received, once its signature is checked [OBJ-6].

    Raises:
        SignatureError: key or signature is malformed (KEY-1 to KEY-3), or the signature is of
            something else (OBJ-6).
    """
    try:
        verify(obj.signer, obj.signature, OBJECT_DOMAIN, obj.signed_bytes)
    except SignatureError as error:
        raise refuse_signature(obj, error) from error
    return obj


def refuse_signature(obj: SignedObject, error: SignatureError) -> SignatureError:
    """What to say of an object whose signature was refused.

    Where the equation of KEY-4 doesn't hold, that means OBJ-6 for an object.
    """
    if error.rule == "KEY-4":
        return SignatureError("the signature is not of this object", rule="OBJ-6", cid=obj.cid)
    return SignatureError(error.message, rule=error.rule, cid=obj.cid)


def verify_object(block: bytes, *, cid: Cid | None = None) -> SignedObject:
    """Read a block and check all that can be checked without other objects; see `parse_object`."""
    return verify_signature(parse_object(block, cid=cid))


def sign_object(
    *,
    kind: str,
    body: Mapping[str, Any],
    signer: Signer,
    time: int,
    author: Cid | None = None,
    event: Cid | None = None,
    project: Cid | None = None,
    parents: Iterable[Cid] = (),
    keep_body: bool = False,
) -> SignedObject:
    """Make, sign and check a new object. The same arguments give the same object.

    Args:
        kind: a kind of spec 03, or one of your own with `x-`.
        body: plain values of the object profile; see `to_body` of the typed bodies.
        signer: is asked for one signature.
        time: milliseconds since 1970, a claim.
        author: the genesis of the identity that speaks; None for a genesis.
        event: the identity event that names the signer's key; None for identity events.
        project: the project it belongs to, if any.
        parents: in any order; repetitions are dropped.
        keep_body: for whoever asks for the body next, such as a store; see `SignedObject.body`.

    Raises:
        InvalidError: what was asked for breaks a rule of the spec; nothing is returned then.
    """
    fields: dict[str, Any] = {
        "sig": _NO_SIGNATURE,
        "body": dict(body),
        "kind": kind,
        "spec": 1,
        "time": time,
        "event": event,
        "author": author,
        "signer": signer.public,
        "parents": sorted(set(parents)) or None,
        "project": project,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    quick = draft_quickly(present)
    draft = quick[0] if quick else encode(present, profile=Profile.OBJECT)
    signature = signer.sign(OBJECT_DOMAIN, bytes((draft[0] - 1,)) + draft[71:])
    block = draft[: SIGNATURE_AT.start] + signature + draft[SIGNATURE_AT.stop :]
    if quick is None or len(signature) != len(_NO_SIGNATURE):
        return verify_signature(_parse(block, None, whole=keep_body))
    present["body"] = quick[1] if keep_body else None
    obj = SignedObject(Cid.of(DAG_CBOR, block), block, present, KINDS[kind].object_class)
    if kind == "contribution":
        obj.uses_here = _uses_here(quick[1])
    return verify_signature(obj)


_NO_SIGNATURE: Final = bytes(64)
