"""`byollm compare`: a sample of your own through several deployments."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from byollm import Client, Request
from byollm.cli import show
from byollm.cli.arguments import Parser, add_config, config_path
from byollm.cli.faults import Failed, UsageFault
from byollm.cli.pages import check_page, write_page
from byollm.config.llm_config import load_file, resolve_task
from byollm.config.places import shown
from byollm.config.records import LlmConfig
from byollm.config.words import listing, nearest
from byollm.errors import ByollmError
from byollm_compare.agreement import MEASURES, measure_of
from byollm_compare.asking import Answer, Asker, Purse
from byollm_compare.estimate import Estimate, estimate
from byollm_compare.kept import Kept
from byollm_compare.report import Report, report
from byollm_compare.samples import Sample, read_samples
from byollm_compare.text import data, enough, estimated, lines

PAGE: Final = "compare.html"
WORDS: Final = ("task", "tenant", "data_class", "region", "timeout")
Work = dict[str, list[Sample]]


def compare(words: Sequence[str]) -> int:
    """The command: 0 when everything was asked and somebody answered. Raises what `main` tells."""
    options = _parser().read(words)
    limit = _limit(options.max_cost)
    if options.html:
        check_page(options.html)  # before anything is paid for
    samples = read_samples(options.data, _parameters(options), options.limit)
    measure = options.measure or measure_of(samples, options.schema is not None)
    with Client(_without_retries(load_file(config_path(options.config)))) as client:
        names = _names(options, client.config)
        if options.task is not None:
            resolve_task(client.config, options.task)
        said = {word: getattr(options, word) for word in WORDS if getattr(options, word) is not None}
        refused = _refused(client, names, said)
        kept = Kept(options.out) if options.out else None
        earlier = _earlier(client, kept, samples, [name for name in names if name not in refused])
        work, most = _planned(client, samples, names, refused, earlier, limit)
        _agree(options, most, refused, limit)
        asker = Asker(client, said, Purse(limit), _teller(kept, options.json, most.calls), options.concurrency)
        answers = asker.run([(sample, name) for sample in samples for name in work if sample in work[name]])
    if asker.left and not answers and not earlier and not options.json:
        raise _too_little(most, options.max_cost)
    order = {name: at for at, name in enumerate(names)}
    found = report(
        samples, sorted([*earlier, *answers], key=lambda it: order[it.deployment]), measure,
        task=options.task, data=options.data, refused=refused, left=asker.left, earlier=len(earlier),
    )  # fmt: skip
    _show(found, options)
    return 0 if not found.left and any(it.answered for it in found.summaries) else 1


def _parser() -> Parser:
    parser = Parser("compare", "Send a sample through several deployments: cost, time, failures, agreement.")
    add_config(parser)
    parser.add_argument("--data", metavar="FILE", required=True, help='JSON lines: {"prompt": "…", "expected": "…"}')
    parser.add_argument("--task", metavar="NAME", help="the task whose rules hold")
    parser.add_argument("--deployments", metavar="A,B", help="some deployments of the file (default: all of them)")
    for name, text in (("tenant", "whose call it is"), ("data-class", "what the sample holds"),
                       ("region", "where the data must stay")):  # fmt: skip
        parser.add_argument(f"--{name}", metavar="NAME", help=text)
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="for a whole call")
    parser.add_argument("--system", metavar="TEXT", help="the instructions before each question")
    parser.add_argument("--max-tokens", type=_positive, metavar="N", help="the longest answer")
    parser.add_argument("--temperature", type=float, metavar="T")
    parser.add_argument("--schema", metavar="FILE", help="the JSON schema of the answer")
    parser.add_argument("--measure", choices=MEASURES, help="how agreement is measured (default: by what is expected)")
    parser.add_argument("--limit", type=_positive, metavar="N", help="only the first N questions")
    parser.add_argument("--concurrency", type=_positive, default=4, metavar="N", help="calls at once (default 4)")
    parser.add_argument("--max-cost", metavar="AMOUNT", help="the most that may be spent; nothing beyond it is asked")
    parser.add_argument("--yes", action="store_true", help="ask without being asked")
    parser.add_argument("--estimate", action="store_true", help="say what it would cost at most, and stop")
    parser.add_argument("--out", metavar="FILE", help="keep the answers there, and go on from there next time")
    parser.add_argument("--html", metavar="PAGE", nargs="?", const=PAGE, help=f"write a page (default {PAGE})")
    return parser


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 15 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _limit(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise UsageFault("--max-cost is an amount of money", "for example: --max-cost 0.50")
    return found


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in ("system", "max_tokens", "temperature")}
    given["output_schema"] = _schema(options.schema) if options.schema else None
    said = {name: value for name, value in given.items() if value is not None}
    problem = ""
    try:
        Request("hello", **said, stream=True)
    except (ByollmError, TypeError, ValueError) as error:
        problem = str(error).splitlines()[0]
    if problem:
        raise UsageFault(f"no question can be asked like this: {problem}", "byollm compare --help")
    return said


def _schema(path: str) -> Any:
    from byollm.plugin import parse_json

    problem = ""
    try:
        return parse_json(Path(path).read_bytes())
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except ValueError as error:
        problem = str(error).splitlines()[0]
    raise Failed(f"{path}: {problem}", "--schema names a file with a JSON schema")


def _without_retries(config: LlmConfig) -> LlmConfig:
    """One attempt a call: a retry would hide a failure, and make a call cost more than was said."""
    once = {
        name: replace(it, retries=replace(it.retries, attempts=1, total=1)) for name, it in config.deployments.items()
    }
    return replace(config, deployments=once)


def _names(options: argparse.Namespace, config: LlmConfig) -> list[str]:
    """The deployments that are meant. Raises UsageFault for one that is not in the file, and for none."""
    if options.deployments is None:
        return list(config.deployments)
    named = [name.strip() for name in options.deployments.split(",") if name.strip()]
    known = list(config.deployments)
    if not named:
        raise UsageFault("--deployments names none", f"--deployments {','.join(known[:2])}")
    strange = next((name for name in named if name not in config.deployments), None)
    if strange is not None:
        meant = nearest(strange, known)
        told = f"there is no deployment {shown(strange)}; deployments: {listing(known)}"
        raise UsageFault(told, f"--deployments {','.join([meant] if meant else known[:2])}")
    return list(dict.fromkeys(named))


def _refused(client: Client, names: Sequence[str], said: Mapping[str, Any]) -> dict[str, str]:
    """Who may not answer by the rules of the task, the tenant and the data's class, or cannot (no key), and why."""
    words = {word: value for word, value in said.items() if word != "timeout"}
    found: dict[str, str] = {}
    for name in names:
        try:
            (candidate,) = client.explain("hello", deployment=name, stream=True, **words)
        except ByollmError as error:
            if type(error).__name__ == "ConfigError" and error.message.startswith("there is no"):
                raise
            found[name] = error.message.splitlines()[0]
        else:
            if not candidate.kept:
                found[name] = candidate.reason
    return found


def _earlier(client: Client, kept: Kept | None, samples: Sequence[Sample], names: Sequence[str]) -> list[Answer]:
    """What an earlier run answered already, under the names the questions have now."""
    if kept is None:
        return []
    known = {sample.digest: sample.name for sample in samples}
    wanted = []
    for name in names:
        line = client.line(name)
        wanted += [(digest, name, f"{line.provider}/{line.model}") for digest in known]
    return [replace(it, sample=known[it.digest]) for it in kept.matching(wanted)]


def _planned(
    client: Client, samples: Sequence[Sample], names: Sequence[str], refused: dict[str, str],
    earlier: Sequence[Answer], limit: Decimal | None,
) -> tuple[Work, Estimate]:  # fmt: skip
    """What is left to ask, and what it costs at most. With a limit, nobody is asked whose price nobody knows."""
    done = {(it.sample, it.deployment) for it in earlier}
    work: Work = {
        name: [sample for sample in samples if (sample.name, name) not in done] for name in names if name not in refused
    }
    most = estimate({name: client.line(name) for name in work}, work, time.time())
    if limit is None:
        return work, most
    for name in [name for name, it in most.amounts.items() if it is None]:
        refused[name] = "nobody knows its price, and --max-cost is to hold; write `pricing:` beside it"
        del work[name]
    currencies = sorted({it.currency for it in most.amounts.values() if it is not None})
    if len(currencies) > 1:
        raise Failed(
            f"--max-cost cannot hold for {' and '.join(currencies)} together",
            "--deployments names those of one currency",
        )
    return work, estimate({name: client.line(name) for name in work}, work, time.time())


def _agree(options: argparse.Namespace, most: Estimate, refused: dict[str, str], limit: Decimal | None) -> None:
    """Say what it costs at most, and have it agreed to. Raises UsageFault when nobody is there to agree."""
    for line in estimated(most, refused, options.max_tokens is not None):
        show.note(line)
    if options.estimate:
        if options.json:
            show.document({"calls": most.calls, "most": most.amounts, "total": most.total, "refused": refused})
        raise SystemExit(0)
    if not most.calls or options.yes or limit is not None:
        return
    if sys.stdin is not None and sys.stdin.isatty() and not options.json:
        print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
        raise Failed("nothing was asked", "--yes or --max-cost AMOUNT agrees beforehand")
    total = most.total
    amount = f"--max-cost {enough(total)}" if total is not None else "--yes"
    raise UsageFault("asking costs money, and nobody agreed to it", f"{amount} agrees; --estimate only says it")


def _too_little(most: Estimate, limit: str) -> Failed:
    total = most.total
    cost = f"everything costs at most {enough(total)} {most.currency}; " if total is not None else ""
    mend = f"--max-cost {enough(total)} pays for all" if total is not None else "--max-cost names a larger amount"
    return Failed(
        f"nothing was asked: {cost}the first one alone may cost more than --max-cost {limit}",
        f"{mend}; --max-tokens N lowers what an answer may cost",
    )


def _teller(kept: Kept | None, quiet: bool, calls: int) -> Any:
    """What is done with each answer as it comes: it is kept, and on a terminal counted."""
    counting = not quiet and sys.stderr is not None and sys.stderr.isatty()
    done = 0

    def tell(answer: Answer) -> None:
        nonlocal done
        done += 1
        if kept is not None:
            kept.add(answer)
        if counting:
            print(f"\r{done} of {calls}", end="\n" if done == calls else "", file=sys.stderr, flush=True)

    return tell


def _show(found: Report, options: argparse.Namespace) -> None:
    if options.html:
        from byollm_compare.page import page

        write_page(options.html, page(found))
    if options.json:
        show.document({**({"file": options.html} if options.html else {}), **data(found)})
        return
    for line in lines(found):
        show.say(line)
    if options.html:
        show.say(f"{options.html} is written.")
