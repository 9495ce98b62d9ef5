"""What the bounds of a count know of OpenAI's vocabularies is what those vocabularies say."""

from __future__ import annotations

from tools import vocabulary


def test_the_file_is_what_its_maker_makes() -> None:
    """`python -m tools.vocabulary` would write the same."""
    assert vocabulary.content() == vocabulary.PLACE.read_text("utf-8")


def test_its_words_and_signs_have_the_tokens_it_says() -> None:
    """A sample by hand: one token in both; one token in the first and one, two or three in the second."""
    told = dict(line.split(" ", 1) for line in vocabulary.PLACE.read_text("utf-8").splitlines() if line[0] != "#")
    current, older = vocabulary.ranks("o200k_base"), vocabulary.ranks("cl100k_base")

    assert all(b" " + word.encode() in current and b" " + word.encode() in older for word in told["words"].split())
    assert all(sign.encode() in current and sign.encode() in older for sign in told["11"])
    assert all(sign.encode() in current and sign.encode() not in older for sign in told["12"] + told["13"])
