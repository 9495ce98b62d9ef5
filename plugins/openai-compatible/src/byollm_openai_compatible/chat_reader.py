"""Chat Completions answers as events: one reader for a whole document and for a stream of chunks.

The order of parts is fixed, so that a stream and a document come to the same completion: reasoning, text, a refusal,
the tool calls in the order they first appear, then what arrived whole (citations, made images and sound, unknown
blocks). A server that goes on after its finish_reason gets a second `Finished`: the engine holds it back to the end of
the answer, and the last one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Event,
    Finished,
    Frame,
    Head,
    Opaque,
    PartAdded,
    ProtocolError,
    Reader,
    Started,
    TextDelta,
    UsageReported,
    dump_json,
)
from byollm_openai_compatible.errors import in_band_error
from byollm_openai_compatible.finish import finish_reason
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.reasoning import Thoughts
from byollm_openai_compatible.tool_calls import ToolCalls
from byollm_openai_compatible.usage import chat_usage
from byollm_openai_compatible.wholes import Wholes

REASONING, TEXT, REFUSAL = 0, 1, 2
_HOSTILE: Final = (AttributeError, TypeError, KeyError, ValueError, IndexError, RecursionError, OverflowError)


def chat_reader(
    quirks: Quirks, provider: str, taken: Iterable[str] = (), audio_format: str = "wav"
) -> Callable[[Head], Reader[Event]]:
    """What an Exchange wants: a fresh reader for each response.

    `taken` are the ids of the tool calls in the request's history; `audio_format` is how sound was asked for.
    """
    ids = tuple(taken)
    return lambda head: ChatReader(quirks, provider, head, ids, audio_format).read


class ChatReader:
    """Reads the frames of one response."""

    __slots__ = (
        "_calls", "_done", "_ended", "_head", "_id", "_json", "_model", "_provider", "_quirks", "_refusal", "_started",
        "_thoughts", "_wholes",
    )  # fmt: skip

    def __init__(
        self, quirks: Quirks, provider: str, head: Head, taken: Iterable[str] = (), audio_format: str = "wav"
    ) -> None:
        self._quirks = quirks
        self._provider = provider
        self._head = head
        self._json = head.headers.get("content-type", "").startswith("application/json")
        self._calls = ToolCalls(provider, taken)
        self._thoughts = Thoughts(quirks, provider)
        self._wholes = Wholes(provider, audio_format)
        self._refusal: list[str] = []
        self._id: str | None = None
        self._model: str | None = None
        self._started = False
        self._done = False
        self._ended = False

    def read(self, frame: Frame) -> Iterable[Event]:
        """One chunk or document. Raises a ProviderError for an error in it, ProtocolError for what is neither."""
        data = frame.data
        if self._started and not self._done and not self._quirks.think_tags:
            text = _plain_text(data)
            if text is not None:
                return (TextDelta(TEXT, text),)
        try:
            return self._any(frame.event, data)
        except _HOSTILE as error:
            problem = type(error).__name__
        raise ProtocolError(f"the answer is not shaped like a Chat Completions answer ({problem})")

    def _any(self, event: str, data: Any) -> list[Event]:
        if not isinstance(data, dict):
            raise ProtocolError("the answer is JSON, but not a Chat Completions answer")
        error = in_band_error(event, data, self._quirks, self._head)
        if error is not None:
            raise error
        choices = data.get("choices")
        if choices and (len(choices) > 1 or choices[0].get("index") not in (0, None)):
            raise ProtocolError("the provider sent more than one choice, and byollm asked for one")
        choice = choices[0] if choices else None
        events = self._start(data, choice)
        if choice is not None and _is_document(data, choice, self._started and not events):
            self._message(choice.get("message") or {}, events, whole=True)
            self._usage(data, choice, events)
            raw = choice.get("finish_reason")
            if raw is not None or self._quirks.usage_ends_stream:  # without its reason an answer is not over
                self._end(raw, data, events)
        elif choice is None and (self._json or data.get("object") == "chat.completion"):
            raise ProtocolError("the provider answered with no choice at all", retryable=True)
        else:
            self._chunk(data, choice, events)
        return events

    def _start(self, data: Mapping[str, Any], choice: Any) -> list[Event]:
        if self._started:
            return []
        self._id = self._id or _word(data.get("id"))
        self._model = self._model or _word(data.get("model"))
        if choice is None and not data.get("usage"):
            return []  # Azure's first chunk is a filter report with empty id and model
        self._started = True
        return [Started(self._id, self._model)]

    def _chunk(self, data: Mapping[str, Any], choice: Mapping[str, Any] | None, events: list[Event]) -> None:
        self._wholes.top_level(data)
        if choice is None:
            self._usage(data, {}, events)
            if self._quirks.usage_ends_stream and data.get("usage") and not self._done:
                self._end(None, data, events)
            return
        self._message(choice.get("delta") or {}, events)
        self._usage(data, choice, events)
        raw = choice.get("finish_reason")
        if raw is not None and raw != "" and not self._done:
            self._end(raw, data, events)
        elif raw == "" and len(self._calls) and not self._done and not choice.get("delta"):
            self._end(raw, data, events)  # xAI ends an answer with tool calls with an empty word

    def _message(self, message: Mapping[str, Any], events: list[Event], *, whole: bool = False) -> None:
        found: list[Event] = []
        self._thoughts.take(message, found)
        self._content(message.get("content"), found)
        refusal = message.get("refusal")
        if refusal and isinstance(refusal, str):
            self._refusal.append(refusal)
        calls = message.get("tool_calls")
        for call in calls or ():
            found += self._calls.take(call, alone=whole)
        legacy = message.get("function_call")
        if legacy and (legacy.get("name") or legacy.get("arguments")):
            found += self._calls.take({"index": 0, "function": legacy})
        self._wholes.message(message)
        if found and self._done:
            self._done = False  # Together goes on after a finish: one more whole call, and the finish again
        events += found

    def _content(self, content: Any, events: list[Event]) -> None:
        if not content:
            return
        if isinstance(content, str):
            self._thoughts.text(content, events)
        elif isinstance(content, list):
            for block in content:
                self._block(block, events)
        else:  # a grammar's answer as JSON (TGI)
            events.append(TextDelta(TEXT, dump_json(content).decode()))

    def _block(self, block: Any, events: list[Event]) -> None:
        if isinstance(block, str):
            self._thoughts.text(block, events)
        elif block.get("type") in ("text", "output_text"):
            text = block.get("text") or ""
            if not isinstance(text, str):
                raise TypeError("a text that is none")
            self._thoughts.text(text, events)
        elif block.get("type") == "thinking":
            self._thoughts.chunk(block, events)
        elif block.get("type") == "refusal":
            self._refusal.append(block.get("refusal") or "")
        else:
            self._wholes.block(block)

    def _usage(self, data: Mapping[str, Any], choice: Mapping[str, Any], events: list[Event]) -> None:
        told = data.get("usage")
        if not told:
            beside = data.get("x_groq")
            told = (beside.get("usage") if isinstance(beside, dict) else None) or choice.get("usage")
        if isinstance(told, dict) and told:
            outside = self._quirks.reasoning_outside_usage
            events.append(UsageReported(chat_usage(told, data, reasoning_outside=outside)))

    def _end(self, raw: Any, data: Mapping[str, Any], events: list[Event]) -> None:
        self._wholes.top_level(data)
        self._thoughts.end(events)
        if not self._ended:
            if self._refusal:
                block = {"type": "refusal", "refusal": "".join(self._refusal)}
                events.append(PartAdded(REFUSAL, Opaque(self._provider, "chat", block)))
            events += self._wholes.end()
        events += self._calls.end()
        word = None if raw is None else str(raw)
        reason = finish_reason(word, bool(len(self._calls)), bool(self._refusal), self._quirks.finish_reasons)
        events.append(Finished(reason, word))
        self._done = self._ended = True


def _plain_text(data: Any) -> str | None:
    """The text of a chunk that holds text and nothing else: nearly all chunks, read in one glance."""
    try:
        if "error" in data or data.get("usage"):
            return None
        (choice,) = data["choices"]
        if "error" in choice or choice.get("finish_reason") is not None or choice.get("index"):
            return None
        delta = choice["delta"]
        text = delta["content"]
        if type(text) is not str or not text:
            return None
        if len(delta) > 1:
            for name, value in delta.items():
                if value and name not in ("content", "role"):
                    return None
    except _HOSTILE:
        return None
    return text


def _is_document(data: Mapping[str, Any], choice: Mapping[str, Any], running: bool) -> bool:
    """A whole answer, not a chunk. Perplexity's chunks hold both a delta and all that came before as a message."""
    if "delta" not in choice:
        return "message" in choice or data.get("object") == "chat.completion"
    if running or not choice.get("message"):
        return False
    delta = choice.get("delta") or {}
    return not any(delta.get(name) for name in ("content", "tool_calls", "reasoning", "reasoning_content"))


def _word(value: Any) -> str | None:
    return str(value) if value and isinstance(value, str | int) else None
