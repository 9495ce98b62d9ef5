"""A rollup is what a scan of all rows would say: after kills, late results and settlements."""

from __future__ import annotations

import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from ledger_clients import Model, cells_of, client_of

from byollm.errors import OverloadedError, ProtocolError
from byollm.testing import ManualClock
from byollm.types.usage import Usage
from byollm_ledger import Ledger, SettledError, read, settle
from byollm_ledger.address import open_store
from byollm_ledger.fold import Fold, adopt
from byollm_ledger.journal import Folder, line_of
from byollm_ledger.reading import opened
from byollm_ledger.row import Kind

TOKENS = some.one_of(some.none(), some.integers(0, 3_000_000))
OUTCOMES = some.sampled_from(["answered", "answered", "busy", "garbled", "left", "killed"])
KIND = list(Kind("acme", "sums", "first", "custom", "m", None, False, None, "own"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=some.lists(some.tuples(OUTCOMES, TOKENS, TOKENS, some.integers(-4000, 9000)), min_size=1, max_size=25),
    lines=some.lists(some.integers(0, 5), max_size=4),
)
def test_rollups_are_the_sum_of_their_rows(steps: list[Any], lines: list[int]) -> None:
    """Whatever happened: answers, failures, processes that die with something on its way, and results of it that come
    late, before or after it was given up."""
    folder = tempfile.mkdtemp()
    path = str(Path(folder) / "usage.db")
    clock = ManualClock(1_795_000_000.0)
    model = Model()
    ledger = Ledger(path, interval=60)
    late: list[Any] = []
    try:
        with client_of(model, clock=clock, observers=[ledger]) as client:
            for number, (outcome, went_in, came_out, later) in enumerate(steps):
                clock.now += later
                model.usage = Usage(went_in, came_out)
                failing = {"busy": OverloadedError("busy", retryable=False), "garbled": ProtocolError("garbled")}
                model.failing = failing.get(outcome)
                if outcome == "killed":
                    late.append(_on_its_way(client))
                    _die(ledger)
                else:
                    _ask(client, outcome)
                if number in lines:
                    ledger.flush()
                if number % 5 == 4 and late:
                    late.pop().__exit__(None, None, None)
            for stream in late:
                stream.__exit__(None, None, None)
        kept, told = cells_of(path)
        assert kept == told
        assert len(steps) == len({(row.call, row.ordinal) for row in read(path)}) == len(list(read(path)))
        for row in list(read(path)):
            if not row.certain:
                with opened(path) as store:
                    settle(store, row.call, row.ordinal, billed="yes", cost=Decimal("0.0000123456789"), currency="EUR")
        kept, told = cells_of(path)
        assert kept == told
        assert all(row.certain for row in read(path))
    finally:
        shutil.rmtree(folder)


def _on_its_way(client: Any) -> Any:
    stream = client.stream("hi", max_tokens=10)
    next(iter(stream.__enter__()))
    return stream


def _die(ledger: Ledger) -> None:
    """As the kernel does it: the lock is gone, the journal stays, and nobody tidies up."""
    book = ledger.book
    assert book._journal is not None
    assert book._held is not None
    book._journal.close()
    book._held.release(remove=False)
    if book._store is not None:
        book._store.close()
    book._begin()


def _ask(client: Any, outcome: str) -> None:
    try:
        if outcome == "left":
            with client.stream("hi", max_tokens=10) as stream:
                next(iter(stream))
        else:
            client.complete("hi", max_tokens=10)
    except (OverloadedError, ProtocolError):
        pass


def body(*fact: Any) -> bytes:
    from byollm.plugin import dump_json

    return line_of(dump_json(list(fact)))


def result(call: str, at: float = 1_795_000_000.0, cost: int | None = 5) -> bytes:
    """A result's line, billed at an amount of picos."""
    facts = [at, 1, "yes", "yes", 200, None, 1, 2, 0, 0, 0, cost, "EUR", "test", None, 1000, None, None, None, None]
    return body("r", call, 0, 0, *facts)


def intent(call: str) -> bytes:
    """An intent's line."""
    return body("i", call, 0, 0, 1_795_000_000.0, 77, "EUR", None)


def left_behind(path: str, process: str, *lines: bytes) -> None:
    """A journal of a process that is gone."""
    folder = Folder(Path(f"{path}.journals"))
    name = folder.prepare()
    (folder.path / f"{name}-{process}.1.log").write_bytes(body("k", 0, KIND) + b"".join(lines))


def test_a_result_that_comes_late_takes_the_place_of_what_was_thought(path: str) -> None:
    """The intent was given up already; then the other half of the story is found."""
    left_behind(path, "0" * 12, intent("aa"))
    assert [("unknown", Decimal("0.000000000077"))] == [(row.billed, row.possible) for row in read(path)]
    left_behind(path, "1" * 12, result("aa"))

    assert [("yes", Decimal("0.000000000005"), None)] == [(row.billed, row.cost, row.possible) for row in read(path)]
    kept, told = cells_of(path)
    assert kept == told


def test_a_result_that_came_before_its_intent_is_one_row(path: str) -> None:
    """By whichever way the two halves came."""
    left_behind(path, "0" * 12, result("aa"))
    assert 1 == len(list(read(path)))
    left_behind(path, "1" * 12, intent("aa"))

    assert ["yes"] == [row.billed for row in read(path)]


def test_a_fold_that_is_cut_short_is_done_again_from_there(path: str) -> None:
    """Its mark is written with its rows, or not at all."""
    left_behind(path, "0" * 12, *[intent(f"{n:02x}") + result(f"{n:02x}") for n in range(50)])
    folder = Folder(Path(f"{path}.journals"))
    [journal] = folder.path.glob("*.log")
    whole = journal.read_bytes()
    store = open_store(path)
    for end in (70, 1000, 1001, len(whole) // 2, len(whole)):
        journal.write_bytes(whole[:end])
        Fold(store, journal.name.split(".")[0]).take(journal, whole=False)
    adopt(store, folder)
    store.close()

    assert 50 == len(list(read(path)))
    kept, told = cells_of(path)
    assert kept == told


def test_two_who_take_over_at_once_do_it_once(path: str) -> None:
    """Who has the lock takes over; the other passes by."""
    left_behind(path, "0" * 12, *[result(f"{n:02x}") for n in range(20)])
    folder = Folder(Path(f"{path}.journals"))
    [process] = {name for name in folder.processes() if name != "name"}
    lock = folder.take_over(process)
    assert lock is not None
    store = open_store(path)
    assert 0 == adopt(store, folder)
    assert [] == store.rows("SELECT 1 FROM attempt")
    lock.release(remove=False)
    adopt(store, folder)
    store.close()

    assert 20 == len(list(read(path)))


def test_what_is_certain_is_not_settled_again(path: str) -> None:
    """And what is not there cannot be."""
    with client_of(Model(), observers=[Ledger(path)]) as client:
        client.complete("hi")
    [row] = read(path)
    with opened(path) as store:
        with pytest.raises(SettledError, match="certain already"):
            settle(store, row.call, 0, billed="no")
        with pytest.raises(SettledError, match="there is no attempt"):
            settle(store, "nobody", 0, billed="no")
        with pytest.raises(SettledError, match="an amount and its currency"):
            settle(store, row.call, 0, billed="yes")
