"""What a killed process leaves: everything that was acknowledged, once."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ledger_clients import Model, cells_of, client_of, reported

from byollm.plugin import dump_json
from byollm_ledger import PROCESS_ENDED, Ledger, read
from byollm_ledger.book import Book
from byollm_ledger.observer import Named
from byollm_ledger.row import Kind

HERE = Path(__file__).parent


def test_forty_kills_lose_and_double_nothing(path: str, record_property: Callable[[str, object], None]) -> None:
    """SIGKILL at any instant of a call; acknowledged is what went through a pipe that survives."""
    program = [sys.executable, "-W", "error", str(HERE / "ledger_kills.py"), path, "40", "20261122"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout)

    for name, value in found.items():
        record_property(name, str(value))
    assert found["acknowledged"] > 100
    assert (0, 0, True, 0) == (found["lost"], found["doubled"], found["rollups_hold"], found["journals_left"])


def killed(work: Callable[[], object]) -> None:
    """Do something in a child that then is gone without a word."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)


def test_an_attempt_on_its_way_becomes_unknown(path: str) -> None:
    """Its intent is all that is left of it; what it may have cost is booked."""
    client = client_of(Model(), observers=[Ledger(path)])
    held = []

    def work() -> None:
        held.append(client.stream("hi", max_tokens=100))
        next(iter(held[0].__enter__()))

    killed(work)
    [row] = read(path)
    assert ("unknown", PROCESS_ENDED, None) == (row.billed, row.error, row.cost)
    assert row.possible is not None
    assert row.possible > 0
    kept, told = cells_of(path)
    assert kept == told


def test_a_torn_last_line_is_passed_over_and_counted(path: str) -> None:
    """Whole lines before it count, and so do those of others."""
    client = client_of(Model(), observers=[Ledger(path, interval=60)])
    killed(lambda: [client.complete("hi") for _ in range(3)])
    [journal] = Path(f"{path}.journals").glob("*.log")
    with journal.open("ab") as file:
        file.write(b'0badcafe ["r","half of a li')

    assert 3 == len(list(read(path)))
    assert [("torn lines", 1)] == [(note["name"], note["count"]) for note in reported(path)["state"]["notices"]]


def test_lines_torn_in_the_middle_cost_nobody_else_anything(path: str) -> None:
    """One bit is enough; the attempt whose result it was is unknown then."""
    client = client_of(Model(), observers=[Ledger(path, interval=60)])
    killed(lambda: [client.complete("hi") for _ in range(5)])
    [journal] = Path(f"{path}.journals").glob("*.log")
    lines = journal.read_bytes().split(b"\n")
    assert lines[6].split(b" ", 1)[1].startswith(b'["r"')
    lines[6] = lines[6][:-3] + b"7]]"
    journal.write_bytes(b"\n".join(lines))

    found = list(read(path))
    assert (5, 1) == (len(found), sum(row.billed == "unknown" for row in found))


def test_a_torn_kind_makes_its_attempts_torn(path: str) -> None:
    """They are counted and passed over, and others are taken over as ever."""
    client = client_of(Model(), observers=[Ledger(path, interval=60)])
    killed(lambda: [client.complete("hi") for _ in range(2)])
    [journal] = Path(f"{path}.journals").glob("*.log")
    journal.write_bytes(journal.read_bytes().replace(b"default", b"defaulT", 1))
    killed(lambda: client.complete("hi"))

    assert 1 == len(list(read(path)))
    assert [("torn lines", 5)] == [(note["name"], note["count"]) for note in reported(path)["state"]["notices"]]


def test_a_child_has_a_journal_of_its_own(path: str) -> None:
    """After a fork nothing of the parent's is used, and both write on."""
    with client_of(Model(), observers=[Ledger(path, interval=0.01)]) as client:
        client.complete("hi")
        for _ in range(3):
            killed(lambda: [client.complete("hi") for _ in range(4)])
        client.complete("hi")

    assert 14 == len({row.call for row in read(path)})


def test_processes_share_one_database(path: str) -> None:
    """Each folds its own journal; nobody waits for long, and nobody's rows are lost."""
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            try:
                with client_of(Model(), observers=[Ledger(path, interval=0.0)]) as client:
                    for _ in range(60):
                        client.complete("hi")
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)

    assert 240 == len({row.call for row in read(path)})
    kept, told = cells_of(path)
    assert kept == told


def test_threads_share_one_journal(path: str) -> None:
    """No line is torn by another."""
    with client_of(Model(), observers=[Ledger(path, interval=0.0)]) as client:
        workers = [threading.Thread(target=lambda: [client.complete("hi") for _ in range(50)]) for _ in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    assert 300 == len({row.call for row in read(path)})
    assert [] == reported(path)["state"]["notices"]


def test_a_long_journal_is_begun_anew(path: str) -> None:
    """Attempts that began in one and ended in the next are one row each."""
    ledger = Ledger(path, interval=60)
    model = Model()
    with client_of(model, observers=[ledger]) as client:
        with client.stream("hi") as stream:
            next(iter(stream))
            client.complete("hi")
            journal = ledger.book._journal
            assert journal is not None
            assert ledger.book._rotated(journal, 9 << 20)
            client.complete("hi")
            ledger.flush()
            list(stream)
        ledger.flush()
        names = [file.name.split(".")[1] for file in Path(f"{path}.journals").glob("*.log")]

    found = list(read(path))
    assert (["2"], 3) == (names, len(found))
    assert {"yes"} == {row.billed for row in found}


def test_a_book_that_is_dropped_leaves_its_journal_to_the_next(path: str) -> None:
    """Without a close, and without holding its files until the process ends."""
    book = Book(path, f"{path}.journals", interval=60)
    book._nudge = lambda: None  # type: ignore[method-assign]  # its thread would keep it alive for a while
    kind = Named(Kind("acme", "sums", "first", "custom", "m", None, False, None, "own"))
    facts = [
        1_795_000_000.0,
        1,
        "yes",
        "yes",
        200,
        None,
        1,
        2,
        0,
        0,
        0,
        5,
        "EUR",
        "test",
        None,
        9,
        None,
        None,
        None,
        None,
    ]
    assert book.append(kind, lambda number: dump_json(["r", "aa", 0, number, *facts]), keep=True) is None
    del book
    gc.collect()

    assert ["aa"] == [row.call for row in read(path)]


def test_a_process_that_ends_by_itself_leaves_no_journal(path: str) -> None:
    """Without a close, too: what it booked is folded on the way out."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from ledger_clients import Model, client_of\n"
        "from byollm_ledger import Ledger\n"
        "client_of(Model(), observers=[Ledger(sys.argv[1], interval=60)]).complete('hi')\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, path, str(HERE)], check=True, timeout=60)

    assert {"name"} == {file.name for file in Path(f"{path}.journals").iterdir()}
    assert 1 == len(list(read(path)))
