"""OpenRouter's Chat requests: OpenAI's, with the effort inside `reasoning` (read 2026-11-21)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from byollm_conformance.wire import Seen
from byollm_conformance.wires import openai_chat
from byollm_conformance.wires.reading import document_of


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A request in neutral words. Raises ValueError for bytes that are none."""
    document = document_of(body)
    reasoning = document.pop("reasoning", None) or {}
    effort = reasoning.get("effort")
    if effort is None and reasoning.get("enabled") is not None:
        effort = "medium" if reasoning["enabled"] else "none"  # Together's switch
    if effort is not None:
        document["reasoning_effort"] = effort
    return openai_chat.read_request(method, url, headers, json.dumps(document).encode())
