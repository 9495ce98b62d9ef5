"""A workload file: documents, tasks and ways to pay for them. Every number in it has a name and can be changed.

A number stands as it is (somebody said so), or as `{value, low, high, why}`: then it is an assumption, and the range
says how far it may be wrong. The number's name is its place in the file: `documents.tokens`, `tasks.pii.output`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final

OF: Final = ("document", "month", "year", "saved", "saving", "margin", "cost_of_goods", "own_figures")
"""What a claim may be about: money, money saved, a share saved, a share of the revenue, or other figures."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that nobody stated: between `low` and `high`, and why `value` was taken."""

    value: Fraction
    low: Fraction
    high: Fraction
    why: str


@dataclass(frozen=True, slots=True)
class Task:
    """One question about each document: `instructions` + `reads` × the document's tokens in, `output` tokens out.

    The fields are names of numbers; None is the usual: all documents (`share`), the whole document (`reads`).
    """

    name: str
    output: str
    instructions: str | None = None
    share: str | None = None
    reads: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A model that does a `share` of a task (None: the rest). `batch` and `cached` are shares; None is none.

    `pricing` holds names of prices per million tokens, in the workload's currency; empty: the price tables.
    """

    model: str
    share: str | None = None
    batch: str | None = None
    cached: str | None = None
    tier: str = "standard"
    region: str | None = None
    pricing: tuple[tuple[str, str], ...] = ()


Lines = Mapping[str, tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class Approach:
    """One way to pay: a price a document or a month that was agreed, or models for tasks.

    `premium` and `discount` are shares on top of and off that sum. `billed_as`: a period whose volume is paid all year.
    `at`: the instant of its prices, when it is not the workload's. `periods`: other lines in some periods.
    """

    name: str
    what: str = ""
    per_document: str | None = None
    per_month: str | None = None
    lines: Lines | None = None
    premium: str | None = None
    discount: str | None = None
    billed_as: str | None = None
    at: datetime | None = None
    periods: Mapping[str, Lines] | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Months of a year that are alike: names of their number and of the documents in each."""

    name: str
    months: str
    documents: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence with a figure: `low` to `high` (names of numbers; equal for one figure), written to the nearest `to`.

    `keys`: whose keys the calls are paid with, `platform` or `customer`, for margins. `minus` and `over` name other
    claims and `times` a number, for what should follow from them.
    """

    name: str
    says: str
    of: str
    low: str
    high: str
    to: str
    approach: str | None = None
    against: str | None = None
    period: str | None = None
    keys: str = "customer"
    minus: tuple[str, ...] = ()
    times: str | None = None
    over: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """A file that was read. `values`: every number by its name; `assumptions`: those that nobody stated."""

    title: str
    source: str
    at: datetime
    currency: str
    values: Mapping[str, Fraction]
    assumptions: Mapping[str, Assumption]
    tokens: str | None
    documents: str | None
    periods: Mapping[str, Period]
    tasks: Mapping[str, Task]
    approaches: Mapping[str, Approach]
    claims: Mapping[str, Claim]
    revenue: str | None = None
    other_cost: str | None = None

    def number(self, name: str | None, usual: int = 0) -> Fraction:
        """A number by its name; `usual` for what the file does not say."""
        return Fraction(usual) if name is None else self.values[name]

    def changed(self, values: Mapping[str, Fraction]) -> Workload:
        """The same with some numbers changed. Raises KeyError for a number that is not in the file."""
        for name in values:
            self.values[name]
        return replace(self, values={**self.values, **values})
