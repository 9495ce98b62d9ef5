"""The context guard: what cannot fit is refused, what may fit is sent."""

from typing import Any

import pytest
from core_driving import Acme, Answer, Script, line, refused, run, run_async, said

from byollm import Capabilities, Request, Support, TokenCount
from byollm.errors import CancelledError, ContextLengthError
from byollm.plugin import Exchange, HttpRequest, NoAuth
from byollm.providers.counting import estimate
from byollm.transports.base import Broken

OK = said("hello")
ASK: Any = pytest.mark.parametrize("ask", [run, run_async])
PROMPT = "word " * 400
COUNT = estimate(Request(PROMPT))
LOW, LIKELY, HIGH = COUNT.lower or 0, COUNT.tokens, COUNT.upper or 0


def small(window: int, **can: Any) -> Acme:
    return Acme(capabilities=Capabilities(context_window=window, **can))


def asking(window: int, answer: Any) -> Acme:
    plugin = small(window)
    plugin.count = answer
    return plugin


def counter(status: int = 200) -> Exchange[TokenCount]:
    return Exchange(
        request=HttpRequest("POST", "http://one.example/count"),
        reader=lambda head: lambda frame: [TokenCount(frame.data["tokens"], "exact", source="acme")],
        framing="json",
        auth=NoAuth(),
    )


def tokens(number: int) -> Answer:
    return Answer(200, [f'{{"tokens": {number}}}'.encode()], {"content-type": "application/json"})


@ASK
@pytest.mark.parametrize(
    "window, sent", [(LOW - 1, False), (LOW, True), (LIKELY, True), (HIGH * 10, True), (None, True)]
)
def test_only_what_cannot_fit_is_refused(ask: Any, window: Any, sent: bool):
    """The lower bound decides; an unknown window refuses nothing."""
    script = Script(OK)

    done = ask(line(small(window)), script, PROMPT)

    assert sent == bool(script.requests)
    assert (None if sent else ContextLengthError) is (done.error and type(done.error))


def test_the_refusal_says_how_much_too_much():
    """Both figures, whose they are, and what to do."""
    error = run(line(small(10)), Script(OK), PROMPT).error

    assert f"at least {LOW} tokens" in error.message
    assert "the window holds 10; nothing was sent" in error.message
    assert "no" == error.sent
    assert "failover" in error.hint


@pytest.mark.parametrize("window, sent", [(LIKELY - 1, False), (LIKELY, True)])
def test_where_a_server_cuts_in_silence_the_estimate_decides(window: int, sent: bool):
    """Better refused than read half; the message says that it is an estimate."""
    script = Script(OK)

    done = run(line(small(window, truncates_silently=True)), script, PROMPT)

    assert sent == bool(script.requests)
    assert sent or f"about {LIKELY} tokens" in done.error.message


@ASK
@pytest.mark.parametrize("number, sent", [(LIKELY, True), (LIKELY + 1, False)])
def test_the_provider_is_asked_where_the_file_says_so(ask: Any, number: int, sent: bool):
    """Only when it could be too long, and its exact count decides."""
    plugin = asking(LIKELY, counter())
    script = Script(tokens(number), OK)

    done = ask(line(plugin, guard="ask"), script, PROMPT)

    assert ["http://one.example/count", *(["http://one.example/chat"] if sent else [])] == [
        it.url for it in script.requests
    ]
    assert sent == (done.error is None)
    assert sent or f"has {number} tokens (acme)" in done.error.message


def test_nobody_is_asked_what_is_clear():
    """A prompt that fits by any count costs no second request."""
    script = Script(OK)

    run(line(asking(HIGH * 10, counter()), guard="ask"), script, PROMPT)

    assert 1 == len(script.requests)


def test_a_plugin_that_counts_by_itself_is_believed():
    """When it says that it is exact."""
    exact, guess = TokenCount(LIKELY + 1, "exact"), TokenCount(LIKELY + 1, "estimate")

    assert ContextLengthError is type(run(line(asking(LIKELY, exact), guard="ask"), Script(OK), PROMPT).error)
    assert run(line(asking(LIKELY, guess), guard="ask"), Script(OK), PROMPT).error is None
    assert run(line(asking(LIKELY, None), guard="ask"), Script(OK), PROMPT).error is None


@ASK
@pytest.mark.parametrize("fault", [refused(500), refused(429), Broken("reset", "yes"), Answer(200, [b"<html>"], {})])
def test_a_provider_that_cannot_count_now_is_no_reason_to_refuse(ask: Any, fault: Any):
    """The call is made without."""
    done = ask(line(asking(LIKELY, counter()), guard="ask"), Script(fault, OK), PROMPT)

    assert ("hello", 1) == (done.reply.text, len(done.reply.attempts))


def test_giving_up_while_counting_is_giving_up():
    """Nothing is sent after it."""
    script = Script(Broken("cancelled", "no"), OK)

    done = run(line(asking(LIKELY, counter()), guard="ask"), script, PROMPT)

    assert (CancelledError, 1) == (type(done.error), len(script.requests))


def test_pictures_do_not_count_as_nothing():
    """Their tokens are the provider's affair: they are sent, unless the text alone is too long."""
    from byollm import Image, user

    picture = Image(b"\x89PNG\r\n\x1a\n")
    assert run(line(small(LIKELY, images=Support.full)), Script(OK), user(picture, "what is it?")).error is None
    assert ContextLengthError is type(run(line(small(10)), Script(OK), user(picture, PROMPT)).error)


def telling(window: int | None) -> Acme:
    """A plugin that knows no window, and whose server tells."""
    question = Exchange(
        request=HttpRequest("GET", "http://one.example/props"),
        reader=lambda head: lambda frame: [Capabilities(context_window=frame.data["window"])],
        framing="json",
        auth=NoAuth(),
    )
    return Acme(capabilities=Capabilities(context_window=window, refine=question))


def props(window: int) -> Answer:
    return Answer(200, [f'{{"window": {window}}}'.encode()], {"content-type": "application/json"})


@ASK
def test_a_server_is_asked_for_its_window_once(ask: Any):
    """Without a window nothing is guarded: it is asked before the first long prompt, and known from then on."""
    asked = line(telling(None))
    script = Script(props(LOW - 1))

    errors = [ask(asked, script, PROMPT).error for _ in range(2)]

    assert ["http://one.example/props"] == [it.url for it in script.requests]
    assert [ContextLengthError, ContextLengthError] == [type(error) for error in errors]


@ASK
@pytest.mark.parametrize("fault", [refused(404), Broken("reset", "yes"), Answer(200, [b"<html>"], {})])
def test_a_server_that_does_not_tell_is_not_asked_again(ask: Any, fault: Any):
    """The call is made all the same, and so is the next."""
    asked = line(telling(None))
    script = Script(fault, OK, OK)

    texts = [ask(asked, script, PROMPT).reply.text for _ in range(2)]

    assert ["hello", "hello"] == texts
    assert ["/props", "/chat", "/chat"] == [it.url.removeprefix("http://one.example") for it in script.requests]


@pytest.mark.parametrize("plugin, prompt", [(telling(None), "short"), (telling(HIGH * 10), PROMPT)])
def test_a_server_is_not_asked_without_need(plugin: Acme, prompt: str):
    """A prompt that fits any model, or a window that is known."""
    script = Script(OK)

    run(line(plugin), script, prompt)

    assert ["http://one.example/chat"] == [it.url for it in script.requests]
