"""The quick `dataclass` against the standard one: whatever hitp2p's classes do, they do alike."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from hitp2p.dataclass import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value."""

    x: int
    """Across."""
    y: int = 2
    tags: tuple[str, ...] = ()
    hidden: int = field(default=0, repr=False, compare=False)

    @property
    def total(self) -> int:
        return self.x + self.y


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StandardPoint:
    """The same, made by the standard decorator."""

    x: int
    """Across."""
    y: int = 2
    tags: tuple[str, ...] = ()
    hidden: int = dataclasses.field(default=0, repr=False, compare=False)

    @property
    def total(self) -> int:
        return self.x + self.y


@dataclass(slots=True)
class Basket:
    """Something that changes."""

    name: str
    things: list[int] = field(default_factory=list[int])


@dataclass(frozen=True, slots=True)
class Checked:
    """Looks at its fields once they are set."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("fewer than none")


SAME: list[Callable[[Any], object]] = [
    lambda make: make(x=1).total,
    lambda make: make(x=1, y=5, tags=("a",), hidden=7).hidden,
    lambda make: repr(make(x=1, tags=("a",), hidden=3)).replace("StandardPoint", "Point"),
    lambda make: make(x=1) == make(x=1, hidden=9),
    lambda make: make(x=1) == make(x=2),
    lambda make: make(x=1) == (1, 2, ()),
    lambda make: hash(make(x=1)) == hash(make(x=1, hidden=9)),
    lambda make: len({make(x=1), make(x=1), make(x=3)}),
    lambda make: inspect.signature(make),
    lambda make: make.__match_args__,
    lambda make: make.__slots__,
    lambda make: hasattr(make(x=1), "__dict__"),
    lambda make: dataclasses.asdict(make(x=1)),
    lambda make: [(one.name, one.type, one.default) for one in dataclasses.fields(make)],
    lambda make: dataclasses.replace(make(x=1), y=9).total,
    lambda make: pickle.loads(pickle.dumps(make(x=1, hidden=4))).hidden,
    lambda make: copy.copy(make(x=1, y=7)) == make(x=1, y=7),
    lambda make: make.__dataclass_params__.frozen,
]
"""What is asked of both."""


@pytest.mark.parametrize("ask", SAME)
def test_the_quick_class_answers_as_the_standard_one(ask: Callable[[Any], object]) -> None:
    assert ask(Point) == ask(StandardPoint)


WRONG: list[Callable[[Any], object]] = [
    lambda make: make(),
    lambda make: make(1),
    lambda make: make(x=1, z=1),
    lambda make: setattr(make(x=1), "x", 2),
    lambda make: delattr(make(x=1), "x"),
    lambda make: hash(make(x=[])),
]
"""What both refuse."""


@pytest.mark.parametrize("wrong", WRONG)
def test_the_quick_class_refuses_what_the_standard_one_refuses(
    wrong: Callable[[Any], object],
) -> None:
    with pytest.raises((TypeError, AttributeError)) as quick:
        wrong(Point)
    with pytest.raises((TypeError, AttributeError)) as standard:
        wrong(StandardPoint)
    assert quick.type is standard.type


def test_a_changing_class_makes_its_own_defaults_and_has_no_hash() -> None:
    one, other = Basket("a"), Basket("a")
    one.things.append(1)
    assert (one.things, other.things) == ([1], [])
    assert one != other
    assert Basket.__hash__ is None
    assert one.__match_args__ == ("name", "things")


def test_replace_changes_what_it_is_told() -> None:
    assert replace(Point(x=1, hidden=5), y=3) == Point(x=1, y=3)
    assert replace(Point(x=1, hidden=5), y=3).hidden == 5


def test_a_frozen_class_takes_no_other_attribute() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="replace"):
        Point(x=1).other = 2  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_class_may_look_at_its_fields() -> None:
    assert Checked(1).count == 1
    with pytest.raises(ValueError, match="fewer"):
        Checked(-1)


def test_a_class_without_slots_is_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        dataclass(slots=False)
