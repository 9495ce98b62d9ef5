"""`Client`: the sync shell. `AsyncClient` in `async_client.py` has the same words, awaited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from byollm.engine.call import Call
from byollm.engine.exchanging import exchange_once
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import ByollmError
from byollm.setup import Setup
from byollm.streaming import Stream
from byollm.transports.base import Transport
from byollm.types.capabilities import Capabilities, TokenCount
from byollm.types.completion import Completion
from byollm.wire.exchange import Exchange

if TYPE_CHECKING:
    from byollm.previewing import Preview
    from byollm.transports.base import Cancellation


class Client(Setup):
    """One configuration, ready to be asked. Cheap to make: no network, no key and no plugin is touched before use.

    `config`: a mapping (with or without `llm_config`), a path to a YAML file, or `"provider/model"`. `transport`: a
    name (`httpx`, `httpx2`, `httptools`, `pyreqwest`, or one that a plugin brings), an `httpx.BaseTransport` of yours,
    or None. `middleware` and `observers` come after those of the file. `clock` is for tests. `log_content=True` lets
    DEBUG records show prompts and answers. Safe in threads and after a fork; a context manager. Raises ConfigError.
    """

    def __init__(
        self,
        config: Any,
        *,
        transport: Any = None,
        middleware: Sequence[Any] = (),
        observers: Sequence[Any] = (),
        clock: Any = None,
        log_content: bool = False,
    ) -> None:
        super().__init__(config, transport, middleware, observers, clock, log_content)
        self._transport: Transport | None = None

    @classmethod
    def from_yaml(cls, path: str | Path, **options: Any) -> Self:
        """The configuration of a YAML file. Raises ConfigError with file, line and column."""
        return cls(Path(path), **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop idle connections, and tell middleware and observers. The client may be used again afterwards."""
        transport, self._transport = self._transport, None
        for used in (transport, *self.own_transports()):
            if used is not None:
                used.close()
        self.operation.close()

    def complete(self, messages: Any, **parameters: Any) -> Completion:
        """Ask, and wait for the whole answer.

        `messages`: a string, a message, a list of messages, or a Request. Beside the parameters of `byollm.Request`:
        `task`, `deployment`, `tenant`, `data_class`, `region`, `labels` (a mapping), `timeout` (seconds for the whole
        call, retries included, a week at most), `defer` (how late the answer may come: the call waits for a cheaper
        hour or tier). Raises the errors of `byollm.errors`.
        """
        call, request, lines = self.prepare(messages, parameters, stream=False)
        return SyncDriver(self.operation.run(call, request, lines), call, self.transport()).run()

    def stream(self, messages: Any, **parameters: Any) -> Stream:
        """Ask, and read the answer as it arrives: `with client.stream(…) as stream: for event in stream: …`.

        Takes what `complete` takes. Failures before content are raised on entering.
        """
        call, request, lines = self.prepare(messages, parameters, stream=True)
        return Stream(SyncDriver(self.operation.run(call, request, lines), call, self.transport()), call)

    def count_tokens(self, messages: Any, **parameters: Any) -> TokenCount:
        """The tokens of exactly the request that `complete` would send; asks the provider where it can count.

        Middleware rewrites the request first, as for a call; where one would answer itself, nobody is asked.
        """
        call, request, lines = self.prepare(messages, parameters, stream=False)
        line = lines[0]
        sent = SyncDriver(self.operation.rewritten(call, request), call, self.transport()).settle()
        asked = self.counting(line, sent) if sent is not None else self.estimated(line, request)
        if isinstance(asked, Exchange):
            asked = self._one(call, line, asked)
        return asked

    def capabilities(
        self, *, task: str | None = None, deployment: str | None = None, refine: bool = False
    ) -> Capabilities:
        """What the first deployment of a task can do. With `refine`, the provider is asked too, where it can tell."""
        line = self.lines(task, deployment, None)[0]
        found = line.deployment.capabilities
        if refine and isinstance(found.refine, Exchange):
            line.deployment.refine(self._one(Call(clock=self.clock), line, found.refine))
        return line.deployment.capabilities

    def preview(self, messages: Any, **parameters: Any) -> Preview:
        """The HTTP request that `complete` would send to its first candidate. Nothing is sent, no key is read.

        Middleware rewrites it first, as for a call; where one would answer itself, the request is shown as it came.
        """
        return self.preview_of(messages, parameters)

    def map(
        self, requests: Iterable[Any], *, concurrency: int = 8, **parameters: Any
    ) -> Iterator[tuple[int, Completion | ByollmError]]:
        """Many calls at once: `(index, answer or error)` pairs as they end, lazily; `requests` is read as needed.

        Leaving the loop early cancels what is under way.
        """
        from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

        under_way: set[Cancellation] = set()
        left = False

        def ask(item: Any) -> Completion | ByollmError:
            try:
                call, request, lines = self.prepare(item, {**parameters}, stream=False)
                under_way.add(call.cancellation)
                if left:  # since this call was begun, before it was looked for
                    call.cancellation.cancel()
                try:
                    return SyncDriver(self.operation.run(call, request, lines), call, self.transport()).run()
                finally:
                    under_way.discard(call.cancellation)
            except ByollmError as error:
                return error

        source = enumerate(requests)
        with ThreadPoolExecutor(max(1, concurrency)) as pool:
            running: dict[Future[Completion | ByollmError], int] = {}
            try:
                while True:
                    for index, item in source:
                        running[pool.submit(ask, item)] = index
                        if len(running) >= concurrency:
                            break
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.result()
            finally:
                left = True
                for future in running:
                    future.cancel()
                for cancellation in list(under_way):
                    cancellation.cancel()

    def own_transport(self, choice: Any) -> Transport:
        """The transport of a target that names one."""
        from byollm.transports.choose import make_transport

        return make_transport(choice, (self.config.plugins, self.config.lock))

    def transport(self) -> Transport:
        """The transport, made at first use."""
        made = self._transport
        if made is None:
            with self._lock:
                made = self._transport = self._transport or self.own_transport(self.transport_choice)
        return made

    def _one(self, call: Call, line: Any, exchange: Exchange[Any]) -> Any:
        driver: SyncDriver[list[Any]] = SyncDriver(exchange_once(call, line, exchange), call, self.transport())
        return self.last_value(line, driver.run())
