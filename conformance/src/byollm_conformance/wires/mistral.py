"""Mistral's Chat requests, read as the server reads them (mistralai 3.7.0's types, read 2026-11-21).

They are Chat Completions with words of their own, which are first turned into OpenAI's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from byollm_conformance.wire import Seen
from byollm_conformance.wires import openai_chat
from byollm_conformance.wires.reading import document_of


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    if "random_seed" in document:
        document["seed"] = document.pop("random_seed")
    document["messages"] = [_message(message) for message in document.get("messages") or []]
    return openai_chat.read_request(method, url, headers, json.dumps(document).encode())


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [_chunk(chunk) for chunk in content]}


def _chunk(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    if chunk["type"] == "document_url":
        named = {"filename": chunk["document_name"]} if chunk.get("document_name") else {}
        return {"type": "file", "file": {"file_data": chunk["document_url"], **named}}
    if chunk["type"] == "input_audio":
        return {"type": "input_audio", "input_audio": {"data": chunk["input_audio"], "format": "wav"}}
    if chunk["type"] == "image_url" and isinstance(chunk["image_url"], str):
        return {"type": "image_url", "image_url": {"url": chunk["image_url"]}}
    return chunk
