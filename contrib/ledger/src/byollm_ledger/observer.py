"""`Ledger`: told by the engine of every attempt, before it is sent and after it ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from byollm.errors import ConfigError
from byollm.plugin import dump_json
from byollm_ledger.address import is_postgres, resolved
from byollm_ledger.agreements import Account
from byollm_ledger.book import Book, refusal
from byollm_ledger.estimate import ASSUMED_OUTPUT, Bounds
from byollm_ledger.journal import UnconfirmedError
from byollm_ledger.row import SENT_AGAIN, Kind, to_pico
from byollm_ledger.schema import FACTS

if TYPE_CHECKING:
    from datetime import date

    from byollm.plugin import Call

NOTE: Final = "byollm_ledger"
_AGAIN: Final = 1_000
"""Added to the ordinal of an attempt, for the request before it that went out over a connection that was closed."""
_BILLED: Final = FACTS.index("billed")
_COST: Final = FACTS.index("cost")
_MOST_KINDS: Final = 4096
_MOST_LABELS: Final = 4096


class Named:
    """A kind, made once and looked up by itself from then on."""

    __slots__ = ("host", "values")

    def __init__(self, values: Kind) -> None:
        self.values = values

    def line(self, number: int) -> bytes:
        """How the journal says that `number` stands for it."""
        return dump_json(["k", number, [int(value) if isinstance(value, bool) else value for value in self.values]])


class Ledger:
    """Books every attempt: an intent before it is sent, the result after. No content is ever booked.

    `path`: an SQLite file, a `postgresql://` address, or `env:NAME`. `durability`: `normal` survives the process being
    killed at any instant, `full` a power cut too (each call waits for the disk, twice). `on_failure`, when the disk
    does not take the journal: `block` (the call is refused before anything is sent), `spill` (kept in memory, at most
    `spill_records`, and written as soon as the disk takes it), `drop` (the call goes on without a record). Each says so
    in the log once, and counts. A database that is locked or gone stops nothing: the journal waits for it, at most
    `backlog_megabytes`. `journals`: the folder of the journals; for PostgreSQL `~/.local/state/byollm/ledger` unless
    named. `interval`: seconds within which records share a commit. `assumed_output`: tokens that an answer without any
    limit is thought to have at most. Raises ConfigError.
    """

    def __init__(
        self,
        path: str = "usage.db",
        *,
        durability: str = "normal",
        on_failure: str = "spill",
        journals: str | None = None,
        interval: float = 0.25,
        backlog_megabytes: int = 256,
        spill_records: int = 10_000,
        assumed_output: int = ASSUMED_OUTPUT,
    ) -> None:
        _one_of("durability", durability, ("normal", "full"))
        _one_of("on_failure", on_failure, ("block", "spill", "drop"))
        for name, value in (("backlog_megabytes", backlog_megabytes), ("spill_records", spill_records),
                            ("assumed_output", assumed_output)):  # fmt: skip
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"ledger: `{name}` is a whole number of at least 1, not {value!r}")
        if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0 <= interval <= 60:
            raise ConfigError(f"ledger: `interval` is a number of seconds from 0 to 60, not {interval!r}")
        self.path = resolved(path)
        self.on_failure = on_failure
        self.required = on_failure == "block"
        self.book = Book(
            self.path,
            journal_folder(self.path, journals),
            full=durability == "full",
            interval=interval,
            backlog=backlog_megabytes << 20,
            spill=spill_records,
        )
        self._bounds = Bounds(assumed_output)
        self._kinds: dict[Any, Named] = {}
        self._last = 0.0

    @property
    def failures(self) -> dict[str, int]:
        """How often what could not be written: `journal`, `database`; `lost` are records that are gone."""
        return {**self.book.failures, **({"lost": self.book.lost} if self.book.lost else {})}

    def started(self, call: Call, deployment: str) -> None:
        """Before anything leaves. Raises LedgerError with `on_failure: block`."""
        line = _line(call.candidates, deployment)
        now = call.clock.time()
        most = None
        if line is not None and call.request is not None:
            most = self._bounds.most(line, call.request, now)
        possible, currency = most if most is not None else (None, None)
        kind = self._kind(call, deployment, line)
        name, ordinal, labels = call.id, len(call.attempts), _labels(call.labels)
        call.notes[NOTE] = (kind, ordinal, possible, currency, labels, call.cancellation.resent)
        if self.required and (problem := self.book.owing()) is not None:
            raise refusal(problem, self.path)
        problem = self.book.append(
            kind,
            lambda number: dump_json(["i", name, ordinal, number, now, possible, currency, labels]),
            keep=self.on_failure == "spill",
        )
        if problem is not None:
            if self.required:
                if isinstance(problem, UnconfirmedError):
                    self.withdrawn(call, deployment)
                raise refusal(problem, self.path)
            self._dropped(problem)

    def withdrawn(self, call: Call, deployment: str) -> None:
        """Another observer refused: nothing was sent."""
        noted = call.notes.pop(NOTE, None)
        if noted is not None:
            name, ordinal = call.id, noted[1]
            self.book.append(noted[0], lambda number: dump_json(["w", name, ordinal]), keep=self.on_failure != "drop")

    def finished(self, call: Call, attempt: Any) -> None:
        """After the attempt."""
        noted = call.notes.pop(NOTE, None)
        if noted is None:  # an observer that was not asked before: one in a test, or one added meanwhile
            kind = self._kind(call, attempt.deployment, None)
            noted = (kind, len(call.attempts) - 1, None, None, None, call.cancellation.resent)
        kind, ordinal, possible, currency, labels, resent = noted
        for number in range(resent, call.cancellation.resent):
            self._again(call, attempt, noted, ordinal + _AGAIN * (number + 1))
        facts = _facts(call, attempt, possible, currency, labels)
        if facts[_BILLED] == "yes" and facts[_COST] is not None:
            self.book.tally.tell((kind.values.deployment, kind.values.tenant, facts[_COST + 1]), facts[_COST])
        name = call.id
        problem = self.book.append(
            kind, lambda number: dump_json(["r", name, ordinal, number, *facts]), keep=self.on_failure != "drop"
        )
        self._dropped(problem)

    def _dropped(self, problem: OSError | None) -> None:
        gone = problem is not None and not isinstance(problem, UnconfirmedError)
        self.book.lost += gone and self.on_failure == "drop"

    def _again(self, call: Call, attempt: Any, noted: Any, ordinal: int) -> None:
        """A request that was sent anew over another connection: what became of the first one, nobody knows."""
        kind, _, possible, currency, labels, _ = noted
        name = call.id
        known = {"at": attempt.at, "sent": "unknown", "billed": "unknown", "error": SENT_AGAIN, "possible": possible}
        known |= {"currency": currency, "labels": labels}
        facts = [known.get(each) for each in FACTS]
        self.book.append(
            kind, lambda number: dump_json(["r", name, ordinal, number, *facts]), keep=self.on_failure != "drop"
        )

    def account(self, deployment: str, currency: str, since: date | None, tenant: str | None) -> Account:
        """What all who write into this ledger spent there since a day (of UTC), for a tenant or without any; see
        `byollm.routing.agreements`."""
        return Account(self.book, deployment, currency, since, tenant)

    def flush(self) -> None:
        """Everything told so far into the database. Raises LedgerError and OSError."""
        self.book.fold()

    def close(self) -> None:
        """Fold what is left. May be used again afterwards."""
        self.book.close()

    def health(self) -> list[tuple[str, str, str]]:
        """For `byollm doctor`: whether the database can be read, and what somebody should look at."""
        from byollm_ledger.health import health

        return health(self.path, self.book.folder)

    def _kind(self, call: Call, deployment: str, line: Any) -> Named:
        url = call.url
        provider, model, whose = (line.provider, line.model, line.tenant) if line is not None else ("", "", None)
        key = (deployment, call.tenant, call.task, call.data_class, call.stream, url, provider, model, whose)
        found = self._kinds.get(key)
        if found is None:
            if len(self._kinds) >= _MOST_KINDS:  # some addresses hold what differs from call to call
                self._kinds.clear()
            host = None if url is None else urlsplit(url).netloc.rpartition("@")[2].lower() or None
            values = Kind(
                call.tenant, call.task, deployment, provider, model, host, call.stream, call.data_class,
                _key_owner(call, line),
            )  # fmt: skip
            same = next((kind for kind in list(self._kinds.values()) if kind.values == values), None)
            found = self._kinds[key] = same or Named(values)
        return found


def _line(candidates: Any, deployment: str) -> Any:
    for line in candidates:
        if line.name == deployment:
            return line
    return None


def _key_owner(call: Call, line: Any) -> str:
    """Whose key pays. A tenant's line holds the tenant's references or none: `config.bind` sees to it."""
    if line is None or line.deployment.target.authentication == "none":
        return "none"
    if call.tenant is None:
        return "own"
    return "tenant" if line.tenant == call.tenant else "platform"


def _facts(call: Call, attempt: Any, possible: int | None, currency: str | None, labels: str | None) -> tuple[Any, ...]:
    """In the order of `schema.FACTS`."""
    billed, cost, problem = attempt.billed, None, None
    usage = attempt.usage
    tokens: tuple[int | None, ...] = (None,) * 5
    if usage is not None:
        tokens = (
            usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens,
            usage.reasoning_tokens,
        )  # fmt: skip
        problem = _problem(tokens)
    if problem is not None:
        tokens = (None,) * 5
    elif attempt.cost is not None:
        cost = to_pico(attempt.cost)
        problem = "an amount that is no amount" if cost is None else None
    if cost is not None:
        currency = attempt.currency
    unsure = billed == "unknown" or (billed == "yes" and cost is None)
    if billed == "unknown" and cost is not None and (possible is None or possible < cost):
        possible = cost
    source = getattr(call.answer, "cost_source", None) if cost is not None else None
    error = attempt.error
    first = attempt.first_milliseconds
    return (
        attempt.at, attempt.number, attempt.sent, billed, attempt.status,
        None if error is None else type(error).__name__,
        *tokens, cost, currency if cost is not None or unsure else None, source, possible if unsure else None,
        int(attempt.milliseconds * 1000), None if first is None else int(first * 1000), attempt.request_id, labels,
        problem,
    )  # fmt: skip


def _problem(tokens: tuple[Any, ...]) -> str | None:
    """Counts that cannot be: they are not booked, and nothing that was computed from them."""
    for count in tokens:
        if count is not None and (type(count) is not int or not 0 <= count < 1 << 53):
            return "a token count that is none"
    return None


def _labels(labels: Any) -> str | None:
    if not labels:
        return None
    text = dump_json({str(name): str(value) for name, value in labels.items()}).decode()
    return text if len(text) <= _MOST_LABELS else '{"labels":"too long"}'


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f"ledger: `{name}` is {' or '.join(known)}, not {value!r}", hint=f"{name}: {known[0]}")


def journal_folder(path: str, named: str | None = None) -> str:
    """Where the journals of the ledger at `path` stand."""
    if named is not None:
        return os.path.abspath(os.path.expanduser(named))
    if not is_postgres(path):
        return f"{path}.journals"
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "byollm", "ledger")
