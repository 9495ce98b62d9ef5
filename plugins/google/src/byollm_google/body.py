"""A request into the JSON body of `generateContent`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.plugin import Adjustment, Request
from byollm_google.families import Family, bare, family_of
from byollm_google.host import Host
from byollm_google.messages import conversation
from byollm_google.names import Names
from byollm_google.notes import Notes
from byollm_google.parts import Parts
from byollm_google.thinking import thinking_config
from byollm_google.tools import output_schema, tool_config, wire_tools

TIERS: Final = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}
"""`serviceTier` by neutral word."""
_SAMPLING: Final = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
_PLAIN: Final = {
    "max_tokens": "maxOutputTokens",
    "seed": "seed",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
_JOINED: Final = ("generationConfig", "toolConfig")
"""Objects in which `extra` adds to what byollm says, and wins."""
_VERTEX_COUNTED: Final = ("contents", "systemInstruction", "tools", "generationConfig")


@dataclass(frozen=True, slots=True)
class Built:
    """A body, what the translator changed on the way, and the tool names to turn back in the answer."""

    body: dict[str, Any]
    adjustments: tuple[Adjustment, ...]
    names: dict[str, str]


def build_body(request: Request, model: str, host: Host) -> Built:
    """The body for one model at one host. Raises UnsupportedFeatureError for what the wire cannot say."""
    family, names, notes = family_of(model), Names(), Notes()
    system, contents = conversation(request, family, Parts(host, family, names, notes), notes)
    body: dict[str, Any] = {}
    if system:
        body["systemInstruction"] = {"parts": system}
    body["contents"] = contents
    tools = wire_tools(request, family, host, names)
    if tools:
        body["tools"] = tools
        config = tool_config(request, tools, host, names)
        if config is not None:
            body["toolConfig"] = config
    generation = _generation(request, family, host, notes)
    if generation:
        body["generationConfig"] = generation
    if host.safety_settings:
        body["safetySettings"] = [dict(setting) for setting in host.safety_settings]
    _hints(body, request, host)
    _extra(body, (request.extra or {}).get(host.provider, {}))
    return Built(body, tuple(notes), names.back)


def count_body(request: Request, model: str, host: Host) -> dict[str, Any]:
    """The body of `countTokens` for exactly the request that `complete` would send."""
    body = build_body(request, model, host).body
    if host.developer:
        return {"generateContentRequest": {"model": resource(model), **body}}
    return {key: value for key, value in body.items() if key in _VERTEX_COUNTED}


def resource(model: str) -> str:
    """A model's name with the collection it stands in."""
    return model if model.startswith("tunedModels/") else f"models/{bare(model)}"


def _generation(request: Request, family: Family, host: Host, notes: Notes) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for field, word in _SAMPLING.items():
        value = getattr(request, field)
        if value is not None and not family.sampling.refused:
            config[word] = value
        elif value is not None:
            notes.add(field, "dropped", "the model takes no such parameter", value)
    for field, word in _PLAIN.items():
        value = getattr(request, field)
        if value is not None:
            config[word] = value
    if request.stop:
        config["stopSequences"] = list(request.stop)
    schema = output_schema(request, family, notes)
    if schema is not None:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = schema
    thinking = thinking_config(request, family, host, notes)
    if thinking is not None:
        config["thinkingConfig"] = thinking
    return config


def _hints(body: dict[str, Any], request: Request, host: Host) -> None:
    if not host.developer:
        return
    tier = TIERS.get(request.service_tier or "")
    if tier is not None:
        body["serviceTier"] = tier
    if request.store is not None:
        body["store"] = request.store


def _extra(body: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for name, value in extra.items():
        before = body.get(name)
        joins = name in _JOINED and isinstance(before, dict) and isinstance(value, Mapping)
        body[name] = {**before, **value} if joins and isinstance(before, dict) else value
