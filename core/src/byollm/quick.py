"""The module functions: one lazily made client per model name, for scripts and first steps."""

from __future__ import annotations

import threading
from typing import Any

from byollm.async_client import AsyncClient
from byollm.async_streaming import AsyncStream
from byollm.client import Client
from byollm.errors import ConfigError
from byollm.streaming import Stream
from byollm.types.completion import Completion
from byollm.types.forks import forkable

_lock = forkable(threading.Lock())
_clients: dict[str, Client] = {}
_async_clients: dict[str, AsyncClient] = {}


def complete(messages: Any, *, model: str, **parameters: Any) -> Completion:
    """`byollm.complete("hi", model="openai/gpt-6-sol")`: ask one model, wait for the whole answer."""
    return _client(model).complete(messages, **parameters)


def stream(messages: Any, *, model: str, **parameters: Any) -> Stream:
    """`with byollm.stream("hi", model="anthropic/claude-opus-5") as stream: …`."""
    return _client(model).stream(messages, **parameters)


async def acomplete(messages: Any, *, model: str, **parameters: Any) -> Completion:
    """`complete`, awaited."""
    return await _async_client(model).complete(messages, **parameters)


def astream(messages: Any, *, model: str, **parameters: Any) -> AsyncStream:
    """`stream`, entered with `async with`."""
    return _async_client(model).stream(messages, **parameters)


def _client(model: str) -> Client:
    _check(model)
    with _lock:
        if model not in _clients:
            _clients[model] = Client(model)
        return _clients[model]


def _async_client(model: str) -> AsyncClient:
    _check(model)
    with _lock:
        if model not in _async_clients:
            _async_clients[model] = AsyncClient(model)
        return _async_clients[model]


def _check(model: str) -> None:
    if not isinstance(model, str) or not ("/" in model or ":" in model):
        raise ConfigError(
            f"model {model!r} names no provider", hint='write it as "provider/model", e.g. "openai/gpt-6-sol"'
        )
