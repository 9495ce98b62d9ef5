"""The provider `mistral`.

Facts: mistralai 3.7.0's types, recorded traffic, pydantic-ai 2.68.0 and litellm 1.109.0, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from byollm.plugin import (
    Adjustment,
    Capabilities,
    Message,
    Reasoning,
    Request,
    Target,
    ToolCall,
    hookimpl,
    path_segment,
)
from byollm_mistral.models import MODELS, NOTES, card_reader, reasons, refused_media
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, refuse_media

if TYPE_CHECKING:
    from byollm.plugin import Batches

ENDPOINT: Final = "https://api.mistral.ai/v1"
TIERS: Final = ("auto", "standard_only")
BETWEEN: Final[Mapping[str, Any]] = {"role": "assistant", "content": "OK"}
"""Stands between what a tool answered and what the user says next: without it, 400 `invalid_request_message_order`."""
_LACKS: Final = (
    "logit_bias", "logprobs", "n", "store", "verbosity", "end_user_id", "message_names", "cache_hints", "audio",
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "frequency_penalty",
    "presence_penalty", "metadata", "tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls",
    "parallel_tool_calls_off", "strict_tools", "structured_output", "documents", "document_urls", "prefill",
    "service_tier", "cache_key",
)  # fmt: skip


class Mistral(OpenAICompatible):
    """Mistral's own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="mistral",
            base_url=ENDPOINT,
            docs="https://docs.mistral.ai/api",
            source="mistralai 3.7.0's types, recorded model lists and litellm 1.109.0, read 2026-11-21",
            models=MODELS,
            notes=NOTES,
            knows_store=False,
            seed_field="random_seed",
            end_user_field="",
            required_word="any",
            stream_usage=False,
            tool_id_format="alnum9",
            tool_result_names=True,
            merge_roles=True,
            file_urls=True,
            prefill_message={"prefix": True},
            reasoning_field="content",
            error_codes={"service_tier_capacity_exceeded": "OverloadedError"},
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                "service_tiers": TIERS,
                "temperature_range": (0.0, 1.5),
                "tool_result_media": "partial",
            },
        )

    @hookimpl
    def batch(self, target: Target) -> Batches:
        """Mistral's own batch jobs."""
        from byollm_mistral.batches import MistralBatches  # most programs send none

        return MistralBatches(target.model, *self.asker(target, "/chat/completions"))

    def describe(self, target: Target) -> Capabilities:
        """The bundled row; `refine` asks `GET /models/{id}`."""
        known = super().describe(target)
        path = f"/models/{path_segment(target.model)}"
        return replace(known, refine=self.question(target, path, card_reader(known)))

    def quirks(self, target: Target) -> Quirks:
        """Thoughts are sent back to models that think; the others know no such chunk."""
        replayed = "always" if reasons(target.model) else "never"
        return self.base_quirks.with_options({"reasoning_replay": replayed}).with_options(target.options)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """Documents and sound as Mistral's own chunks, and a word of the model between a tool's answer and the user."""
        refuse_media(body, refused_media(target.model), f"mistral/{target.model}")
        messages: list[Mapping[str, Any]] = []
        for message in body["messages"]:
            if _silent(message):
                continue
            if message["role"] == "user" and messages and messages[-1]["role"] == "tool":
                messages.append(BETWEEN)
            if isinstance(message.get("content"), list):
                message["content"] = [_chunk(block) for block in message["content"]]
            messages.append(message)
        return {**body, "messages": messages}

    def noted(self, request: Request, body: Mapping[str, Any], target: Target) -> tuple[Adjustment, ...]:
        """The word that the model never said, and turns in which it said none."""
        notes: tuple[Adjustment, ...] = ()
        if any(message is BETWEEN for message in body["messages"]):
            reason = "a user cannot speak right after a tool here: the model was made to say OK between them"
            notes = (Adjustment("messages", "emulated", None, "OK", reason),)
        if any(_wordless(message, reasons(target.model)) for message in request.messages):
            reason = "a turn of the model without text or calls is refused here: it is left out"
            notes = (*notes, Adjustment("messages", "dropped", None, None, reason))
        return notes


def _silent(message: Mapping[str, Any]) -> bool:
    return message["role"] == "assistant" and not message.get("content") and not message.get("tool_calls")


def _wordless(message: Message, thinks: bool) -> bool:
    said = (ToolCall, Reasoning) if thinks else (ToolCall,)
    return (
        message.role == "assistant" and not message.text and not any(isinstance(part, said) for part in message.parts)
    )


def _chunk(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") == "file" and "file_data" in block["file"]:
        file = block["file"]
        made = {"type": "document_url", "document_url": file["file_data"]}
        return {**made, "document_name": file["filename"]} if "filename" in file else made
    if block.get("type") == "input_audio" and isinstance(block["input_audio"], Mapping):
        return {"type": "input_audio", "input_audio": block["input_audio"]["data"]}
    return block


provider = Mistral()
"""The plugin."""
