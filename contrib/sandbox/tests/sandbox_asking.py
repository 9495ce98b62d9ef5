"""The plainest way to ask a twin."""

from __future__ import annotations

from typing import Any

import httpx

from byollm_sandbox import Twins

PATHS = {"openai-chat": "/chat/completions", "openai-responses": "/responses", "anthropic-messages": "/v1/messages"}
DIALECTS = tuple(PATHS)
TERMINAL = {
    "openai-chat": '"finish_reason":"stop"',
    "openai-responses": "response.completed",
    "anthropic-messages": "message_stop",
}
"""What only a finished stream holds."""


def body_for(dialect: str, text: str = "hello", **more: Any) -> dict[str, Any]:
    """The smallest request a dialect takes."""
    messages = [{"role": "user", "content": text}]
    smallest: dict[str, dict[str, Any]] = {
        "openai-chat": {"model": "gpt-4o", "messages": messages},
        "openai-responses": {"model": "gpt-5.4", "input": text},
        "anthropic-messages": {"model": "claude-sonnet-5", "max_tokens": 4096, "messages": messages},
    }
    return {**smallest[dialect], **more}


class Asker:
    """Sends requests over one pool of connections."""

    def __init__(self, twin: Twins) -> None:
        self.twin = twin
        self.client = httpx.Client(timeout=10, headers={"anthropic-version": "2023-06-01"}, trust_env=False)

    def post(self, dialect: str, body: Any = None, *, name: str = "default", **options: Any) -> httpx.Response:
        """One request of a dialect; `body` None is the smallest."""
        url = self.twin.url(dialect, name=name) + PATHS[dialect]
        return self.client.post(url, json=body_for(dialect) if body is None else body, **options)

    def stream(self, dialect: str, body: Any = None, **options: Any) -> httpx.Response:
        """The same as a stream, read to its end."""
        return self.post(dialect, {**(body or body_for(dialect)), "stream": True}, **options)
