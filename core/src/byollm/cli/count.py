"""`byollm count`: the tokens of exactly the request that `complete` would send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from byollm.cli import show
from byollm.cli.arguments import Parser, add_choice, choice_of, client_for, text_of

if TYPE_CHECKING:
    from byollm.types.capabilities import TokenCount


def run(words: Sequence[str]) -> int:
    """The command. Raises what `main` tells."""
    parser = Parser("count", "Count the tokens of a prompt, by the provider where it can count.")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the prompt; - or nothing reads stdin")
    add_choice(parser)
    parser.add_argument("--system", metavar="TEXT", help="text put before the prompt")
    parser.add_argument("--offline", action="store_true", help="byollm's own bounds only: no key, no network")
    options = parser.read(words)
    choice = choice_of(options)
    given: dict[str, Any] = {} if options.system is None else {"system": options.system}
    with client_for(options) as client:
        text = text_of(options.text, "count")
        if options.offline:
            from byollm.providers.counting import estimate
            from byollm.types.request import Request

            count = estimate(Request(text, **given), client.capabilities(**choice).vocabulary)
        else:
            count = client.count_tokens(text, **given, **choice)
        window = client.capabilities(**choice).context_window
    if options.json:
        show.document({**show.plain(count), "context_window": window})
    else:
        show.say(told(count, window))
    return 0


def told(count: TokenCount, window: int | None) -> str:
    """`12 tokens (estimate, 5 to 18 by …), 0.1 % of the window of 200000`."""
    worth = count.exactness.replace("_", " ")
    if count.exactness != "exact" and (count.lower is not None or count.upper is not None):
        least = 0 if count.lower is None else count.lower
        worth += f", {least} to {count.upper}" if count.upper is not None else f", at least {least}"
    source = f" by {count.source}" if count.source else ""
    share = f", {100 * count.tokens / window:.1f} % of the window of {window}" if window else ""
    return f"{count.tokens} tokens ({worth}{source}){share}"
