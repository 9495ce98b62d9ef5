"""Limits kept before the provider says 429, against a provider that really limits, in simulated time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from core_driving import Acme, Script, line, run, run_async, said
from hypothesis import given
from hypothesis import strategies as st

from byollm import Request
from byollm.engine.call import Call
from byollm.engine.limiting import limited
from byollm.engine.steps import Acquire, Sleep
from byollm.errors import ByollmError, CancelledError, RateLimitError
from byollm.routing.joint import Joint
from byollm.routing.limits import Bucket, Limits, LimitsConfig
from byollm.testing import ManualClock
from byollm.types.completion import Completion
from byollm.types.usage import Usage
from byollm.wire.ratelimits import limits_in

OK = said("hello")


@dataclass(frozen=True)
class Ask:
    """A step of the simulation: the request leaves now."""

    size: int


class Provider:
    """A provider that limits: a fixed window or a bucket, of requests and tokens, and calls at a time.

    Its headers come in the form of one vendor.
    """

    def __init__(self, form: str, requests: int, tokens: int, concurrency: int, window: float = 60.0) -> None:
        self.form, self.window, self.concurrency = form, window, concurrency
        self.limits = {"requests": requests, "tokens": tokens}
        self.used = {"requests": 0.0, "tokens": 0.0}
        self.began = 0.0
        self.busy = 0
        self.answered: list[float] = []
        self.refusals = 0

    def begin(self, now: float, size: int) -> bool:
        """True when it is taken."""
        share = self.window / 60
        if self.form in ("bucket", "drip"):
            for kind, limit in self.limits.items():
                self.used[kind] = max(0.0, self.used[kind] - limit * (now - self.began) / 60)
            self.began = now
        elif now - self.began >= self.window:
            self.began += (now - self.began) // self.window * self.window
            self.used = {"requests": 0.0, "tokens": 0.0}
        wanted = {"requests": 1, "tokens": size}
        full = any(self.used[kind] + wanted[kind] > self.limits[kind] * share for kind in wanted)
        if full or self.busy >= self.concurrency:
            self.refusals += 1
            return False
        for kind, amount in wanted.items():
            self.used[kind] += amount
        self.busy += 1
        return True

    def headers(self, now: float) -> dict[str, str]:
        left = {kind: int(self.limits[kind] * self.window / 60 - used) for kind, used in self.used.items()}
        reset = max(0.0, self.began + self.window - now)
        if self.form == "drip":
            left = {kind: int(left[kind] + self.limits[kind] * (now - self.began) / 60) for kind in left}
        told: dict[str, str] = {}
        for kind, amount in left.items():
            match self.form:
                case "drip":
                    share = self.limits[kind] * self.window / 60
                    back = max(0.0, self.used[kind] / self.limits[kind] * 60 - (now - self.began))
                    told |= {f"x-ratelimit-limit-{kind}": str(int(share))}
                    told |= {f"x-ratelimit-remaining-{kind}": str(min(amount, int(share)))}
                    told |= {f"x-ratelimit-reset-{kind}": f"{back:.3f}s"}
                case "window":
                    told |= {f"x-ratelimit-limit-{kind}": str(int(self.limits[kind] * self.window / 60))}
                    told |= {f"x-ratelimit-remaining-{kind}": str(amount), f"x-ratelimit-reset-{kind}": f"{reset:.3f}s"}
                case "go":
                    told |= {f"x-ratelimit-remaining-{kind}": str(amount), f"x-ratelimit-reset-{kind}": f"{reset:.3f}s"}
                case "seconds":
                    told |= {f"x-ratelimit-remaining-{kind}-minute": str(amount)}
                    told |= {f"x-ratelimit-reset-{kind}-minute": str(reset)}
                case "instant":
                    told |= {f"anthropic-ratelimit-{kind}-remaining": str(amount)}
                    told |= {
                        f"anthropic-ratelimit-{kind}-reset": f"1970-01-01T00:{int((now + reset) // 60) % 60:02d}:00Z"
                    }
                case "epoch":
                    if kind == "requests":
                        told |= {"x-ratelimit-remaining": str(amount)}
                        told |= {"x-ratelimit-reset": f"{(now + reset + 1e9) * 1000:.0f}"}
        return told


class Simulation:
    """Calls on simulated time: each is the engine's own generator, the world is this loop."""

    other: Any = None

    def __init__(self, provider: Provider, limits: Any, callers: int, seconds: float) -> None:
        self.provider, self.limits, self.seconds = provider, limits, seconds
        self.clock = ManualClock(0.0)
        self.line = line()
        self.line.retries = type(self.line.retries)(longest_wait=1e9)
        self.chance = random.Random(7)
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.number = itertools.count()
        for _ in range(callers):
            self.later(0.0, self.start)
        while self.events:
            self.clock.now, _, action = heapq.heappop(self.events)
            action()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.clock.now + seconds, next(self.number), action))

    def start(self) -> None:
        if self.clock.now < self.seconds:
            size = self.chance.choice([50, 200, 400])
            call = Call(clock=self.clock)
            request = Request("x" * 4 * (size - 5), max_tokens=100)
            steps = limited(call, self.line, self.limits, request, self.asking(size + 100))
            self.go(steps, None)

    def asking(self, size: int) -> Any:
        taken = yield Ask(size)
        unix = self.clock.now + (1e9 if self.provider.form == "epoch" else 0.0)
        self.limits.told(limits_in(self.provider.headers(self.clock.now), unix), self.clock.now)
        if not taken:
            raise RateLimitError("slow down", sent="yes", retry_after=1.0)
        return Completion(parts=(), finish_reason="stop", usage=Usage(input_tokens=size - 100, output_tokens=100))

    def go(self, steps: Any, answer: Any) -> None:
        try:
            step = steps.send(answer)
        except StopIteration:
            self.provider.answered.append(self.clock.now)
            self.later(0.0, self.start)
            return
        except ByollmError:
            self.later(0.0, self.start)
            return
        if isinstance(step, Sleep):
            self.later(step.seconds, lambda: self.go(steps, False))
        elif isinstance(step, Acquire):
            step.place.add_done_callback(lambda place: self.later(0.0, lambda: self.go(steps, True)))
        else:
            taken = self.provider.begin(self.clock.now, step.size)
            self.later(0.3 if taken else 0.01, lambda: self.ended(steps, taken))

    def ended(self, steps: Any, taken: bool) -> None:
        if taken:
            self.provider.busy -= 1
        self.go(steps, taken)


FORMS = ["bucket", "go", "seconds", "instant", "epoch", "silent"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "requests, tokens, concurrency", [(600, 10**9, 1000), (10**9, 120_000, 1000), (10**9, 10**9, 8), (600, 200_000, 20)]
)
def test_hardly_a_refusal_and_hardly_a_gap(form: str, requests: int, tokens: int, concurrency: int) -> None:
    """64 callers for ten minutes: at most 1 % of the calls get a 429, and at least 90 % of what is allowed is used."""
    provider = Provider(form, requests, tokens, concurrency)
    limits = Limits(LimitsConfig(requests=requests, tokens=tokens, concurrency=concurrency))

    Simulation(provider, limits, callers=64, seconds=600.0)

    calls = len(provider.answered) + provider.refusals
    mean = 316.7  # tokens of a call, in and out
    allowed = min(requests / 60, tokens / 60 / mean, concurrency / 0.3, 64 / 0.3) * 600
    assert provider.refusals <= 0.01 * calls
    assert len(provider.answered) >= 0.9 * allowed


@pytest.mark.parametrize("form", ["window", "drip"])
@pytest.mark.parametrize("window", [1.0, 10.0, 30.0, 60.0])
@pytest.mark.parametrize("ours", [1, 3])
def test_a_limit_that_is_told_for_another_window(form: str, window: float, ours: int) -> None:
    """Ten in a second are no ten in a minute. Nor does it matter that the file allows more than the provider, or
    whether the provider's limit comes back at once or bit by bit."""
    provider = Provider(form, 600, 10**9, 1000, window)
    limits = Limits(LimitsConfig(requests=600 * ours))

    Simulation(provider, limits, callers=32, seconds=600.0)

    calls = len(provider.answered) + provider.refusals
    assert len(provider.answered) >= 0.9 * 6000
    assert provider.refusals <= (0.01 if ours == 1 else 0.05) * calls


class Two(Simulation):
    """Calls take turns between two deployments, whose limits have the last part in common."""

    def start(self) -> None:
        self.limits, self.other = self.other, self.limits
        super().start()


def test_two_deployments_of_one_key_share_what_it_is_allowed() -> None:
    """The provider counts the key: at most 1 % refusals, at least 90 % of its limit used, by both together."""
    provider = Provider("silent", 600, 10**9, 1000)
    group = Limits(LimitsConfig(requests=600))
    first, second = (Joint((Limits(LimitsConfig(concurrency=64)), group)) for _ in range(2))
    Two.other = second

    Two(provider, first, callers=64, seconds=600.0)

    assert provider.refusals <= 0.01 * len(provider.answered)
    assert len(provider.answered) >= 0.9 * 6000


def test_a_reset_releases_no_crowd() -> None:
    """64 that wait for the same reset: within any 100 ms no more go than 1.1 of what a steady pace allows, and one."""
    provider = Provider("go", 6000, 10**9, 1000)
    limits = Limits(LimitsConfig(requests=6000))
    limits.told({"requests": (None, 0.0, 5.0)}, 0.0)

    Simulation(provider, limits, callers=64, seconds=10.0)

    began = sorted(moment - 0.3 for moment in provider.answered)
    assert 5.0 <= began[0] < 5.1
    for place, moment in enumerate(began):
        inside = sum(1 for other in began[place:] if other < moment + 0.1)
        assert inside <= 1.1 * 10 + 1


def test_who_waits_already_when_a_reset_is_told_does_not_come_in_a_crowd() -> None:
    """Thirty have their places when the provider says that there is none for a second: they queue up anew, in turn."""
    limits, came = Limits(LimitsConfig(requests=600)), []
    clock = ManualClock(0.0)
    waiting: list[Any] = []

    def call() -> Any:
        def nothing() -> Any:
            came.append(clock.now)
            return Completion(parts=(), finish_reason="stop", usage=Usage())
            yield

        return limited(Call(clock=clock), line(), limits, Request("hi"), nothing())

    for number in range(30):
        steps = call()
        with suppress(StopIteration):
            heapq.heappush(waiting, (clock.now + next(steps).seconds, number, steps))
    limits.told({"requests": (None, 0.0, 5.0)}, 0.0)
    while waiting:
        clock.now, number, steps = heapq.heappop(waiting)
        with suppress(StopIteration):
            heapq.heappush(waiting, (clock.now + steps.send(False).seconds, number, steps))

    after = [moment for moment in came if moment > 0.0]
    assert 30 == len(came)
    assert 5.0 <= after[0]
    assert all(later - moment >= 0.1 - 1e-6 for moment, later in itertools.pairwise(after))


def test_a_token_limit_that_stays_open_is_not_used_up_by_waiting() -> None:
    """Whoever has to queue up anew for requests gives back the tokens that it had reserved."""
    limits = Limits(LimitsConfig(requests=600, tokens=60_000))
    for _ in range(5):
        limits.told({"requests": (None, 0.0, 1.0)}, 0.0)
        ticket = limits.reserve(500, 500, 0.0)
        ticket.cancel()

    assert limits.reserve(500, 500, 100.0).at == 100.0
    assert limits.room(100.0) > 0.9


def test_headers_that_tell_less_than_the_file_count() -> None:
    """The file says 6000 a minute, the provider 60: after its first answer it is 60."""
    bucket = Bucket(6000)
    bucket.told(60, 59, 1.0, 0.0)

    assert 60 == bucket.a_minute


@pytest.mark.parametrize(
    "figures", [(0.0, None, None), (None, -5.0, None), (float("inf"), 10.0, 0.0), (None, 0.0, 1e12)]
)
def test_odd_figures_do_no_harm(figures: Any) -> None:
    """A limit of nothing, or a reset in a thousand years, closes nothing for more than an hour."""
    bucket = Bucket(60)
    bucket.told(figures[0], figures[1], figures[2], 0.0)

    assert bucket.a_minute == 60
    assert bucket.reserve(1, 0.0) <= 3600.0 + 60.0


amounts = st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 50)), min_size=1, max_size=60)


@given(amounts, st.integers(60, 6000))
def test_no_minute_holds_more_than_allowed(asked: list[tuple[float, float]], a_minute: int) -> None:
    """Whatever is asked and when: in any minute no more begins than the limit, a burst of a second, and one request."""
    bucket, now, began = Bucket(a_minute), 0.0, []
    for pause, amount in asked:
        now += pause
        began.append((bucket.reserve(amount, now), amount))

    assert [moment for moment, _ in began] == sorted(moment for moment, _ in began)
    for moment, _ in began:
        inside = sum(amount for other, amount in began if moment <= other < moment + 60)
        assert inside <= a_minute * (61 / 60) + max(amount for _, amount in began) + 1e-6


@given(amounts)
def test_what_is_given_back_can_be_used(asked: list[tuple[float, float]]) -> None:
    """A reservation that is cancelled at once leaves no trace."""
    one, other, now = Bucket(600), Bucket(600), 0.0
    for pause, amount in asked:
        now += pause
        at = one.reserve(amount, now)
        extra = other.reserve(amount, now)
        assert at == pytest.approx(extra, abs=1e-6)
        other.reserve(7, now)
        other.give_back(7)


def limited_line(**config: int) -> Any:
    found = line()
    found.limits = Limits(LimitsConfig(**config))
    return found


@pytest.mark.parametrize("ask", [run, run_async])
def test_a_call_waits_on_the_clock(ask: Any) -> None:
    """The second of two waits for its place; the provider is not asked before."""
    target, script = limited_line(requests=1), Script(OK, OK)

    waits = [ask(target, script, "hi").clock.slept for _ in range(2)]

    assert [] == waits[0]
    assert 2 == len(script.requests)


def test_who_would_wait_too_long_is_told_at_once() -> None:
    """An own limit that is full for longer than the deadline: the call moves on or fails, and nothing is sent."""
    target, script = limited_line(requests=1), Script(OK, OK, OK)
    for _ in range(3):
        target.limits.reserve(1, 1, 1_000_000.0)

    done = run(target, script, "hi")

    assert isinstance(done.error, RateLimitError)
    assert ("no", []) == (done.error.sent, script.requests)
    assert "nothing was sent" in done.error.message


def test_another_deployment_answers_meanwhile() -> None:
    """Candidates with a full limit are passed over."""
    full, free = limited_line(requests=1), line(Acme("other"))
    for _ in range(3):
        full.limits.reserve(1, 1, 1_000_000.0)

    done = run([full, free], Script(OK), "hi")

    assert done.reply is not None
    assert 1 == len(done.reply.attempts)


def test_places_are_given_in_the_order_of_asking() -> None:
    """Eight calls at a time: whoever waited longest goes next, and a place that is given up is passed on."""
    limits = Limits(LimitsConfig(concurrency=1))
    assert limits.enter() is None
    first, second, third = limits.enter(), limits.enter(), limits.enter()
    assert first is not None
    assert second is not None
    assert third is not None

    limits.leave(second)
    limits.leave()
    assert first.done()
    limits.leave(first)
    assert third.done()
    limits.leave()
    assert limits.enter() is None


def test_a_place_may_be_left_while_the_same_thread_looks_for_one() -> None:
    """An abandoned stream is collected at any allocation, and leaves: also inside of another call's reservation."""
    limits = Limits(LimitsConfig(requests=60, concurrency=1))
    ticket = limits.reserve(1, 1, 0.0)
    assert limits.enter_at_once()

    with limits._lock:  # where the collector comes by
        limits.leave()
        ticket.cancel()

    assert limits.enter_at_once()


def test_waiting_for_a_place_can_be_cancelled() -> None:
    """From another thread; the place goes to the next."""
    target = limited_line(concurrency=1)
    assert target.limits.enter() is None
    call = Call()
    threading.Timer(0.05, call.cancellation.cancel).start()

    done = run(target, Script(OK), "hi", call=call)

    assert isinstance(done.error, CancelledError)
    target.limits.leave()
    assert target.limits.enter() is None


def test_who_waits_for_the_place_of_one_that_is_refused_waits_as_it_was_told() -> None:
    """Else each place that is left would be taken for the next refusal."""
    limits, time = Limits(LimitsConfig(requests=6000, concurrency=1)), ManualClock()
    assert limits.enter_at_once()
    steps = limited(Call(clock=time), limited_line(), limits, Request("hi"), iter(()))  # type: ignore[arg-type]
    assert isinstance(next(steps), Acquire)

    limits.refused(30.0, time.monotonic())
    limits.leave()
    step = steps.send(True)

    assert isinstance(step, Sleep)
    assert step.seconds >= 30.0
    assert limits.enter_at_once()


def test_no_more_at_a_time_than_allowed_in_threads_and_tasks() -> None:
    """Sixteen threads and sixteen tasks on three places: never more than three inside, and all get in."""
    limits = Limits(LimitsConfig(concurrency=3))
    inside, most, done = [0], [0], [0]
    lock = threading.Lock()

    def work() -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        with lock:
            inside[0] -= 1
            done[0] += 1

    def in_a_thread() -> None:
        for _ in range(50):
            place: Future[None] | None = limits.enter()
            if place is not None:
                place.result(10)
            work()
            limits.leave()

    async def in_a_task() -> None:
        for _ in range(50):
            place = limits.enter()
            if place is not None:
                await asyncio.wrap_future(place)
            work()
            limits.leave()

    async def tasks() -> None:
        await asyncio.gather(*[in_a_task() for _ in range(16)])

    threads = [threading.Thread(target=in_a_thread) for _ in range(16)]
    for thread in threads:
        thread.start()
    asyncio.run(tasks())
    for thread in threads:
        thread.join()

    assert 32 * 50 == done[0]
    assert most[0] <= 3
    assert limits.room(0.0) == 1.0
