"""What each family of OpenAI's models takes: limits, reasoning, and what hangs on it. The first prefix that fits wins.

Sources, all read 2026-11-21: windows, output limits and kinds of input from litellm 1.109.0's model table; which
efforts a model takes, whether it reasons unasked and when sampling is refused from pydantic-ai 2.68.0's profile (tried
there against the live Responses API between 2026-07 and 2026-10); words and types from the openai SDK 3.54.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Thinking = Literal["never", "unless_off", "if_asked", "always"]
"""Does it reason: never; unless told not to; only when told to; whatever it is told."""
Encoding = Literal["o200k_base", "cl100k_base"]
"""A vocabulary, as tiktoken calls it."""

ALL: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
NO_MINIMAL: Final = ("none", "low", "medium", "high", "xhigh", "max")
TO_XHIGH: Final = ("none", "low", "medium", "high", "xhigh")
TO_HIGH: Final = ("none", "low", "medium", "high")
FIVE: Final = ("minimal", "low", "medium", "high")
O_SERIES: Final = ("low", "medium", "high")
PRO: Final = ("medium", "high", "xhigh")

LONG: Final = 1_050_000
WIDE: Final = 400_000


@dataclass(frozen=True, slots=True)
class Family:
    """Models whose names begin alike.

    `window` (prompt and answer) and `output` are tokens; None: not known. `efforts` are the neutral words it takes,
    weakest first. `parts` says what it reads beside text: "i" images, "d" documents, "a" sound. `schema`, `tools`,
    `stream`, `parallel`: it can. `cache_marks`: it takes explicit cache breakpoints. `chat_tools_off`: over Chat it
    calls tools only while it does not reason. `only_responses`: Chat does not serve it. `assumed`: nobody has described
    it; values of its nearest kin.
    """

    prefix: str
    window: int | None
    output: int | None
    thinking: Thinking
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    parts: str = "id"
    schema: bool = True
    tools: bool = True
    stream: bool = True
    parallel: bool = True
    sampling: bool = True
    verbosity: bool = True
    cache_marks: bool = False
    chat_tools_off: bool = False
    only_responses: bool = False
    assumed: bool = False


def _six(prefix: str, thinking: Thinking, efforts: tuple[str, ...], *, assumed: bool = False) -> Family:
    return Family(
        prefix, LONG, 128_000, thinking, efforts, "medium", cache_marks=True, chat_tools_off=True, assumed=assumed
    )


def _pro(prefix: str, window: int, efforts: tuple[str, ...], *, schema: bool = True) -> Family:
    return Family(prefix, window, 128_000, "always", efforts, efforts[0], schema=schema, only_responses=True)


def _codex(prefix: str, thinking: Thinking, efforts: tuple[str, ...], default: str) -> Family:
    return Family(prefix, WIDE, 128_000, thinking, efforts, default, only_responses=True)


def _o(prefix: str, *, parts: str = "id", tools: bool = True, stream: bool = True, responses: bool = False) -> Family:
    return Family(
        prefix, 200_000, 100_000, "always", O_SERIES, "medium", parts=parts, tools=tools, stream=stream, parallel=False,
        verbosity=False, schema=tools, only_responses=responses,
    )  # fmt: skip


def _plain(
    prefix: str, window: int, output: int, *, parts: str = "id", schema: bool = True, sampling: bool = True
) -> Family:
    return Family(prefix, window, output, "never", parts=parts, schema=schema, sampling=sampling, verbosity=False)


FAMILIES: Final[tuple[Family, ...]] = (
    _six("gpt-6.2-astra", "always", (), assumed=True),
    _six("gpt-6.2-", "always", (), assumed=True),
    _six("gpt-6-astra", "always", ("low", "medium", "high", "xhigh", "max")),
    _six("gpt-6.1-sol", "always", ("low", "medium", "high", "xhigh", "max")),
    _six("gpt-6.1-terra", "unless_off", NO_MINIMAL),
    _six("gpt-6-sol", "unless_off", NO_MINIMAL),
    _six("gpt-6-luna", "unless_off", NO_MINIMAL),
    _six("gpt-5.6", "unless_off", NO_MINIMAL),
    _pro("gpt-5.5-pro", LONG, PRO, schema=False),
    Family("gpt-5.5", LONG, 128_000, "unless_off", TO_XHIGH, "medium", chat_tools_off=True),
    _pro("gpt-5.4-pro", LONG, PRO, schema=False),
    Family("gpt-5.4-mini", WIDE, 128_000, "if_asked", TO_XHIGH, "none", chat_tools_off=True),
    Family("gpt-5.4-nano", WIDE, 128_000, "if_asked", TO_XHIGH, "none", chat_tools_off=True),
    Family("gpt-5.4", LONG, 128_000, "if_asked", TO_XHIGH, "none", chat_tools_off=True),
    Family("gpt-5.3-chat", 128_000, 16_384, "always", ("medium",), "medium"),
    _codex("gpt-5.3", "if_asked", TO_XHIGH, "none"),
    _pro("gpt-5.2-pro", WIDE, PRO),
    Family("gpt-5.2-chat", 128_000, 16_384, "always", ("medium",), "medium"),
    _codex("gpt-5.2-codex", "if_asked", TO_XHIGH, "none"),
    Family("gpt-5.2", WIDE, 128_000, "if_asked", TO_XHIGH, "none"),
    Family("gpt-5.1-chat", 128_000, 16_384, "always", ("medium",), "medium"),
    _codex("gpt-5.1-codex", "if_asked", TO_HIGH, "none"),
    Family("gpt-5.1", WIDE, 128_000, "if_asked", TO_HIGH, "none"),
    Family("gpt-5-search-api", WIDE, 128_000, "never", sampling=False),
    Family("gpt-5-chat", 128_000, 16_384, "never"),
    Family("gpt-5-pro", WIDE, 272_000, "always", ("high",), "high", stream=False, only_responses=True),
    _codex("gpt-5-codex", "always", FIVE, "medium"),
    Family("gpt-5", WIDE, 128_000, "always", FIVE, "medium"),
    _o("o1-pro", stream=False, responses=True),
    _o("o1-mini", parts="", tools=False),
    _o("o1-preview", parts="", tools=False),
    _o("o1"),
    _o("o3-deep-research", tools=False, responses=True),
    _o("o3-pro", responses=True),
    _o("o3-mini", parts=""),
    _o("o3"),
    _o("o4-mini-deep-research", tools=False, responses=True),
    _o("o4"),
    _plain("gpt-4.1", 1_047_576, 32_768),
    _plain("gpt-4o-audio-preview", 128_000, 16_384, parts="a", schema=False),
    _plain("gpt-4o-mini-audio-preview", 128_000, 16_384, parts="a", schema=False),
    _plain("gpt-audio", 128_000, 16_384, parts="a", schema=False),
    _plain("gpt-4o-search-preview", 128_000, 16_384, sampling=False),
    _plain("gpt-4o-mini-search-preview", 128_000, 16_384, sampling=False),
    _plain("gpt-4o-2024-05-13", 128_000, 4_096, schema=False),
    _plain("gpt-4o", 128_000, 16_384),
    _plain("chatgpt-4o", 128_000, 16_384),
    _plain("gpt-4-turbo", 128_000, 4_096, parts="i", schema=False),
    _plain("gpt-4-1106", 128_000, 4_096, parts="", schema=False),
    _plain("gpt-4-0125", 128_000, 4_096, parts="", schema=False),
    _plain("gpt-4-vision", 128_000, 4_096, parts="i", schema=False),
    _plain("gpt-4-32k", 32_768, 4_096, parts="", schema=False),
    _plain("gpt-4", 8_192, 4_096, parts="", schema=False),
    _plain("gpt-3.5-turbo", 16_385, 4_096, parts="", schema=False),
)
_GATEWAY: Final = re.compile(r"^(?:openai/)?(?:ft:)?")
_NEWER: Final = re.compile(r"^(?:o\d|gpt-(\d+))")


def plain_name(model: str) -> str:
    """The model's own name: without `openai/`, `ft:` and what a fine-tune's owner appended."""
    return _GATEWAY.sub("", model).split(":")[0]


@lru_cache(maxsize=256)
def family_of(model: str) -> Family | None:
    """The family of a model, or a guarded stand-in for a new one; None when nothing at all can be said.

    A name nobody has described that looks like o1 or gpt-5 and later is taken for one that always reasons: no sampling
    parameter is sent to it, its limits are unknown. The user mends it in YAML under `capabilities:`.
    """
    name = plain_name(model)
    known = next((family for family in FAMILIES if _fits(family.prefix, name)), None)
    if known is not None:
        return known
    newer = _NEWER.match(name)
    if newer is None or (newer[1] is not None and int(newer[1]) < 5):
        return None
    return Family(name, None, None, "always", (), None, cache_marks=False, assumed=True)


def _fits(prefix: str, name: str) -> bool:
    """`gpt-5` fits gpt-5-mini and gpt-5, not gpt-5.9: a version is no prefix of another."""
    if not name.startswith(prefix):
        return False
    rest = name[len(prefix) :]
    return not rest or prefix[-1] == "-" or rest[0] in "-@" or (prefix[-1].isalpha() and not rest[0].isdigit())


def encoding_of(model: str) -> Encoding:
    """cl100k for gpt-4 and gpt-3.5, o200k for all that came after (tiktoken 0.14; for gpt-6 it is assumed)."""
    older = model.startswith(("gpt-3.5", "gpt-35")) or model == "gpt-4"
    return "cl100k_base" if older or model.startswith(("gpt-4-", "gpt-4:")) else "o200k_base"
