"""`byollm savings decide`: is bringing your own for you? The guide's framework, with reasons."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from byollm.cli import show
from byollm.cli.arguments import Parser, add_config
from byollm.cli.faults import UsageFault
from byollm_savings.decide import QUESTIONS, Decision, Fact, Question
from byollm_savings.decide import decide as decided
from byollm_savings.known import from_config, from_ledger

_WORDS = {"yes": True, "y": True, "no": False, "n": False}
_MARKS = {True: "holds", False: "does not", None: "unknown"}


def decide(words: Sequence[str]) -> int:
    """The command. Raises what `main` tells."""
    options = _parser().read(words)
    facts = {**from_config(options.config), **(from_ledger(options.ledger) if options.ledger else {})}
    facts |= _said(options)
    if not options.json and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        facts |= _asked([question for question in QUESTIONS if question.name not in facts])
    found = decided(facts)
    if options.json:
        show.document(found)
    else:
        for line in text(found):
            show.say(line)
    return 0


def _parser() -> Parser:
    parser = Parser(
        "savings decide",
        "Hold the guide's nine sentences against what is known: what is said here, what the configuration says, what "
        "the ledger counted. What nobody knows is asked on a terminal, and is unknown elsewhere.",
    )
    add_config(parser)
    parser.add_argument("--ledger", metavar="FILE", help="what byollm-ledger recorded: counts the operations")
    for question in QUESTIONS:
        flag, _, value = question.flag.partition(" ")
        parser.add_argument(flag, metavar=value.upper(), help=question.text)
    return parser


def _said(options: argparse.Namespace) -> dict[str, Fact]:
    facts = {}
    for question in QUESTIONS:
        written = getattr(options, question.name)
        if written is not None:
            fact = read(question, written, "you say so")
            if fact is None:
                wanted = "a whole number of at least 0" if question.number else "yes or no"
                raise UsageFault(f"{question.flag.split()[0]} is answered with {wanted}", question.text)
            facts[question.name] = fact
    return facts


def read(question: Question, written: str, because: str) -> Fact | None:
    """An answer in words; None for what is none."""
    word = written.strip().lower().replace(",", "")
    if question.number:
        return Fact(int(word), because) if word.isascii() and word.isdigit() and len(word) < 16 else None
    return Fact(_WORDS[word], because) if word in _WORDS else None


def _asked(questions: Sequence[Question]) -> dict[str, Fact]:
    facts = {}
    for question in questions:
        print(
            f"{question.text} [{'a number' if question.number else 'y/n'}, Enter: I do not know] ", end="", flush=True
        )
        fact = read(question, sys.stdin.readline(), "you say so")
        if fact is not None:
            facts[question.name] = fact
    return facts


def text(found: Decision) -> list[str]:
    """The decision in plain lines."""
    lines = []
    for side, title in (("for", "Bringing your own is right for you if"), ("against", "Consider alternatives if")):
        lines.append(title)
        rows = [
            (_MARKS[it.holds], it.says, it.because + (f": {', '.join(it.ask)}" if it.ask else ""))
            for it in found.sentences
            if it.side == side
        ]
        lines += show.table(rows, indent="  ")
        lines.append("")
    return [*lines, f"{found.answer}: {found.because}."]
