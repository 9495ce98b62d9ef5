"""When the same is asked again, when another, and when nobody: on a clock that moves only when somebody sleeps."""

from typing import Any

import pytest
from core_driving import KEY, Acme, Answer, Script, line, refused, run, run_async, said, sse
from hypothesis import given
from hypothesis import strategies as st

from byollm import Capabilities, Support
from byollm.engine.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, WARM_UP_SECONDS, WINDOW_SECONDS, Breaker, RetryBudget
from byollm.engine.call import Call
from byollm.engine.credentials import Credentials
from byollm.engine.line import Retries
from byollm.engine.operation import Operation
from byollm.errors import (
    AuthenticationError,
    CancelledError,
    ConfigError,
    ContextLengthError,
    InvalidRequestError,
    NoRouteError,
    OverloadedError,
    ProtocolError,
    ProviderConnectionError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from byollm.testing import ManualClock
from byollm.transports.base import Broken, Timeouts

OK, ILL = said("hello"), refused(500)
EARLY = Answer(200, [sse({"id": "a1"}), Broken("reset", "yes")])
LATE = Answer(200, [sse({"id": "a1"}, {"t": "hel"}), Broken("reset", "yes")])
LOST = Broken("reset", "yes")
ASK: Any = pytest.mark.parametrize("ask", [run, run_async])


def lines(*plugins: Any, **values: Any) -> list[Any]:
    return [line(plugin, f"d{number}", **values) for number, plugin in enumerate(plugins or (None, None))]


@ASK
def test_at_most_three_attempts_at_one_deployment(ask: Any):
    """And the error that is raised is the provider's own, with all of them."""
    done = ask(line(), Script(ILL))

    assert (ServerError, 3, [1, 2, 3]) == (
        type(done.error), len(done.opened), [it.number for it in done.error.attempts],
    )  # fmt: skip


@ASK
def test_at_most_five_attempts_in_all(ask: Any):
    """Three at the first, and one at each of the others: whoever has not had a turn keeps one of the five."""
    done = ask(lines(None, None, None), Script(ILL))

    assert ["d0", "d0", "d0", "d1", "d2"] == done.opened


@pytest.mark.parametrize("attempts, total, asked", [(1, 1, 1), (1, 5, 2), (2, 3, 3), (5, 4, 4)])
def test_the_file_may_say_how_often(attempts: int, total: int, asked: int):
    """`retries: {attempts, total}`."""
    assert asked == len(run(lines(retries=Retries(attempts, total)), Script(ILL)).opened)


def test_waits_grow_and_are_jittered():
    """Half a second, then one, at most eight, times a random share."""
    done = run(line(retries=Retries(9, 9)), Script(ILL), call=Call(clock=ManualClock(), random=lambda: 1.0))

    assert [0.5, 1, 2, 4, 8, 8, 8, 8] == done.clock.slept
    assert [0.25, 0.5] == run(line(), Script(ILL)).clock.slept


@ASK
def test_a_wait_that_was_asked_for_is_kept(ask: Any):
    """`Retry-After: 7` is seven seconds, exactly."""
    done = ask(line(), Script(refused(429, retry_after="7"), OK))

    assert ([7.0], "hello", 7.0) == (done.clock.slept, done.reply.text, done.reply.attempts[0].error.retry_after)


@ASK
@pytest.mark.parametrize("wait, timeout", [("60", 30), ("9999", None)])
def test_a_wait_beyond_the_deadline_goes_to_another_at_once(ask: Any, wait: str, timeout: Any):
    """Nobody waits for what cannot come in time, nor for longer than two minutes."""
    done = ask(lines(), Script(refused(429, retry_after=wait), OK), timeout=timeout)

    assert (["d0", "d1"], []) == (done.opened, done.clock.slept)


def test_a_wait_beyond_the_deadline_without_another_is_the_providers_error():
    """With the seconds it asked for."""
    done = run(line(), Script(refused(429, retry_after="60")), timeout=30)

    assert (RateLimitError, 60.0, 1, []) == (
        type(done.error),
        done.error.retry_after,
        len(done.opened),
        done.clock.slept,
    )


@ASK
@pytest.mark.parametrize("fault", [LOST, Broken("timeout_first_byte", "yes"), Broken("closed", "partial"), EARLY])
def test_what_may_have_been_billed_is_not_asked_again_of_the_same(ask: Any, fault: Any):
    """Another deployment is tried, and the first is booked as unknown."""
    alone = ask(line(), Script(fault, OK))
    both = ask(lines(), Script(fault, OK))

    assert (1, "unknown") == (len(alone.opened), alone.error.attempts[0].billed)
    assert (["d0", "d1"], ["unknown", "yes"]) == (both.opened, [it.billed for it in both.reply.attempts])


def test_nobody_pays_twice_where_the_file_says_so():
    """`on_unknown: fail`."""
    done = run(lines(retries=Retries(on_unknown="fail")), Script(LOST, OK))

    assert (["d0"], ProviderConnectionError) == (done.opened, type(done.error))


@pytest.mark.parametrize("fault", [Broken("connect", "no"), Broken("dns", "no"), Broken("timeout_connect", "no")])
def test_what_never_left_is_asked_again(fault: Any):
    """No connection, no bill."""
    done = run(line(), Script(fault, OK))

    assert (["one", "one"], ["no", "yes"]) == (done.opened, [it.billed for it in done.reply.attempts])


def test_a_certificate_does_not_heal():
    """TLS is not tried again at the same place, but at another."""
    done = run(lines(), Script(Broken("tls", "no"), OK))

    assert ["d0", "d1"] == done.opened


@ASK
@pytest.mark.parametrize(
    "status, kind, turns_to_another",
    [(400, InvalidRequestError, False), (401, AuthenticationError, True), (402, QuotaExhaustedError, True)],
)
def test_what_waiting_does_not_cure_is_not_asked_again(ask: Any, status: int, kind: Any, turns_to_another: bool):
    """A wrong request is wrong everywhere; a key or a quota is one deployment's affair."""
    done = ask(lines(), Script(refused(status)))

    assert kind is type(done.error)
    assert (["d0", "d1"] if turns_to_another else ["d0"]) == done.opened


@pytest.mark.parametrize("told, times", [("false", 1), ("true", 3), ("maybe", 3)])
def test_a_provider_may_say_whether_to_try_again(told: str, times: int):
    """`x-should-retry`."""
    assert times == len(run(line(), Script(refused(500, x_should_retry=told))).opened)


@ASK
def test_failover_happens_before_content_only(ask: Any):
    """The first deployment's beginning is never seen; after content nobody takes over."""
    before, after = ask(lines(), Script(EARLY, said("hello", id="b2"))), ask(lines(), Script(LATE, OK))

    assert ("hello", "b2", "d1") == (before.reply.text, before.reply.id, before.reply.deployment)
    assert ["b2"] == [event.id for event in before.events if type(event).__name__ == "Started"]
    assert (StreamInterruptedError, ["d0"], "hel") == (type(after.error), after.opened, after.error.partial.text)


@pytest.mark.parametrize(
    "answer, kind",
    [
        (Answer(200, [sse({"id": "a"}, {"t": "he"})]), StreamInterruptedError),
        (Answer(200, [sse({"id": "a"}, {"t": "he"}), Broken("timeout_idle", "yes")]), StreamInterruptedError),
        (Answer(200, [sse({"id": "a"}, {"t": "he"}), Broken("deadline", "yes")]), ProviderTimeoutError),
        (Answer(200, [sse({"id": "a"}, {"t": "he"}), Broken("cancelled", "yes")]), CancelledError),
        (Answer(200, [sse({"id": "a"}, {"t": "he"}, {"error": "no"})]), QuotaExhaustedError),
        (Answer(200, [sse({"id": "a"}, {"t": "he"}), b"data: {oops}\n\n"]), ProtocolError),
    ],
)
def test_what_had_come_is_kept_with_the_error(answer: Any, kind: Any):
    """However it broke after content: `.partial` has the text, one attempt was made, and it may have been billed."""
    done = run(lines(), Script(answer, OK))

    assert (kind, "he", None) == (type(done.error), done.error.partial.text, done.error.partial.finish_reason)
    assert (["d0"], "d0", 1) == (done.opened, done.error.partial.deployment, len(done.error.attempts))
    assert done.call.attempts[0].billed in ("unknown", "yes")


def test_content_before_a_broken_frame_in_one_piece_is_kept():
    """What came whole is not lost to what came with it."""
    done = run(line(), Script(Answer(200, [sse({"id": "a"}, {"t": "hello"}) + b"data: {oops}\n\n"])))

    assert ("hello", ProtocolError) == (done.error.partial.text, type(done.error))


@pytest.mark.parametrize("end", [Broken("reset", "yes"), Broken("timeout_idle", "yes"), b"data: {oops}\n\n"])
def test_after_the_terminal_marker_a_rude_goodbye_changes_nothing(end: Any):
    """The answer is whole, and its connection is not used again."""
    script = Script(Answer(200, [sse({"id": "a"}, {"t": "hi"}, {"f": "stop"}), end]))

    done = run(line(), script)

    assert ("hi", "stop") == (done.reply.text, done.reply.finish_reason)
    assert [isinstance(end, bytes)] == script.closed


@ASK
def test_a_candidate_that_cannot_keep_a_contract_is_skipped(ask: Any):
    """With the reason; the next one answers, and nothing was sent to the first."""
    blind = Acme(capabilities=Capabilities(tools=Support.unsupported))

    done = ask(lines(blind, None), Script(OK), tools=[{"type": "function", "function": {"name": "f"}}])

    assert (["d1"], ["d1"]) == (done.opened, [it.deployment for it in done.reply.attempts])
    assert "cannot call tools" in done.call.skipped["d0"]


@ASK
def test_refused_by_all_is_still_the_first_refusal(ask: Any):
    """The class that a program with one deployment would see."""
    mute = [Acme(capabilities=Capabilities(streaming=Support.unsupported)) for _ in "ab"]
    done = ask(lines(*mute), Script(OK), stream=True)

    assert (UnsupportedFeatureError, [], {"d0", "d1"}) == (type(done.error), done.opened, set(done.call.skipped))


@ASK
def test_no_route_only_when_nobody_could_be_tried(ask: Any):
    """No deployment at all."""
    assert NoRouteError is type(ask([], Script(OK)).error)


SMALL = Acme(capabilities=Capabilities(context_window=1))
KEYLESS: Any = {"credentials": Credentials()}


@pytest.mark.parametrize("fault", [ILL, refused(429), refused(401), LOST, Broken("connect", "no"), EARLY, refused(503)])
@pytest.mark.parametrize("second", ["works", "fails alike", "is too small", "has no key", "cannot"])
def test_a_failover_line_changes_no_except(fault: Any, second: str):
    """Alone or with another that does not help, the program sees the same class."""
    alone = run(line(), Script(fault)).error
    plugin: Any = {"is too small": SMALL, "cannot": Acme(capabilities=Capabilities(system=Support.unsupported))}.get(
        second
    )
    other = line(plugin, "d1", **(KEYLESS if second == "has no key" else {}))
    script = Script(fault, fault, fault, OK) if second == "works" else Script(fault)
    said_before: Any = {"system": "s"} if second == "cannot" else {}
    done = run([line(), other], script, "word " * 9, **said_before)

    if done.error is not None:
        assert type(alone) is type(done.error)
        assert {"one"} <= {it.deployment for it in done.error.attempts}
    else:
        assert "works" == second


def test_a_prompt_too_long_for_one_goes_to_another():
    """A guard's refusal is no attempt: nothing was sent, nothing is spent, no breaker moves."""
    done = run(lines(SMALL, None), Script(OK), "word " * 500)

    assert (["d1"], 1) == (done.opened, len(done.call.attempts))
    assert "the window holds 1" in done.call.skipped["d0"]


def test_a_prompt_too_long_for_all_is_a_context_error():
    """Before anything was sent."""
    done = run(line(SMALL), Script(OK), "word " * 500)

    assert (ContextLengthError, "no", []) == (type(done.error), done.error.sent, done.opened)


def test_a_missing_key_is_the_error_when_there_is_nothing_else():
    """With the line that mends it."""
    done = run(line(**KEYLESS), Script(OK))

    assert (AuthenticationError, "no") == (type(done.error), done.error.sent)
    assert "set `api_key:`" in str(done.error)


@ASK
def test_an_address_nobody_allowed_is_the_callers_mistake(ask: Any):
    """It is not turned into a failover."""
    done = ask(lines(), Script(Broken("refused", "no", "169.254.169.254")))

    assert (ConfigError, ["d0"]) == (type(done.error), done.opened)


@ASK
def test_a_deadline_covers_the_retries(ask: Any):
    """No attempt is begun that could not be waited for."""
    done = ask(line(retries=Retries(9, 9, base=4)), Script(ILL), timeout=7)

    assert sum(done.clock.slept) < 7
    assert ServerError is type(done.error)


def test_the_line_bounds_a_call_that_has_no_deadline():
    """`timeout: {total}` of the target."""
    script = Script(OK)

    run(line(timeouts=Timeouts(total=30)), script)

    assert script.requests[0].deadline == ManualClock().monotonic() + 30


def test_errors_say_where_and_what_was_asked():
    """Provider, model, deployment, request id, status."""
    error = run(line(), Script(refused(500, "oops", x_request_id="r-1"))).error

    assert ("acme", "m1", "one", "r-1", 500) == (
        error.provider, error.model, error.deployment, error.request_id, error.status,
    )  # fmt: skip


def test_every_attempt_is_on_record():
    """Deployment, number, status, what was sent and billed, and the error of each but the last."""
    reply = run(lines(), Script(refused(503), ILL, refused(429, retry_after="999"), OK)).reply

    expected = [("d0", 1, 503, "OverloadedError"), ("d0", 2, 500, "ServerError"), ("d0", 3, 429, "RateLimitError")]
    found = [(it.deployment, it.number, it.status, type(it.error).__name__) for it in reply.attempts]
    assert [*expected, ("d1", 1, 200, "NoneType")] == found


def test_an_open_breaker_puts_a_deployment_last():
    """Five failures in a row, and the healthy one is asked first; the ill one still answers when it is the last."""
    ill, well = line(None, "ill", retries=Retries(1, 5)), line(None, "well", retries=Retries(1, 5))
    for _ in range(FAILURES_TO_OPEN):
        run([ill], Script(ILL))

    assert ["well"] == run([ill, well], Script(OK)).opened
    assert ["well", "ill"] == run([ill, well], Script(ILL, OK)).opened
    assert ["ill"] == run([ill], Script(OK)).opened


def test_a_refusal_is_a_sign_of_health():
    """A provider that says no is there."""
    target = line(retries=Retries(1, 1))
    for answer in [ILL, ILL, ILL, ILL, refused(400), ILL, ILL, ILL, ILL]:
        run([target], Script(answer))

    assert "Breaker(closed)" == repr(target.breaker)


def test_a_breaker_is_asked_only_about_those_whose_turn_has_come():
    """A probe that was never sent does not keep the next from being one."""
    first, second = line(None, "first"), line(None, "second")
    for _ in range(FAILURES_TO_OPEN):
        second.breaker.failed(0.0)
    run([first, second], Script(OK))

    assert second.breaker.allows(ManualClock().monotonic())


steps = st.lists(st.tuples(st.sampled_from(["failed", "succeeded", "allows"]), st.floats(0, 15)), max_size=60)


@given(steps)
def test_a_breaker_opens_after_five_and_probes_once_in_twenty_seconds(moves: list[tuple[str, float]]):
    """The law of the breaker, for any history. After a recovery it may say no for ten seconds more."""
    breaker, now, failures, quiet_until, recovered = Breaker(), 0.0, 0, None, float("-inf")
    for move, seconds in moves:
        now += seconds
        if move == "failed":
            breaker.failed(now)
            failures += 1
            quiet_until = now + OPEN_SECONDS if failures >= FAILURES_TO_OPEN else None
        elif move == "succeeded":
            breaker.succeeded(now)
            recovered = now if quiet_until is not None else recovered
            failures, quiet_until = 0, None
        else:
            foreseen = breaker.would_allow(now)
            allowed = breaker.allows(now)
            assert allowed == foreseen
            if quiet_until is not None or now - recovered >= WARM_UP_SECONDS:
                assert allowed == (quiet_until is None or now >= quiet_until)
            if allowed and quiet_until is not None:
                quiet_until = now + OPEN_SECONDS


def test_calls_come_back_slowly():
    """A tenth right after a recovery, half of them after five seconds, all after ten."""
    breaker = Breaker()
    breaker.exhausted(0.0)
    breaker.succeeded(OPEN_SECONDS)

    shares = [sum(breaker.allows(OPEN_SECONDS + seconds) for _ in range(100)) for seconds in (0.0, 5.0, 9.9, 10.0)]

    assert [10, 50] == shares[:2]
    assert shares[2] >= 98
    assert 100 == shares[3]


def test_a_used_up_quota_is_not_asked_again():
    """One answer is enough, and only this line's key is meant: the same deployment with another key goes on."""
    first, second = line(None, "first"), line(None, "second")

    assert ["first", "second"] == run([first, second], Script(refused(402), OK)).opened
    assert ["second"] == run([first, second], Script(OK)).opened
    assert ["first"] == run([line(None, "first")], Script(OK)).opened


def test_an_outage_of_everybody_costs_one_request_a_call():
    """With both breakers open the one that failed longest ago is asked, once, and the other is told as skipped."""
    first, second, script = line(None, "first"), line(None, "second"), Script(ILL)
    for number in range(FAILURES_TO_OPEN):
        first.breaker.failed(999_990.0)
        second.breaker.failed(999_990.0 + number)

    done = run([first, second], script)

    assert (["first"], ServerError) == (done.opened, type(done.error))


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2)), max_size=120), st.sampled_from([0.0, 0.2, 0.5]))
def test_retries_are_a_share_of_calls_with_a_floor(moves: list[tuple[bool, float]], share: float):
    """In any ten seconds: at most a fifth of the calls, but one a second."""
    budget, now, calls, retries = RetryBudget(share), 0.0, list[float](), list[float]()
    for is_call, seconds in moves:
        now += seconds
        calls, retries = ([it for it in times if now - it <= WINDOW_SECONDS] for times in (calls, retries))
        if is_call:
            budget.count_call(now)
            calls.append(now)
        elif budget.spend(now):
            retries.append(now)
            assert len(retries) <= max(WINDOW_SECONDS, share * len(calls)) + 1
        else:
            assert len(retries) >= max(WINDOW_SECONDS, share * len(calls)) - 1


def test_an_outage_does_not_multiply_requests():
    """A thousand calls into a dead provider make some twelve hundred requests, not three thousand."""
    target, clock, script = line(), ManualClock(), Script(ILL)
    for _ in range(1_000):
        clock.now += 0.001
        run([target], script, call=Call(clock=_frozen(clock), random=lambda: 0.0))

    assert len(script.requests) <= 1_210


def _frozen(clock: ManualClock) -> ManualClock:
    return ManualClock(clock.now)


def test_a_call_that_is_cancelled_between_attempts_ends():
    """Giving up while waiting is giving up."""
    call = Call(clock=ManualClock(), random=lambda: 0.5)
    call.cancellation.cancel()

    done = run(line(), Script(ILL), call=call)

    assert (CancelledError, 1) == (type(done.error), len(done.opened))


def test_busy_is_not_ill_taste():
    """503 and 529 are the same class, and both are retried."""
    for status in (503, 529):
        done = run(line(), Script(refused(status), OK))
        assert OverloadedError is type(done.reply.attempts[0].error)


def test_an_operation_may_be_used_by_many_calls():
    """It keeps nothing of a call."""
    operation = Operation()

    assert ["hello"] * 3 == [run(line(key=KEY), Script(OK), operation=operation).reply.text for _ in range(3)]
