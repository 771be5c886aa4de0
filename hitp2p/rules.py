"""The registry of rules that are functions: `@rule("TRL-4")` files a check under the id that `spec/` gives it.

A module that owns rules keeps them in a `RuleSet` and runs them all; tests take one out to see that it bites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, ParamSpec

P = ParamSpec("P")

__all__ = ["RuleSet"]


class RuleSet(Generic[P]):
    """An ordered set of checks with one signature; each raises `InvalidError` or returns None.

    Calling the set runs the checks in the order of their definition, which is the order of cost.
    """

    __slots__ = ("_checks", "_order")

    def __init__(self) -> None:
        self._checks: dict[str, Callable[P, None]] = {}
        self._order: tuple[Callable[P, None], ...] = ()

    def rule(self, rule_id: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
        """Decorator: file a check under a rule id. An id may be filed once a set."""

        def file(check: Callable[P, None]) -> Callable[P, None]:
            if rule_id in self._checks:
                raise ValueError(f"rule {rule_id} is filed twice")
            self._checks[rule_id] = check
            self._order = tuple(self._checks.values())
            return check

        return file

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run all checks; the first that fails raises."""
        for check in self._order:
            check(*args, **kwargs)

    def __iter__(self) -> Iterator[str]:
        """The ids, in order."""
        return iter(self._checks)

    @property
    def functions(self) -> tuple[Callable[P, None], ...]:
        """The checks as they were filed, for who runs them without the set."""
        return tuple(self._checks.values())

    def without(self, rule_id: str) -> RuleSet[P]:
        """A copy that lacks one rule; for tests that show that the rule bites."""
        copy: RuleSet[P] = RuleSet()
        copy._checks = {k: v for k, v in self._checks.items() if k != rule_id}
        copy._order = tuple(copy._checks.values())
        return copy
