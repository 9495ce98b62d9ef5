"""`byollm prices`: what the price files say of a seller or a model on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from byollm.cli import show
from byollm.cli.arguments import Parser
from byollm.cli.faults import Failed, UsageFault
from byollm_prices.listing import Asked, Listed, find, instant, lines, models, nearest, plain, seller_of, sellers
from byollm_prices.rows import TIERS
from byollm_prices.source import index, shipped

HEADER = ("seller", "model", "when", "input", "cached", "output", "more", "", "valid")


def prices(words: Sequence[str]) -> int:
    """The command. Raises UsageFault and Failed; PriceFileError when a file is broken."""
    parser = Parser("prices", "The bundled price list: per million tokens, each row with its source and validity.")
    parser.add_argument(
        "model", nargs="?", metavar="[PROVIDER/]MODEL", help="a model, or a provider; none: all sellers"
    )
    parser.add_argument("--at", metavar="DATE", help="a day or an instant, e.g. 2026-10-12 (default: now)")
    parser.add_argument("--always", action="store_true", help="rows of all times")
    parser.add_argument("--tier", choices=TIERS, help="only this tier")
    parser.add_argument("--batch", action="store_true", help="only batch prices")
    parser.add_argument("--region", metavar="NAME", help="as processed there, with what that adds")
    parser.add_argument("--input-tokens", type=int, metavar="N", help="only rows for prompts of that size")
    options = parser.read(words)
    asked = _asked(options)
    if options.model is None:
        return _sellers(options.json)
    found = _found(options.model, asked)
    if options.json:
        at = asked.at.isoformat() if asked.at else None
        show.document({"at": at, "rows": [plain(listed) for listed in found]})
    else:
        _print(found)
    return 0


def _asked(options: Any) -> Asked:
    if options.at is not None and options.always:
        raise UsageFault("--at and --always exclude each other", "--always lists the rows of all times")
    if options.input_tokens is not None and options.input_tokens < 0:
        raise UsageFault("--input-tokens is a number of tokens", "for example: --input-tokens 200000")
    at = None if options.always else _instant(options.at)
    return Asked(at, options.tier, options.batch or None, options.region, options.input_tokens)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return instant(text)
    except ValueError:
        pass
    raise UsageFault("--at is a day or an instant with its offset", "for example: --at 2026-10-12")


def _found(named: str, asked: Asked) -> list[Listed]:
    """Raises Failed for a name that nobody lists, with the nearest that somebody does."""
    first, slash, rest = named.partition("/")
    seller = seller_of(first)
    if seller is not None and not slash:
        table = shipped(seller)
        return models(table, asked) if table is not None else []
    model, place = (rest, seller) if seller is not None else (named, None)
    found = find(model, place, asked)
    if found:
        return found
    names = [] if slash else get_close_matches(named.lower(), index()["sellers"], n=1, cutoff=0.8)
    close = names or nearest(model, place) or nearest(model, None)
    hint = f"did you mean {' or '.join(close)}?" if close else f"sellers: {', '.join(index()['sellers'])}"
    where = f" at {seller}" if place else ""
    raise Failed("no price is known for this model" + where, f"{hint} A price of your own: `pricing:` in the file")


def _sellers(as_json: bool) -> int:
    told = [
        {
            "seller": name,
            "title": title,
            "models": len(table.models),
            "rows": sum(len(model.rows) for model in table.models),
            "taken": table.taken,
        }
        for name, title, table in sellers()
    ]
    if as_json:
        show.document({"sellers": told})
        return 0
    for line in show.table([list(item.values()) for item in told], ("seller", "", "models", "rows", "taken")):
        show.say(line)
    return 0


def _print(found: Sequence[Listed]) -> None:
    for line in show.table(lines(found), HEADER):
        show.say(line)
    if all(listed.row is None for listed in found):
        show.say("unknown: it is listed, and its price is not by tokens or nobody told it then. Unknown is not free.")
        return
    show.say("per million tokens (web_search: per thousand searches)")
    for source in dict.fromkeys(listed.row.source for listed in found if listed.row is not None):
        show.say(f"source: {source}")
    for taken in sorted({listed.taken for listed in found}):
        show.say(f"taken over on {taken}")
