"""The 13 scenarios as the twin plays them, and three plain calls that show that an adapter works at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import byollm
from byollm.errors import ContextLengthError, QuotaExhaustedError, RateLimitError
from byollm.types.parts import ToolCall
from byollm_sandbox import Answer, Twins

KEY = "sk-canary-Zq7Xv2Lm9Rt4Wb6Ny8Kd3Hs5"
"""No provider's key: a word that stands nowhere else, to be searched for."""

TEXT = "one two three four"
PIECES = ("one ", "two ", "three ", "four")
UNICODE = "naïve café, 東京 🚀 done"
CALLS = (("weather", {"city": "Oslo"}), ("population", {"city": "Rome"}))
USAGE = (11, 7)
WAIT = 1
"""Seconds that the 429 asks for. Every library here waits on the real clock, byollm too."""

RETRIES = 6


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row: what the twin does, how it is asked, and what the right answer is.

    `usage`: when no usage came, it is asked once more with the library's own option for it. `debug`: logging is at its
    most talkative, so that a log can be searched too.
    """

    number: int
    title: str
    right: str
    how: str
    prepare: Callable[[Twins], None]
    tools: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    usage: bool = False
    debug: bool = False


def _calls(twin: Twins, *calls: tuple[str, dict[str, str]]) -> None:
    twin.script(
        [ToolCall(f"call_{number}", name, f'{{"city": "{args["city"]}"}}') for number, (name, args) in enumerate(calls)]
    )


def _cut(twin: Twins) -> None:
    twin.script(Answer(pieces=PIECES))
    twin.fault("cut", after=2, unit="tokens", how="eof")


def _quota_in_band(twin: Twins) -> None:
    twin.script(Answer(pieces=PIECES))
    twin.fault("error", after=2, unit="tokens", error=QuotaExhaustedError("You exceeded your current quota"))


def _without_index(twin: Twins) -> None:
    _calls(twin, *CALLS)
    twin.fault("no-index")


def _stop_with_tools(twin: Twins) -> None:
    _calls(twin, CALLS[0])
    twin.fault("stop-with-tools")


def _usage_tail(twin: Twins) -> None:
    twin.script(Answer(parts=(TEXT,), usage=byollm.Usage(input_tokens=USAGE[0], output_tokens=USAGE[1])))
    twin.fault("usage-tail")


def _limited(twin: Twins) -> None:
    twin.script(*[RateLimitError("slow down", retry_after=WAIT)] * RETRIES)


def _echo(twin: Twins) -> None:
    twin.fault("echo-key", times=RETRIES)


def _page(twin: Twins) -> None:
    twin.fault("html", status=502, times=RETRIES)


def _odd_sse(twin: Twins) -> None:
    twin.script(UNICODE)
    twin.fault("odd-sse")


def _too_long(twin: Twins) -> None:
    twin.script(ContextLengthError(""))


def _filtered(twin: Twins) -> None:
    twin.script("never seen")
    twin.fault("empty-filtered")


def _unknown_finish(twin: Twins) -> None:
    twin.script(TEXT)
    twin.fault("unknown-finish", value="galaxy_brain")


SCENARIOS = (
    Scenario(
        1,
        "stream just ends",
        "an error of its own, with the text so far; never a finished answer",
        "stream",
        _cut,
    ),
    Scenario(
        2,
        "quota error inside the stream",
        "the error's own class, as before the first byte; nothing returned",
        "stream",
        _quota_in_band,
    ),
    Scenario(
        3,
        "two tool calls, no index",
        "two calls, each with its own arguments",
        "stream",
        _without_index,
        tools=True,
    ),
    Scenario(
        4,
        "tool calls that finish `stop`",
        "the finish reason says that there are tool calls",
        "complete",
        _stop_with_tools,
        tools=True,
    ),
    Scenario(5, "usage in a tail chunk", "both token counts, as they were told", "stream", _usage_tail, usage=True),
    Scenario(
        6,
        "429 with Retry-After",
        f"waits the {WAIT} s before it asks again, and the last error has them as `retry_after`",
        "complete",
        _limited,
    ),
    Scenario(
        7,
        "401 that echoes the key",
        f"no {12} characters of the key in error, traceback, log or output",
        "complete",
        _echo,
        debug=True,
    ),
    Scenario(8, "502 with an HTML page", "a server's error with its status, and no markup", "complete", _page),
    Scenario(9, "odd but legal SSE", "the same text", "stream", _odd_sse),
    Scenario(10, "prompt too long (400)", "an error class for just that", "complete", _too_long),
    Scenario(11, "empty, content_filter", "an answer without text that says so", "stream", _filtered),
    Scenario(
        12,
        "unknown finish reason",
        "not taken for a known one, and the provider's word kept beside it",
        "stream",
        _unknown_finish,
    ),
    Scenario(
        13,
        "misspelt parameter",
        "refused before any byte leaves, and the right name told",
        "complete",
        lambda twin: twin.script(TEXT),
        parameters={"temprature": 0.2},
    ),
)

PLAIN = (
    Scenario(-1, "plain answer", "the text", "complete", lambda twin: twin.script(TEXT)),
    Scenario(-2, "plain stream", "the text", "stream", lambda twin: twin.script(TEXT)),
    Scenario(-3, "two tool calls, streamed", "both", "stream", lambda twin: _calls(twin, *CALLS), tools=True),
)
"""Nothing goes wrong here. An adapter that fails one of these is broken itself, and its column is not shown."""
