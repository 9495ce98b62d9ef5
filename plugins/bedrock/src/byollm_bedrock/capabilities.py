"""The families' rows as `Capabilities`, over each surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Capabilities, Support
from byollm_anthropic import dialect as claude
from byollm_bedrock.body import METADATA_LIMIT, TIERS
from byollm_bedrock.families import CLAUDE, CURRENT, OPAQUE, RETIRED, Family, family_of, schema_support
from byollm_bedrock.invoke import claude_host
from byollm_bedrock.model_ids import ModelId
from byollm_bedrock.state import CONVERSE, PROVIDER
from byollm_bedrock.text_families import TextFamily, text_family

FULL, PARTIAL, UNSUPPORTED, UNKNOWN = Support.full, Support.partial, Support.unsupported, Support.unknown

_NEVER: Final = (
    "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "n", "verbosity", "cache_key",
    "end_user_id", "store", "message_names",
)  # fmt: skip
"""What Converse has no word for."""
_ALWAYS: Final = ("streaming", "max_tokens", "metadata", "service_tier")
_SOME_TAKE: Final = "AWS answers 400 where model or region has no such tier"
_COUNTED: Final = ("3-5", "3-7", "opus-4", "sonnet-4", "haiku-4-5")
"""Claude models that CountTokens may know; newer ones are counted by Mantle (wire facts, 2026-11-21)."""
_TEXT_NEVER: Final = (
    *_NEVER, "tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls", "parallel_tool_calls_off",
    "strict_tools", "structured_output", "images", "image_urls", "documents", "document_urls", "audio", "reasoning",
    "reasoning_effort", "cache_hints", "metadata", "service_tier", "provider_tools", "citations", "prefill",
    "tool_error_flag", "tool_result_media", "count_tokens",
)  # fmt: skip


def capabilities_of(model: ModelId, api: str, options: Mapping[str, Any]) -> Capabilities:
    """What a model takes over Converse or InvokeModel."""
    if api != CONVERSE:
        family = text_family(model.base)
        if family is not None:
            return _text(model, family)
        if not model.base.startswith("amazon.nova"):
            return _invoked_claude(model, options)
        return _of(model, family_of(model)).merged(dict.fromkeys(("metadata", "service_tier"), UNSUPPORTED), CURRENT)
    family_row = family_of(model)
    return _claude(model) if family_row is CLAUDE else _of(model, family_row)


def _of(model: ModelId, family: Family) -> Capabilities:
    thinks = FULL if family.effort else UNKNOWN if family is OPAQUE else UNSUPPORTED
    calls = family.tools
    values: dict[str, Any] = dict.fromkeys(_NEVER, UNSUPPORTED) | dict.fromkeys(_ALWAYS, FULL)
    values |= {
        "context_window": family.window,
        "max_output_tokens": family.output,
        "temperature_range": (0.0, 1.0),
        "service_tiers": tuple(TIERS),
        "reasoning": FULL if family.name.startswith(("deepseek.r1", "moonshot.")) else thinks,
        "reasoning_effort": thinks,
        "reasoning_efforts": family.efforts,
        "default_effort": family.default_effort,
        "system": family.system,
        "tools": calls,
        "tool_choice_required": UNSUPPORTED if calls.refused else family.forced,
        "tool_choice_named": UNSUPPORTED if calls.refused else family.forced,
        "parallel_tool_calls": UNSUPPORTED if calls.refused else UNKNOWN,
        "parallel_tool_calls_off": UNSUPPORTED,
        "tools_while_reasoning": calls,
        "tool_error_flag": UNSUPPORTED if calls.refused else family.status,
        "tool_result_media": UNSUPPORTED if calls.refused else PARTIAL,
        "strict_tools": UNSUPPORTED if calls.refused else family.structured,
        "structured_output": family.structured,
        "images": family.images,
        "image_urls": PARTIAL if family.s3 and not family.images.refused else UNSUPPORTED,
        "documents": family.documents,
        "document_urls": PARTIAL if family.s3 and not family.documents.refused else UNSUPPORTED,
        "audio": family.audio,
        "citations": UNKNOWN if family is OPAQUE else UNSUPPORTED,
        "prefill": UNKNOWN,
        "temperature": family.sampling,
        "top_p": family.sampling,
        "top_k": FULL if family.top_k else UNSUPPORTED,
        "stop": family.stop,
        "cache_hints": family.cache,
        "provider_tools": PARTIAL if family.name.startswith("amazon.nova") else UNKNOWN,
        "count_tokens": UNSUPPORTED,
    }
    return _made(values, family.source or CURRENT)


def _claude(model: ModelId) -> Capabilities:
    """The owner's row, as far as Converse can say it."""
    found = claude.capabilities_of(model.base, claude.Host(provider=PROVIDER, transport=CONVERSE))
    unsaid = ("end_user_id", "image_urls", "document_urls")
    later: dict[str, Any] = dict.fromkeys(unsaid, UNSUPPORTED)
    later |= {"metadata": FULL, "service_tier": FULL, "service_tiers": tuple(TIERS), "provider_tools": UNKNOWN}
    later |= _withheld(model)
    return found.merged(later, CURRENT)


def _withheld(model: ModelId) -> dict[str, Any]:
    """What Bedrock's runtime gives to some of Claude's models only."""
    name = model.base.removeprefix("anthropic.claude-")
    held = schema_support(model) if model.base else UNKNOWN
    counted = PARTIAL if name.startswith(_COUNTED) else UNSUPPORTED
    return {"count_tokens": counted, "structured_output": held, "strict_tools": held}


def _invoked_claude(model: ModelId, options: Mapping[str, Any]) -> Capabilities:
    found = claude.capabilities_of(model.base or model.given, claude_host(options))
    later: dict[str, Any] = dict.fromkeys(
        ("image_urls", "document_urls", "service_tier", "metadata"), UNSUPPORTED
    ) | _withheld(model)
    return found.merged(later, CURRENT)


def _text(model: ModelId, family: TextFamily) -> Capabilities:
    row = family_of(model)
    values: dict[str, Any] = dict.fromkeys(_TEXT_NEVER, UNSUPPORTED)
    values |= dict.fromkeys(family.fields, FULL)
    values |= {name: UNSUPPORTED for name in ("top_k", "stop") if name not in family.fields}
    values |= {
        "context_window": row.window,
        "max_output_tokens": row.output,
        "default_max_tokens": family.default_max_tokens,
        "temperature_range": (0.0, 1.0),
        "streaming": FULL if family.streams else UNSUPPORTED,
        "system": PARTIAL,
    }
    return _made(values, RETIRED)


def _made(values: Mapping[str, Any], source: str) -> Capabilities:
    known = {name: value for name, value in values.items() if value is not None and value is not UNKNOWN}
    notes = {
        "metadata": f"at most {METADATA_LIMIT} pairs",
        "service_tier": _SOME_TAKE,
        "context_window": "a cross-region profile has the window of its model",
    }
    return Capabilities(
        **known, sources=dict.fromkeys(known, source), notes={name: notes[name] for name in notes if name in known}
    )
