"""What a deployment takes: that of the model behind it, as far as the file or its name tells which that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import Capabilities
from byollm_openai.dialect import Family, capabilities_of, family_of

GUESSED: Final = "taken from the deployment's name: say `base_model:` to be sure"
SOURCE: Final = "Azure's reference, litellm 1.109.0 and pydantic-ai 2.68.0, read 2026-11-21"
MISTRAL: Final = ("mistral", "ministral", "codestral")
"""They answer 422 to `max_completion_tokens` (pydantic-ai#6593)."""


def plain_name(name: str) -> str:
    """Azure's spelling of a model's name in OpenAI's: `gpt-35-turbo` is gpt-3.5-turbo."""
    return name.lower().replace("gpt-35-", "gpt-3.5-")


def family(deployment: str, base_model: str | None) -> Family | None:
    """The family behind a deployment. A name alone is believed only where it is a known model's."""
    found = family_of(plain_name(base_model or deployment))
    return None if found is not None and found.assumed and not base_model else found


@lru_cache(maxsize=256)
def known(deployment: str, base_model: str | None, api: str, classic: bool) -> Capabilities | None:
    """OpenAI's table with what Azure lacks; None where the model is unknown or nobody of OpenAI's."""
    if family(deployment, base_model) is None:
        return None
    found = capabilities_of(plain_name(base_model or deployment), api).merged(_lacks(api, classic), SOURCE)
    return found if base_model else replace(found, notes={**found.notes, "base_model": GUESSED})


def _lacks(api: str, classic: bool) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    if api == "chat":
        found["documents"] = "unsupported"  # no `file` parts
    if api == "chat" or classic:
        found["count_tokens"] = "unsupported"
    if classic:
        found["cache_hints"] = "unsupported"  # honoured on v1 only
    return found
