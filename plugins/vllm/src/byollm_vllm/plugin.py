"""The provider `vllm`.

Facts: vLLM 0.33.0's sources and recorded traffic, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm_openai_compatible.dialect import Count, LocalServer, Question, Surface, whole


def window(document: Any, model: str) -> Mapping[str, Any]:
    """`/v1/models`: `max_model_len` of the model, which is the engine's real window."""
    row = next(row for row in document["data"] if model in (row["id"], row.get("root")))
    return {"context_window": whole(row["max_model_len"])}


def messages() -> Surface:
    """Its `/v1/messages`."""
    from byollm_anthropic.dialect import MessagesSurface

    return MessagesSurface("vllm", counts="exact")


provider = LocalServer(
    name="vllm",
    base_url="http://127.0.0.1:8000",
    docs="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    surfaces={"messages": messages},
    about=Question("/v1/models", window),
    differs={"responses": {"count_tokens": "unsupported"}},
    counts=Count("/tokenize", lambda document: document["count"]),
    max_tokens_field="max_completion_tokens",
    reasoning_field="reasoning",
    reasoning_replay="tool_turns",
    prefill_body={"continue_final_message": True, "add_generation_prompt": False},
    end_user_field="",
    cache_key_field="",
    capabilities={
        **dict.fromkeys(("metadata", "service_tier", "verbosity", "documents", "provider_tools"), "unsupported"),
        **dict.fromkeys(
            ("max_tokens", "stop", "seed", "top_k", "prefill", "structured_output", "count_tokens"), "full"
        ),
    },
)
"""The plugin."""
