"""A sandbox dialect as a wire: its renderer and its rules, and a request reader of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.errors import ProviderError
from byollm_conformance.wire import Answer, BatchEnd, BatchPlan, Piece, Rejection, Rendered, Seen, Source, Style
from byollm_conformance.wires import (
    anthropic_messages,
    bedrock_converse,
    bedrock_invoke,
    cohere,
    deepseek,
    gemini,
    mistral,
    ollama,
    openai_chat,
    openai_responses,
    openrouter,
    together,
)
from byollm_conformance.wires.batches import twin_batches
from byollm_conformance.wires.hosted import vertex_anthropic
from byollm_conformance.wires.reading import in_words
from byollm_sandbox.dialects import (
    AnthropicMessages,
    BedrockConverse,
    BedrockInvoke,
    CohereChat,
    Gemini,
    MistralChat,
    Ollama,
    OpenAIChat,
    OpenAIResponses,
)
from byollm_sandbox.dialects.base import Call, Dialect
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, binary_reply, json_reply, lines_reply, sse_reply

Unwrap = Callable[[str, Mapping[str, str], bytes], tuple[Mapping[str, str], bytes]]
"""URL, headers and body into headers and body as the dialect's owner is sent them."""
ReadRequest = Callable[[str, str, Mapping[str, str], bytes], Seen]

DIALECTS: Final[Mapping[str, tuple[Dialect, ReadRequest]]] = {
    "openai-chat": (OpenAIChat(), openai_chat.read_request),
    "openai-responses": (OpenAIResponses(), openai_responses.read_request),
    "anthropic-messages": (AnthropicMessages(), anthropic_messages.read_request),
    "bedrock-converse": (BedrockConverse(), bedrock_converse.read_request),
    "bedrock-invoke": (BedrockInvoke(), bedrock_invoke.read_request),
    "gemini": (Gemini(), gemini.read_request),
    "ollama": (Ollama(), ollama.read_request),
    "mistral-chat": (MistralChat(), mistral.read_request),
    "deepseek-chat": (OpenAIChat(), deepseek.read_request),
    "openrouter-chat": (OpenAIChat(), openrouter.read_request),
    "cohere-chat": (CohereChat(), cohere.read_request),
    "together-chat": (together.TogetherChat(), together.read_request),
}
"""The sandbox's renderer of a dialect, and who reads its requests."""

HOSTED: Final[Mapping[str, tuple[str, Unwrap]]] = {"vertex-anthropic": ("anthropic-messages", vertex_anthropic)}
"""Dialects that another house speaks with some words in other places: the owner's name for it, and what undoes that."""

_CREATED: Final = 1_763_683_200


class GenericWire:
    """One of the sandbox's dialects. `model` is echoed by answers that name none."""

    source: Source = "generic"

    def __init__(
        self,
        dialect: Dialect,
        reader: ReadRequest,
        *,
        model: str,
        strict: bool,
        unwrap: Unwrap | None = None,
        words: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.dialect = dialect
        self.name = dialect.name
        self._unwrap = unwrap
        self._words = words
        self.model = model
        self.strict = strict
        self._reader = reader

    def render(self, answer: Answer, stream: bool) -> Rendered:
        """As the vendor sends it."""
        return self.render_variant(answer, stream)

    def render_variant(
        self, answer: Answer, stream: bool, *, style: Style | None = None, quirks: Sequence[str] = ()
    ) -> Rendered:
        """As the vendor's imitators send it."""
        call = self._call(stream, quirks)
        headers = [*self.dialect.headers(call), *answer.headers.items()]
        if not stream:
            return _rendered(json_reply(self.dialect.document(answer, call), headers=headers))
        return _rendered(self._streamed(self.dialect.stream(answer, call), headers, style))

    def _streamed(self, frames: list[Frame], headers: list[tuple[str, str]], style: Style | None = None) -> Reply:
        lines, binary = getattr(self.dialect, "lines", False), getattr(self.dialect, "binary", False)
        reply = (lines_reply if lines else binary_reply if binary else sse_reply)(frames, headers)
        reply.style = replace(style or Style(), lines=lines, binary=binary)
        return reply

    def render_error(self, error: ProviderError, *, stream: bool = False) -> Rendered:
        """A refusal in the vendor's envelope, or its events inside a stream."""
        call = self._call(stream)
        if stream:
            return _rendered(self._streamed(self.dialect.error_frames(error, call), self.dialect.headers(call)))
        return _rendered(self.dialect.reject(self.dialect.error(error, call), call))

    def read_request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Seen:
        """The request in neutral words."""
        headers, body = self._plain(url, headers, body)
        return self._reader(method, url, headers, body)

    def _plain(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Mapping[str, str], bytes]:
        """As the dialect's owner would be sent it."""
        if self._unwrap is not None:
            headers, body = self._unwrap(url, headers, body)
        return headers, in_words(body, self._words) if self._words else body

    def validate(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What the vendor would refuse."""
        return self.dialect.validate(body, headers, compatible=not self.strict)

    def validate_request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Rejection | None:
        """The same of a whole request: some vendors name the model in the path."""
        headers, body = self._plain(url, headers, body)
        asked = Recorded(method, urlsplit(url).path, headers, body).asked
        return self.dialect.validate(asked, headers, compatible=not self.strict)

    def batches(self, plan: BatchPlan) -> BatchEnd | None:
        """The vendor's batch endpoints; None where it sells none, or another house hosts the dialect."""
        return None if self._unwrap is not None else twin_batches(self.dialect.name, plan, strict=self.strict)

    def _call(self, stream: bool, quirks: Sequence[str] = ()) -> Call:
        body = {"model": self.model, "stream": stream, "stream_options": {"include_usage": True}, "messages": []}
        return Call(body=body, number=1, created=_CREATED, quirks=frozenset(quirks))


def _rendered(reply: Reply) -> Rendered:
    headers = {name.lower(): value for name, value in reply.headers}
    if reply.frames is None:
        return Rendered(reply.status, headers, (Piece(reply.body, "finish"),))
    frames = reply.frames
    ends = [index for index, frame in enumerate(frames) if frame.role == "finish"]
    last = ends[-1] if ends else len(frames) - 1
    pieces = [
        Piece(_bytes(frame, reply, first=index == 0), "finish" if index == last else _role(frame))
        for index, frame in enumerate(frames)
    ]
    return Rendered(reply.status, headers, tuple(pieces))


def _role(frame: Frame) -> str:
    return "" if frame.role == "finish" else frame.role


def _bytes(frame: Frame, reply: Reply, *, first: bool) -> bytes:
    style = reply.style
    written = Reply(frames=[frame], style=replace(style, bom=style.bom and first)).pieces()
    return b"".join([piece for piece in written if isinstance(piece, bytes)])
