"""Whose word a credit is, and who asked not to be named: what people said of their credits in a work [CRD-2, CRD-5]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.credit_lines import Claim
from hitp2p.trail.standing import Standing

__all__ = ["Said", "claim_of", "iter_withheld"]

_CAREFUL_FIRST = {"deny": Claim.DENIED, "amend": Claim.AMENDED, "accept": Claim.CONFIRMED}
"""Where one person gave several answers, the most careful is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What people said of their credits in one work, read once: a work may have many credits and many answers."""

    answers: dict[Cid, dict[int, set[str]]]
    """By person, then by line."""
    withheld: frozenset[Cid]
    """Who asked not to be named [CRD-5]."""

    @classmethod
    def about(
        cls,
        work: SignedObject,
        referrers: Callable[[Cid], Iterable[SignedObject]],
        standing: Callable[[SignedObject], Standing] | None,
    ) -> Said:
        """In good standing, and not taken back."""
        statements = list(referrers(work.cid))
        if not statements:
            return _NOTHING
        answers: dict[Cid, dict[int, set[str]]] = {}
        for said in statements:
            is_answer = _is_about_credit(said, work.cid) and _is_good(said, standing)
            if is_answer and not _is_taken_back(said, referrers, standing):
                lines = answers.setdefault(said.identity, {})
                lines.setdefault(said.body["line"], set()).add(said.body["answer"])
        return cls(
            answers=answers, withheld=frozenset(iter_withheld(work.cid, statements, standing))
        )


_NOTHING = Said(answers={}, withheld=frozenset())
"""Of most works nobody says anything."""


def _is_good(obj: SignedObject, standing: Callable[[SignedObject], Standing] | None) -> bool:
    return standing is None or standing(obj) is Standing.GOOD


def _is_about_credit(said: SignedObject, work: Cid) -> bool:
    return (
        said.kind == "answer"
        and said.body["about"] == "credit"
        and said.body["target"]["object"] == str(work)
    )


def _is_taken_back(
    said: SignedObject,
    referrers: Callable[[Cid], Iterable[SignedObject]],
    standing: Callable[[SignedObject], Standing] | None,
) -> bool:
    return any(
        obj.kind == "withdrawal"
        and obj.identity == said.identity
        and obj.body["scope"] == "work"
        and obj.body["target"]["object"] == str(said.cid)
        and _is_good(obj, standing)
        for obj in referrers(said.cid)
    )


def iter_withheld(
    work: Cid,
    statements: Iterable[SignedObject],
    standing: Callable[[SignedObject], Standing] | None,
) -> Iterator[Cid]:
    """Who asked not to be named for a work [CRD-5].

    Args:
        statements: valid objects that name the work by ref.
        standing: asked for each withdrawal; None leaves standing out.
    """
    for said in statements:
        is_wish = said.kind == "withdrawal" and said.body["scope"] == "name"
        if is_wish and said.body["target"]["object"] == str(work) and _is_good(said, standing):
            yield said.identity


def claim_of(
    work: SignedObject,
    who: Cid | None,
    places: Sequence[int | None],
    standing: Standing | None,
    said: Said,
) -> Claim:
    """Whose word it is that a person did these things [CRD-2].

    A credit whose place isn't known is denied or amended by any answer of the person that does so, and accepted by none.
    """
    if who is None:
        return Claim.CLAIMED
    if who == work.author:
        return Claim.SELF if standing in (None, Standing.GOOD) else Claim.CLAIMED
    answers = said.answers.get(who, {})
    words = {word for place in places if place is not None for word in answers.get(place, ())}
    if None in places:
        words |= {word for found in answers.values() for word in found} - {"accept"}
    return next((claim for word, claim in _CAREFUL_FIRST.items() if word in words), Claim.CLAIMED)
