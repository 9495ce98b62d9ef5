"""What each Gemini family takes, as data.

One row a family; a model id finds its row by its name without collection, date and suffix. Limits are tokens. Sources:
litellm 1.109.1, google-genai 3.4.0, pydantic-ai 2.68.0 and @ai-sdk/google 3.0.141, read 2026-11-21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from byollm.plugin import Support

FULL, UNSUPPORTED, UNKNOWN = Support.full, Support.unsupported, Support.unknown

CURRENT: Final = "litellm 1.109.1, google-genai 3.4.0, pydantic-ai 2.68.0, @ai-sdk/google 3.0.141; read 2026-11-21"
RETIRED: Final = "Google's model page before the model was retired"
ASSUMED: Final = "the newest known families; this model was not known on 2026-11-21"

BUDGETS: Final = {"none": 0, "minimal": 512, "low": 1_024, "medium": 8_192, "high": 24_576}
"""`thinkingBudget` in tokens for the neutral words; low, medium and high as in Google's OpenAI compatibility page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family.

    `thinking`: how effort is said: not at all, as a budget of tokens, as a level. `efforts`: the neutral words it
    takes, weakest first (None: nobody knows). `modern`: Gemini 3 and later: calls carry ids and signed thoughts, tool
    results may hold media, functions go together with a schema and with Google's own tools. `system`: is there a
    system instruction? Gemma 3 has none. `known`: was the model known when this was written?
    """

    name: str
    source: str = CURRENT
    window: int | None = 1_048_576
    output: int | None = 65_536
    thinking: Literal["none", "budget", "level"] = "level"
    efforts: tuple[str, ...] | None = ("minimal", "low", "medium", "high")
    modern: bool = True
    sampling: Support = FULL
    penalties: Support = UNSUPPORTED
    tools: Support = FULL
    structured: Support = FULL
    images: Support = FULL
    audio: Support = FULL
    system: bool = True
    known: bool = True


_OLD: Final = Family(
    name="", source=RETIRED, output=8_192, thinking="none", efforts=None, modern=False, penalties=FULL, images=FULL
)
_BUDGET: Final = Family(
    name="", thinking="budget", efforts=("none", "minimal", "low", "medium", "high"), modern=False, penalties=UNKNOWN
)
_LEVELS: Final = Family(name="")
_NO_MINIMAL: Final = replace(_LEVELS, efforts=("low", "medium", "high"))
_PLAIN: Final = Family(name="", thinking="none", efforts=None, modern=False, tools=UNSUPPORTED, structured=UNSUPPORTED)
_GEMMA: Final = Family(
    name="", thinking="none", efforts=None, modern=False, penalties=UNKNOWN, structured=UNKNOWN, audio=UNKNOWN
)

_ROWS: Final = (
    replace(_OLD, name="pro", window=30_720, output=2_048, structured=UNSUPPORTED, images=UNSUPPORTED,
            audio=UNSUPPORTED, system=False),
    replace(_OLD, name="1.0-pro", window=30_720, output=2_048, structured=UNSUPPORTED, images=UNSUPPORTED,
            audio=UNSUPPORTED, system=False),
    replace(_OLD, name="1.5-flash"),
    replace(_OLD, name="1.5-flash-8b"),
    replace(_OLD, name="1.5-pro", window=2_097_152),
    replace(_OLD, name="2.0-flash"),
    replace(_OLD, name="2.0-flash-lite"),
    replace(_BUDGET, name="2.5-pro", efforts=("minimal", "low", "medium", "high")),
    replace(_BUDGET, name="2.5-flash"),
    replace(_BUDGET, name="2.5-flash-lite"),
    replace(_BUDGET, name="2.5-computer-use", window=128_000, output=64_000),
    replace(_PLAIN, name="2.5-flash-image", window=65_536, output=32_768),
    replace(_PLAIN, name="2.5-flash-preview-tts", window=8_192, output=16_384, images=UNSUPPORTED, audio=UNSUPPORTED),
    replace(_PLAIN, name="2.5-pro-preview-tts", window=8_192, output=16_384, images=UNSUPPORTED, audio=UNSUPPORTED),
    replace(_LEVELS, name="3-pro", efforts=("low", "high")),
    replace(_LEVELS, name="3-flash"),
    replace(_NO_MINIMAL, name="3-pro-image", window=65_536, output=32_768, tools=UNKNOWN, efforts=None),
    replace(_NO_MINIMAL, name="3.1-pro"),
    replace(_LEVELS, name="3.1-flash-lite"),
    replace(_NO_MINIMAL, name="3.1-flash-image", window=131_072, output=32_768, tools=UNKNOWN, efforts=None),
    replace(_LEVELS, name="3.5-flash"),
    replace(_LEVELS, name="3.5-flash-lite", sampling=UNSUPPORTED),
    replace(_LEVELS, name="3.6-flash", sampling=UNSUPPORTED),
    replace(_NO_MINIMAL, name="3.7-flash", sampling=UNSUPPORTED),
    replace(_NO_MINIMAL, name="3.8-flash", sampling=UNSUPPORTED),
    replace(_NO_MINIMAL, name="4-argon", output=1_048_576, sampling=UNKNOWN),
    replace(_NO_MINIMAL, name="4-carbon", window=None, output=1_048_576, sampling=UNKNOWN),
    replace(_NO_MINIMAL, name="flash-latest", sampling=UNKNOWN),
    replace(_NO_MINIMAL, name="flash-lite-latest", sampling=UNKNOWN),
    replace(_NO_MINIMAL, name="pro-latest", sampling=UNKNOWN),
    replace(_NO_MINIMAL, name="robotics-er-2", window=131_072, sampling=UNKNOWN),
    replace(_NO_MINIMAL, name="omni-1.1-flash", tools=UNKNOWN, sampling=UNKNOWN),
    replace(_GEMMA, name="gemma-3-27b-it", window=131_072, output=8_192, system=False),
    replace(_GEMMA, name="gemma-4-26b-a4b-it", window=262_144, output=32_768),
    replace(_GEMMA, name="gemma-4-31b-it", window=262_144, output=32_768),
)  # fmt: skip
FAMILIES: Final[dict[str, Family]] = {row.name: row for row in _ROWS}

UNKNOWN_GEMINI: Final = replace(
    _NO_MINIMAL,
    name="gemini",
    source=ASSUMED,
    window=None,
    output=None,
    sampling=UNKNOWN,
    penalties=UNKNOWN,
    known=False,
)
"""A Gemini nobody knew when this was written: the rules all newer families share, the rest unknown."""

NOT_GEMINI: Final = Family(
    name="",
    source="",
    window=None,
    output=None,
    efforts=None,
    modern=False,
    sampling=UNKNOWN,
    penalties=UNKNOWN,
    tools=UNKNOWN,
    structured=UNKNOWN,
    images=UNKNOWN,
    audio=UNKNOWN,
    known=False,
)
"""Another model behind this dialect (a tuned one, Gemma, a gateway): nothing is known of it."""

_SUFFIX: Final = re.compile(
    r"(?:@.*|-latest|-exp(?:-\d{2}-\d{2}|-\d{4})?|-preview(?:-\d{2}-\d{2}|-\d{2}-\d{4})?|-00\d|-customtools"
    r"|-cyber(?:-permissive)?|-streaming-preview)$"
)


def bare(model: str) -> str:
    """A model's name without the collection it stands in (`models/…`, `publishers/google/models/…`)."""
    return model.rpartition("models/")[2] if not model.startswith("tunedModels/") else model


@lru_cache(maxsize=256)
def family_of(model: str) -> Family:
    """The row of a model id, whatever collection, date or suffix it carries; else one of the two unknown rows."""
    name = bare(model).lower()
    if name.startswith(("gemma-3-", "gemma-3n")):
        return FAMILIES.get(name, replace(FAMILIES["gemma-3-27b-it"], name=name, window=None, output=None))
    if name.startswith("gemma"):
        return FAMILIES.get(name, NOT_GEMINI)
    if not name.startswith("gemini-"):
        return NOT_GEMINI
    name = name.removeprefix("gemini-")
    while name:
        found = FAMILIES.get(name)
        if found is not None:
            return found
        shorter = _SUFFIX.sub("", name)
        if shorter == name:
            break
        name = shorter
    return UNKNOWN_GEMINI
