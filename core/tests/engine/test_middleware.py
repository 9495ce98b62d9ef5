"""What may stand around a call: it changes, answers, refuses, blocks; and observers, who are only told."""

import logging
import threading
from typing import Any

import pytest
from core_driving import Acme, Answer, Script, line, refused, run, run_async, said, sse

from byollm import Attempt, Completion, Finished, PartAdded, Request, Started, Text, TextDelta
from byollm.engine.middleware import Observers, map_events
from byollm.engine.operation import Operation
from byollm.engine.steps import Run, Steps
from byollm.errors import (
    ByollmError,
    PluginError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
)
from byollm.transports.base import Broken

OK = said("hello ann")
ASK: Any = pytest.mark.parametrize("ask", [run, run_async])
PLACE: Any = pytest.mark.parametrize("position", ["operation", "attempt"])


class Redact:
    """Takes a name out of the question and puts it back into the answer, in a stream too."""

    def __init__(self, position: str) -> None:
        self.position = position

    def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
        hidden = request.with_(messages=request.messages[0].text.replace("Ann", "X1"))
        completion = yield from map_events(next(hidden), self.back)
        return completion

    def back(self, event: Any) -> list[Any]:
        return [TextDelta(event.index, event.text.replace("X1", "Ann"))] if isinstance(event, TextDelta) else [event]


@ASK
@PLACE
@pytest.mark.parametrize("stream", [True, False])
def test_a_redactor_rewrites_request_and_answer(ask: Any, position: str, stream: bool):
    """The provider never sees the name, the caller never the mask: in the events and in the completion."""
    plugin = Acme()
    script = Script(Answer(200, [sse({"id": "a"}, {"t": "dear "}), sse({"t": "X1"}), sse({"out": 3}, {"f": "stop"})]))

    done = ask(line(plugin), script, "I am Ann", operation=Operation([Redact(position)]), stream=stream)

    assert "I am X1" == plugin.asked[0].messages[0].text
    assert b"Ann" not in script.requests[0].body
    assert ("dear Ann", 3, "one") == (done.reply.text, done.reply.usage.output_tokens, done.reply.deployment)
    assert "dear Ann" == "".join(event.text for event in done.events if isinstance(event, TextDelta))


class Cache:
    """Answers early what it knows, and keeps what it learns."""

    position = "operation"

    def __init__(self) -> None:
        self.known: dict[str, Completion] = {}

    def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
        text = request.messages[0].text
        if text not in self.known:
            self.known[text] = yield from next(request)
        return self.known[text]


@ASK
def test_a_cache_answers_early(ask: Any):
    """Nothing is sent, and a streaming caller still gets events."""
    operation, script = Operation([Cache()]), Script(OK)

    first, second = (ask(line(), script, operation=operation, stream=True) for _ in range(2))

    assert (1, [], "hello ann") == (len(script.requests), second.opened, second.reply.text)
    assert first.reply is second.reply
    assert [Started, TextDelta, Finished] == [type(it) for it in second.events if type(it).__name__ != "UsageReported"]


class Budget:
    """Asks something slow whether there is money left."""

    def __init__(self, left: Any, position: str = "operation") -> None:
        self.position = position
        self.left = left
        self.threads: list[int] = []
        self.caught: list[str] = []

    def ask(self) -> int:
        self.threads.append(threading.get_ident())
        if isinstance(self.left, Exception):
            raise self.left
        return int(self.left)

    def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
        try:
            left = yield Run(self.ask)
        except ConnectionError as error:
            self.caught.append(str(error))
            left = 1
        if left <= 0:
            raise QuotaExhaustedError("the budget is used up", sent="no")
        return (yield from next(request))


@PLACE
def test_blocking_work_runs_in_place_or_in_a_thread(position: str):
    """Directly under the sync driver; under the async one the loop is not held up."""
    budgets = [Budget(5, position), Budget(5, position)]
    for ask, budget in zip((run, run_async), budgets, strict=True):
        assert "hello ann" == ask(line(), Script(OK), operation=Operation([budget])).reply.text

    assert [True, False] == [budget.threads == [threading.get_ident()] for budget in budgets]


@ASK
@PLACE
def test_a_budget_refuses(ask: Any, position: str):
    """Its own error, and nothing was sent."""
    budget, script = Budget(0, position), Script(OK)

    done = ask(line(), script, operation=Operation([budget]))

    assert (QuotaExhaustedError, []) == (type(done.error), script.requests)


@ASK
def test_what_blocking_work_raises_is_raised_where_it_was_asked_for(ask: Any):
    """So that it can be caught there, through other middleware too."""
    budget = Budget(ConnectionError("no route to the ledger"))

    done = ask(line(), Script(OK), operation=Operation([Redact("operation"), budget]))

    assert ("hello ann", ["no route to the ledger"]) == (done.reply.text, budget.caught)


@ASK
def test_what_nobody_catches_reaches_the_caller(ask: Any):
    """A refusal from inside the work is the call's error."""
    script = Script(OK)

    done = ask(line(), script, operation=Operation([Budget(RateLimitError("too fast", sent="no"))]))

    assert (RateLimitError, "too fast", []) == (type(done.error), done.error.message, script.requests)


class Noting:
    """Writes down when it is entered and left."""

    def __init__(self, name: str, position: str, notes: list[str]) -> None:
        self.name, self.position, self.notes = name, position, notes

    def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
        self.notes.append(f"{self.name}>")
        try:
            return (yield from next(request))
        finally:
            self.notes.append(f"<{self.name}")


def test_the_first_of_the_file_is_the_outermost():
    """Operation layers once a call, attempt layers once an attempt."""
    notes: list[str] = []
    layers = [Noting("a", "operation", notes), Noting("b", "attempt", notes), Noting("c", "operation", notes)]

    run(line(), Script(refused(500), OK), operation=Operation(layers))

    assert "a> c> b> <b b> <b <c <a" == " ".join(notes)


@ASK
def test_a_middleware_sees_the_error_and_may_answer_instead(ask: Any):
    """Canned words instead of an outage."""

    class Sorry:
        position = "operation"

        def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
            try:
                return (yield from next(request))
            except ServerError as error:
                return Completion(parts=(Text(f"sorry: {len(error.attempts)}"),), finish_reason="stop")

    done = ask(line(), Script(refused(500)), operation=Operation([Sorry()]))

    assert "sorry: 3" == done.reply.text == "".join(it.text for it in done.events if isinstance(it, TextDelta))


@pytest.mark.parametrize("answer", [None, "text", 5])
def test_a_middleware_returns_a_completion(answer: Any):
    """Anything else is its mistake, and it is named."""

    class Odd:
        position = "operation"

        def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
            yield Run(lambda: None)
            return answer

    done = run(line(), Script(OK), operation=Operation([Odd()]))

    assert (PluginError, True) == (type(done.error), "middleware Odd returned" in done.error.message)


def test_rewritten_events_still_have_an_order():
    """A middleware cannot break the table either."""

    def twice(event: Any) -> list[Any]:
        return [event, event] if isinstance(event, Started) else [event]

    class Broken_:
        position = "operation"

        def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
            return (yield from map_events(next(request), twice))

    assert PluginError is type(run(line(), Script(OK), operation=Operation([Broken_()])).error)


def test_events_may_be_dropped_or_made():
    """None, one or more for each."""

    def some(event: Any) -> list[Any]:
        if isinstance(event, TextDelta):
            return []
        return [PartAdded(7, Text("made")), event] if isinstance(event, Finished) else [event]

    class Maker:
        position = "attempt"

        def around(self, call: Any, request: Request, next: Any) -> Steps[Completion]:
            return (yield from map_events(next(request), some))

    done = run(line(), Script(OK), operation=Operation([Maker()]))

    assert done.reply is not None
    assert (Text("made"),) == done.reply.parts


class Watcher:
    """Writes down what it is told."""

    required = False

    def __init__(self, fails: str = "") -> None:
        self.told: list[Any] = []
        self.fails = fails

    def started(self, call: Any, deployment: str) -> None:
        self.told.append(("started", deployment))
        self.maybe("started")

    def finished(self, call: Any, attempt: Attempt) -> None:
        self.told.append(("finished", attempt.deployment, attempt.error and type(attempt.error).__name__))
        self.maybe("finished")

    def maybe(self, what: str) -> None:
        if self.fails == what:
            raise RuntimeError("the ledger is full")


class Required(Watcher):
    """One that must agree."""

    required = True


@ASK
def test_observers_are_told_of_each_attempt(ask: Any):
    """Before it is sent and after it ended."""
    watcher = Watcher()

    ask(
        [line(name="d0"), line(name="d1")],
        Script(Broken("reset", "yes"), OK),
        operation=Operation((), Observers([watcher])),
    )

    assert [
        ("started", "d0"), ("finished", "d0", "ProviderConnectionError"), ("started", "d1"), ("finished", "d1", None),
    ] == watcher.told  # fmt: skip


@pytest.mark.parametrize("fails", ["started", "finished"])
def test_a_failing_observer_harms_nobody(fails: str, caplog: pytest.LogCaptureFixture):
    """The others are told, the call goes on, it is counted each time and logged once."""
    ill, well = Watcher(fails), Watcher()
    observers = Observers([ill, well])

    with caplog.at_level(logging.WARNING, "byollm"):
        replies = [run(line(), Script(OK), operation=Operation((), observers)).reply for _ in range(3)]

    assert (3, 6, {"Watcher": 3}) == (len([it for it in replies if it]), len(well.told), observers.failures)
    assert 1 == len([record for record in caplog.records if "observer Watcher failed" in record.message])


@ASK
def test_a_required_observer_that_fails_stops_the_call_before_sending(ask: Any):
    """It is asked first."""
    script = Script(OK)

    done = ask(line(), script, operation=Operation((), Observers([Required("started")])))

    assert (PluginError, []) == (type(done.error), script.requests)
    assert "nothing was sent" in done.error.message


def test_a_required_observer_may_refuse_in_its_own_words():
    """A byollm error of its own is what the caller gets."""

    class Stern(Required):
        def maybe(self, what: str) -> None:
            raise QuotaExhaustedError("not today", sent="no")

    script = Script(OK)
    done = run(line(), script, operation=Operation((), Observers([Stern()])))

    assert ("not today", []) == (done.error.message, script.requests)


def test_afterwards_nobody_can_stop_a_call():
    """What was answered was answered."""
    done = run(line(), Script(OK), operation=Operation((), Observers([Required("finished")])))

    assert done.reply is not None


def test_who_was_not_tried_is_not_told():
    """A candidate refused here was never begun, so nothing is left open in anybody's ledger."""
    watcher = Watcher()
    operation = Operation((), Observers([watcher]))

    done = run(line(), Script(OK), operation=operation, tool_choice="required")

    assert (True, []) == (isinstance(done.error, ByollmError), watcher.told)


def test_observers_need_not_have_both_methods():
    """One that only counts is fine."""

    class Half:
        count = 0

        def finished(self, call: Any, attempt: Attempt) -> None:
            self.count += 1

    half = Half()
    run(line(), Script(OK), operation=Operation((), Observers([half, object()])))

    assert 1 == half.count


class Sudden:
    """No generator."""

    position = "attempt"

    def around(self, call: Any, request: Request, next: Any) -> Any:
        return 7


class Stray:
    """Yields what is no step."""

    def around(self, call: Any, request: Request, next: Any) -> Any:
        yield "a word"
        return (yield from next(request))


class Single:
    """Its function answers with an event, where a list is wanted."""

    def around(self, call: Any, request: Request, next: Any) -> Any:
        return (yield from map_events(next(request), lambda event: event))  # type: ignore[arg-type,return-value]


@ASK
@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Sudden(), "middleware Sudden: `around` is no generator"),
        (Stray(), "no step"),
        (Single(), "not a list of events"),
    ],
)
def test_middleware_that_breaks_its_rules_is_a_plugin_error(ask: Any, layer: Any, words: str):
    """With the rule in words."""
    done = ask(line(), Script(OK), operation=Operation([layer]), stream=True)

    assert PluginError is type(done.error)
    assert words in done.error.message


class Lost(Redact):
    """Would stand nowhere."""

    def __init__(self) -> None:
        super().__init__("operations")


@pytest.mark.parametrize(("layer", "words"), [(Lost(), "'operations'"), (object(), "no `around`")])
def test_what_would_never_be_asked_is_refused_when_it_is_set_up(layer: Any, words: str):
    """A redactor with a misspelt position must not be a redactor that stands elsewhere."""
    with pytest.raises(PluginError, match=words):
        Operation([layer])
