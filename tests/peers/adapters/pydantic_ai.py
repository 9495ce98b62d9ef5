"""pydantic-ai, by `pydantic_ai.direct`: one request, without an agent around it."""

from __future__ import annotations

from typing import Any

from pydantic_ai import direct  # type: ignore[import-not-found]  # lives in an environment of its own
from pydantic_ai.messages import ModelRequest  # type: ignore[import-not-found]  # the same
from pydantic_ai.models import ModelRequestParameters  # type: ignore[import-not-found]  # the same
from pydantic_ai.models.openai import OpenAIChatModel  # type: ignore[import-not-found]  # the same
from pydantic_ai.providers.openai import OpenAIProvider  # type: ignore[import-not-found]  # the same
from pydantic_ai.tools import ToolDefinition  # type: ignore[import-not-found]  # the same

from tests.peers.adapters.common import MODEL, PROMPT, TOOLS, Ask, Seen


def complete(ask: Ask, seen: Seen) -> None:
    """One whole answer."""
    _read(seen, direct.model_request_sync(**_asked(ask)))


def stream(ask: Ask, seen: Seen) -> None:
    """One streamed answer."""
    with direct.model_request_stream_sync(**_asked(ask)) as answer:
        for _ in answer:
            seen.text = answer.response.text or ""
        _read(seen, answer.response)


def _asked(ask: Ask) -> dict[str, Any]:
    functions = [tool["function"] for tool in TOOLS] if ask.tools else []
    tools = [
        ToolDefinition(
            name=function["name"],
            description=function["description"],
            parameters_json_schema=function["parameters"],
        )
        for function in functions
    ]
    return {
        "model": OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=ask.base, api_key=ask.key)),
        "messages": [ModelRequest.user_text_prompt(PROMPT)],
        "model_settings": ask.parameters or None,
        "model_request_parameters": ModelRequestParameters(function_tools=tools),
    }


def _read(seen: Seen, response: Any) -> None:
    seen.text = response.text or ""
    for call in response.tool_calls:
        seen.call(call.tool_name, call.args)
    seen.finish = response.finish_reason
    seen.raw_finish = (response.provider_details or {}).get("finish_reason")
    # Its usage counts from zero, so nothing told and nothing used look the same.
    if response.usage.input_tokens or response.usage.output_tokens:
        seen.usage = (response.usage.input_tokens, response.usage.output_tokens)
