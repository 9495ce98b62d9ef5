"""Streams as the caller holds them: entered once, read once, broken off and gone on with."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from core_driving import Answer, AsyncScript, Script, line, refused, run, said, sse

from byollm import Finished, Request, Started, TextDelta, UsageReported
from byollm.async_streaming import AsyncStream
from byollm.engine.async_driver import AsyncDriver
from byollm.engine.call import Call
from byollm.engine.operation import Operation
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import CancelledError, ServerError, StreamInterruptedError
from byollm.streaming import Stream
from byollm.testing import ManualClock
from byollm.transports.base import Broken

OK = said("hel", "lo", " you")
CUT = Answer(200, [sse({"id": "a"}, {"t": "hel"}), sse({"t": "lo"}), Broken("reset", "yes")])


def stream(script: Script, *lines: Any) -> Stream:
    call = Call(clock=ManualClock(), stream=True)
    steps = Operation().run(call, Request("hi", stream=True), lines or [line()])
    return Stream(SyncDriver(steps, call, script), call)


def async_stream(script: Script, *lines: Any) -> AsyncStream:
    call = Call(clock=ManualClock(), stream=True)
    steps = Operation().run(call, Request("hi", stream=True), lines or [line()])
    return AsyncStream(AsyncDriver(steps, call, AsyncScript(script)), call)


def test_a_stream_gives_events_and_then_the_answer():
    """One beginning, the text in pieces, the usage, one end; afterwards the whole answer with its record."""
    with stream(Script(OK)) as answer:
        events = list(answer)

    assert [Started("a1"), *(TextDelta(1, it) for it in ("hel", "lo", " you"))] == events[:4]
    assert ([UsageReported], [Finished]) == ([type(events[-2])], [type(events[-1])])
    done = answer.completion
    assert ("hello you", 5, ["one"]) == (done.text, done.usage.output_tokens, [it.deployment for it in done.attempts])


def test_the_text_alone():
    """`text_stream` leaves out everything else."""
    with stream(Script(OK)) as answer:
        assert ["hel", "lo", " you"] == list(answer.text_stream)


def test_an_async_stream_is_the_same():
    """Awaited, with the same words."""

    async def go() -> Any:
        async with async_stream(Script(OK)) as answer:
            events = [event async for event in answer]
        async with async_stream(Script(OK)) as second:
            texts = [text async for text in second.text_stream]
        return events, texts, answer.completion

    events, texts, completion = asyncio.run(go())
    with stream(Script(OK)) as answer:
        assert (list(answer), answer.completion.parts) == (events, completion.parts)
    assert ["hel", "lo", " you"] == texts


@pytest.mark.parametrize("use", [iter, lambda it: list(it.text_stream), list])
def test_a_stream_that_was_not_entered_is_a_type_error(use: Any):
    """Leaving out `with` would leak a connection."""
    script = Script(OK)

    with pytest.raises(TypeError, match=r"with client\.stream"):
        use(stream(script))
    assert [] == script.requests


def test_an_async_stream_that_was_not_entered_is_a_type_error():
    """`async for` without `async with`."""

    async def go() -> None:
        async for _ in async_stream(Script(OK)):
            raise AssertionError("it was read")

    with pytest.raises(TypeError, match="async with"):
        asyncio.run(go())


def test_a_stream_is_entered_once():
    """It is one call."""
    answer = stream(Script(OK))
    with answer:
        list(answer)

    with pytest.raises(TypeError, match="once"), answer:
        raise AssertionError("it was entered twice")


def test_failures_before_content_are_raised_on_entering():
    """After three attempts, and with the provider's class."""
    with pytest.raises(ServerError), stream(Script(refused(500))):
        raise AssertionError("it was entered")


def test_breaking_off_and_going_on_loses_nothing_and_repeats_nothing():
    """Events of one portion are not given again."""
    script = Script(Answer(200, [sse({"id": "a"}, {"t": "a"}, {"t": "b"}, {"t": "c"}), sse({"t": "d"}, {"f": "stop"})]))
    seen = []
    with stream(script) as answer:
        for _ in range(4):
            for text in answer.text_stream:
                seen.append(text)
                break
        rest = list(answer)

    assert ["a", "b", "c", "d"] == seen
    assert [Finished("stop", "stop")] == rest


def test_what_had_come_can_be_asked_for_at_any_time():
    """`.partial` grows; without an end it has no reason."""
    grown = []
    with stream(Script(OK)) as answer:
        for _ in answer:
            grown.append((answer.partial.text, answer.partial.finish_reason))

    assert ("hel", None) == grown[0]
    assert ("hello you", "stop") == grown[-1]


def test_a_cut_stream_raises_and_keeps_what_had_come():
    """In the error and in the stream."""
    with stream(Script(CUT)) as answer, pytest.raises(StreamInterruptedError) as raised:
        list(answer)

    assert "hello" == raised.value.partial.text == answer.partial.text  # type: ignore[union-attr]  # there was content
    assert answer.completion.finish_reason is None


def test_leaving_early_closes_the_connection_and_books_the_attempt():
    """It is not used again, and what was sent may have cost money."""
    script = Script(OK)
    with stream(script) as answer:
        next(iter(answer))

    (attempt,) = answer.completion.attempts
    assert ([False], None) == (script.closed, answer.completion.finish_reason)
    assert ("one", "unknown", CancelledError) == (attempt.deployment, attempt.billed, type(attempt.error))
    with pytest.raises(TypeError, match="left before its end"):
        next(iter(answer))


def test_leaving_an_async_stream_early_is_the_same():
    """Closed and booked."""
    script = Script(OK)

    async def go() -> AsyncStream:
        async with async_stream(script) as answer:
            async for _ in answer:
                break
        return answer

    assert [("unknown", "CancelledError")] == [
        (it.billed, type(it.error).__name__) for it in asyncio.run(go()).completion.attempts
    ]
    assert [False] == script.closed


def test_breaking_off_at_the_end_is_reading_to_the_end():
    """Who stops at Finished has the whole answer, and its connection serves again."""
    script = Script(OK)
    with stream(script) as answer:
        for event in answer:
            if isinstance(event, Finished):
                break

    assert ("stop", [True], None) == (
        answer.completion.finish_reason, script.closed, answer.completion.attempts[0].error,
    )  # fmt: skip


def test_an_async_task_that_is_cancelled_drops_its_connection():
    """Whoever waits for a stream may be cancelled at any time."""
    script = Script(Answer(200, [sse({"id": "a"}, {"t": "hi"})]))
    answer = async_stream(script)

    async def go() -> None:
        async with answer:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())
    assert [False] == script.closed


def test_the_first_sight_of_an_answer_is_one_beginning():
    """Usage before the first content is held back with it: another deployment may still take over unseen."""
    quiet = Answer(200, [sse({"id": "a"}), sse({"out": 0}), Broken("reset", "yes")])
    done = run([line(name="d0"), line(name="d1")], Script(quiet, said("hi", id="b")), stream=True)

    assert [Started("b")] == [event for event in done.events if isinstance(event, Started)]
    assert ["hi"] == [event.text for event in done.events if isinstance(event, TextDelta)]


def test_a_stream_that_nobody_holds_is_gone_at_once():
    """Its connection too, without waiting for the collector of cycles."""
    script = Script(OK)
    gc.disable()
    try:
        answer = stream(script)
        answer.__enter__()
        next(iter(answer))
        opened = weakref.ref(answer._state.driver._response)
        del answer
        assert opened() is None
    finally:
        gc.enable()


def test_a_task_whose_loop_is_closed_goes_without_a_word(capsys: Any):
    """Nothing can be awaited any more; what is open is closed all the same."""

    class Hanging(AsyncScript):
        async def open(self, outgoing: Any) -> Any:
            opened = await super().open(outgoing)
            opened.read = lambda: asyncio.get_running_loop().create_future()
            return opened

    def asked(script: Script) -> AsyncStream:
        call = Call(stream=True)
        steps = Operation().run(call, Request("hi", stream=True), [line()])
        return AsyncStream(AsyncDriver(steps, call, Hanging(script)), call)

    async def go(script: Script) -> None:
        async with asked(script) as answer:
            async for _ in answer:
                pass

    script, loop = Script(OK), asyncio.new_event_loop()
    going = go(script)
    task = loop.create_task(going)
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    going.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # that asyncio complains of it is its own affair
    del task

    assert ([False], "") == (script.closed, capsys.readouterr().err)
