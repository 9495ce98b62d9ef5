"""A twin, and one way to ask that is sync in one run of a test and async in the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
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


class Session:
    """One client for many calls, sync or async: `complete(…)` and `stream(…)`, which reads a stream to its end."""

    def __init__(self, mode: str, config: Any, clock: Any) -> None:
        self.mode = mode
        self.client: Any = (byollm.Client if mode == "sync" else byollm.AsyncClient)(config, clock=clock)
        self.runner = asyncio.Runner()

    def complete(self, messages: Any = "hi", **parameters: Any) -> byollm.Completion:
        """One whole answer."""
        if self.mode == "sync":
            return self.client.complete(messages, **parameters)

        async def run() -> byollm.Completion:
            return await self.client.complete(messages, **parameters)

        return self.runner.run(run())

    def stream(self, messages: Any = "hi", **parameters: Any) -> byollm.Completion:
        """One streamed answer, read to its end."""
        if self.mode == "sync":
            with self.client.stream(messages, **parameters) as stream:
                for _ in stream:
                    pass
                return stream.completion

        async def run() -> byollm.Completion:
            async with self.client.stream(messages, **parameters) as stream:
                async for _ in stream:
                    pass
                return stream.completion

        return self.runner.run(run())

    def close(self) -> None:
        """End the client."""
        self.client.close() if self.mode == "sync" else self.runner.run(self.client.aclose())
        self.runner.close()


class Asker:
    """`ask.complete(…)` and `ask.stream(…)`, sync or async, each with a client of its own; `ask.session(…)` keeps one.

    `clock` never really sleeps.
    """

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.clock = ManualClock()

    def session(self, config: Any, *, clock: Any = None) -> closing[Session]:
        """One client, closed at the end of the block."""
        return closing(Session(self.mode, config, clock))

    def complete(self, config: Any, messages: Any = "hi", *, clock: Any = None, **parameters: Any) -> byollm.Completion:
        """One whole answer."""
        with self.session(config, clock=clock) as session:
            return session.complete(messages, **parameters)

    def stream(self, config: Any, messages: Any = "hi", *, clock: Any = None, **parameters: Any) -> byollm.Completion:
        """One streamed answer, read to its end."""
        with self.session(config, clock=clock) as session:
            return session.stream(messages, **parameters)


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
