"""Effort, as each family wants it said: adaptively, as a budget of tokens, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byollm.plugin import Message, Opaque, Reasoning, Request, ToolCall, ToolResult
from byollm_anthropic.families import BUDGETS, LEAST_BUDGET, Family
from byollm_anthropic.host import Host
from byollm_anthropic.notes import Notes


@dataclass(frozen=True, slots=True)
class Plan:
    """`thinking` and `effort` as they go into the body; `keep`: may thinking of earlier turns be sent along?"""

    thinking: dict[str, Any] | None
    effort: str | None
    keep: bool


def plan(request: Request, family: Family, host: Host, max_tokens: int, notes: Notes) -> Plan:
    """How this request thinks. What the caller put into `extra` under `thinking` is taken for the plan."""
    thinking, effort = _said(request, family, host, max_tokens, notes)
    if thinking is not None and host.thinking_display and thinking["type"] != "disabled":
        thinking["display"] = host.thinking_display
    extra = (request.extra or {}).get(host.provider, {}).get("thinking")
    effective = extra if isinstance(extra, dict) else thinking
    off = family.thinks is False if effective is None else effective.get("type") == "disabled"
    return Plan(thinking, effort, keep=not off)


def _said(
    request: Request, family: Family, host: Host, max_tokens: int, notes: Notes
) -> tuple[dict[str, Any] | None, str | None]:
    effort = request.reasoning_effort
    if effort is None:
        shows = host.thinking_display and family.thinks and family.thinking == "adaptive"
        return ({"type": "adaptive"} if shows else None), None
    if effort == "none" or family.thinking == "none":
        return ({"type": "disabled"} if family.off == "disabled" and effort == "none" else None), None
    if family.thinking == "adaptive":
        return {"type": "adaptive"}, "low" if effort == "minimal" else effort
    obstacle = _obstacle(request, host, max_tokens)
    if obstacle:
        notes.add("reasoning_effort", "dropped", obstacle, effort)
        return None, None
    budget = min(BUDGETS[effort], max(LEAST_BUDGET, max_tokens * 3 // 4))  # the budget counts inside max_tokens
    level = "low" if effort == "minimal" else effort
    return {"type": "enabled", "budget_tokens": budget}, level if level in family.levels else None


def _obstacle(request: Request, host: Host, max_tokens: int) -> str:
    if max_tokens <= LEAST_BUDGET:
        return f"the model thinks with at least {LEAST_BUDGET} tokens, and max_tokens leaves no room for them"
    choice = request.tool_choice
    if choice is not None and choice.mode == "required":
        return "the model cannot think and be made to call a tool in one request"
    if _loop_without_thinking(request, host):
        return "the turn that called the tools holds no thinking of this model, which must then stay off"
    return ""


def _loop_without_thinking(request: Request, host: Host) -> bool:
    """With manual thinking, a tool-calling turn that is being answered must begin with its thinking."""
    messages = request.messages
    if not messages or messages[-1].role == "assistant":
        return False
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        if message.role == "assistant":
            if not message.tool_calls:
                return False
            own = [part for part in message.parts if isinstance(part, Reasoning | Opaque | ToolCall)]
            first = own[0]
            state = first if isinstance(first, Opaque) else first.state
            return isinstance(first, ToolCall) or not host.owns(state)
        if not _answers(message) and not (at and _answers(messages[at - 1])):
            return False
    return False


def _answers(message: Message) -> bool:
    """It holds tool results. What the user says directly after them goes into the same turn."""
    return any(isinstance(part, ToolResult) for part in message.parts)
