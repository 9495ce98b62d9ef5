"""A request into the JSON body of the Messages API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from byollm.plugin import Adjustment, Request
from byollm_anthropic import cache
from byollm_anthropic.blocks import Blocks
from byollm_anthropic.families import Family, family_of
from byollm_anthropic.host import Host
from byollm_anthropic.messages import conversation
from byollm_anthropic.names import Names, wire_user
from byollm_anthropic.notes import Notes
from byollm_anthropic.thinking import plan
from byollm_anthropic.tools import check_schemas, output_format, tool_choice, wire_tools

COUNTED: Final = (
    "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed",
)  # fmt: skip
"""What `count_tokens` takes of a body (wire facts, read 2026-11-21); the rest is answered with 400."""
TIERS: Final = {"auto": "auto", **dict.fromkeys(("default", "standard", "standard_only"), "standard_only")}
"""`service_tier` by neutral word."""


@dataclass(frozen=True, slots=True)
class Built:
    """A body, what the translator changed on the way, and the tool names to turn back in the answer."""

    body: dict[str, Any]
    adjustments: tuple[Adjustment, ...]
    names: dict[str, str]


def build_body(request: Request, model: str, host: Host, *, region: str | None = None) -> Built:
    """The body for one model at one host. Raises UnsupportedFeatureError for what the wire cannot say."""
    family, names, notes = family_of(model), Names(), Notes()
    max_tokens = request.max_tokens if request.max_tokens is not None else family.default_max_tokens
    thinking = plan(request, family, host, max_tokens, notes)
    system, messages = conversation(request, family, Blocks(host, names, thinking.keep), notes)
    body: dict[str, Any] = _envelope(model, host)
    body["max_tokens"] = max_tokens
    if system is not None:
        body["system"] = system
    body["messages"] = messages
    _tools(body, request, host, names, notes)
    _sampling(body, request, host, family, notes)
    _stop(body, request, notes)
    if thinking.thinking is not None:
        body["thinking"] = thinking.thinking
    _output(body, request, thinking.effort, notes)
    _hints(body, request, host, region, notes)
    if request.stream and host.stream_in_body:
        body["stream"] = True
    cache.trim(body, notes)
    body.update((request.extra or {}).get(host.provider, {}))
    return Built(body, tuple(notes), names.back)


def count_body(request: Request, model: str, host: Host) -> dict[str, Any]:
    """The same body as `build_body` makes, without what the counting endpoint refuses."""
    body = build_body(request, model, host).body
    return {key: value for key, value in body.items() if key in COUNTED}


def _envelope(model: str, host: Host) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if host.version_in_body is not None:
        body["anthropic_version"] = host.version_in_body
    if host.betas_in_body and host.betas:
        body["anthropic_beta"] = list(host.betas)
    if host.model_in_body:
        body["model"] = model
    return body


def _tools(body: dict[str, Any], request: Request, host: Host, names: Names, notes: Notes) -> None:
    tools = wire_tools(request, host, names, notes)
    if not tools:
        return  # an empty list, and a choice among nothing, are refused
    body["tools"] = tools
    choice = tool_choice(request, names)
    if choice is not None:
        body["tool_choice"] = choice


def _sampling(body: dict[str, Any], request: Request, host: Host, family: Family, notes: Notes) -> None:
    for field in ("temperature", "top_p", "top_k"):
        value = getattr(request, field)
        if value is None:
            continue
        if host.samples and not family.sampling.refused:
            body[field] = value
        else:
            notes.add(field, "dropped", "the model takes no such parameter", value)


def _stop(body: dict[str, Any], request: Request, notes: Notes) -> None:
    words = [word for word in request.stop or () if word.strip()]
    if len(words) != len(request.stop or ()):
        blank = tuple(word for word in request.stop or () if not word.strip())
        notes.add("stop", "dropped", "the server refuses stop strings made of white space", blank)
    if words:
        body["stop_sequences"] = words


def _output(body: dict[str, Any], request: Request, effort: str | None, notes: Notes) -> None:
    wanted = output_format(request, notes)
    check_schemas(body.get("tools", []), wanted)
    config: dict[str, Any] = {}
    if effort is not None:
        config["effort"] = effort
    if wanted is not None:
        config["format"] = wanted
    if config:
        body["output_config"] = config


def _hints(body: dict[str, Any], request: Request, host: Host, region: str | None, notes: Notes) -> None:
    if request.end_user_id:
        user = wire_user(request.end_user_id)
        if user != request.end_user_id:
            notes.add("end_user_id", "mapped", "ids that look like an e-mail address or a number are sent as a digest")
        body["metadata"] = {"user_id": user}
    tier = TIERS.get(request.service_tier or "")
    if tier is not None:
        body["service_tier"] = tier
    if region is not None and host.geo:
        body["inference_geo"] = region
