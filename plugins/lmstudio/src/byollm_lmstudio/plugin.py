"""The provider `lmstudio`.

Facts: lmstudio.ai/docs/developer (REST API, OpenAI and Anthropic compatible endpoints) and recordings, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm_openai_compatible.dialect import LocalServer, Question, Surface, whole


def loaded(document: Any, model: str) -> Mapping[str, Any]:
    """`/api/v1/models`: the window it was loaded with; of a model that is not loaded yet, the most it can have."""
    row = next(row for row in document["models"] if model == row["key"] or model in _instances(row))
    lengths = [length for length in _instances(row).values() if length]
    can = row.get("capabilities") or {}
    return {
        "context_window": min(lengths) if lengths else whole(row.get("max_context_length")),
        "images": can.get("vision"),
    }


def _instances(row: Mapping[str, Any]) -> dict[str, int | None]:
    found = row.get("loaded_instances") or ()
    return {each["id"]: whole((each.get("config") or {}).get("context_length")) for each in found}


def messages() -> Surface:
    """Its `/v1/messages`."""
    from byollm_anthropic.dialect import MessagesSurface

    return MessagesSurface("lmstudio")


provider = LocalServer(
    name="lmstudio",
    base_url="http://127.0.0.1:1234",
    docs="https://lmstudio.ai/docs/developer",
    surfaces={"messages": messages},
    about=Question("/api/v1/models", loaded),
    names_tools=False,
    end_user_field="",
    cache_key_field="",
    capabilities={
        **dict.fromkeys(("metadata", "service_tier", "verbosity", "image_urls", "documents"), "unsupported"),
        **dict.fromkeys(("max_tokens", "stop", "seed", "structured_output"), "full"),
        "provider_tools": "unsupported",
    },
)
"""The plugin."""
