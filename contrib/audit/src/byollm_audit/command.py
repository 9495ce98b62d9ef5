"""`byollm audit`: prove the record, look at it, take it away, erase what one operation held."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from byollm.cli import show
from byollm.cli.arguments import Parser, add_config, config_path
from byollm.cli.faults import Failed, UsageFault

if TYPE_CHECKING:
    import argparse

    from byollm_audit.settings import Settings
    from byollm_audit.store import Store

DONE, FAILED = 0, 1
WORDS: Final = ("verify", "show", "export", "anchor", "erase", "new-key")
KINDS: Final = ("segment", "intent", "outcome", "refused", "withdrawn", "erased", "gap", "repaired", "seal")
COLUMNS: Final = (
    "n", "at", "kind", "operation", "attempt", "task", "tenant", "user", "data_class", "deployment", "provider",
    "model", "host", "policy", "outcome", "status", "sent", "billed", "milliseconds", "cost", "currency",
    "request_id", "reply", "prompt",
)  # fmt: skip
"""What stands in a CSV; the rest is in the JSONL."""


def audit(words: Sequence[str]) -> int:
    """The command: 0 done or intact, 1 not intact. Raises what `byollm` tells."""
    word = words[0] if words else "--help"
    if word in ("-h", "--help"):
        print("usage: byollm audit {" + " | ".join(WORDS) + "} [options]")
        print("\nThe record of who asked what, where it went and why. `byollm audit WORD --help` tells more.")
        return DONE
    if word not in WORDS:
        raise UsageFault(f"`byollm audit` has no {word!r}", f"one of {', '.join(WORDS)}")
    command: int = globals()[f"_{word.replace('-', '_')}"](list(words[1:]))
    return command


def _parser(word: str, text: str) -> Parser:
    parser = Parser(f"audit {word}", text)
    add_config(parser)
    parser.add_argument("--path", metavar="PATH", help="the audit's folder or database (default: the file's)")
    parser.add_argument("--key", metavar="REFERENCE", help="file:PATH or env:NAME (default: the file's)")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    """From the words, else from the file's own entry. Raises Failed, UsageFault and ConfigError."""
    from byollm_audit.settings import read

    given: dict[str, Any] = {}
    if options.path is None or options.key is None or getattr(options, "content", False):
        given = _from_file(config_path(options.config))
    for name in ("path", "key"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    return read({**given, "forward": ()})


def _from_file(path: str) -> dict[str, Any]:
    from byollm.config.llm_config import load

    entries = [entry for entry in load(Path(path)).observers if entry.name == "audit"]
    if not entries:
        raise Failed(f"{path} has no audit among its observers", "name it: --path PATH --key file:PATH")
    return dict(entries[0].options)


def _verify(words: list[str]) -> int:
    from byollm_audit.verify import verify

    parser = _parser("verify", "Prove that nothing was changed, left out or moved. Nothing is sent.")
    parser.add_argument("--anchor", metavar="FILE", help="anchors that were kept elsewhere, one a line (- is stdin)")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first segment here; others are archived")
    options = parser.read(words)
    if options.first < 1:
        raise UsageFault(f"there is no segment {options.first}", "they are counted from 1: --first 8")
    settings = _settings(options)
    anchors = _anchors(options.anchor) if options.anchor else []
    report = verify(settings.path.expanduser(), settings.chain_key().derive("chain"), anchors, first=options.first)
    if options.json:
        show.document({"intact": report.intact, **asdict(report)})
        return DONE if report.intact else FAILED
    for problem in report.problems:
        show.say(f"fail {problem}", "fail")
    if report.more:
        show.say(f"and {report.more} more")
    facts = [f"{report.records} records", f"{report.segments} segments", f"log {report.log}", f"head {report.n}"]
    facts += [f"{report.open} intents without an outcome"] if report.open else []
    facts += [f"{report.contents} contents, {report.erased} erased"] if report.contents else []
    facts += [f"{report.lost} records lost and named"] if report.lost else []
    facts += [f"{report.repaired} torn lines repaired"] if report.repaired else []
    facts += [f"{report.torn} bytes of a torn line"] if report.torn else []
    facts += [f"the clock went back {report.clock_back} times"] if report.clock_back else []
    show.say(
        f"{'ok intact' if report.intact else 'fail not intact'}: {', '.join(facts)}", "ok" if report.intact else "fail"
    )
    if report.records and not report.fitting:
        show.note("not one record fits this key: is it the one that they were written with?")
    if report.intact and not anchors:
        show.note("without an anchor nobody can tell whether its end was cut: keep what `byollm audit anchor` prints")
    return DONE if report.intact else FAILED


def _anchors(path: str) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
        if found and all(isinstance(each.get("n"), int) and each.get("mac") for each in found):
            return found
    except (OSError, ValueError, AttributeError):
        pass
    raise Failed(f"{path} holds no anchors", "they are lines that `byollm audit anchor` printed")


def _opened(settings: Settings) -> Store:
    """A record that is there: reading never begins one. Raises AuditStoreError."""
    from byollm_audit.segments import missing, segments
    from byollm_audit.store import path_is_database

    path = settings.path.expanduser()
    if not (path.is_file() if path_is_database(path) else path.is_dir() and segments(path)):
        raise missing(path)
    return settings.open_store()


def _anchor(words: list[str]) -> int:
    options = _parser("anchor", "Print the end of the chain. Keep it where nobody who can write the audit can.").read(
        words
    )
    store = _opened(_settings(options))
    show.document({**store.head(), "at": time.time()}, compact=True)
    store.close()
    return DONE


def _chosen(options: argparse.Namespace, settings: Settings) -> Iterator[dict[str, Any]]:
    from byollm_audit.verify import record_of

    wanted = {name: getattr(options, name) for name in ("operation", "tenant", "task", "kind")}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    kind = wanted.pop("kind", None)
    if kind is not None and kind not in KINDS:
        raise UsageFault(f"no record has the kind {kind!r}", f"one of {', '.join(KINDS)}")
    if options.prompt is not None:
        wanted["prompt"] = _hash_of(options.prompt, settings)
    store = _opened(settings)
    operations: set[str] = set()
    unread = 0
    for raw in store.lines():
        record = record_of(raw)
        if record is None:
            unread += 1
            continue
        plain = all(record.get(name) == value for name, value in wanted.items())
        if plain and wanted and "operation" in record:  # who asked stands in the intent, what became of it after that
            operations.add(record["operation"])
        asked = plain or record.get("operation") in operations
        if asked and kind in (None, record["kind"]) and _within(options, record):
            yield record
    if unread:
        show.note(f"{unread} lines are no records, and are left out: `byollm audit verify` names them")


def _hash_of(prompt: str, settings: Settings) -> str:
    from byollm import user
    from byollm_audit.keys import Mac
    from byollm_audit.records import prompt_hash

    return prompt_hash([user(prompt)], Mac(settings.chain_key().derive("prompt")))


def _within(options: argparse.Namespace, record: dict[str, Any]) -> bool:
    at = record.get("at", 0.0)
    return (options.since is None or at >= options.since) and (options.until is None or at < options.until)


def _choices(parser: Parser) -> None:
    parser.add_argument("--operation", metavar="ID", help="of one call")
    parser.add_argument("--tenant", metavar="NAME", help="of one tenant")
    parser.add_argument("--task", metavar="NAME", help="of one task")
    parser.add_argument("--kind", metavar="KIND", help="intent, outcome, refused, withdrawn, erased, gap, repaired")
    parser.add_argument("--prompt", metavar="TEXT", help="whose prompt was one message with exactly this text")
    parser.add_argument("--since", type=_instant, metavar="TIME", help="ISO 8601, included")
    parser.add_argument("--until", type=_instant, metavar="TIME", help="ISO 8601, not included")


def _instant(text: str) -> float:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None:
        raise UsageFault(f"{text!r} is no time", "for example: 2026-11-01, 2026-11-01T08:00")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _show(words: list[str]) -> int:
    from collections import deque

    parser = _parser("show", "The last records, or those of an operation, tenant or task.")
    _choices(parser)
    parser.add_argument("--last", type=int, default=20, metavar="N", help="how many (default 20)")
    parser.add_argument("--content", action="store_true", help="decrypt what was kept of prompts and answers")
    options = parser.read(words)
    settings = _settings(options)
    if options.last < 1:
        raise UsageFault(f"--last {options.last} shows nothing", "for example: --last 20")
    found = deque(_chosen(options, settings), maxlen=options.last)
    if options.content:
        _decrypt(settings, found)
    if options.json:
        show.document(list(found))
        return DONE
    if not found:
        show.note("no record is like that")
    rows = [[_when(it), *(it.get(name) for name in ("operation", "kind", "tenant", "task")), _what(it)] for it in found]
    for line in show.table(rows, ("time", "operation", "kind", "tenant", "task", "what")):
        show.say(line)
    for record in found:
        if "text" in record.get("content", {}):
            show.say(f"{record['operation']} {record['kind']}: {record['content']['text']}")
    return DONE


def _when(record: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(record.get("at", 0.0), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _what(record: dict[str, Any]) -> str:
    if record["kind"] == "intent":
        why = f" by {record['policy']}" if record.get("policy") else ""
        return f"to {record['deployment']} at {record.get('host') or 'this process'}{why}"
    if record["kind"] == "outcome":
        cost = f", {record['cost']} {record.get('currency') or ''}" if record.get("cost") else ""
        return f"{record['outcome']} from {record['deployment']}{cost.rstrip()}"
    if record["kind"] == "refused":
        return "; ".join(f"{name}: {reason}" for name, reason in record.get("skipped", {}).items()) or record["outcome"]
    told = {name: value for name, value in record.items() if name not in ("n", "at", "kind", "operation", "mac")}
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _decrypt(settings: Settings, found: Sequence[dict[str, Any]] | Any) -> None:
    vault = settings.vault()
    if vault is None:
        raise Failed("the file names no `content:` of the audit", "observers: [{audit: {content: {key: …}}}]")
    store = settings.open_store()
    for record in found:
        if "content" in record:
            bound = f"{record['operation']} {record['attempt']} {record['kind']}"
            data = vault.open(store.content(record["content"]), bound)
            record["content"]["text"] = "erased" if data is None else data.decode("utf-8", "replace")


def _export(words: list[str]) -> int:
    parser = _parser("export", "Every record, or some, as JSONL or CSV on stdout.")
    _choices(parser)
    parser.add_argument("--csv", action="store_true", help="as CSV: the columns that a table can hold")
    options = parser.read(words)
    found = _chosen(options, _settings(options))
    if options.csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(record.get(name)) for name in COLUMNS} for record in found)
    else:
        for record in found:
            show.document(record, compact=True)
    return DONE


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is told to be a text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _erase(words: list[str]) -> int:
    from byollm_audit.records import written
    from byollm_audit.verify import records

    parser = _parser("erase", "Destroy the keys of what was kept of one operation's prompts and answers.")
    parser.add_argument("operation", metavar="OPERATION", help="its id")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="recorded for good: no personal data")
    options = parser.read(words)
    settings = _settings(options)
    store = _opened(settings)
    own = [it for it in records(store.lines()) if it.get("operation") == options.operation and "content" in it]
    if not own:
        raise Failed(f"operation {options.operation!r} has no content here", "byollm audit show --last 100")
    fields = {"kind": "erased", "at": time.time(), "operation": options.operation, "reason": options.reason}
    store.append(written({**fields, "contents": [it["n"] for it in own]}))
    for record in own:
        store.destroy(record["content"])
    store.close()
    if options.json:
        show.document({"operation": options.operation, "erased": len(own)})
    else:
        show.say(f"erased {len(own)} contents of {options.operation}")
    return DONE


def _new_key(words: list[str]) -> int:
    from byollm_audit.keys import new_key

    parser = Parser("audit new-key", "Write a fresh key to a file that only its owner can read.")
    parser.add_argument("file", metavar="FILE", help="it must not exist")
    options = parser.read(words)
    try:
        new_key(Path(options.file))
    except OSError as error:
        problem = error.strerror
    else:
        if options.json:
            show.document({"file": options.file})
        else:
            show.say(f"wrote {options.file}: keep a copy elsewhere, the record cannot be proved without it")
        return DONE
    raise Failed(f"{options.file}: {problem}", "name a file that does not exist, in a folder that does")
