"""`byollm explain`: every candidate of a call, in the order it would be asked, kept or dropped, and why."""

from __future__ import annotations

from collections.abc import Sequence

from byollm.cli import show
from byollm.cli.arguments import Parser, add_choice, choice_of, client_for


def run(words: Sequence[str]) -> int:
    """The command: 0 when somebody may be asked, 1 when nobody may. Raises what `main` tells."""
    parser = Parser("explain", "Tell who would be asked now, in which order, and why. Nothing is sent.")
    parser.add_argument("text", nargs="?", metavar="TEXT", default="", help="the prompt: its size decides about prices")
    add_choice(parser)
    parser.add_argument("--tenant", metavar="NAME", help="whose call it is")
    parser.add_argument("--region", metavar="NAME", help="where the caller is, or where the data must stay")
    parser.add_argument("--data-class", metavar="NAME", help="what the prompt holds")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="the caller's limit for the answer")
    parser.add_argument("--defer", type=float, metavar="SECONDS", help="how long the answer may take: a cheaper hour")
    parser.add_argument("--batch", action="store_true", default=None, help="it may come from a batch, which is cheaper")
    options = parser.read(words)
    given = {
        name: getattr(options, name) for name in ("tenant", "region", "data_class", "max_tokens", "defer", "batch")
    }
    given = {name: value for name, value in given.items() if value is not None}
    with client_for(options) as client:
        found = client.explain(options.text, **given, **choice_of(options))
    if options.json:
        show.document([show.plain(candidate) for candidate in found])
    else:
        for candidate in found:
            show.say(str(candidate))
    if any(candidate.kept for candidate in found):
        return 0
    show.note("nobody would be asked: `byollm doctor` shows what each deployment lacks")
    return 1
