"""A request as the body of `POST /v2/chat`. Facts: cohere 7.3.1's types and recorded requests, read 2026-11-21."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Adjustment, ProviderTool, Request, Tool, UnsupportedFeatureError
from byollm_cohere.messages import wire_messages

BUDGETS: Final[Mapping[str, int]] = {"minimal": 512, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 31_000}
"""Neutral effort → tokens it may think; the vendor advises 31,000 for the most."""
LEAST_P, MOST_P = 0.01, 0.99
_NAMES: Final = (("max_tokens", "max_tokens"), ("temperature", "temperature"), ("top_k", "k"), ("seed", "seed"))
_PENALTIES: Final = ("frequency_penalty", "presence_penalty")


def chat_body(request: Request, model: str, provider: str) -> tuple[dict[str, Any], tuple[Adjustment, ...]]:
    """The body, and what had to be changed on the way. `extra[provider]` is put over it at the end, verbatim.

    Raises UnsupportedFeatureError for what the wire cannot say.
    """
    notes: list[Adjustment] = []
    body: dict[str, Any] = {"model": model, "messages": wire_messages(request.conversation, provider, notes)}
    _tools(request, body, notes)
    _schema(request, body)
    for name, word in _NAMES:
        value = getattr(request, name)
        if value is not None:
            body[word] = value
    _sampling(request, body, notes)
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.reasoning_effort is not None:
        body["thinking"] = thinking(request.reasoning_effort)
    if request.stream:
        body["stream"] = True
    body.update((request.extra or {}).get(provider) or {})
    return body, tuple(notes)


def thinking(effort: str) -> dict[str, Any]:
    """`thinking`: off, or a budget."""
    if effort == "none":
        return {"type": "disabled"}
    return {"type": "enabled", "token_budget": BUDGETS.get(effort, BUDGETS["xhigh"])}


def _tools(request: Request, body: dict[str, Any], notes: list[Adjustment]) -> None:
    """A named tool is offered alone, and one must be called: the wire has no other word for it."""
    offered = list(request.tools or ())
    choice = request.tool_choice
    if choice is not None and choice.name is not None:
        offered = [tool for tool in offered if isinstance(tool, Tool) and tool.name == choice.name]
    if not offered:
        return
    body["tools"] = [_tool(tool) for tool in offered]
    strict = [bool(isinstance(tool, Tool) and tool.strict) for tool in offered]
    if any(strict):
        body["strict_tools"] = True
        if not all(strict):
            reason = "here all tools are held to their schemas, or none"
            notes.append(Adjustment("tools", "mapped", "some strict", "all strict", reason))
    if choice is not None and choice.mode != "auto":
        body["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"


def _tool(tool: Tool | ProviderTool) -> dict[str, Any]:
    if not isinstance(tool, Tool):
        raise UnsupportedFeatureError("Cohere's chat runs no tools of its own", field="tools")
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": {**function, "parameters": tool.parameters}}


def _schema(request: Request, body: dict[str, Any]) -> None:
    if request.output_schema is None:
        return
    if "tools" in body:
        raise UnsupportedFeatureError(
            "Cohere takes a schema or tools, not both; nothing was sent",
            field="output_schema",
            hint="leave one of them out of this request",
        )
    body["response_format"] = {"type": "json_object", "json_schema": request.json_schema}


def _sampling(request: Request, body: dict[str, Any], notes: list[Adjustment]) -> None:
    if request.top_p is not None:
        body["p"] = _between("top_p", request.top_p, LEAST_P, MOST_P, notes)
    for name in _PENALTIES:
        value = getattr(request, name)
        if value is not None:
            body[name] = _between(name, value, 0, 1, notes)


def _between(name: str, value: float, least: float, most: float, notes: list[Adjustment]) -> float:
    kept = min(max(value, least), most)
    if kept != value:
        notes.append(Adjustment(name, "clamped", value, kept, f"the provider takes {least} to {most}"))
    return kept
