"""The ledger in a real PostgreSQL: the same rows, rollups and budgets, kills and outages included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "contrib" / "ledger" / "tests"))

from ledger_clients import Model, cells_of, client_of, reported  # noqa: E402  # the path comes first

from byollm.cli.main import main  # noqa: E402
from byollm.plugin import Usage  # noqa: E402
from byollm_ledger import BudgetExceededError, Budgets, Ledger, LedgerGoneError, read  # noqa: E402
from tests.servers.postgres import Postgres, running  # noqa: E402


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Debian's own."""
    with running() as found:
        yield found


@pytest.fixture
def path(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of its own for each test, and a folder for its journals."""
    import psycopg

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    name = f"t{os.urandom(4).hex()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.removesuffix("/postgres") + f"/{name}"


def test_rows_and_rollups_are_the_same_as_in_sqlite(path: str, tmp_path: Path) -> None:
    """The same calls into both."""
    for place in (path, str(tmp_path / "usage.db")):
        with client_of(Model(Usage(1000, 50, 10)), observers=[Ledger(place)]) as client:
            for number in range(20):
                client.complete("hi", labels={"n": str(number)}, max_tokens=60)
            with client.stream("hi", max_tokens=10) as stream:
                next(iter(stream))

    def told(place: str) -> list[Any]:
        return [(row.ordinal, row.billed, row.cost, row.possible, dict(row.labels), row.error) for row in read(place)]

    assert told(str(tmp_path / "usage.db")) == told(path)
    kept, scanned = cells_of(path)
    assert kept == scanned
    shown = [reported(place)["total"]["cost"] for place in (path, str(tmp_path / "usage.db"))]
    assert shown[0] == shown[1]


def test_kills_lose_and_double_nothing(path: str) -> None:
    """The journal is a file of this machine, whatever the database is."""
    program = [sys.executable, str(ROOT / "contrib" / "ledger" / "tests" / "ledger_kills.py"), path, "25", "5"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300, check=False)
    assert 0 == done.returncode, done.stderr[-2000:]
    found = json.loads(done.stdout)

    assert found["acknowledged"] > 50
    assert (0, 0, True, 0) == (found["lost"], found["doubled"], found["rollups_hold"], found["journals_left"])


def test_an_outage_stops_no_call(server: Postgres, path: str) -> None:
    """The journal waits; when the server is back, everything is booked once."""
    ledger = Ledger(path, interval=60)
    with client_of(Model(), observers=[ledger]) as client:
        client.complete("hi")
        ledger.flush()
        server.stop()
        for _ in range(10):
            client.complete("hi")
        with pytest.raises(LedgerGoneError, match="cannot be reached") as caught:
            ledger.flush()
        server.start()
        ledger.book._drop_store()
        ledger.flush()

    assert server.password not in str(caught.value)
    assert 11 == len({row.call for row in read(path)})


def test_two_writers_keep_one_book(path: str) -> None:
    """As two machines would: each with its own journals, into the same rollups."""

    def work(number: int) -> None:
        ledger = Ledger(path, journals=f"{os.environ['XDG_STATE_HOME']}/{number}", interval=0.0)
        with client_of(Model(), observers=[ledger]) as client:
            for _ in range(150):
                client.complete("hi")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert 450 == len({row.call for row in read(path)})
    kept, scanned = cells_of(path)
    assert kept == scanned


def test_budgets_hold_among_machines(path: str) -> None:
    """Each call costs its most, the limit has room for thirty and a half."""
    most = Decimal("0.000326")
    answered: list[int] = []

    def work() -> None:
        layer = Budgets(path, limits=[{"amount": most * 30 + most / 2, "currency": "EUR"}])
        with client_of(Model(Usage(306, 10)), middleware=[layer]) as client:
            count = 0
            try:
                while True:
                    client.complete("hi", max_tokens=10)
                    count += 1
            except BudgetExceededError:
                answered.append(count)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert (4, 30) == (len(answered), sum(answered))


def test_the_command_reads_it(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By its address, which is shown nowhere."""
    with client_of(Model(), observers=[Ledger(path)]) as client:
        client.complete("hi")
    assert 0 == main(["usage", "--ledger", path, "--json", "--exact"])
    shown = capsys.readouterr()

    assert 1 == json.loads(shown.out)["total"]["calls"]
    assert path.split("@", maxsplit=1)[0] not in shown.out + shown.err


def test_an_agreement_is_one_for_all_machines(server: Postgres, path: str) -> None:
    """What another one spent counts after a reading; when the server is gone, what was read and one's own since."""
    ledgers = [Ledger(path, journals=f"{os.environ['XDG_STATE_HOME']}/{number}") for number in range(2)]
    account, most = ledgers[0].account("default", "EUR", None, None), Decimal("0.00018")
    for ledger in ledgers:
        with client_of(Model(), observers=[ledger]) as client:
            client.complete("hi")
    account.refresh()
    server.stop()
    with client_of(Model(), observers=[ledgers[0]]) as client:
        client.complete("hi")
        with pytest.raises(LedgerGoneError):
            account.refresh()
        server.start()

    assert 3 * most == account.spent()
