"""Columns hold whatever is put into them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from byollm_examples.table import columns_of, cut, padded, plain, table, wrapped

TEXTS = some.text(max_size=60)


@given(TEXTS, some.integers(1, 40))
def test_a_cut_text_fits(text: str, most: int) -> None:
    """At most so many columns; a text that fits stays as it is."""
    assert columns_of(cut(plain(text), most)) <= most
    assert plain(text) == cut(plain(text), columns_of(plain(text)))


@given(TEXTS, some.integers(1, 40), some.sampled_from(["left", "right"]))
def test_a_padded_text_fills_its_columns(text: str, size: int, align: str) -> None:
    """Exactly so many columns, wide letters and combining marks included."""
    assert size == columns_of(padded(plain(text), size, "left" if align == "left" else "right"))


@given(TEXTS)
def test_plain_is_one_printable_line(text: str) -> None:
    """No control character is left, and doing it twice changes nothing."""
    assert plain(text) == plain(plain(text))
    assert all(letter.isprintable() or letter == " " or not letter.isascii() for letter in plain(text))


@given(some.lists(some.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5), some.integers(40, 120))
def test_a_table_stays_within_its_width(rows: list[tuple[str, str, str]], width: int) -> None:
    """No line of it is wider."""
    lines = table(("one", "two", "three"), rows, width, flexible=2, most=(8, 8))

    assert len(rows) + 1 == len(lines)
    assert all(columns_of(line) <= width for line in lines)


@given(TEXTS, some.integers(20, 80))
def test_wrapped_words_fit_and_are_all_there(text: str, width: int) -> None:
    """Each line fits; unless a word is longer than a line, no word is lost."""
    lines = wrapped(plain(text), width, "  ")

    assert all(columns_of(line) <= width for line in lines)
    if all(columns_of(word) <= width - 2 for word in plain(text).split()):
        assert plain(text).split() == " ".join(lines).split()
