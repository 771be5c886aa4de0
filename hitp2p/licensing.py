"""What stops a work before it is signed: a source whose licence forbids it [spec 07]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hitp2p.codec.cid import Cid
from hitp2p.errors import LicenseError
from hitp2p.objects.contribution import Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.trail.display import safe_line
from hitp2p.trail.license_terms import Judgement, Permission, fitting_licenses
from hitp2p.trail.licenses import judge_source
from hitp2p.trail.standing import Standing

__all__ = ["LicenseCheck"]


class LicenseCheck:
    """Judges the direct sources of a new work. What lies deeper was judged when those were signed, or shows in every report."""

    def __init__(
        self,
        *,
        author: Cid,
        lookup: Callable[[Cid], SignedObject | None],
        statements: Callable[[Cid], Iterable[SignedObject]],
        standing: Callable[[SignedObject], Standing],
    ) -> None:
        """For the works of one author.

        Args:
            lookup: valid objects that are here.
            statements: valid objects that name a work by ref.
            standing: the standing of a grant.
        """
        self._author = author
        self._lookup = lookup
        self._statements = statements
        self._standing = standing

    def verify(
        self, license: str | None, sources: Iterable[tuple[SignedObject | None, Use]]
    ) -> None:
        """Refuse a work whose sources don't allow its licence, or can't be judged.

        Args:
            license: of the new work; None for none.
            sources: each use with its work, or None for a source outside hitp2p.

        Raises:
            LicenseError: says which source, why, and what would be allowed.
        """
        pairs = list(sources)
        for work, use in pairs:
            judgement = self._judge(license, work, use)
            if judgement.permission in (Permission.FORBIDDEN, Permission.UNKNOWN):
                raise LicenseError(_refusal(work, use, judgement, self._fitting(pairs)))

    def _judge(self, license: str | None, work: SignedObject | None, use: Use) -> Judgement:
        judgement, _, _ = judge_source(
            work,
            self._license_of(work, use),
            author=self._author,
            license=license,
            relation=use.relation,
            grants=self._statements,
            standing=self._standing,
        )
        return judgement

    def _license_of(self, work: SignedObject | None, use: Use) -> str | None:
        if work is None:
            return None if use.source is None else use.source.license
        own: str | None = known_field(work, "license")
        project = None if own is not None or work.project is None else self._lookup(work.project)
        return own if project is None else project.body.get("license")

    def _fitting(self, pairs: Iterable[tuple[SignedObject | None, Use]]) -> tuple[str, ...]:
        return fitting_licenses(self._bound(pairs))

    def _bound(
        self, pairs: Iterable[tuple[SignedObject | None, Use]]
    ) -> Iterator[tuple[str | None, str]]:
        for work, use in pairs:
            if work is None or work.author != self._author:
                yield self._license_of(work, use), use.relation


def _refusal(
    work: SignedObject | None, use: Use, judgement: Judgement, fitting: tuple[str, ...]
) -> str:
    if work is not None:
        name = f'"{safe_line(known_field(work, "title") or work.kind)}"'
    else:
        source = use.source
        name = safe_line((source and (source.title or source.url)) or "a source outside")
    allowed = (
        f"allowed would be: {', '.join(fitting)}"
        if fitting
        else "no licence fits all sources: ask their authors for a grant"
    )
    return f"{use.relation} of {name}: {safe_line(judgement.reason)}; {allowed}"
