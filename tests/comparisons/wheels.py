"""What the wheels of litellm and genai-prices say, in our words, and the list of where we say something else."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
LITELLM: Final = Path(sys.prefix) / "share" / "byollm" / "litellm-models.json"
"""Unpacked by tools/environment.py from the wheel of requirements-data.txt."""

PROVIDERS: Final = {
    "openai": ("", ("openai",)),
    "anthropic": ("", ("anthropic",)),
    "google": ("gemini/", ("gemini",)),
    "vertex": ("vertex_ai/", ("vertex_ai", "vertex_ai-language-models", "vertex_ai-anthropic_models")),
    "azure": ("azure/", ("azure",)),
    "bedrock": ("", ("bedrock", "bedrock_converse")),
    "groq": ("groq/", ("groq",)),
    "baseten": ("baseten/", ("baseten",)),
    "openrouter": ("openrouter/", ("openrouter",)),
    "mistral": ("mistral/", ("mistral",)),
    "deepseek": ("deepseek/", ("deepseek",)),
    "xai": ("xai/", ("xai",)),
    "together": ("together_ai/", ("together_ai",)),
    "fireworks": ("fireworks_ai/", ("fireworks_ai",)),
    "cohere": ("", ("cohere", "cohere_chat")),
    "cerebras": ("cerebras/", ("cerebras",)),
    "meta": ("meta_llama/", ("meta_llama",)),
    "minimax": ("minimax/", ("minimax",)),
    "moonshot": ("moonshot/", ("moonshot",)),
    "novita": ("novita/", ("novita",)),
    "ovhcloud": ("ovhcloud/", ("ovhcloud",)),
    "zai": ("zai/", ("zai",)),
}
"""Our provider or seller: the prefix of litellm's keys, and its own names for it."""


@dataclass(frozen=True, slots=True, order=True)
class Disagreement:
    """One number, or one yes or no, that differs."""

    provider: str
    model: str
    field: str
    ours: str
    theirs: str
    other: str


@cache
def litellm() -> dict[str, dict[str, Any]]:
    """litellm's table, with exact numbers."""
    found: dict[str, dict[str, Any]] = json.loads(LITELLM.read_text("utf-8"), parse_float=Decimal)
    return found


def models(provider: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """litellm's chat models of a provider, under the names that the provider itself gives them."""
    prefix, owners = PROVIDERS[provider]
    for key, told in litellm().items():
        if (
            told.get("litellm_provider") in owners
            and told.get("mode") in ("chat", "responses")
            and key.startswith(prefix)
        ):
            name = key[len(prefix) :]
            # `azure/eu/…`, `1024-x-1024/…`, `bedrock/us-east-1/…`: a place before the name, in litellm's own notation.
            if "/" not in name or provider not in ("openai", "azure", "bedrock", "anthropic"):
                yield name, told


def listed(kind: str) -> list[dict[str, Any]]:
    """The entries of disagreements.toml of one kind, `prices` or `capabilities`."""
    found: list[dict[str, Any]] = tomllib.loads((HERE / "disagreements.toml").read_text("utf-8"))[kind]
    return found


def covers(entry: dict[str, Any], item: Disagreement) -> bool:
    """Whether an entry speaks of a disagreement. Patterns are those of a shell; values are exact."""
    return (
        entry.get("other", "litellm") == item.other
        and item.provider in _all(entry["provider"])
        and item.field.split(" ")[-1] in _all(entry["field"])
        and any(fnmatchcase(item.model, pattern) for pattern in entry["models"])
        and ("ours" not in entry or item.ours in map(str, _all(entry["ours"])))
        and ("theirs" not in entry or item.theirs in map(str, _all(entry["theirs"])))
        and ("ratio" not in entry or _ratio(item, entry["ratio"]))
        and ("when" not in entry or any(fnmatchcase(item.field, f"{when} *") for when in _all(entry["when"])))
    )


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ratio(item: Disagreement, ratio: list[str]) -> bool:
    """Whether ours is theirs times something between two bounds."""
    if not Decimal(item.theirs):
        return False
    return Decimal(ratio[0]) <= Decimal(item.ours) / Decimal(item.theirs) <= Decimal(ratio[1])


def told_apart(found: list[Disagreement], kind: str) -> tuple[list[Disagreement], list[dict[str, Any]]]:
    """The disagreements that no entry covers, and the entries that cover none."""
    entries = listed(kind)
    used = [any(covers(entry, item) for item in found) for entry in entries]
    unlisted = [item for item in found if not any(covers(entry, item) for entry in entries)]
    return sorted(unlisted), [entry for entry, hit in zip(entries, used, strict=True) if not hit]
