"""What was used and what it would cost elsewhere, as one page: no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from byollm.types.version import VERSION
from byollm_savings.recorded import Comparison
from byollm_savings.recorded_rows import OTHERS_HEAD, USED_HEAD, notes, other_rows, span, used_rows
from byollm_savings.style import STYLE


def page(source: str, read_as: str, found: Comparison) -> str:
    """The whole document; its numbers are those of the text."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>byollm: what it would have cost</title>",
        f"<style>\n{STYLE}\n</style></head><body>",
        "<h1>What it would have cost</h1>",
        f"<p>{escape(source.rsplit('/', 1)[-1])} ({escape(read_as)}): {found.total.requests:,} requests, "
        f"{escape(span(found))}. byollm {escape(VERSION)}.</p>",
        "<h2>What was used</h2>",
        *_table(USED_HEAD, used_rows(found)),
        "<h2>The same tokens elsewhere</h2>",
        "<p>Each request at the price of its instant.</p>",
        *_table(OTHERS_HEAD, other_rows(found)),
        *(f"<p>{escape(line)}</p>" for line in notes(found)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col"{" class=sum" if number else ""}>{title}</th>' for number, title in enumerate(header)
    )
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for first, *cells in rows:
        told = "".join(
            f'<td class="sum" data-of="{title}">{escape(cell)}</td>'
            for title, cell in zip(header[1:], cells, strict=True)
        )
        yield f'<tr><th scope="row">{escape(first)}</th>{told}</tr>'
    yield "</tbody></table>"
