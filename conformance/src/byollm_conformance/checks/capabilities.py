"""CAP: capabilities tell the truth, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.errors import ByollmError, UnsupportedFeatureError
from byollm.types.capabilities import FEATURES, Capabilities, Support
from byollm.types.messages import Message, user
from byollm.types.parts import Text, ToolResult
from byollm.types.request import Request
from byollm.wire.exchange import HttpRequest
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
    if name in subject.lacks:
        raise Broken(f"{name} is declared full, and conformance.yaml says that the server does not take it")
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
    shown = _shown(subject, name, sent.exchange.request)
    if shown is False or (sent.url, sent.headers, sent.body) == (plain.url, plain.headers, plain.body):
        raise Broken(f"{name} is declared full, and is not in the request", request=request, body=sent.body)
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
        request = without_reasoning(request, can)
    if name in ("reasoning", "reasoning_effort", "tools_while_reasoning"):
        efforts = [word for word in can.reasoning_efforts or ("high",) if word != "none"]
        request = request.with_(reasoning_effort=efforts[-1]) if efforts else request
    if name == "service_tier" and can.service_tiers:
        request = request.with_(service_tier=can.service_tiers[-1])
    field, request = HINTS[name][0] if name in HINTS else "", suited(subject, request)
    return field, request if name not in _USUAL else _unusual(name, request), _bare(name, request)


def without_reasoning(request: Request, can: Capabilities) -> Request:
    """The request, told not to reason where the model would."""
    efforts = can.reasoning_efforts or ()
    return request.with_(reasoning_effort="none") if "none" in efforts and can.default_effort != "none" else request


def _unusual(name: str, request: Request) -> Request | None:
    return None if name in ("parallel_tool_calls", "service_tier") else request


_RESET: Final[Mapping[str, dict[str, Any]]] = {
    "streaming": {"stream": False},
    "system": {"system": None},
    "tools": {"tools": None},
    "tool_choice_required": {"tool_choice": None},
    "tool_choice_named": {"tool_choice": None},
    "parallel_tool_calls_off": {"parallel_tool_calls": None},
    "tools_while_reasoning": {"reasoning_effort": None},
    "strict_tools": {"tools": [TOOL]},
    "structured_output": {"output_schema": None},
    "prefill": {"messages": [user("hi")], "prefill": None},
    "logit_bias": {"logit_bias": None},
    "logprobs": {"logprobs": None},
    "store": {"store": None},
    "cache_hints": {"messages": [user(Text("a long text"))]},
    "message_names": {"messages": [user("hi")]},
    **{name: {"messages": [user("look")]} for name in ("images", "image_urls", "documents", "document_urls", "audio")},
}
"""Capability → what to change in its request so that the feature is not in it."""


def _bare(name: str, request: Request) -> Request:
    """The request without the feature."""
    if name in _RESET:
        return request.with_(**_RESET[name])
    if name in ("tool_error_flag", "tool_result_media"):
        *others, results = request.messages
        plain = [ToolResult(part.id, (Text("no"),)) for part in results.parts if isinstance(part, ToolResult)]
        return request.with_(messages=[*others, Message("tool", tuple(plain))])
    return request.with_(**{HINTS[name][0]: None})


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
            if one.support(name) is Support.unsupported and name not in {*_UNASKED, *one.lacks}:
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
    sent = asked.request
    made = Translation(sent.method, sent.url, sent.headers, sent.body, (), request, asked)
    if not _shown(subject, name, sent) or subject.rejected(made) is not None:
        return
    raise Broken(
        f"{name} is declared unsupported, and the translator writes it when it is handed such a request",
        request=request,
        body=asked.request.body,
    )


def _shown(subject: Subject, name: str, sent: HttpRequest) -> bool | None:
    """Does the other end see the feature? None where only a comparison can tell."""
    headers = {key.lower(): value for key, value in sent.headers}
    seen = subject.dialect.read_request(sent.method, sent.url, headers, sent.body)
    kinds = {type(part).__name__ for turn in seen.messages for part in turn.parts}
    shown = {
        "tools": bool(seen.tools),
        "structured_output": seen.output_schema is not None,
        "images": "Image" in kinds,
        "image_urls": "Image" in kinds,
        "documents": "Document" in kinds,
        "document_urls": "Document" in kinds,
        "audio": "Audio" in kinds,
        "streaming": seen.stream,
        "system": bool(seen.system),
    }
    return shown.get(name)
