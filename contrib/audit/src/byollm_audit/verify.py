"""The proof, offline: that every line follows from the one before, and that nothing an anchor knows of is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from byollm_audit.chain import Chain, Line, split
from byollm_audit.content import WRAPPED
from byollm_audit.errors import AuditError, AuditStoreError
from byollm_audit.keys import Mac, sha256
from byollm_audit.segments import SEGMENT, missing, read_content, segments

MOST: Final = 20
"""Problems that are told; more are only counted."""

_END_OF_TIME: Final = 253_402_300_800
"""The year 10000 in Unix seconds: no calendar shows it."""
_NOWHERE: Final = {"segment": 0, "at": 0, "size": 0}
_HOLDS: Final = {
    "intent": (("operation", str), ("attempt", int), ("deployment", str)),
    "outcome": (("operation", str), ("attempt", int), ("deployment", str), ("outcome", str)),
    "refused": (("operation", str), ("outcome", str)),
    "withdrawn": (("operation", str), ("attempt", int)),
    "erased": (("operation", str),),
}


@dataclass(slots=True)
class Report:
    """What a verification found. `problems`: where it is not whole, first to last; empty means intact.

    `open`: intents without an outcome, by operation and attempt: a process was killed, or a record was lost. `torn`:
    bytes after the last line, of a writer that was killed; the next one takes them away and says so.
    """

    log: str = ""
    records: int = 0
    segments: int = 0
    n: int = 0
    mac: str = ""
    problems: list[str] = field(default_factory=list)
    more: int = 0
    torn: int = 0
    open: int = 0
    contents: int = 0
    erased: int = 0
    repaired: int = 0
    lost: int = 0
    clock_back: int = 0
    anchors: int = 0
    fitting: int = 0
    """Records that fit the key: of a whole log all, of one that was written with another key none."""

    @property
    def intact(self) -> bool:
        """Nothing is wrong."""
        return not self.problems

    def wrong(self, problem: str) -> None:
        """Note a problem."""
        if len(self.problems) < MOST:
            self.problems.append(problem)
        else:
            self.more += 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment as it is read: its number, its name, its lines, and what stands after the last line break."""

    number: int
    name: str
    lines: Iterable[bytes]
    torn: bytes = b""


def verify(path: Path, key: bytes, anchors: Sequence[Mapping[str, Any]] = (), *, first: int = 1) -> Report:
    """Look at all of a log: a folder or a database. `key` is the chain's own. Raises AuditStoreError for no log.

    `first`: the segment that is the first one here, where those before it were moved to an archive.
    """
    from byollm_audit.store import path_is_database

    checker = _Checker(Mac(key), anchors)
    if path_is_database(path):
        from byollm_audit.database import DatabaseStore

        if first > 1:
            raise AuditStoreError(f"there is no segment {first} in {path}", hint="a database is one segment")
        store = DatabaseStore(path, key)
        checker.piece(Piece(1, path.name, store.lines()), last=True)
        checker.contents(store.content)
        return checker.done()
    found = segments(path) if path.is_dir() else {}
    if not found:
        raise missing(path)
    for name in sorted(each.name for each in path.glob("audit-*.jsonl") if not SEGMENT.fullmatch(each.name)):
        checker.report.wrong(f"{name}: no segment of an audit has such a name")
    if first > max(found):
        raise AuditStoreError(f"there is no segment {first} in {path}", hint=f"--first names one up to {max(found)}")
    before = first - 1
    if first > 1 and first in found:
        checker.begin_at(found[first])
    for number, each in found.items():
        if number < first:
            continue
        if number != before + 1:
            checker.report.wrong(f"segments {before + 1} to {number - 1} are missing")
        before = number
        data = each.read_bytes()
        *lines, torn = data.split(b"\n")
        checker.piece(Piece(number, each.name, lines, torn), last=number == max(found))
    checker.contents(lambda where: read_content(path, where))
    return checker.done()


class _Checker:
    def __init__(self, sign: Mac, anchors: Sequence[Mapping[str, Any]]) -> None:
        self.report = Report()
        self._sign = sign
        self._chain = Chain(sign)
        self._anchors = anchors
        self._macs: dict[int, str | None] = {int(anchor["n"]): None for anchor in anchors}
        self._intents: set[tuple[str, int]] = set()
        self._contents: list[tuple[str, int, dict[str, Any]]] = []
        self._erased: set[str] = set()

    def begin_at(self, path: Path) -> None:
        """Take the mac before a segment from its header, whose own mac is over it."""
        with path.open("rb") as file:
            line = split(file.readline()[:-1])
        try:
            if line is not None:
                self._chain = Chain(self._sign, line.n - 1, bytes.fromhex(line.record()["previous"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            self.report.wrong(f"{path.name}: it does not begin with a header")

    def piece(self, piece: Piece, *, last: bool) -> None:
        """One segment, in its turn."""
        report, kind, at = self.report, "", 0
        for at, raw in enumerate(piece.lines, 1):
            if kind == "seal":
                report.wrong(f"{piece.name}: a record stands after the seal")
            place = f"{piece.name}, line {at}"
            line = split(raw)
            if line is None:
                report.wrong(f"{place}: this is no record")
                continue
            kind = self._line(line, place, piece.number, first=at == 1)
        report.segments += 1
        if at == 0 and not last:
            report.wrong(f"{piece.name}: it is empty")
        elif kind != "seal" and not last:
            report.wrong(f"{piece.name}: its end is missing: it has no seal, and another segment follows")
        if piece.torn:
            report.torn = len(piece.torn)
            if not last or kind == "seal":
                report.wrong(f"{piece.name}: {len(piece.torn)} bytes stand after the last record")

    def _line(self, line: Line, place: str, segment: int, *, first: bool) -> str:
        report, chain = self.report, self._chain
        fits = chain.vouches(line)
        if fits:
            report.fitting += 1
        elif line.n != chain.n + 1:
            report.wrong(f"{place}: record {chain.n + 1} is missing: this is {line.n}")
        else:
            report.wrong(f"{place}: record {line.n} was changed, or does not belong here")
        self._chain = Chain(self._sign, line.n, line.mac)  # so that one break is told once, not for all that follows
        report.records += 1
        report.n, report.mac = line.n, line.mac.hex()
        if line.n in self._macs:
            self._macs[line.n] = report.mac
        try:
            record = line.record()
        except (ValueError, RecursionError):
            report.wrong(f"{place}: this is no JSON")
            return ""
        self._segment(record, place, segment, first=first)
        if fits:
            self._count(record)
        else:
            with suppress(KeyError, TypeError, ValueError):  # whoever changed it may have left out what belongs in it
                self._count({name: value for name, value in record.items() if name != "content"})
        return str(record.get("kind"))

    def _segment(self, record: dict[str, Any], place: str, segment: int, *, first: bool) -> None:
        report = self.report
        if (record.get("kind") == "segment") != first:
            report.wrong(f"{place}: {'a segment begins with its header' if first else 'a header in the middle'}")
        if record.get("kind") != "segment":
            return
        if record.get("segment") != segment:
            report.wrong(f"{place}: this is segment {record.get('segment')}")
        if report.log and record.get("log") != report.log:
            report.wrong(f"{place}: this belongs to another log")
        report.log = report.log or str(record.get("log"))

    def _count(self, record: dict[str, Any]) -> None:
        report, kind = self.report, record.get("kind")
        if "clock_back" in record:
            report.clock_back += 1
        if kind in ("intent", "outcome", "withdrawn"):
            (self._intents.add if kind == "intent" else self._intents.discard)((record["operation"], record["attempt"]))
            if "content" in record:
                self._contents.append((record["operation"], int(record["n"]), record["content"]))
        elif kind == "erased":
            self._erased.add(record["operation"])
        elif kind == "repaired":
            report.repaired += 1
        elif kind == "gap":
            report.lost += int(record["records"])

    def contents(self, read: Any) -> None:
        """Every content is there and unchanged, and its key destroyed where a record says so, and nowhere else."""
        report = self.report
        for operation, n, where in self._contents:
            report.contents += 1
            try:
                data: bytes = read(where)
            except AuditError:
                data = b""
            if len(data) != where["size"] or sha256(data[WRAPPED:]) != where["sha256"]:
                report.wrong(f"the content of record {n} is missing or was changed")
                continue
            destroyed = not any(data[:WRAPPED])
            if not destroyed and sha256(data[:WRAPPED]) != where["key_sha256"]:
                report.wrong(f"the key of the content of record {n} was changed")
            report.erased += destroyed
            if destroyed and operation not in self._erased:
                report.wrong(f"the key of the content of record {n} was destroyed, and no record says so")
            elif operation in self._erased and not destroyed:
                report.wrong(f"record {n} was erased, and the key of its content is still there: erase it again")

    def done(self) -> Report:
        """With the anchors held against what was found."""
        report = self.report
        for anchor in self._anchors:
            n = int(anchor["n"])
            found = self._macs[n]
            if anchor.get("log") != report.log:
                report.wrong(f"the anchor of record {n} belongs to another log")
            elif found is None:
                report.wrong(f"record {n}, which an anchor knows, is not here: the log was cut or rolled back")
            elif found != anchor.get("mac"):
                report.wrong(f"record {n} is another than its anchor says: the log was written anew")
            else:
                report.anchors += 1
        if not report.records and not report.torn:
            report.wrong("there is no record")
        report.open = len(self._intents)
        return report


def records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The records of some lines; what is no record is left out (`verify` names it)."""
    for raw in lines:
        record = record_of(raw)
        if record is not None:
            yield record


def record_of(raw: bytes) -> dict[str, Any] | None:
    """The record of a line, without any proof; None for what nobody can read as one."""
    line = split(raw)
    try:
        record = None if line is None else line.record()
    except (ValueError, RecursionError):
        record = None
    return record if record is not None and _is_readable(record) else None


def _is_readable(record: Mapping[str, Any]) -> bool:
    at, where = record.get("at"), record.get("content", _NOWHERE)
    return (
        isinstance(at, int | float)
        and 0 <= at < _END_OF_TIME
        and type(record.get("kind")) is str
        and type(record.get("operation", "")) is str
        and all(type(record.get(name)) is kind for name, kind in _HOLDS.get(record["kind"], ()))
        and type(record.get("skipped", {})) is dict
        and type(where) is dict
        and all(type(where.get(name)) is int and 0 <= where[name] < 1 << 50 for name in _NOWHERE)
    )
