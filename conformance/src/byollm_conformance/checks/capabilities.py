"""CAP: capabilities tell the truth, in both directions."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Final

from byollm.errors import ByollmError, UnsupportedFeatureError
from byollm.types.capabilities import FEATURES, Capabilities, Support
from byollm.types.messages import user
from byollm.types.parts import Text
from byollm.types.request import EFFORTS, Request
from byollm_conformance.effort import Effort
from byollm_conformance.mirror import CONTRACTS, HINTS, TOOL, prove, suited
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject, Translation

_UNASKED: Final = ("provider_tools", "citations", "n")
"""Nothing neutral can be said that would show them."""
_USUAL: Final = ("parallel_tool_calls", "service_tier", "tool_choice_required", "system")
"""What may be said by saying nothing more."""


@check(
    "CAP-01",
    "MUST",
    "What is declared full works on the wire: it is taken, it is written, and the other end takes it.",
    spec="spec/capabilities.md#1",
    needs=("wire",),
)
def full_means_full(subject: Subject, effort: Effort) -> None:
    """Each declared feature in turn: the request differs from one without it, and the twin accepts it."""
    for one in subject.models:
        for name in FEATURES:
            if one.support(name) is Support.full and name not in _UNASKED:
                subject.count()
                _works(one, name)


def _works(subject: Subject, name: str) -> None:
    if name == "count_tokens":
        if subject.line.deployment.count(Request("hi")) is None:
            raise Broken("count_tokens is declared full, and the plugin does not count")
        return
    field, request, bare = _asked(subject, name)
    if request is None:
        return
    try:
        sent = subject.translate(request)
    except UnsupportedFeatureError as error:
        raise Broken(f"{name} is declared full and refused: {error.message}", request=request) from None
    told = [item.field for item in sent.adjustments]
    if field in told:
        raise Broken(
            f"{name} is declared full, and {field} is left out", request=request, adjustments=str(sent.adjustments[0])
        )
    plain = subject.translate(bare)
    if (sent.url, sent.headers, sent.body) == (plain.url, plain.headers, plain.body):
        raise Broken(
            f"{name} is declared full, and makes no difference to the request", request=request, body=sent.body
        )
    refused = subject.rejected(sent)
    if refused is not None and subject.rejected(plain) is None:
        raise Broken(f"{name} is declared full, and the provider refuses it: {refused.message}", body=sent.body)


def _asked(subject: Subject, name: str) -> tuple[str, Request | None, Request]:
    """The Adjustment's field, a request with the feature, and the same request without it."""
    can = subject.capabilities
    made = CONTRACTS.get(name) or (HINTS[name][1] if name in HINTS else None)
    if made is None:
        return "", None, Request("hi")
    request = made(subject)
    if name in ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty"):
        request = _without_reasoning(request, can)
    if name in ("reasoning", "reasoning_effort", "tools_while_reasoning"):
        efforts = [word for word in can.reasoning_efforts or ("high",) if word != "none"]
        request = request.with_(reasoning_effort=efforts[-1]) if efforts else request
    if name == "service_tier" and can.service_tiers:
        request = request.with_(service_tier=can.service_tiers[-1])
    field, request = HINTS[name][0] if name in HINTS else "", suited(subject, request)
    return field, request if name not in _USUAL else _unusual(name, request), _bare(name, request)


def _without_reasoning(request: Request, can: Capabilities) -> Request:
    efforts = can.reasoning_efforts or ()
    return request.with_(reasoning_effort="none") if "none" in efforts and can.default_effort != "none" else request


def _unusual(name: str, request: Request) -> Request | None:
    return None if name in ("parallel_tool_calls", "service_tier") else request


def _bare(name: str, request: Request) -> Request:
    """The request without the feature: one parameter back to its default, or the plain question."""
    if name in HINTS and HINTS[name][0] in {item.name for item in dataclasses.fields(request)}:
        return request.with_(**{HINTS[name][0]: None})
    if name == "cache_hints":
        return Request([user(Text("a long text"))])
    if name in ("tool_choice_required", "tool_choice_named"):
        return request.with_(tool_choice=None)
    if name == "parallel_tool_calls_off":
        return request.with_(parallel_tool_calls=None)
    if name == "strict_tools":
        return request.with_(tools=[TOOL])
    return Request("hello")


@check(
    "CAP-02",
    "MUST",
    "Asked twice for the same model and target, `capabilities` gives equal answers.",
    spec="spec/capabilities.md#2",
)
def capabilities_are_pure(subject: Subject, effort: Effort) -> None:
    """Several deployments of the same target, with another model's in between."""
    for one in subject.models:
        first = one.fresh().capabilities
        _ = one.fresh(model="another-model").capabilities
        second = one.fresh().capabilities
        subject.count(2)
        if first != second:
            differing = [name for name in FEATURES if getattr(first, name) != getattr(second, name)]
            raise Broken("the same question had two answers", model=one.model, differing=differing)


@check(
    "CAP-03",
    "MUST",
    "Of a model that nobody knows, window and largest answer are unknown: no number is invented.",
    spec="spec/capabilities.md#3",
)
def unknown_models_are_unknown(subject: Subject, effort: Effort) -> None:
    """Names that no provider has."""
    for model in ("no-such-model-4711", "zzz", "x" * 300, "モデル"):
        subject.count()
        found = subject.fresh(model=model).capabilities
        for name in ("context_window", "max_output_tokens"):
            if getattr(found, name) is not None:
                raise Broken(f"{name} of the unknown model {model!r} is {getattr(found, name)}")


@check(
    "CAP-04",
    "MUST",
    "A feature that is declared unsupported is refused, or left out and told, before any byte is sent.",
    spec="spec/capabilities.md#4",
)
def unsupported_is_refused(subject: Subject, effort: Effort) -> None:
    """Every unsupported feature in turn."""
    for one in subject.models:
        for name in FEATURES:
            if one.support(name) is Support.unsupported:
                subject.count()
                prove(one, name)


@check(
    "CAP-05",
    "MUST",
    "Every parameter that was set is on the wire, or the caller is told what became of it; under `on_unsupported: "
    "strict` a call that would lose one is refused.",
    spec="spec/capabilities.md#5",
    needs=("wire",),
)
def nothing_is_lost_in_silence(subject: Subject, effort: Effort) -> None:
    """Any mixture of parameters."""
    from byollm_conformance.strategies import NUMBERS, requests

    strict = subject.fresh(keys={**subject.keys, "on_unsupported": "strict"})

    def told(request: Request) -> None:
        sent = subject.translate(request)
        adjusted = {item.field for item in sent.adjustments}
        _said(subject, request, sent, adjusted, list(NUMBERS))
        if adjusted:
            _refuses(strict, request, adjusted)

    effort.each(subject, requests(subject), told, share=0.5)


def _said(subject: Subject, request: Request, sent: Translation, adjusted: set[str], names: list[str]) -> None:
    seen = subject.seen(sent)
    for name in names:
        value = getattr(request, name)
        if value is None or name in seen.parameters or name in adjusted:
            continue
        if name == "reasoning_effort" and (value == "none" or "reasoning_budget" in seen.parameters):
            continue
        if name in ("temperature", "top_p") and value == 1:
            continue  # the default, said aloud
        raise Broken(f"{name} was set, is not on the wire, and the caller is not told", request=request, body=sent.body)


def _refuses(strict: Subject, request: Request, adjusted: set[str]) -> None:
    try:
        strict.translate(request)
    except UnsupportedFeatureError:
        return
    raise Broken(f"on_unsupported: strict lets {', '.join(sorted(adjusted))} be lost", request=request)


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
                _inside(one, _without_reasoning(Request("hi", temperature=value), can), "temperature", low, high)
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
    "CAP-08",
    "MUST",
    "What a plugin declares unsupported and is a contract, its translator does not write either, where the other end "
    "would take it.",
    spec="spec/capabilities.md#7",
    needs=("wire",),
)
def no_understatement(subject: Subject, effort: Effort) -> None:
    """The translator is handed such a request without the core's `fit()` before it."""
    for one in subject.models:
        for name, made in CONTRACTS.items():
            if one.support(name) is Support.unsupported and name not in _UNASKED:
                subject.count()
                _writes_not(one, name, made(one))


def _writes_not(subject: Subject, name: str, request: Request) -> None:
    deployment = subject.line.deployment
    try:
        asked: Any = deployment.exchange(request)
        plain: Any = deployment.exchange(_bare(name, request))
    except ByollmError:
        return  # the translator refuses it too
    if asked.request.body == plain.request.body and asked.request.url == plain.request.url:
        return
    if not _shows(subject, name, asked.request):
        return
    raise Broken(
        f"{name} is declared unsupported, and the translator writes it when it is handed such a request",
        request=request,
        body=asked.request.body,
    )


def _shows(subject: Subject, name: str, sent: Any) -> bool:
    """Is the feature itself on the wire, and would the other end take it?"""
    headers = {key.lower(): value for key, value in sent.headers}
    seen = subject.dialect.read_request(sent.method, sent.url, headers, sent.body)
    kinds = {type(part).__name__ for turn in seen.messages for part in turn.parts}
    shown = {
        "tools": bool(seen.tools),
        "structured_output": seen.output_schema is not None,
        "images": "Image" in kinds,
        "documents": "Document" in kinds,
        "audio": "Audio" in kinds,
        "streaming": seen.stream,
        "system": bool(seen.system),
    }
    if not shown.get(name, False):
        return False
    import json

    return subject.dialect.validate(json.loads(sent.body), headers) is None


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
