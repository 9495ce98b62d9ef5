"""What the engine does for whoever keeps books: candidates left out, records withdrawn, requests sent anew."""

from __future__ import annotations

from typing import Any

import pytest

from byollm import Client
from byollm.errors import NoRouteError, PluginError
from byollm.plugin import Image, Request, Text, Tool, most_tokens
from byollm.providers.counting import estimate
from byollm.testing import ManualClock
from byollm.types.messages import Message
from byollm_sandbox import Fault, serve


def two(url: str) -> dict[str, Any]:
    target = {"provider": "custom", "model": "m", "endpoint": url, "authentication": "none"}
    return {"llm_config": {"deployments": {"a": target, "b": target}, "tasks": {"t": {"route": ["a", "b"]}}}}


class LeavesOut:
    """Middleware that knows better who should be asked."""

    position = "operation"

    def __init__(self, *names: str) -> None:
        self.names = names

    def around(self, call: Any, request: Any, next: Any) -> Any:
        call.skipped |= dict.fromkeys(self.names, "too dear")
        call.candidates = [line for line in call.candidates if line.name not in self.names]
        return (yield from next(request))


def test_middleware_may_leave_candidates_out() -> None:
    """The others are asked; with nobody left the call ends, and says why."""
    with serve() as twin:
        with Client(two(twin.url("openai-chat")), middleware=[LeavesOut("a")]) as client:
            assert "b" == client.complete("hi").deployment
        with Client(two(twin.url("openai-chat")), middleware=[LeavesOut("a", "b")]) as client:
            with pytest.raises(NoRouteError) as caught:
                client.complete("hi")
            assert {"a": "too dear", "b": "too dear"} == caught.value.skipped
        assert 1 == len(twin.requests)


def test_what_is_left_out_is_not_asked_later_either() -> None:
    """A call that can wait looks again who may answer; who was left out stays out."""
    with (
        serve() as twin,
        Client(two(twin.url("openai-chat")), middleware=[LeavesOut("a")], clock=ManualClock()) as client,
    ):
        assert "b" == client.complete("hi", defer=3600).deployment


class Told:
    """Keeps what it is told, by name."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def started(self, call: Any, deployment: str) -> None:
        self.words.append("started")

    def withdrawn(self, call: Any, deployment: str) -> None:
        self.words.append("withdrawn")

    def finished(self, call: Any, attempt: Any) -> None:
        self.words.append("finished")


class Refuses(Told):
    """Is required, and says no."""

    required = True

    def started(self, call: Any, deployment: str) -> None:
        raise PluginError("no record, no call")


def test_whoever_was_told_before_a_refusal_is_told_that_nothing_was_sent() -> None:
    """Not the one that refused, nor those behind it: they know of nothing."""
    before, refusing, behind = Told(), Refuses(), Told()
    with serve() as twin, Client(two(twin.url("openai-chat")), observers=[before, refusing, behind]) as client:
        with pytest.raises(PluginError, match="no record"):
            client.complete("hi")
        asked = len(twin.requests)

    assert (["started", "withdrawn"], [], [], 0) == (before.words, refusing.words, behind.words, asked)


def test_a_request_that_is_sent_anew_is_counted() -> None:
    """A connection that was kept broke before any answer: nobody knows whether the first request was read."""
    seen: list[int] = []

    class Watcher:
        def finished(self, call: Any, attempt: Any) -> None:
            seen.append(call.cancellation.resent)

    with serve() as twin, Client(two(twin.url("openai-chat")), observers=[Watcher()]) as client:
        client.complete("hi")
        twin.script(Fault("reset"))
        client.complete("hi")
        asked = len(twin.requests)

    assert ([0, 1], 3) == (seen, asked)


@pytest.mark.parametrize("request_", [
    Request("a short text"), Request("Übergrößenträger 漢字" * 50), Request("x", system="be brief"),
    Request("x", tools=[Tool("f", "does it", {"type": "object", "properties": {}})]),
], ids=["text", "letters", "system", "tools"])  # fmt: skip
def test_the_quick_bound_is_above_the_careful_one(request_: Request) -> None:
    """No token is less than a byte."""
    careful = estimate(request_).upper
    assert careful is not None
    assert careful <= most_tokens(request_)


def test_pictures_are_thought_to_be_large() -> None:
    """Each as much as a hundred thousand tokens, wherever it stands."""
    bare = most_tokens(Request("x"))
    shown = Request([Message("user", (Text("x"), Image("https://example.com/a.png")))])

    assert bare + 100_000 == most_tokens(shown)
