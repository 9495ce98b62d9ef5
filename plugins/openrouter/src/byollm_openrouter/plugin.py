"""The provider `openrouter`.

Facts: the wire facts after openrouter 1.3.84's types, recorded traffic and pydantic-ai 2.68.0, read 2026-11-21.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from byollm.plugin import Capabilities, Target
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, refuse_media
from byollm_openrouter.models import facts_of, list_reader

ENDPOINT: Final = "https://openrouter.ai/api/v1"
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")
CONTRACTS: Final = ("response_format", "logprobs", "logit_bias")
"""What a host must be able to do to be asked at all; everything else it may leave out without a word."""
_LACKS: Final = ("n", "metadata", "store")
_HAS: Final = (
    "streaming", "system", "max_tokens", "logit_bias", "logprobs", "end_user_id", "documents",
)  # fmt: skip
_PERHAPS: Final = (
    "temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty", "structured_output",
    "cache_hints", "verbosity", "reasoning_effort", "document_urls", "tool_result_media",
)  # fmt: skip


class OpenRouter(OpenAICompatible):
    """OpenRouter's own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="openrouter",
            base_url=ENDPOINT,
            apis=("chat", "responses"),
            docs="https://openrouter.ai/docs/api-reference",
            source="genai-prices 0.2.3, recordings and litellm 1.109.0, read 2026-11-21",
            effort_field="reasoning.effort",
            cache_field="cache_control",
            file_urls=True,
            refused_files=("application/zip", "application/octet-stream"),
            image_types=("image/png", "image/jpeg", "image/gif", "image/webp"),
            reasoning_field="reasoning",
            reasoning_replay="always",
            encrypted_reasoning=True,
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                **dict.fromkeys(_PERHAPS, "partial"),
                "reasoning_efforts": EFFORTS,
                "temperature_range": (0.0, 2.0),
            },
        )

    def describe(self, target: Target) -> Capabilities:
        """The bundled row of the model; `refine` asks `GET /models`."""
        known = super().describe(target)
        facts = dict(facts_of(target.model))
        facts.pop("structured_output", None)  # the host's affair: `provider.require_parameters` picks one that can
        if target.api == "responses":
            facts |= {"audio": "unsupported", "cache_hints": "unsupported"}  # the dialect has no words for them
        known = known.merged(facts, self.source)
        return replace(known, refine=self.question(target, "/models", list_reader(target.model, known)))

    def quirks(self, target: Target) -> Quirks:
        """Marks for the cache are Chat's: no source has them for the Responses API."""
        own = {"cache_field": ""} if target.api == "responses" else {}
        return self.base_quirks.with_options(own).with_options(target.options)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """With a contract in it, only hosts that know every parameter are asked (`extra` may say otherwise)."""
        if target.api == "responses":
            refuse_media(body, ("audio",), f"openrouter/{target.model}")
            return body
        forced = body.get("tool_choice", "auto") not in ("auto", "none")
        if forced or any(name in body for name in CONTRACTS):
            body["provider"] = {"require_parameters": True, **(body.get("provider") or {})}
        return body


provider = OpenRouter()
"""The plugin."""
