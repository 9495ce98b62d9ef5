"""`byollm conform NAME`: 0 conformant, 1 not, 2 wrong usage or the suite's own error."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from byollm.cli import show as cli
from byollm.cli.faults import UsageFault, lines_of
from byollm.cli.pages import unwritable
from byollm.errors import ByollmError
from byollm_conformance import checks, show
from byollm_conformance.certificate import certificate
from byollm_conformance.effort import SEED, Effort
from byollm_conformance.expected import judge, read_expected
from byollm_conformance.runner import Plan, Runner, selected
from byollm_conformance.targets import FILE, Reference, Settings, find, packaged, settings_of

DONE, NOT, WRONG = 0, 1, 2
_CODES = {"conformant": DONE, "partial": DONE, "expected-failures": DONE, "not-conformant": NOT, "suite-error": WRONG}


def conform(arguments: list[str]) -> int:
    """Run the suite on plugins that are installed, offline and without keys."""
    try:
        return _conform(_parser().parse_args(arguments))
    except (UsageFault, ByollmError) as error:
        cli.complain(lines_of(error) if isinstance(error, ByollmError) else [error.message, f"  {error.hint}"])
        return WRONG


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise UsageFault(message, "byollm conform --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="byollm conform", description=conform.__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a provider, a distribution, or module:object")
    parser.add_argument("--layer", choices=("L0", "L1"), help="L0: packaging and hygiene; L1: the translator")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="STR-07, or a whole area: STR")
    parser.add_argument("--list", action="store_true", help="show the checks and stop")
    parser.add_argument("--explain", metavar="ID", help="tell one check and stop")
    parser.add_argument("--api", help="only this API of the plugin")
    parser.add_argument("--model", help="ask for this model instead of the one in conformance.yaml")
    parser.add_argument("--seed", type=int, default=SEED, help="of all chance")
    parser.add_argument("--max-examples", type=int, default=200, metavar="N", help="for each property (default 200)")
    parser.add_argument("--exchanges", metavar="DIR", help="recorded exchanges")
    parser.add_argument("--wire", metavar="MODULE:OBJECT", help="the other end of a dialect that nobody knows")
    parser.add_argument("--expected", metavar="FILE", help=f"expected failures (default: the plugin's own {FILE})")
    parser.add_argument("--json", metavar="FILE", help="write the certificate (- for standard output)")
    parser.add_argument("--patience", type=float, default=60.0, metavar="SECONDS", help="for one check (default 60)")
    parser.add_argument("--all", action="store_true", help="show the checks that pass, too")
    return parser


def _conform(options: argparse.Namespace) -> int:
    registry = checks.load()
    if options.explain is not None:
        if options.explain not in registry:
            raise UsageFault(f"there is no check {options.explain!r}", "byollm conform --list shows them all")
        print("\n".join(show.explanation(registry[options.explain])))
        return DONE
    ids = _selected(options)
    if options.list:
        print("\n".join(show.listing([registry[id] for id in ids])))
        return DONE
    if not options.names:
        raise UsageFault("which plugin?", "byollm conform NAME; byollm providers lists what is installed")
    if options.max_examples < 1:
        raise UsageFault("--max-examples is at least 1", "the usual number is 200")
    problem = unwritable(options.json) if options.json and options.json != "-" else ""
    if problem:  # before minutes are spent
        raise UsageFault(f"{options.json} cannot be written: {problem}", "name another file")
    outcomes = [_one(name, ids, options) for name in options.names]
    documents = [document for document, _ in outcomes]
    if options.json:
        _write(documents[0] if len(documents) == 1 else documents, options.json)
    return max(code for _, code in outcomes)


def _selected(options: argparse.Namespace) -> list[str]:
    try:
        ids = selected(options.only, options.layer)
    except KeyError as error:
        unknown = error.args[0]
    else:
        if ids:
            return ids
        unknown = " ".join(options.only)
    raise UsageFault(f"there is no check {unknown!r}", "byollm conform --list shows them all")


def _one(name: str, ids: Sequence[str], options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    reference = find(name)
    settings = _settings(reference, options.expected)
    expected = read_expected(settings.expected, settings.file or FILE)
    effort = Effort(options.max_examples, options.seed)
    plan = Plan(
        reference,
        settings,
        ids,
        effort,
        model=options.model,
        api=options.api,
        exchanges=options.exchanges,
        wire=options.wire,
        patience=options.patience,
    )
    report = Runner(plan).run()
    registry = checks.load()
    judged = judge(report.results, expected, datetime.date.today())
    document = certificate(report, judged, expected, registry, effort)
    out = sys.stderr if options.json == "-" else sys.stdout
    for line, kind in show.report_lines(report, document, registry, effort, every=options.all):
        word, space, rest = cli.clean(line).partition(" ")
        print(cli.paint(word, kind, out) + space + rest, file=out)
    return document, _CODES[document["result"]]


def _settings(reference: Reference, expected: str | None) -> Settings:
    """The plugin's own file; `--expected` names another one for its expected failures."""
    path = packaged(reference)
    settings = settings_of(path) if path else Settings()
    if expected is None:
        return settings
    other = settings_of(Path(expected))
    return Settings({**settings.apis, **other.apis}, other.expected, other.file)


def _write(document: Any, file: str) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as error:
        raise UsageFault(f"{file} cannot be written: {error.strerror}", "name another file") from None
