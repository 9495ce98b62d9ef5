"""A model made of rules, for those who have no key: it works from the text it is sent, and says what it is.

It knows three tasks (rule extraction, PII detection, document classification) by the words of the instruction, calls
tools, and follows JSON schemas by their property names. Its replies name their model `stand-in`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from byollm.types.parts import Part, Text, ToolCall
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Prompt, ToolOffer
from byollm_sandbox.stand_in.shape import Facts, fill
from byollm_sandbox.stand_in.tasks import NAME, facts_of, split, task_of
from byollm_sandbox.tokens import count_text

INTRODUCTION = "I am a rule-based stand-in, not a language model."
"""How every answer in plain words begins."""


def answer(prompt: Prompt) -> Answer:
    """The stand-in's answer to a prompt, cut at `stop` and `max_tokens` as a model's would be."""
    called = calls(prompt)
    if called:
        return Answer(parts=tuple(called), model=NAME)
    text, stopped = _stopped(reply(prompt), prompt.stop)
    limit = prompt.max_tokens
    if limit is not None and count_text(text) > limit:
        return Answer(parts=(Text(_first_tokens(text, limit)),), finish_reason="length", model=NAME)
    return Answer(parts=(Text(text),), stop_sequence=stopped, model=NAME)


def reply(prompt: Prompt) -> str:
    """The text of the answer."""
    instruction, document = split(prompt)
    task = task_of(prompt, instruction)
    facts = facts_of(task, instruction, document)
    if prompt.schema is not None:
        return _json(fill(prompt.schema, facts))
    if prompt.json or re.search(r"\bjson\b", instruction, re.IGNORECASE):
        return _json(structured(task, facts))
    if prompt.results:
        return f"{INTRODUCTION} The tools answered: {'; '.join(prompt.results)}"
    return plain(task, facts, document)


def structured(task: str | None, facts: Facts) -> dict[str, Any]:
    """The answer as an object of the stand-in's own making."""
    figures = {name: list(facts.lists[name]) for name in ("emails", "amounts", "dates")}
    if task == "rules":
        return {"rules": [dict(rule) for rule in facts.records["rules"]], **figures}
    if task == "pii":
        findings = [{"type": item["type"], "value": item["value"]} for item in facts.records["findings"]]
        return {"contains_pii": facts.single["has_pii"], "findings": findings}
    if task == "classification":
        return {
            "category": facts.single["category"],
            "confidence": facts.single["confidence"],
            "evidence": list(facts.lists["evidence"]),
        }
    return {"answer": facts.single["answer"], **figures}


def plain(task: str | None, facts: Facts, document: str) -> str:
    """The answer in words."""
    if task == "rules":
        lines = [f"- {rule['text']}" for rule in facts.records["rules"]]
        return "\n".join([f"{INTRODUCTION} Rules found: {len(lines)}.", *lines])
    if task == "pii":
        lines = [f"- {item['type']}: {item['value']}" for item in facts.records["findings"]]
        return "\n".join([f"{INTRODUCTION} Found: {len(lines)}.", *lines])
    if task == "classification":
        category, confidence, reason = (facts.single[name] for name in ("category", "confidence", "reason"))
        return f"{INTRODUCTION} Category: {category} ({confidence}). {reason}"
    words = len(document.split())
    figures = [value for name in ("emails", "amounts", "dates") for value in facts.lists[name]]
    noticed = f" In it I noticed {', '.join(figures)}." if figures else ""
    return (
        f"{INTRODUCTION} You wrote {words} word{'' if words == 1 else 's'}, "
        f"beginning with “{_opening(document)}”.{noticed} "
        "Ask me to extract rules, find personal data, or classify a document."
    )


def calls(prompt: Prompt) -> list[Part]:
    """The tools to call: the named one; one at least when a call is required; else those the text speaks of."""
    offers = {tool.name: tool for tool in prompt.tools}
    if not offers or prompt.choice == "none":
        return []
    if prompt.choice in offers:
        chosen = [offers[prompt.choice]]
    elif prompt.results and prompt.choice == "auto":
        return []
    else:
        chosen = [tool for tool in prompt.tools if _mentioned(tool, prompt.text)]
        if not chosen and prompt.choice == "required":
            chosen = [prompt.tools[0]]
    if not prompt.parallel:
        chosen = chosen[:1]
    instruction, document = split(prompt)
    facts = facts_of(task_of(prompt, instruction), instruction, document)
    return [
        ToolCall(f"call_{_digits(tool.name, place)}", tool.name, _json(fill({"type": "object", **tool.schema}, facts)))
        for place, tool in enumerate(chosen)
    ]


def _mentioned(tool: ToolOffer, text: str) -> bool:
    lowered = text.lower()
    if tool.name.lower() in lowered:
        return True
    words = re.split(r"[_\W]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool.name).lower())
    telling = [word for word in words if len(word) > 3 and word not in ("call", "tool", "find", "make", "with", "from")]
    return any(re.search(rf"\b{re.escape(word)}", lowered) for word in telling)


def _digits(name: str, place: int) -> str:
    # An id that fits every vendor's pattern and repeats itself in every run.
    return f"{sum(ord(letter) * (index + 7) for index, letter in enumerate(name)):08x}{place:04x}"


def _opening(text: str) -> str:
    words = text.split()
    return " ".join(words[:8]) + ("…" if len(words) > 8 else "")


def _stopped(text: str, stops: Any) -> tuple[str, str | None]:
    found = [(text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    place, stop = min(found)
    return text[:place], stop


def _first_tokens(text: str, limit: int) -> str:
    return text.encode("utf-8", "replace")[: limit * 4].decode("utf-8", "ignore")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


__all__ = ["INTRODUCTION", "NAME", "answer", "calls", "plain", "reply", "structured"]
