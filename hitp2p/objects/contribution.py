"""The typed body of a contribution: a work, where it comes from, and who made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass

__all__ = ["Contribution", "Credit", "Essence", "ForeignSource", "MediaEntry", "Use"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Essence:
    """The hash of a file's payload without its metadata."""

    algorithm: str
    digest: bytes
    """16 to 64 bytes."""
    display: bytes | None = None
    """16 to 64 bytes over what changes the display, such as an orientation [MED-11]; None without any."""

    @staticmethod
    def from_body(essence: Mapping[str, Any]) -> Essence:
        """Of a map whose shape is checked."""
        return Essence(
            algorithm=essence["algorithm"],
            digest=essence["digest"],
            display=essence.get("display"),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a body."""
        return _present(algorithm=self.algorithm, digest=self.digest, display=self.display)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaEntry:
    """A file of a work."""

    file: Cid
    """A raw leaf or a UnixFS file."""
    size: int
    """Length of the content in bytes; a reader stops there [MED-2]."""
    sha256: bytes
    """The 32-byte hash of the content."""
    type: str
    """Media type in lower case, such as `image/png`, as the author claims."""
    role: str
    """`master`, `preview`, `stem` or `source-file`."""
    name: str | None = None
    """A label, never a path [MED-3]."""
    alt: str | None = None
    """What someone would say who describes it to one who can't see or hear it."""
    essence: Essence | None = None

    @staticmethod
    def from_body(entry: Mapping[str, Any]) -> MediaEntry:
        """Of a map whose shape is checked."""
        essence = entry.get("essence")
        return MediaEntry(
            file=entry["file"],
            size=entry["size"],
            sha256=entry["sha256"],
            type=entry["type"],
            role=entry["role"],
            name=entry.get("name"),
            alt=entry.get("alt"),
            essence=None if essence is None else Essence.from_body(essence),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a body."""
        return _present(
            file=self.file,
            size=self.size,
            sha256=self.sha256,
            type=self.type,
            role=self.role,
            name=self.name,
            alt=self.alt,
            essence=self.essence and self.essence.to_body(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSource:
    """Something outside hitp2p that a work uses; at least a url, a title or a hash [KND-2]."""

    url: str | None = None
    title: str | None = None
    author: str | None = None
    license: str | None = None
    """SPDX expression."""
    sha256: bytes | None = None
    fetched: int | None = None
    """When it was fetched, in milliseconds since 1970, as claimed."""

    @staticmethod
    def from_body(source: Mapping[str, Any]) -> ForeignSource:
        """Of a map whose shape is checked."""
        return ForeignSource(
            url=source.get("url"),
            title=source.get("title"),
            author=source.get("author"),
            license=source.get("license"),
            sha256=source.get("sha256"),
            fetched=source.get("fetched"),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a body."""
        return _present(
            url=self.url,
            title=self.title,
            author=self.author,
            license=self.license,
            sha256=self.sha256,
            fetched=self.fetched,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One source of a work: a work (then perhaps with its project) or something outside."""

    relation: str
    """`remix`, `version`, `merge`, `response`, `translation`, `extract`, `sample`, `collect`,
    `reference` or `inspired-by`."""
    work: Cid | None = None
    project: Cid | None = None
    """Where the work is in another project; None where it is one of the parents."""
    source: ForeignSource | None = None
    part: str | None = None
    """Media fragment: what of the source was used."""
    into: str | None = None
    """Media fragment: where in the new work it went."""
    note: str | None = None
    """The person's own sentence."""

    @staticmethod
    def from_body(use: Mapping[str, Any]) -> Use:
        """Of a map whose shape is checked."""
        source = use.get("source")
        return Use(
            relation=use["relation"],
            work=_cid(use.get("work")),
            project=_cid(use.get("project")),
            source=None if source is None else ForeignSource.from_body(source),
            part=use.get("part"),
            into=use.get("into"),
            note=use.get("note"),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a body."""
        return _present(
            relation=self.relation,
            work=_ref(self.work),
            project=_ref(self.project),
            source=None if self.source is None else self.source.to_body(),
            part=self.part,
            into=self.into,
            note=self.note,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A person and what they did; a claim of the work's author."""

    role: str
    """A MARC relator code (`aut`, `cmp`) or words."""
    who: Cid | None = None
    """The genesis of their identity."""
    name: str | None = None
    """How someone without an identity is called, or how the person wants to be named."""
    part: str | None = None
    """Media fragment."""

    @staticmethod
    def from_body(credit: Mapping[str, Any]) -> Credit:
        """Of a map whose shape is checked."""
        return Credit(
            role=credit["role"],
            who=_cid(credit.get("who")),
            name=credit.get("name"),
            part=credit.get("part"),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a body."""
        return _present(role=self.role, who=_ref(self.who), name=self.name, part=self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The body of a contribution."""

    title: str
    """Single-line, at most 256 bytes."""
    media: tuple[MediaEntry, ...] = ()
    uses: tuple[Use, ...] = ()
    """The first 128 at most; more are in `uses_pages`."""
    uses_pages: tuple[Cid, ...] = ()
    credits: tuple[Credit, ...] = ()
    """The first 256 at most; more are in `credits_pages`."""
    credits_pages: tuple[Cid, ...] = ()
    license: str | None = None
    """SPDX expression; None: the project's default holds."""
    call: Cid | None = None
    """The call that it answers."""
    languages: tuple[str, ...] = ()
    """BCP 47 tags."""
    tags: tuple[str, ...] = ()
    note: str | None = None
    """The person's own words, multi-line, at most 1,024 bytes."""
    note_block: Cid | None = None
    """Raw block with a longer note, instead of `note`."""
    made_with_ai: str | None = None
    """`no`, `part` or `whole`; None: not said."""
    unchecked: str | None = None
    """Why the author could not check the sources."""

    @staticmethod
    def from_body(body: Mapping[str, Any]) -> Contribution:
        """Of a body whose shape is checked."""
        return Contribution(
            title=body["title"],
            media=tuple(MediaEntry.from_body(entry) for entry in body.get("media", ())),
            uses=tuple(Use.from_body(use) for use in body.get("uses", ())),
            uses_pages=tuple(body.get("uses_pages", ())),
            credits=tuple(Credit.from_body(credit) for credit in body.get("credits", ())),
            credits_pages=tuple(body.get("credits_pages", ())),
            license=body.get("license"),
            call=_cid(body.get("call")),
            languages=tuple(body.get("language", ())),
            tags=tuple(body.get("tags", ())),
            note=body.get("note"),
            note_block=body.get("note_block"),
            made_with_ai=body.get("made_with_ai"),
            unchecked=body.get("unchecked"),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for `sign_object`."""
        return _present(
            title=self.title,
            media=[entry.to_body() for entry in self.media],
            uses=[use.to_body() for use in self.uses],
            uses_pages=list(self.uses_pages),
            credits=[credit.to_body() for credit in self.credits],
            credits_pages=list(self.credits_pages),
            license=self.license,
            call=_ref(self.call),
            language=list(self.languages),
            tags=list(self.tags),
            note=self.note,
            note_block=self.note_block,
            made_with_ai=self.made_with_ai,
            unchecked=self.unchecked,
        )


def _present(**fields: Any) -> dict[str, Any]:
    """Without what is absent; an empty list is never written [OBJ-5]."""
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _cid(ref: str | None) -> Cid | None:
    return None if ref is None else Cid.parse(ref)


def _ref(cid: Cid | None) -> str | None:
    return None if cid is None else str(cid)
