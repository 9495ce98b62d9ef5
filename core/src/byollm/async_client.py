"""`AsyncClient`: the async shell. It runs on asyncio, starts no loop and no thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from byollm.async_streaming import AsyncStream
from byollm.engine.async_driver import AsyncDriver
from byollm.engine.call import Call
from byollm.engine.exchanging import exchange_once
from byollm.errors import ByollmError
from byollm.setup import Setup
from byollm.transports.base import AsyncTransport
from byollm.types.capabilities import Capabilities, TokenCount
from byollm.types.completion import Completion
from byollm.wire.exchange import Exchange

if TYPE_CHECKING:
    from byollm.previewing import Preview


class AsyncClient(Setup):
    """`Client`, awaited: the same words, `async with` and `aclose()`."""

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
        self._transport: AsyncTransport | None = None

    @classmethod
    def from_yaml(cls, path: str | Path, **options: Any) -> Self:
        """The configuration of a YAML file. Raises ConfigError with file, line and column."""
        return cls(Path(path), **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Drop idle connections, and tell middleware and observers. The client may be used again afterwards."""
        transport, self._transport = self._transport, None
        for used in (transport, *self.own_transports()):
            if used is not None:
                await used.aclose()
        self.operation.close()

    async def complete(self, messages: Any, **parameters: Any) -> Completion:
        """See `Client.complete`."""
        call, request, lines = self.prepare(messages, parameters, stream=False)
        return await AsyncDriver(self.operation.run(call, request, lines), call, self.transport()).run()

    def stream(self, messages: Any, **parameters: Any) -> AsyncStream:
        """See `Client.stream`; enter it with `async with`."""
        call, request, lines = self.prepare(messages, parameters, stream=True)
        return AsyncStream(AsyncDriver(self.operation.run(call, request, lines), call, self.transport()), call)

    async def count_tokens(self, messages: Any, **parameters: Any) -> TokenCount:
        """See `Client.count_tokens`."""
        call, request, lines = self.prepare(messages, parameters, stream=False)
        line = lines[0]
        sent = await AsyncDriver(self.operation.rewritten(call, request), call, self.transport()).settle()
        asked = self.counting(line, sent) if sent is not None else self.estimated(line, request)
        if isinstance(asked, Exchange):
            asked = await self._one(call, line, asked)
        return asked

    async def capabilities(
        self, *, task: str | None = None, deployment: str | None = None, refine: bool = False
    ) -> Capabilities:
        """See `Client.capabilities`."""
        line = self.lines(task, deployment, None)[0]
        found = line.deployment.capabilities
        if refine and isinstance(found.refine, Exchange):
            line.deployment.refine(await self._one(Call(clock=self.clock), line, found.refine))
        return line.deployment.capabilities

    def preview(self, messages: Any, **parameters: Any) -> Preview:
        """See `Client.preview`: nothing is sent, so nothing is awaited."""
        return self.preview_of(messages, parameters)

    async def map(
        self, requests: Iterable[Any], *, concurrency: int = 8, **parameters: Any
    ) -> AsyncIterator[tuple[int, Completion | ByollmError]]:
        """See `Client.map`."""

        async def ask(item: Any) -> Completion | ByollmError:
            try:
                return await self.complete(item, **parameters)
            except ByollmError as error:
                return error

        source = enumerate(requests)
        running: dict[asyncio.Task[Completion | ByollmError], int] = {}
        try:
            while True:
                for index, item in source:
                    running[asyncio.create_task(ask(item))] = index
                    if len(running) >= concurrency:
                        break
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield running.pop(task), task.result()
        finally:
            for task in running:
                task.cancel()

    def own_transport(self, choice: Any) -> AsyncTransport:
        """The transport of a target that names one."""
        from byollm.transports.choose import make_async_transport

        return make_async_transport(choice, (self.config.plugins, self.config.lock))

    def transport(self) -> AsyncTransport:
        """The transport, made at first use."""
        if self._transport is None:
            self._transport = self.own_transport(self.transport_choice)
        return self._transport

    async def _one(self, call: Call, line: Any, exchange: Exchange[Any]) -> Any:
        driver: AsyncDriver[list[Any]] = AsyncDriver(exchange_once(call, line, exchange), call, self.transport())
        return self.last_value(line, await driver.run())
