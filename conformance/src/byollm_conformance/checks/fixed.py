"""AUT: a scheme of authentication that calls itself fixed is asked once, and is then believed."""

from __future__ import annotations

import copy
import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from byollm.errors import ByollmError, UnsupportedFeatureError
from byollm.types.request import Request
from byollm.wire.auth import AuthContext
from byollm.wire.exchange import Exchange, HttpRequest
from byollm.wire.redact import Secret
from byollm_conformance.canary import KEY
from byollm_conformance.effort import Effort
from byollm_conformance.exercise import requests
from byollm_conformance.model import Broken, Untestable, check
from byollm_conformance.subject import Subject

USUAL: Final = HttpRequest(
    "POST", "https://llm.example.com/v1/talk", (("content-type", "application/json"), ("accept", "*/*")), b'{"a": 1}'
)
OTHERS: Final[Mapping[str, HttpRequest]] = {
    "method": replace(USUAL, method="GET"),
    "path": replace(USUAL, url="https://llm.example.com/v1/batches/b-1?limit=2"),
    "host": replace(USUAL, url="https://two.example.net/v1/talk"),
    "headers": replace(USUAL, headers=(("content-type", "text/plain"), ("x-more", "1"))),
    "body": replace(USUAL, body=b'{"a": 2, "b": "something longer"}'),
    "missing body": replace(USUAL, body=b""),
}
"""Requests that differ from the usual one in one thing each."""
NOON: Final = 1_795_435_200.0
INSTANTS: Final = (NOON + 0.25, NOON + 1, NOON + 301, NOON + 86_400, NOON + 400 * 86_400.0)
CLOCKS: Final = frozenset(
    {"time", "time_ns", "monotonic", "monotonic_ns", "now", "utcnow", "today", "gmtime", "localtime", "ctime",
     "asctime", "strftime", "perf_counter", "clock_gettime", "clock_gettime_ns"}
)  # fmt: skip
"""Functions of `time` and `datetime` that say what time it is; some of them only when they are given none."""


@dataclass
class Asking:
    """A scheme and the credentials that it is asked with."""

    word: str
    scheme: Any
    names: tuple[str, ...]

    def secrets(self, tag: str = "") -> dict[str, Secret]:
        """Made-up credentials by name: of one set, no two alike."""
        return {name: Secret(f"{KEY}{tag}-{name}") for name in self.names}

    def headers(self, request: HttpRequest = USUAL, **told: Any) -> Mapping[str, str]:
        """What the scheme adds. Raises Broken when it asks somebody or reads a clock, Untestable when it refuses."""
        values = {"secrets": self.secrets(), "now": lambda: NOON, "nonce": lambda: "nonce-1", "state": {}, **told}
        flow = self.scheme.flow(request, AuthContext(**values))
        with _no_clock(self.word):
            try:
                asked = next(flow)
            except StopIteration as end:
                return dict(end.value)
            except ByollmError as error:
                refused = f"authentication {self.word!r} refuses credentials that were made up: {error.message}"
            else:
                what = asked.url if isinstance(asked, HttpRequest) else "something that takes time"
                raise Broken(
                    f"authentication {self.word!r} calls itself fixed, and asks for {what}: what it gets passes"
                )
        raise Untestable(refused)

    def same(self, expected: Mapping[str, str], why: str, request: HttpRequest = USUAL, **told: Any) -> None:
        """Raises Broken where the headers differ; their values are not shown."""
        got = self.headers(request, **told)
        if expected != got:
            names = sorted(name for name in {**expected, **got} if expected.get(name) != got.get(name))
            words = f"authentication {self.word!r} calls itself fixed, and its headers are others for {why}"
            raise Broken(words, headers=names)


@contextmanager
def _no_clock(word: str) -> Iterator[None]:
    """Whoever reads a clock of his own is caught at it: the answer may differ only tomorrow.

    The collector of garbage calls others' functions in the middle of anything, and some of them time it: it waits.
    """
    seen: list[str] = []

    def look(frame: Any, event: str, function: Any) -> None:
        if event == "c_call" and getattr(function, "__name__", "") in CLOCKS:
            owner = getattr(function, "__self__", None)
            home = getattr(owner, "__module__", None) or getattr(owner, "__name__", "")
            if getattr(function, "__module__", None) == "time" or home in ("time", "datetime"):
                seen.append(function.__name__)

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
    if seen:
        raise Broken(f"authentication {word!r} calls itself fixed, and reads the clock", function=seen[0])


@check(
    "AUT-01",
    "MUST",
    "A scheme of authentication that says `fixed` answers one set of credentials with the same headers for every "
    "request, at any time, and asks nobody for them; other credentials have other headers, never those of the first.",
    spec="spec/security.md#11",
    since="2",
)
def fixed_is_fixed(subject: Subject, effort: Effort) -> None:
    """Every word of `authentication` and what the exchanges bring: other requests, instants, nonces, states, keys."""
    for word, scheme in _schemes(subject):
        subject.count()
        if not getattr(scheme, "fixed", False):
            continue
        asking = Asking(word, scheme, _names(subject, scheme))
        untouched, usual = _untouched(asking), asking.headers()
        _own(asking, usual)
        asking.same(usual, "the same request")
        for what, request in OTHERS.items():
            asking.same(usual, f"another {what}", request)
        for instant in INSTANTS:
            asking.same(usual, "another time", now=lambda instant=instant: instant)
        asking.same(usual, "another nonce", nonce=lambda: "nonce-2")
        asking.same(usual, "a second try after a 401", forced=True)
        state: dict[str, Any] = {}
        for what in ("an empty state", "the state that it left"):
            asking.same(usual, what, state=state)
        _others(asking, usual, untouched)


def _schemes(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Those of the manifest, and those that exchanges bring, each for this deployment; no scheme twice."""
    target = subject.line.deployment.target
    found = list(subject.manifest.authentication.items())
    if not subject.local:
        found += [("of an exchange", scheme) for scheme in _of_exchanges(subject)]
    seen: list[Any] = []
    for word, scheme in found:
        bound = scheme.at(target) if hasattr(scheme, "at") else scheme
        if not any(bound is known or (type(bound) is type(known) and bound == known) for known in seen):
            seen.append(bound)
            yield word, bound


def _of_exchanges(subject: Subject) -> Iterator[Any]:
    for request in requests(subject):
        try:
            yield subject.exchange(request).auth
        except UnsupportedFeatureError:
            continue
    count = subject.line.deployment.count(Request("hi"))
    for other in (count, subject.capabilities.refine):
        if isinstance(other, Exchange):
            yield other.auth


def _names(subject: Subject, scheme: Any) -> tuple[str, ...]:
    """What its secrets may be called."""
    own = getattr(scheme, "secret", None)
    return tuple(dict.fromkeys([*subject.manifest.credentials, *([own] if isinstance(own, str) else []), "api_key"]))


def _others(asking: Asking, usual: Mapping[str, str], untouched: Asking) -> None:
    """Another set of credentials, then the first again: what a scheme keeps for itself shows."""
    for tag in ("-two", "-three"):
        other = asking.headers(secrets=asking.secrets(tag))
        _own(asking, other, tag)
        asking.same(usual, "credentials that come back after others")
        if untouched.headers(secrets=asking.secrets(tag)) != other:
            words = "sends something else for credentials when it was asked with others before"
            raise Broken(f"authentication {asking.word!r} {words}", headers=sorted(other))


def _own(asking: Asking, headers: Mapping[str, str], tag: str = "") -> None:
    """Raises Broken for a canary that is none of those that were given."""
    given = [secret.reveal() for secret in asking.secrets(tag).values()]
    for name, value in headers.items():
        if KEY in value and not any(key in value for key in given):
            raise Broken(f"authentication {asking.word!r} sends the key of other credentials", header=name)


def _untouched(asking: Asking) -> Asking:
    """A copy that was not asked yet; the scheme itself where it cannot be copied."""
    try:
        return replace(asking, scheme=copy.deepcopy(asking.scheme))
    except (TypeError, ValueError, AttributeError):
        return asking
