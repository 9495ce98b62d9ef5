"""The credentials of one line: resolved at first use, renewed after a 401, and known to the redactor.

Nothing here is ever bound in an engine frame: drivers call it right before the transport opens, and the headers go
straight into the `Outgoing`, which does not show itself.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Protocol

from byollm.errors import ByollmError
from byollm.transports.base import Broken
from byollm.wire.auth import AuthContext, AuthScheme
from byollm.wire.exchange import HttpRequest, HttpResponse
from byollm.wire.redact import Redactor, Secret


class HiddenHeaders(list[tuple[str, str]]):
    """Header pairs that do not show themselves, not even as a local in a traceback."""

    def __repr__(self) -> str:
        return f"HiddenHeaders({len(self)})"


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
        self._async_locks: dict[int, asyncio.Lock] = {}

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

    def renew(self, scheme: AuthScheme) -> bool:
        """After a 401: read the references again. True when a secret changed, or when the scheme can refresh."""
        with self._lock:
            before, self._secrets = self._secrets or {}, None
            for reference in (*self._references.values(), *self._headers.values()):
                forget = getattr(reference, "refresh", None)
                if forget is not None:
                    forget()
            after = self.resolve()
            changed = before != after
            if changed:
                self._past = [*self._past, *before.values()][-8:]
                self._state = {}
            self._forced = scheme.refreshes and not changed
            return changed or scheme.refreshes

    @property
    def redactor(self) -> Redactor:
        """One that masks everything this line ever sent as a credential."""
        tokens = [item for value in self._state.values() for item in _secrets_in(value)]
        known = (*(self._secrets or {}).values(), *self._past, *tokens)
        if self._redactor is None or self._redactor[0] != known:
            self._redactor = (known, Redactor(known))
        return self._redactor[1]

    def _flow(self, scheme: AuthScheme, request: HttpRequest, now: Callable[[], float]) -> Generator[Any, Any, Any]:
        context = AuthContext(self.resolve(), now, _nonce, self._state, self._forced)
        headers = yield from scheme.flow(request, context)
        self._forced = False
        fixed = [(name, self.resolve()[f"header {name}"].reveal()) for name in self._headers]
        return HiddenHeaders([*headers.items(), *fixed])

    def headers(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[HttpRequest], HttpResponse | Broken],
    ) -> HiddenHeaders | Broken | ByollmError:
        """The headers to add, or what went wrong as a value. `send` carries the scheme's own requests.

        An error comes back without its traceback: the frames it passed through hold secrets.
        """
        if not scheme.refreshes:
            return self._run(scheme, request, now, send)
        with self._refresh:  # one refresh in flight: the others wait and then find the token
            return self._run(scheme, request, now, send)

    def _run(
        self, scheme: AuthScheme, request: HttpRequest, now: Callable[[], float], send: Callable[[HttpRequest], Any]
    ) -> HiddenHeaders | Broken | ByollmError:
        flow = self._flow(scheme, request, now)
        try:
            asked = next(flow)
            while True:
                answer = send(asked)
                if isinstance(answer, Broken):
                    return answer
                asked = flow.send(answer)
        except StopIteration as end:
            headers: HiddenHeaders = end.value
            return headers
        except ByollmError as error:
            return error.with_traceback(None)

    async def async_headers(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[HttpRequest], Awaitable[HttpResponse | Broken]],
    ) -> HiddenHeaders | Broken | ByollmError:
        """`headers`, awaited."""
        if not self.resolved:
            try:
                await asyncio.to_thread(self.resolve)  # a file, a keyring or a command may block
            except ByollmError as error:
                return error.with_traceback(None)
        if not scheme.refreshes:
            return await self._async_run(scheme, request, now, send)
        loop = id(asyncio.get_running_loop())
        async with self._async_locks.setdefault(loop, asyncio.Lock()):
            return await self._async_run(scheme, request, now, send)

    async def _async_run(
        self,
        scheme: AuthScheme,
        request: HttpRequest,
        now: Callable[[], float],
        send: Callable[[HttpRequest], Awaitable[Any]],
    ) -> HiddenHeaders | Broken | ByollmError:
        flow = self._flow(scheme, request, now)
        try:
            asked = next(flow)
            while True:
                answer = await send(asked)
                if isinstance(answer, Broken):
                    return answer
                asked = flow.send(answer)
        except StopIteration as end:
            headers: HiddenHeaders = end.value
            return headers
        except ByollmError as error:
            return error.with_traceback(None)


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
