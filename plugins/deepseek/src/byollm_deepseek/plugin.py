"""The provider `deepseek`.

Facts: recorded traffic, pydantic-ai 2.68.0 and litellm 1.109.0, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.plugin import Adjustment, Capabilities, Request, Target, UnsupportedFeatureError
from byollm_deepseek.models import EFFORTS, FORCED, IGNORED, MODELS, NOTES, facts_of
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, refuse_media

ENDPOINT: Final = "https://api.deepseek.com"
QUIET: Final = {"type": "disabled"}
"""`thinking` of a request that must not think."""
_BODIES: Final = {
    "none": {"thinking": QUIET},
    **{effort: {"thinking": {"type": "enabled"}, "reasoning_effort": effort} for effort in EFFORTS[1:]},
}
_LACKS: Final = (
    "top_k", "n", "logit_bias", "metadata", "store", "verbosity", "service_tier", "documents", "audio",
    "parallel_tool_calls_off", "cache_hints", "strict_tools",
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "temperature", "top_p", "max_tokens", "stop", "seed", "frequency_penalty",
    "presence_penalty", "logprobs", "tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls",
    "message_names",
)  # fmt: skip


class DeepSeek(OpenAICompatible):
    """DeepSeek's own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="deepseek",
            base_url=ENDPOINT,
            apis=("chat", "responses"),
            docs="https://api-docs.deepseek.com",
            source="recordings, litellm 1.109.0, genai-prices 0.2.3 and pydantic-ai 2.68.0, read 2026-11-21",
            models=MODELS,
            notes=NOTES,
            knows_store=False,
            end_user_field="",
            cache_key_field="",
            schema_form="json_object",
            effort_bodies=_BODIES,
            prefill_message={"prefix": True},
            reasoning_field="reasoning_content",
            reasoning_replay="always",
            error_codes={"insufficient_system_resource": "OverloadedError"},
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                "temperature_range": (0.0, 2.0),
                "structured_output": "partial",
                "tool_result_media": "unsupported",
            },
        )

    def describe(self, target: Target) -> Capabilities:
        """Beginnings of an answer are continued below `/beta` only; schemas are enforced by the Responses API.

        How thinking is turned off over the Responses API is known from no source: V4 is taken to think there.
        """
        known = super().describe(target)
        if target.api == "responses":
            thinks = {"reasoning_efforts": EFFORTS[1:], **dict.fromkeys((*FORCED, *IGNORED), "unsupported")}
            return known.merged({"structured_output": "full", **(thinks if _thinks(target.model) else {})}, self.source)
        beta = urlsplit(target.endpoint).path.rstrip("/").endswith("/beta")
        return known.merged({"prefill": "full" if beta else "unsupported"}, self.source)

    def quirks(self, target: Target) -> Quirks:
        """A model that thinks wants its thoughts back in turns that call tools, be they empty."""
        own: dict[str, Any] = {"reasoning_required": _thinks(target.model)}
        if not _thinks(target.model):
            own["reasoning_replay"] = "never"
        if target.api == "responses":
            own |= {"effort_bodies": {}, "schema_form": "json_schema"}
        return self.base_quirks.with_options(own).with_options(target.options)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """A forced call and thinking exclude each other: what nobody asked for gives way.

        Raises UnsupportedFeatureError where both were asked for.
        """
        sees = facts_of(target.model).get("images") != "unsupported"
        where = f"deepseek/{target.model}"
        refuse_media(body, ("documents", "audio") if sees else ("images", "documents", "audio"), where)
        if target.api == "responses" or body.get("tool_choice", "auto") in ("auto", "none"):
            return body
        thinking = body.get("thinking")
        if thinking is None and _thinks(target.model):
            return {**body, "thinking": QUIET}
        if thinking is not None and thinking != QUIET:
            raise UnsupportedFeatureError(
                f"{where} cannot be made to call a tool while it thinks; nothing was sent",
                field="tool_choice",
                hint="leave reasoning_effort out, or set it to none",
            )
        return body

    def noted(self, request: Request, body: Mapping[str, Any], target: Target) -> tuple[Adjustment, ...]:
        """Thinking that a forced call has turned off."""
        if request.reasoning_effort is not None or body.get("thinking") is not QUIET:
            return ()
        reason = "the model cannot be made to call a tool while it thinks"
        return (Adjustment("reasoning_effort", "mapped", None, "none", reason),)


def _thinks(model: str) -> bool:
    return facts_of(model).get("reasoning") == "full"


provider = DeepSeek()
"""The plugin."""
