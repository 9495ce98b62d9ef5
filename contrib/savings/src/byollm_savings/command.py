"""`byollm savings`: what the words on the command line start."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from byollm.cli.arguments import Parser
from byollm.cli.faults import Failed, UsageFault

PAGE: Final = "savings.html"


def savings(words: Sequence[str]) -> int:
    """The command. Raises what `main` tells."""
    if words and words[0] == "decide":
        from byollm_savings.decide_command import decide

        return decide(words[1:])
    options = _parser().read(words)
    problem = ""
    try:
        return _run(options)
    except ValueError as error:
        from byollm.errors import ByollmError

        if isinstance(error, ByollmError):
            raise
        problem = str(error)
    raise Failed(problem, "byollm savings --help")


def _parser() -> Parser:
    parser = Parser(
        "savings", "Price a workload, an exported usage or the ledger at every alternative. Nothing is sent."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--example", choices=["guide"], help="the guide's own figures, computed from workload files")
    what.add_argument("--workload", metavar="FILE", action="append", help="a workload file of your own")
    what.add_argument("--usage", metavar="FILE", help="a vendor's exported usage (CSV)")
    what.add_argument("--ledger", metavar="FILE", help="what byollm-ledger recorded")
    parser.add_argument("--columns", metavar="FILE", help="with --usage: a file that says which column holds what")
    parser.add_argument("--baseline", metavar="PROVIDER/MODEL", action="append", default=[],
                        help="with --ledger and --usage: what it is compared with (several times)")  # fmt: skip
    parser.add_argument(
        "--prices", metavar="FILE", action="append", default=[], help="a price file in place of the shipped one"
    )
    parser.add_argument(
        "--set", metavar="NAME=NUMBER", action="append", default=[], help="change a number of the workload"
    )
    parser.add_argument(
        "--write", metavar="FOLDER", help="with --example: write the workload files there, to be changed"
    )
    parser.add_argument(
        "--html", metavar="PAGE", nargs="?", const=PAGE, help=f"write a calculator page (default {PAGE})"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.usage or options.ledger:
        from byollm_savings import recorded_command

        return recorded_command.run(options)
    for flag in ("columns", "baseline"):
        if getattr(options, flag):
            raise UsageFault(f"--{flag} belongs to --usage or --ledger", "byollm savings --help")
    if not options.example and not options.workload:
        raise UsageFault(
            "there is nothing to be priced",
            "byollm savings --example guide | --workload FILE | --usage export.csv | --ledger usage.db | decide",
        )
    from byollm_savings import workload_command

    return workload_command.run(options)
