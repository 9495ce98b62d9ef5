"""Secret stores: what plugins of the entry point group `byollm.secrets` bring, and how they are asked.

An entry point is a function from text to text, or a class like `SecretStore`, made with what `secrets:` says. A store
opens no socket: its `read` yields requests and gets answers, as an auth scheme's flow does. They go to the hosts it
names and no other, redirects are not followed, and each is bounded by the store's `timeout`.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from byollm.config.places import Where, name
from byollm.config.secrets import SecretReference, ambient
from byollm.config.words import listing, nearest
from byollm.errors import AuthenticationError, ByollmError, ConfigError, PluginError
from byollm.transports.base import Broken, Cancellation, Limits, Outgoing, Place, Timeouts
from byollm.types.forks import forkable
from byollm.wire.auth import AuthContext
from byollm.wire.exchange import HttpRequest, HttpResponse
from byollm.wire.redact import Redactor, Secret

if TYPE_CHECKING:
    from byollm.config.records import StoreConfig
    from byollm.transports.base import Transport

GROUP: Final = "byollm.secrets"
KINDS: Final = ("env", "file", "keyring", "cmd", "literal")
"""Schemes of the core: no store can take their names."""
MAX_BODY: Final = 1024 * 1024
MAX_STEPS: Final = 8
"""The most that a store may ask for one secret."""
REFUSALS: Final = (400, 401, 403)
"""Statuses by which a store may refuse its own credentials: AWS says 400 to a token that expired."""
HOLD: Final = 1.0
"""Seconds in which a store that did not answer is not asked for another secret."""


class Made:
    """One store of a configuration, ready to be asked. It answers one question at a time; shows nothing."""

    __slots__ = ("_down", "_lock", "_state", "config", "plugin", "transport")

    def __init__(self, config: StoreConfig | None, plugin: Any) -> None:
        self.config = config
        self.plugin = plugin
        self.transport: Transport | None = None
        self._state: dict[str, Any] = {}
        self._lock = forkable(threading.Lock())
        self._down: tuple[float, str] | None = None

    def __repr__(self) -> str:
        return f"Made({self.config.name if self.config else self.plugin!r})"

    def read(self, reference: SecretReference) -> Secret | ByollmError:
        """The secret that a reference names, or what went wrong, without a trace of any secret."""
        if self.config is None:
            return _plain(reference, lambda: self.plugin(reference.text))
        with self._lock:
            if self._down is not None and time.monotonic() - self._down[0] < HOLD:
                return reference.missing(self._down[1])
            own = self._credentials()
            found = own if isinstance(own, ByollmError) else self._run(reference, own)
            if isinstance(found, AuthenticationError) and found.status in REFUSALS and not isinstance(own, ByollmError):
                newer = self._credentials(own)  # its own key may have changed, too
                if newer != own and not isinstance(newer, ByollmError):
                    self._state.clear()
                    own, found = newer, self._run(reference, newer)
            return self._told(reference, own if isinstance(own, dict) else {}, found)

    def _credentials(self, refused: Mapping[str, Secret] | None = None) -> dict[str, Secret] | ByollmError:
        """The store's own keys; read again those that were `refused`."""
        references = self._references()
        for label, secret in (refused or {}).items():
            references[label].refused(secret)
        try:
            return {label: reference.resolve() for label, reference in references.items()}
        except ByollmError as error:
            return error.with_traceback(None)

    def _references(self) -> Mapping[str, SecretReference]:
        """The store's own keys. Usual variables are looked for by the store of the kind's own name alone: the
        platform's identity is not shown to a store that a tenant named."""
        config = self.config
        assert config is not None
        if config.secrets or config.name != config.kind or config.tenants is not None:
            return config.secrets
        usual: Mapping[str, tuple[str, ...]] = getattr(self.plugin, "credentials", {})
        return {label: ambient(label, tuple(variables), optional=True) for label, variables in usual.items()}

    def _run(self, reference: SecretReference, own: Mapping[str, Secret]) -> Any:
        """What the store's flow ends with: a text, a Secret, or an error as a value."""
        context = AuthContext(own, time.time, lambda: os.urandom(16).hex(), self._state)
        flow = self.plugin.read(reference.text, context)
        answer: Any = None
        try:
            for _ in range(MAX_STEPS):
                asked = flow.send(answer)
                answer = asked() if callable(asked) else self._send(asked)
                if isinstance(answer, Broken):
                    return self._silent(answer)
        except StopIteration as end:
            return end.value
        except ByollmError as error:
            return error.with_traceback(None)
        except Exception as error:  # whatever it says may hold a secret
            return AuthenticationError(f"it failed ({type(error).__name__})", sent="no")
        return AuthenticationError("it asks without end", sent="no")

    def _silent(self, broken: Broken) -> AuthenticationError:
        assert self.config is not None
        detail = f": {broken.detail}" if broken.detail else ""
        sentence = f"the store `{name(self.config.name)}` does not answer ({broken.kind}{detail})"
        self._down = (time.monotonic(), sentence)
        return AuthenticationError(sentence, sent="no")

    def _told(self, reference: SecretReference, own: Mapping[str, Secret], found: Any) -> Secret | ByollmError:
        if isinstance(found, str | Secret):
            return Secret((found if isinstance(found, str) else found.reveal()).strip())
        if not isinstance(found, ByollmError):
            return reference.missing(f"{reference.source} failed (it answered {type(found).__name__}, not str)")
        from byollm.wire.classify import one_screen

        state = [value for value in self._state.values() if isinstance(value, Secret)]
        sentence = one_screen(Redactor([*own.values(), *state]).text(found.message))
        if isinstance(found, ConfigError):
            file, line, column = reference.where
            return ConfigError(f"`{reference.name}`: {sentence}", hint=found.hint, file=file, line=line, column=column)
        error = reference.missing(f"{reference.source}: {sentence}")
        error.hint = found.hint or error.hint
        return error

    def _send(self, asked: HttpRequest) -> HttpResponse | Broken:
        config = self.config
        assert config is not None
        if self.transport is None:
            from byollm.transports.sync_http import HttpTransport

            self.transport = HttpTransport("h11")
        bound = config.timeout
        outgoing = Outgoing(
            asked.method,
            asked.url,
            [*asked.headers, ("user-agent", "byollm")],
            asked.body,
            Place(frozenset(self.plugin.hosts), self._proxy(asked.url), config.tls, f"secrets {config.name}"),
            Timeouts(connect=bound, first_byte=bound, idle=bound, total=bound),
            time.monotonic() + bound,
            Cancellation(),
            Limits(body=MAX_BODY),
        )
        opened = self.transport.open(outgoing)
        if isinstance(opened, Broken):
            return opened
        body = b""
        while piece := opened.read():
            if isinstance(piece, Broken):
                opened.close(False)
                return piece
            body += piece
        opened.close(False)  # it is asked seldom: an idle connection would only go stale
        return HttpResponse(opened.head.status, opened.head.headers, body)

    def _proxy(self, url: str) -> str | None:
        from urllib.parse import urlsplit

        from byollm.config.proxies import environment_proxy

        assert self.config is not None
        if isinstance(self.config.proxy, SecretReference):
            return self.config.proxy.resolve().reveal()
        if self.config.proxy == "none":
            return None
        parts = urlsplit(url)
        return environment_proxy(parts.scheme, parts.hostname or "", parts.port)


class Stores:
    """The secret stores of one configuration, each made when it is first asked. `allowed` and `lock` are what its
    `plugins:` says."""

    __slots__ = ("_lock", "_made", "allowed", "configured", "lock")

    def __init__(self) -> None:
        self.configured: Mapping[str, StoreConfig] = {}
        self.allowed: tuple[str, ...] | None = None
        self.lock: str | None = None
        self._made: dict[str, Made] = {}
        self._lock = forkable(threading.Lock())

    def read(self, reference: SecretReference) -> Secret | ByollmError:
        """The secret that a reference of a plugin's kind names, or what went wrong."""
        try:
            made = self.store(reference.kind, reference)
        except ByollmError as error:
            return error.with_traceback(None)
        return made.read(reference)

    def store(self, kind: str, reference: SecretReference | None = None) -> Made:
        """The store of that name. Raises ConfigError when there is none, PluginError when its plugin is broken."""
        with self._lock:
            made = self._made.get(kind)
            if made is None:
                made = self._made[kind] = self._make(kind, reference)
            return made

    def _make(self, kind: str, reference: SecretReference | None) -> Made:
        from byollm.providers import discovery

        config = self.configured.get(kind)
        wanted = config.kind if config is not None else kind
        asked = reference or SecretReference("secrets", kind, "")
        where = config.where if config is not None else asked.where
        point = discovery.pick(GROUP, wanted)
        if point is None:
            raise _no_such(self, wanted, "secrets" if config is not None else asked.name, where)
        discovery.permit(point, self.allowed, self.lock)
        loaded = discovery.load(GROUP, point)
        if not isinstance(loaded, type):
            if config is not None:
                raise _placed(where, f"secrets of kind `{name(wanted)}` take no settings", "remove the entry")
            return Made(None, loaded)
        if config is None:
            from byollm.config.records import StoreConfig

            config = StoreConfig(kind, kind, where=where)
        plugin = _made(loaded, config)
        if config.tenants is not None and getattr(plugin, "searches", False):
            sentence = f"`{name(config.name)}` is a tenant's store, and its login shows the identity of this machine"
            raise _placed(config.places.get("login", config.where), sentence, "log in with the tenant's credentials")
        return Made(config, plugin)


def _made(kind: type, config: StoreConfig) -> Any:
    """The plugin's object. Raises ConfigError for settings that it does not take."""
    known = dict(inspect.signature(kind).parameters)
    for label in config.options:
        if label not in known:
            meant = nearest(label, known)
            mend = f"did you mean `{meant}`?" if meant else f"its settings: {listing(known) or 'none'}"
            if label in getattr(kind, "credentials", {}):
                mend = f"credentials: {{{label}: env:{label.upper()}}}"
            sentence = f"`{name(label)}` is no setting of secrets of kind `{name(config.kind)}`"
            raise _placed(config.places.get(label, config.where), sentence, mend)
    for label, parameter in known.items():
        if parameter.default is parameter.empty and label not in config.options:
            sentence = f"secrets of kind `{name(config.kind)}` need `{label}:`"
            raise _placed(config.where, sentence, f"secrets: {{{name(config.name)}: {{{label}: …}}}}")
    try:
        return kind(**config.options)
    except ValueError as error:
        problem = str(error)
    except Exception as error:
        raise PluginError(f"secrets of kind {config.kind!r} failed ({type(error).__name__})") from None
    raise _placed(config.where, f"secrets `{name(config.name)}`: {problem}", "")


def _placed(where: Where, sentence: str, mend: str) -> ConfigError:
    file, line, column = where
    return ConfigError(sentence, hint=mend, file=file, line=line, column=column)


def _no_such(stores: Stores, kind: str, label: str, where: Where) -> ConfigError:
    from byollm.providers import discovery

    ours = ("vault", "aws", "kubernetes")
    kinds = [*KINDS, *ours, *stores.configured, *(item.name for item in discovery.listed(GROUP))]
    meant = nearest(kind, [item for item in kinds if item != kind])
    mend = "install the plugin that brings it, or write `literal:…` for a key with a colon"
    mend = f"write `{meant}:…`" if meant else mend
    if kind in ours:
        mend = f"pip install byollm-secrets-{kind}   (from a clone: pip install ./contrib/secrets-{kind})"
    return _placed(where, f"`{label}`: there is no kind of secret called `{kind}`", mend)


def _plain(reference: SecretReference, function: Callable[[], Any]) -> Secret | ByollmError:
    from byollm.config.sources import answer_of

    return answer_of(reference, function)
