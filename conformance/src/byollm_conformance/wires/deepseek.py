"""DeepSeek's Chat requests: OpenAI's, with `thinking` for the effort, and schemas in words (read 2026-11-21)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from byollm_conformance.wire import Seen
from byollm_conformance.wires import openai_chat
from byollm_conformance.wires.reading import document_of

_SCHEMA: Final = "JSON schema:\n"


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    thinking = document.pop("thinking", None)
    if thinking == {"type": "disabled"}:
        document["reasoning_effort"] = "none"
    if document.get("response_format") == {"type": "json_object"}:
        document = _with_schema(document)
    return openai_chat.read_request(method, url, headers, json.dumps(document).encode())


def _with_schema(document: dict[str, Any]) -> dict[str, Any]:
    """As a model reads it: an instruction that ends in a schema asks for an answer that fits it."""
    first, *rest = document["messages"]
    said, met, schema = str(first["content"]).partition(_SCHEMA)
    if first["role"] != "system" or not met:
        return document
    told = {"type": "json_schema", "json_schema": {"name": said, "schema": json.loads(schema)}}
    return {**document, "messages": rest, "response_format": told}
