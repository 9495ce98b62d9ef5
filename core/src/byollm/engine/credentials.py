"""The credentials of one line: resolved at first use, renewed after a 401, and known to the redactor.

Nothing here is ever bound in an engine frame: drivers call it right before the transport opens, and the headers go
straight into the `Outgoing`, which does not show itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from byollm.engine.failures import bare
from byollm.errors import AuthenticationError, ByollmError, PluginError
from byollm.transports.base import Broken
from byollm.wire.auth import AuthContext, AuthScheme
from byollm.wire.exchange import HttpRequest
from byollm.wire.redact import Redactor, Secret

if TYPE_CHECKING:
    import asyncio


class HiddenHeaders(list[tuple[str, str]]):
    """Header pairs that do not show themselves, not even as a local in a traceback.

    `stamp` tells which generation of credentials they are.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), stamp: int = 0) -> None:
        super().__init__(pairs)
        self.stamp = stamp

    def __repr__(self) -> str:
        return f"HiddenHeaders({len(self)})"


R = TypeVar("R")


class Hidden:
    """A request or an answer of an auth scheme, which may be a secret from end to end."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Hidden(…)"


class Reference(Protocol):
    """Where a secret comes from."""

    def resolve(self) -> Secret:
        """The secret. May block. Raises AuthenticationError or ConfigError when there is none."""
        ...


class Credentials:
    """Secrets by name, secret headers, and the scheme's state. Safe in threads; `repr` shows nothing."""

    __slots__ = (
        "_async_locks",
        "_forced",
        "_headers",
        "_lock",
        "_past",
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
        self._past: list[Secret] = []
        self._redactor: tuple[tuple[Secret, ...], Redactor] | None = None
        self._state: dict[str, Any] = {}
        self._forced = False
        self._lock = threading.RLock()
        self._refresh = threading.Lock()
        self._stamp = 0
        self._async_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def header_names(self) -> list[str]:
        """The names of the headers whose values are secrets."""
        return list(self._headers)

    @property
    def resolved(self) -> bool:
        """True once the references were read."""
        return self._secrets is not None

    def resolve(self) -> Mapping[str, Secret]:
        """Read the references, once. May block. Raises AuthenticationError or ConfigError."""
        with self._lock:
            if self._secrets is None:
                found = {name: reference.resolve() for name, reference in self._references.items()}
                found |= {f"header {name}": reference.resolve() for name, reference in self._headers.items()}
                self._secrets = found
            return self._secrets

    def renew(self, scheme: AuthScheme, stamp: int) -> bool:
        """After a 401 to the credentials of that `stamp`: read the references again.

        True when a secret changed, when the scheme can refresh, or when another call renewed them meanwhile.
        """
        with self._lock:
            if stamp != self._stamp:
                return True
            before, self._secrets = self._secrets or {}, None
            self._forget(before.values())
            for reference in (*self._references.values(), *self._headers.values()):
                forget = getattr(reference, "refresh", None)
                if forget is not None:
                    forget()
            changed = before != self.resolve()
            if changed:
                self._forget(_secrets_in(self._state))
                self._state = {}
                self._stamp += 1
            self._forced = scheme.refreshes and not changed
            return changed or scheme.refreshes

    def _forget(self, secrets: Iterable[Secret]) -> None:
        """No longer used, but a late answer may still show them."""
        self._past = list(dict.fromkeys([*self._past, *secrets]))[-16:]

    @property
    def redactor(self) -> Redactor:
        """One that masks everything this line ever sent as a credential."""
        tokens = _secrets_in(self._state) if self._state else ()
        known = (*(self._secrets or {}).values(), *self._past, *tokens)
        if self._redactor is None or self._redactor[0] != known:
            self._redactor = (known, Redactor(known))
        return self._redactor[1]

    def _flow(self, scheme: AuthScheme, request: HttpRequest, now: Callable[[], float]) -> Generator[Any, Any, Any]:
        context = AuthContext(self.resolve(), now, _nonce, self._state, self._forced)
        before = _secrets_in(self._state) if self._state else []
        headers = yield from scheme.flow(request, context)
        self._forced = False
        if (before or self._state) and before != _secrets_in(self._state):
            self._forget(before)
            self._stamp += 1
        fixed = [(name, self.resolve()[f"header {name}"].reveal()) for name in self._headers]
        return _sendable(HiddenHeaders([*headers.items(), *fixed], self._stamp))

    def headers(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[Hidden], Hidden | Broken],
    ) -> HiddenHeaders | Broken | ByollmError:
        """The headers to add, or what went wrong as a value. `send` carries the scheme's own requests.

        An error comes back without its traceback: the frames it passed through hold secrets.
        """
        if not scheme.refreshes:
            return self._run(scheme, request, now, send)
        with self._refresh:  # one refresh in flight: the others wait and then find the token
            return self._run(scheme, request, now, send)

    def _run(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[Hidden], Hidden | Broken],
    ) -> HiddenHeaders | Broken | ByollmError:
        flow = self._flow(scheme, request, now)
        asked = _next(flow, None)
        while isinstance(asked, Hidden):
            answer = _worked(asked.value) if callable(asked.value) else send(asked)
            if not isinstance(answer, Hidden):
                return answer
            asked = _next(flow, answer)
        return asked

    async def async_headers(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[Hidden], Awaitable[Hidden | Broken]],
    ) -> HiddenHeaders | Broken | ByollmError:
        """`headers`, awaited."""
        import asyncio  # a sync program starts in a fifth less time without it

        if not self.resolved:
            found = await asyncio.to_thread(outcome, self.resolve)  # a file, a keyring or a command may block
            if isinstance(found, ByollmError):
                return found
        if not scheme.refreshes:
            return await self._async_run(scheme, request, now, send)
        async with self._async_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            return await self._async_run(scheme, request, now, send)

    async def _async_run(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[Hidden], Awaitable[Hidden | Broken]],
    ) -> HiddenHeaders | Broken | ByollmError:
        import asyncio

        flow = self._flow(scheme, request, now)
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
        return Hidden(flow.send(answer.value if answer is not None else None))
    except StopIteration as end:
        headers: HiddenHeaders = end.value
        return headers
    except ByollmError as error:
        return bare(error)
    except Exception as error:  # whatever it says may hold a secret
        problem = type(error).__name__
    return PluginError(f"the auth scheme failed ({problem}); nothing was sent")


def _sendable(headers: HiddenHeaders) -> HiddenHeaders:
    for name, value in headers:
        if not value.isascii() or not value.isprintable():
            raise AuthenticationError(
                f"the credential for {name} holds a character that no header can carry",
                sent="no",
                hint="was it pasted with a line break, a blank or typographic quotes?",
            )
    return headers


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
