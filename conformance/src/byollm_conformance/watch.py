"""Watching a plugin while core calls it: what escapes from its functions, and what they touch.

The core turns every stray exception of a plugin into an error of its own, so that a user never meets one. Here the
exception itself is wanted: it is noted before the core sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from byollm.errors import ByollmError, PluginError
from byollm.providers.deployment import Deployment
from byollm.types.request import Request
from byollm.wire.batches import BatchAnswer, Batches, BatchItem, BatchJob
from byollm.wire.exchange import Exchange, Head, LocalCall
from byollm_conformance.guard import GUARD


@dataclass(slots=True)
class Watch:
    """`escaped`: (where, exception) pairs, in the order in which they came out of the plugin; `frames`: how many its
    readers were given."""

    escaped: list[tuple[str, BaseException]] = field(default_factory=list)
    frames: int = 0

    @contextmanager
    def inside(self, where: str) -> Iterator[None]:
        """The plugin is running. What is no ByollmError is noted on its way out."""
        GUARD.inside += 1
        try:
            yield
        except (ByollmError, GeneratorExit):
            raise
        except BaseException as error:
            self.escaped.append((where, error))
            raise
        finally:
            GUARD.inside -= 1

    def forget(self) -> None:
        """Start over."""
        self.escaped.clear()
        self.frames = 0


class WatchedDeployment(Deployment):
    """A deployment whose plugin is watched."""

    __slots__ = ("watch",)

    @classmethod
    def of(cls, deployment: Deployment, watch: Watch) -> WatchedDeployment:
        """The same deployment, watched."""
        made = cls(
            deployment.plugin,
            deployment.manifest,
            deployment.target,
            deployment.on_unsupported,
            deployment.override,
            deployment.distribution,
            deployment.version,
        )
        made.watch = watch
        return made

    watch: Watch

    @property
    def is_unsure(self) -> bool:
        """Never: the other end is asked what a check asks, and nothing about itself before."""
        return False

    def exchange(self, request: Request) -> Exchange[Any] | LocalCall:
        """The plugin's translation, its functions watched."""
        answer = super().exchange(request)
        return watched(answer, self.watch) if isinstance(answer, Exchange) else answer

    def batches(self) -> Batches | None:
        """The plugin's batches, their functions watched."""
        found = super().batches()
        return None if found is None else WatchedBatches(found, self.watch)

    def _ask(self, hook: str, **arguments: Any) -> Any:
        problem = ""
        try:
            with self.watch.inside(hook):
                return getattr(self._hooks, hook)(**arguments)
        except ByollmError:
            raise
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        raise PluginError(f"{self.manifest.name}: {hook} failed: {problem}")


class WatchedBatches:
    """Batches whose plugin is watched. `inner` are the plugin's own."""

    def __init__(self, inner: Batches, watch: Watch) -> None:
        self.inner = inner
        self.most = inner.most
        self.most_bytes = inner.most_bytes
        self._watch = watch

    def submit(self, items: Sequence[BatchItem]) -> Exchange[BatchJob]:
        """Watched."""
        made: Exchange[BatchJob] = self._watched("submit", items)
        return made

    def look(self, job: BatchJob) -> Exchange[BatchJob]:
        """Watched."""
        made: Exchange[BatchJob] = self._watched("look", job)
        return made

    def answers(self, job: BatchJob) -> Exchange[BatchAnswer]:
        """Watched."""
        made: Exchange[BatchAnswer] = self._watched("answers", job)
        return made

    def cancel(self, job: BatchJob) -> Exchange[BatchJob]:
        """Watched."""
        made: Exchange[BatchJob] = self._watched("cancel", job)
        return made

    def forget(self, job: BatchJob) -> Exchange[Any] | None:
        """Watched."""
        made: Exchange[Any] | None = self._watched("forget", job)
        return made

    def _watched(self, name: str, argument: Any) -> Any:
        with self._watch.inside(name):
            found = getattr(self.inner, name)(argument)
        return watched(found, self._watch) if isinstance(found, Exchange) else found


def watched(exchange: Exchange[Any], watch: Watch) -> Exchange[Any]:
    """The exchange with its reader, its `fail` and its `then` watched."""
    fail, then = exchange.fail, exchange.then
    return replace(
        exchange,
        reader=_reader(exchange.reader, watch),
        fail=None if fail is None else _plain(fail, watch, "fail"),
        then=None if then is None else _then(then, watch),
    )


def _reader(original: Callable[[Head], Any], watch: Watch) -> Callable[[Head], Any]:
    def reader(head: Head) -> Callable[[Any], Iterable[Any]]:
        with watch.inside("reader"):
            read = original(head)

        def frames(frame: Any) -> Iterator[Any]:
            watch.frames += 1
            with watch.inside("reader"):
                yield from read(frame)

        return frames

    return reader


def _plain(original: Callable[[Any], Any], watch: Watch, where: str) -> Callable[[Any], Any]:
    def function(argument: Any) -> Any:
        with watch.inside(where):
            return original(argument)

    return function


def _then(original: Callable[[Any], Any], watch: Watch) -> Callable[[Any], Any]:
    def then(values: list[Any]) -> Exchange[Any] | None:
        with watch.inside("then"):
            found = original(values)
        return None if found is None else watched(found, watch)

    return then


def place_of(error: BaseException) -> str:
    """The innermost frames, the deepest last."""
    trace, places = error.__traceback__, []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return " > ".join(places[-3:])
