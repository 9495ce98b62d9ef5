"""What each Claude family takes, as data.

One row a family; a model id finds its row by its name without host prefix, date and suffix. Limits are tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from byollm.plugin import Support

FULL, UNSUPPORTED, UNKNOWN = Support.full, Support.unsupported, Support.unknown

CURRENT: Final = "anthropic 2.12.0, litellm 1.109.1, pydantic-ai 2.68.0, @ai-sdk/anthropic 3.0.138; read 2026-11-21"
LISTED: Final = "GET /v1/models of Anthropic as recorded in 2026; read 2026-11-21"
RETIRED: Final = "Anthropic's model overview before the model was retired"
ASSUMED: Final = "the newest known families; this model was not known on 2026-11-21"

WORDS: Final = ("low", "medium", "high", "xhigh", "max")
BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 16384, "max": 16384}
"""`thinking.budget_tokens` for the neutral words, where a model knows budgets only. At least 1,024."""
LEAST_BUDGET: Final = 1024

NONSTREAMING: Final = 21_333
"""The most `max_tokens` that Anthropic's own SDK sends without a stream: 600 s at 128,000 tokens an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family.

    `thinking`: how effort is said: not at all, as a token budget, or adaptively (`levels` are then the words that
    `output_config.effort` takes). `off`: how "none" is said: by omission, by `disabled`, or not at all (""). `thinks`:
    does it think when not told? None is unknown. `inline_system`: is a system message in mid-conversation honoured?
    `pair`: may temperature and top_p go together? `cache_least`: shorter prompts are not cached.
    """

    name: str
    source: str = CURRENT
    context_window: int | None = None
    max_output: int | None = None
    default_max_tokens: int = NONSTREAMING
    sampling: Support = FULL
    pair: bool = True
    thinking: Literal["none", "budget", "adaptive"] = "none"
    levels: tuple[str, ...] = ()
    off: Literal["omit", "disabled", ""] = "omit"
    thinks: bool | None = False
    forced: Support = FULL
    prefill: Support = FULL
    structured: Support = FULL
    documents: Support = FULL
    inline_system: bool = False
    cache_least: int | None = None
    known: bool = True

    @property
    def efforts(self) -> tuple[str, ...] | None:
        """The neutral words it takes, weakest first; None where nobody knows."""
        if not self.known:
            return None
        none = ("none",) if self.off else ()
        if self.thinking == "budget":
            return (*none, "minimal", *(self.levels or ("low", "medium", "high")))
        return (*none, *self.levels) if self.thinking == "adaptive" else None


def _old(name: str, most: int, *, documents: Support = UNKNOWN, thinking: bool = False) -> Family:
    return Family(
        name=name,
        source=RETIRED,
        context_window=200_000,
        max_output=most,
        default_max_tokens=min(most, NONSTREAMING),
        thinking="budget" if thinking else "none",
        structured=UNSUPPORTED,
        documents=documents,
    )


_BUDGET: Final = Family(name="", context_window=200_000, max_output=64_000, pair=False, thinking="budget")
_FOUR_SIX: Final = Family(
    name="",
    context_window=1_000_000,
    max_output=128_000,
    pair=False,
    thinking="adaptive",
    levels=("low", "medium", "high", "max"),
    prefill=UNSUPPORTED,
)
_MODERN: Final = replace(_FOUR_SIX, sampling=UNSUPPORTED, levels=WORDS)
_FIVE: Final = replace(_MODERN, thinks=True, off="disabled", inline_system=True)
_ALWAYS: Final = replace(_FIVE, off="", cache_least=512)
_UNFORCED: Final = replace(_ALWAYS, forced=UNSUPPORTED)

_ROWS: Final = (
    _old("3-haiku", 4_096),
    _old("3-sonnet", 4_096),
    _old("3-opus", 4_096),
    _old("3-5-haiku", 8_192),
    _old("3-5-sonnet", 8_192, documents=FULL),
    _old("3-7-sonnet", 64_000, documents=FULL, thinking=True),
    replace(_BUDGET, name="sonnet-4", source=LISTED, structured=UNSUPPORTED),
    replace(_BUDGET, name="opus-4", source=LISTED, max_output=32_000, structured=UNSUPPORTED),
    replace(_BUDGET, name="opus-4-1", source=LISTED, max_output=32_000),
    replace(_BUDGET, name="haiku-4-5", cache_least=4096),
    replace(_BUDGET, name="sonnet-4-5", cache_least=1024),
    replace(_BUDGET, name="opus-4-5", levels=("low", "medium", "high"), cache_least=4096),
    replace(_FOUR_SIX, name="sonnet-4-6", cache_least=1024),
    replace(_FOUR_SIX, name="opus-4-6", cache_least=4096),
    replace(_MODERN, name="opus-4-7", cache_least=2048),
    replace(_MODERN, name="opus-4-8", cache_least=1024, inline_system=True),
    replace(_FIVE, name="sonnet-5", cache_least=1024, inline_system=False),  # answers 200 and ignores it
    replace(_FIVE, name="opus-5", cache_least=512),
    replace(_FIVE, name="haiku-5-5", cache_least=512, inline_system=False),
    replace(_ALWAYS, name="fable-5"),
    replace(_ALWAYS, name="mythos-5"),
    replace(_UNFORCED, name="fable-5-1"),
    replace(_UNFORCED, name="fable-5-2"),
    replace(_UNFORCED, name="mythos-5-1"),
    replace(_UNFORCED, name="mythos-5-2"),
    replace(_UNFORCED, name="opus-5-5"),
    replace(_UNFORCED, name="sonnet-5-5", inline_system=False),
)
FAMILIES: Final[dict[str, Family]] = {row.name: row for row in _ROWS}

UNKNOWN_CLAUDE: Final = replace(
    _MODERN,
    name="claude",
    source=ASSUMED,
    context_window=None,
    max_output=None,
    off="disabled",
    thinks=None,
    forced=UNKNOWN,
    prefill=UNKNOWN,
    known=False,
)
"""A Claude nobody knew when this was written: the rules all newer families share, the rest unknown."""

NOT_CLAUDE: Final = Family(
    name="",
    source="",
    default_max_tokens=4_096,
    sampling=UNKNOWN,
    thinking="budget",
    off="disabled",
    thinks=None,
    forced=UNKNOWN,
    prefill=UNKNOWN,
    structured=UNKNOWN,
    documents=UNKNOWN,
    known=False,
)
"""Another model behind this dialect (Ollama, a gateway): nothing is known of it."""

_SUFFIX: Final = re.compile(r"(?:[@:].*|-v\d+|-latest|-\d{8}|-0)$")
_OLD_ORDER: Final = re.compile(r"(\d(?:-\d)?)-(opus|sonnet|haiku)")


@lru_cache(maxsize=256)
def family_of(model: str) -> Family:
    """The row of a model id, whatever host prefix, date or suffix it carries; else one of the two unknown rows."""
    text = model.lower().replace(".", "-")
    at = text.rfind("claude")
    if at < 0:
        return NOT_CLAUDE
    name = text[at:].removeprefix("claude").removeprefix("-")
    while name:
        turned = _OLD_ORDER.fullmatch(name)
        found = FAMILIES.get(name) or (FAMILIES.get(f"{turned[2]}-{turned[1]}") if turned else None)
        if found is not None:
            return found
        shorter = _SUFFIX.sub("", name)
        if shorter == name:
            break
        name = shorter
    return UNKNOWN_CLAUDE
