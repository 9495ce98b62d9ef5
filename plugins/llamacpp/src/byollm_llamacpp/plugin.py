"""The provider `llamacpp`: llama.cpp's `llama-server`.

Facts: tools/server/README.md and the server's sources as vendored by llama-cpp-python 0.3.36, recorded refusals, and
what the server itself answers in `make test-servers` (2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm_openai_compatible.dialect import LocalServer, Question, Surface, whole


def props(document: Any, model: str) -> Mapping[str, Any]:
    """`/props`: the window of one slot (the context divided among the slots), and what the model sees and hears."""
    seen = document["modalities"]
    window = whole(document["default_generation_settings"]["n_ctx"])
    return {"context_window": window, "images": seen.get("vision"), "audio": seen.get("audio")}


def messages() -> Surface:
    """Its `/v1/messages`, which leaves schemas out and forces any tool."""
    from byollm_anthropic.dialect import MessagesSurface

    return MessagesSurface("llamacpp", counts="exact", structured_output="unsupported", tool_choice_named="unsupported")


provider = LocalServer(
    name="llamacpp",
    base_url="http://127.0.0.1:8080",
    docs="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    surfaces={"messages": messages},
    about=Question("/props", props),
    differs={"responses": {"structured_output": "unsupported"}},
    names_tools=False,
    count_path="/chat/completions/input_tokens",
    responses_count_path="/responses/input_tokens",
    reasoning_field="reasoning_content",
    reasoning_replay="tool_turns",
    end_user_field="",
    cache_key_field="",
    capabilities={
        **dict.fromkeys(("metadata", "service_tier", "verbosity", "documents", "provider_tools"), "unsupported"),
        **dict.fromkeys(("max_tokens", "stop", "seed", "top_k", "structured_output", "count_tokens"), "full"),
    },
)
"""The plugin."""
