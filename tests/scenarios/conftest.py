"""A twin, and one way to ask that is sync in one run of a test and async in the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import byollm
from byollm.testing import ManualClock
from byollm_sandbox import Twins, serve

KEY = "sk-proj-Canary0123456789abcdefABCDEF+/=xyz"


@pytest.fixture
def twin() -> Iterator[Twins]:
    """A server of twins that takes one key."""
    with serve(key=KEY) as server:
        yield server


class Asker:
    """`ask.complete(…)` and `ask.stream(…)`, sync or async; `clock` never really sleeps."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.clock = ManualClock()

    def complete(self, config: Any, messages: Any = "hi", *, clock: Any = None, **parameters: Any) -> byollm.Completion:
        """One whole answer."""
        if self.mode == "sync":
            with byollm.Client(config, clock=clock) as client:
                return client.complete(messages, **parameters)

        async def run() -> byollm.Completion:
            async with byollm.AsyncClient(config, clock=clock) as client:
                return await client.complete(messages, **parameters)

        return asyncio.run(run())

    def stream(self, config: Any, messages: Any = "hi", *, clock: Any = None, **parameters: Any) -> byollm.Completion:
        """One streamed answer, read to its end."""
        if self.mode == "sync":
            with byollm.Client(config, clock=clock) as client, client.stream(messages, **parameters) as stream:
                for _ in stream:
                    pass
                return stream.completion

        async def run() -> byollm.Completion:
            async with (
                byollm.AsyncClient(config, clock=clock) as client,
                client.stream(messages, **parameters) as stream,
            ):
                async for _ in stream:
                    pass
                return stream.completion

        return asyncio.run(run())


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Asker:
    """Both shells, one after the other."""
    return Asker(request.param)


@pytest.fixture
def chat(twin: Twins) -> Callable[..., dict[str, Any]]:
    """A configuration for the twin of Chat Completions."""
    return lambda **more: {
        "provider": "custom",
        "model": "a-model",
        "endpoint": twin.url("openai-chat"),
        "api_key": KEY,
        **more,
    }


DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")


def target(twin: Twins, dialect: str, **more: Any) -> dict[str, Any]:
    """A configuration for the twin of one dialect."""
    provider, model = {
        "openai-chat": ("custom", "a-model"),
        "openai-responses": ("openai", "gpt-6-sol"),
        "anthropic-messages": ("anthropic", "claude-opus-5"),
    }[dialect]
    return {"provider": provider, "model": model, "endpoint": twin.url(dialect), "api_key": KEY, **more}
