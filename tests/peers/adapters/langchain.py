"""LangChain, by `ChatOpenAI.invoke` and `.stream`; the pieces are added up, as its guide does it."""

from __future__ import annotations

from typing import Any

from langchain_openai import ChatOpenAI  # type: ignore[import-not-found]  # lives in an environment of its own

from tests.peers.adapters.common import MODEL, PROMPT, TOOLS, Ask, Seen

USAGE_ASKED = {"stream_usage": True}


def complete(ask: Ask, seen: Seen) -> None:
    """One whole answer."""
    _read(seen, _model(ask).invoke(PROMPT))


def stream(ask: Ask, seen: Seen) -> None:
    """One streamed answer."""
    whole: Any = None
    for chunk in _model(ask).stream(PROMPT):
        seen.text += chunk.text if isinstance(chunk.text, str) else chunk.text()
        whole = chunk if whole is None else whole + chunk
    seen.text = ""
    _read(seen, whole)


def _model(ask: Ask) -> Any:
    model = ChatOpenAI(model=MODEL, base_url=ask.base, api_key=ask.key, **ask.parameters)
    return model.bind_tools(TOOLS) if ask.tools else model


def _read(seen: Seen, message: Any) -> None:
    seen.text = message.text if isinstance(message.text, str) else message.text()
    for call in message.tool_calls:
        seen.call(call["name"], call["args"])
    seen.finish = message.response_metadata.get("finish_reason")
    if message.usage_metadata is not None:
        seen.usage = (message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"])
