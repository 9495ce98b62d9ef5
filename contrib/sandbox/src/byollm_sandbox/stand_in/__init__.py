"""A model made of rules."""

from __future__ import annotations

from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Prompt


def answer(prompt: Prompt) -> Answer:
    """An answer by rules."""
    return Answer(parts=f"I am a rule-based stand-in. You wrote {len(prompt.text)} characters.")  # type: ignore[arg-type]  # a string stands for Text
