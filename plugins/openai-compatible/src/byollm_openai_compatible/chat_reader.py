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
from byollm_openai_compatible.reasoning import FIELDS as THOUGHTS
from byollm_openai_compatible.reasoning import Thoughts
from byollm_openai_compatible.tool_calls import ToolCalls
from byollm_openai_compatible.usage import chat_usage
from byollm_openai_compatible.wholes import FIELDS as WHOLES
from byollm_openai_compatible.wholes import Wholes

REASONING, TEXT, REFUSAL = 0, 1, 2
_SAID: Final = frozenset({"role", "content"})
"""What a message of nothing but text says."""
_UNSAID: Final = frozenset({"error", "delta", "search_results", "citations"})
"""What an answer of nothing but text does not have beside it."""
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
        "_audio_format", "_calls", "_done", "_ended", "_head", "_id", "_json", "_model", "_provider", "_quirks",
        "_refusal", "_running", "_started", "_taken", "_thoughts", "_wholes",
    )  # fmt: skip

    def __init__(
        self, quirks: Quirks, provider: str, head: Head, taken: Iterable[str] = (), audio_format: str = "wav"
    ) -> None:
        self._quirks = quirks
        self._provider = provider
        self._head = head
        self._json = head.headers.get("content-type", "")[:16] == "application/json"
        self._taken = taken
        self._audio_format = audio_format
        # Made when the answer has some: most answers are text and nothing else.
        self._calls: ToolCalls | None = None
        self._thoughts: Thoughts | None = Thoughts(quirks, provider) if quirks.think_tags else None
        self._wholes: Wholes | None = None
        self._refusal: list[str] = []
        self._id: str | None = None
        self._model: str | None = None
        self._started = self._running = False
        self._done = False
        self._ended = False

    def read(self, frame: Frame) -> Iterable[Event]:
        """One chunk or document. Raises a ProviderError for an error in it, ProtocolError for what is neither."""
        if self._running:
            data = frame[1]  # .data, a little sooner: this runs once a token, and nearly all hold text and nothing else
            try:
                (choice,) = data["choices"]
                delta = choice["delta"]
                text = delta["content"]
                if (
                    type(text) is str and text
                    and "error" not in data and not data.get("usage") and "x_groq" not in data
                    and "citations" not in data and "search_results" not in data
                    and choice.get("finish_reason") is None and choice.get("index") in (0, None)
                    and "error" not in choice and "usage" not in choice
                    and (len(delta) == 1 or _says_nothing_else(delta))
                ):  # fmt: skip
                    return (TextDelta(TEXT, text),)
            except _HOSTILE:
                pass
        return self._careful(frame)

    def _careful(self, frame: Frame) -> list[Event]:
        """What is more than a piece of text."""
        data = frame.data
        if self._json and not self._started and not self._quirks.think_tags:
            whole = self._plain_document(data)
            if whole is not None:
                return whole
        try:
            events = self._any(frame.event, data)
            self._running = self._started and not self._done and not self._quirks.think_tags
            return events
        except _HOSTILE as error:
            problem = type(error).__name__
        raise ProtocolError(f"the answer is not shaped like a Chat Completions answer ({problem})")

    def _plain_document(self, data: Any) -> list[Event] | None:
        """The events of a whole answer that holds text and nothing else: most answers, read in one glance."""
        try:
            (choice,) = data["choices"]
            message, raw, usage = choice["message"], choice["finish_reason"], data["usage"]
            text, id, model = message["content"], data["id"], data["model"]
            if (
                type(text) is not str or type(raw) is not str or type(id) is not str or type(model) is not str
                or not (text and raw and id and model and usage and type(usage) is dict)
                or choice.get("index") not in (0, None)
                or not (_UNSAID.isdisjoint(data) and _UNSAID.isdisjoint(choice))
            ):  # fmt: skip
                return None
            if not _says_nothing_else(message):
                return None
            told = chat_usage(usage, data, reasoning_outside=self._quirks.reasoning_outside_usage)
        except _HOSTILE:
            return None
        self._started = self._done = self._ended = True
        reason = finish_reason(raw, False, False, self._quirks.finish_reasons)
        return [Started(id, model), TextDelta(TEXT, text), UsageReported(told), Finished(reason, raw)]

    def _any(self, event: str, data: Any) -> list[Event]:
        if isinstance(data, list) and len(data) == 1:
            data = data[0]  # Google's Chat endpoint wraps an error in a list
        if not isinstance(data, dict):
            raise ProtocolError("the answer is JSON, but not a Chat Completions answer")
        choices = data.get("choices")
        if not choices or "error" in data or "x_groq" in data or "error" in choices[0]:
            error = in_band_error(event, data, self._quirks, self._head)
            if error is not None:
                raise error
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
        if self._id is None:
            self._id = _word(data.get("id"))
        if self._model is None:
            self._model = _word(data.get("model"))
        if choice is None and not data.get("usage"):
            return []  # Azure's first chunk is a filter report with empty id and model
        self._started = True
        return [Started(self._id, self._model)]

    def _chunk(self, data: Mapping[str, Any], choice: Mapping[str, Any] | None, events: list[Event]) -> None:
        self._sources(data)
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
        elif raw == "" and self._calls is not None and self._calls.started and not (self._done or choice.get("delta")):
            self._end(raw, data, events)  # xAI ends an answer with tool calls with an empty word

    def _message(self, message: Mapping[str, Any], events: list[Event], *, whole: bool = False) -> None:
        before = len(events)
        if not THOUGHTS.isdisjoint(message):
            self._thinking().take(message, events)
        content = message.get("content")
        if type(content) is str:
            self._text(content, events)
        elif content:
            self._content(content, events)
        refusal = message.get("refusal")
        if refusal and isinstance(refusal, str):
            self._refusal.append(refusal)
        for call in message.get("tool_calls") or ():
            events += self._calling().take(call, alone=whole)
        legacy = message.get("function_call")
        if legacy and (legacy.get("name") or legacy.get("arguments")):
            events += self._calling().take({"index": 0, "function": legacy})
        wholes = WHOLES.intersection(message)
        if wholes and any(map(message.get, wholes)):
            self._whole().message(message)
        if self._done and len(events) > before:
            self._done = False  # Together goes on after a finish: one more whole call, and the finish again

    def _calling(self) -> ToolCalls:
        if self._calls is None:
            self._calls = ToolCalls(self._provider, self._taken)
        return self._calls

    def _thinking(self) -> Thoughts:
        if self._thoughts is None:
            self._thoughts = Thoughts(self._quirks, self._provider)
        return self._thoughts

    def _whole(self) -> Wholes:
        if self._wholes is None:
            self._wholes = Wholes(self._provider, self._audio_format)
        return self._wholes

    def _sources(self, data: Mapping[str, Any]) -> None:
        """Sources beside the choices; each chunk repeats them all (Perplexity)."""
        sources = data.get("search_results") or data.get("citations")
        if sources and isinstance(sources, list):
            self._whole().sources(sources)

    def _content(self, content: Any, events: list[Event]) -> None:
        if isinstance(content, list):
            for block in content:
                self._block(block, events)
        else:  # a grammar's answer as JSON (TGI)
            events.append(TextDelta(TEXT, dump_json(content).decode()))

    def _text(self, text: str, events: list[Event]) -> None:
        if self._quirks.think_tags:
            self._thinking().text(text, events)
        elif text:
            events.append(TextDelta(TEXT, text))

    def _block(self, block: Any, events: list[Event]) -> None:
        if isinstance(block, str):
            self._text(block, events)
        elif block.get("type") in ("text", "output_text"):
            text = block.get("text") or ""
            if not isinstance(text, str):
                raise TypeError("a text that is none")
            self._text(text, events)
        elif block.get("type") == "thinking":
            self._thinking().chunk(block, events)
        elif block.get("type") == "refusal":
            self._refusal.append(block.get("refusal") or "")
        else:
            self._whole().block(block)

    def _usage(self, data: Mapping[str, Any], choice: Mapping[str, Any], events: list[Event]) -> None:
        told = data.get("usage")
        if not told:
            beside = data.get("x_groq")
            told = (beside.get("usage") if isinstance(beside, dict) else None) or choice.get("usage")
        if isinstance(told, dict) and told:
            outside = self._quirks.reasoning_outside_usage
            events.append(UsageReported(chat_usage(told, data, reasoning_outside=outside)))

    def _end(self, raw: Any, data: Mapping[str, Any], events: list[Event]) -> None:
        self._sources(data)
        if self._thoughts is not None:
            self._thoughts.end(events)
        if not self._ended:
            if self._refusal:
                block = {"type": "refusal", "refusal": "".join(self._refusal)}
                events.append(PartAdded(REFUSAL, Opaque(self._provider, "chat", block)))
            if self._wholes is not None:
                events += self._wholes.end()
        if self._calls is not None:
            events += self._calls.end()
        word = None if raw is None else str(raw)
        called = self._calls is not None and self._calls.started
        reason = finish_reason(word, called, bool(self._refusal), self._quirks.finish_reasons)
        events.append(Finished(reason, word))
        self._done = self._ended = True


def _says_nothing_else(message: Mapping[str, Any]) -> bool:
    """A message, or a piece of one, that holds text alone."""
    for name in message:  # noqa: SIM110  # the generator of `all` takes longer than all the rest
        if name not in _SAID and message[name]:
            return False
    return True


def _is_document(data: Mapping[str, Any], choice: Mapping[str, Any], running: bool) -> bool:
    """A whole answer, not a chunk. Perplexity's chunks hold both a delta and all that came before as a message."""
    if "delta" not in choice:
        return "message" in choice or data.get("object") == "chat.completion"
    if running or not choice.get("message"):
        return False
    delta = choice.get("delta") or {}
    return not any(delta.get(name) for name in ("content", "tool_calls", "reasoning", "reasoning_content"))


def _word(value: Any) -> str | None:
    if type(value) is str:
        return value or None
    return str(value) if value and isinstance(value, int) else None
