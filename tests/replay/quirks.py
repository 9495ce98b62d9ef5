"""Where a vendor's own words are not the whole truth: corrections that its own numbers prove, and honest doubt.

Each rule names the arithmetic or the recording that it rests on. `also` values are listed by the lane, never hidden.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tests.replay.corpus import Exchange
from tests.replay.framing import frames
from tests.replay.values import Expected

THOUGHTS = re.compile(r"\s*(?:<think>)?.*?</think>\s*", re.DOTALL)


def settle(exchange: Exchange, answer: Expected) -> Expected:
    """The expectation with the vendor's own arithmetic applied and what stays open named."""
    if exchange.dialect == "openai-chat":
        answer = _settle_chat_usage(exchange, answer)
        answer = _settle_chat_words(answer)
    if exchange.dialect == "bedrock-invoke":
        answer = settle_headers(exchange, answer)
    if exchange.dialect == "openai-responses" and answer.raw_finish_reason == "incomplete":
        answer = answer.with_also("finish_reason", "length", why="incomplete, and the reason is left out")
    return answer


def settle_headers(exchange: Exchange, answer: Expected) -> Expected:
    """InvokeModel tells counts in headers, where the model's own body has none."""
    told = {name.lower(): value for name, value in exchange.headers.items()}
    usage = answer.usage
    for field in ("input_tokens", "output_tokens"):
        stated = told.get(f"x-amzn-bedrock-{field.partition('_')[0]}-token-count")
        if stated is not None and getattr(usage, field) is None:
            usage = replace(usage, **{field: int(stated)})
    return replace(answer, usage=usage)


def _settle_chat_usage(exchange: Exchange, answer: Expected) -> Expected:
    usage = answer.usage
    given, made, thought = usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
    if given is None or made is None:
        return answer
    if usage.cached_tokens is not None and usage.cached_tokens > given:
        # Grok on Azure hides a prompt of its own from prompt_tokens and counts it in cached_tokens.
        answer = answer.with_also("cached_tokens", given, why="told more cached tokens than prompt tokens")
    if exchange.provider == "vercel-gateway" and thought:
        return _output(answer, made + thought, "the cost the gateway reports is that of completion plus reasoning")
    if thought and thought > made and exchange.provider != "xai":
        answer = answer.with_also("output_tokens", thought, why="told more reasoning tokens than completion tokens")
    return _settle_total(exchange, answer, given, made)


def _settle_total(exchange: Exchange, answer: Expected, given: int, made: int) -> Expected:
    told = _last_usage(exchange)
    gap = (told.get("total_tokens") or 0) - given - made
    if gap <= 0:
        return answer
    if gap == answer.usage.reasoning_tokens:
        return replace(answer, usage=replace(answer.usage, output_tokens=made + gap))
    if gap == (told.get("prompt_tokens_details") or {}).get("audio_tokens"):
        why = "total_tokens counts the prompt's audio tokens, prompt_tokens does not"
        return replace(answer, usage=replace(answer.usage, input_tokens=given + gap)).with_also(
            "input_tokens", given, why=why
        )
    return _output(answer, made + gap, "total_tokens counts thoughts that completion_tokens leaves out")


def _output(answer: Expected, output: int, why: str) -> Expected:
    told = answer.usage.output_tokens
    return replace(answer, usage=replace(answer.usage, output_tokens=output)).with_also("output_tokens", told, why=why)


def _last_usage(exchange: Exchange) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for frame in frames(exchange.body):
        told.update(frame.value.get("usage") or {})
    return told


def _settle_chat_words(answer: Expected) -> Expected:
    if answer.refusal and answer.finish_reason == "content_filter":
        answer = answer.with_also("finish_reason", "refusal", why="both a refusal and the word content_filter")
    if "</think>" in answer.text:
        rest = THOUGHTS.sub("", answer.text, count=1)
        return answer.with_also("text", rest, rest.rstrip(), why="thoughts in the text; a vendor flag may part them")
    return answer
