"""Frozen values with a quick `__init__` are what dataclasses makes, only sooner."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from byollm.types.frozen import quick


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    """Each kind of field there is."""

    first: int
    second: str = "two"
    third: list[int] = field(default_factory=list)
    fourth: Any = field(default=None, kw_only=True, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Plain:
    """The same, as dataclasses makes it."""

    first: int
    second: str = "two"
    third: list[int] = field(default_factory=list)
    fourth: Any = field(default=None, kw_only=True, repr=False, compare=False)


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "b"), {"fourth": 4}),
    ((), {"first": 1, "third": [3]}),
    ((), {}),
    ((1, "b", [], 4), {}),
    ((1,), {"fifth": 5}),
]


def outcome(kind: Any, words: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        made = kind(*words, **named)
    except TypeError:
        return TypeError
    return made.first, made.second, made.third, made.fourth


@pytest.mark.parametrize("words, named", CALLS)
def test_it_takes_what_the_slow_one_takes(words: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Positions, keywords, defaults and what is missing or too much are as they were."""
    assert outcome(Plain, words, named) == outcome(Quick, words, named)


def test_its_parameters_are_the_slow_ones() -> None:
    """Names, kinds and annotations of the parameters are as they were."""
    quicks, plains = (inspect.signature(kind).parameters.values() for kind in (Quick, Plain))

    assert [(it.name, it.kind, it.annotation) for it in plains] == [(it.name, it.kind, it.annotation) for it in quicks]


def test_it_is_a_value() -> None:
    """It compares, shows, copies, pickles and is replaced like any frozen dataclass."""
    made = Quick(1, third=[3])

    assert made == Quick(1, "two", [3]) != Quick(2)
    assert "Quick(first=1, second='two', third=[3])" == repr(made)
    assert made == copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == replace(Quick(2, third=[3]), first=1)


def test_it_stays_frozen() -> None:
    """Nobody assigns to it."""
    with pytest.raises(FrozenInstanceError):
        Quick(1).first = 2  # type: ignore[misc]  # the point


def test_each_has_its_own_default() -> None:
    """A default that is made is made anew for each."""
    assert Quick(1).third is not Quick(1).third


def test_post_init_is_called():
    """A class that checks its values checks them still."""

    @quick
    @dataclass(frozen=True, slots=True)
    class Checked:
        value: int

        def __post_init__(self) -> None:
            object.__setattr__(self, "value", self.value + 1)

    assert 2 == Checked(1).value
