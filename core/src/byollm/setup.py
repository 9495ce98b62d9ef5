"""What both clients share: a configuration into lines, words into a call and a request, a request into a preview."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from byollm.choosing import Route, filtered, no_route
from byollm.engine.call import SYSTEM_CLOCK, Call
from byollm.engine.middleware import Observers
from byollm.engine.operation import Operation
from byollm.errors import ConfigError, ProtocolError
from byollm.types.forks import forkable
from byollm.types.request import PARAMETERS, Request, unknown_parameter

if TYPE_CHECKING:
    from byollm.choosing import Candidate
    from byollm.config.records import Extension, LlmConfig, TaskConfig
    from byollm.deferring import Deferred
    from byollm.engine.line import Line
    from byollm.previewing import Preview
    from byollm.providers.discovery import Loaded
    from byollm.routing.agreements import Books
    from byollm.routing.law import Law
    from byollm.routing.limits import Limits
    from byollm.routing.policies import Asked, Option, Policy
    from byollm.routing.sieve import Sieve
    from byollm.types.capabilities import TokenCount
    from byollm.wire.exchange import Exchange

CALL_WORDS: Final = ("task", "deployment", "tenant", "data_class", "region", "labels", "timeout", "defer", "batch")
"""Keyword arguments of a call that are not parameters of the request."""
_NAMES: Final = frozenset({"task", "deployment", "tenant", "data_class", "region"})
_LATER: Final = ("defer", "batch")
_WEEK: Final = 7 * 24 * 3600
_NO_PARAMETERS: Final = frozenset({*CALL_WORDS, "stream", "model"})


class Setup:
    """The half of a client that does no I/O."""

    def __init__(
        self,
        config: Any,
        transport: Any,
        middleware: Sequence[Any],
        observers: Sequence[Any],
        clock: Any,
        log_content: bool,
    ) -> None:
        from byollm.config.llm_config import load

        self.config: LlmConfig = load(config)
        self.clock = clock or SYSTEM_CLOCK
        self.transport_choice = transport or self.config.transport or "httpx"
        self.observers = Observers([*_extensions("byollm.observers", self.config, self.config.observers), *observers])
        layers = [*_extensions("byollm.middleware", self.config, self.config.middleware), *middleware]
        self.operation = Operation(layers, self.observers, log_content or self.config.log_content)
        self._lines: dict[tuple[str, str | None], Line] = {}
        self._shared: dict[tuple[str, str | None], Limits] = {}
        self._loaded: dict[str, Loaded] = {}
        self._routes: dict[tuple[str | None, str | None, str | None], Route] = {}
        self._turn = 0
        self._books: Books | None = None
        self._law = _law(self.config, self.clock) if self.config.policies is not None else None
        self._lock = forkable(threading.Lock())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client is not pickled: make one in each process from the same configuration")

    def __repr__(self) -> str:
        config = getattr(self, "config", None)  # none yet: a traceback may show one whose file was refused
        return f"{type(self).__name__}({', '.join(sorted(config.deployments)) if config is not None else '…'})"

    def route(self, task: str | None, deployment: str | None, tenant: str | None) -> Route:
        """The candidates of a call, and what orders them. Raises ConfigError for names that do not exist."""
        found = self._routes.get((task, deployment, tenant))
        if found is None:
            from byollm.config.llm_config import resolve_deployment, resolve_task

            config = self.config
            route = resolve_task(config, task) if deployment is None else resolve_deployment(config, deployment)
            if tenant is not None and tenant in config.tenants and deployment is None:
                route = config.tenants[tenant].tasks.get(route.name, route)
            lines = [self.line(name, tenant) for name in route.candidates]
            known = frozenset(route.policy.names if route.policy else ())
            sieve = None if config.policies is None else self._sieve(task, deployment, tenant, route)
            name = route.name if deployment is None else task
            found = Route(lines, route.policy, known, sieve, name, route.defer, route.batch)
            for line in lines if route.policy else ():
                self._agreed(route.policy, line.measured(), tenant)
            self._routes[task, deployment, tenant] = found
        return found

    def _agreed(self, policy: Policy | None, option: Option, tenant: str | None) -> None:
        if policy is not None and policy.word == "prefer":
            from byollm.routing.agreements import Books

            self._books = self._books or Books(self.observers.each)
            self._books.watch(policy, option, tenant)

    def _sieve(self, task: str | None, deployment: str | None, tenant: str | None, route: TaskConfig) -> Sieve:
        """The rules of a call. A task that is named beside a deployment keeps its rules."""
        from byollm.config.llm_config import resolve_task
        from byollm.routing.sieve import Sieve

        assert self._law is not None
        if deployment is not None:
            task = resolve_task(self.config, task).name if task is not None else None
        else:
            task = route.name
        return Sieve(self._law, task, tenant, getattr(route.policy, "regions", ()))

    def lines(self, task: str | None, deployment: str | None, tenant: str | None) -> list[Line]:
        """The candidates of a call in the order of the file, as far as its rules let them be asked.

        Raises ConfigError for names that do not exist, NoRouteError when no candidate may be asked.
        """
        _checked({"task": task, "deployment": deployment, "tenant": tenant})
        route = self.route(task, deployment, tenant)
        return route.lines if route.sieve is None else self._sorted_out({}, Call(clock=self.clock), route)

    def line(self, name: str, tenant: str | None = None) -> Line:
        """One deployment of a tenant, made at first use. Raises ConfigError and PluginError."""
        line = self._lines.get((name, tenant))
        if line is None:
            from byollm.engine.build import build_line
            from byollm.engine.health import joined

            with self._lock:
                line = self._lines.get((name, tenant))
                if line is None:
                    line = build_line(self.config, name, tenant, self._shared, self._loaded)
                    choice = self.config.deployments[name].transport
                    line.transport = self.own_transport(choice) if choice is not None else None
                    line.kin = self._all_lines
                    self._lines[(name, tenant)] = line
                    joined(line)
        return line

    def _all_lines(self) -> list[Line]:
        return list(self._lines.values())

    def own_transport(self, choice: Any) -> Any:
        """The transport of a target that names one. The two clients say how it is made."""
        raise NotImplementedError

    def own_transports(self) -> list[Any]:
        """The transports of the targets that name one, as far as they were used."""
        with self._lock:
            return [line.transport for line in self._lines.values() if line.transport is not None]

    def prepare(self, messages: Any, parameters: dict[str, Any], *, stream: bool) -> tuple[Call, Request, list[Line]]:
        """Sort the words of a call. Raises UnknownParameterError and ConfigError before anything is sent."""
        words: dict[str, Any] = {}
        if not _NO_PARAMETERS.isdisjoint(parameters):
            words = _checked({name: parameters.pop(name) for name in CALL_WORDS if name in parameters})
            if "stream" in parameters or "model" in parameters:
                raise unknown_parameter("stream" if "stream" in parameters else "model")
        if isinstance(messages, Request):
            same = not parameters and messages.stream == stream
            request = messages if same else messages.with_(**_known(parameters), stream=stream)
        else:
            if stream:
                parameters["stream"] = True
            request = Request(messages, **_known(parameters))
        if request.extra is not None:
            _keeps_the_model(request.extra)
        if not request.messages:
            raise ConfigError("there is no message to answer", hint='pass a text or messages: client.complete("hi")')
        route = self.route(words.get("task"), words.get("deployment"), words.get("tenant"))
        lines = route.lines
        call = Call(stream=stream, quiet=not stream, clock=self.clock)
        if words or route.sieve is not None:
            lines = self._sorted_out(words, call, route)
        if call.task is None:
            call.task = route.task
        if route.policy is not None:
            call.policy = route.policy.word
            lines = route.in_order(self._asked(call, request), lines)
            self._turn += 1
        total = _seconds(words["timeout"]) if words.get("timeout") is not None else lines[0].timeouts.total
        if route.defer is not None or (words and not words.keys().isdisjoint(_LATER)):
            call.deferral = self._deferral(words, route, total)
        if total is not None and call.deferral is None:
            call.deadline = self.clock.monotonic() + total
        return call, request, lines

    def _deferral(self, words: dict[str, Any], route: Route, total: float | None) -> Deferred | None:
        from byollm.deferring import deferral

        return deferral(words, route, total, self.clock.time(), self._sorted_out, self._asked)

    def _sorted_out(self, words: Mapping[str, Any], call: Call, route: Route) -> list[Line]:
        """What the caller said beside the request, noted on the call; the lines that it leaves. Raises NoRouteError."""
        _noted(words, call)
        call.sieve = route.sieve
        kept, dropped = filtered(call, route)
        call.skipped |= dropped
        if kept:
            return kept
        error = no_route(call, dropped, lawful=route.sieve is not None)
        self.observers.refused(call, error)
        raise error

    def _asked(self, call: Call, request: Request) -> Asked:
        from byollm.choosing import asked_for

        tenant = self.config.tenants.get(call.tenant) if call.tenant is not None else None
        region = call.region or (tenant.region if tenant is not None else None)
        return asked_for(request, call, self._turn, region)

    def explain(self, messages: Any = "", **parameters: Any) -> list[Candidate]:
        """Every candidate of the call that `complete` would make now, in the order it would ask them, and why.

        The same words as `complete`. Keys are looked for, nothing is sent. The first that is kept is the one that is
        asked; with `defer` its reason says when, in which tier and for how much. Raises ConfigError for names that do
        not exist.
        """
        from byollm.choosing import explained

        words = _checked({name: parameters.pop(name) for name in CALL_WORDS if name in parameters})
        stream = bool(parameters.pop("stream", False))
        request = Request(messages or "-", **_known(parameters), stream=stream)
        _keeps_the_model(request.extra or {})
        route = self.route(words.get("task"), words.get("deployment"), words.get("tenant"))
        call = Call(stream=stream, clock=self.clock)
        _noted(words, call)
        kept, dropped = filtered(call, route)
        if call.task is None:
            call.task = route.task
        for layer in self.operation.extensions:
            if kept and hasattr(layer, "left_out"):
                call.candidates = kept
                dropped = {**dropped, **layer.left_out(call, request)}
                kept = [line for line in kept if line.name not in dropped]
        if kept and (route.defer is not None or not words.keys().isdisjoint(_LATER)):
            total = _seconds(words["timeout"]) if words.get("timeout") is not None else kept[0].timeouts.total
            call.deferral, call.candidates = self._deferral(words, route, total), kept
        if call.deferral is not None:
            reasons = call.deferral.reasons(call, request)
        else:
            reasons = route.reasons(self._asked(call, request), kept)
        return explained(
            request, call, reasons, [(line, dropped[line.name]) for line in route.lines if line.name in dropped]
        )

    def counting(self, line: Line, request: Request) -> TokenCount | Exchange[TokenCount]:
        """The plugin's count, the exchange that asks for it, or the core's estimate with bounds."""
        asked = line.deployment.count(line.deployment.fit(request).request)
        return asked if asked is not None else self.estimated(line, request)

    def estimated(self, line: Line, request: Request) -> TokenCount:
        """The core's estimate with bounds: nobody is asked."""
        from byollm.providers.counting import estimate

        return estimate(line.deployment.fit(request).request, line.deployment.capabilities.vocabulary)

    def preview_of(self, messages: Any, parameters: dict[str, Any]) -> Preview:
        """What the first candidate would be sent, as middleware leaves it."""
        from byollm.engine.sync_driver import SyncDriver
        from byollm.previewing import preview
        from byollm.transports.replay import ReplayTransport

        call, request, lines = self.prepare(messages, parameters, stream=bool(parameters.pop("stream", False)))
        nowhere = ReplayTransport(503, {}, [])
        sent = SyncDriver(self.operation.rewritten(call, request), call, nowhere).settle()
        return preview(lines[0], request if sent is None else sent)

    def last_value(self, line: Line, values: list[Any]) -> Any:
        """The value an exchange was read into. Raises ProtocolError when there is none."""
        if not values:
            raise ProtocolError(f"{line.name}: the answer holds no value", provider=line.provider, model=line.model)
        return values[-1]


def _known(parameters: dict[str, Any]) -> dict[str, Any]:
    for name in () if PARAMETERS.issuperset(parameters) else parameters:
        if name not in PARAMETERS:
            raise unknown_parameter(name, CALL_WORDS)
    return parameters


def _checked(words: dict[str, Any]) -> dict[str, Any]:
    """The words of a call. Raises ConfigError for a name that is none, and for labels that nobody could book."""
    for word, value in words.items():
        if word in _NAMES and not (value is None or isinstance(value, str)):
            raise _not_so(word, "a text", value)
    labels = words.get("labels")
    if labels is not None and not (isinstance(labels, Mapping) and all(isinstance(label, str) for label in labels)):
        raise _not_so("labels", 'a mapping with names that are texts, like {"team": "search"}', labels)
    return words


def _keeps_the_model(extra: Mapping[str, Mapping[str, Any]]) -> None:
    """Rules, prices and limits are those of the deployment's model. Raises ConfigError for a body with another."""
    for provider, share in extra.items():
        if "model" in share:
            sentence = f"`extra` names a model for {provider}; nothing was sent"
            raise ConfigError(
                sentence, hint="the model is the deployment's: name another one with `deployment=` or `task=`"
            )


def _not_so(word: str, wanted: str, value: Any) -> ConfigError:
    from byollm.config.places import shown

    return ConfigError(f"`{word}` is {wanted}, not {shown(value)}; nothing was sent")


def _noted(words: Mapping[str, Any], call: Call) -> None:
    call.task, call.tenant = words.get("task"), words.get("tenant")
    call.data_class, call.region = words.get("data_class"), words.get("region")
    call.labels = words.get("labels") or {}


def _law(config: LlmConfig, clock: Any) -> Law:
    from byollm.routing.law import Law

    return Law(config, clock)


def _seconds(timeout: Any) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= _WEEK:
        raise _not_so("timeout", f"a number of seconds above 0 and at most {_WEEK}", timeout)
    return float(timeout)


def _extensions(group: str, config: LlmConfig, entries: Sequence[Extension]) -> list[Any]:
    """Middleware and observers of the file."""
    if not entries:
        return []
    from byollm.config.extensions import extension_of

    return [extension_of(group, config, entry) for entry in entries]
