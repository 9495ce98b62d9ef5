"""ERR: a refusal becomes the class that says what helps, with all that the caller needs, and nothing that harms."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from email.utils import formatdate
from typing import Any, Final

from byollm.errors import (
    AuthenticationError,
    ByollmError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)
from byollm.testing import ManualClock
from byollm_conformance.canary import KEY, is_for_an_answer
from byollm_conformance.checks.answers import modes
from byollm_conformance.effort import Effort
from byollm_conformance.generate import drawn, only_text
from byollm_conformance.judge import alike, failed
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Rendered
from byollm_conformance.words import CLASSES, kin

WIRE: Final = ("wire",)
STATUSES: Final[dict[int, type[ProviderError]]] = {
    400: InvalidRequestError, 401: AuthenticationError, 402: QuotaExhaustedError, 403: PermissionDeniedError,
    404: ModelNotFoundError, 408: ProviderTimeoutError, 413: RequestTooLargeError, 422: InvalidRequestError,
    429: RateLimitError, 498: OverloadedError, 500: ServerError, 502: ServerError, 503: OverloadedError,
    504: ProviderTimeoutError, 529: OverloadedError,
}  # fmt: skip
"""Rows 20 to 30 of the table in spec/errors.md, for a body that says nothing."""
MUTE: Final = (b"", b"<html><body><h1>Bad</h1></body></html>", b"null", b'{"hello": "world"}', b"{")


def refused(subject: Subject, answer: Any, *, stream: bool = False) -> ProviderError:
    """The error of a refusal. Raises Broken when it is none of a provider's."""
    error = failed(subject.read(answer, stream=stream), "a refusal became an answer", stream=stream)
    if isinstance(error, ProviderError):
        return error
    raise Broken(f"a refusal became {type(error).__name__}: {error.message}", stream=stream)


def refusal_of(subject: Subject, kind: type[ProviderError], words: str = "") -> Rendered:
    """A refusal as the provider sends it."""
    return subject.dialect.render_error(kind(words))


@check(
    "ERR-01",
    "MUST",
    "Every refusal of the dialect becomes the class that the table names; one without words is classed by its status.",
    spec="spec/errors.md#7",
    needs=WIRE,
)
def classes(subject: Subject, effort: Effort) -> None:
    """The dialect's own refusals, then bare statuses with bodies that say nothing."""
    for kind in CLASSES:
        for stream in modes(subject):
            subject.count()
            answer = refusal_of(subject, kind)
            error = refused(subject, answer, stream=stream)
            if type(error) not in kin(subject, kind):
                words = f"the dialect's {kind.__name__} became {type(error).__name__}"
                raise Broken(words, status=answer.status, body=answer.body, stream=stream)
    for status, wanted in STATUSES.items():
        for body in MUTE:
            subject.count()
            error = refused(subject, (status, {"content-type": "application/json"}, body))
            if type(error) is not wanted:
                raise Broken(f"{status} became {type(error).__name__}, not {wanted.__name__}", body=body)


@check(
    "ERR-02",
    "MUST",
    "A refusal says whether another try helps, whether another deployment may, what it may have cost, its status, and "
    "who refused.",
    spec="spec/errors.md#40",
    needs=WIRE,
)
def fields(subject: Subject, effort: Effort) -> None:
    """Each class has one answer (the table "What each class carries"); a refusal with a status is not billed."""
    for kind in CLASSES:
        subject.count()
        answer = refusal_of(subject, kind)
        error = refused(subject, answer)
        known = type(error) if type(error) in kin(subject, kind) else kind
        late = answer.status < 400 and issubclass(known, ProviderTimeoutError)  # no status that could say it
        expected = {
            "retryable": known.default_retryable,
            "failover_ok": known.default_failover_ok,
            "billed": "unknown" if answer.status in (408, 504) or late else "no",
            "sent": "yes",
            "status": answer.status,
            "provider": subject.manifest.name,
            "model": subject.model,
        }
        got = {name: getattr(error, name) for name in expected}
        alike(expected, got, f"{kind.__name__} carries the wrong facts", body=answer.body)


def _waits() -> list[tuple[dict[str, str], float | None]]:
    soon = ManualClock().time() + 60
    return [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        (
            {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "1970-01-12T13:47:40Z"},
            60.0,
        ),
        ({"retry-after": formatdate(soon, usegmt=True)}, 60.0),
        ({"retry-after": formatdate(soon - 3600, usegmt=True)}, 0.0),
        ({}, None),
        *[({"retry-after": text}, None) for text in ("-5", "nan", "inf", "-inf", "soon", "", "1e999", "7;")],
    ]


@check(
    "ERR-03",
    "MUST",
    "`retry_after` is read from milliseconds, seconds or a date, else from the reset of a limit that is used up; what "
    "is negative, infinite or no number is no wait.",
    spec="spec/errors.md#41",
    needs=WIRE,
)
def waits(subject: Subject, effort: Effort) -> None:
    """On a rate limit and on an overload."""
    for kind in (RateLimitError, OverloadedError):
        answer = refusal_of(subject, kind)
        plain = {name: value for name, value in answer.headers.items() if "retry" not in name}
        for headers, seconds in _waits():
            subject.count()
            error = refused(subject, (answer.status, {**plain, **headers}, answer.body))
            waited = error.retry_after
            good = waited == seconds or (seconds is None and waited == 0)
            if not good or (waited is not None and not (math.isfinite(waited) and waited >= 0)):
                raise Broken("retry_after is not what the provider said", headers=headers, expected=seconds, got=waited)


BODIES: Final = (
    b'{"error":{"message":"m","type":"t","code":"c"}}', b'{"error":"m"}', b"", b"<html>502</html>", b"null", b"[]",
    b"\xff\xfe", b'{"detail":[{"msg":"x"}]}', b'{"error":{"message":["x"],"type":7,"code":{}}}', b'{"error":{}}',
    b'{"type":"error","error":null}', b'{"message":{"a":1}}', b'"text"', b"[1e999]", b'{"error":' * 9_000,
)  # fmt: skip


@check(
    "ERR-04",
    "MUST",
    "No error status is ever a success, whatever its body, and none makes the plugin crash.",
    spec="spec/errors.md#42",
    needs=WIRE,
)
def never_success(subject: Subject, effort: Effort) -> None:
    """Statuses × bodies, and a good answer with an error's status."""
    good = [subject.dialect.render(only_text(), stream).body for stream in modes(subject)]
    statuses, bodies = (*STATUSES, 304, 307, 418, 599), (*BODIES, *good)
    tried = itertools.product(statuses, bodies, modes(subject))
    for status, body, stream in drawn(tried, 150 + effort.scaled(3), effort.random("ERR-04")):
        subject.count()
        error = refused(subject, (status, {"content-type": "application/json"}, body), stream=stream)
        alike(status, error.status, "the status is lost", body=body)


@check(
    "ERR-05",
    "MUST",
    "A prompt that is too long becomes ContextLengthError, which another model may take; other faults of a request do "
    "not.",
    spec="spec/errors.md#13",
    needs=WIRE,
)
def context_length(subject: Subject, effort: Effort) -> None:
    """By the dialect's own words."""
    error = refused(subject, refusal_of(subject, ContextLengthError))
    alike("ContextLengthError", type(error).__name__, "a prompt that is too long was not recognised")
    alike((False, True), (error.retryable, error.failover_ok), "a prompt that is too long has the wrong remedy")
    for words in ("the value is too long for this field", "tools must hold at most 128 functions", "maximum is 5"):
        subject.count()
        error = refused(subject, refusal_of(subject, InvalidRequestError, words))
        alike("InvalidRequestError", type(error).__name__, "another fault was taken for a long prompt", said=words)


@check(
    "ERR-06",
    "MUST",
    "An exhausted quota is not a rate limit: waiting does not help.",
    spec="spec/errors.md#10",
    needs=WIRE,
)
def quota(subject: Subject, effort: Effort) -> None:
    """Both come with 429 at several providers."""
    if len(kin(subject, QuotaExhaustedError)) > 1:
        raise Unsaid("the dialect has no word of its own for an exhausted quota")
    spent = refused(subject, refusal_of(subject, QuotaExhaustedError))
    busy = refused(subject, refusal_of(subject, RateLimitError))
    got = [(type(error).__name__, error.retryable) for error in (spent, busy)]
    alike([("QuotaExhaustedError", False), ("RateLimitError", True)], got, "quota and rate limit are mixed up")


@check(
    "ERR-07",
    "MUST",
    "The provider's words are kept, bounded, on one line, without markup, control characters or any trace of a key.",
    spec="spec/errors.md#43",
    needs=WIRE,
)
def words_kept(subject: Subject, effort: Effort) -> None:
    """Outside and inside a stream; the words echo the key."""
    evil = f"zz-words \x1b[31mred\x1b[0m\r\nINFO forged \x00 <b>{KEY}</b> " + "x" * 50_000
    mine = bool(subject.manifest.credentials)
    for kind in (InvalidRequestError, RateLimitError, ServerError):
        for answer, stream in _said(subject, kind, evil):
            subject.count()
            sent = subject.call(answer, stream=stream)
            asked = any(
                is_for_an_answer(each, subject) for each in sent.requests
            )  # else a request for a token was refused, and not ours
            outcome = sent.outcome if asked else subject.read(answer, stream=stream)
            error = failed(outcome, "a refusal became an answer")
            shown = f"{error} {error!r} {error.__dict__}"
            if "zz-words" not in error.message:
                raise Broken("the provider's words are lost", message=error.message, kind=kind.__name__)
            if len(error.message) > 2_000 or any(ord(letter) < 32 for letter in error.message):
                raise Broken("the provider's words can flood or forge a log", message=error.message[:200])
            if mine and asked and (KEY in shown or KEY[3:20] in shown):
                raise Broken("the provider's words show the key", message=error.message)


def _said(subject: Subject, kind: type[ProviderError], words: str) -> list[tuple[Rendered, bool]]:
    found = [(subject.dialect.render_error(kind(words)), False)]
    if not subject.support("streaming").refused:
        found.append((subject.dialect.render_error(kind(words), stream=True), True))
    return found


@check(
    "ERR-08",
    "MUST",
    "Errors can be pickled, copied and shown, and stay what they are.",
    spec="spec/errors.md#44",
    needs=WIRE,
)
def copies(subject: Subject, effort: Effort) -> None:
    """Of refusals, of broken answers, of cut streams."""
    answers: list[tuple[Any, bool]] = [(refusal_of(subject, kind), False) for kind in CLASSES]
    answers += [((200, {}, b"{"), False), ((200, {"content-type": "text/event-stream"}, b"data: {}\n\n"), True)]
    for answer, stream in answers:
        subject.count()
        error = failed(subject.read(answer, stream=stream), "a broken answer became one")
        for other in _copied(error):
            same = {name: value for name, value in error.__dict__.items() if name != "attempts"}
            kept = {name: value for name, value in other.__dict__.items() if name != "attempts"}
            alike(type(error).__name__, type(other).__name__, "a copy is of another class")
            alike(str(error), str(other), "a copy says something else")
            alike(same, kept, "a copy carries other facts", kind=type(error).__name__)


def _copied(error: ByollmError) -> list[BaseException]:
    try:
        return [pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)]
    except Exception as problem:  # whatever hangs on the error
        words = f"{type(error).__name__} cannot be copied: {type(problem).__name__}: {problem}"
    raise Broken(words, carries=list(error.__dict__))


@check(
    "ERR-10",
    "MUST",
    "A provider that is overloaded (503, 529, its own word) is told apart from one that is broken: OverloadedError.",
    spec="spec/errors.md#26",
    needs=WIRE,
)
def overloaded(subject: Subject, effort: Effort) -> None:
    """Another try helps, and another deployment."""
    answer = refusal_of(subject, OverloadedError)
    for status in (503, 529, answer.status):
        subject.count()
        error = refused(subject, (status, answer.headers, answer.body))
        got = (type(error).__name__, error.retryable, error.failover_ok)
        alike(("OverloadedError", True, True), got, "an overloaded provider was not recognised", status=status)
