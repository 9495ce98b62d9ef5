"""A model family over one dialect as Capabilities."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from byollm.plugin import Capabilities
from byollm_openai.models import Family, encoding_of, family_of

LIMITS: Final = "litellm 1.109.0's model table, read 2026-11-21"
REASONING: Final = "pydantic-ai 2.68.0's OpenAI profile, tried live 2026-07 to 2026-10, read 2026-11-21"
WIRE: Final = "openai SDK 3.54.0's types and OpenAI's reference, read 2026-11-21"
ASSUMED: Final = "assumed: no source describes this model; its nearest kin's values"

_TIERS: Final = ("auto", "default", "priority", "fast", "scale")
_EVERYWHERE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "system", "max_tokens", "cache_key", "end_user_id", "metadata", "store", "service_tier", "image_urls",
            "count_tokens",
        ),
        "full",
    ),
    **dict.fromkeys(("top_k", "n", "prefill", "tool_error_flag"), "unsupported"),
    "logprobs": "not_implemented",
}  # fmt: skip
_SAMPLING: Final = ("temperature", "top_p")
_OLD_SAMPLING: Final = ("frequency_penalty", "presence_penalty", "logit_bias", "seed", "stop")


@lru_cache(maxsize=256)
def capabilities_of(model: str, api: str) -> Capabilities:
    """What `model` takes over `api` ("responses" or "chat"); what no source tells stays unknown."""
    family = family_of(model)
    found = Capabilities().merged(_EVERYWHERE, WIRE).merged(_wire(api), WIRE)
    if family is None:
        return found.merged({"cache_hints": "unsupported"}, "marks are sent only to models known to take them")
    found = found.merged({"vocabulary": encoding_of(model)}, "tiktoken 0.14's table of models, read 2026-11-22")
    source = ASSUMED if family.assumed else LIMITS
    found = found.merged(_limits(family, api), source)
    found = found.merged(_reasoning(family, api), ASSUMED if family.assumed else REASONING)
    found = found.merged(_sampling(family, api), ASSUMED if family.assumed else REASONING)
    return _noted(found, family)


def _wire(api: str) -> dict[str, Any]:
    if api == "responses":
        lacks = ("stop", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "message_names")
        return {
            **dict.fromkeys(lacks, "unsupported"),
            **dict.fromkeys(("document_urls", "tool_result_media", "provider_tools", "citations"), "full"),
        }
    return {"message_names": "full", "document_urls": "unsupported", "tool_result_media": "partial", "stop_limit": 4}


def _limits(family: Family, api: str) -> dict[str, Any]:
    can = _can
    found: dict[str, Any] = {
        "streaming": can(family.stream),
        "tools": can(family.tools),
        "tool_choice_required": can(family.tools),
        "tool_choice_named": can(family.tools),
        "strict_tools": can(family.tools),
        "parallel_tool_calls": can(family.tools and family.parallel),
        "parallel_tool_calls_off": can(family.tools and family.parallel),
        "structured_output": can(family.schema),
        "images": can("i" in family.parts),
        "documents": can("d" in family.parts),
        "audio": can("a" in family.parts and api == "chat"),
        "cache_hints": can(family.cache_marks),
        "verbosity": can(family.verbosity),
        "service_tiers": _tiers(family, api),
    }
    if family.window is not None:
        found |= {"context_window": family.window, "max_output_tokens": family.output}
    return found


def _tiers(family: Family, api: str) -> tuple[str, ...]:
    flex = ("flex",) if family.thinking != "never" and not family.prefix.startswith("o1") else ()
    return (*_TIERS, *flex, *(("ultrafast",) if api == "responses" else ()))


def _reasoning(family: Family, api: str) -> dict[str, Any]:
    if family.thinking == "never":
        return {"reasoning": "unsupported", "reasoning_effort": "unsupported", "tools_while_reasoning": "unsupported"}
    # Chat refuses the effort `max` on every model.
    efforts = tuple(word for word in family.efforts if api == "responses" or word != "max")
    found: dict[str, Any] = {
        "reasoning": "full",
        "reasoning_effort": "full",
        "tools_while_reasoning": _can(family.tools and not (api == "chat" and family.chat_tools_off)),
        "default_effort": family.default_effort,
    }
    return {**found, "reasoning_efforts": efforts} if efforts else found


def _sampling(family: Family, api: str) -> dict[str, Any]:
    if family.thinking == "always" or not family.sampling:
        lost = (*_SAMPLING, *_OLD_SAMPLING)
        return {**dict.fromkeys(lost, "unsupported"), "temperature_range": (1.0, 1.0)}
    found: dict[str, Any] = {**dict.fromkeys(_SAMPLING, "full"), "temperature_range": (0.0, 2.0)}
    if family.thinking != "never":
        return {**found, **dict.fromkeys(_OLD_SAMPLING, "unsupported"), "sampling_needs_no_reasoning": True}
    return {**found, **dict.fromkeys(_OLD_SAMPLING, "full")} if api == "chat" else found


def _noted(found: Capabilities, family: Family) -> Capabilities:
    notes = dict(found.notes)
    if family.assumed:
        notes["model"] = ASSUMED
    if family.only_responses:
        notes["api"] = "served by the Responses API only"
    if family.chat_tools_off:
        notes["tools_while_reasoning"] = "over Chat Completions this model calls tools only with reasoning_effort none"
    from dataclasses import replace

    return replace(found, notes=notes) if notes else found


def _can(yes: bool) -> str:
    return "full" if yes else "unsupported"
