"""The program that the README quotes is a user's program."""

from __future__ import annotations

import ast
from pathlib import Path

import byollm
from byollm.testing import scripted
from byollm_examples import pipeline
from byollm_examples.record import row_of

SOURCE = Path(pipeline.__file__).read_text("utf-8")


def test_it_needs_byollm_and_pydantic_only() -> None:
    """Nothing of the demo, no plugin, no HTTP library is imported."""
    tree = ast.walk(ast.parse(SOURCE))
    names = {node.module for node in tree if isinstance(node, ast.ImportFrom)}

    assert names <= {"collections.abc", "typing", "pydantic"}


def test_it_names_no_provider() -> None:
    """Which model answers stands in the file."""
    assert [] == [word for word in ("openai", "anthropic", "custom", "claude", "gpt", "127.0.0.1") if word in SOURCE]


def test_answers_come_with_their_place() -> None:
    """As many answers as texts, each with the place of its text, read by the task's own shape."""
    client = scripted(*['{"category": "letter", "confidence": 0.5}'] * 3)
    texts = ["one", "two", "three"]
    found = dict(client.map(pipeline.requests("document_classification", texts)))

    assert [0, 1, 2] == sorted(found)
    assert {"letter"} == {reply.parsed.category for reply in found.values() if isinstance(reply, byollm.Completion)}


def test_an_answer_that_does_not_fit_is_a_row_with_an_error() -> None:
    """Tokens and attempts of the reply stay, the answer is the text as it came."""
    client = scripted("no JSON at all")
    request = next(pipeline.requests("pii_detection", ["text"]))
    row = row_of("text", "pii_detection", client.complete(request))

    assert "no JSON at all" == row.answer
    assert (row.error or "").startswith("OutputInvalidError")
