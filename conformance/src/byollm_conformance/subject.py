"""One plugin under test, over one of its APIs: everything a check may ask of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from byollm.engine.build import line_from
from byollm.engine.call import Call
from byollm.engine.line import Line
from byollm.engine.operation import Operation
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import ByollmError, PluginError
from byollm.providers.manifest import Manifest
from byollm.testing import ManualClock
from byollm.transports.base import Broken as BrokenPipe
from byollm.transports.base import Outgoing
from byollm.transports.replay import ReplayTransport
from byollm.types.capabilities import FEATURES, Capabilities, Support
from byollm.types.completion import Adjustment, Completion
from byollm.types.events import Event
from byollm.types.request import Request
from byollm.wire.auth import NoAuth
from byollm.wire.exchange import Exchange, Head, LocalCall
from byollm.wire.framing import decoder_for
from byollm_conformance.canary import canaries, usual_scheme
from byollm_conformance.model import Broken, Untestable
from byollm_conformance.recorded import Recording
from byollm_conformance.watch import Watch, WatchedDeployment, place_of
from byollm_conformance.wire import Rejection, Rendered, Seen, Wire

ENDPOINT: Final = "https://llm.example.com"
"""Where a plugin is sent that has no default endpoint. Nothing is ever sent there."""

Pieces = bytes | Sequence[bytes | BrokenPipe]


@dataclass(frozen=True)
class Translation:
    """What a plugin made of a request, `fit()` included: the bytes, without credentials."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    adjustments: tuple[Adjustment, ...]
    request: Request
    exchange: Exchange[Any]

    @cached_property
    def document(self) -> Any:
        """The body as JSON data. Raises Broken when it is none."""
        import json

        try:
            return json.loads(self.body.decode("utf-8"))
        except ValueError as error:
            problem = f"the body is no JSON in UTF-8: {error}"
        raise Broken(problem, request=self.request, body=self.body)

    @property
    def header(self) -> Mapping[str, str]:
        """The headers by lower-case name."""
        return {name.lower(): value for name, value in self.headers}


@dataclass(frozen=True, slots=True)
class Sent:
    """One call through the engine, credentials and all: what left, what the caller got."""

    requests: Sequence[Outgoing]
    outcome: Completion | ByollmError
    events: Sequence[Event] = field(default_factory=tuple)


class Subject:
    """A plugin over one API. `provider` is the plugin object, `model` the model asked for, `dialect` the other end.

    `also` are further models, for the checks of capabilities. `lacks`: capabilities that the dialect has words for and
    this server does not take. `reserved`: texts that mean something in its answers, so that none of ours holds them.
    `keys` are further keys of the target, as in YAML.
    `distribution` is its `importlib.metadata` distribution, `entry` the name of its entry point; None for an object
    that was not installed. `facts` is what was seen while the plugin was imported (a mapping made by the worker; None
    where nobody watched). `recordings` are recorded exchanges of this API.
    """

    def __init__(
        self,
        provider: Any,
        *,
        api: str = "",
        model: str = "a-model",
        dialect: Wire | None = None,
        also: Sequence[str] = (),
        lacks: Sequence[str] = (),
        reserved: Sequence[str] = (),
        keys: Mapping[str, Any] | None = None,
        distribution: Any = None,
        entry: str | None = None,
        facts: Mapping[str, Any] | None = None,
        recordings: Sequence[Recording] = (),
    ) -> None:
        self.provider = provider
        self.api = api
        self.model = model
        self.wire = dialect
        self.also = tuple(also)
        self.lacks = frozenset(lacks)
        self.reserved = tuple(reserved)
        self.keys = dict(keys or {})
        self.distribution = distribution
        self.entry = entry
        self.facts = facts
        self.recordings = tuple(recordings)
        self.examples = 0
        self.watch = Watch()

    def __repr__(self) -> str:
        return f"Subject({self.entry or self.manifest.name}, api={self.api!r}, model={self.model!r})"

    # what it is

    @property
    def manifest(self) -> Manifest:
        """The plugin's passport."""
        found: Manifest = self.provider.manifest
        return found

    @property
    def apis(self) -> tuple[str, ...]:
        """The surfaces the plugin speaks."""
        return tuple(self.manifest.apis)

    @property
    def dialect(self) -> Wire:
        """The other end of the wire. Raises Untestable when there is none."""
        if self.wire is None:
            raise Untestable(
                f"nobody knows the dialect of api {self.api!r}: supply a wire (entry point group byollm.dialects) or "
                "recorded exchanges (--exchanges)"
            )
        return self.wire

    @cached_property
    def line(self) -> Line:
        """The plugin as the engine holds it: one attempt, the canary key, no environment read."""
        line = line_from(self.provider, self._target(), fallback_endpoint=ENDPOINT)
        line.deployment = WatchedDeployment.of(line.deployment, self.watch)
        return line

    def _target(self) -> dict[str, Any]:
        target: dict[str, Any] = {"model": self.model, "retries": {"attempts": 1, "total": 1}, **self.keys}
        if self.api:
            target["api"] = self.api
        if {"api_key", "credentials"} & self.keys.keys():
            return target
        if "authentication" not in self.keys:
            word = usual_scheme(self.manifest)
            target.update({"authentication": word} if word else {})
        target.update(canaries(self.manifest, target.get("authentication")))
        return target

    @property
    def capabilities(self) -> Capabilities:
        """What the plugin declares of the model."""
        return self.line.deployment.capabilities

    def support(self, name: str) -> Support:
        """The declared Support of a feature; `wire`, `local`, `recordings` and `batch` say what there is."""
        if name in ("wire", "local"):
            return Support.full if self.local == (name == "local") else Support.unsupported
        if name == "recordings":
            return Support.full if self.recordings else Support.unsupported
        if name == "batch":
            return Support.unsupported if self.line.deployment.batches() is None else Support.full
        return self.capabilities.supports(name) if name in FEATURES else Support.unknown

    @cached_property
    def local(self) -> bool:
        """The plugin answers with a LocalCall: there is no wire."""
        return isinstance(self.line.deployment.exchange(Request("hi")), LocalCall)

    # other subjects like this one

    def fresh(self, **changes: Any) -> Subject:
        """The same plugin in another deployment. `changes` are arguments of this class (`model`, `keys`, `api`)."""
        arguments = {
            "api": self.api,
            "model": self.model,
            "dialect": self.wire,
            "lacks": self.lacks,
            "reserved": self.reserved,
            "keys": self.keys,
            "distribution": self.distribution,
            "entry": self.entry,
            "facts": self.facts,
            "recordings": self.recordings,
        }
        made = Subject(self.provider, **{**arguments, **changes})
        made.watch = self.watch
        return made

    @property
    def models(self) -> list[Subject]:
        """The same over each model that the plugin wants its capabilities held to."""
        return [self, *[self.fresh(model=model) for model in self.also]]

    def copied(self) -> Subject:
        """A copy of the plugin object itself, in a deployment of its own."""
        other = self.fresh()
        other.provider = copy.deepcopy(self.provider)
        return other

    def count(self, examples: int = 1) -> None:
        """Examples tried: the report shows them."""
        self.examples += examples

    # requests

    def translate(self, request: Request) -> Translation:
        """The request as it would be sent. Raises what the call would raise before sending; Broken for a stray one."""
        self.watch.forget()
        deployment = self.line.deployment
        try:
            fitted = deployment.fit(self.line.with_extra(request))
            asked = deployment.exchange(fitted.request)
            fitted = deployment.noted(fitted, asked)
        except PluginError as error:
            raise self._broke(error, request=request) from None
        if not isinstance(asked, Exchange):
            raise Untestable("an in-process model has no request to look at")
        sent = asked.request
        return Translation(sent.method, sent.url, sent.headers, sent.body, fitted.adjustments, fitted.request, asked)

    def exchange(self, request: Request) -> Exchange[Any]:
        """The plugin's exchange for a request."""
        return self.translate(request).exchange

    def seen(self, sent: Translation | Request) -> Seen:
        """A translation as the other end reads it. Raises Broken when it cannot."""
        made = self.translate(sent) if isinstance(sent, Request) else sent
        try:
            return self.dialect.read_request(made.method, made.url, made.header, made.body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
        raise Broken(f"the other end cannot read the request ({problem})", request=made.request, body=made.body)

    def rejected(self, sent: Translation | Request) -> Rejection | None:
        """What the provider would refuse in a translation; None when it would be taken."""
        made = self.translate(sent) if isinstance(sent, Request) else sent
        whole = getattr(self.dialect, "validate_request", None)
        if whole is not None:
            refused: Rejection | None = whole(made.method, made.url, made.header, made.body)
            return refused
        return self.dialect.validate(made.document, made.header)

    # answers

    def read(
        self,
        answer: Rendered | tuple[int, Mapping[str, str], Pieces],
        *,
        stream: bool = False,
        request: Request | None = None,
    ) -> Completion | ByollmError:
        """What the caller gets for these bytes, through the core's engine: a Completion, or the typed error as a value.

        A PluginError, and any exception that is no ByollmError and came out of the plugin, is Broken. `answer` is what
        a wire rendered, or (status, headers, body or its pieces).
        """
        return self.call(answer, stream=stream, request=request, auth=False).outcome

    def call(
        self,
        answer: Rendered | tuple[int, Mapping[str, str], Pieces],
        *,
        stream: bool = False,
        request: Request | None = None,
        auth: bool = True,
    ) -> Sent:
        """`read`, with what left (credentials and all, when `auth`) and the events that the caller saw."""
        self.watch.forget()
        status, headers, body = answer
        pieces = [body] if isinstance(body, bytes) else list(body)
        transport = ReplayTransport(status, headers, pieces)
        asked = (request or Request("hi")).with_(stream=stream)
        clock: Any = ManualClock()
        call = Call(stream=stream, clock=clock)
        line = self.line
        kept, line.auth = line.auth, line.auth if auth else NoAuth()
        events: list[Event] = []
        outcome: Completion | ByollmError
        try:
            driver = SyncDriver(Operation().run(call, asked, [line]), call, transport)
            while (seen := driver.pull()) is not None:
                events += seen
            assert driver.result is not None
            outcome = driver.result
        except PluginError as error:
            raise self._broke(error, request=asked, status=status, body=body) from None
        except ByollmError as error:
            outcome = error
        finally:
            line.auth = kept
        if self.watch.escaped:
            raise self._broke(None, request=asked, status=status, body=body)
        return Sent(transport.requests, outcome, events)

    def events(
        self,
        answer: Rendered | tuple[int, Mapping[str, str], Pieces],
        *,
        stream: bool = True,
        request: Request | None = None,
    ) -> list[Event]:
        """The raw events of the plugin's reader, in order. Raises what the reader raises."""
        status, headers, body = answer
        exchange = self.exchange((request or Request("hi")).with_(stream=stream))
        head = Head(status, headers)
        read = exchange.reader(head)
        pieces = [body] if isinstance(body, bytes) else [piece for piece in body if isinstance(piece, bytes)]
        events: list[Event] = []
        decoder = None
        for piece in pieces:
            decoder = decoder or decoder_for(exchange.framing, headers, piece)
            for frame in decoder.feed(piece):
                events += read(frame)
        decoder = decoder or decoder_for(exchange.framing, headers, b"")
        for frame in decoder.end():
            events += read(frame)
        return events

    def refusal(self, request: Request, *, stream: bool = False) -> ByollmError | None:
        """The error with which a call ends before a byte leaves; None when something was sent."""
        sent = self.call((200, {"content-type": "application/json"}, b"{}"), stream=stream, request=request)
        if sent.requests or isinstance(sent.outcome, Completion):
            return None
        return sent.outcome

    def _broke(self, error: ByollmError | None, **evidence: Any) -> Broken:
        if self.watch.escaped:
            where, stray = self.watch.escaped[0]
            words = f"{where} let {type(stray).__name__} escape: {stray}"
            return Broken(words, where=place_of(stray), **evidence)
        return Broken(f"the plugin broke the border's rules: {error}", **evidence)
