"""From what a person says to the body of an object: the pure half of `Workspace.contribute` and `remix`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, replace
from hitp2p.errors import UsageError
from hitp2p.limits import NOTE_BYTES
from hitp2p.objects.contribution import Contribution, Credit, ForeignSource, MediaEntry, Use
from hitp2p.objects.envelope import ObjectClass, SignedObject
from hitp2p.objects.project import Project

if TYPE_CHECKING:
    from hitp2p.identity import Identity

__all__ = [
    "CreditLike",
    "ForeignLike",
    "ObjectLike",
    "Sources",
    "WorkOptions",
    "as_project",
    "fits_body",
    "license_of_work",
    "work_body",
]

ObjectLike = SignedObject | Cid | str
"""An object: itself, its CID, or text: a whole CID or a short name of at least four characters."""
ForeignLike = ForeignSource | tuple[ForeignSource, str]
"""A source outside hitp2p, alone (relation `remix`) or as (source, relation)."""
CreditLike = Credit | tuple["Identity | Cid | str", str]
"""A credit: ready made, or (who, role), where who is an identity, its CID, or the name of an outsider."""


class WorkOptions(TypedDict, total=False):
    """What can be said of a new work beside its title, files and sources. All of it may be left out."""

    roles: Sequence[str]
    """What the author did: MARC relator codes (`lyr`, `cmp`, `prf`) or words."""
    credits: Sequence[CreditLike]
    """Who else took part; a claim until those people answer."""
    license: str | None
    """SPDX expression; left out, the project's default is written into the work."""
    unchecked: str | None
    """Why the work is signed although the licence of a source forbids it or can't be judged; every reader will see it."""
    languages: Sequence[str]
    """BCP 47 tags."""
    tags: Sequence[str]
    """Free words."""
    note: str | None
    """The person's own sentence; over 1 KiB it becomes a text block."""
    made_with_ai: str | None
    """`no`, `part` or `whole`; left out, nothing is said."""
    call: ObjectLike | None
    """The call that the work answers."""
    alt: str | None
    """The first file in words, for those who can't see or hear it."""
    reference: bool
    """Leave the files where they are instead of copying them into the workspace."""
    progress: Callable[[int, int], None] | None
    """Called with (bytes done, bytes in all) while a file is read."""
    dry_run: bool
    """Build and check everything, store nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a new work builds on, sorted into the graph and the rest."""

    parents: tuple[Cid, ...]
    """Works of the project that the new work goes into, sorted; the project alone where there are none."""
    uses: tuple[Use, ...]
    """One entry a source, in the order given."""

    @classmethod
    def sort(cls, project: Cid, works: Iterable[tuple[SignedObject | None, Use]]) -> Sources:
        """Put works of `project` among the parents; the others are uses only.

        Args:
            project: where the new work goes.
            works: each use with its work, or None for a source outside hitp2p.

        Raises:
            UsageError: a source isn't a work.
        """
        parents: set[Cid] = set()
        uses: list[Use] = []
        for work, use in works:
            if work is None:
                uses.append(use)
                continue
            if work.object_class not in (ObjectClass.WORK, ObjectClass.UNKNOWN):
                raise UsageError(
                    f"{work.cid} is a {work.kind}; only a contribution, call or release can be built on"
                )
            here = work.project == project
            if here:
                parents.add(work.cid)
            elsewhere = None if here else work.project
            if use.work != work.cid or use.project != elsewhere:
                use = replace(use, work=work.cid, project=elsewhere)
            uses.append(use)
        return cls(parents=tuple(sorted(parents)) or (project,), uses=tuple(uses))


def work_body(
    title: str,
    project: Project,
    sources: Sources,
    *,
    author: Cid,
    call: Cid | None,
    media: Sequence[MediaEntry],
    text_block: Callable[[bytes], Cid],
    options: WorkOptions,
) -> dict[str, Any]:
    """The body of a contribution; the rules of `spec/` are checked when it is signed.

    Args:
        text_block: keeps a note that is too long for the body and names it.

    Raises:
        UsageError: the project doesn't accept the licence.
    """
    note = options.get("note")
    in_body = note is None or fits_body(note)
    return Contribution(
        title=title,
        media=tuple(media),
        uses=sources.uses,
        credits=tuple(_credits(author, options)),
        license=license_of_work(project, options.get("license")),
        call=call,
        languages=tuple(options.get("languages", ())),
        tags=tuple(options.get("tags", ())),
        note=note if in_body else None,
        note_block=None if note is None or in_body else text_block(note.encode()),
        made_with_ai=options.get("made_with_ai"),
        unchecked=options.get("unchecked"),
    ).to_body()


def _credits(author: Cid, options: WorkOptions) -> Iterator[Credit]:
    for role in options.get("roles", ()):
        yield Credit(who=author, role=role)
    for credit in options.get("credits", ()):
        if isinstance(credit, Credit):
            yield credit
            continue
        who, role = credit
        if isinstance(who, str):
            yield Credit(name=who, role=role)
        else:
            yield Credit(who=who if isinstance(who, Cid) else who.cid, role=role)


def license_of_work(project: Project, chosen: str | None) -> str | None:
    """The licence of a new work: the chosen one, else the project's default.

    Raises:
        UsageError: the project doesn't accept it.
    """
    license = chosen or project.license
    if project.accepts and license not in project.accepts:
        raise UsageError(
            f"the work says {license or 'no licence'}; this project accepts {', '.join(project.accepts)}"
        )
    return license


def as_project(obj: SignedObject) -> Project:
    """The typed body of a project.

    Raises:
        UsageError: the object is of another kind.
    """
    if obj.kind != "project":
        raise UsageError(f"{obj.cid} is a {obj.kind}, not a project")
    assert isinstance(obj.content, Project)
    return obj.content


def fits_body(note: str) -> bool:
    """Whether a note is short enough to stand in a body [OBJ-16]."""
    return len(note.encode()) <= NOTE_BYTES
