"""`byollm usage`: what was used and spent; `usage export`, `usage reconcile`."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from byollm.cli import show
from byollm.cli.arguments import FILES, VARIABLE, Parser
from byollm.cli.faults import Failed, UsageFault
from byollm_ledger.address import resolved
from byollm_ledger.cells import zone_of
from byollm_ledger.journal import Folder
from byollm_ledger.observer import journal_folder
from byollm_ledger.reading import opened, unsettled
from byollm_ledger.report import DIMENSIONS, SHOWN, report

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from byollm_ledger.store import Store

ENVIRONMENT: Final = "BYOLLM_LEDGER"
"""The environment variable that names the ledger when neither `--ledger` nor the configuration does."""
WORDS: Final = ("show", "export", "reconcile")
_AGO: Final = re.compile(r"(\d+)([hdw])")
_ORDINAL: Final = re.compile(r"[0-9]{1,9}")
_SECONDS: Final = {"h": 3600, "d": 86_400, "w": 604_800}


def usage(arguments: Sequence[str]) -> int:
    """The command. 0 done; raises what `main` tells."""
    words = list(arguments)
    what = words.pop(0) if words and not words[0].startswith("-") else "show"
    if what not in WORDS:
        raise UsageFault(f"`byollm usage` has no {what!r}", f"one of {', '.join(WORDS)}, or none of them")
    options = _parser(what).read(words)
    zone = zone_of(options.timezone)
    options.ledger = ledger_of(options)
    with opened(options.ledger, options.journals) as store:
        since, until = _instant(options.since, zone), _instant(options.until, zone)
        if since is not None and until is not None and since >= until:
            raise UsageFault("--since is not before --until", "for example: --since 2026-11-01 --until 2026-12-01")
        if what == "export":
            from byollm_ledger.export import export

            return export(store, options, since, until)
        if what == "reconcile":
            return _reconcile(store, options, since, until)
        return _show(store, options, zone, since, until)


def _parser(what: str) -> Parser:
    told = {
        "show": "What was used and spent. `byollm usage export` writes the rows, `byollm usage reconcile` lists what "
        "nobody knows the cost of.",
        "export": "The rows as JSON lines or CSV.",
        "reconcile": "The attempts that nobody knows the cost of; --settle says what became of one.",
    }
    parser = Parser("usage" if what == "show" else f"usage {what}", told[what])
    parser.add_argument(
        "--ledger",
        metavar="PATH",
        help=f"the ledger (default: the configuration's, else ${ENVIRONMENT}, else usage.db)",
    )
    parser.add_argument("--journals", metavar="FOLDER", help="its journals, where the configuration names them")
    parser.add_argument(
        "--config", metavar="FILE", help=f"the configuration (default: ${VARIABLE}, else {FILES[0]} here)"
    )
    parser.add_argument("--since", metavar="WHEN", help="a day, an instant, or 12h, 30d, 4w ago")
    parser.add_argument("--until", metavar="WHEN", help="the same; what begins then is not counted")
    parser.add_argument("--timezone", metavar="NAME", default="UTC", help="whose days and months (default UTC)")
    if what == "show":
        parser.add_argument(
            "--by", metavar="NAMES", action="append", help=f"{', '.join(DIMENSIONS)}; task,provider for both"
        )
        parser.add_argument("--exact", action="store_true", help="count the rows themselves, not the rollups")
        parser.add_argument("--html", metavar="FILE", help="write one page that needs nothing else")
    elif what == "export":
        parser.add_argument("--format", choices=("jsonl", "csv"), help="default: by the name of --output, else jsonl")
        parser.add_argument("--output", metavar="FILE", help="default: standard output")
    else:
        parser.add_argument("--settle", metavar="CALL:ATTEMPT", help="as the list names it")
        parser.add_argument("--billed", choices=("yes", "no"), help="with --settle")
        parser.add_argument("--cost", metavar="AMOUNT", help="with --billed yes")
        parser.add_argument("--currency", metavar="CODE", help="with --cost")
    return parser


def ledger_of(options: argparse.Namespace) -> str:
    """The ledger that is meant. Raises Failed when nobody names one that is there."""
    if options.ledger:
        return str(options.ledger)
    config = config_of(options)
    if config is not None:
        from byollm.config.llm_config import load

        entry = next((entry for entry in load(Path(config)).observers if entry.name == "ledger"), None)
        if entry is not None:
            if options.journals is None and "journals" in entry.options:
                options.journals = str(entry.options["journals"])
            return str(entry.options.get("path", "usage.db"))
    if os.environ.get(ENVIRONMENT):
        return os.environ[ENVIRONMENT]
    if Path("usage.db").is_file():
        return "usage.db"
    raise Failed(
        "no ledger is named, and there is no usage.db in this folder",
        "observers: [{name: ledger, path: usage.db}] books every call; --ledger PATH names another",
    )


def config_of(options: argparse.Namespace) -> str | None:
    """The configuration, where there is one."""
    named = options.config or os.environ.get(VARIABLE)
    return named or next((name for name in FILES if Path(name).is_file()), None)


def _instant(text: str | None, zone: ZoneInfo) -> float | None:
    if text is None:
        return None
    try:
        if ago := _AGO.fullmatch(text):
            moment = time.time() - int(ago[1]) * _SECONDS[ago[2]]
            datetime.fromtimestamp(moment, zone)  # nothing that a calendar cannot show
            return moment
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise UsageFault(f"{text!r} is no time", "for example: 2026-11-01, 2026-11-01T08:00, 30d")


def _by(words: Sequence[str] | None) -> list[tuple[str, ...]]:
    found = [tuple(part.strip() for part in word.split(",")) for word in words or ()]
    for names in found:
        for name in names:
            if name not in DIMENSIONS:
                raise UsageFault(f"--by knows no {name!r}", f"it knows {', '.join(DIMENSIONS)}")
    return found or [(name,) for name in SHOWN]


def _show(store: Store, options: argparse.Namespace, zone: ZoneInfo, since: float | None, until: float | None) -> int:
    config = config_of(options)
    found = report(
        store,
        since=since,
        until=until,
        zone=zone,
        by=_by(options.by),
        exact=options.exact,
        config=None if config is None else Path(config),
        waiting=Folder(Path(journal_folder(resolved(options.ledger), options.journals))).waiting(),
    )
    if options.html:
        from byollm.cli.pages import write_page
        from byollm_ledger.page import page

        write_page(options.html, page(show.plain(found)))
        show.note(f"written to {options.html}")
    if options.json:
        show.document(found)
    elif not options.html:
        from byollm_ledger.text import lines

        for line in lines(show.plain(found)):
            show.say(line)
    return 0


def _reconcile(store: Store, options: argparse.Namespace, since: float | None, until: float | None) -> int:
    if options.settle:
        return _settle(store, options)
    given = next((name for name in ("billed", "cost", "currency") if getattr(options, name) is not None), None)
    if given is not None:
        raise UsageFault(f"--{given} goes with --settle", "byollm usage reconcile lists what can be settled")
    rows = list(unsettled(store, since, until))
    if options.json:
        show.document([{"attempt": f"{row.call}:{row.ordinal}", **show.plain(row)} for row in rows])
        return 0
    if not rows:
        show.say("Everything is certain: every attempt was billed at a known amount, or not at all.")
        return 0
    header = ("attempt", "began (UTC)", "deployment", "billed", "why", "may cost at most", "request")
    body = [
        (
            f"{row.call}:{row.ordinal}",
            datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            f"{row.deployment} ({row.provider}/{row.model})",
            row.billed,
            row.error or row.problem or "no price is known",
            f"{row.possible} {row.currency}" if row.possible is not None else "unknown",
            row.request_id or "",
        )
        for row in rows
    ]
    for line in show.table(body, header):
        show.say(line)
    show.say()
    show.say("byollm usage reconcile --settle ATTEMPT --billed no, or --billed yes --cost 0.0123 --currency USD")
    return 0


def _settle(store: Store, options: argparse.Namespace) -> int:
    from decimal import Decimal, InvalidOperation

    from byollm_ledger.reading import settle
    from byollm_ledger.row import to_pico

    call, _, ordinal = options.settle.partition(":")
    if not _ORDINAL.fullmatch(ordinal) or options.billed is None:
        raise UsageFault("--settle wants CALL:ATTEMPT and --billed yes or no", "byollm usage reconcile lists them")
    try:
        cost = None if options.cost is None else Decimal(options.cost)
    except InvalidOperation:
        cost = Decimal(-1)
    if cost is not None and to_pico(cost) is None:
        raise UsageFault(f"--cost {options.cost} is no amount", "--cost 0.0123 --currency USD")
    if (options.billed == "yes") != (cost is not None and bool(options.currency)) or (
        options.billed == "no" and options.currency
    ):
        raise UsageFault(
            "--billed yes goes with --cost and --currency, --billed no without", "--cost 0.0123 --currency USD"
        )
    settle(store, call, int(ordinal), billed=options.billed, cost=cost, currency=options.currency)
    if options.json:
        show.document({"settled": options.settle, "billed": options.billed})
    else:
        show.say(f"{options.settle} is settled")
    sys.stdout.flush()
    return 0
