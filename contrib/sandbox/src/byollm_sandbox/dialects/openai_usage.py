"""Neutral usage in OpenAI's two vocabularies: cached tokens are part of the input, reasoning is part of the output."""

from __future__ import annotations

from typing import Any

from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Call
from byollm_sandbox.tokens import count_messages, count_text, count_tools


def usage_of(answer: Answer, call: Call, messages: Any) -> Usage | None:
    """The scripted usage, or one counted by the twins' rule; None when it is not told."""
    if answer.usage is not None:
        return None if answer.usage == Usage() else answer.usage
    prompt = (
        count_messages(messages) + count_tools(call.body.get("tools")) + count_text(call.body.get("instructions") or "")
    )
    reasoning = count_text(answer.reasoning)
    calls = sum(count_text(item.name) + count_text(item.arguments) for item in answer.tool_calls)
    output = count_text(answer.text) + count_text(answer.refusal or "") + calls + reasoning
    return Usage(prompt, output, 0, 0, reasoning)


def chat_usage(usage: Usage) -> dict[str, Any]:
    """Chat Completions' words."""
    details = usage.details or {}
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    prompt_details = {"cached_tokens": usage.cached_tokens or 0, "audio_tokens": details.get("audio_input_tokens", 0)}
    if usage.cache_write_tokens:
        prompt_details["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens or 0,
            "audio_tokens": details.get("audio_output_tokens", 0),
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def responses_usage(usage: Usage) -> dict[str, Any]:
    """Responses' words."""
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cache_write_tokens": usage.cache_write_tokens or 0,
            "cached_tokens": usage.cached_tokens or 0,
        },
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": prompt + completion,
    }
