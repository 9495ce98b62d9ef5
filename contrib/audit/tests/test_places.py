"""The places: threads and processes share them, disks fill up, writers are killed, segments are sealed."""

import json
import resource
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from byollm_audit import AuditStoreError, TamperedError
from byollm_audit.database import DatabaseStore
from byollm_audit.files import LOOK, FileStore
from byollm_audit.segments import segments
from byollm_audit.verify import verify

RECORD = b'{"kind":"note","text":"something of the usual length, more or less, as records are"}'


def place(path, key, **options):
    return (DatabaseStore if path.suffix == ".db" else FileStore)(path, key, **options)


def test_threads_share_a_chain(path, chain_key, proved):
    """No record is lost, doubled or out of its place."""
    store = place(path, chain_key)
    threads = [threading.Thread(target=lambda: [store.append(RECORD) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (True, 201) == (proved().intact, proved().records)


def test_processes_share_a_chain(path, chain_key, tmp_path, proved):
    """Each proves what the others wrote, over sealed segments too."""
    program = f"""
import sys
from pathlib import Path
from byollm_audit.{"database import DatabaseStore" if path.suffix == ".db" else "files import FileStore"} as Store
options = {{}} if Store.__name__ == "DatabaseStore" else {{"limit": 2000}}
store = Store(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), wait=30, **options)
for number in range(60):
    store.append(b'{{"kind":"note","number":%d}}' % number)
"""
    words = [sys.executable, "-c", program, str(path), chain_key.hex()]
    running = [subprocess.Popen(words) for _ in range(3)]

    assert [0, 0, 0] == [each.wait(60) for each in running]
    report = proved()
    assert [] == report.problems
    assert 180 == sum(line.count(b'"kind":"note"') for line in place(path, chain_key).lines())
    assert path.suffix == ".db" or report.segments > 5


def test_a_fork_goes_on_with_the_chain(path, chain_key, proved):
    """Parent and child write in turns."""
    program = f"""
import os, sys
from pathlib import Path
from byollm_audit.{"database import DatabaseStore" if path.suffix == ".db" else "files import FileStore"} as Store
store = Store(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]))
store.append(b'{{"kind":"note"}}')
child = os.fork()
store.append(b'{{"kind":"note"}}')
if child == 0:
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-c", program, str(path), chain_key.hex()], timeout=60, check=True)
    place(path, chain_key).append(RECORD)

    assert (True, 5) == (proved().intact, proved().records)


def test_a_segment_is_sealed_when_it_is_full(tmp_path, chain_key):
    """Nobody may write it any more, and the next one follows from its seal."""
    store = FileStore(tmp_path, chain_key, limit=700)
    for _ in range(12):
        store.append(RECORD)
    found = segments(tmp_path)

    assert {0o400} == {path.stat().st_mode & 0o777 for path in list(found.values())[:-1]}
    assert len(found) > 2
    assert verify(tmp_path, chain_key).intact


@pytest.mark.parametrize("cut", [1, 40, 100])
@pytest.mark.parametrize("opened", [False, True])
def test_a_torn_line_is_taken_away_and_recorded(tmp_path, chain_key, cut, opened):
    """By the next writer, be it new or at work beside the one that was killed. What was whole stays."""
    other, store = FileStore(tmp_path, chain_key), FileStore(tmp_path, chain_key)
    store.append(RECORD)
    if opened:
        other.append(RECORD)
    line = store._chain.sealed(RECORD)[0]
    with (tmp_path / "audit-000001.jsonl").open("ab") as file:
        file.write(line[:cut])
    assert cut == verify(tmp_path, chain_key).torn
    other.append(RECORD)
    report = verify(tmp_path, chain_key)

    assert (True, 1, 0) == (report.intact, report.repaired, report.torn)
    assert 2 + opened == sum(b'"note"' in line for line in store.lines())


@pytest.mark.parametrize("left", [b"", b'{"n":1,"kind":"seg'])
def test_a_segment_whose_maker_was_killed_at_once_is_begun_again(tmp_path, chain_key, left):
    """With nothing in it, or half a header; as the first one, and as a later one."""
    (tmp_path / "audit-000001.jsonl").write_bytes(left)
    FileStore(tmp_path, chain_key, limit=300).append(RECORD)
    store = FileStore(tmp_path, chain_key, limit=300)
    store.append(RECORD)
    store.append(RECORD)
    last = max(segments(tmp_path).values())
    last.write_bytes(left)
    FileStore(tmp_path, chain_key, limit=300).append(RECORD)

    assert [] == verify(tmp_path, chain_key).problems


def test_a_seal_without_a_next_segment_is_followed_by_one(tmp_path, chain_key):
    """Killed between the two."""
    store = FileStore(tmp_path, chain_key, limit=300)
    for _ in range(3):
        store.append(RECORD)
    max(segments(tmp_path).values()).unlink()
    FileStore(tmp_path, chain_key).append(RECORD)

    assert verify(tmp_path, chain_key).intact


def test_a_full_disk_is_a_named_error_and_leaves_no_half_line(tmp_path, chain_key):
    """The system takes a part of a line; it is taken back, and when there is room again, the chain goes on."""
    store = FileStore(tmp_path, chain_key)
    store.append(RECORD)
    size = (tmp_path / "audit-000001.jsonl").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, before[1]))
        with pytest.raises(AuditStoreError):
            store.append(RECORD)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert size == (tmp_path / "audit-000001.jsonl").stat().st_size
    store.append(RECORD)
    assert (True, 3, 0) == (
        verify(tmp_path, chain_key).intact,
        verify(tmp_path, chain_key).records,
        verify(tmp_path, chain_key).repaired,
    )


@pytest.mark.parametrize("how", ["cut", "replaced", "removed"])
def test_a_log_that_is_changed_while_in_use_is_noticed(tmp_path, chain_key, how):
    """A cut one at once, one that was removed or replaced within 64 records."""
    store = FileStore(tmp_path, chain_key)
    for _ in range(3):
        store.append(RECORD)
    file = tmp_path / "audit-000001.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    if how == "cut":
        file.write_bytes(b"".join(lines[:-1]))
    else:
        file.unlink()
        if how == "replaced":
            file.write_bytes(b"".join(lines[:2]))

    with pytest.raises((TamperedError, AuditStoreError)):
        for _ in range(1 if how == "cut" else LOOK + 1):
            store.append(RECORD)


def test_a_database_that_is_cut_while_in_use_is_noticed(tmp_path, chain_key):
    """So is a record that was put there without the key."""
    store = DatabaseStore(tmp_path / "audit.db", chain_key)
    store.append(RECORD)
    store.append(RECORD)
    with sqlite3.connect(tmp_path / "audit.db") as connection:
        connection.execute("DELETE FROM records WHERE n = 3")
    connection.close()

    with pytest.raises(TamperedError):
        store.append(RECORD)


def test_a_locked_database_is_a_named_error(tmp_path, chain_key):
    """After the time that it is waited for."""
    store = DatabaseStore(tmp_path / "audit.db", chain_key, wait=0.05)
    store.append(RECORD)
    other = sqlite3.connect(tmp_path / "audit.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AuditStoreError, match="locked"):
        store.append(RECORD)
    other.execute("ROLLBACK")
    other.close()
    store.append(RECORD)

    assert (True, 3) == (verify(tmp_path / "audit.db", chain_key).intact, 3)


def test_a_folder_that_is_locked_is_a_named_error(tmp_path, chain_key):
    """Somebody keeps the lock: the error says how long it was waited for."""
    import fcntl

    store = FileStore(tmp_path, chain_key, wait=0.05)
    store.append(RECORD)
    with (tmp_path / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(AuditStoreError, match=r"locked for 0\.05 s"):
            store.append(RECORD)
    store.append(RECORD)

    assert verify(tmp_path, chain_key).intact


def test_the_anchor_is_the_end(path, chain_key, proved):
    """And a log that went on since still holds it."""
    store = place(path, chain_key)
    store.append(RECORD)
    anchor = json.loads(json.dumps(store.head()))
    store.append(RECORD)
    report = proved([anchor])

    assert (True, 1, 2, 3) == (report.intact, report.anchors, anchor["n"], report.records)
