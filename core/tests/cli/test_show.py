"""Tables, colours, JSON and error screens."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm import errors
from byollm.cli import show
from byollm.cli.faults import document_of, lines_of, mend_of
from byollm.types.capabilities import Support
from byollm.types.completion import Attempt
from byollm.wire.redact import Secret


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_columns_are_aligned():
    """Cells of a column begin at the same place."""
    assert show.table([("a", 1, "x"), ("long", 22, "y")], ("name", "n", "z")) == [
        "name  n   z",
        "a     1   x",
        "long  22  y",
    ]


def test_an_empty_column_is_left_out():
    """A column without a value in any row is not shown, its heading neither."""
    assert show.table([("a", None, "x"), ("b", "", "y")], ("name", "note", "z")) == ["name  z", "a     x", "b     y"]


def test_no_rows_are_no_table():
    """Without rows there is no heading either."""
    assert show.table([], ("name",)) == []


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=6))
def test_any_text_makes_lines(rows):
    """Whatever the cells hold, every row is one printable line of text, unless a cell brings its own."""
    for line in show.table(rows):
        assert show.clean(line) == line


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch):
    """NO_COLOR, a dumb terminal and a pipe get plain text."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured = show.paint("ok", "ok", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    plain = show.paint("ok", "ok", Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")

    assert coloured == "\x1b[32mok\x1b[0m"
    assert (plain, show.paint("ok", "ok", Terminal()), show.paint("ok", "ok", io.StringIO())) == ("ok", "ok", "ok")


@dataclass
class Thing:
    name: str
    hidden: str = field(repr=False)


@pytest.mark.parametrize(
    "value, data",
    [
        (Support.full, "full"),
        (Decimal("0.10"), "0.10"),
        ((1, {"a": None}), [1, {"a": None}]),
        (Thing("a", "b"), {"name": "a"}),
        (Secret("sk-0123456789"), "Secret('…')"),
    ],
)
def test_values_as_json(value, data):
    """Values of byollm as JSON data; what hides itself stays hidden."""
    assert show.plain(value) == data


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ByollmError)]
)
def test_every_error_ends_with_its_mend(kind):
    """An error of any class has a last line that helps, and it is no repetition of the first."""
    error = kind("it went wrong")

    lines = lines_of(error)

    assert lines[0].endswith("it went wrong")
    assert lines[-1].strip() == mend_of(error) != ""


def test_a_screen_is_a_screen():
    """A provider's endless text is cut; the mend is still the last line."""
    lines = lines_of(errors.ServerError("\n".join(["more"] * 1000), status=500))

    assert len(lines) < 20
    assert lines[-1] == f"  {errors.ServerError.default_hint}"


def test_a_long_line_is_cut():
    """One endless line does not fill the screen either."""
    assert sum(map(len, lines_of(errors.ServerError("x" * 100_000)))) < 3000


def test_the_attempts_are_told():
    """When several deployments failed, each is told, and no more than a few of many."""
    tried = [Attempt(f"d{number}", "custom", "m", error=errors.ServerError("down")) for number in range(20)]

    lines = lines_of(errors.ServerError("down", attempts=tried))

    assert lines[1].startswith("  tried d0 (custom/m)")
    assert "  and 14 more" in lines


def test_the_skipped_are_told():
    """When no candidate could be tried, the reason of each is told."""
    error = errors.NoRouteError("no candidate could be tried", skipped={"a": "its region is us, not eu"})

    assert 1 == sum("a: its region is us, not eu" in line for line in lines_of(error))
    assert document_of(error)["error"]["skipped"] == {"a": "its region is us, not eu"}


def test_an_error_as_data():
    """The JSON of an error: class, message, mend, and the facts that it knows."""
    error = errors.RateLimitError("slow down", status=429, retry_after=7, provider="custom", model="m", deployment="d")

    found = document_of(error)["error"]

    assert (found["type"], found["status"], found["retry_after"], found["deployment"]) == (
        "RateLimitError",
        429,
        7,
        "d",
    )
    assert found["mend"] != ""
