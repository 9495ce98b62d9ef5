"""The families' rows as `Capabilities`, and what `GET /models/{id}` adds to them."""

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
from byollm_google.body import TIERS, resource
from byollm_google.failure import fail
from byollm_google.families import CURRENT, NOT_GEMINI, UNKNOWN_GEMINI, Family, family_of
from byollm_google.host import Host

FULL, PARTIAL, UNSUPPORTED, UNKNOWN = Support.full, Support.partial, Support.unsupported, Support.unknown

_ALWAYS: Final = ("streaming", "max_tokens", "stop", "seed", "count_tokens", "citations", "tool_error_flag")
"""What every Gemini takes."""
_NEVER: Final = (
    "logit_bias", "n", "verbosity", "cache_hints", "cache_key", "end_user_id", "metadata", "message_names",
    "parallel_tool_calls_off",
)  # fmt: skip
"""What the wire has no word for."""
_NOTES: Final = {
    "cache_hints": "prompts are cached by themselves; a cache made before goes into extra as cachedContent",
    "parallel_tool_calls_off": "the wire has no switch for it",
    "strict_tools": "said as the calling mode VALIDATED, for all functions of the request",
    "context_window": "of the prompt; the answer is counted apart",
}


def capabilities_of(model: str, host: Host) -> Capabilities:
    """What a model takes at a host. Of a model that is no Gemini, only the dialect's own limits are known."""
    family = family_of(model)
    values: dict[str, Any] = dict.fromkeys(_NEVER, UNSUPPORTED)
    values.update(temperature_range=(0.0, 2.0), stop_limit=5, logprobs=Support.not_implemented)
    values["store"] = PARTIAL if host.developer else UNSUPPORTED
    values["service_tier"] = FULL if host.developer else UNSUPPORTED
    if host.developer:
        values["service_tiers"] = tuple(TIERS)
    if family is not NOT_GEMINI:
        values.update(dict.fromkeys(_ALWAYS, FULL))
        values.update(_of_family(family, host))
    known = {name: value for name, value in values.items() if value is not None and value is not UNKNOWN}
    return Capabilities(**known, sources=dict.fromkeys(known, family.source or CURRENT), notes=_notes(family, host))


def _of_family(family: Family, host: Host) -> dict[str, Any]:
    thinks = FULL if family.thinking != "none" else UNSUPPORTED
    penalties = family.penalties
    if family.thinking == "budget" and host.developer:
        penalties = UNSUPPORTED  # the Gemini API refuses them on 2.5 (@ai-sdk/google 3.0.141), Vertex does not
    media = UNSUPPORTED if family.tools.refused else FULL if family.modern else PARTIAL
    return {
        "context_window": family.window,
        "max_output_tokens": family.output,
        "reasoning": thinks,
        "reasoning_effort": thinks,
        "reasoning_efforts": family.efforts,
        "system": FULL,
        **dict.fromkeys(("tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls"), family.tools),
        "provider_tools": family.tools,
        "tools_while_reasoning": family.tools,
        "tool_result_media": media,
        "strict_tools": UNSUPPORTED if family.tools.refused else PARTIAL,
        "structured_output": family.structured,
        "images": family.images,
        "documents": family.images,
        "image_urls": PARTIAL if family.modern else UNKNOWN,
        "document_urls": PARTIAL if family.modern else UNKNOWN,
        "audio": family.audio,
        "prefill": UNSUPPORTED if family.modern else UNKNOWN,
        **dict.fromkeys(("temperature", "top_p", "top_k"), family.sampling),
        **dict.fromkeys(("frequency_penalty", "presence_penalty"), penalties),
    }


def _notes(family: Family, host: Host) -> dict[str, str]:
    notes = dict(_NOTES)
    if host.developer:
        notes["store"] = "whether the request may be logged; there is no stored conversation to ask for"
    if family.sampling is UNSUPPORTED:
        notes["temperature"] = "the model accepts and ignores it, so it is not sent"
    elif family.thinking == "level" and family is not UNKNOWN_GEMINI and family.modern:
        notes["temperature"] = "below 1 the model may go round in circles"
    if not family.modern and family.known:
        notes["structured_output"] = "not together with tools"
    if family.modern and family.known:
        notes["prefill"] = "it answers an assistant's turn with nothing"
    return notes


def refinement(
    static: Capabilities, target: Target, headers: tuple[tuple[str, str], ...], auth: Any, base_path: str
) -> Exchange[Capabilities]:
    """Ask Google what the model takes: its limits and whether it thinks, over the bundled answer."""
    collection, _, name = resource(target.model).partition("/")
    url = join_url(target.endpoint, f"/{collection}/{path_segment(name)}", base_path=base_path)

    def reader(head: Head) -> Callable[[Frame], list[Capabilities]]:
        return lambda frame: [overlaid(static, checked.mapping(frame.data, "the model"))]

    return Exchange(request=HttpRequest("GET", url, headers), reader=reader, framing="json", auth=auth, fail=fail)


def overlaid(static: Capabilities, model: Mapping[str, Any]) -> Capabilities:
    """What `GET /models/{id}` says, over what is bundled. It says nothing of tools, schemas and media."""
    most = model.get("maxTemperature")
    thinking = model.get("thinking")
    later: dict[str, Any] = {
        "context_window": checked.tokens(model.get("inputTokenLimit"), "inputTokenLimit"),
        "max_output_tokens": checked.tokens(model.get("outputTokenLimit"), "outputTokenLimit"),
        "reasoning": thinking if isinstance(thinking, bool) else None,
        "temperature_range": (0.0, float(most)) if isinstance(most, int | float) and 0 < most <= 10 else None,
    }
    known = {name: value for name, value in later.items() if value is not None}
    return replace(static.merged(known, "GET /models"), refine=None)
