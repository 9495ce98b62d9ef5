"""What each class of errors does to a deployment, to its model, and to all who share its key."""

from typing import Any

import pytest
from core_driving import KEY, Fixed, Script, line, refused, run, said
from hypothesis import given
from hypothesis import strategies as st

import byollm
from byollm import errors
from byollm.engine.breaker import KEY as OF_KEY
from byollm.engine.breaker import MODEL, OPEN_SECONDS, QUOTA, SERVER, TIMEOUT, WARM_UP_SECONDS, Breaker
from byollm.engine.credentials import Credentials
from byollm.engine.health import joined, kind_of
from byollm.engine.line import Retries
from byollm.errors import AuthenticationError, ModelNotFoundError, ProviderError, ProviderTimeoutError
from byollm.testing import ManualClock
from byollm.transports.base import Broken
from byollm_sandbox import serve

OK = said("hello")
ONCE = Retries(1, 5)
OTHER = "sk-other-0123456789abcdef"


def lines(*keys: str) -> list[Any]:
    """A deployment for each key, of one client."""
    made = [
        line(None, f"d{number}", retries=ONCE, credentials=Credentials({"api_key": Fixed(key)}))
        for number, key in enumerate(keys)
    ]
    for each in made:
        each.kin = lambda: made
        each.credentials.resolve()
    return made


def states(made: list[Any]) -> list[str]:
    return [each.breaker.why() for each in made]


ANSWERS = {
    "PermissionDeniedError", "InvalidRequestError", "ContextLengthError", "RequestTooLargeError", "ContentFilterError",
    "RateLimitError", "ProviderError",
}  # fmt: skip
"""What a healthy provider says of a request, or of its pace."""


def every(kind: type[ProviderError]) -> list[type[ProviderError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in every(below))]


@pytest.mark.parametrize("kind", [it for it in every(ProviderError) if it.__module__ == errors.__name__])
def test_every_error_is_an_answer_or_of_a_class(kind: type[ProviderError]):
    """A new error is a question: what does it say about health?"""
    assert (kind_of(kind("no")) is None) == (kind.__name__ in ANSWERS)


def test_a_timeout_while_connecting_is_one_of_the_connection():
    """Not of a slow model."""
    kinds = [kind_of(ProviderTimeoutError("late", phase=phase)) for phase in ("connect", "first_byte", "idle")]

    assert ["connection", "timeout", "timeout"] == [kind.name for kind in kinds if kind]


def test_failures_of_a_deployment_count_together():
    """Reset, 500 and garbage in turn are one sick deployment."""
    (ill,) = lines(KEY)
    answers: list[Any] = [Broken("reset", "no"), refused(500), Broken("connect", "no"), refused(503), refused(502)]
    for answer in answers:
        run([ill], Script(answer))

    assert "Breaker(open)" == repr(ill.breaker)
    assert "connection and server" == ill.breaker.why()


def test_any_answer_ends_the_illness_of_a_deployment():
    """It is there again, whatever it says."""
    (ill,) = lines(KEY)
    for answer in [refused(500), refused(500), refused(500), refused(500), refused(429), refused(500)]:
        run([ill], Script(answer))

    assert "Breaker(closed)" == repr(ill.breaker)


def test_a_model_that_is_not_there_goes_last_after_three():
    """Each call would ask in vain first. Other models with this key stay."""
    first, second = lines(KEY, KEY)
    for _ in range(MODEL.failures):
        assert ModelNotFoundError is type(run([first], Script(refused(404))).error)

    assert ["model", ""] == states([first, second])
    assert ["d1"] == run([first, second], Script(OK)).opened


def test_a_used_up_quota_opens_all_that_share_the_key_and_no_other():
    """One answer is enough; whoever has another key goes on."""
    made = lines(KEY, KEY, OTHER)
    run([made[0]], Script(refused(402)))

    assert ["quota", "quota", ""] == states(made)
    assert ["d2"] == run(made, Script(OK)).opened


def test_a_refused_key_opens_all_that_share_it_after_three():
    """One refusal may be a slip of the provider's; it was read again already."""
    made = lines(KEY, KEY, OTHER)
    for number in range(OF_KEY.failures):
        assert "key" * (number > 0) == made[0].breaker.why()
        assert ["", ""] == states(made[1:])
        assert AuthenticationError is type(run([made[0]], Script(refused(401))).error)

    assert ["key", "key", ""] == states(made)


def test_one_probe_is_enough_for_a_key():
    """After twenty seconds one of the two is asked; when it answers both come back, slowly."""
    first, second, _ = made = lines(KEY, KEY, OTHER)
    now = ManualClock().monotonic()
    run([first], Script(refused(402)))
    later = now + OPEN_SECONDS
    assert [True, False] == [first.breaker.allows(later), second.breaker.allows(later)]

    first.breaker.succeeded(later)

    for each in (first, second):
        assert each.breaker.is_well
        assert "quota" == each.breaker.why()
    allowed = [made[number % 2].breaker.allows(later) for number in range(20)]
    assert 2 == sum(allowed)
    assert all(made[number % 2].breaker.allows(later + WARM_UP_SECONDS) for number in range(20))
    assert ["", "", ""] == states(made)


def test_a_quota_that_stays_used_up_is_probed_less_and_less_often():
    """20 s, 40 s, … five minutes at most: an operator mends it, not time."""
    breaker, now, waits = Breaker(), 0.0, []
    breaker.exhausted(now)
    for _ in range(7):
        wait = next(seconds for seconds in range(1, 1000) if breaker.would_allow(now + seconds))
        waits.append(wait)
        now += wait
        assert breaker.allows(now)
        breaker.exhausted(now)

    assert [20, 40, 80, 160, 300, 300, 300] == waits


def test_those_on_their_way_do_not_make_it_longer():
    """Ten calls meet the same used-up quota: one illness, twenty seconds."""
    breaker = Breaker()
    for _ in range(10):
        breaker.exhausted(0.0)

    assert breaker.would_allow(OPEN_SECONDS)


def test_a_server_error_leaves_the_quota_closed():
    """And an answer about the model says that the server is there."""
    (only,) = lines(KEY)
    for answer in [refused(500), refused(500), refused(404)]:
        run([only], Script(answer))

    assert "model" == only.breaker.why()


def test_a_line_that_is_made_later_begins_with_what_is_known_of_its_key():
    """It need not ask for itself."""
    first, second = lines(KEY, KEY)
    first.kin = lambda: [first]
    run([first], Script(refused(402)))
    joined(second)

    assert "quota" == second.breaker.why()


def test_lines_without_a_secret_share_nothing():
    """Two local servers have no key in common."""
    first, second = line(None, "a", credentials=Credentials()), line(None, "b", credentials=Credentials())
    first.credentials.resolve()
    second.credentials.resolve()

    assert not first.credentials.same_as(second.credentials)


moves = st.lists(
    st.tuples(st.sampled_from([SERVER, TIMEOUT, MODEL, QUOTA, None]), st.floats(0, 40), st.booleans()), max_size=40
)


@given(moves)
def test_a_closed_breaker_is_one_that_answered_last(history: list[tuple[Any, float, bool]]):
    """Whatever happened before: after an answer and ten quiet seconds everything is forgotten."""
    breaker, now = Breaker(), 0.0
    for kind, seconds, asked in history:
        now += seconds
        if asked:
            assert breaker.would_allow(now) == breaker.allows(now)
        if kind is not None:
            breaker.failed(now, kind)
        else:
            breaker.succeeded(now)
            assert breaker.is_well
    breaker.succeeded(now)
    later = now + WARM_UP_SECONDS + 1

    assert (True, "") == (breaker.allows(later), breaker.why())


def test_deployments_of_a_file_share_what_their_key_has_left(monkeypatch: pytest.MonkeyPatch):
    """Two models with one key, a third with another: the first answer about the quota saves the second request."""
    monkeypatch.setenv("BYOLLM_TEAM_KEY", KEY)
    with serve() as twin:
        target = {"provider": "custom", "model": "any", "endpoint": twin.url("custom"), "api_key": "${BYOLLM_TEAM_KEY}"}
        config = {
            "deployments": {"a": target, "b": target, "c": {**target, "api_key": f"literal:{OTHER}"}},
            "tasks": {"chat": {"route": ["a", "b", "c"]}},
        }
        twin.script(errors.QuotaExhaustedError("no credit"))
        with byollm.Client(config) as client:
            reply = client.complete("hi", task="chat")
            told = client.explain("hi", task="chat")

    assert ("c", ["a", "c"]) == (reply.deployment, [attempt.deployment for attempt in reply.attempts])
    assert ["c", "a", "b"] == [candidate.deployment for candidate in told]
    assert "it failed lately (quota)" in told[1].reason
