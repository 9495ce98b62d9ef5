"""The families' rows as `Capabilities`, and what `GET /v1/models/{id}` adds to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from byollm.plugin import (
    Capabilities,
    Exchange,
    Frame,
    Head,
    HttpRequest,
    Support,
    Target,
    checked,
    join_url,
    path_segment,
)
from byollm_anthropic.body import TIERS
from byollm_anthropic.failure import fail
from byollm_anthropic.families import CURRENT, NOT_CLAUDE, Family, family_of
from byollm_anthropic.host import Host

FULL, UNSUPPORTED, UNKNOWN = Support.full, Support.unsupported, Support.unknown

_ALWAYS: Final = (
    "streaming", "system", "tools", "parallel_tool_calls", "parallel_tool_calls_off", "tools_while_reasoning",
    "tool_error_flag", "tool_result_media", "images", "image_urls", "max_tokens", "stop", "service_tier", "cache_hints",
    "end_user_id", "provider_tools", "count_tokens", "citations",
)  # fmt: skip
"""What every Claude takes."""
_NEVER: Final = (
    "audio", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "n", "verbosity", "cache_key",
    "metadata", "store", "message_names",
)  # fmt: skip
"""What the Messages API has no word for."""


def capabilities_of(model: str, host: Host) -> Capabilities:
    """What a model takes at a host. Of a model that is no Claude, only the dialect's own limits are known."""
    family = family_of(model)
    values: dict[str, Any] = dict.fromkeys(_NEVER, UNSUPPORTED)
    values.update(temperature_range=(0.0, 1.0), default_max_tokens=family.default_max_tokens)
    if family is not NOT_CLAUDE:
        values.update(dict.fromkeys(_ALWAYS, FULL))
        values.update(_of_family(family), service_tiers=tuple(TIERS))
    values.update(_sampling(family, host))
    source = family.source or CURRENT
    known = {name: value for name, value in values.items() if value is not None and value is not UNKNOWN}
    return Capabilities(**known, sources=dict.fromkeys(known, source), notes=_notes(family))


def _of_family(family: Family) -> dict[str, Any]:
    thinks = FULL if family.thinking != "none" else UNSUPPORTED
    return {
        "context_window": family.context_window,
        "max_output_tokens": family.max_output,
        "reasoning": thinks,
        "reasoning_effort": thinks,
        "reasoning_efforts": family.efforts,
        "default_effort": "none" if family.thinks is False else None,
        "tool_choice_required": family.forced,
        "tool_choice_named": family.forced,
        "prefill": family.prefill,
        "structured_output": family.structured,
        "strict_tools": family.structured,
        "documents": family.documents,
        "document_urls": family.documents,
    }


def _sampling(family: Family, host: Host) -> dict[str, Any]:
    support = family.sampling if host.samples else UNSUPPORTED
    values: dict[str, Any] = dict.fromkeys(("temperature", "top_p", "top_k"), support)
    if support is FULL:
        values.update(sampling_needs_no_reasoning=True, temperature_xor_top_p=not family.pair)
    return values


def _notes(family: Family) -> dict[str, str]:
    notes = {"store": "the Messages API keeps no conversation to ask for later", "stop": "white space alone is refused"}
    if family.cache_least is not None:
        notes["cache_hints"] = f"prompts under {family.cache_least} tokens are not cached; at most 4 hints a request"
    if family.thinks:
        notes["default_effort"] = "it thinks when not told, as much as the provider sees fit"
    if family.thinking == "budget":
        notes["reasoning_effort"] = "said as a budget of tokens, which counts inside max_tokens"
    return notes


def refinement(
    static: Capabilities, target: Target, headers: tuple[tuple[str, str], ...], auth: Any
) -> Exchange[Capabilities]:
    """Ask Anthropic what the model takes: limits, efforts and media, over the bundled answer."""
    url = join_url(target.endpoint, f"/models/{path_segment(target.model)}", base_path="/v1")

    def reader(head: Head) -> Callable[[Frame], list[Capabilities]]:
        return lambda frame: [overlaid(static, checked.mapping(frame.data, "the model"))]

    return Exchange(request=HttpRequest("GET", url, headers), reader=reader, framing="json", auth=auth, fail=fail)


def overlaid(static: Capabilities, model: Mapping[str, Any]) -> Capabilities:
    """What `GET /v1/models/{id}` says, over what is bundled. It says nothing of sampling, prefill and forced tools."""
    told = model.get("capabilities")
    can = told if isinstance(told, Mapping) else {}
    later: dict[str, Any] = {
        "context_window": checked.tokens(model.get("max_input_tokens"), "max_input_tokens"),
        "max_output_tokens": checked.tokens(model.get("max_tokens"), "max_tokens"),
        "structured_output": _supported(can, "structured_outputs"),
        "strict_tools": _supported(can, "structured_outputs"),
        "images": _supported(can, "image_input"),
        "documents": _supported(can, "pdf_input"),
        "citations": _supported(can, "citations"),
        "reasoning": _supported(can, "thinking"),
    }
    known = {name: value for name, value in later.items() if value is not None}
    return replace(static.merged(known, "GET /v1/models"), refine=None)


def _supported(can: Mapping[str, Any], name: str) -> bool | None:
    told = can.get(name)
    value = told.get("supported") if isinstance(told, Mapping) else None
    return value if isinstance(value, bool) else None
