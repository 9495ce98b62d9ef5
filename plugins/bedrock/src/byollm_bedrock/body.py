"""A request into the JSON body of Converse; the same body streams."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.plugin import Adjustment, Request
from byollm_anthropic import dialect as claude
from byollm_bedrock.blocks import Blocks
from byollm_bedrock.families import Family, family_of, schema_support
from byollm_bedrock.messages import conversation
from byollm_bedrock.model_ids import ModelId
from byollm_bedrock.names import Names
from byollm_bedrock.notes import Notes
from byollm_bedrock.state import CONVERSE, HOME, PROVIDER, Home
from byollm_bedrock.tools import output_config, tool_config

TIERS: Final = {
    "default": "default", "standard": "default", "flex": "flex", "priority": "priority", "reserved": "reserved",
}  # fmt: skip
"""`serviceTier.type` by neutral word."""
COUNTED: Final = ("messages", "system", "toolConfig", "additionalModelRequestFields")
"""What CountTokens takes of a Converse request (botocore 1.44.5, read 2026-11-21)."""
CACHE_LIMIT: Final = 4
METADATA_LIMIT: Final = 16
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_MATCHED: Final = ["/stop_sequence", "/delta/stop_sequence"]
"""Where Claude says which stop string ended the answer, whole and streamed."""
_JOINED: Final = ("inferenceConfig", "additionalModelRequestFields", "outputConfig", "toolConfig", "requestMetadata")
_HOST: Final = claude.Host(provider=PROVIDER, transport=CONVERSE)


@dataclass(frozen=True, slots=True)
class Built:
    """A body, what the translator changed on the way, and the tool names to turn back in the answer."""

    body: dict[str, Any]
    adjustments: tuple[Adjustment, ...]
    names: dict[str, str]


def build_body(request: Request, model: ModelId, options: Mapping[str, Any], home: Home = HOME) -> Built:
    """The body for one model. Raises UnsupportedFeatureError for what the wire cannot say."""
    family, notes = family_of(model), Notes()
    names = Names(short=family.short_ids)
    fields, keep = _thinking(request, family, model, notes)
    blocks = Blocks(family, names, notes, keep_thinking=keep, home=home)
    system, messages = conversation(request, blocks, notes)
    body: dict[str, Any] = {"messages": messages}
    if system:
        body["system"] = system
    inference = _inference(request, family, fields, notes)
    if inference:
        body["inferenceConfig"] = inference
    config, choice = tool_config(request, family, names, notes)
    if config is not None:
        body["toolConfig"] = config
    fields.update(choice)
    if options.get("betas") and family.effort == "claude":
        fields["anthropic_beta"] = sorted(set(options["betas"]))
    if fields:
        body["additionalModelRequestFields"] = fields
    wanted = output_config(request, schema_support(model), notes)
    if wanted is not None:
        body["outputConfig"] = wanted
    if family.effort == "claude" and inference.get("stopSequences"):
        body["additionalModelResponseFieldPaths"] = _MATCHED
    _hints(body, request, options, notes)
    _trim(body, notes)
    _extra(body, (request.extra or {}).get(PROVIDER, {}))
    return Built(body, tuple(notes), names.back)


def count_body(request: Request, model: ModelId, options: Mapping[str, Any]) -> dict[str, Any]:
    """The body of CountTokens for exactly the request that `complete` would send."""
    body = build_body(request, model, options).body
    return {"input": {CONVERSE: {key: value for key, value in body.items() if key in COUNTED}}}


def _thinking(request: Request, family: Family, model: ModelId, notes: Notes) -> tuple[dict[str, Any], bool]:
    """The model's own fields for an effort, and whether thinking of earlier turns may be sent along."""
    if family.effort == "claude":
        found = claude.thinking_of(request, model.base, _HOST)
        notes += found.adjustments
        return dict(found.fields), found.keep
    effort = request.reasoning_effort
    if effort is None:
        return {}, True
    if family.effort == "nova":
        on = {"type": "enabled", "maxReasoningEffort": effort}
        return {"reasoningConfig": {"type": "disabled"} if effort == "none" else on}, True
    if family.effort == "flat":
        return {"reasoning_effort": effort}, True
    if family.effort == "nested":
        return {"reasoning": {"effort": effort}}, True
    if family.effort == "config":
        return {"reasoning_config": effort}, True
    if effort != "none":
        notes.add("reasoning_effort", "dropped", "the model has no such setting", effort)
    return {}, True


def _inference(request: Request, family: Family, fields: dict[str, Any], notes: Notes) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.max_tokens is not None:
        config["maxTokens"] = max(1, request.max_tokens)
    for field, word in (("temperature", "temperature"), ("top_p", "topP")):
        value = getattr(request, field)
        if value is not None:
            config[word] = value
    words = [word for word in request.stop or () if word.strip() or family.effort != "claude"]
    if len(words) != len(request.stop or ()):
        blank = tuple(word for word in request.stop or () if not word.strip())
        notes.add("stop", "dropped", "the server refuses stop strings made of white space", blank)
    if words:
        config["stopSequences"] = words
    if request.top_k is not None and family.top_k == "nova":
        fields["inferenceConfig"] = {"topK": request.top_k}
    elif request.top_k is not None and family.top_k:
        fields["top_k"] = request.top_k
    elif request.top_k is not None:
        notes.add("top_k", "dropped", "the wire has no place for it, and this model none of its own", request.top_k)
    return config


def _hints(body: dict[str, Any], request: Request, options: Mapping[str, Any], notes: Notes) -> None:
    tier = TIERS.get(request.service_tier or "")
    if tier is not None:
        body["serviceTier"] = {"type": tier}
    if options.get("latency"):
        body["performanceConfig"] = {"latency": options["latency"]}
    guardrail = options.get("guardrail")
    if guardrail:
        body["guardrailConfig"] = {
            "guardrailIdentifier": guardrail["identifier"],
            "guardrailVersion": guardrail["version"],
            **({"trace": guardrail["trace"]} if guardrail.get("trace") else {}),
        }
    metadata = request.metadata or {}
    legal = {key: value for key, value in metadata.items() if key and _legal(key) and _legal(value)}
    legal = dict(list(legal.items())[:METADATA_LIMIT])
    if len(legal) != len(metadata):
        gone = tuple(key for key in metadata if key not in legal)
        notes.add("metadata", "dropped", f"at most {METADATA_LIMIT} pairs of plain letters are taken", gone)
    if legal:
        body["requestMetadata"] = legal


def _legal(text: str) -> bool:
    return text.isascii() and _METADATA.fullmatch(text) is not None


def _trim(body: dict[str, Any], notes: Notes) -> None:
    """Keep the last four cache points, which cover the longest prompts, and never a longer life after a shorter one."""
    lists = [body.get("toolConfig", {}).get("tools", []), body.get("system", [])]
    lists += [message["content"] for message in body["messages"]]
    points = [block for content in lists for block in content if "cachePoint" in block]
    surplus = points[:-CACHE_LIMIT]
    if surplus:
        for content in lists:
            content[:] = [block for block in content if not any(block is point for point in surplus)]
        reason = f"a request takes {CACHE_LIMIT} cache points: the last were kept"
        notes.add("cache", "dropped", reason, len(points), CACHE_LIMIT)
    short = False
    for block in points[-CACHE_LIMIT:]:
        point = block["cachePoint"]
        if point.get("ttl") != "1h":
            short = True
        elif short:
            point["ttl"] = "5m"
            notes.add("cache", "mapped", "an hour cannot follow five minutes in one prompt", "1h", "5m")


def _extra(body: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for name, value in extra.items():
        before = body.get(name)
        joins = name in _JOINED and isinstance(before, dict) and isinstance(value, Mapping)
        body[name] = {**before, **value} if joins and isinstance(before, dict) else value
