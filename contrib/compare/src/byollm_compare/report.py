"""What the answers show: a summary for each deployment, and which of them can be told apart at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import Any, Final

from byollm_compare.agreement import agreement
from byollm_compare.asking import Answer
from byollm_compare.figures import Interval, Quantiles, Sign, mean, pairs_needed, quantiles, sign
from byollm_compare.samples import Sample

WHATS: Final = ("agreement", "cost", "first", "total", "output")
"""What pairs are told apart by; of the agreement more is better, of all others less."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One deployment. `asked` calls ended, `answered` of them with an answer; `cost` of those whose cost is known.

    Times are milliseconds, `output` tokens (characters where no tokens were told: `characters`). `agreement`: with what
    was expected, else with the other deployments.
    """

    deployment: str
    model: str
    asked: int
    answered: int
    failures: Mapping[str, int]
    cut: int
    cost: Decimal
    priced: int
    currency: str | None
    first: Quantiles
    total: Quantiles
    output: Quantiles
    characters: Quantiles
    agreement: Interval

    @property
    def cost_per_thousand(self) -> Decimal | None:
        """Money for a thousand calls like these; None when no cost is known."""
        return self.cost / self.priced * 1000 if self.priced else None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two deployments by one figure, over the questions that both answered. `better` is the one that did better.

    `needed`: about how many differing questions would tell them apart, None when they are, or when nobody leads.
    """

    what: str
    better: str
    other: str
    sign: Sign
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole comparison. `refused`: deployments that were not asked, and why; `left`: calls that were not made."""

    task: str | None
    data: str
    samples: int
    judged: int
    measure: str
    against: str
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    left: int = 0
    earlier: int = 0


def report(samples: Sequence[Sample], answers: Sequence[Answer], measure: str, **more: Any) -> Report:
    """Summaries and differences; `more` are the other fields of Report."""
    judged = sum(1 for sample in samples if sample.judged)
    by_deployment: dict[str, dict[str, Answer]] = {}
    for answer in answers:
        by_deployment.setdefault(answer.deployment, {})[answer.sample] = answer
    scores = _scores(samples, by_deployment, measure, judged > 0)
    summaries = tuple(
        _summary(name, list(found.values()), list(scores[name].values())) for name, found in by_deployment.items()
    )
    against = "nothing" if measure == "none" else "what was expected" if judged else "the other deployments"
    return Report(
        samples=len(samples), judged=judged, measure=measure, against=against, summaries=summaries,
        differences=tuple(_differences(by_deployment, scores if judged else {})), **more,
    )  # fmt: skip


def _scores(
    samples: Sequence[Sample], found: Mapping[str, Mapping[str, Answer]], measure: str, judged: bool
) -> dict[str, dict[str, float]]:
    """For each deployment and question, from 0 to 1. An answer that failed agrees with nothing that was expected."""
    scores: dict[str, dict[str, float]] = {name: {} for name in found}
    for sample in samples:
        for name, answers in found.items():
            answer = answers.get(sample.name)
            if answer is None or (judged and not sample.judged):
                continue
            if judged:
                score = 0.0 if answer.error else agreement(measure, answer.text, sample.expected)
            else:
                score = _with_others(sample.name, name, found, measure)
            if score is not None:
                scores[name][sample.name] = score
    return scores


def _with_others(question: str, name: str, found: Mapping[str, Mapping[str, Answer]], measure: str) -> float | None:
    """The mean agreement of one answer with the others; None when there is none to compare it with."""
    own = found[name][question]
    others = [
        it[question] for other, it in found.items() if other != name and question in it and not it[question].error
    ]
    if own.error or not others:
        return None
    scores = [agreement(measure, own.text, other.text) for other in others]
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None


def _summary(name: str, answers: Sequence[Answer], scores: Sequence[float]) -> Summary:
    good = [it for it in answers if it.error is None]
    priced = [Decimal(it.cost) for it in answers if it.cost is not None]
    currencies = {it.currency for it in good if it.currency is not None}
    return Summary(
        deployment=name,
        model=answers[0].model,
        asked=len(answers),
        answered=len(good),
        failures=dict(Counter(it.error for it in answers if it.error is not None).most_common()),
        cut=sum(1 for it in good if it.finish == "length"),
        cost=sum(priced, Decimal(0)),
        priced=len(priced),
        currency=currencies.pop() if len(currencies) == 1 else None,
        first=quantiles([it.first for it in good if it.first is not None]),
        total=quantiles([it.total for it in good if it.total is not None]),
        output=quantiles([it.output_tokens for it in good if it.output_tokens is not None]),
        characters=quantiles([len(it.text) for it in good]),
        agreement=mean(scores),
    )


def _differences(
    found: Mapping[str, Mapping[str, Answer]], scores: Mapping[str, Mapping[str, float]]
) -> list[Difference]:
    """Every two deployments, by everything that both have."""
    differences = []
    for one, other in combinations(found, 2):
        for what in WHATS:
            left = scores.get(one, {}) if what == "agreement" else _values(found[one], what)
            right = scores.get(other, {}) if what == "agreement" else _values(found[other], what)
            pairs = [(left[name], right[name]) for name in left if name in right]
            if pairs:
                differences.append(_difference(what, one, other, pairs))
    return differences


def _values(answers: Mapping[str, Answer], what: str) -> dict[str, float]:
    """Less is better: negative, so that more is better everywhere."""
    attribute = "output_tokens" if what == "output" else what
    told = {name: getattr(it, attribute) for name, it in answers.items() if it.error is None}
    return {name: -float(value) for name, value in told.items() if value is not None}


def _difference(what: str, one: str, other: str, pairs: Sequence[tuple[float, float]]) -> Difference:
    found = sign(pairs)
    if found.worse > found.better:
        one, other, found = other, one, Sign(found.worse, found.better, found.chance)
    needed = None if found.told_apart else pairs_needed(found.better, found.worse)
    return Difference(what, one, other, found, needed)
