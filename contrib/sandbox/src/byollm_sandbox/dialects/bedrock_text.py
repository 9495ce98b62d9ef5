"""Titan's text models and Jurassic over InvokeModel, from their published schemas (read 2026-11-21)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.types.parts import Text
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Call, Prompt
from byollm_sandbox.tokens import count_text
from byollm_sandbox.wire import dump

_TITAN_STOPS: Final = re.compile(r"(\|+|User:)")
_TITAN: Final = {"stop": "FINISH", "length": "LENGTH", "content_filter": "CONTENT_FILTERED"}
_JURASSIC: Final = {"stop": "endoftext", "length": "length"}
_PENALTY: Final = {"scale", "applyToWhitespaces", "applyToPunctuations", "applyToNumbers", "applyToStopwords",
                   "applyToEmojis"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `least` to `most`; `whole`: without a fraction."""

    least: float
    most: float
    whole: bool = False

    def holds(self, value: Any) -> bool:
        """Is this such a number?"""
        fits = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        return bool(fits and self.least <= value <= self.most)


_TITAN_NUMBERS: Final = {"maxTokenCount": Range(0, 32_000, True), "temperature": Range(0, 1), "topP": Range(0, 1)}
_JURASSIC_NUMBERS: Final = {
    "maxTokens": Range(0, 8_191, True), "minTokens": Range(0, 8_191, True), "numResults": Range(1, 16, True),
    "temperature": Range(0, 1), "topP": Range(0, 1), "topKReturn": Range(0, 64, True),
}  # fmt: skip


def is_titan(model: str) -> bool:
    """A text model of the Titan family."""
    return "amazon.titan-t" in model


def is_jurassic(model: str) -> bool:
    """AI21's second Jurassic."""
    return "ai21.j2" in model


def problems(body: Mapping[str, Any], model: str) -> Iterator[str]:
    """What is wrong with a body."""
    yield from _titan(body) if is_titan(model) else _jurassic(body)


def _titan(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _extraneous(body, {"inputText", "textGenerationConfig"}, "#")
    if not isinstance(body.get("inputText"), str):
        yield "#: required key [inputText] not found"
    config = body.get("textGenerationConfig", {})
    if not isinstance(config, dict):
        yield "#/textGenerationConfig: expected type: JSONObject"
        return
    yield from _extraneous(config, {*_TITAN_NUMBERS, "stopSequences"}, "#/textGenerationConfig")
    yield from _numbers(config, _TITAN_NUMBERS)
    for at, stop in enumerate(config.get("stopSequences") or ()):
        if not isinstance(stop, str) or not _TITAN_STOPS.fullmatch(stop):
            yield f"#/textGenerationConfig/stopSequences/{at}: string [{stop}] does not match pattern ^(\\|+|User:)$"


def _jurassic(body: Mapping[str, Any]) -> Iterator[str]:
    penalties = ("presencePenalty", "countPenalty", "frequencyPenalty")
    yield from _extraneous(body, {"prompt", "stopSequences", *_JURASSIC_NUMBERS, *penalties}, "#")
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        yield "#: required key [prompt] not found"
    yield from _numbers(body, _JURASSIC_NUMBERS)
    for name in penalties:
        penalty = body.get(name)
        if penalty is not None and (not isinstance(penalty, dict) or penalty.keys() - _PENALTY):
            yield f"#/{name}: a penalty is an object with a scale"
    stops = body.get("stopSequences") or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        yield "#/stopSequences: a list of texts was expected"


def _extraneous(body: Mapping[str, Any], known: set[str], where: str) -> Iterator[str]:
    for name in body.keys() - known:
        yield f"{where}: extraneous key [{name}] is not permitted"


def _numbers(body: Mapping[str, Any], ranges: Mapping[str, Range]) -> Iterator[str]:
    for name, bounds in ranges.items():
        if name in body and not bounds.holds(body[name]):
            yield f"#/{name}: {body[name]!r} is not from {bounds.least:g} to {bounds.most:g}"


def prompt(body: Mapping[str, Any]) -> Prompt:
    """A body as the stand-in model reads it."""
    config = body.get("textGenerationConfig") or body
    return Prompt(
        text=str(body.get("inputText") or body.get("prompt") or ""),
        max_tokens=config.get("maxTokenCount") or config.get("maxTokens"),
        stop=tuple(config.get("stopSequences") or ()),
    )


def document(answer: Answer, call: Call) -> dict[str, Any]:
    """The whole answer."""
    text, usage = _said(answer), _usage(answer, call)
    if is_titan(str(call.body.get("model"))):
        result = {"tokenCount": usage.output_tokens, "outputText": text, "completionReason": _reason(answer, _TITAN)}
        told = {"inputTextTokenCount": usage.input_tokens} if usage.input_tokens is not None else {}
        return {
            **told,
            "results": [{name: value for name, value in result.items() if value is not None}],
            **answer.extra,
        }
    data = {"text": text, "tokens": _tokens(usage.output_tokens)}
    reason = {"reason": _reason(answer, _JURASSIC)}
    asked = {"text": str(call.body.get("prompt") or ""), "tokens": _tokens(usage.input_tokens)}
    return {
        "id": 1234, "prompt": asked, "completions": [{"data": data, "finishReason": reason}], **answer.extra,
    }  # fmt: skip


def stream(answer: Answer, call: Call) -> list[tuple[str, int, str]]:
    """Titan's chunks as JSON, with how much content each brings and its role. Jurassic has none."""
    usage, pieces = _usage(answer, call), answer.cut(_said(answer))
    chunks = [
        (dump({"outputText": piece, "index": 0, "totalOutputTextTokenCount": None, "completionReason": None,
               "inputTextTokenCount": usage.input_tokens if at == 0 else None}), 1, "")
        for at, piece in enumerate(pieces)
    ]  # fmt: skip
    last: dict[str, Any] = {
        "outputText": "", "index": 0, "totalOutputTextTokenCount": usage.output_tokens,
        "completionReason": _reason(answer, _TITAN), "inputTextTokenCount": usage.input_tokens,
    }  # fmt: skip
    if usage != Usage():
        last["amazon-bedrock-invocationMetrics"] = {
            "inputTokenCount": usage.input_tokens, "outputTokenCount": usage.output_tokens,
            "invocationLatency": 512, "firstByteLatency": 128,
        }  # fmt: skip
    return [*chunks, (dump(last), 0, "finish")]


def _said(answer: Answer) -> str:
    for part in answer.parts:
        if not isinstance(part, Text):
            raise TypeError(f"a model that completes texts cannot answer with {type(part).__name__}")
    return answer.text + (answer.refusal or "")


def _reason(answer: Answer, words: Mapping[str, str]) -> str:
    return answer.raw_finish_reason or words.get(answer.finish_reason or "stop", "other")


def _usage(answer: Answer, call: Call) -> Usage:
    if answer.usage is not None:
        return answer.usage
    asked = str(call.body.get("inputText") or call.body.get("prompt") or "")
    return Usage(count_text(asked), count_text(answer.text))


def _tokens(count: int | None) -> list[dict[str, Any]] | None:
    if count is None:
        return None
    return [{"generatedToken": {"token": "\u2581", "logprob": -0.5}, "topTokens": None, "textRange": None}] * count
