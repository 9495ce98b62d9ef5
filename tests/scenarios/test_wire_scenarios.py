"""The 13 scenarios in which other libraries go wrong, sync and async; the README's table is made of them."""

from __future__ import annotations

import base64
import json
import traceback
import urllib.parse
from typing import Any

import pytest

import byollm
from byollm.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnknownParameterError,
)
from byollm.types.parts import ToolCall
from byollm_sandbox import Answer, Raw, Twins
from tests.scenarios.conftest import DIALECTS, KEY, Asker, target


@pytest.mark.parametrize("dialect", DIALECTS)
def test_01_a_stream_that_just_ends_is_an_error_with_what_came(twin: Twins, ask: Asker, dialect: str) -> None:
    """A clean end of the body without a terminal marker is StreamInterruptedError, and the text so far is kept."""
    twin.script(Answer(parts=("one two three four",)))
    twin.fault("cut", after=2, unit="tokens", how="eof")

    with pytest.raises(StreamInterruptedError) as caught:
        ask.stream(target(twin, dialect))

    assert caught.value.partial is not None
    assert "one two three four".startswith(caught.value.partial.text)
    assert caught.value.partial.text
    assert caught.value.partial.finish_reason is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_02_an_error_inside_the_stream_has_its_own_class(twin: Twins, ask: Asker, dialect: str) -> None:
    """A quota error that comes after content is QuotaExhaustedError, as it would have been before."""
    twin.script(Answer(parts=("one two three four",)))
    twin.fault("error", after=2, unit="tokens", error=QuotaExhaustedError("You exceeded your current quota"))

    with pytest.raises(QuotaExhaustedError, match="quota"):
        ask.stream(target(twin, dialect))


def test_03_parallel_calls_without_index_keep_their_own_arguments(twin: Twins, ask: Asker, chat: Any) -> None:
    """Two calls whose deltas carry no index are two calls, each with its arguments."""
    tools = [byollm.Tool("f", "first", {"type": "object"}), byollm.Tool("g", "second", {"type": "object"})]
    twin.script([ToolCall("call_1", "f", '{"city": "Oslo"}'), ToolCall("call_2", "g", '{"city": "Rome"}')])
    twin.fault("no-index")

    reply = ask.stream(chat(), tools=tools)

    assert [("f", {"city": "Oslo"}), ("g", {"city": "Rome"})] == [(call.name, call.args) for call in reply.tool_calls]


@pytest.mark.parametrize("how", ["stream", "complete"])
def test_04_tool_calls_that_finish_with_stop_finish_with_tool_calls(
    twin: Twins, ask: Asker, chat: Any, how: str
) -> None:
    """The neutral reason says what the program must do; the provider's word is kept."""
    twin.script([ToolCall("call_1", "f", '{"a": 1}')])
    twin.fault("stop-with-tools")

    reply = getattr(ask, how)(chat(), tools=[byollm.Tool("f", "a tool", {"type": "object"})])

    assert ("tool_calls", "stop") == (reply.finish_reason, reply.raw_finish_reason)


def test_05_usage_in_a_last_chunk_without_choices_is_read(twin: Twins, ask: Asker, chat: Any) -> None:
    """Usage is filled although it comes after the finish, in a chunk of its own."""
    twin.script(Answer(parts=("hello",), usage=byollm.Usage(input_tokens=11, output_tokens=7)))
    twin.fault("usage-tail")

    reply = ask.stream(chat())

    assert (11, 7) == (reply.usage.input_tokens, reply.usage.output_tokens)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_06_retry_after_is_waited_for(twin: Twins, ask: Asker, dialect: str) -> None:
    """A 429 that asks for 7 s is asked again after 7 s, on the clock it was given."""
    twin.script(RateLimitError("slow down", retry_after=7), "done")

    reply = ask.complete(target(twin, dialect), clock=ask.clock)

    assert "done" == reply.text
    assert [7] == ask.clock.slept
    assert isinstance(reply.attempts[0].error, RateLimitError)
    assert 7 == reply.attempts[0].error.retry_after


SHAPES = {
    "raw": KEY,
    "base64": base64.b64encode(KEY.encode()).decode(),
    "url": urllib.parse.quote(KEY, safe=""),
    "json": json.dumps(KEY)[1:-1],
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("form", SHAPES)
def test_07_a_key_that_is_echoed_is_masked(
    twin: Twins, ask: Asker, dialect: str, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No piece of 12 characters of the key is in the error, its context, a traceback with locals, or the log."""
    caplog.set_level("DEBUG")
    twin.fault("echo-key", form=form)

    with pytest.raises(AuthenticationError) as caught:
        ask.complete(target(twin, dialect))

    shown = "".join(
        text
        for error in _chain(caught.value)
        for text in (
            *traceback.TracebackException.from_exception(error, capture_locals=True).format(),
            repr(vars(error)),
        )
        if "tests/scenarios" not in text and "byollm_sandbox" not in text and "pytest" not in text
    )
    shown += caplog.text + repr(caught.value) + str(caught.value)
    assert [] == [piece for shape in SHAPES.values() for piece in _pieces(shape) if piece in shown]


def test_08_markup_never_reaches_the_message(twin: Twins, ask: Asker, chat: Any) -> None:
    """A proxy's HTML page is ServerError with its status, and no markup."""
    for _ in range(5):
        twin.fault("html", status=502)

    with pytest.raises(ServerError) as caught:
        ask.complete(chat(), clock=ask.clock)

    assert 502 == caught.value.status
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("fault", ["odd-sse", "crlf", "cr", "comments", "no-space", "bom", "split-utf8", "split-bytes"])
def test_09_however_the_events_are_written_the_text_is_equal(twin: Twins, ask: Asker, chat: Any, fault: str) -> None:
    """CR LF, comments, no space, a byte order mark, UTF-8 split inside a character: the same text."""
    text = "naïve café, 東京 🚀 done"
    twin.script(text)
    twin.fault(fault)

    assert text == ask.stream(chat()).text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_10_an_overlong_prompt_has_its_own_error(twin: Twins, ask: Asker, dialect: str) -> None:
    """A 400 about the context length is ContextLengthError, whatever the vendor's words."""
    twin.script(ContextLengthError(""))

    with pytest.raises(ContextLengthError):
        ask.complete(target(twin, dialect))


def test_11_an_answer_that_was_filtered_away_is_a_reply(twin: Twins, ask: Asker, chat: Any) -> None:
    """No content and finish content_filter: a reply that says so."""
    twin.script("never seen")
    twin.fault("empty-filtered")

    reply = ask.stream(chat())

    assert ("", "content_filter") == (reply.text, reply.finish_reason)


def test_11_a_request_that_was_refused_by_the_filter_raises(twin: Twins, ask: Asker, chat: Any) -> None:
    """Status 400 from a filter is ContentFilterError, and is not failed over on its own."""
    twin.script(ContentFilterError("blocked"))

    with pytest.raises(ContentFilterError):
        ask.complete(chat())


def test_12_an_unknown_finish_reason_is_other(twin: Twins, ask: Asker, chat: Any) -> None:
    """It is never taken for stop; the provider's word is kept."""
    twin.script("hello")
    twin.fault("unknown-finish", value="galaxy_brain")

    reply = ask.stream(chat())

    assert ("other", "galaxy_brain") == (reply.finish_reason, reply.raw_finish_reason)


def test_13_an_unknown_parameter_is_refused_before_any_byte(twin: Twins, ask: Asker, chat: Any) -> None:
    """The nearest parameter is named, and the twin gets nothing."""
    with pytest.raises(UnknownParameterError, match="temperature"):
        ask.complete(chat(), temprature=0.2)

    assert [] == twin.requests


def test_14_bytes_that_are_no_answer_never_become_one(twin: Twins, ask: Asker, chat: Any) -> None:
    """A 200 whose body is cut JSON is a byollm error."""
    twin.script(Raw(status=200, headers={"content-type": "application/json"}, body=b'{"choices": [{"mess'))

    with pytest.raises(byollm.errors.ProtocolError):
        ask.complete(chat())


def _pieces(text: str) -> list[str]:
    return [text[at : at + 12] for at in range(len(text) - 11)]


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found
