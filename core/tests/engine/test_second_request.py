"""The rare second request: an exchange that is asked again, and is one answer to the caller."""

from typing import Any

import pytest
from core_driving import Acme, Answer, Script, events_in, line, refused, run, run_async, said, sse

from byollm import Started, TextDelta
from byollm.errors import PluginError, ServerError, StreamInterruptedError
from byollm.plugin import Bearer, Exchange, HttpRequest

ASK: Any = pytest.mark.parametrize("ask", [run, run_async])


def poll(number: int, times: int) -> Any:
    """After the `number`th answer: another request, until `times` were made."""

    def then(events: list[Any]) -> Exchange[Any] | None:
        if number == times:
            return None
        return Exchange(
            request=HttpRequest("GET", f"http://one.example/jobs/{number}"),
            reader=lambda head: events_in,
            framing="sse",
            auth=Bearer(),
            then=poll(number + 1, times),
        )

    return then


def polling(times: int) -> Acme:
    plugin = Acme()
    plugin.then = poll(0, times)
    return plugin


QUEUED = Answer(200, [sse({"id": "job"}, {"t": "queued"})])


@ASK
@pytest.mark.parametrize("times", [0, 1, 3])
@pytest.mark.parametrize("stream", [True, False])
def test_it_is_asked_until_it_has_answered(ask: Any, times: int, stream: bool):
    """Whatever came before the answer is no part of it: one beginning, one text, one attempt."""
    script = Script(*[QUEUED] * times, said("hel", "lo"))

    done = ask(line(polling(times)), script, stream=stream)

    assert ("hello", 1, times + 1) == (done.reply.text, len(done.reply.attempts), len(script.requests))
    assert [Started("a1")] == [event for event in done.events if isinstance(event, Started)]
    assert "hello" == "".join(event.text for event in done.events if isinstance(event, TextDelta))
    assert [f"http://one.example/jobs/{number}" for number in range(times)] == [it.url for it in script.requests[1:]]
    assert [True] * (times + 1) == script.closed


@ASK
def test_a_failure_on_the_way_is_the_attempts(ask: Any):
    """It is retried from the beginning, as one attempt."""
    done = ask(line(polling(1)), Script(QUEUED, refused(500), QUEUED, said("hello")))

    assert ("hello", [ServerError, None]) == (
        done.reply.text, [it.error and type(it.error) for it in done.reply.attempts],
    )  # fmt: skip


def test_an_end_that_never_comes_is_an_interrupted_stream():
    """The last answer must have its terminal marker."""
    assert StreamInterruptedError is type(run(line(polling(1)), Script(QUEUED)).error)


def test_what_is_no_next_request_is_the_plugins_mistake():
    """Told before anybody stumbles over it."""
    plugin = Acme()
    plugin.then = lambda events: "again"

    error = run(line(plugin), Script(said("hello"))).error

    assert (PluginError, "that is a str" in error.message) == (type(error), True)


def test_a_plugin_that_cannot_make_the_next_request_is_told():
    """Its mistake is a PluginError, whatever it raised."""
    plugin = Acme()
    plugin.then = lambda events: events[99]

    error = run(line(plugin), Script(said("hello"))).error

    assert (PluginError, "IndexError" in error.message) == (type(error), True)
