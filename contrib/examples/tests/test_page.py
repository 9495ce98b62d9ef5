"""The page is the same run, and needs nothing from anywhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from byollm_examples.page import laid_out, page
from byollm_examples.record import Run

SCALARS = some.none() | some.booleans() | some.integers() | some.text()
EMPTY = {"meta", "br", "hr"}


class Read(HTMLParser):
    """The page's table cells by label, its attributes, and whether its tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: dict[str, list[str]] = {}
        self.label: str | None = None
        self.balanced = True
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += attributes
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "td":
            self.label = dict(attributes).get("data-label")
            self.cells.setdefault(str(self.label), []).append("")

    def handle_endtag(self, tag: str) -> None:
        self.balanced = self.balanced and self.open.pop() == tag
        if tag == "td":
            self.label = None

    def handle_data(self, data: str) -> None:
        if self.label is not None:
            self.cells[self.label][-1] += data


def test_nothing_is_fetched(told: Any) -> None:
    """No script, no link, no address in an attribute, no url() and no @import in the style."""
    text = told[1]
    names = {name for name, _ in Read(text).attributes}

    assert set() == names & {"src", "href", "srcset", "action", "background", "poster", "data"}
    assert [] == re.findall(r"<script|<link|<iframe|<img|@import|url\(", text, re.IGNORECASE)


def test_it_is_a_whole_document_for_light_dark_and_phone(told: Any) -> None:
    """Tags are balanced; both colour schemes and a narrow layout are there."""
    text = told[1]
    read = Read(text)

    assert read.balanced
    assert [] == read.open
    assert "prefers-color-scheme:dark" in text
    assert "max-width:46rem" in text
    assert 'name="viewport"' in text


def test_its_numbers_are_those_of_the_json(told: Any) -> None:
    """Tokens and milliseconds of every row, in the same order."""
    run, text = told
    cells = Read(text).cells

    assert [str(row["milliseconds"]) for row in run["rows"]] == cells["milliseconds"]
    assert [f"{row['input_tokens']} + {row['output_tokens']}" for row in run["rows"]] == cells["tokens"]
    assert [row["document"] for row in run["rows"]] == cells["document"][: len(run["rows"])]
    assert f"<b>{run['totals']['input_tokens']}</b>" in text


def test_what_others_wrote_is_text() -> None:
    """Markup in a name of a document or in an answer stays text."""
    run = Run("<script>alert(1)</script>", left_out=("<b>bold</b>.txt: empty",), problems=["<i>"])
    text = page(run)

    assert "<script" not in text
    assert "&lt;b&gt;bold&lt;/b&gt;.txt" in text
    assert "! &lt;i&gt;" in text


@given(some.recursive(SCALARS, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=20))
def test_json_on_the_page_is_json(value: Any) -> None:
    """However it is laid out, it reads back as the same value."""
    assert value == json.loads(laid_out(value))
