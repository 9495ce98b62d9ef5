"""One thing looked at, what came of it, and the line that mends it: what `doctor` and `check --live` print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from byollm.cli import show
from byollm.cli.faults import mend_of, sentence_of
from byollm.errors import ByollmError

State = Literal["ok", "warn", "fail", "skip"]


class Check(NamedTuple):
    """`state`: ok, warn (works, but look at it), fail, skip (not looked at, because something before failed)."""

    name: str
    state: State
    detail: str = ""
    mend: str = ""


def failed(name: str, error: ByollmError) -> Check:
    """The failed check that an error makes."""
    return Check(name, "fail", " ".join(sentence_of(error).split()), mend_of(error))


def print_checks(checks: Iterable[Check], indent: str = "  ") -> None:
    """A line each, its mend below it."""
    listed = list(checks)
    width = max((len(check.name) for check in listed), default=0)
    for check in listed:
        show.say(f"{check.state:<4}  {indent}{check.name:<{width}}  {check.detail}".rstrip(), check.state)
        if check.mend and check.state != "ok":
            show.say(f"{'':<4}  {indent}{'':<{width}}  {check.mend}")


def as_data(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as JSON data."""
    return [check._asdict() for check in checks]
