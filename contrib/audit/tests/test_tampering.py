"""An attacker who can write every file and has not the key: nothing that he does goes unseen."""

import random
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from byollm import Client
from byollm.cli.main import main
from byollm_audit import Audit
from byollm_audit.chain import Chain, split
from byollm_audit.database import DatabaseStore
from byollm_audit.files import FileStore
from byollm_audit.keys import Key, Mac, new_key
from byollm_audit.segments import segments
from byollm_audit.verify import verify

TIMES = 10_000
SEED = 20261122


@pytest.fixture
def log(tmp_path, chain_key):
    """Four segments, and the anchor of their end."""
    store = FileStore(tmp_path / "log", chain_key, limit=700)
    for number in range(9):
        store.append(b'{"kind":"note","number":%d,"text":"of some length, as a record has"}' % number)
    anchor = store.head()
    store.close()
    for path in segments(tmp_path / "log").values():
        path.chmod(0o600)
    return tmp_path / "log", anchor


def edited(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def inserted(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]


def deleted(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 300) :]


def line_deleted(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def lines_swapped(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def line_doubled(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"".join(lines)


def truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def cut_at_a_line(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: chance.randrange(len(lines))])


def signed_anew(data: bytes, chance: random.Random) -> bytes:
    """Every mac recomputed, with a key of one's own."""
    lines = [found for line in data.splitlines() if (found := split(line))]
    chain = Chain(Mac(chance.randbytes(32)), lines[0].n - 1, chance.randbytes(32))
    written = []
    for line in lines:
        made, mac = chain.sealed(b"{" + line.body.partition(b",")[2].replace(b"some", b"more"))
        chain.took(mac)
        written.append(made)
    return b"".join(written)


WAYS = (
    edited, inserted, deleted, line_deleted, lines_swapped, line_doubled, truncated, cut_at_a_line, signed_anew,
)  # fmt: skip


def put(path: Path, data: bytes) -> None:
    """Write over what is there: a file that is emptied first is sent to the disk by some file systems, each time."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def test_ten_thousand_changes_are_all_seen(log, chain_key, record_property):
    """Edits, deletions, swaps, doublings, truncations, macs of another key: of any segment, at any place."""
    folder, anchor = log
    chance = random.Random(SEED)
    paths = list(segments(folder).values())
    whole = {path: path.read_bytes() for path in paths}
    unseen, done = [], 0
    while done < TIMES:
        path, way = chance.choice(paths), chance.choice(WAYS)
        data = way(whole[path], chance)
        if data == whole[path]:
            continue
        done += 1
        put(path, data)
        report = verify(folder, chain_key, [anchor])
        if report.intact and not report.torn:
            unseen.append((way.__name__, path.name))
        put(path, whole[path])
    record_property("changes", done)
    record_property("unseen", len(unseen))

    assert [] == unseen
    assert verify(folder, chain_key, [anchor]).intact


@pytest.fixture
def real(key, target, tmp_path):
    """The log of two calls with everything that records hold."""
    new_key(tmp_path / "content.key")
    content = {"key": f"file:{tmp_path / 'content.key'}"}
    path = tmp_path / "real"
    with Client(target, observers=[Audit(path=path, key=key, content=content)]) as client:
        client.complete("hi", labels={"team": "mail"}, end_user_id="u-7")
        client.complete("hi again")
    return next(iter(segments(path).values()))


FOREIGN = (b"7", b'"x"', b"-1", b"null", b"NaN", b"1e99", b"[1]", b"{}", b"[" * 9_000, b'"\xff"', b"9" * 5_000)


def changes(line):
    """Each name of a record misspelt, and each value another's: what a reader would stumble over."""
    for match in re.finditer(rb'"([a-z_0-9]+)":("[^"]*"|[0-9.]+|\{|\[)', line[: line.index(b',"mac":"')]):
        start, end = match.span(2)
        yield line[: match.start(1)] + b"x" + line[match.start(1) :]
        yield from (line[:start] + each + line[end:] for each in FOREIGN)


def test_whatever_is_changed_in_a_real_record_is_told_with_its_place(real, key, capsys):
    """Names, types, sizes: the proof says where, and whoever looks at the rest can."""
    whole = real.read_bytes()
    lines = whole.splitlines(keepends=True)
    real.chmod(0o600)
    seen = 0
    for at, line in enumerate(lines):
        for changed in changes(line):
            put(real, b"".join([*lines[:at], changed, *lines[at + 1 :]]))
            report = verify(real.parent, Key(key).derive("chain"))
            assert any(f"line {at + 1}: " in problem for problem in report.problems), changed[:200]
            seen += 1
            if seen % 7 == 0:
                assert 0 == main(["audit", "show", "--path", str(real.parent), "--key", key]), changed[:200]
    assert seen > 300


def test_segments_that_change_places_are_seen(log, chain_key):
    """Every pair of them."""
    folder, anchor = log
    paths = list(segments(folder).values())
    for one in paths:
        for other in paths:
            if one < other:
                first, second = one.read_bytes(), other.read_bytes()
                one.write_bytes(second)
                other.write_bytes(first)
                assert not verify(folder, chain_key, [anchor]).intact
                one.write_bytes(first)
                other.write_bytes(second)


def test_a_segment_that_is_gone_is_seen(log, chain_key):
    """The last one too, by the anchor: without, its absence looks like a log that ended there."""
    folder, anchor = log
    for path in segments(folder).values():
        data = path.read_bytes()
        path.unlink()
        assert not verify(folder, chain_key, [anchor]).intact
        path.write_bytes(data)


def test_a_segment_of_another_log_is_seen(log, chain_key, tmp_path):
    """Of the same key, too."""
    folder, anchor = log
    FileStore(tmp_path / "other", chain_key).append(b'{"kind":"note"}')
    shutil.copy(tmp_path / "other" / "audit-000001.jsonl", folder / "audit-000001.jsonl")

    assert not verify(folder, chain_key, [anchor]).intact


def test_a_log_that_was_rolled_back_and_went_on_is_seen(log, chain_key, tmp_path):
    """An older copy is put back, and grows beyond the anchor's number: its record is another one now."""
    folder, _ = log
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    store = FileStore(folder, chain_key)
    store.append(b'{"kind":"note","text":"what he did"}')
    anchor = store.head()
    store.close()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    assert ["was cut or rolled back"] == [it[-22:] for it in verify(folder, chain_key, [anchor]).problems]
    FileStore(folder, chain_key).append(b'{"kind":"note","text":"something harmless"}')

    assert "written anew" in verify(folder, chain_key, [anchor]).problems[0]


def test_a_cut_at_a_border_is_seen_by_the_anchor_alone(log, chain_key):
    """What the guide says: the end of a chain can only be known from outside."""
    folder, anchor = log
    last = max(segments(folder).values())
    lines = last.read_bytes().splitlines(keepends=True)
    last.write_bytes(b"".join(lines[:-1]))

    assert verify(folder, chain_key).intact
    assert not verify(folder, chain_key, [anchor]).intact


def test_the_first_segments_can_be_archived(log, chain_key):
    """The rest proves itself from its first header on; without the word `first`, what is missing is a problem."""
    folder, anchor = log
    min(segments(folder).values()).unlink()

    assert ["segments 1 to 1 are missing"] == verify(folder, chain_key, [anchor]).problems[:1]
    assert verify(folder, chain_key, [anchor], first=2).intact
    assert not verify(folder, b"x" * 32, [anchor], first=2).intact


def test_another_key_proves_nothing(log):
    """The first line is wrong already."""
    assert not verify(Path(log[0]), b"x" * 32).intact


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE records SET line = CAST(replace(CAST(line AS TEXT), 'some', 'more') AS BLOB) WHERE n = 4",
        "DELETE FROM records WHERE n = 4",
        "DELETE FROM records WHERE n = 1",
        "DELETE FROM records WHERE n > 4",
        "DELETE FROM records",
        "UPDATE records SET line = (SELECT line FROM records WHERE n = 3) WHERE n = 4",
        "UPDATE records SET n = 10 - n WHERE n IN (4, 6)",
        "INSERT INTO records SELECT n + 100, line FROM records WHERE n = 6",
    ],
)
def test_a_database_that_was_changed_is_seen(tmp_path, chain_key, change):
    """Whatever SQL can do to it."""
    store = DatabaseStore(tmp_path / "audit.db", chain_key)
    for _ in range(6):
        store.append(b'{"kind":"note","text":"of some length"}')
    anchor = store.head()
    store.close()
    connection = sqlite3.connect(tmp_path / "audit.db", isolation_level=None)
    if "10 - n" in change:
        connection.execute("UPDATE records SET n = -n")
        connection.execute("UPDATE records SET n = CASE -n WHEN 4 THEN 6 WHEN 6 THEN 4 ELSE -n END")
    else:
        connection.execute(change)
    connection.close()

    assert not verify(tmp_path / "audit.db", chain_key, [anchor]).intact
