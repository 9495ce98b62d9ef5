"""What a call waits for that is no answer: another call's token, a secret being read. Its own time bounds it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from core_driving import Fixed, Script, line, run, run_async, said

from byollm.engine.call import Call
from byollm.engine.credentials import Credentials
from byollm.engine.waiting import Waiting
from byollm.errors import CancelledError, ProviderTimeoutError
from byollm.plugin import OAuthClientCredentials
from byollm.transports.base import Broken
from byollm.transports.progress import Interrupted
from byollm.wire.exchange import HttpRequest
from byollm.wire.redact import Secret

OAUTH = OAuthClientCredentials("http://one.example/token")
CLIENT = {"client_id": Fixed("client-0123456789"), "client_secret": Fixed("secret-0123456789")}
REQUEST = HttpRequest("POST", "http://one.example/chat")


class TimeLimit(Exception):
    """Of a program's own."""


class Slow:
    """A secret that takes its time."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def resolve(self) -> Secret:
        self.go.wait(5)
        return Secret("sk-0123456789")


def late(call: Call) -> float:
    return call.clock.monotonic() + 0.1


def seconds(work: Any) -> tuple[Any, bool]:
    """What came, and whether it came within a second."""
    started = time.monotonic()
    return work(), time.monotonic() - started < 1


@contextmanager
def refreshing(credentials: Credentials) -> Iterator[None]:
    """Another thread's call asks for a token, and the endpoint does not answer."""
    asked, answered = threading.Event(), threading.Event()

    def send(hidden: Any) -> Any:
        asked.set()
        answered.wait(5)
        return Broken("reset", "no")

    thread = threading.Thread(target=credentials.headers, args=(OAUTH, REQUEST, Waiting(Call(), None), send))
    thread.start()
    asked.wait(5)
    yield
    answered.set()
    thread.join(5)


def test_a_call_waits_for_another_calls_token_no_longer_than_it_may() -> None:
    """The deadline is the call's own, whoever else is on the way to the token."""
    credentials, call = Credentials(CLIENT), Call()
    with refreshing(credentials):
        found, soon = seconds(lambda: credentials.headers(OAUTH, REQUEST, Waiting(call, late(call)), lambda it: it))

    assert (Broken("deadline", "no"), True) == (found, soon)


def test_a_call_that_waits_for_another_calls_token_is_cancelled() -> None:
    """From another thread."""
    credentials, call = Credentials(CLIENT), Call()
    with refreshing(credentials):
        threading.Timer(0.05, call.cancellation.cancel).start()
        found, soon = seconds(lambda: credentials.headers(OAUTH, REQUEST, Waiting(call, None), lambda it: it))

    assert (Broken("cancelled", "no"), True) == (found, soon)


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
def test_a_task_waits_for_anothers_token_no_longer_than_it_may(how: str) -> None:
    """And the lock is nobody's afterwards."""

    async def go() -> Any:
        credentials, call, asked = Credentials(CLIENT), Call(), asyncio.Event()

        async def hang(hidden: Any) -> Any:
            asked.set()
            await asyncio.sleep(60)

        first = asyncio.create_task(credentials.async_headers(OAUTH, REQUEST, Waiting(Call(), None), hang))
        await asked.wait()
        threading.Timer(0.05, call.cancellation.cancel if how == "cancelled" else int).start()
        waiting = Waiting(call, late(call) if how == "deadline" else None)
        found = await credentials.async_headers(OAUTH, REQUEST, waiting, hang)
        first.cancel()
        await asyncio.wait([first])
        [lock] = credentials._async_locks.values()
        return found, lock.locked()

    assert ((Broken(how, "no"), False), True) == seconds(lambda: asyncio.run(go()))  # type: ignore[arg-type]


def test_a_task_waits_for_a_secret_no_longer_than_it_may() -> None:
    """A store or a command may take longer than the call has."""
    slow = Slow()

    async def go() -> Any:
        call = Call()
        waiting = Waiting(call, late(call))
        try:
            return await Credentials({"api_key": slow}).async_headers(OAUTH, REQUEST, waiting, lambda it: it)  # type: ignore[arg-type,return-value]
        finally:
            slow.go.set()

    assert (Broken("deadline", "no"), True) == seconds(lambda: asyncio.run(go()))


@pytest.mark.parametrize("ask", [run, run_async])
@pytest.mark.parametrize("kind", ["reset", "deadline", "timeout_first_byte", "cancelled"])
def test_a_token_that_does_not_come_costs_nothing(ask: Any, kind: Any) -> None:
    """The token's request had left, and the model's had not: nothing was billed, and it may be asked again."""
    done = ask(line(credentials=Credentials(CLIENT), auth=OAUTH), Script(Broken(kind, "yes"), said("never")), timeout=9)

    [*_, attempt] = done.call.attempts[:1]
    assert ("no", "no") == (attempt.sent, attempt.billed)


@pytest.mark.parametrize("ask", [run, run_async])
@pytest.mark.parametrize("sent, billed", [("no", "no"), ("partial", "unknown"), ("yes", "unknown")])
def test_a_call_that_is_cancelled_says_how_far_it_had_come(ask: Any, sent: Any, billed: str) -> None:
    """One that had no connection yet cost nothing."""
    done = ask(line(), Script(Broken("cancelled", sent)))

    assert (CancelledError, sent, billed) == (type(done.error), done.error.sent, done.error.billed)
    assert [(sent, billed)] == [(it.sent, it.billed) for it in done.call.attempts]


def test_a_call_that_is_cancelled_between_two_attempts_is_what_the_last_one_was() -> None:
    """A refusal that was waited out was not billed."""
    call = Call()
    threading.Timer(0.05, call.cancellation.cancel).start()

    done = run(line(), Script(Broken("connect", "no")), call=call)

    assert (CancelledError, "no", "no") == (type(done.error), done.error.sent, done.error.billed)


def test_a_deadline_is_a_timeout_for_the_caller() -> None:
    """The same error as for any other wait."""
    credentials = Credentials(CLIENT)
    call = Call(deadline=time.monotonic() + 0.1)
    with refreshing(credentials):
        done = run(line(credentials=credentials, auth=OAUTH), Script(said("never")), call=call)

    assert (ProviderTimeoutError, "no") == (type(done.error), done.error.sent)


def test_what_a_signal_handler_raises_reaches_the_caller_as_it_is() -> None:
    """A task queue's time limit is no failure of the provider, and no other deployment is asked."""

    def interrupted(_: Any) -> Any:
        raise Interrupted(TimeLimit("soft"))

    call = Call()
    with pytest.raises(TimeLimit, match="soft") as raised:
        run([line(name="d0"), line(name="d1")], Script(interrupted, said("never")), call=call)

    assert raised.value.__context__ is None
    assert [("d0", "CancelledError", "unknown")] == [
        (it.deployment, type(it.error).__name__, it.billed) for it in call.attempts
    ]
