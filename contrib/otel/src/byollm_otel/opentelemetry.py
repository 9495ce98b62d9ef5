"""Spans and metrics through OpenTelemetry's API: whatever provider the program set up gets them, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from byollm_otel import names
from byollm_otel.attempts import Names, Place

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from byollm.plugin import Call
    from byollm.types.completion import Attempt, Completion

    Attributes = dict[str, AttributeValue]

SCOPE = "byollm"


class Recorder:
    """One span an attempt; its duration, first chunk and tokens as metrics."""

    def __init__(self, conventions: names.Conventions, *, spans: bool = True, measures: bool = True) -> None:
        self._names = conventions
        self._models = Names()
        self._tracer = trace.get_tracer(SCOPE) if spans else None
        self._measures = _Measures(conventions) if measures else None

    def started(self, call: Call, place: Place) -> Span | None:
        """The span of an attempt, begun; its parent is the span that is current where the call runs."""
        if self._tracer is None:
            return None
        span = self._tracer.start_span(f"{names.CHAT} {place.model}", kind=SpanKind.CLIENT, attributes=_common(place))
        if span.is_recording():
            span.set_attributes(_asked(call))
        return span

    def finished(self, call: Call, attempt: Attempt, place: Place, span: Span | None) -> None:
        """End the span, and record the numbers."""
        answer = call.answer if attempt.error is None else None
        if span is not None:
            if span.is_recording():
                span.set_attributes(self._answered(attempt, answer))
                if attempt.error is not None:
                    span.set_status(Status(StatusCode.ERROR, type(attempt.error).__name__))
            span.end()
        if self._measures is not None:
            common = {key: value for key, value in _common(place).items() if not key.startswith("byollm.")}
            if answer is not None and answer.model:
                common[names.RESPONSE_MODEL] = self._models.bounded(answer.model)
            if attempt.error is not None:
                common[names.ERROR_TYPE] = type(attempt.error).__name__
            self._measures.record(attempt, common)

    def refused(self, task: str, kind: str) -> None:
        """Nobody may answer: counted by the reason's class."""
        if self._measures is not None:
            self._measures.refused.add(1, {names.ERROR_TYPE: kind, "byollm.task": task})

    def _answered(self, attempt: Attempt, answer: Completion | None) -> Attributes:
        told: dict[str, Any] = {"byollm.billed": attempt.billed, "byollm.sent": attempt.sent}
        usage = attempt.usage
        if usage is not None:
            told[names.INPUT_TOKENS], told[names.OUTPUT_TOKENS] = usage.input_tokens, usage.output_tokens
            told[names.CACHE_READ], told[self._names.cache_write] = usage.cached_tokens, usage.cache_write_tokens
            told[names.REASONING_TOKENS] = usage.reasoning_tokens
        if attempt.cost is not None:
            told["byollm.cost"], told["byollm.cost.currency"] = float(attempt.cost), attempt.currency
        if attempt.first_milliseconds is not None:
            told[names.FIRST_CHUNK] = attempt.first_milliseconds / 1000
        if attempt.request_id is not None:
            told["byollm.request_id"] = attempt.request_id
        if attempt.status is not None:
            told["http.response.status_code"] = attempt.status
        if answer is not None:
            told[names.RESPONSE_ID], told[names.RESPONSE_MODEL] = answer.id, answer.model
            told[names.FINISH_REASONS] = (answer.finish_reason,) if answer.finish_reason else None
        if attempt.error is not None:
            told[names.ERROR_TYPE] = type(attempt.error).__name__
        return {name: value for name, value in told.items() if value is not None}


class _Measures:
    def __init__(self, conventions: names.Conventions) -> None:
        meter = metrics.get_meter(SCOPE)

        def seconds(name: str, words: str) -> metrics.Histogram:
            return meter.create_histogram(name, "s", words, explicit_bucket_boundaries_advisory=names.SECONDS)

        def tokens(name: str) -> metrics.Histogram:
            borders = [float(border) for border in names.TOKENS]
            words = "Tokens of one operation"
            return meter.create_histogram(name, "{token}", words, explicit_bucket_boundaries_advisory=borders)

        self._duration = seconds(conventions.duration, "Time that an attempt took")
        self._first = seconds(conventions.first_chunk, "Time until a stream's first content")
        self._usage = tokens(conventions.token_usage) if conventions.token_usage else None
        self._histograms = {field: tokens(name) for field, name in conventions.histograms.items()}
        self._counters = {
            field: meter.create_counter(name, "{token}", "Tokens that were used")
            for field, name in conventions.counters.items()
        }
        self.refused = meter.create_counter("byollm.refused", "{call}", "Calls that nobody might answer")

    def record(self, attempt: Attempt, common: Attributes) -> None:
        self._duration.record(attempt.milliseconds / 1000, common)
        if attempt.first_milliseconds is not None:
            self._first.record(attempt.first_milliseconds / 1000, common)
        usage = attempt.usage
        if usage is None:
            return
        for instruments in (self._counters, self._histograms):
            for field, instrument in instruments.items():
                count = getattr(usage, field)
                if count is not None and count >= 0:
                    (instrument.add if isinstance(instrument, metrics.Counter) else instrument.record)(count, common)
        if self._usage is not None:
            for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                if count is not None and count >= 0:
                    self._usage.record(count, {**common, names.TOKEN_TYPE: kind})


def _common(place: Place) -> Attributes:
    told: Attributes = {
        names.OPERATION: names.CHAT,
        names.PROVIDER: names.PROVIDERS.get(place.provider, place.provider),
        names.REQUEST_MODEL: place.model,
        "byollm.deployment": place.deployment,
    }
    if place.address is not None:
        told[names.SERVER_ADDRESS] = place.address
        if place.port is not None:
            told[names.SERVER_PORT] = place.port
    return told


def _asked(call: Call) -> Attributes:
    told: dict[str, Any] = {
        "byollm.operation": call.id,
        "byollm.attempt": len(call.attempts) + 1,
        "byollm.task": call.task,
        "byollm.policy": call.policy,
        "byollm.adjustments": tuple(it.field for it in call.adjustments) or None,
        names.STREAM: True if call.stream else None,
    }
    request = call.request
    if request is not None:
        for field, name in names.PARAMETERS.items():
            told[name] = getattr(request, field)
        told[names.OUTPUT_TYPE] = "json" if request.output_schema is not None else None
        told[names.CHOICES] = request.n if request.n != 1 else None
    return {name: value for name, value in told.items() if value is not None}
