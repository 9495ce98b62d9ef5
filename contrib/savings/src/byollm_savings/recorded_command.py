"""`byollm savings --usage export.csv` and `--ledger usage.db`: what was used, at each alternative."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from byollm.cli import show
from byollm.cli.arguments import FILES, VARIABLE
from byollm.cli.faults import UsageFault
from byollm.cli.pages import write_page
from byollm_savings.columns import read_columns
from byollm_savings.quotes import quotes_of
from byollm_savings.recorded import Comparison, Sum, compare
from byollm_savings.recorded_rows import OTHERS_HEAD, USED_HEAD, notes, other_rows, ranked, span, used_rows
from byollm_savings.usage import Export

USUAL: Final = (
    "openai/gpt-5.4", "openai/gpt-5-mini", "anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4-5",
    "google/gemini-2.5-pro", "google/gemini-2.5-flash", "mistral/mistral-large-latest",
)  # fmt: skip
"""What is compared with when neither `--baseline` nor a configuration says."""


def run(options: argparse.Namespace) -> int:
    """The command. Raises what `main` tells."""
    for flag in ("set", "write"):
        if getattr(options, flag):
            raise UsageFault(f"--{flag} belongs to --example and --workload", "byollm savings --help")
    quotes = quotes_of(options.prices)
    if options.ledger:
        from byollm_savings.ledger import used

        if options.columns:
            raise UsageFault("--columns belongs to --usage", "the ledger knows its own columns")
        if not options.baseline:
            raise UsageFault("--ledger wants a baseline", "for example: --baseline openai/gpt-5.4")
        found = compare(used(options.ledger), options.baseline, quotes)
        source, empty, read_as = options.ledger, 0, "the ledger"
    else:
        export = Export(options.usage, read_columns(options.columns) if options.columns else None)
        found = compare(export, options.baseline or configured() or USUAL, quotes)
        source, empty, read_as = options.usage, export.empty, export.columns.export
    if options.html:
        from byollm_savings.recorded_page import page

        write_page(options.html, page(source, read_as, found))
    if options.json:
        shown = {"file": options.html} if options.html else {}
        show.document({**shown, "source": source, "read_as": read_as, "empty_lines": empty, **data(found)})
    elif options.html:
        show.say(f"{options.html} is written.")
    else:
        for line in report(source, read_as, empty, found):
            show.say(line)
    return 0


def configured() -> list[str]:
    """The models of the configuration that is here, if there is one. Raises ConfigError when it is wrong."""
    from byollm.config.llm_config import load_file

    path = os.environ.get(VARIABLE) or next((name for name in FILES if os.path.isfile(name)), None)
    if path is None:
        return []
    return list(dict.fromkeys(f"{it.provider}/{it.model}" for it in load_file(path).deployments.values()))


def report(source: str, read_as: str, empty: int, found: Comparison) -> Iterator[str]:
    """The comparison as plain text."""
    if found.first is None or found.last is None:
        yield f"{source} ({read_as}): nothing was used."
        return
    yield f"{source} ({read_as}): {found.total.requests:,} requests, {span(found)}"
    if empty:
        yield f"{empty:,} lines hold times and nothing else"
    yield ""
    yield from _table(USED_HEAD, used_rows(found))
    yield ""
    yield "The same tokens elsewhere, each request at the price of its instant"
    yield from _table(OTHERS_HEAD, other_rows(found))
    yield ""
    yield from notes(found)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    return show.table(
        [[cell if at == 0 else cell.rjust(widths[at]) for at, cell in enumerate(row)] for row in [list(header), *rows]],
        indent="  ",
    )


def data(found: Comparison) -> dict[str, Any]:
    """The comparison for --json; amounts as decimal texts."""
    total = found.total
    return {
        "from": found.first.isoformat() if found.first else None,
        "to": found.last.isoformat() if found.last else None,
        "days": found.days,
        "records": found.records,
        "currency": found.currency,
        "models": {name: _sum(it) for name, it in found.models.items()},
        "total": _sum(total),
        "alternatives": {
            it.model: {
                "cost": f"{it.cost:f}" if it.requests else None,
                "instead_of": f"{it.instead_of:f}" if it.requests else None,
                "saved": f"{it.saved:f}" if it.requests else None,
                "share": None if it.share is None else f"{it.share:.6f}",
                "requests": it.requests,
                "unpriced": it.unpriced,
                "sources": sorted(it.sources),
            }
            for it in ranked(found.alternatives)
        },
    }


def _sum(it: Sum) -> dict[str, Any]:
    known = it.unpriced < it.requests
    return {
        "requests": it.requests, "input_tokens": it.input, "output_tokens": it.output,
        "cost": f"{it.cost:f}" if known else None, "unpriced": it.unpriced,
    }  # fmt: skip
