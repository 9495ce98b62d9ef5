"""One row of the ledger: one attempt at one deployment, without any content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

PICO: Final = 10**12
"""Amounts are counted in units of a millionth of a millionth: sums are exact, and a token may be very cheap."""
LARGEST: Final = 2**63 - 1
PROCESS_ENDED: Final = "ProcessEnded"
"""The error of an attempt whose process ended before anybody was told what became of it."""

SENT_AGAIN: Final = "SentAgain"
"""The error of a request that met a connection which was closed already, and was sent once more over another. Its row
has the ordinal of its attempt and a thousand more."""


class Kind(NamedTuple):
    """What many attempts have in common, and reports are grouped by."""

    tenant: str | None
    task: str | None
    deployment: str
    provider: str
    model: str
    host: str | None
    stream: bool
    data_class: str | None
    key_owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attempt. Rows with the same `call` are attempts of one operation; `ordinal` counts them from 0.

    `at`: Unix second when it began. `number`: the how-many-eth at this deployment, from 1. `host`: None for a model in
    this process. `key_owner`: whose key paid: `tenant` (the tenant's own), `own` (the file's, a call without tenant),
    `platform` (the file's, for a tenant), `none` (no key). `sent` and `billed` (no, unknown, yes) as on a
    ProviderError. `error`: class name, None for the one that answered; `ProcessEnded` when nobody was told,
    `SentAgain` for a request that a closed connection took and that was sent once more.
    Tokens as in `byollm.Usage`, None where the provider did not tell. `cost`: exact to 12 places, None when unknown
    (where `billed` is unknown: as far as the provider told before it ended);
    `source`: whose price that is. `possible`: the most it can have cost, where it is not certain what it did (`billed`
    unknown, or billed at an unknown amount), None when nobody knows the price. `currency`: of both. `milliseconds`:
    wall time, None when unknown; `first_milliseconds`: until a stream's first content. `problem`: what was wrong with
    what the provider told (negative tokens …). `settled`: what `byollm usage reconcile --settle` said later.
    """

    call: str
    ordinal: int
    at: float
    tenant: str | None
    task: str | None
    deployment: str
    provider: str
    model: str
    host: str | None
    stream: bool
    data_class: str | None
    key_owner: str
    number: int = 1
    sent: str = "yes"
    billed: str = "yes"
    status: int | None = None
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None
    currency: str | None = None
    source: str | None = None
    possible: Decimal | None = None
    milliseconds: float | None = None
    first_milliseconds: float | None = None
    request_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    settled: str | None = None

    @property
    def certain(self) -> bool:
        """Nothing is left to find out: not billed, or billed at a known amount."""
        return self.billed == "no" or (self.billed == "yes" and self.cost is not None)


def to_pico(amount: Decimal) -> int | None:
    """An amount as whole picos; what is finer is rounded half to even. None for one that is no amount or too large."""
    if not amount.is_finite() or not 0 <= amount <= LARGEST // PICO + 1:
        return None
    found = int(amount.scaleb(12).to_integral_value(ROUND_HALF_EVEN))
    return found if found <= LARGEST else None


def from_pico(amount: int | None) -> Decimal | None:
    """An amount of picos, without needless zeros."""
    if amount is None:
        return None
    found = Decimal(amount).scaleb(-12).normalize()
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


def rounded(amount: Decimal) -> Decimal:
    """An amount to twelve places, without needless zeros. One that large has no use for places."""
    whole = to_pico(amount)
    return amount if whole is None else from_pico(whole) or Decimal(0)
