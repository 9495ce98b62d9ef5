"""Clients for the tests: towards a twin, and with a model in this process that does what it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import byollm
from byollm.engine.build import line_from
from byollm.plugin import (
    Capabilities,
    Event,
    Finished,
    LocalCall,
    LocalContext,
    Manifest,
    NoAuth,
    Request,
    Started,
    Target,
    TextDelta,
    Usage,
    UsageReported,
    hookimpl,
)
from byollm_ledger.cells import zone_of
from byollm_ledger.reading import opened
from byollm_ledger.report import report
from byollm_ledger.schema import MEASURES, scan

USAGE = Usage(120, 30, 0, 0, 0)
PRICE = {"input": 1, "output": 2, "currency": "EUR"}


def target(twin: Any, name: str, **more: Any) -> dict[str, Any]:
    """A target at an upstream of its own of the twin."""
    place = {"provider": "custom", "model": f"model-{name}", "endpoint": twin.url("openai-chat", name=name)}
    return {**place, "api_key": "k-1234567890", "pricing": PRICE, **more}


class Model:
    """A model in this process: it takes `seconds`, and answers with a usage."""

    manifest = Manifest(
        name="here", default_endpoint="http://127.0.0.1:9", authentication={"none": NoAuth()}, apis=("local",)
    )

    def __init__(self, usage: Usage | Callable[[], Usage] = USAGE, seconds: float = 0.0) -> None:
        self.usage = usage
        self.seconds = seconds
        self.failing: Exception | None = None

    @hookimpl
    def complete(self, request: Request, target: Target) -> LocalCall:
        """The same answer every time."""
        return LocalCall(self.run)

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """All unknown."""
        return Capabilities()

    def run(self, request: Request, call: LocalContext) -> Iterator[Event]:
        """The events."""
        if self.seconds:
            time.sleep(self.seconds)
        if self.failing is not None:
            raise self.failing
        yield Started("a", "m")
        yield TextDelta(0, "ok")
        yield UsageReported(self.usage() if callable(self.usage) else self.usage)
        yield Finished("stop", "stop")


class _Everywhere(dict[Any, Any]):
    def __init__(self, line: Any) -> None:
        super().__init__()
        self.line = line

    def get(self, key: Any, default: Any = None) -> Any:
        return self.line


def client_of(model: Model, *, price: Any = PRICE, clock: Any = None, **options: Any) -> byollm.Client:
    """A client whose every call is answered by `model`."""
    client = byollm.Client("custom/here", clock=clock, **options)
    line = line_from(model, {"provider": "here", "model": "m", **({"pricing": price} if price else {})})
    client._lines = _Everywhere(line)
    return client


def cells_of(path: str) -> tuple[list[Any], list[Any]]:
    """What the rollups say, and what the attempts themselves say."""
    names = ", ".join(MEASURES)
    with opened(path) as store:
        kept = store.rows(f"SELECT hour, kind, currency, {names} FROM rollup WHERE attempts > 0 ORDER BY 1, 2, 3")
        days = store.rows(f"SELECT day, kind, currency, {names} FROM rollup_day WHERE attempts > 0 ORDER BY 1, 2, 3")
        told = store.rows(f"{scan('', store.hour)} ORDER BY 1, 2, 3")
    found = [_carried(row) for row in kept]
    assert by_day(found) == by_day([(row[0] * 24, *row[1:]) for row in map(_carried, days)])
    return found, [_carried(row) for row in told]


def by_day(rows: list[Any]) -> dict[Any, list[int]]:
    """Sums of the days."""
    days: dict[Any, list[int]] = {}
    for hour, kind, currency, *measures in rows:
        total = days.setdefault((hour // 24, kind, currency), [0] * len(measures))
        days[hour // 24, kind, currency] = [a + b for a, b in zip(total, measures, strict=True)]
    return days


def _carried(row: Any) -> tuple[Any, ...]:
    """Wholes and picos as one number: a carry may stand in either."""
    known = dict(zip(MEASURES, row[3:], strict=True))
    for name in ("cost", "possible"):
        known[name] = known.pop(f"{name}_whole") * 10**12 + known.pop(f"{name}_pico")
    return (*row[:3], *(int(value) for value in known.values()))


def reported(path: str, **options: Any) -> dict[str, Any]:
    """The report of a ledger."""
    with opened(path) as store:
        return report(store, **{"zone": zone_of("UTC"), **options})
