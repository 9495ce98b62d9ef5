"""`on_cut: restart`: a stream that was cut after content begins anew elsewhere, and says so."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from core_driving import Answer, AsyncScript, Script, line, refused, run, run_async, said, sse

from byollm import Finished, Request, Started, TextDelta
from byollm.async_streaming import AsyncStream
from byollm.config.llm_config import load
from byollm.engine.async_driver import AsyncDriver
from byollm.engine.call import Call
from byollm.engine.line import Retries
from byollm.engine.operation import Operation
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import ByollmError, QuotaExhaustedError, ServerError, StreamInterruptedError
from byollm.providers.pricing import Price
from byollm.streaming import Stream
from byollm.testing import ManualClock
from byollm.transports.base import Broken
from byollm.wire.assemble import Assembler

OK = said("a whole ", "answer", id="b2")
CUT = Answer(200, [sse({"id": "a1"}, {"t": "hel"}), sse({"t": "lo"}), Broken("reset", "yes")])
PRICED = Answer(200, [sse({"id": "a1"}, {"t": "hel"}, {"in": 3, "out": 5}), Broken("closed", "yes")])
RESTART = Retries(1, 5, on_cut="restart")


def two(retries: Retries = RESTART, **more: Any) -> list[Any]:
    return [line(None, name, retries=retries, **more) for name in ("one", "two")]


def stream(script: Script, lines: list[Any]) -> Stream:
    call = Call(clock=ManualClock(), stream=True)
    return Stream(SyncDriver(Operation().run(call, Request("hi", stream=True), lines), call, script), call)


def test_a_restart_is_marked_in_the_events() -> None:
    """After the part that was shown comes `Started(restarted=True)`; whoever forgets there has the whole answer."""
    with stream(Script(CUT, OK), two()) as answer:
        events = list(answer)

    assert [Started("a1"), TextDelta(1, "hel"), TextDelta(1, "lo"), Started("b2", restarted=True)] == events[:4]
    assert Finished is type(events[-1])
    assembled = Assembler()
    assembled.feed(events)
    assert answer.completion is not None
    assert "a whole answer" == assembled.completion().text == answer.completion.text == str(answer.partial)


def test_awaited_it_is_the_same() -> None:
    """The same events, in the same order."""

    async def go() -> list[Any]:
        call = Call(clock=ManualClock(), stream=True)
        steps = Operation().run(call, Request("hi", stream=True), two())
        async with AsyncStream(AsyncDriver(steps, call, AsyncScript(Script(CUT, OK))), call) as answer:
            return [event async for event in answer]

    with stream(Script(CUT, OK), two()) as answer:
        assert list(answer) == asyncio.run(go())


def test_without_a_word_in_the_file_it_fails() -> None:
    """Never silently: the error, with what had come."""
    with pytest.raises(StreamInterruptedError) as raised, stream(Script(CUT, OK), two(Retries(1, 5))) as answer:
        list(answer)

    assert "hello" == str(raised.value.partial)


@pytest.mark.parametrize("ask", [run, run_async])
def test_the_abandoned_part_is_on_record(ask: Any) -> None:
    """What it cost as far as the provider told, and that the rest is not known."""
    price = Price(Decimal(1_000_000), Decimal(2_000_000))
    done = ask(two(pricing=price), Script(PRICED, OK), stream=True)

    first, second = done.reply.attempts
    assert ("one", "unknown", Decimal(13), 5) == (first.deployment, first.billed, first.cost, first.usage.output_tokens)
    assert (StreamInterruptedError, "hel") == (type(first.error), first.error.partial.text)
    assert ("two", None, Decimal(13)) == (second.deployment, second.error, second.cost)


def test_the_request_is_the_same_both_times() -> None:
    """Nothing is made up from the part that was shown."""
    script = Script(CUT, OK)
    with stream(script, two()) as answer:
        list(answer)

    first, second = script.requests
    assert first.body == second.body


def test_with_nobody_left_it_fails() -> None:
    """One restart too many, or one deployment only: the last attempt's own error, and every attempt on record."""
    with pytest.raises(StreamInterruptedError) as raised, stream(Script(CUT, CUT), two()) as answer:
        list(answer)
    with pytest.raises(ServerError) as before, stream(Script(CUT, refused(500)), two()) as answer:
        list(answer)
    with pytest.raises(StreamInterruptedError) as alone, stream(Script(CUT), two()[:1]) as answer:
        list(answer)

    assert [2, 2, 1] == [len(it.value.attempts) for it in (raised, before, alone)]


def test_an_error_that_the_provider_meant_is_no_cut() -> None:
    """One that stops in the middle and says why is believed: nobody else is asked."""
    filtered = Answer(200, [sse({"id": "a1"}, {"t": "hel"}), sse({"error": "used up"})])
    script = Script(filtered, OK)

    with pytest.raises(ByollmError) as raised, stream(script, two()) as answer:
        list(answer)

    assert (QuotaExhaustedError, 1) == (type(raised.value), len(script.requests))


def test_the_file_says_so() -> None:
    """`retries: {on_cut: restart}`, beside `on_unknown`."""
    config = load({"provider": "openai", "model": "gpt-4", "retries": {"on_cut": "restart"}})

    assert "restart" == config.deployments["default"].retries.on_cut
