"""A plugin's batches at work: carried to the other end through the core's own engine, and everything that left kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from byollm.engine.call import Call
from byollm.engine.exchanging import exchange_once
from byollm.engine.steps import Steps
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import ByollmError, PluginError, ProtocolError
from byollm.testing import ManualClock
from byollm.transports.base import Outgoing
from byollm.transports.replay import ReplayResponse
from byollm.types.request import Request
from byollm.wire.batches import BatchAnswer, BatchItem, BatchJob
from byollm.wire.exchange import Exchange, Head, HttpRequest
from byollm.wire.json import dump_json
from byollm_conformance.exercise import requests
from byollm_conformance.judge import Outcome
from byollm_conformance.model import Broken, Untestable
from byollm_conformance.subject import Subject
from byollm_conformance.watch import place_of
from byollm_conformance.wire import BatchEnd, BatchPlan, Piece, Rendered, batch_end

KEYS: Final = ("a", "Z_9-x", "0", "call-17-2", "k" * 64)
"""Names that an item may have."""
LOOKS: Final = 20
"""A batch of ours has ended when it was looked for so many times."""
Change = Callable[[str, HttpRequest, Rendered], Rendered]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that left. `step` is the method of Batches that it belongs to."""

    step: str
    request: Outgoing


class Post:
    """The batches of one deployment, over one end. `change(step, request, answer)` may put another answer in place of
    the end's own. Raises Untestable where the wire has no such endpoints.
    """

    def __init__(self, subject: Subject, plan: BatchPlan | None = None, change: Change | None = None) -> None:
        self.subject = subject
        self.end = end_of(subject, plan)
        self.change = change
        self.asked: list[Asked] = []
        batches = subject.line.deployment.batches()
        if batches is None:
            raise Broken("the plugin said that it has batches, and now that it has none")
        self.batches: Any = batches
        self._step = ""

    def submit(self, items: Sequence[BatchItem]) -> BatchJob:
        """Sent; what the engine would go on with."""
        return self._job("submit", items)

    def look(self, job: BatchJob) -> BatchJob:
        """Looked for once."""
        return self._job("look", job)

    def cancel(self, job: BatchJob) -> BatchJob:
        """Asked to end."""
        return self._job("cancel", job)

    def answers(self, job: BatchJob) -> list[BatchAnswer]:
        """All that can be read."""
        return [value for value in self._values("answers", job) if isinstance(value, BatchAnswer)]

    def forget(self, job: BatchJob) -> bool:
        """Deleted; False where that cannot be asked for."""
        with self._watched("forget"):
            asked = self.batches.forget(job)
        if asked is None:
            return False
        self._run("forget", asked)
        return True

    def ended(self, job: BatchJob) -> BatchJob:
        """Looked for until it has ended. Raises Broken when it never does."""
        for _ in range(LOOKS):
            if job.ended:
                return job
            job = self.look(job)
        raise Broken("the batch has ended, and the plugin does not see it", job=job)

    def done(self, items: Sequence[BatchItem]) -> dict[str, BatchAnswer]:
        """From submission to answers, by key."""
        return by_key(self.answers(self.ended(self.submit(items))))

    def _job(self, step: str, argument: Any) -> BatchJob:
        values = self._values(step, argument)
        if not values and not self.subject.watch.frames:
            raise ProtocolError("the answer has nothing in it")
        if not values or not isinstance(values[-1], BatchJob):
            raise Broken(f"`{step}` was answered, and no BatchJob was read", values=values)
        return values[-1]

    def _values(self, step: str, argument: Any) -> list[Any]:
        with self._watched(step):
            exchange = getattr(self.batches, step)(argument)
        return self._run(step, exchange)

    def _run(self, step: str, exchange: Any) -> list[Any]:
        if not isinstance(exchange, Exchange):
            raise Broken(f"`{step}` answered {type(exchange).__name__}, not an Exchange")
        self._step = step
        clock: Any = ManualClock()
        call = Call(stream=False, clock=clock)
        steps: Steps[list[Any]] = exchange_once(call, self.subject.line, exchange)
        with self._watched(step):
            return SyncDriver(steps, call, _Counter(self)).run()

    @contextmanager
    def _watched(self, step: str) -> Iterator[None]:
        """What is no ByollmError, and what breaks the border's rules, is Broken."""
        watch = self.subject.watch
        watch.forget()
        try:
            yield
        except PluginError as error:
            if not watch.escaped:
                raise Broken(f"the plugin broke the border's rules: {error}") from None
        except ByollmError:
            if not watch.escaped:
                raise
        except Exception:
            if not watch.escaped:
                raise
        if watch.escaped:
            where, stray = watch.escaped[0]
            words = f"{where} let {type(stray).__name__} escape during `{step}`: {stray}"
            raise Broken(words, where=place_of(stray))

    def told(self, request: Outgoing) -> Rendered:
        """What comes back for a request."""
        self.asked.append(Asked(self._step, request))
        headers = {name.lower(): value for name, value in request.headers}
        answer = self.end.answer(request.method, request.url, headers, request.body)
        plain = HttpRequest(request.method, request.url, tuple(headers.items()), request.body)
        return answer if self.change is None else self.change(self._step, plain, answer)


class _Counter:
    """A transport whose other side is an end."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def open(self, outgoing: Outgoing) -> ReplayResponse:
        """The end's answer, in two pieces."""
        status, headers, body = self._post.told(outgoing)
        half = len(body) // 2
        return ReplayResponse(Head(status, headers), [piece for piece in (body[:half], body[half:]) if piece])

    def close(self) -> None:
        """Nothing is open."""


def end_of(subject: Subject, plan: BatchPlan | None = None) -> BatchEnd:
    """The other end of the subject's batches. Raises Untestable where there is none."""
    found = batch_end(subject.dialect, plan)
    if found is None:
        raise Untestable("the plugin has batches, and its wire has no endpoints for them: give it `batches(plan)`")
    return found


def items_of(subject: Subject, asked: Iterable[Request]) -> list[BatchItem]:
    """The requests as a batch takes them: those that differ from the first in their bodies only, under odd names."""
    made: list[BatchItem] = []
    for request in asked:
        sent = subject.translate(request)
        item = HttpRequest(sent.method, sent.url, sent.headers, sent.body)
        first = made[0].request if made else item
        alike = (item.method, item.url, item.headers) == (first.method, first.url, first.headers)
        if alike and sent.exchange.then is None:
            made.append(BatchItem(KEYS[len(made)] if len(made) < len(KEYS) else f"item_{len(made)}", item))
    return made


def some_items(subject: Subject) -> list[BatchItem]:
    """Requests of many kinds."""
    return items_of(subject, [request for request in requests(subject) if not request.stream])


def plain_items(subject: Subject, number: int) -> list[BatchItem]:
    """So many requests that differ in their words."""
    return items_of(subject, [Request(f"request number {index}") for index in range(number)])


def by_key(answers: Sequence[BatchAnswer]) -> dict[str, BatchAnswer]:
    """The answers by their items' keys. Raises Broken for two of one key."""
    found = {answer.key: answer for answer in answers}
    if len(found) < len(answers):
        raise Broken("two answers have one key", keys=[answer.key for answer in answers])
    return found


def read_item(subject: Subject, answer: BatchAnswer, request: Request | None = None) -> Outcome:
    """What the caller gets for an item that was done, as the engine reads it: an error, or a completion."""
    assert answer.status is not None
    headers = dict(answer.headers) or {"x-request-id": "batch-1"}
    return subject.read((answer.status, headers, dump_json(answer.document)), request=request)


def lines_of(answer: Rendered) -> list[bytes]:
    """The lines of a list of answers; a single document is one line."""
    return [line for line in answer.body.split(b"\n") if line.strip()]


def data_of(body: bytes) -> Any:
    """A body as JSON data, None when it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def by_hand(headers: Mapping[str, str], body: bytes, status: int = 200) -> Rendered:
    """An answer that no end made."""
    return Rendered(status, headers, (Piece(body, "finish"),))
