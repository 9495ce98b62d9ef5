"""Effort, as each family wants it said: as a level, as a budget of tokens, or not at all."""

from __future__ import annotations

from typing import Any

from byollm.plugin import Request
from byollm_google.families import BUDGETS, Family
from byollm_google.host import Host
from byollm_google.notes import Notes


def thinking_config(request: Request, family: Family, host: Host, notes: Notes) -> dict[str, Any] | None:
    """`thinkingConfig`, or None when nothing is to be said. A level and a budget together are refused."""
    config: dict[str, Any] = {}
    effort = request.reasoning_effort
    if effort is not None and family.thinking == "budget":
        config["thinkingBudget"] = BUDGETS.get(effort, BUDGETS["high"])
    elif effort is not None and family.thinking == "level":
        config["thinkingLevel"] = _level(effort, notes)
    elif effort not in (None, "none"):
        notes.add("reasoning_effort", "dropped", "the model has no such setting", effort)
    if host.include_thoughts is not None and family.thinking != "none" and config.get("thinkingBudget") != 0:
        config["includeThoughts"] = host.include_thoughts
    return config or None


def _level(effort: str, notes: Notes) -> str:
    words = {"none": "minimal", "xhigh": "high", "max": "high"}
    if effort in words:
        notes.add("reasoning_effort", "mapped", "the model takes minimal, low, medium, high", effort, words[effort])
    return words.get(effort, effort).upper()
