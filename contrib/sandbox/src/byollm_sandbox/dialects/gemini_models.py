"""What Gemini's families take, as far as requests are refused for it.

After the wire notes (litellm, pydantic-ai 2.68, vercel/ai) and recorded refusals, read 2026-11-21. Names nobody knows
are taken with everything: the twin also plays gateways and tuned models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_ALL: Final = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
_MOST: Final = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
_HIGHER: Final = ("LOW", "MEDIUM", "HIGH")


@dataclass(frozen=True, slots=True)
class Family:
    """One family. `levels` of thinking, `budget` (least, most; 0 and -1 apart), `off`: may the budget be 0.

    `modern`: 3 and later: calls are signed, ids are taken, a schema goes with tools. `penalties`, `schema`, `tools`,
    `system`: is it taken? `window`, `output`: tokens.
    """

    window: int = 1_048_576
    output: int = 65_536
    levels: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    off: bool = True
    modern: bool = False
    penalties: bool = True
    schema: bool = True
    system: bool = True
    known: bool = True


def _level(*levels: str, output: int = 65_536) -> Family:
    return Family(output=output, levels=levels, budget=(0, 65_536), modern=True, penalties=False)


_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    (r"gemini-(1\.0-)?pro(-vision)?$", Family(30_720, 2_048, schema=False, system=False)),
    (r"gemini-1\.5-", Family(output=8_192)),
    (r"gemini-2\.0-", Family(output=8_192)),
    (r"gemini-2\.5-flash-image", Family(65_536, 32_768, schema=False)),
    (r"gemini-2\.5-pro", Family(budget=(128, 32_768), off=False, penalties=False)),
    (r"gemini-2\.5-flash-lite", Family(budget=(512, 24_576), penalties=False)),
    (r"gemini-2\.5-", Family(budget=(1, 24_576), penalties=False)),
    (r"gemini-3-pro-preview", _level("LOW", "HIGH")),
    (r"gemini-(3-pro-image|3\.1-flash-image)", _level(*_ALL, output=32_768)),
    (r"gemini-3\.(1-pro|[78]-flash)", _level(*_HIGHER)),
    (r"gemini-3", _level(*_MOST)),
    (r"gemini-4-", _level(*_HIGHER, "XHIGH", output=1_048_576)),
    (r"gemma-3", Family(131_072, 8_192, system=False)),
    (r"gemma-4", Family(262_144, 32_768)),
)
_COMPILED: Final = tuple((re.compile(pattern), family) for pattern, family in _FAMILIES)
UNKNOWN: Final = Family(levels=_ALL, budget=(0, 65_536), known=False)

_PIECE: Final = re.compile(
    r"\d(\.\d)?|\d{2,4}|00\d|pro|flash|lite|latest|preview|exp|image|tts|8b|argon|carbon|cyber|permissive|customtools"
    r"|computer|use|robotics|er|omni|vision|thinking|ultra|nano|generation|streaming"
)
_NONSENSE: Final = re.compile(r"does-?not-?exist|non-?existent|no-such|invalid-model|unknown-model|fake-model|bogus")
_RETIRED: Final = re.compile(r"gemini-(1\.0|1\.5)-|gemini-pro(-vision)?$")


def bare(name: str) -> str:
    """A model's name without the collection it stands in."""
    return name.lower().rpartition("/")[2]


@lru_cache(maxsize=512)
def family_of(name: str) -> Family:
    """The family of a model; UNKNOWN takes everything."""
    plain = bare(name)
    return next((family for pattern, family in _COMPILED if pattern.match(plain)), UNKNOWN)


def exists(name: str) -> bool:
    """Could this be a model? A name that begins with `gemini-` is read word by word; others may be anybody's."""
    plain = bare(name)
    if _NONSENSE.search(plain) or plain.startswith("gemini-live-") or _RETIRED.match(plain):
        return False
    return not plain.startswith("gemini-") or all(map(_PIECE.fullmatch, plain.removeprefix("gemini-").split("-")))
