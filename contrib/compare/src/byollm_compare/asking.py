"""The asking itself: every question to every deployment, a few at a time, never beyond the most that may be spent."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from byollm import Client, Stream
from byollm.errors import ByollmError
from byollm.plugin import Finished, Started, UsageReported
from byollm_compare.estimate import Most, most
from byollm_compare.samples import Sample

_NUMBERS: Final = {"first", "total", "input_tokens", "output_tokens"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one question at one deployment.

    `first`: milliseconds until the first content, `total`: until the end, as a caller waits. `error`: the class of the
    failure, None for an answer. `cost`: None when not known. `most`: what was reserved for it. `text` is kept because
    answers are compared with each other.
    """

    sample: str
    digest: str
    deployment: str
    model: str
    error: str | None = None
    problem: str | None = None
    finish: str | None = None
    first: float | None = None
    total: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: str | None = None
    currency: str | None = None
    most: str | None = None
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is written to a file."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Answer:
        """As it is read from a file. Raises TypeError and ValueError for something else."""
        known = {item.name for item in fields(cls)}
        found = cls(**{key: told[key] for key in told if key in known})
        for name in known:
            value = getattr(found, name)
            wanted = int | float if name in _NUMBERS else str
            if value is not None and (isinstance(value, bool) or not isinstance(value, wanted)):
                raise TypeError(f"{name}: {value!r}")
        for amount in (found.cost, found.most):
            if amount is not None and not _is_amount(amount):
                raise ValueError(f"{amount!r} is no amount")
        return found


@dataclass(slots=True)
class Purse:
    """What may be spent. Certain costs are paid; what is not certain is taken for the most it can be.

    Used by one thread. `limit` None: there is none.
    """

    limit: Decimal | None = None
    currency: str | None = None
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    def may(self, cost: Most | None) -> bool:
        """Whether a call of at most this may be made; if so it is reserved."""
        if self.limit is None:
            return True
        if cost is None or (self.currency is not None and cost.currency != self.currency):
            return False
        if self.spent + self.reserved + cost.amount > self.limit:
            return False
        self.currency = cost.currency
        self.reserved += cost.amount
        return True

    def settle(self, cost: Most | None, paid: Decimal | None) -> None:
        """A call ended. What it cost is known, or may be as much as was reserved."""
        if self.limit is None or cost is None:
            return
        self.reserved -= cost.amount
        self.spent += cost.amount if paid is None else paid


class Asker:
    """Asks, in the order of the questions, so that no deployment has a better hour than another.

    `words`: those of each call (task, data_class …), by which the task's rules hold. `tell` is called with each answer
    as it comes. `left`: how many calls were not made, because they might have cost more than may be spent.
    """

    def __init__(
        self, client: Client, words: Mapping[str, Any], purse: Purse, tell: Callable[[Answer], None], concurrency: int
    ) -> None:
        self.client, self.words, self.purse, self.tell = client, words, purse, tell
        self.concurrency = concurrency
        self.left = 0
        self._open: set[Stream] = set()
        self._ended = False

    def run(self, work: Sequence[tuple[Sample, str]]) -> list[Answer]:
        """Every pair of question and deployment, as far as the purse allows."""
        found: list[Answer] = []
        left = deque(work)
        running: dict[Future[Answer], Most | None] = {}
        with ThreadPoolExecutor(self.concurrency) as pool:
            try:
                while True:
                    while left and len(running) < self.concurrency:
                        sample, name = left[0]
                        cost = most(self.client.line(name), sample.request, time.time())
                        if not self.purse.may(cost):
                            break  # what is on its way may turn out cheaper than what was reserved for it
                        left.popleft()
                        running[pool.submit(self._asked, sample, name, cost)] = cost
                    if not running:
                        self.left = len(left)
                        return found
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        found.append(self._settled(future.result(), running.pop(future)))
            finally:
                self._ended = True
                for future in running:
                    future.cancel()
                for stream in list(self._open):  # Ctrl-C: nobody waits for a server that does not answer
                    stream.cancel()

    def _settled(self, answer: Answer, cost: Most | None) -> Answer:
        self.purse.settle(cost, None if answer.cost is None else Decimal(answer.cost))
        self.tell(answer)
        return answer

    def _asked(self, sample: Sample, name: str, cost: Most | None) -> Answer:
        line = self.client.line(name)
        told: dict[str, Any] = {
            "sample": sample.name, "digest": sample.digest, "deployment": name,
            "model": f"{line.provider}/{line.model}", "most": None if cost is None else f"{cost.amount:f}",
        }  # fmt: skip
        started, first = time.monotonic(), None
        try:
            stream = self.client.stream(sample.request, deployment=name, **self.words)
            self._open.add(stream)
            try:
                if self._ended:  # since this call was begun, before it was looked for
                    stream.cancel()
                with stream:
                    for event in stream:
                        if first is None and not isinstance(event, Started | UsageReported | Finished):
                            first = time.monotonic()
            finally:
                self._open.discard(stream)
            reply = stream.completion
        except ByollmError as error:
            total = _milliseconds(started, time.monotonic())
            paid = _paid(error)
            return Answer(
                **told, error=type(error).__name__, problem=error.message.splitlines()[0][:200], total=total,
                cost=None if paid is None else f"{paid:f}",
            )  # fmt: skip
        ended = time.monotonic()
        return Answer(
            **told, finish=reply.finish_reason, text=reply.text,
            first=None if first is None else _milliseconds(started, first), total=_milliseconds(started, ended),
            input_tokens=reply.usage.input_tokens, output_tokens=reply.usage.output_tokens,
            cost=None if reply.cost is None else f"{reply.cost:f}", currency=reply.cost_currency,
        )  # fmt: skip


def _is_amount(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 3)


def _paid(error: ByollmError) -> Decimal | None:
    """What a failure cost: nothing when nothing was billed, what the provider told, else unknown."""
    attempts = error.attempts
    if all(attempt.billed == "no" for attempt in attempts):
        return Decimal(0)
    costs = [attempt.cost for attempt in attempts if attempt.billed != "no"]
    return sum((cost for cost in costs if cost is not None), Decimal(0)) if None not in costs else None
