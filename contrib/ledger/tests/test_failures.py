"""A disk that is full, a database that is locked or gone: each has its policy, and nothing is lost or doubled."""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from ledger_clients import Model, cells_of, client_of, reported

from byollm.cli.main import main
from byollm.errors import PluginError
from byollm_ledger import Ledger, LedgerDamagedError, LedgerError, LedgerFullError, LedgerGoneError, read
from byollm_ledger.reading import opened


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file of this process grows beyond `room` bytes: a write is cut short there, and then refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def no_room() -> int:
    """What a full disk says."""
    raise OSError(errno.ENOSPC, "No space left on device")


def unconfirmed(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """The nth `fsync` from now on fails."""
    sync, done = os.fsync, count(1)

    def failing(handle: int) -> None:
        if next(done) == nth:
            raise OSError(errno.EIO, "Input/output error")
        sync(handle)

    monkeypatch.setattr("byollm_ledger.journal.os.fsync", failing)


def filled(path: str, on_failure: str, **options: Any) -> tuple[Ledger, Any, list[bool]]:
    """Thirty calls, most of them while there is no room; which of them were answered."""
    ledger = Ledger(path, on_failure=on_failure, interval=60, **options)
    client = client_of(Model(), observers=[ledger])
    client.complete("hi")
    journal = ledger.book._journal
    assert journal is not None
    answered = []
    with full_disk(journal.size + 700):
        for _ in range(29):
            try:
                client.complete("hi")
                answered.append(True)
            except LedgerError:
                answered.append(False)
    return ledger, client, answered


def test_spilled_records_are_written_when_there_is_room_again(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every call is answered, the log says it once, and no record is lost or torn."""
    with caplog.at_level(logging.WARNING, "byollm"):
        ledger, client, answered = filled(path, "spill")
    assert all(answered)
    assert ledger.failures["journal"] > 20
    client.complete("hi")
    client.close()

    found = list(read(path))
    assert (31, {"yes"}) == (len({row.call for row in found}), {row.billed for row in found})
    assert 1 == sum("cannot be written" in record.message for record in caplog.records)
    kept, told = cells_of(path)
    assert kept == told


def test_blocking_refuses_calls_before_anything_is_sent(path: str) -> None:
    """The error has a name, and whoever was answered is booked."""
    _, client, answered = filled(path, "block")
    assert {True, False} == set(answered)
    client.complete("hi")
    client.close()

    found = [row for row in read(path) if row.billed == "yes"]
    assert 2 + sum(answered) == len(found)


def test_the_refusal_says_why(path: str) -> None:
    """No room, nothing sent, and what to do."""
    ledger = Ledger(path, on_failure="block", interval=60, backlog_megabytes=1)
    with client_of(Model(), observers=[ledger]) as client:
        client.complete("hi")
        journal = ledger.book._journal
        assert journal is not None
        journal.size += 2 << 20
        with pytest.raises(LedgerFullError, match=r"backlog_megabytes.*nothing was sent") as caught:
            client.complete("hi")
        journal.size -= 2 << 20

    assert isinstance(caught.value, PluginError)
    assert "on_failure" in caught.value.hint


def test_dropped_records_are_counted(path: str) -> None:
    """Every call is answered; the count says what is missing."""
    ledger, client, answered = filled(path, "drop")
    client.close()

    rows = len(list(read(path)))
    notices = {note["name"]: note["count"] for note in reported(path)["state"]["notices"]}
    assert all(answered)
    assert ledger.failures["lost"] == notices["lines lost"]
    assert 0 < rows < 30
    assert ledger.failures["lost"] > 0


def test_what_waits_in_memory_is_written_when_the_client_is_closed(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No further call is needed for it, where the disk has room again."""
    write, full = os.write, [False]
    monkeypatch.setattr("byollm_ledger.journal.os.write", lambda *it: no_room() if full[0] else write(*it))
    with client_of(Model(), observers=[Ledger(path)]) as client:
        client.complete("hi")
        full[0] = True
        client.complete("hi")
        full[0] = False

    assert ["yes", "yes"] == [row.billed for row in read(path)]


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_disk_that_does_not_confirm_doubles_nothing(path: str, nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line stands in the journal: it is not written once more. The failure is counted."""
    ledger = Ledger(path, durability="full")
    unconfirmed(monkeypatch, nth)
    with client_of(Model(), observers=[ledger]) as client:
        replies = [client.complete("hi") for _ in range(3)]

    rows = list(read(path))
    assert (len(replies), 1) == (len({row.call for row in rows}), ledger.failures["journal"])
    assert len(replies) == len(rows)


def test_a_call_that_was_refused_for_an_unconfirmed_intent_leaves_none(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent, so nothing is to be reconciled later."""
    ledger = Ledger(path, durability="full", on_failure="block")
    unconfirmed(monkeypatch, 1)
    with client_of(Model(), observers=[ledger]) as client, pytest.raises(LedgerError, match="nothing was sent"):
        client.complete("hi")

    with opened(path) as store:
        assert [[], []] == [store.rows("SELECT call FROM intent"), store.rows("SELECT call FROM attempt")]


def test_memory_for_spilled_records_is_bounded(path: str) -> None:
    """What has no room there either is counted as lost."""
    ledger, client, _ = filled(path, "spill", spill_records=10)
    client.close()

    assert 0 < ledger.failures["lost"]
    assert len(list(read(path))) < 30


def test_a_locked_database_stops_no_call(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal waits for it."""
    monkeypatch.setattr("byollm_ledger.sqlite.PATIENCE", 0.05)
    ledger = Ledger(path, interval=0.0)
    with client_of(Model(), observers=[ledger]) as client:
        client.complete("hi")
        ledger.flush()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(5):
            client.complete("hi")
        with pytest.raises(LedgerError, match="locked by somebody else"):
            ledger.flush()
        other.execute("ROLLBACK")
        other.close()
        ledger.flush()

    assert 6 == len(list(read(path)))


def test_a_database_that_is_deleted_is_made_again(path: str) -> None:
    """With everything that still stands in a journal."""
    ledger = Ledger(path, interval=60)
    with client_of(Model(), observers=[ledger]) as client:
        client.complete("hi")
        ledger.flush()
        for file in Path(path).parent.glob("usage.db*"):
            if file.is_file():
                file.unlink()
        client.complete("hi")
        ledger.flush()
        assert 1 == ledger.failures["database"]

    assert 2 == len(list(read(path)))


def test_a_folder_that_cannot_be_written_spills(path: str) -> None:
    """A file stands where the folder should be; when it is gone the records are written."""
    Path(f"{path}.journals").write_text("in the way")
    with client_of(Model(), observers=[Ledger(path)]) as client:
        client.complete("hi")
        os.unlink(f"{path}.journals")
        client.complete("hi")

    assert 2 == len(list(read(path)))


def test_what_is_no_ledger_has_a_name(tmp_path: Path) -> None:
    """Nothing there, something else there, a folder there."""
    other = tmp_path / "other.db"
    other.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(LedgerGoneError, match="there is no ledger"):
        list(read(tmp_path / "nothing.db"))
    with pytest.raises(LedgerDamagedError, match="no ledger, or it is damaged"):
        list(read(other))
    with pytest.raises(LedgerGoneError):
        list(read(tmp_path))


def test_a_ledger_of_another_version_is_not_touched(path: str) -> None:
    """It says which one this is."""
    with client_of(Model(), observers=[Ledger(path)]) as client:
        client.complete("hi")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE about SET value = '99' WHERE name = 'version'")
    connection.close()

    with pytest.raises(LedgerDamagedError, match="has version 99"):
        list(read(path))


def test_the_doctor_sees_it(config: dict[str, Any], path: str, tmp_path: Path, capsys: Any) -> None:
    """Nothing yet, so many attempts, what was lost, and a database that is none."""
    (tmp_path / "llm.yaml").write_text(yaml.safe_dump(config), "utf-8")

    def told() -> list[tuple[str, str]]:
        main(["doctor", "--json", str(tmp_path / "llm.yaml")])
        checks = json.loads(capsys.readouterr().out)["extensions"]
        return [(check["state"], check["detail"]) for check in checks if check["name"] == "ledger"]

    assert [("ok", f"nothing was booked yet in {path}")] == told()
    ledger, client, _ = filled(path, "drop")
    client.close()
    states = told()
    assert ("ok", "warn") == (states[0][0], states[1][0])
    assert any("lines lost" in text for _, text in states)
    Path(path).write_bytes(b"no database" * 1000)
    assert ["fail"] == [state for state, _ in told()]
    assert ledger.failures


def test_the_command_says_it_in_one_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And its exit code is 1."""
    assert 1 == main(["usage", "--ledger", str(tmp_path / "nothing.db")])
    assert "there is no ledger" in capsys.readouterr().err
