"""Answers of InvokeModel: whichever family wrote them, told by their own words; streamed, each in a chunk of base64.

A chunk may hold the numbers of the invocation (`amazon-bedrock-invocationMetrics`), beside an event or alone.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Event,
    Finished,
    FinishReason,
    Frame,
    Head,
    ProtocolError,
    Started,
    TextDelta,
    Usage,
    UsageReported,
    checked,
    parse_json,
)
from byollm_anthropic import dialect as claude
from byollm_bedrock.failure import hidden, raised
from byollm_bedrock.reader import ConverseReader
from byollm_bedrock.state import INVOKE, Home

METRICS: Final = "amazon-bedrock-invocationMetrics"
_HEADERS: Final = ("x-amzn-bedrock-input-token-count", "x-amzn-bedrock-output-token-count")
REASONS: Final[dict[str, FinishReason]] = {
    **dict.fromkeys(("finish", "finished", "complete", "endoftext", "stop", "stop_sequence", "end_turn"), "stop"),
    "stop_criteria_met": "stop",
    "length": "length",
    "max_tokens": "length",
    "error": "error",
    "error_toxic": "content_filter",
    "content_filtered": "content_filter",
    "tool_calls": "tool_calls",
}
"""Each family's word for its ending, in lower case; everything else is `other`."""
_CONVERSE: Final = frozenset(
    {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
)

Reader = Callable[[Frame], list[Event]]


class InvokeReader:
    """Reads one answer, frame by frame. The first document tells the family. Made anew for each response."""

    __slots__ = ("_head", "_host", "_metrics", "_names", "_reader")

    def __init__(self, head: Head, host: claude.Host, names: Mapping[str, str]) -> None:
        self._head = head
        self._host = host
        self._names = names
        self._metrics: dict[str, Any] = {}
        self._reader: Reader | None = None

    def __call__(self, frame: Frame) -> list[Event]:
        """The events of one frame. Raises the provider's error when it is one, ProtocolError when it is broken."""
        headers = frame.headers
        data = checked.mapping(frame.data, "a frame of the answer")
        if headers is not None and headers.get(":message-type") in ("exception", "error"):
            raise raised(frame.event, {"message": headers.get(":error-message"), **data})
        if not frame.event and len(data) == 1 and next(iter(data)).endswith("Exception"):
            name, inner = next(iter(data.items()))
            raise raised(name, inner)
        document = _unpacked(data) if "bytes" in data else data
        if document is None or (headers is not None and frame.event not in ("chunk", "")):
            return []
        metrics = document.get(METRICS)
        if metrics is not None:
            self._metrics.update(checked.mapping(metrics, METRICS))
        if self._reader is None:
            error = hidden(self._head.headers, document)
            if error is not None:
                raise error
            if document.keys() <= {METRICS}:
                return []  # some streams begin with one that has nothing but numbers
            self._reader = self._told(document)
        return self._reader(Frame("", {name: value for name, value in document.items() if name != METRICS}))

    def _told(self, document: Mapping[str, Any]) -> Reader:
        if "type" in document and document["type"] != "completion":
            return claude.reader_for(self._host, self._names)(self._head)
        if "output" in document or not _CONVERSE.isdisjoint(document):
            return ConverseReader(self._head, self._names, Home(INVOKE))
        return TextReader(self._head, self._metrics)


class TextReader:
    """Reads the answer of a family that completes a text."""

    __slots__ = ("_finished", "_head", "_metrics", "_started", "_usage")

    def __init__(self, head: Head, metrics: Mapping[str, Any]) -> None:
        self._head = head
        self._metrics = metrics
        self._started = False
        self._finished = False
        self._usage: dict[str, int | None] = {}

    def __call__(self, frame: Frame) -> list[Event]:
        """The events of one document. Raises ProtocolError for one of no family."""
        data: Mapping[str, Any] = frame.data
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(
                Started(checked.optional_text(data.get("id") if isinstance(data.get("id"), str) else None, "id"))
            )
        found = _completion(data)
        if found is None and data:
            raise ProtocolError("the answer is none of a family that InvokeModel knows")
        piece, raw, counts = found if found is not None else ("", None, ())
        if piece:
            events.append(TextDelta(0, piece))
        self._count(counts)
        if raw is not None and not self._finished:
            self._finished = True
            events.append(Finished(REASONS.get(raw.lower(), "other"), raw))
        usage = Usage(self._usage.get("input"), self._usage.get("output"))
        return [*events, UsageReported(usage)] if usage != Usage() and self._finished else events

    def _count(self, counts: tuple[Any, ...]) -> None:
        """A header's count, then the body's own, then the invocation's."""
        for name, header, told, metric in zip(
            ("input", "output"), _HEADERS, (*counts, None, None), ("inputTokenCount", "outputTokenCount"), strict=False
        ):
            stated = self._head.headers.get(header)
            known = int(stated) if stated is not None and stated.isascii() and stated.isdigit() else None
            for value in (known, checked.tokens(told, name), checked.tokens(self._metrics.get(metric), metric)):
                if value is not None:
                    self._usage[name] = value


Found = tuple[str, str | None, tuple[Any, ...]]


def _completion(data: Mapping[str, Any]) -> Found | None:
    """Text, the word for its ending, and the two counts of a document; None when it is of no family."""
    for shape in (_titan, _jurassic, _flat, _listed):
        found = shape(data)
        if found is not None:
            return found
    return None


def _titan(data: Mapping[str, Any]) -> Found | None:
    if "results" in data:
        result = _first(data["results"], "results")
        counts = (data.get("inputTextTokenCount"), result.get("tokenCount"))
    elif "outputText" in data:
        result = data
        counts = (data.get("inputTextTokenCount"), data.get("totalOutputTextTokenCount"))
    else:
        return None
    return (
        checked.text(result.get("outputText"), "outputText"),
        checked.optional_text(result.get("completionReason"), "reason"),
        counts,
    )


def _jurassic(data: Mapping[str, Any]) -> Found | None:
    if "completions" not in data:
        return None
    completion = _first(data["completions"], "completions")
    inner = checked.mapping(completion.get("data"), "data")
    prompt = data.get("prompt")
    lists = (prompt.get("tokens") if isinstance(prompt, Mapping) else None, inner.get("tokens"))
    counts = tuple(len(item) if isinstance(item, list) else None for item in lists)
    reason = checked.mapping(completion.get("finishReason") or {}, "finishReason").get("reason")
    return checked.text(inner.get("text"), "text"), checked.optional_text(reason, "reason"), counts


def _flat(data: Mapping[str, Any]) -> Found | None:
    """Llama, Command R and Claude before it took messages: the text and its ending stand side by side."""
    for word, ending, counted in (
        ("generation", "stop_reason", ("prompt_token_count", "generation_token_count")),
        ("completion", "stop_reason", ()),
        ("text", "finish_reason", ()),
    ):
        if word in data:
            raw = checked.optional_text(data.get(ending), ending)
            return checked.text(data[word], word), raw, tuple(data.get(name) for name in counted)
    return (
        ("", checked.optional_text(data.get("finish_reason"), "finish_reason"), ()) if "is_finished" in data else None
    )


def _listed(data: Mapping[str, Any]) -> Found | None:
    """Command, Mistral, and what an imported model's own server says."""
    for word, ending in (("generations", "finish_reason"), ("outputs", "stop_reason"), ("choices", "finish_reason")):
        if word not in data:
            continue
        item = _first(data[word], word)
        told = data.get("usage")
        usage = checked.mapping(told, "usage") if told is not None else {}
        counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
        return checked.text(item.get("text"), "text"), checked.optional_text(item.get(ending), ending), counts
    return None


def _first(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, list) or len(value) != 1:
        raise ProtocolError(f"{what} does not hold one answer")
    return checked.mapping(value[0], what)


def _unpacked(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    packed = data["bytes"]
    if not isinstance(packed, str):
        raise ProtocolError("a chunk holds no bytes")
    try:
        document = parse_json(base64.b64decode(packed, validate=True))
    except (binascii.Error, ValueError):
        document = None
    if document is None:
        raise ProtocolError("a chunk is not JSON in base64")
    return checked.mapping(document, "a chunk")
