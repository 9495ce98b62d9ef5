"""The server: an event loop in a thread of its own, one listening socket for each upstream."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Collection, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from byollm_sandbox.answers import Scriptable
from byollm_sandbox.batches import OPERATIONS, Batch, StoredFile
from byollm_sandbox.desk import Desk
from byollm_sandbox.dialects import dialect_named
from byollm_sandbox.faults import Fault
from byollm_sandbox.http import Connection
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.requests import Recorded
from byollm_sandbox.service import Keys, Service, StandIn
from byollm_sandbox.wire import End

T = TypeVar("T")

DEFAULT = "default"
"""The upstream that `url(dialect)` without a name means."""


class Twins:
    """A running server of twins. Made by `serve`; every method may be called from any thread."""

    def __init__(
        self, *, port: int = 0, key: Keys = None, stand_in: StandIn | None = None, models: Collection[str] | None = None
    ) -> None:
        self._first_port = port
        self._desk = Desk()
        self._service = Service(self._desk, key, models, stand_in)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._upstreams: dict[str, _Upstream] = {}
        self._accepted = 0
        self._opening = threading.Lock()

    # Life.

    def start(self) -> Twins:
        """Listen. Raises OSError when the port is taken."""
        if self._thread is not None:
            return self
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=_run, args=(loop,), name="byollm-sandbox", daemon=True)
        self._thread.start()
        try:
            self._open(DEFAULT, self._first_port)
        except OSError:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop listening, drop every connection, end the thread. Closing twice is allowed."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._call(self._shut())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        self._loop = self._thread = None

    def __enter__(self) -> Twins:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Twins:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Where.

    @property
    def port(self) -> int:
        """The port of the default upstream."""
        return self._upstreams[DEFAULT].port

    def url(self, dialect: str = "openai-chat", name: str = DEFAULT) -> str:
        """The base endpoint of a dialect, as `endpoint:` in a file wants it.

        Each `name` is an upstream of its own: another port, its own scripts, faults and outages. Raises ValueError for
        an unknown dialect.
        """
        base = "/custom/v1" if dialect == "custom" else dialect_named(dialect).base_path
        with self._opening:
            if name not in self._upstreams:
                self._open(name, 0)
        prefix = "" if name == DEFAULT else f"/{name}"
        return f"http://127.0.0.1:{self._upstreams[name].port}{prefix}{base}"

    # What.

    def script(self, *answers: Scriptable, name: str | None = None, dialect: str | None = None) -> None:
        """Queue answers, one for each request to come; `name` and `dialect` narrow which requests they are for.

        An answer is a string, a byollm part or a list of parts, an `Answer` (or a mapping of its members), a byollm
        ProviderError, a `Raw`, a `Fault`, or a function of the recorded request that returns one of these (it is called
        in a thread). Raises TypeError for anything else.
        """
        from byollm_sandbox.answers import as_answer

        for answer in answers:
            checked = answer if callable(answer) or isinstance(answer, Fault) else as_answer(answer)
            self._desk.add_answer(checked, name, _canonical(dialect))

    def fault(
        self,
        *kinds: str,
        times: int | None = 1,
        name: str | None = None,
        dialect: str | None = None,
        operation: str | None = None,
        **options: Any,
    ) -> None:
        """Break the wire for the next `times` requests (None: until `clear`); several kinds happen together.

        A second call waits until the first is used up. Kinds and options: `byollm_sandbox.faults.KINDS`. `operation`
        narrows it to one endpoint: complete, count, models, model, or one of `byollm_sandbox.batches.OPERATIONS`.
        Raises ValueError for an unknown kind or operation.
        """
        if operation not in (None, "complete", "count", "models", "model", *OPERATIONS):
            raise ValueError(f"no operation is called {operation!r}; known: complete, count, {', '.join(OPERATIONS)}")
        self._desk.add_fault(Fault(*kinds, **options), name, _canonical(dialect), times, operation)

    def batch(self, *, times: int | None = 1, name: str | None = None, dialect: str | None = None, **plan: Any) -> None:
        """Say what becomes of the next `times` batches (None: of all): the members of `BatchPlan`.

        Without a plan a batch has ended when its state is asked for the first time, and each request is answered as it
        would be alone: scripts, then the stand-in. Raises TypeError or ValueError for what no plan can be made of.
        """
        self._desk.add_plan(BatchPlan(**plan), name, _canonical(dialect), times)

    def batch_limits(self, *, requests: int | None = None, bytes: int | None = None) -> None:
        """Lower the vendors' limits of a batch, so that a test can exceed them (None: the vendor's own)."""
        given = {"requests": requests, "bytes": bytes}
        self._service.shop.most = {word: value for word, value in given.items() if value is not None}

    @property
    def batches(self) -> list[Batch]:
        """Every batch that was created, in order, deleted ones too."""
        return list(self._service.shop.store.batches)

    @property
    def files(self) -> list[StoredFile]:
        """Every file that is still stored: uploaded ones and those made by batches."""
        return list(self._service.shop.store.files.values())

    def down(self, name: str = DEFAULT) -> None:
        """Take an upstream down: nobody listens on its port, open connections break."""
        upstream = self._named(name)
        self._call(self._lower(upstream))

    def up(self, name: str = DEFAULT) -> None:
        """Listen again, on the same port."""
        upstream = self._named(name)
        self._call(self._raise(upstream))

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far, in order of arrival: a copy."""
        return self._desk.requests()

    @property
    def unused(self) -> int:
        """How many scripted answers nobody has asked for."""
        return self._desk.waiting()

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._accepted

    @property
    def failures(self) -> list[BaseException]:
        """What went wrong in the twin itself: scripts that raised, answers a dialect cannot express."""
        return list(self._service.failures)

    def clear(self) -> None:
        """Forget scripts, faults, plans and limits, requests, batches and files. Upstreams that are down stay down."""
        self._desk.clear()
        self._service.shop.clear()
        self._service.failures.clear()

    # How.

    def _named(self, name: str) -> _Upstream:
        if name not in self._upstreams:
            raise ValueError(
                f"no upstream is called {name!r}; known: {', '.join(self._upstreams) or 'none, not started'}"
            )
        return self._upstreams[name]

    def _open(self, name: str, port: int) -> None:
        upstream = _Upstream(name, port)
        self._call(self._raise(upstream))
        self._upstreams[name] = upstream

    def _call(self, task: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            task.close()
            raise RuntimeError("the sandbox is not running: use `with serve() as twin:`")
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(10)

    async def _raise(self, upstream: _Upstream) -> None:
        upstream.release()
        if upstream.server is None:
            sock = _listening(upstream.port)
            upstream.port = sock.getsockname()[1]
            factory = self._factory(upstream)
            upstream.server = await asyncio.get_running_loop().create_server(factory, sock=sock, backlog=1024)

    async def _lower(self, upstream: _Upstream) -> None:
        if upstream.server is None:
            return
        await _close(upstream.server)
        upstream.server = None
        for connection in list(upstream.connections):
            connection.abort()
        upstream.hold()

    async def _shut(self) -> None:
        for upstream in self._upstreams.values():
            if upstream.server is not None:
                await _close(upstream.server)
            upstream.release()
            for connection in list(upstream.connections):
                connection.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # One more turn of the loop, so that aborted transports close their sockets.
        await asyncio.sleep(0)

    def _factory(self, upstream: _Upstream) -> Callable[[], Connection]:
        def make() -> Connection:
            self._accepted += 1
            return Connection(self._handler(upstream), self._accepted, upstream.connections)

        return make

    def _handler(self, upstream: _Upstream) -> Callable[[Recorded], Any]:
        def handle(request: Recorded) -> Any:
            request.name = upstream.name
            if upstream.server is None:  # accepted while the upstream was being taken down: too late to be listed
                return [End.reset]
            return self._service(request)

        return handle


class _Upstream:
    """One listening address."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.server: asyncio.Server | None = None
        self.connections: set[Connection] = set()
        self._held: socket.socket | None = None

    def hold(self) -> None:
        """Keep the port without listening: callers are refused, and nobody else can take it meanwhile."""
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            held.bind(("127.0.0.1", self.port))
        self._held = held

    def release(self) -> None:
        """Give the port back."""
        if self._held is not None:
            self._held.close()
            self._held = None


async def _close(server: asyncio.Server) -> None:
    # asyncio loses a socket that is being accepted while its server closes: first stop accepting, then let it finish.
    for sock in server.sockets:
        asyncio.get_running_loop().remove_reader(sock.fileno())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    server.close()


def _listening(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _canonical(dialect: str | None) -> str | None:
    return None if dialect is None else dialect_named(dialect).name


def serve(
    port: int = 0, key: Keys = None, stand_in: bool | StandIn = True, models: Collection[str] | None = None
) -> Twins:
    """A server of twins on 127.0.0.1, to be used as `with serve() as twin:` (or `async with`).

    `port` 0 takes a free one. `key`: None takes any key and none; a string is the only good one; a mapping names keys
    by upstream or dialect; a collection lists good ones. `stand_in`: True answers what nobody scripted with the
    rule-based model, False with 500, a function of the `Prompt` with its own answer. `models`: the only names that
    exist; None takes every plausible one.
    """
    from byollm_sandbox.stand_in import answer

    model = stand_in if callable(stand_in) else answer if stand_in else None
    return Twins(port=port, key=key, stand_in=model, models=models)
