"""What Mistral's models take, and names that are gone. The first prefix that fits wins.

Sources, read 2026-11-21: two recorded answers of Mistral's own `GET /models` (windows, pictures, tools, reasoning, ends
of life with replacements), and litellm 1.109.0's model table for names that stand in neither. Where the two differ, the
vendor's own list is taken. There is no cap of its own on an answer: prompt and answer share the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import Capabilities, Frame, Head, ModelNote, ProtocolError

SMALL, MIDDLE, CODE, LARGE, MILLION = 32_768, 131_072, 256_000, 262_144, 1_048_576
HYBRID: Final[dict[str, Any]] = {
    "reasoning": "full",
    "reasoning_effort": "full",
    "reasoning_efforts": ("none", "high"),
}
"""Hybrid models: `reasoning_effort` is `none` or `high` (pydantic-ai 2.68.0, and recorded)."""
ALWAYS: Final[dict[str, Any]] = {"reasoning": "full", "reasoning_effort": "unsupported"}
GUEST: Final[dict[str, Any]] = {"reasoning": "full"}
NEVER: Final[dict[str, Any]] = {"reasoning": "unsupported", "reasoning_effort": "unsupported"}


def _row(window: int, *, sees: bool = False, hears: bool = False, answer: int | None = None, **more: Any) -> Any:
    images = {"images": "full", "image_urls": "full"} if sees else {"images": "unsupported"}
    audio = {"audio": "full" if hears else "unsupported"}
    return {"context_window": window, "max_output_tokens": answer or window, **images, **audio, **(more or NEVER)}


MODELS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("mistral-large-4", _row(MILLION, sees=True, **HYBRID)),
    ("mistral-large-2411", _row(MIDDLE)),
    ("mistral-large", _row(LARGE, sees=True)),
    ("mistral-medium-2505", _row(MIDDLE, sees=True)),
    ("mistral-medium-2508", _row(MIDDLE, sees=True)),
    ("mistral-medium", _row(LARGE, sees=True, **HYBRID)),
    ("mistral-small-2501", _row(SMALL)),
    ("mistral-small-2506", _row(MIDDLE, sees=True)),
    ("mistral-small", _row(LARGE, sees=True, **HYBRID)),
    ("magistral-small-latest", _row(LARGE, sees=True, **HYBRID)),
    ("magistral-medium-latest", _row(LARGE, sees=True, **HYBRID)),
    ("magistral-", _row(MIDDLE, sees=True, **ALWAYS)),
    ("ministral-3b-2410", _row(MIDDLE)),
    ("ministral-8b-2410", _row(MIDDLE)),
    ("ministral-3b", _row(MIDDLE, sees=True)),
    ("ministral-3-3b", _row(MIDDLE, sees=True)),
    ("ministral-", _row(LARGE, sees=True)),
    ("codestral-mamba", _row(CODE, tools="unsupported", **NEVER)),
    ("codestral-", _row(CODE)),
    ("devstral-small-2507", _row(MIDDLE)),
    ("devstral-medium-2507", _row(MIDDLE)),
    ("devstral-small-latest", _row(LARGE, sees=True)),
    ("labs-devstral-small", _row(LARGE, sees=True)),
    ("devstral-", _row(LARGE)),
    ("mistral-code-agent", _row(LARGE)),
    ("mistral-code", _row(CODE)),
    ("mistral-vibe-cli", _row(LARGE, sees=True, **HYBRID)),
    ("mistral-tiny-2407", _row(MIDDLE)),
    ("mistral-tiny-latest", _row(MIDDLE)),
    ("mistral-tiny", _row(SMALL)),
    ("open-mistral-nemo", _row(MIDDLE)),
    ("open-mistral-7b", _row(SMALL)),
    ("pixtral-", _row(MIDDLE, sees=True)),
    ("voxtral-small", _row(SMALL, hears=True)),
    ("voxtral-mini", _row(SMALL, hears=True, tools="unsupported", **NEVER)),
    ("labs-leanstral-1-5", _row(LARGE, sees=True, answer=131_072, **GUEST)),
    ("labs-mistral-small-creative", _row(SMALL)),
    ("zai-glm-5-3-flash", _row(MILLION, sees=True, answer=131_072, **GUEST)),
    ("zai-glm-", _row(MILLION, answer=131_072, **GUEST)),
    ("glm-5-2", _row(MILLION, answer=131_072, **GUEST)),
    ("deepseek-v4-1-flash", _row(MILLION, answer=131_072, **GUEST)),
)
"""Pairs of a name's beginning and what is known of it. Which efforts the guests take is told nowhere."""


@lru_cache(maxsize=256)
def facts_of(model: str) -> Mapping[str, Any]:
    """What the table says of a model; nothing of one that stands in no row."""
    return next((facts for prefix, facts in MODELS if model.startswith(prefix)), {})


def reasons(model: str) -> bool:
    """Whether a model is known to think; its thoughts are then sent back."""
    return facts_of(model).get("reasoning") == "full"


def refused_media(model: str) -> tuple[str, ...]:
    """The kinds of files that a model is known not to read; sound is read by few, and by none that is not known to."""
    facts = facts_of(model)
    return tuple(kind for kind in ("images", "audio") if facts.get(kind, _UNTOLD[kind]) == "unsupported")


_UNTOLD: Final = {"images": "unknown", "audio": "unsupported"}


_JANUARY, _AUGUST, _OCTOBER = "2026-01-31", "2026-08-31", "2026-10-31"
_MEDIUM, _SMALLEST, _EIGHT, _FOURTEEN, _CODE = (
    "mistral-medium-3-5", "ministral-3b-latest", "ministral-8b-latest", "ministral-14b-latest", "codestral-latest",
)  # fmt: skip

NOTES: Final[dict[str, ModelNote]] = {
    **dict.fromkeys(
        (
            "mistral-medium-2505", "mistral-medium-2508", "devstral-2512", "devstral-medium-latest", "devstral-latest",
            "mistral-code-agent-latest",
        ),
        ModelNote(_AUGUST, _MEDIUM),
    ),
    **dict.fromkeys(("open-mistral-7b", "mistral-tiny", "mistral-tiny-2312"), ModelNote(_JANUARY, _EIGHT)),
    **dict.fromkeys(("pixtral-12b-2409", "pixtral-12b", "pixtral-12b-latest"), ModelNote(_JANUARY, _FOURTEEN)),
    **dict.fromkeys(("codestral-2501", "codestral-2412", "codestral-2411-rc5"), ModelNote(_JANUARY, _CODE)),
    "ministral-3b-2410": ModelNote(_JANUARY, _SMALLEST),
    "ministral-8b-2410": ModelNote(_JANUARY, _EIGHT),
    "mistral-small-2501": ModelNote(_JANUARY, "mistral-small-latest"),
    "zai-glm-5-2": ModelNote(_OCTOBER, "zai-glm-5-3"),
}  # fmt: skip
"""Ends of life and replacements, as `GET /models` tells them; GLM 5.2's is litellm 1.109.0's."""

_WORDS: Final = {"tools": "function_calling", "images": "vision", "audio": "audio", "reasoning": "reasoning"}
"""Our capability and the word for it in `GET /models/{id}`."""


def card_reader(known: Capabilities) -> Callable[[Head], Callable[[Frame], list[Capabilities]]]:
    """Reads the answer of `GET /models/{id}` over what is bundled."""

    def read(frame: Frame) -> list[Capabilities]:
        card = frame.data
        if not isinstance(card, dict):
            raise ProtocolError("the model's card is not shaped as known")
        told, window = card.get("capabilities"), card.get("max_context_length")
        found: dict[str, Any] = {}
        if isinstance(told, dict):
            found = {name: told[word] for name, word in _WORDS.items() if isinstance(told.get(word), bool)}
        if type(window) is int and window > 0:
            found |= {"context_window": window, "max_output_tokens": window}
        return [known.merged(found, "GET /models")]

    return lambda head: read
