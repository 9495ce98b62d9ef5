"""The plainest batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
from anthropic.types.messages import MessageBatch
from openai.types import Batch
from sandbox_asking import body_for

ENDPOINTS = {"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses"}


def requests_for(*names: str, **more: Any) -> list[Any]:
    """Anthropic's requests of those custom ids, with `more` in their parameters."""
    return [{"custom_id": name, "params": body_for("anthropic-messages", **more)} for name in names]


def line_for(name: str, dialect: str = "openai-chat", **more: Any) -> dict[str, Any]:
    """One line of OpenAI's input, with `more` in its body."""
    return {"custom_id": name, "method": "POST", "url": ENDPOINTS[dialect], "body": body_for(dialect, **more)}


def lines_for(*lines: Any) -> bytes:
    """The input file: bytes as they are, all else as JSON."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def upload(client: openai.OpenAI, *lines: Any) -> str:
    """The id of a file for batches."""
    return client.files.create(file=("in.jsonl", lines_for(*lines)), purpose="batch").id


def begun(client: openai.OpenAI, *lines: Any, dialect: str = "openai-chat", **more: Any) -> Batch:
    """A batch of those lines; names stand for the plainest."""
    made = [line_for(line, dialect) if isinstance(line, str) else line for line in lines]
    endpoint: Any = ENDPOINTS[dialect]
    file = upload(client, *made)
    return client.batches.create(input_file_id=file, endpoint=endpoint, completion_window="24h", **more)


def told(client: openai.OpenAI, file: str | None) -> dict[str, Any]:
    """The lines of a file by custom id; none of no file."""
    lines = client.files.content(file).text.splitlines() if file else []
    return {line["custom_id"]: line for line in map(json.loads, lines)}


def outcomes(client: anthropic.Anthropic, batch: MessageBatch) -> dict[str, str]:
    """How Anthropic's results tell each request ended."""
    return {entry.custom_id: entry.result.type for entry in client.messages.batches.results(batch.id)}


def refused(kind: type[Exception], ask: Callable[..., Any], *given: Any, **named: Any) -> str:
    """The sentence with which a request is refused, as that class of the SDK."""
    try:
        ask(*given, **named)
    except kind as error:
        return str(error)
    raise AssertionError("it was taken")
