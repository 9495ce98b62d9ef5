"""USE, RSN-02: tokens are counted one way for every provider, and nothing is made up."""

from __future__ import annotations

from typing import Any, Final

from byollm.errors import ByollmError, ProtocolError
from byollm.types.capabilities import TokenCount
from byollm.types.completion import Completion
from byollm.types.request import Request
from byollm.types.usage import Usage
from byollm.wire.exchange import Exchange, Frame, Head
from byollm_conformance.checks.answers import answered, modes
from byollm_conformance.effort import Effort
from byollm_conformance.generate import documents, holds, only_text, replaced, rewritten
from byollm_conformance.judge import alike, completed, counts, well_formed
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.strategies import usages
from byollm_conformance.subject import Subject
from byollm_conformance.words import says

WIRE: Final = ("wire",)


@check(
    "USE-01",
    "MUST",
    "Input and output tokens are those that the provider told; what it did not tell is None, never 0.",
    spec="spec/counting.md#1",
    needs=WIRE,
)
def told_or_unknown(subject: Subject, effort: Effort) -> None:
    """Counts that differ from each other, and no counts at all."""
    for stream in modes(subject):
        subject.count()
        reply = answered(subject, only_text(usage=Usage(1201, 37)), stream)
        got = (reply.usage.input_tokens, reply.usage.output_tokens)
        alike((1201, 37), got, "the counts were read changed", stream=stream)
        alike(1238, reply.usage.total_tokens, "the total is not the sum", stream=stream)
        silent = counts(answered(subject, only_text(usage=Usage()), stream).usage)
        alike(dict.fromkeys(silent), silent, "counts were made up for an answer that tells none", stream=stream)


@check(
    "USE-02",
    "MUST",
    "Input includes what was read from and written to a cache, output includes reasoning, whichever way the provider "
    "counts.",
    spec="spec/counting.md#2",
    needs=WIRE,
)
def inclusion(subject: Subject, effort: Effort) -> None:
    """What the dialect can tell; the twin writes the vendor's own sums."""

    def test(usage: Usage) -> None:
        for stream in modes(subject):
            rendered = subject.dialect.render(only_text(usage=usage), stream)
            got = counts(completed(subject.read(rendered, stream=stream), body=rendered.body).usage)
            expected = counts(usage)
            known = {name: value for name, value in got.items() if value is not None}
            alike({name: expected[name] or 0 for name in known}, known, "counts were read changed", usage=usage)
            for name in ("input_tokens", "output_tokens"):
                if got[name] is None:
                    raise Broken(f"{name} was told, and is not read", usage=usage, stream=stream)

    test(Usage(1000, 300, 400, 50, 120))
    effort.each(subject, usages(), test, share=0.2)


BAD: Final[tuple[Any, ...]] = (-1, -(10**9), 1.5, "12", "many", True, [3], {"n": 3}, 10**30, -0.5)


@check(
    "USE-03",
    "MUST",
    "A count that is none (negative, broken, a text, beyond reason) is unknown or a ProtocolError, never a figure.",
    spec="spec/counting.md#3",
    needs=WIRE,
)
def bad_counts(subject: Subject, effort: Effort) -> None:
    """In place of each count that the twin writes."""
    usage = Usage(1_000_003, 300_007, 40_009, 5_003, 12_007)
    for stream in modes(subject):
        rendered = subject.dialect.render(only_text(usage=usage), stream)
        full = counts(completed(subject.read(rendered, stream=stream), body=rendered.body).usage)
        figures = {value for value in full.values() if value is not None} | {1_000_003 - 40_009 - 5_003}
        for figure in figures:
            if not any(holds(document, figure) for document in documents(rendered)):
                continue
            for bad in BAD:
                subject.count()
                changed = rewritten(rendered, lambda document, f=figure, b=bad: replaced(document, f, b))  # type: ignore[misc]  # bound now
                outcome = subject.read(changed, stream=stream)
                if isinstance(outcome, Completion):
                    well_formed(outcome, figure=bad, stream=stream)
                    _not_taken(outcome, bad)
                elif not isinstance(outcome, ProtocolError):
                    raise Broken(f"a bad count became {type(outcome).__name__}", count=bad)


def _not_taken(reply: Completion, bad: Any) -> None:
    taken = {name: value for name, value in counts(reply.usage).items() if value in (1, 2, 12, 3, 10**30)}
    if taken:
        raise Broken("a count that is none became a figure", count=bad, got=taken)


@check(
    "RSN-02",
    "MUST",
    "Reasoning tokens are counted once: inside the output, and told apart.",
    spec="spec/counting.md#5",
    needs=("wire", "reasoning"),
)
def reasoning_once(subject: Subject, effort: Effort) -> None:
    """More reasoning than answer, and nothing but reasoning."""
    if not says(subject, only_text(usage=Usage(9, 500, 0, 0, 450)), only_text(usage=Usage(9, 500, 0, 0, 0))):
        raise Unsaid("the dialect does not count reasoning apart")
    for output, thought in ((500, 450), (64, 64), (10, 0)):
        for stream in modes(subject):
            subject.count()
            reply = answered(subject, only_text(usage=Usage(9, output, 0, 0, thought)), stream)
            got = (reply.usage.output_tokens, reply.usage.reasoning_tokens or 0)
            alike((output, thought), got, "reasoning was counted twice, or not at all", stream=stream)


@check(
    "USE-05",
    "SHOULD",
    "A count of tokens is one: at least 1, within its own bounds, larger for a larger prompt; an answer without one is "
    "an error.",
    spec="spec/counting.md#4",
    needs=("wire", "count_tokens"),
)
def token_counts(subject: Subject, effort: Effort) -> None:
    """The plugin's own count, or its reading of the provider's."""
    short, long = (subject.line.deployment.count(Request(text)) for text in ("hi", "hi there " * 500))
    if isinstance(short, TokenCount) and isinstance(long, TokenCount):
        for count in (short, long):
            _bounded(count)
        if short.tokens >= long.tokens:
            raise Broken("a larger prompt does not count more", short=short, long=long)
    elif isinstance(short, Exchange):
        _read_counts(subject, short)


def _bounded(count: TokenCount) -> None:
    low, high = count.lower, count.upper
    if count.tokens < 1 or (low is not None and low > count.tokens) or (high is not None and high < count.tokens):
        raise Broken("a count is outside its own bounds", count=count)


def _read_counts(subject: Subject, exchange: Exchange[TokenCount]) -> None:
    read = exchange.reader(Head(200, {"content-type": "application/json"}))
    answers: tuple[Any, ...] = (
        {"input_tokens": 42},
        {"total_tokens": 42},
        {"totalTokens": 42},
        {},
        {"input_tokens": -1},
        [],
    )
    for document in answers:
        subject.count()
        try:
            found = list(read(Frame("", document)))
        except ByollmError:
            continue
        for count in found:
            _bounded(count)
            if count.tokens != 42:
                raise Broken("an answer without a count became one", document=document, got=count)
