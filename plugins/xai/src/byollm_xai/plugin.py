"""The provider `xai`.

Facts: recorded traffic, pydantic-ai 2.68.0 and litellm 1.109.0, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Adjustment, Request, Target, UnsupportedFeatureError
from byollm_openai_compatible.dialect import OpenAICompatible, refuse_media
from byollm_xai.models import MODELS, NOTES, facts_of

ENDPOINT: Final = "https://api.x.ai/v1"
_FILES: Final = ("documents", "audio")
_LACKS: Final = (
    "top_k", "n", "logit_bias", "metadata", "verbosity", "service_tier", "cache_hints", "strict_tools",
    "message_names", "prefill", *_FILES,
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "temperature", "top_p", "max_tokens", "stop", "seed", "frequency_penalty",
    "presence_penalty", "structured_output", "end_user_id",
)  # fmt: skip


class XAI(OpenAICompatible):
    """xAI's own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="xai",
            base_url=ENDPOINT,
            apis=("chat", "responses"),
            docs="https://docs.x.ai/docs",
            source="recordings, litellm 1.109.0, genai-prices 0.2.3 and pydantic-ai 2.68.0, read 2026-11-21",
            models=MODELS,
            notes=NOTES,
            knows_store=False,
            cache_key_field="",
            image_types=("image/png", "image/jpeg"),
            reasoning_field="reasoning_content",
            reasoning_replay="tool_turns",
            encrypted_reasoning=True,
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                "temperature_range": (0.0, 2.0),
                "tool_result_media": "partial",
            },
        )

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """Tools without `strict` and `oneOf`, which are refused; no answer that would have to be fetched later.

        Raises UnsupportedFeatureError for `deferred`.
        """
        if body.get("deferred"):
            raise UnsupportedFeatureError(
                "a deferred answer has to be fetched later, which byollm does not do; nothing was sent", field="extra"
            )
        sees = facts_of(target.model).get("images") != "unsupported"
        refuse_media(body, _FILES if sees else ("images", *_FILES), f"xai/{target.model}")
        if "tools" in body and target.api != "responses":
            body = {**body, "tools": [_tool(tool) for tool in body["tools"]]}
        return body

    def noted(self, request: Request, body: Mapping[str, Any], target: Target) -> tuple[Adjustment, ...]:
        """Tools whose alternatives no longer exclude each other."""
        if target.api == "responses" or not any(_has_one_of(_parameters(tool)) for tool in request.tools or ()):
            return ()
        reason = "the provider refuses oneOf in a tool's parameters: one or more of them may fit"
        return (Adjustment("tools", "mapped", "oneOf", "anyOf", reason),)


def _parameters(tool: Any) -> Any:
    return getattr(tool, "parameters", None)


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, dict):
        return tool
    kept = {name: value for name, value in function.items() if name != "strict"}
    if _has_one_of(kept.get("parameters")):
        kept["parameters"] = _any_of(kept["parameters"])
    return {**tool, "function": kept}


def _has_one_of(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return isinstance(schema.get("oneOf"), list) or any(_has_one_of(item) for item in schema.values())
    return isinstance(schema, list | tuple) and any(_has_one_of(item) for item in schema)


def _any_of(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return [_any_of(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    renamed = isinstance(schema.get("oneOf"), list) and "anyOf" not in schema
    return {"anyOf" if renamed and name == "oneOf" else name: _any_of(item) for name, item in schema.items()}


provider = XAI()
"""The plugin."""
