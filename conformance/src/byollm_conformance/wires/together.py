"""Together's Chat requests: OpenAI's, with a switch for reasoning and a number for logprobs (read 2026-11-21)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from byollm_conformance.wire import Rejection, Seen
from byollm_conformance.wires import openrouter
from byollm_conformance.wires.reading import document_of
from byollm_sandbox.dialects import OpenAIChat


class TogetherChat(OpenAIChat):
    """OpenAI's rules but for `logprobs`."""

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Together is known to refuse."""
        return super().validate(_plain(body), headers, compatible=compatible)


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """A request in neutral words. Raises ValueError for bytes that are none."""
    return openrouter.read_request(method, url, headers, json.dumps(_plain(document_of(body))).encode())


def _plain(body: Any) -> Any:
    if not isinstance(body, Mapping) or type(body.get("logprobs")) is not int:
        return body
    return {**body, "logprobs": True, "top_logprobs": body["logprobs"]}
