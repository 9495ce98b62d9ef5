"""What Claude's families take, as far as requests are refused for it.

After the capability matrix of the wire notes (litellm, pydantic-ai 2.68, vercel/ai), read 2026-11-21. Names nobody
knows are taken with everything: the twin also plays gateways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Sampling = Literal["free", "either", "rejected"]
_LOW: Final = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Family:
    """One family.

    `sampling`: free; either (temperature or top_p, not both); rejected. `thinking`: accepted types. `effort`: accepted
    levels. `forced`: it may be made to call a tool. `prefill`: the last turn may be the assistant's. `system_turns`:
    system messages may stand between the others. `window`, `output`: tokens.
    """

    window: int = 200_000
    output: int = 64_000
    sampling: Sampling = "free"
    thinking: tuple[str, ...] = ()
    effort: tuple[str, ...] = ()
    forced: bool = True
    prefill: bool = True
    system_turns: bool = False
    known: bool = True


_ALL: Final = (*_LOW, "xhigh", "max")
_BIG: Final = 1_000_000
_LONG: Final = 128_000
_ENABLED: Final = ("enabled", "disabled")
_BOTH: Final = ("adaptive", "enabled", "disabled")
_ADAPTIVE: Final = ("adaptive", "disabled")
_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    (r"(fable|mythos)-5-[12]", Family(_BIG, _LONG, "rejected", ("adaptive",), _ALL, False, False, True)),
    (r"(fable|mythos)-5", Family(_BIG, _LONG, "rejected", ("adaptive",), _ALL, True, False, True)),
    (r"opus-5-5", Family(_BIG, _LONG, "rejected", ("adaptive",), _ALL, False, False, True)),
    (r"sonnet-5-5", Family(_BIG, _LONG, "rejected", ("adaptive", "between_tools"), _ALL, False, False, True)),
    (r"haiku-5-5", Family(_BIG, _LONG, "rejected", _ADAPTIVE, _ALL, True, False, True)),
    (r"opus-5", Family(_BIG, _LONG, "rejected", _ADAPTIVE, _ALL, True, False, True)),
    (r"sonnet-5", Family(_BIG, _LONG, "rejected", _ADAPTIVE, _ALL, True, False, True)),
    (r"opus-4-8", Family(_BIG, _LONG, "rejected", _ADAPTIVE, _ALL, True, False, True)),
    (r"opus-4-7", Family(_BIG, _LONG, "rejected", _ADAPTIVE, _ALL, True, False)),
    (r"(opus|sonnet)-4-6", Family(_BIG, _LONG, "either", _BOTH, (*_LOW, "max"), True, False)),
    (r"opus-4-5", Family(200_000, 64_000, "either", _ENABLED, _LOW)),
    (r"(sonnet|haiku)-4-5", Family(200_000, 64_000, "either", _ENABLED)),
    (r"opus-4-1", Family(200_000, 32_000, "either", _ENABLED)),
    (r"opus-4", Family(200_000, 32_000, "free", _ENABLED)),
    (r"sonnet-4", Family(200_000, 64_000, "free", _ENABLED)),
    (r"3-7-sonnet", Family(200_000, _LONG, "free", _ENABLED)),
    (r"3-5", Family(200_000, 8_192)),
    (r"3-(opus|haiku|sonnet)", Family(200_000, 4_096)),
)
_COMPILED: Final = tuple((re.compile(rf"claude-{pattern}(?!\d)"), family) for pattern, family in _FAMILIES)
UNKNOWN: Final = Family(_BIG, _LONG, "free", ("adaptive", "enabled", "disabled", "between_tools"), _ALL, known=False)

_PIECE: Final = re.compile(
    r"opus|sonnet|haiku|fable|mythos|instant|latest|fast|preview|thinking|v\d|\d(?:\.\d)?|\d{8}|2\.[01]|1\.[23]|\d{4}(?:-\d\d)?"
)
_NONSENSE: Final = re.compile(
    r"does-?not-?exist|non-?existent|no-such|not-a-(?:real-)?model|invalid-model|unknown-model|fake-model|bogus|definitely-not"
)
_RETIRED: Final = frozenset(
    {"claude-3-sonnet-20240229", "claude-2.0", "claude-2.1", "claude-2", "claude-instant-1.2", "claude-instant-1"}
)


def bare(name: str) -> str:
    """A model name without a gateway's prefix, points as dashes."""
    return name.lower().rpartition("/")[2]


@lru_cache(maxsize=512)
def family_of(name: str) -> Family:
    """The family of a model; UNKNOWN takes everything."""
    plain = bare(name).replace(".", "-")
    return next((family for pattern, family in _COMPILED if pattern.match(plain)), UNKNOWN)


def exists(name: str) -> bool:
    """Could this be a model? A name that begins with `claude-` is read word by word; other names may be anybody's."""
    plain = bare(name)
    if _NONSENSE.search(plain) or plain in _RETIRED:
        return False
    if not plain.startswith("claude-"):
        return True
    return all(_PIECE.fullmatch(piece) for piece in plain.removeprefix("claude-").split("-"))


def limits(name: str) -> tuple[int, int]:
    """Context window and largest output, in tokens."""
    family = family_of(name)
    return family.window, family.output
