"""What a reader insists on: `match=essence`, `credits=confirmed` and so on, and which of it a report doesn't meet [VER-6]."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import UsageError
from hitp2p.trail.report import GapCode, Report, Shares, Tier
from hitp2p.trail.standing import Standing

__all__ = ["REQUIREMENTS", "Requirement", "parse_requirements", "unmet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement; made by `parse_requirements`."""

    axis: str
    value: str
    number: int = 1
    """How many; only `time=witness:N` has it."""

    def __str__(self) -> str:
        return f"{self.axis}={self.value}" + (f":{self.number}" if self.number > 1 else "")


def _matches(report: Report, *tiers: Tier) -> bool:
    match = report.match
    return match is not None and match.tier in tiers and not match.faults


def _answered(report: Report) -> bool:
    credits = report.credits
    if credits is None or credits.denied:
        return False
    return credits.n_answered == credits.n_can_answer


def _witnessed(report: Report, number: int) -> bool:
    return report.time is not None and len(report.time.witnesses) >= number


def _lacks(report: Report, *codes: GapCode) -> bool:
    return report.match is not None and all(gap.code not in codes for gap in report.gaps)


_ASKS: Final[dict[tuple[str, str], tuple[str, Callable[[Report, int], bool]]]] = {
    ("match", "exact"): ("the very bytes of a work", lambda r, _: _matches(r, Tier.EXACT)),
    ("match", "essence"): (
        "the bytes or the payload of a work",
        lambda r, _: _matches(r, Tier.EXACT, Tier.ESSENCE),
    ),
    ("record", "complete"): (
        "every source and list page is here",
        lambda r, _: _lacks(r, GapCode.MISSING),
    ),
    ("credits", "answered"): (
        "every credited identity has answered, and none denies",
        lambda r, _: _answered(r),
    ),
    ("credits", "confirmed"): (
        "every credited identity signed or accepted its credit",
        lambda r, _: _answered(r) and r.credits is not None and not r.credits.amended,
    ),
    ("time", "witness"): (
        "N independent witnesses; `time=witness:2` asks for two",
        lambda r, n: _witnessed(r, n),
    ),
    ("license", "ok"): (
        "an effective licence, every edge judged",
        lambda r, _: (
            _lacks(r, GapCode.LICENSE) and r.license is not None and r.license.effective is not None
        ),
    ),
    ("rivals", "none"): (
        "no other record of the same file here",
        lambda r, _: r.match is not None and not r.rivals,
    ),
    ("standing", "good"): (
        "the author stands behind the key",
        lambda r, _: r.standing is not None and r.standing.standing is Standing.GOOD,
    ),
    ("shares", "agreed"): (
        "everybody accepted the split",
        lambda r, _: r.shares is Shares.AGREED,
    ),
    ("gaps", "none"): ("no gaps at all", lambda r, _: r.match is not None and not r.gaps),
}
REQUIREMENTS: Final = {f"{axis}={value}": meaning for (axis, value), (meaning, _) in _ASKS.items()}
"""Everything that may be required, with what it means."""
_SPELLINGS: Final = {"licence": "license"}


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """The requirements in `match=essence,credits=confirmed`.

    Raises:
        UsageError: one isn't known; the message lists those that are.
    """
    return tuple(_parse(part.strip()) for part in text.split(",") if part.strip())


def _parse(part: str) -> Requirement:
    axis, _, value = part.partition("=")
    value, _, number = value.partition(":")
    axis = _SPELLINGS.get(axis, axis)
    is_counted = (axis, value) == ("time", "witness")
    n_ok = not number or (
        is_counted and number.isascii() and number.isdigit() and 0 < int(number) < 1000
    )
    if (axis, value) not in _ASKS or not n_ok:
        raise UsageError(f"{part!a} can't be required; known are {', '.join(REQUIREMENTS)}")
    return Requirement(axis=axis, value=value, number=int(number or 1))


def unmet(report: Report, requirements: Iterable[Requirement]) -> tuple[str, ...]:
    """Those that a report doesn't meet, as they are written."""
    return tuple(
        str(one) for one in requirements if not _ASKS[one.axis, one.value][1](report, one.number)
    )
