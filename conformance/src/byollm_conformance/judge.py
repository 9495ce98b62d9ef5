"""How checks judge: what an answer says, whether two say the same, whether a completion is one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.errors import ByollmError
from byollm.types.completion import Completion
from byollm.types.parts import Part, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_conformance.model import Broken

Outcome = Completion | ByollmError


def spoken(parts: Iterable[Part], ids: bool = True) -> list[tuple[Any, ...]]:
    """What parts say: neighbouring texts as one, calls with their arguments as data. What is the dialect's own is left
    out. Without `ids` a call bears its number in place of its id, which some dialects do not tell."""
    said: list[tuple[Any, ...]] = []
    numbers: dict[str, int] = {}
    for part in parts:
        if isinstance(part, ToolCall):
            number = numbers.setdefault(part.id, len(numbers))
            said.append(("call", part.id if ids else number, part.name, ordered(part.arguments)))
        elif isinstance(part, Text | Reasoning):
            kind = "text" if isinstance(part, Text) else "reasoning"
            before = said.pop()[1] if said and said[-1][0] == kind else ""
            if before or part.text:
                said.append((kind, before + part.text))
    return said


def ordered(arguments: str) -> Any:
    """JSON text as data that compares by value and by the order of members; text that is no JSON stays text."""
    try:
        return json.loads(arguments or "{}", object_pairs_hook=lambda pairs: ("object", tuple(pairs)))
    except (ValueError, RecursionError):
        return arguments


MOST: Final = 10**15
"""No answer has so many tokens."""
COUNTS: Final = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")


def counts(usage: Usage) -> dict[str, int | None]:
    """The five neutral counts."""
    return {name: getattr(usage, name) for name in COUNTS}


def told(completion: Completion) -> dict[str, Any]:
    """All that a caller reads in an answer, as data."""
    return {
        "parts": spoken(completion.parts),
        "finish_reason": completion.finish_reason,
        "raw_finish_reason": completion.raw_finish_reason,
        "usage": counts(completion.usage),
        "id": completion.id,
        "model": completion.model,
    }


def completed(outcome: Outcome, **evidence: Any) -> Completion:
    """The outcome as a completion. Raises Broken when it is an error."""
    if isinstance(outcome, Completion):
        return outcome
    words = f"a good answer became {type(outcome).__name__}: {outcome.message}"
    raise Broken(words, **evidence)


def failed(outcome: Outcome, why: str, **evidence: Any) -> ByollmError:
    """The outcome as an error. Raises Broken when it is a completion."""
    if isinstance(outcome, ByollmError):
        return outcome
    raise Broken(why, got=told(outcome), **evidence)


def alike(expected: Any, got: Any, words: str, **evidence: Any) -> None:
    """Raises Broken when the two differ; of mappings it names the members that do."""
    if expected == got:
        return
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        differing = [name for name in {**expected, **got} if expected.get(name) != got.get(name)]
        words = f"{words}: {', '.join(differing)}"
        expected, got = {name: expected.get(name) for name in differing}, {name: got.get(name) for name in differing}
    raise Broken(words, expected=expected, got=got, **evidence)


def well_formed(completion: Completion, **evidence: Any) -> None:
    """Raises Broken for a completion whose fields are not of their types: junk that was let through."""
    problem = ""
    for part in completion.parts:
        if isinstance(part, Text | Reasoning) and type(part.text) is not str:
            problem = "a text that is none"
        if isinstance(part, ToolCall) and not (
            type(part.id) is str and part.id and type(part.name) is str and part.name and type(part.arguments) is str
        ):
            problem = "a tool call without id, name or arguments"
    for name, value in counts(completion.usage).items():
        if value is not None and (type(value) is not int or not 0 <= value < MOST):
            problem = f"{name} is {value!r}"
    for name in ("id", "model", "raw_finish_reason", "request_id"):
        if type(getattr(completion, name)) not in (str, type(None)):
            problem = f"{name} is no text"
    if problem:
        raise Broken(f"junk was let through as an answer: {problem}", **evidence)
