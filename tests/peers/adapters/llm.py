"""llm, by the model class that its `extra-openai-models.yaml` makes for an endpoint of one's own."""

from __future__ import annotations

from typing import Any

import llm  # type: ignore[import-not-found]  # lives in an environment of its own
from llm.default_plugins.openai_models import Chat  # type: ignore[import-not-found]  # the same

from tests.peers.adapters.common import MODEL, PROMPT, TOOLS, Ask, Seen


def complete(ask: Ask, seen: Seen) -> None:
    """One whole answer."""
    _read(seen, _prompt(ask, stream=False))


def stream(ask: Ask, seen: Seen) -> None:
    """One streamed answer."""
    response = _prompt(ask, stream=True)
    for piece in response:
        seen.text += piece
    _read(seen, response)


def _prompt(ask: Ask, stream: bool) -> Any:
    model = Chat(MODEL, api_base=ask.base, key=ask.key, supports_tools=True)
    functions = [tool["function"] for tool in TOOLS] if ask.tools else []
    tools = [
        llm.Tool(name=function["name"], description=function["description"], input_schema=function["parameters"])
        for function in functions
    ]
    return model.prompt(PROMPT, stream=stream, tools=tools or None, **ask.parameters)


def _read(seen: Seen, response: Any) -> None:
    seen.text = response.text()
    for call in response.tool_calls():
        seen.call(call.name, call.arguments)
    usage = response.usage()
    if usage.input is not None:
        seen.usage = (usage.input, usage.output)
    # It has no word for it; what the provider sent can be dug out of the raw JSON.
    seen.finish_exposed = False
    raw = response.response_json or {}
    seen.raw_finish = raw["choices"][0]["finish_reason"] if "choices" in raw else raw.get("finish_reason")
