"""The README's picture is a run's own lines."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as some

from byollm_examples.picture import chosen, main, spans, svg
from byollm_examples.table import plain

KEPT = Path(__file__).parents[1] / "demo.svg"
HEADINGS = ("1  One request, three bodies", "4  Three tasks, three providers", "5  One line moves a task", "Done")


def words(path: Path) -> list[str]:
    """Every piece of text in a picture, in order."""
    return [element.text or "" for element in ElementTree.parse(path).iter() if element.tag.endswith("}text")]


def shape(path: Path) -> set[str]:
    """What does not change from run to run: the text before the rows, without numbers."""
    text = "\n".join(words(path)).split("rule_extraction")[0]
    return set(re.sub(r"\d+", "0", text).splitlines())


def test_it_is_made_from_a_run(in_folder: Path) -> None:
    """It has the headings, rows of all three providers, and a row that another provider answered."""
    main(["picture.svg"])
    text = "\n".join(words(in_folder / "picture.svg"))

    assert all(heading.split("  ")[-1] in text for heading in HEADINGS)
    assert all(f"\n{provider}\n" in text for provider in ("custom", "anthropic", "openai"))
    assert "↪" in text


def test_the_one_that_is_kept_is_of_this_demo(in_folder: Path) -> None:
    """The picture in the tree says what a run of today says: else make it anew."""
    main(["picture.svg"])

    assert shape(KEPT) == shape(in_folder / "picture.svg")


def test_it_fetches_nothing() -> None:
    """No script, no style sheet, no picture, no address but the name of the format."""
    text = KEPT.read_text("utf-8")

    assert ["http://www.w3.org/2000/svg"] == re.findall(r"https?://[^\s\"<]+", re.sub(r">[^<]*<", "><", text))
    assert [] == re.findall(r"<script|<style|<image|href=|url\(", text)


@given(some.lists(some.text(max_size=30).map(plain), max_size=5))
def test_any_line_can_be_set(lines: list[str]) -> None:
    """Whatever the letters are, it is XML, and no letter is lost."""
    root = ElementTree.fromstring(svg([f"\x1b[1;31m{line}\x1b[0m" for line in lines]))
    found = "".join("".join(element.itertext()) for element in root).split()

    assert "".join("".join(lines).split()).replace("─", "") == "".join(found).replace("─", "")


def test_colours_are_taken_apart() -> None:
    """Pieces and what they are painted in."""
    assert [("a", ""), ("b", "1;31"), ("c", "")] == list(spans("a\x1b[1;31mb\x1b[0mc"))


def test_what_is_left_out_leaves_a_mark() -> None:
    """A scene that is not shown leaves its title; rows that are not shown leave dots."""
    rows = [f"   name  openai  answer  1 + 2  {number}" for number in range(5)]
    kept = list(chosen(["2  Hidden ───", "inside", "4  Shown ───", *rows, "after"]))

    assert "inside" not in kept
    assert 1 == sum("Hidden" in line for line in kept)
    assert rows[:2] == [line for line in kept if "answer" in line]
    assert kept[-1] == "after"
