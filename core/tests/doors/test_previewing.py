"""`client.preview`: what would be sent is what is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

import byollm
from byollm.testing import ManualClock
from byollm.transports.replay import ReplayTransport

TARGET = {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-0123456789abcdef"}
ANSWER = b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'


class Louder:
    """Middleware that rewrites what is asked."""

    def around(self, call: Any, request: byollm.Request, next: Callable[[byollm.Request], Any]) -> Any:
        return (yield from next(request.with_(messages=[byollm.Message("user", "HI")])))


class Knowing:
    """Middleware that answers itself."""

    def around(self, call: Any, request: byollm.Request, next: Callable[[byollm.Request], Any]) -> Any:
        return byollm.Completion(parts=(byollm.Text("known"),), finish_reason="stop")
        yield


def shown(config: dict[str, Any], mode: str, *middleware: Any) -> Any:
    if mode == "sync":
        with byollm.Client(config, middleware=middleware, clock=ManualClock()) as client:
            return client.preview("hi").body

    async def run() -> Any:
        async with byollm.AsyncClient(config, middleware=middleware, clock=ManualClock()) as client:
            return client.preview("hi").body

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_middleware_has_its_say(mode: str):
    """A redactor's placeholders are shown, as they would be sent."""
    assert [{"role": "user", "content": "HI"}] == shown(TARGET, mode, Louder())["messages"]


def test_where_nobody_would_be_asked_the_request_is_shown_as_it_came():
    """There is nothing else to show."""
    assert [{"role": "user", "content": "hi"}] == shown(TARGET, "sync", Knowing())["messages"]


@pytest.mark.parametrize("extra", [{}, {"extra": {"seed_word": "x"}}])
def test_what_is_shown_is_what_is_sent(extra: dict[str, Any]):
    """With what the file adds to every body."""
    sent = ReplayTransport(200, {"content-type": "application/json"}, [ANSWER])
    with byollm.Client({**TARGET, **extra}, clock=ManualClock()) as client:
        client._transport = sent
        preview = client.preview("hi", temperature=0.5)
        client.complete("hi", temperature=0.5)

    assert json.loads(sent.requests[0].body) == preview.body
    assert ("seed_word" in preview.body) == bool(extra)
