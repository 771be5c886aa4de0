"""`hitp2p node queue`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hitp2p.cli.app import verb
from hitp2p.cli.names import title_of
from hitp2p.cli.run import Run
from hitp2p.errors import AmbiguousNameError, NotFoundError
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid
    from hitp2p.node.held_card import HeldCard
    from hitp2p.node.review import Held, ReviewQueue


@verb(
    examples=[
        ("hitp2p node queue", "What waits for a look."),
        ("hitp2p node queue --show 6c7rjq2a", "Its sources, licences and files."),
        ("hitp2p node queue --approve 6c7rjq2a", "Let it in, with what it requires."),
        ("hitp2p node queue --reject 6c7rjq2a", "Drop it, and keep it out."),
    ],
    json_fields={
        "waiting[].cid": "an object that waits",
        "waiting[].kind": "what it is",
        "waiting[].title": "its title",
        "waiting[].author": "who signed it",
        "waiting[].reason": "why it waits",
        "waiting[].rests": "whether it waits only because what it rests on does",
        "approved[]": "what was let in",
        "rejected[]": "what was dropped",
        "shown": "the object of --show, else null: standing, n_of_author, files, sources, license (as in a report)",
    },
)
@click.option("--show", metavar="NAME", help="Show one of them closely.")
@click.option("--approve", multiple=True, metavar="NAME", help="Let it in; may be repeated.")
@click.option("--reject", multiple=True, metavar="NAME", help="Drop it; may be repeated.")
def command(run: Run, show: str | None, approve: tuple[str, ...], reject: tuple[str, ...]) -> None:
    """Look at what waits for review, let it in, or drop it.

    With "hitp2p node policy --default review" works of people who haven't been let into a project
    before wait here: verified, but neither stored nor handed on. What rests on one that waits,
    waits with it. NAME is a CID or its beginning, as the list shows it. Letting in stores the
    object with what it requires; a running node hands it on at once. What was dropped isn't asked
    about again. Text is as its author wrote it.
    """
    from hitp2p.cli.nodes import require_node
    from hitp2p.node.held_card import show_held
    from hitp2p.node.review import ReviewQueue

    store = run.workspace.store
    with ReviewQueue(require_node(run)) as queue:
        shown = None if show is None else show_held(store, queue, _find(queue, show))
        approved = queue.approve(store, [_find(queue, name) for name in approve])
        rejected = queue.reject([_find(queue, name) for name in reject])
        waiting = list(queue)
    record: dict[str, Any] = {
        "waiting": [_record(held) for held in waiting],
        "approved": [str(cid) for cid in approved],
        "rejected": [str(cid) for cid in rejected],
        "shown": None if shown is None else _card_record(shown),
    }
    lines = _lines(waiting, approved, rejected) if shown is None else _card_lines(shown)
    run.out.emit(record, lines)


def _find(queue: ReviewQueue, name: str) -> Cid:
    start = name.removeprefix("bafyrei")
    found = [one.object.cid for one in queue if str(one.object.cid)[7:].startswith(start)]
    if not start or not found:
        error = NotFoundError(f"nothing that waits is called {name!r}")
        error.add_note('"hitp2p node queue" lists what waits.')
        raise error
    if len(found) > 1:
        raise AmbiguousNameError(f"{len(found)} objects that wait begin with {name!r}", found)
    return found[0]


def _record(held: Held) -> dict[str, Any]:
    obj = held.object
    return {
        "cid": str(obj.cid),
        "kind": obj.kind,
        "title": title_of(obj),
        "author": str(obj.identity),
        "reason": held.reason,
        "rests": held.rests,
    }


def _card_record(card: HeldCard) -> dict[str, Any]:
    lines = () if card.credits is None else card.credits.lines
    return _record(card.held) | {
        "author_name": card.author_name,
        "standing": card.standing.value,
        "n_of_author": card.n_of_author,
        "files": [
            {"cid": str(one.file), "type": one.type, "role": one.role, "size": one.size}
            for one in card.files
        ],
        "sources": [
            str(line.cid) for line in lines if line.cid not in (None, card.held.object.cid)
        ],
        "license": None if card.licenses is None else card.licenses.to_json(),
    }


def _lines(
    waiting: list[Held], approved: tuple[Cid, ...], rejected: tuple[Cid, ...]
) -> Iterator[str]:
    for cid in approved:
        yield f"let in: {short_name(cid)}"
    for cid in rejected:
        yield f"dropped: {short_name(cid)}"
    for held in waiting:
        obj = held.object
        yield f"{short_name(obj.cid)}  {obj.kind}  {title_of(obj)}"
        yield f"    by {short_name(obj.identity)}; {held.reason}"
    if not waiting:
        yield "nothing waits"


def _card_lines(card: HeldCard) -> Iterator[str]:
    obj = card.held.object
    yield f"{short_name(obj.cid)}  {obj.kind}  {card.title or title_of(obj)}"
    here = f"{card.n_of_author} objects of theirs are here"
    yield f"by {card.author_name or '?'} {short_name(obj.identity)}, standing {card.standing.value}; {here}"
    yield f"waits: {card.held.reason}"
    for one in card.files:
        yield f"file: {one.type}, {one.role}, {one.size:,} bytes"
    for line in () if card.credits is None else card.credits.lines:
        if line.cid != obj.cid:
            yield f"made from: {line.title or '?'} {'' if line.cid is None else short_name(line.cid)}"
    if card.licenses is not None:
        yield f"licence: {card.licenses.effective or 'none that holds'}"
        for edge in card.licenses.conflicts:
            yield f"  forbidden: {edge.title or '?'}, {edge.judgement.reason}"
