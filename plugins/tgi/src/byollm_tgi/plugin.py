"""The provider `tgi`: Hugging Face's Text Generation Inference.

Facts: its router's sources of 2026-01-08 (the project only maintains since) and recordings, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm.plugin import Event, Exchange, Request, Target, UnsupportedFeatureError, hookimpl
from byollm_openai_compatible.dialect import Count, LocalServer, Question, whole


def info(document: Any, model: str) -> Mapping[str, Any]:
    """`/info`: the most tokens of prompt and answer together."""
    return {"context_window": whole(document["max_total_tokens"])}


class TGI(LocalServer):
    """A row, and two refusals that its data cannot say: a grammar beside tools, and a top_p of 1."""

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """As Chat Completions. Raises UnsupportedFeatureError for tools together with a schema: TGI takes one."""
        if request.tools and request.output_schema is not None:
            raise UnsupportedFeatureError("tgi takes tools or an output schema, not both", field="output_schema")
        exchange: Exchange[Event] = super().complete(request, target)
        return exchange

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """Without `top_p` from 1 on: it means nothing, and is answered with 422."""
        if body.get("top_p", 0) >= 1:
            del body["top_p"]
        return super().amended(body, target)


provider = TGI(
    name="tgi",
    base_url="http://127.0.0.1:8080",
    docs="https://huggingface.co/docs/text-generation-inference",
    apis=("chat",),
    about=Question("/info", info),
    counts=Count("/chat_tokenize", lambda document: len(document["tokenize_response"])),
    think_tags=True,
    end_user_field="",
    cache_key_field="",
    capabilities={
        **dict.fromkeys(("presence_penalty", "logit_bias", "reasoning_effort", "metadata", "verbosity"), "unsupported"),
        **dict.fromkeys(("service_tier", "store", "documents", "audio", "provider_tools"), "unsupported"),
        **dict.fromkeys(("max_tokens", "stop", "seed", "frequency_penalty", "structured_output", "tools"), "full"),
        "count_tokens": "full",
    },
)
"""The plugin."""
