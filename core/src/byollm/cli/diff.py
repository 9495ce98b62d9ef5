"""`byollm diff OLD NEW`: what a change of the configuration changes for somebody who has to agree to it."""

from __future__ import annotations

from collections.abc import Sequence

from byollm.cli import show
from byollm.cli.arguments import Parser

_COLOURS = {"+": "ok", "-": "fail", "~": "warn"}


def run(words: Sequence[str]) -> int:
    """The command; with `--exit-code`, 1 when something changed. Raises what `main` tells."""
    from pathlib import Path

    from byollm.cli.policy import reach
    from byollm.config.llm_config import load
    from byollm.routing.changes import changes
    from byollm.routing.findings import reach_of

    parser = Parser(
        "diff", "Tell what changes: hosts, keys (by reference), rules, regions, models, prices. No key is read."
    )
    parser.add_argument("old", metavar="OLD", help="the configuration as it was")
    parser.add_argument("new", metavar="NEW", help="the configuration as it will be")
    parser.add_argument("--exit-code", action="store_true", help="1 when something changed")
    options = parser.read(words)
    old, new = load(Path(options.old)), load(Path(options.new))
    hosts = []
    for config in (old, new):
        told = reach(config)
        hosts.append({label: reach_of(entry, told) for label, entry in config.deployments.items()})
    found = changes(old, new, *hosts)
    if options.json:
        show.document({"old": options.old, "new": options.new, "changes": found})
    else:
        for change in found:
            show.say(str(change), _COLOURS[str(change)[0]])
        if not found:
            show.say("nothing changes for hosts, keys, rules, regions, models, tasks or prices")
    return 1 if found and options.exit_code else 0
