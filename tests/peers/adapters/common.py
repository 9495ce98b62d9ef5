"""What is asked, what was seen, and how OpenAI-shaped answers are read. Runs in every library's environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

MODEL = "a-model"
PROMPT = "hi"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name, "description": f"{name} of a city", "parameters": PARAMETERS}}
    for name in ("weather", "population")
]
"""The two tools, as OpenAI's dialect has them; an adapter turns them into its library's own."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One call: where, with which key, with the two tools or not, and further parameters as they are."""

    base: str
    key: str
    tools: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Seen:
    """What the library told, filled as it comes, so that an error does not lose what came before.

    `finish` is what the library says in its own vocabulary, `raw_finish` the provider's word where the library keeps it
    elsewhere; `finish_exposed` is False where a library has no word for it at all. `usage` is (input, output).
    `deltas` are pieces of tool calls that a library hands on without joining them; `calls` are then joined by `index`,
    as OpenAI's own guide does it.
    """

    text: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    deltas: list[dict[str, Any]] = field(default_factory=list)
    finish: str | None = None
    raw_finish: str | None = None
    finish_exposed: bool = True
    usage: tuple[int | None, int | None] | None = None

    def call(self, name: Any, arguments: Any) -> None:
        """One tool call as the library gives it: arguments as text or as a mapping."""
        self.calls.append({"name": name, "arguments": arguments})

    def facts(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


class Adapter(Protocol):
    """A module of this folder.

    One may have `USAGE_ASKED`, the parameters by which its library is asked for the usage of a stream; without it the
    library always asks.
    """

    def complete(self, ask: Ask, seen: Seen) -> None:
        """One whole answer."""

    def stream(self, ask: Ask, seen: Seen) -> None:
        """One streamed answer, read to its end."""


def messages() -> list[dict[str, Any]]:
    """The prompt as OpenAI's dialect has it."""
    return [{"role": "user", "content": PROMPT}]


def read_completion(seen: Seen, answer: Any) -> None:
    """A `ChatCompletion`, as litellm, any-llm and aisuite give it."""
    choice = answer.choices[0]
    seen.text += choice.message.content or ""
    for call in choice.message.tool_calls or ():
        seen.call(call.function.name, call.function.arguments)
    seen.finish = choice.finish_reason
    _usage(seen, answer)


def read_chunks(seen: Seen, chunks: Iterable[Any]) -> None:
    """`ChatCompletionChunk`s, as the same three give them."""
    joined: dict[Any, dict[str, Any]] = {}
    for chunk in chunks:
        _usage(seen, chunk)
        for choice in chunk.choices:
            seen.text += choice.delta.content or ""
            seen.finish = choice.finish_reason or seen.finish
            for delta in choice.delta.tool_calls or ():
                _join(seen, joined, delta)


def _join(seen: Seen, joined: dict[Any, dict[str, Any]], delta: Any) -> None:
    name, arguments = delta.function.name, delta.function.arguments
    seen.deltas.append({"index": delta.index, "id": delta.id, "name": name, "arguments": arguments})
    if delta.index not in joined:
        joined[delta.index] = {"name": "", "arguments": ""}
        seen.calls.append(joined[delta.index])
    joined[delta.index]["name"] += name or ""
    joined[delta.index]["arguments"] += arguments or ""


def _usage(seen: Seen, answer: Any) -> None:
    usage = getattr(answer, "usage", None)
    if usage is not None:
        seen.usage = (usage.prompt_tokens, usage.completion_tokens)
