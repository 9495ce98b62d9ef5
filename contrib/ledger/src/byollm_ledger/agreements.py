"""What was spent at one deployment by all who write into the ledger: what `route: {policy: prefer}` counts by."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from byollm_ledger.address import is_postgres
from byollm_ledger.book import Book
from byollm_ledger.row import PICO
from byollm_ledger.store import Store
from byollm_ledger.tally import Tally, Whose

_SUM: Final = (
    "SELECT COALESCE(SUM(cost_whole), 0), COALESCE(SUM(cost_pico), 0), COALESCE(SUM(possible_whole), 0),"
    " COALESCE(SUM(possible_pico), 0) FROM rollup_day"
    " WHERE kind IN (SELECT id FROM kind WHERE deployment = ? AND COALESCE(tenant, '') = ?)"
    " AND currency = ? AND day >= ?"
)
_BEGIN: Final = date(1970, 1, 1)


class _Reading(NamedTuple):
    """Picos that are booked, of which this process booked `own` according to `tally`."""

    certain: int
    possible: int
    own: int
    tally: Tally


class Account:
    """See `byollm.routing.agreements.Account`. Certain is what was billed at a known amount.

    Nothing is counted twice: a reading knows how much of it this process wrote, and what this process told since comes
    on top, whether it was folded meanwhile or not.
    """

    def __init__(self, book: Book, deployment: str, currency: str, since: date | None, tenant: str | None) -> None:
        self._book = book
        self._whose: Whose = (deployment, tenant, currency)
        self._day = (since - _BEGIN).days if since is not None else 0
        self._known: _Reading | None = None

    def refresh(self) -> None:
        """Read the rollups. Raises LedgerError and OSError."""
        book = self._book
        if not is_postgres(book.path) and not book.busy and not os.path.isfile(book.path):
            self._known = _Reading(
                0, 0, book.tally.folded.get(self._whose, 0), book.tally
            )  # nobody booked anything yet
        else:
            self._known = book.looked(self._read)

    def _read(self, store: Store) -> _Reading:
        deployment, tenant, currency = self._whose
        found = store.rows(_SUM, (deployment, tenant or "", currency, self._day))[0]
        certain, pico, possible, possible_pico = map(int, found)
        tally = self._book.tally
        own = tally.folded.get(self._whose, 0)
        return _Reading(certain * PICO + pico, possible * PICO + possible_pico, own, tally)

    def spent(self) -> Decimal | None:
        """As it was read, and what this process told since."""
        known = self._known
        if known is None:
            return None
        own = known.tally.told(self._whose) - known.own
        if own < 0:  # the database was deleted, and the journal is folded into a new one: no more than it held is known
            own = 0
        if known.tally is not self._book.tally:  # a child after a fork: what its parent told is its parent's
            own += self._book.tally.told(self._whose)
        return Decimal(known.certain + own).scaleb(-12)

    def unsure(self) -> Decimal:
        """The most that attempts whose cost is not certain can have cost, as it was read."""
        return Decimal(self._known.possible if self._known is not None else 0).scaleb(-12)
