"""What the headers of an answer say about rate limits, in the forms that providers were recorded with.

`x-ratelimit-{limit,remaining,reset}-{requests,tokens}` (OpenAI, Azure, Groq, xAI), with `-minute` or `-day` behind it
(Cerebras, Hugging Face, Mistral, whose requests are `req`), without a kind (OpenRouter, Together: requests), and
Anthropic's `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`. Resets come as
durations (`6m0s`, `12ms`), seconds, epoch milliseconds and RFC 3339 instants. Read from recordings on 2026-11-21. Epoch
seconds, which many other APIs send, are understood too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from byollm.wire.classify import finite, until

Figures = tuple[float | None, float | None, float | None]
"""Limit a minute, what is left, and seconds until more comes; None where the headers do not tell."""

_OPENAI: Final = re.compile(
    r"x-ratelimit-(limit|remaining|reset)(?:-(requests|req|tokens|input-tokens|output-tokens))?(?:-(minute|day|hour))?"
)
_ANTHROPIC: Final = re.compile(
    r"anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)"
)
_KINDS: Final = {None: "requests", "req": "requests", "input-tokens": "input_tokens", "output-tokens": "output_tokens"}


def limits_in(headers: Mapping[str, str], now: float) -> dict[str, Figures]:
    """Figures by kind: `requests`, `tokens`, `input_tokens`, `output_tokens`. `now` is Unix time.

    Of an hour or a day only a limit that is used up is told: what is left of it says nothing about a minute.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for name, text in headers.items():
        if "ratelimit" not in name:
            continue
        match = _OPENAI.fullmatch(name)
        if match is not None:
            word, kind, window = match.groups()
        else:
            match = _ANTHROPIC.fullmatch(name)
            if match is None:
                continue
            kind, word, window = match[1], match[2], None
        value = until(text.strip(), now) if word == "reset" else finite(text)
        if value is not None:
            found.setdefault((_KINDS.get(kind, kind), window or "minute"), {})[word] = value
    told: dict[str, Figures] = {}
    for (kind, window), figures in found.items():
        left, reset = figures.get("remaining"), figures.get("reset")
        if window == "minute":
            told.setdefault(kind, (figures.get("limit"), left, reset))
        elif left is not None and left < 1 and reset is not None:
            told[kind] = (None, 0.0, reset)
    return told
