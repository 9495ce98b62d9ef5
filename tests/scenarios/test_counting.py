"""A count goes the way of a call: what middleware hides from a provider, its counting endpoint does not see either."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import byollm
from byollm_sandbox import Twins, serve

SECRET = "Ann Example"


class Redactor:
    """Takes the name out."""

    def __init__(self, position: str) -> None:
        self.position = position

    def around(self, call: Any, request: byollm.Request, next: Any) -> Any:
        return (yield from next(request.with_(messages=request.messages[0].text.replace(SECRET, "[name]"))))


class Cache:
    """Answers everything itself."""

    position = "operation"

    def around(self, call: Any, request: byollm.Request, next: Any) -> Any:
        return byollm.Completion(parts=(byollm.Text("from the cache"),), finish_reason="stop")
        yield  # a generator, as middleware is


class Refuser:
    """Lets nothing out."""

    position = "operation"

    def around(self, call: Any, request: byollm.Request, next: Any) -> Any:
        raise byollm.errors.QuotaExhaustedError("the budget is used up")
        yield  # a generator, as middleware is


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve() as sandbox:
        yield sandbox


def count(twin: Twins, asynchronous: bool, *middleware: Any) -> byollm.TokenCount:
    config = {
        "provider": "anthropic", "model": "claude-opus-5", "endpoint": twin.url("anthropic-messages"), "api_key": "any",
    }  # fmt: skip
    if not asynchronous:
        with byollm.Client(config, middleware=middleware) as client:
            return client.count_tokens(f"Who is {SECRET}?")

    async def ask() -> byollm.TokenCount:
        async with byollm.AsyncClient(config, middleware=middleware) as client:
            return await client.count_tokens(f"Who is {SECRET}?")

    return asyncio.run(ask())


both = pytest.mark.parametrize("asynchronous", [False, True])


@both
def test_without_middleware_the_endpoint_counts(twin: Twins, asynchronous: bool) -> None:
    """The whole text goes there, and the count is the provider's."""
    assert "count_tokens" in (count(twin, asynchronous).source or "")
    assert [SECRET in str(request.json) for request in twin.requests] == [True]


@both
@pytest.mark.parametrize("position", ["operation", "attempt"])
def test_the_endpoint_sees_what_the_model_would(twin: Twins, asynchronous: bool, position: str) -> None:
    """The name is gone, and the provider counted what is left."""
    assert "count_tokens" in (count(twin, asynchronous, Redactor(position)).source or "")
    assert [SECRET in str(request.json) for request in twin.requests] == [False]


@both
def test_where_nothing_would_be_sent_nobody_is_asked(twin: Twins, asynchronous: bool) -> None:
    """A cache that would answer leaves core's own estimate."""
    assert "count_tokens" not in (count(twin, asynchronous, Cache()).source or "")
    assert [] == twin.requests


@both
def test_who_may_not_call_may_not_count(twin: Twins, asynchronous: bool) -> None:
    """A middleware that refuses the call refuses the count."""
    with pytest.raises(byollm.errors.QuotaExhaustedError):
        count(twin, asynchronous, Refuser())
    assert [] == twin.requests
