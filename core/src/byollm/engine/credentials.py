"""The credentials of one line: resolved at first use, renewed after a 401, and known to the redactor.

Nothing here is ever bound in an engine frame: drivers call it right before the transport opens, and the headers go
straight into the `Outgoing`, which does not show itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

from byollm.engine.failures import bare
from byollm.engine.hidden import Hidden, HiddenHeaders, sendable
from byollm.errors import ByollmError, PluginError
from byollm.transports.base import Broken
from byollm.types.forks import forkable
from byollm.wire.auth import AuthContext, AuthScheme
from byollm.wire.exchange import HttpRequest
from byollm.wire.redact import Redactor, Secret

if TYPE_CHECKING:
    import asyncio

    from byollm.engine.waiting import Waiting

NEVER: Final = float("inf")
READING: Final = 60.0
"""Seconds in which nobody else begins to read secrets that grew old."""

R = TypeVar("R")
Send = Callable[[Hidden], Hidden | Broken]
AsyncSend = Callable[[Hidden], Awaitable[Hidden | Broken]]
Made = HiddenHeaders | Broken | ByollmError
"""The headers to add, or what went wrong as a value."""


class Reference(Protocol):
    """Where a secret comes from."""

    def resolve(self) -> Secret:
        """The secret. May block. Raises AuthenticationError or ConfigError when there is none."""
        ...


class Credentials:
    """Secrets by name, secret headers, and the scheme's state. Safe in threads; `repr` shows nothing."""

    __slots__ = (
        "_async_locks",
        "_due",
        "_forced",
        "_headers",
        "_hidden",
        "_lock",
        "_past",
        "_ready",
        "_redactor",
        "_references",
        "_refresh",
        "_secrets",
        "_stamp",
        "_state",
    )

    def __init__(
        self, references: Mapping[str, Reference] | None = None, headers: Mapping[str, Reference] | None = None
    ) -> None:
        self._references = dict(references or {})
        self._headers = dict(headers or {})
        self._secrets: dict[str, Secret] | None = None
        self._due = float("inf")
        self._past: list[Secret] = []
        self._hidden: tuple[Secret, ...] = ()
        self._ready: tuple[AuthScheme, Mapping[str, Secret], HiddenHeaders] | None = None
        self._redactor: tuple[tuple[Secret, ...], Redactor] | None = None
        self._state: dict[str, Any] = {}
        self._forced = False
        self._lock = forkable(threading.RLock())
        self._refresh = forkable(threading.Lock())
        self._stamp = 0
        self._async_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def header_names(self) -> list[str]:
        """The names of the headers whose values are secrets."""
        return list(self._headers)

    def resolve(self) -> Mapping[str, Secret]:
        """The references' values; read at first use, and again when one grew old. May block.

        Who finds one old reads it, the others go on with what there is. Raises AuthenticationError or ConfigError.
        """
        secrets = self._secrets
        if secrets is not None and (self._due == NEVER or time.monotonic() < self._due):
            return secrets
        if not self._lock.acquire(blocking=secrets is None):
            return secrets or {}
        try:
            if self._secrets is None or time.monotonic() >= self._due:
                self._take(self._read())
            return self._secrets or {}
        finally:
            self._lock.release()

    def same_as(self, other: Credentials) -> bool:
        """The same secrets, as far as both were read; else the same references. False where there is no secret."""
        mine, theirs = self._secrets, other._secrets
        if mine is not None and theirs is not None:
            return any(mine.values()) and set(mine.values()) == set(theirs.values())
        said = [_said(reference) for _, reference in self._all()]
        return bool(said) and None not in said and said == [_said(reference) for _, reference in other._all()]

    def _read(self) -> dict[str, Secret]:
        if self._secrets is not None:
            self._due = time.monotonic() + READING
        return {label: reference.resolve() for label, reference in self._all()}

    def _take(self, found: dict[str, Secret]) -> None:
        before, self._secrets = self._secrets, found
        self._due = min((getattr(reference, "due", NEVER) for _, reference in self._all()), default=NEVER)
        if before is not None and before != found:
            self._forget(before.values())
            self._began_anew()

    def _began_anew(self) -> None:
        """Other secrets than before: tokens that were got with those are of no use."""
        self._forget(_secrets_in(self._state))
        self._state = {}
        self._stamp += 1

    def _all(self) -> Iterator[tuple[str, Reference]]:
        yield from self._references.items()
        yield from ((f"header {name}", reference) for name, reference in self._headers.items())

    def renew(self, scheme: AuthScheme, stamp: int) -> bool:
        """After a 401 to the credentials of that `stamp`: read the references again.

        True when a secret changed, when the scheme can refresh, or when another call renewed them meanwhile.
        """
        with self._lock:
            if stamp != self._stamp:
                return True
            before, self._secrets = self._secrets or {}, None
            self._forget(before.values())
            for label, reference in self._all():
                _refuse(reference, before.get(label))
            self._take(self._read())
            changed = before != self._secrets
            if changed:
                self._began_anew()
            self._forced = scheme.refreshes and not changed
            return changed or scheme.refreshes

    def _forget(self, secrets: Iterable[Secret]) -> None:
        """No longer used, but a late answer may still show them."""
        self._past = list(dict.fromkeys([*self._past, *secrets]))[-16:]

    def hide(self, *secrets: Secret) -> None:
        """No credentials of a provider's, a proxy's perhaps; they are not to be shown either."""
        self._hidden = (*self._hidden, *secrets)

    @property
    def redactor(self) -> Redactor:
        """One that masks everything this line ever sent as a credential."""
        tokens = _secrets_in(self._state) if self._state else ()
        known = (*(self._secrets or {}).values(), *self._past, *self._hidden, *tokens)
        if self._redactor is None or self._redactor[0] != known:
            self._redactor = (known, Redactor(known))
        return self._redactor[1]

    def _snapshot(self) -> tuple[Mapping[str, Secret], int]:
        """The secrets, and the stamp of their generation or an older one: a newer one would hide that they are old."""
        stamp = self._stamp
        return self.resolve(), stamp

    def _at_hand(self) -> tuple[Mapping[str, Secret], int] | None:
        """`_snapshot`, where it needs no reading."""
        stamp, secrets = self._stamp, self._secrets
        fresh = self._due == NEVER or time.monotonic() < self._due
        return (secrets, stamp) if secrets is not None and fresh else None

    def _flow(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        known: tuple[Mapping[str, Secret], int] | None,
    ) -> Generator[Any, Any, Any]:
        secrets, stamp = known or self._snapshot()
        context = AuthContext(secrets, now, _nonce, self._state, self._forced)
        before = _secrets_in(self._state) if self._state else []
        flow = scheme.flow(request, context)
        if not isinstance(flow, Generator):  # a mapping would be gone through, name by name
            raise PluginError(f"the auth scheme {scheme.name!r} has a flow that does not yield; nothing was sent")
        headers = yield from flow
        self._forced = False
        if (before or self._state) and before != _secrets_in(self._state):
            self._forget(before)
            self._stamp += 1
            stamp = self._stamp
        fixed = [(name, secrets[f"header {name}"].reveal()) for name in self._headers]
        made = sendable(HiddenHeaders([*headers.items(), *fixed], stamp))
        if getattr(scheme, "fixed", False):
            self._ready = (scheme, secrets, made)
        return made

    def ready(self, scheme: AuthScheme) -> HiddenHeaders | None:
        """What `headers` would answer, where it was worked out before and depends on nothing but secrets still good."""
        ready = self._ready
        if ready is None or ready[0] is not scheme or ready[1] is not self._secrets:
            return None
        if ready[2].stamp != self._stamp:  # made while others renewed: a refusal of it would be taken for an old one
            return None
        return ready[2] if self._due == NEVER or time.monotonic() < self._due else None

    def headers(self, scheme: AuthScheme, request: HttpRequest, waiting: Waiting, send: Send) -> Made:
        """The headers to add, or what went wrong as a value. `send` carries the scheme's own requests.

        An error comes back without its traceback: the frames it passed through hold secrets.
        """
        if not scheme.refreshes:
            return self._run(scheme, request, waiting, send)
        late = waiting.enter(self._refresh)  # one refresh in flight: the others wait and then find the token
        if late is not None:
            return late
        try:
            return self._run(scheme, request, waiting, send)
        finally:
            self._refresh.release()

    def _run(self, scheme: AuthScheme, request: HttpRequest, waiting: Waiting, send: Send) -> Made:
        flow = self._flow(scheme, request, waiting.now, None)
        asked = _next(flow, None)
        while isinstance(asked, Hidden):
            answer = _worked(asked.value) if callable(asked.value) else send(asked)
            if not isinstance(answer, Hidden):
                return answer
            asked = _next(flow, answer)
        return asked

    async def async_headers(self, scheme: AuthScheme, request: HttpRequest, waiting: Waiting, send: AsyncSend) -> Made:
        """`headers`, awaited."""
        import asyncio  # a sync program starts in a fifth less time without it

        if not scheme.refreshes:
            return await self._async_run(scheme, request, waiting, send)
        lock = self._async_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        late = await waiting.until(lock.acquire)
        if isinstance(late, Broken):
            return late
        try:
            return await self._async_run(scheme, request, waiting, send)
        finally:
            lock.release()

    async def _async_run(self, scheme: AuthScheme, request: HttpRequest, waiting: Waiting, send: AsyncSend) -> Made:
        import asyncio

        known: Any = self._at_hand()
        if known is None:  # a file, a keyring or a store may block
            known = await waiting.until(lambda: asyncio.to_thread(outcome, self._snapshot))
            if isinstance(known, ByollmError | Broken):
                return known
        flow = self._flow(scheme, request, waiting.now, known)
        asked = _next(flow, None)
        while isinstance(asked, Hidden):
            answer: Hidden | Broken | ByollmError
            if callable(asked.value):
                answer = await asyncio.to_thread(_worked, asked.value)
            else:
                answer = await send(asked)
            if not isinstance(answer, Hidden):
                return answer
            asked = _next(flow, answer)
        return asked


def _refuse(reference: Reference, secret: Secret | None) -> None:
    """Its next `resolve` is to read it again. One that is shared asks whether that was done meanwhile."""
    refused = getattr(reference, "refused", None)
    if refused is not None:
        refused(secret)
        return
    refresh = getattr(reference, "refresh", None)
    if refresh is not None:
        refresh()


def _said(reference: Any) -> tuple[str, Any] | None:
    """What a reference says, where that tells which secret it is."""
    kind = getattr(reference, "kind", None)
    if kind in (None, "refused"):
        return None
    return (kind, reference.given) if kind in ("literal", "callable") else (kind, reference.text)


def outcome(work: Callable[[], R]) -> R | ByollmError:
    """What some work on credentials gives, or what went wrong as a value."""
    try:
        return work()
    except ByollmError as error:
        return bare(error)
    except Exception as error:  # whatever it says may hold a secret
        problem = type(error).__name__
    return PluginError(f"the credentials cannot be read ({problem}); nothing was sent")


def _worked(work: Callable[[], Any]) -> Hidden | ByollmError:
    """What a scheme's own work gives. It may be a secret from end to end."""
    return outcome(lambda: Hidden(work()))


def _next(flow: Generator[Any, Any, Any], answer: Hidden | None) -> Hidden | HiddenHeaders | ByollmError:
    """One step of a scheme's flow: a request of its own, the headers at its end, or what went wrong."""
    try:
        asked = Hidden(flow.send(answer.value if answer is not None else None))
        if callable(asked.value) or isinstance(asked.value, HttpRequest):
            return asked
        flow.close()
        problem = f"it yielded a {type(asked.value).__name__}"
    except StopIteration as end:
        headers: HiddenHeaders = end.value
        return headers
    except ByollmError as error:
        return bare(error)
    except Exception as error:  # whatever it says may hold a secret
        problem = type(error).__name__
    return PluginError(f"the auth scheme failed ({problem}); nothing was sent")


def _nonce() -> str:
    return os.urandom(16).hex()


def _secrets_in(value: Any) -> list[Secret]:
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, dict):
        return [item for inner in value.values() for item in _secrets_in(inner)]
    if isinstance(value, list | tuple):
        return [item for inner in value for item in _secrets_in(inner)]
    return []
