"""Answers: a whole document, a stream of chunks, or a list of them, read by the same rules into the same events.

There is no end marker but `finishReason`, or `blockReason` where the prompt was refused. Both may be followed by more
chunks (usage, grounding, even text), so `Finished` is said again after anything that follows it: the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Audio,
    Event,
    Finished,
    Frame,
    Image,
    PartAdded,
    ProtocolError,
    ReasoningDelta,
    Started,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    checked,
    dump_json,
)
from byollm_google.citations import citations
from byollm_google.failure import raised
from byollm_google.finish import neutral, told
from byollm_google.host import Host
from byollm_google.names import minted
from byollm_google.partial import PartialCall
from byollm_google.usage import neutral_usage

_BESIDE: Final = ("finishMessage", "continuationToken", "groundingMetadata", "urlContextMetadata", "citationMetadata")
_KNOWN: Final = frozenset({"candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"})
_TEXT, _THOUGHT, _CLOSED = "text", "thought", ""


class ContentReader:
    """Reads one answer, frame by frame. Made anew for each response."""

    __slots__ = (
        "_beside", "_blocked", "_called", "_cited", "_growing", "_host", "_id", "_names", "_next", "_open", "_raw",
        "_started", "_texts", "_usage",
    )  # fmt: skip

    def __init__(self, host: Host, names: Mapping[str, str]) -> None:
        self._host = host
        self._names = names
        self._started = False
        self._id: str | None = None
        self._next = 0
        self._open = _CLOSED
        self._called = False
        self._growing: PartialCall | None = None
        self._blocked = False
        self._raw: str | None = None
        self._usage: dict[str, Any] = {}
        self._beside: dict[str, Any] = {}
        self._texts: list[str] = []
        self._cited: set[Any] = set()

    def __call__(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame. Raises the provider's error when it is one, ProtocolError when it is broken."""
        data = frame.data
        if type(data) is list:  # a stream that was not asked for as events is one JSON array
            return (event for item in data for event in self._chunk(item))  # what stands before an error is kept
        return self._chunk(data)

    def _chunk(self, data: Any) -> list[Event]:
        if type(data) is not dict:
            raise ProtocolError("the answer holds a frame that is not an object")
        if data.get("error") is not None:
            raise raised(data)
        if _KNOWN.isdisjoint(data):
            if not self._started:
                raise ProtocolError("the answer is no GenerateContentResponse")
            return []
        events: list[Event] = []
        if not self._started:
            self._started = True
            self._id = checked.optional_text(data.get("responseId"), "responseId")
            events.append(Started(self._id, checked.optional_text(data.get("modelVersion"), "modelVersion")))
        before = len(events)
        ended = self._candidates(data, events)
        ended = self._feedback(data.get("promptFeedback"), bool(data.get("candidates"))) or ended
        changed = len(events) > before
        self._report(data.get("usageMetadata"), events)
        if self._raw is not None and (ended or changed):
            self._cite(events)
            reason = "content_filter" if self._blocked else neutral(self._raw, self._called)
            events.append(Finished(reason, self._raw))
        return events

    def _candidates(self, data: Mapping[str, Any], events: list[Event]) -> bool:
        found = data.get("candidates")
        if found is None:
            return False
        if not isinstance(found, list):
            raise ProtocolError("candidates is not a list")
        ended = False
        for candidate in found:
            wire = checked.mapping(candidate, "a candidate")
            if len(found) > 1 or wire.get("index") not in (None, 0):
                raise ProtocolError("the answer has more than one candidate")
            content = wire.get("content")
            parts = checked.mapping(content, "content").get("parts") if content is not None else None
            if parts is not None and not isinstance(parts, list):
                raise ProtocolError("content.parts is not a list")
            for part in parts or ():
                self._part(checked.mapping(part, "a part"), events)
            for name in _BESIDE:
                if wire.get(name) is not None:
                    self._beside[name] = wire[name]
                    ended = ended or name in ("groundingMetadata", "citationMetadata")
            raw = told(wire.get("finishReason"), "finishReason")
            if raw is not None:
                self._grown(events)  # cut off
                self._raw, self._blocked, ended = raw, False, True
        return ended

    def _feedback(self, feedback: Any, answered: bool) -> bool:
        """A refused prompt: no candidate, and the reason in `promptFeedback`."""
        if feedback is None:
            return False
        wire = checked.mapping(feedback, "promptFeedback")
        reason = told(wire.get("blockReason"), "blockReason")
        if reason is None:
            return False
        self._beside["promptFeedback"] = dict(wire)
        if answered and self._raw is not None:
            return False
        self._raw = reason
        self._blocked = True
        return True

    def _part(self, part: Mapping[str, Any], events: list[Event]) -> None:
        if part.get("functionCall") is not None:
            self._call(part, checked.mapping(part["functionCall"], "functionCall"), events)
        elif part.get("inlineData") is not None:
            self._media(part, checked.mapping(part["inlineData"], "inlineData"), events)
        elif part.get("text") is not None:
            self._text(part, events)
        elif any(value is not None for value in part.values()):
            self._whole(events, PartAdded(self._next, self._host.state(dict(part))))

    def _text(self, part: Mapping[str, Any], events: list[Event]) -> None:
        """Signed text stays a part of its own: it goes back with its signature, and unsigned text without."""
        piece = checked.text(part["text"], "text")
        thought = bool(part.get("thought"))
        rest = {name: value for name, value in part.items() if name != "text" and value not in (None, False, "")}
        signed = "thoughtSignature" in rest
        kind = _THOUGHT if thought else _TEXT
        if not piece and not signed:
            return
        if self._open != kind or signed:
            self._close()
        self._open = kind
        if thought:
            events.append(ReasoningDelta(self._next, piece))
        elif piece:
            self._texts.append(piece)
            events.append(TextDelta(self._next, piece))
        if signed:
            events.append(StateAttached(self._next, self._host.state(rest)))
            self._close()

    def _close(self) -> None:
        if self._open:
            self._next += 1
        self._open = _CLOSED

    def _call(self, part: Mapping[str, Any], call: Mapping[str, Any], events: list[Event]) -> None:
        name = checked.text(call.get("name"), "functionCall.name")
        if self._growing is not None or call.get("partialArgs") is not None or call.get("willContinue"):
            self._grow(part, name, call, events)
            return
        if not name:
            raise ProtocolError("a function call has no name")
        arguments = dump_json(checked.mapping(call.get("args") or {}, "functionCall.args")).decode()
        given = checked.optional_text(call.get("id"), "functionCall.id")
        self._close()
        identity = given or minted(self._id, self._next, name, arguments)
        state = {key: value for key, value in part.items() if key != "functionCall" and value is not None}
        if given:
            state["id"] = given
        self._called = True
        events.append(ToolCallStarted(self._next, identity, self._names.get(name, name)))
        events.append(ToolCallDelta(self._next, arguments))
        if state:
            events.append(StateAttached(self._next, self._host.state(state)))
        self._next += 1

    def _grow(self, part: Mapping[str, Any], name: str, call: Mapping[str, Any], events: list[Event]) -> None:
        """A call in pieces: the first has the name, the last says that nothing follows."""
        state = {key: value for key, value in part.items() if key != "functionCall" and value is not None}
        if name:
            self._grown(events)
            self._close()
            given = checked.optional_text(call.get("id"), "functionCall.id")
            identity = given or minted(self._id, self._next, name, "")
            self._growing = PartialCall(self._next, {"id": given} if given else {})
            events.append(ToolCallStarted(self._next, identity, self._names.get(name, name)))
            self._called = True
            self._next += 1
        if self._growing is None:
            raise ProtocolError("a function call has no name")
        self._growing.state.update(state)
        self._growing.take(call)
        if not call.get("willContinue"):
            self._grown(events)

    def _grown(self, events: list[Event]) -> None:
        """The end of a call in pieces, if there is one: only then do its arguments make a document."""
        call, self._growing = self._growing, None
        if call is not None:
            events.append(ToolCallDelta(call.index, call.arguments))
            if call.state:
                events.append(StateAttached(call.index, self._host.state(call.state)))

    def _media(self, part: Mapping[str, Any], wire: Mapping[str, Any], events: list[Event]) -> None:
        kind = checked.text(wire.get("mimeType"), "inlineData.mimeType")
        make = {"image": Image, "audio": Audio}.get(kind.partition("/")[0])
        if make is None:
            self._whole(events, PartAdded(self._next, self._host.state(dict(part))))
            return
        rest = {name: value for name, value in part.items() if name != "inlineData" and value not in (None, False)}
        source = f"data:{kind};base64,{checked.text(wire.get('data'), 'inlineData.data')}"
        made = make(source, kind, state=self._host.state(rest) if rest else None)
        self._whole(events, PartAdded(self._next, made))

    def _whole(self, events: list[Event], event: PartAdded) -> None:
        self._close()
        events.append(PartAdded(self._next, event.part))
        self._next += 1

    def _cite(self, events: list[Event]) -> None:
        if not ("groundingMetadata" in self._beside or "citationMetadata" in self._beside):
            return
        said = "".join(self._texts)
        for citation in citations(self._beside.get("groundingMetadata"), self._beside.get("citationMetadata"), said):
            if citation not in self._cited:
                self._cited.add(citation)
                self._whole(events, PartAdded(0, citation))

    def _report(self, wire: Any, events: list[Event]) -> None:
        """Counts are cumulative, and a field may be missing later: the last known value of each wins."""
        if wire is not None:
            self._usage.update(
                {name: value for name, value in checked.mapping(wire, "usageMetadata").items() if value is not None}
            )
        if self._usage and (wire is not None or self._beside):
            events.append(UsageReported(neutral_usage(self._usage, self._beside)))
