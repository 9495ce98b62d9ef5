"""CAP: the numbers and words of capabilities."""

from __future__ import annotations

import dataclasses
import math

from byollm.types.capabilities import FEATURES, Capabilities, Support
from byollm.types.request import EFFORTS, Request
from byollm_conformance.checks.capabilities import without_reasoning
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject


@check(
    "CAP-03",
    "MUST",
    "Of a model that nobody knows, window and largest answer are unknown: no number is invented.",
    spec="spec/capabilities.md#3",
)
def unknown_models_are_unknown(subject: Subject, effort: Effort) -> None:
    """Names that no provider has. A server that cuts every prompt at its own window may tell that window."""
    for model in ("no-such-model-4711", "zzz", "x" * 300, "モデル"):
        subject.count()
        found = subject.fresh(model=model).capabilities
        for name in ("context_window", "max_output_tokens"):
            if getattr(found, name) is not None and not (name == "context_window" and found.truncates_silently):
                raise Broken(f"{name} of the unknown model {model!r} is {getattr(found, name)}")


@check(
    "CAP-06",
    "MUST",
    "A value outside a declared range is brought inside it, and the caller is told.",
    spec="spec/capabilities.md#6",
    needs=("wire",),
)
def ranges_hold(subject: Subject, effort: Effort) -> None:
    """Temperature and the most tokens of an answer, beyond their ends; efforts that the model lacks."""
    for one in subject.models:
        can = one.capabilities
        subject.count()
        if can.temperature_range is not None and not can.temperature.refused:
            low, high = can.temperature_range
            for value in (low - 1, high + 1):
                _inside(one, without_reasoning(Request("hi", temperature=value), can), "temperature", low, high)
        if can.max_output_tokens is not None and not can.max_tokens.refused:
            _inside(one, Request("hi", max_tokens=can.max_output_tokens + 1), "max_tokens", 0, can.max_output_tokens)
        for word in EFFORTS:
            _effort(one, word)


def _inside(subject: Subject, request: Request, name: str, low: float, high: float) -> None:
    sent = subject.translate(request)
    value = subject.seen(sent).parameters.get(name)
    if name not in {item.field for item in sent.adjustments}:
        raise Broken(f"{name} is beyond its range, and the caller is not told", request=request, body=sent.body)
    if value is not None and not low <= value <= high:
        raise Broken(f"{name} {value} is sent, outside {low:g} to {high:g}", request=request, body=sent.body)


def _effort(subject: Subject, word: str) -> None:
    accepted = subject.capabilities.reasoning_efforts
    if not accepted or subject.capabilities.reasoning_effort.refused:
        return
    seen = subject.seen(subject.translate(Request("hi", reasoning_effort=word)))
    sent = seen.parameters.get("reasoning_effort")
    if sent is not None and sent not in accepted:
        raise Broken(f"effort {word!r} is sent as {sent!r}, and the model takes {', '.join(accepted)}")


@check(
    "MET-06",
    "MUST",
    "`capabilities` answers with Capabilities that fit the schema: every feature has one of the five states, limits "
    "are positive whole numbers, ranges go upwards, efforts are neutral words from weak to strong.",
    spec="spec/capabilities.md#8",
)
def capabilities_are_well_formed(subject: Subject, effort: Effort) -> None:
    """For each model, and for one that nobody knows."""
    for one in [*subject.models, subject.fresh(model="no-such-model-4711")]:
        subject.count()
        can = one.capabilities
        problem = _problem(can)
        if problem:
            raise Broken(f"capabilities of {one.model}: {problem}")


def _problem(can: Capabilities) -> str:
    for name in FEATURES:
        if not isinstance(getattr(can, name), Support):
            return f"{name} is {getattr(can, name)!r}, and not a Support"
    for name in ("context_window", "max_output_tokens", "default_max_tokens", "stop_limit"):
        value = getattr(can, name)
        if value is not None and (type(value) is not int or value < 1):
            return f"{name} is {value!r}"
    for name in ("temperature_range",):
        bounds = getattr(can, name)
        if bounds is not None and not (len(bounds) == 2 and all(map(math.isfinite, bounds)) and bounds[0] <= bounds[1]):
            return f"{name} is {bounds!r}"
    efforts = can.reasoning_efforts
    if efforts is not None:
        known = [EFFORTS.index(word) for word in efforts if word in EFFORTS]
        if len(known) != len(efforts) or known != sorted(set(known)):
            return f"reasoning_efforts are {efforts!r}"
    unknown = [name for name in can.sources if name not in {item.name for item in dataclasses.fields(can)}]
    return f"sources names {unknown[0]!r}, which is no capability" if unknown else ""
