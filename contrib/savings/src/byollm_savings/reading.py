"""A workload file, read strictly: every wrong word is a ConfigError with its file, line and column."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from byollm.config.places import Document, dotted
from byollm.config.yaml import parse_yaml, read_yaml
from byollm.errors import ConfigError
from byollm_prices.rows import TIERS
from byollm_savings.quotes import provider_and_model
from byollm_savings.workload import OF, Approach, Assumption, Claim, Line, Lines, Period, Task, Workload

_TOP: Final = {"workload", "date", "documents", "tasks", "approaches"}
_TOP_MAY: Final = {"currency", "periods", "business", "claims"}
_RANGE: Final = {"value", "low", "high", "why"}
_SHARES: Final = {"share", "batch", "cached", "discount", "reads", "other_cost_of_goods"}
_MEND: Final = "byollm savings --example guide --write FOLDER writes workload files to begin with"
Path = tuple[str | int, ...]


def read_workload(path: str | os.PathLike[str]) -> Workload:
    """The workload in a file. Raises ConfigError."""
    return _Reader(read_yaml(path, _MEND)).workload()


def parse_workload(text: bytes | str, source: str = "a workload") -> Workload:
    """The workload in a text; `source` names it in errors. Raises ConfigError."""
    return _Reader(parse_yaml(text, source, _MEND)).workload()


class _Reader:
    """One pass over a document, which collects its numbers."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.values: dict[str, Fraction] = {}
        self.assumptions: dict[str, Assumption] = {}

    def workload(self) -> Workload:
        self._keys((), _TOP, _TOP_MAY)
        documents = self._keys(("documents",), set(), {"a_year", "tokens"})
        periods = {name: self._period(name) for name in self._names(("periods",))}
        if ("a_year" in documents) == bool(periods):
            raise self._wrong(("documents",), "the documents stand in `documents: a_year` or in `periods:`, once")
        tasks = {name: self._task(name) for name in self._names(("tasks",))}
        approaches = {name: self._approach(name, tasks, periods) for name in self._names(("approaches",))}
        business = self._keys(("business",), set(), {"revenue_per_document", "other_cost_of_goods"})
        claims = {name: self._claim(name) for name in self._names(("claims",))}
        found = Workload(
            title=self._text(("workload",)),
            source=self.document.source or "a workload",
            at=self._instant(("date",)),
            currency=self._text(("currency",)) if self.document.at(("currency",)) is not None else "USD",
            values=self.values,
            assumptions=self.assumptions,
            tokens=self._maybe(documents, ("documents", "tokens")),
            documents=self._maybe(documents, ("documents", "a_year")),
            periods=periods,
            tasks=tasks,
            approaches=approaches,
            claims=claims,
            revenue=self._maybe(business, ("business", "revenue_per_document")),
            other_cost=self._maybe(business, ("business", "other_cost_of_goods")),
        )
        for claim in claims.values():
            self._check_claim(claim, found)
        return found

    def _period(self, name: str) -> Period:
        here: Path = ("periods", name)
        self._keys(here, {"months", "documents"}, set())
        return Period(name, self._number((*here, "months")), self._number((*here, "documents")))

    def _task(self, name: str) -> Task:
        here: Path = ("tasks", name)
        given = self._keys(here, {"output"}, {"instructions", "share", "reads"})
        optional = {key: self._maybe(given, (*here, key)) for key in ("instructions", "share", "reads")}
        return Task(name, self._number((*here, "output")), **optional)

    def _approach(self, name: str, tasks: Mapping[str, Task], periods: Mapping[str, Period]) -> Approach:
        here: Path = ("approaches", name)
        ways = {"per_document", "per_month", "models"}
        given = self._keys(here, set(), {*ways, "what", "premium", "discount", "billed_as", "date", "in_period"})
        if len(ways & given.keys()) != 1:
            raise self._wrong(here, f"{name} is paid one way: {', '.join(sorted(ways))}")
        billed_as = self._text((*here, "billed_as")) if "billed_as" in given else None
        if billed_as is not None and billed_as not in periods:
            raise self._wrong((*here, "billed_as"), f"{billed_as!r} is no period")
        own = self._names((*here, "in_period"))
        for period in own:
            if period not in periods:
                raise self._wrong((*here, "in_period", period), f"{period!r} is no period")
        return Approach(
            name,
            self._text((*here, "what")) if "what" in given else "",
            self._maybe(given, (*here, "per_document")),
            self._maybe(given, (*here, "per_month")),
            self._lines((*here, "models"), tasks) if "models" in given else None,
            self._maybe(given, (*here, "premium")),
            self._maybe(given, (*here, "discount")),
            billed_as,
            self._instant((*here, "date")) if "date" in given else None,
            {period: self._lines((*here, "in_period", period), tasks) for period in own},
        )

    def _lines(self, here: Path, tasks: Mapping[str, Task]) -> Lines:
        """Models for each task: one for all (`models: openai/gpt-5.4`), or by task, one or several."""
        told = self.document.at(here)
        if isinstance(told, str):
            line = self._line(here, told)
            return dict.fromkeys(tasks, (line,))
        given = self._keys(here, set(tasks), set())
        return {task: self._task_lines((*here, task), given[task]) for task in tasks}

    def _task_lines(self, here: Path, told: Any) -> tuple[Line, ...]:
        if not isinstance(told, list):
            return (self._line(here, told),)
        lines = tuple(self._line((*here, number), item) for number, item in enumerate(told))
        if [line.share for line in lines].count(None) != 1:
            raise self._wrong(here, "of several models all but one say their `share`; the other has the rest")
        return lines

    def _line(self, here: Path, told: Any) -> Line:
        if isinstance(told, str):
            provider_and_model(told)
            return Line(told)
        given = self._keys(here, {"model"}, {"share", "batch", "cached", "tier", "region", "pricing"})
        model = self._text((*here, "model"))
        provider_and_model(model)
        prices = self._keys((*here, "pricing"), set(), {"input", "output", "cached"})
        if prices and not {"input", "output"} <= prices.keys():
            raise self._wrong((*here, "pricing"), "pricing wants input and output, per million tokens")
        return Line(
            model,
            self._maybe(given, (*here, "share")),
            self._maybe(given, (*here, "batch")),
            self._maybe(given, (*here, "cached")),
            self._tier((*here, "tier")) if "tier" in given else "standard",
            self._text((*here, "region")) if "region" in given else None,
            tuple((key, self._number((*here, "pricing", key))) for key in prices),
        )

    def _claim(self, name: str) -> Claim:
        here: Path = ("claims", name)
        may = {"is", "between", "approach", "against", "period", "keys", "minus", "times", "over"}
        given = self._keys(here, {"says", "of", "to"}, may)
        if ("is" in given) == ("between" in given):
            raise self._wrong(here, "a claim has a figure: `is: 12000` or `between: [0.4, 0.6]`")
        if "is" in given:
            low = high = self._number((*here, "is"))
        elif isinstance(given["between"], list) and len(given["between"]) == 2:
            low, high = self._number((*here, "between", 0)), self._number((*here, "between", 1))
        else:
            raise self._wrong((*here, "between"), "`between` holds the lowest and the highest figure")
        texts = {
            key: self._text((*here, key)) for key in ("approach", "against", "period", "keys", "over") if key in given
        }
        minus = given.get("minus", [])
        if not isinstance(minus, list):
            raise self._wrong((*here, "minus"), "`minus` is a list of claims")
        times = self._maybe(given, (*here, "times"))
        return Claim(
            name, self._text((*here, "says")), self._text((*here, "of")), low, high, self._number((*here, "to")),
            minus=tuple(map(str, minus)), times=times, **texts,
        )  # fmt: skip

    def _check_claim(self, claim: Claim, found: Workload) -> None:
        here: Path = ("claims", claim.name)
        if claim.of not in OF:
            raise self._wrong((*here, "of"), f"{claim.of!r} is nothing to be computed: {', '.join(OF)}")
        wanted = {"own_figures": (), "saved": ("approach", "against"), "saving": ("approach", "against")}
        for key in wanted.get(claim.of, ("approach",)):
            if getattr(claim, key) is None:
                raise self._wrong(here, f"`of: {claim.of}` wants `{key}:`")
        known: list[tuple[str, Any, Iterable[str]]] = [
            ("approach", claim.approach, found.approaches), ("against", claim.against, found.approaches),
            ("period", claim.period, found.periods), ("keys", claim.keys, ("customer", "platform")),
            ("over", claim.over, found.claims), *(("minus", other, found.claims) for other in claim.minus),
        ]  # fmt: skip
        for key, name, names in known:
            if name is not None and name not in names:
                raise self._wrong((*here, key), f"{name!r} is none of {', '.join(names) or 'nothing'}")
        if claim.of == "own_figures" and not 1 <= len(claim.minus) <= 2:
            raise self._wrong(here, "`of: own_figures` wants `minus:` with one or two claims")
        if claim.of in ("margin", "cost_of_goods") and found.other_cost is None:
            raise self._wrong(here, f"`of: {claim.of}` wants `business: {{other_cost_of_goods: …}}`")
        if claim.of in ("margin", "cost_of_goods") and claim.keys == "platform" and found.revenue is None:
            raise self._wrong(here, "what the platform pays is a share of `business: {revenue_per_document: …}`")

    def _number(self, path: Path) -> str:
        """Note a number under its name, which is its place; the name."""
        name = dotted(path).replace("approaches.", "", 1) if path[0] == "approaches" else dotted(path)
        told = self.document.at(path)
        if isinstance(told, dict):
            self._keys(path, _RANGE, set())
            value, low, high = (self._fraction((*path, key)) for key in ("value", "low", "high"))
            if not low <= value <= high or low == high:
                raise self._wrong(path, "an assumption lies between its low and its high")
            self.assumptions[name] = Assumption(value, low, high, self._text((*path, "why")))
        else:
            value = self._fraction(path)
        self.values[name] = value
        return name

    def _fraction(self, path: Path) -> Fraction:
        told = self.document.at(path)
        if isinstance(told, bool) or not isinstance(told, int | float) or told != told or told in (1e999, -1e999):
            raise self._wrong(path, f"this is a number, not {told!r}")
        value = Fraction(self.document.raw(path) or str(told))
        if value < 0:
            raise self._wrong(path, "no number of a workload is negative")
        return value

    def _maybe(self, given: Mapping[str, Any], path: Path) -> str | None:
        if path[-1] not in given:
            return None
        name = self._number(path)
        widest = self.assumptions[name].high if name in self.assumptions else self.values[name]
        if path[-1] in _SHARES and widest > 1:
            raise self._wrong(path, f"`{path[-1]}` is a share, from 0 to 1")
        return name

    def _names(self, path: Path) -> list[str]:
        told = self.document.at(path)
        if told is None:
            return []
        if not isinstance(told, dict):
            raise self._wrong(path, "this is a mapping of names")
        return list(told)

    def _keys(self, path: Path, must: set[str], may: set[str]) -> dict[str, Any]:
        told = self.document.at(path)
        if told is None and not must:
            return {}
        if not isinstance(told, dict):
            raise self._wrong(path, f"this is a mapping with {', '.join(sorted(must | may))}")
        strange = sorted(told.keys() - must - may)
        if strange:
            raise self._wrong((*path, strange[0]), f"{strange[0]!r} is none of {', '.join(sorted(must | may))}")
        missing = sorted(must - told.keys())
        if missing:
            raise self._wrong(path, f"{missing[0]!r} is missing")
        return told

    def _text(self, path: Path) -> str:
        told = self.document.at(path)
        if not isinstance(told, str) or not told.strip():
            raise self._wrong(path, "this is a text")
        return told

    def _tier(self, path: Path) -> str:
        tier = self._text(path)
        if tier not in TIERS:
            raise self._wrong(path, f"{tier!r} is no tier: {', '.join(TIERS)}")
        return tier

    def _instant(self, path: Path) -> datetime:
        text = self._text(path)
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = None
        if instant is None:
            raise self._wrong(path, f'{text!r} is no date: write date: "2025-10-26"')
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)

    def _wrong(self, path: Path, message: str) -> ConfigError:
        return self.document.error(path, message, "spec/guides/savings.md tells what a workload file holds")
