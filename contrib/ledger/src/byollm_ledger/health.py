"""What `byollm doctor` says of a ledger."""

from __future__ import annotations

from byollm_ledger.address import is_postgres, open_store
from byollm_ledger.errors import LedgerError
from byollm_ledger.journal import Folder

_MEND = "byollm usage shows what was booked; the log of byollm said why, once"


def health(path: str, folder: Folder) -> list[tuple[str, str, str]]:
    """State, sentence and mend of everything there is to tell."""
    where = "PostgreSQL" if is_postgres(path) else path
    if folder.name is None:
        return [("ok", f"nothing was booked yet in {where}", "")]
    try:
        store = open_store(path, create=False)
    except LedgerError as error:
        return [("fail", error.message, error.hint or "the journals keep what is booked meanwhile")]
    try:
        known = store.rows("SELECT SUM(attempts) FROM rollup")[0][0]
        notices = store.rows("SELECT name, count, last FROM notice ORDER BY name")
    finally:
        store.close()
    waiting = folder.waiting()
    more = f", {waiting:,} bytes of journals" if waiting else ""
    told = [("ok", f"{int(known or 0):,} attempts in {where}{more}", "")]
    return told + [("warn", f"{name}: {int(count):,}, last {last}", _MEND) for name, count, last in notices]
