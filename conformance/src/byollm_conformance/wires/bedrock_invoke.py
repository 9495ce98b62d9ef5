"""InvokeModel requests, read as the models' families read them: Claude's, Nova's, Titan's and Jurassic's bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from byollm.types.messages import Message
from byollm.types.parts import Text
from byollm_conformance.wire import Seen
from byollm_conformance.wires import anthropic_messages, bedrock_converse
from byollm_conformance.wires.reading import document_of, renamed

_TEXTS: Final = {
    "maxTokenCount": "max_tokens", "maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p",
}  # fmt: skip
_PENALTIES: Final = {"frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty"}
_READ: Final = {"inputText", "prompt", "textGenerationConfig", "stopSequences", *_TEXTS, *_PENALTIES}


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """An InvokeModel request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    placed = bedrock_converse.seen({}, url, headers)
    if "anthropic_version" in document:
        found = anthropic_messages.read_request(method, url, headers, body)
        rest = {name: value for name, value in found.rest.items() if not name.startswith("anthropic_")}
        return replace(found, model=placed.model, stream=placed.stream, rest=rest, key=placed.key)
    if "messages" in document:
        return bedrock_converse.seen(document, url, headers)
    config = document.get("textGenerationConfig") or document
    said = document.get("inputText", document.get("prompt"))
    if not isinstance(said, str):
        raise ValueError("the body is of no family that is known")
    parameters: dict[str, Any] = renamed(config, _TEXTS)
    if config.get("stopSequences") is not None:
        parameters["stop"] = tuple(config["stopSequences"])
    for name, neutral in _PENALTIES.items():
        if document.get(name) is not None:
            parameters[neutral] = document[name]["scale"]
    rest = {name: value for name, value in document.items() if name not in _READ}
    return replace(placed, messages=(Message("user", (Text(said),)),), parameters=parameters, rest=rest)
