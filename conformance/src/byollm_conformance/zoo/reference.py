"""The plugin without a fault: a small translator of its own for a Chat-like wire. Every fault is a patch on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import byollm.plugin as b
from byollm.types.capabilities import FEATURES
from byollm_conformance.subject import Subject
from byollm_conformance.zoo.reader import Reader
from byollm_conformance.zoo.wire import recordings, zoo_wire

PARAMETERS: Final = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "seed": "seed", "stop": "stop",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty", "logit_bias": "logit_bias",
    "max_tokens": "max_tokens", "reasoning_effort": "reasoning_effort", "verbosity": "verbosity", "store": "store",
    "service_tier": "service_tier", "parallel_tool_calls": "parallel_tool_calls", "metadata": "metadata",
    "cache_key": "prompt_cache_key", "end_user_id": "user",
}  # fmt: skip
LACKS: Final = (
    "n", "logprobs", "tool_error_flag", "tool_result_media", "document_urls", "prefill", "provider_tools", "citations",
    "strict_tools",
)  # fmt: skip
CODES: Final[Mapping[str, type[b.ProviderError]]] = {
    "invalid_api_key": b.AuthenticationError, "model_not_found": b.ModelNotFoundError,
    "context_length_exceeded": b.ContextLengthError, "content_policy_violation": b.ContentFilterError,
    "insufficient_quota": b.QuotaExhaustedError, "rate_limit_exceeded": b.RateLimitError,
    "server_is_overloaded": b.OverloadedError,
}  # fmt: skip
IMAGES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
SOUNDS: Final = {"audio/wav": "wav", "audio/mpeg": "mp3"}


class Reference:
    """Three pure hooks. Faults override the methods below them, or the reader."""

    manifest = b.Manifest(
        name="reference", default_endpoint="https://reference.example.com", base_path="/v1", apis=("chat",),
        hosts=("reference.example.com",), credentials={"api_key": ("REFERENCE_API_KEY",)},
        authentication={"bearer-token": b.Bearer()}, docs="https://reference.example.com/docs",
    )  # fmt: skip
    Reader: Any = Reader
    can: Mapping[str, Any] = {**dict.fromkeys(FEATURES, "full"), **dict.fromkeys(LACKS, "unsupported")}

    @b.hookimpl
    def capabilities(self, target: b.Target) -> b.Capabilities:
        """All that the wire can say, in full."""
        efforts = ("low", "medium", "high")
        limits = {"temperature_range": (0.0, 2.0), "stop_limit": 4, "reasoning_efforts": efforts}
        return b.Capabilities().merged({**limits, **self.can}, "the reference")

    @b.hookimpl
    def count_tokens(self, request: b.Request, target: b.Target) -> b.TokenCount:
        """Between a tenth of the bytes and all of them."""
        size = len(b.dump_json(self.body(request, target)))
        return b.TokenCount(max(1, size // 4), "estimate", lower=size // 10, upper=size)

    @b.hookimpl
    def complete(self, request: b.Request, target: b.Target) -> b.Exchange[b.Event]:
        """The exchange."""
        taken = {part.id for turn in request.messages for part in turn.parts if isinstance(part, b.ToolCall)}
        return b.Exchange(
            request=b.HttpRequest("POST", self.url(target), self.headers(request), self.written(request, target)),
            reader=lambda head: self.Reader(self.error, self.usage, set(taken)).read,
            framing="sse" if request.stream else "json",
            auth=b.Bearer(),
            fail=lambda failure: self.refusal(failure.document, failure.status),
        )

    def url(self, target: b.Target) -> str:
        """Where it goes."""
        return b.join_url(target.endpoint, "/chat/completions", base_path="/v1")

    def headers(self, request: b.Request) -> tuple[tuple[str, str], ...]:
        """What it is."""
        kind = "text/event-stream" if request.stream else "application/json"
        return (("content-type", "application/json"), ("accept", kind))

    def written(self, request: b.Request, target: b.Target) -> bytes:
        """The body's bytes."""
        return b.dump_json(self.body(request, target))

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        """The body."""
        turns = [turn for message in request.conversation for turn in self.turns(message)]
        body: dict[str, Any] = {"model": target.model, "messages": turns}
        if request.tools:
            body["tools"] = [self.tool(tool) for tool in request.tools]
        choice = request.tool_choice
        if choice is not None:
            named = {"type": "function", "function": {"name": choice.name}}
            body["tool_choice"] = named if choice.name else choice.mode
        body.update(self.parameters(request))
        if request.output_schema is not None:
            schema = {"name": "answer", "schema": request.json_schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.stream:
            body.update(stream=True, stream_options={"include_usage": True})
        return {**body, **(request.extra or {}).get("reference", {})}

    def parameters(self, request: b.Request) -> dict[str, Any]:
        """Numbers and words."""
        return {wire: value for name, wire in PARAMETERS.items() if (value := getattr(request, name)) is not None}

    def tool(self, tool: Any) -> dict[str, Any]:
        """A function. Raises UnsupportedFeatureError for names that the wire does not take."""
        if not re.fullmatch("[a-zA-Z0-9_-]{1,64}", tool.name):
            raise b.UnsupportedFeatureError(f"a tool cannot be called {tool.name!r}", field="tools")
        about = {} if tool.description is None else {"description": tool.description}
        return {"type": "function", "function": {"name": tool.name, **about, "parameters": tool.parameters}}

    def turns(self, message: b.Message) -> Iterator[dict[str, Any]]:
        """A message; results of tools become one each."""
        results = [part for part in message.parts if isinstance(part, b.ToolResult)]
        for result in results:
            yield {"role": "tool", "tool_call_id": result.id, "content": self.content(result.parts)}
        parts = [part for part in message.parts if not isinstance(part, b.ToolResult)]
        if not results or parts:
            yield self.turn(message, parts)

    def turn(self, message: b.Message, parts: Sequence[b.Part]) -> dict[str, Any]:
        """All but results: thoughts with their signatures, content, calls."""
        turn: dict[str, Any] = {"role": "user" if message.role == "tool" else message.role}
        for thought in [part for part in parts if isinstance(part, b.Reasoning)]:
            turn["reasoning_content"] = thought.text
            if thought.state is not None:
                turn["reasoning_signature"] = thought.state.data["signature"]
        calls = [self.call(part) for part in parts if isinstance(part, b.ToolCall)]
        content = self.content([part for part in parts if isinstance(part, b.Text | b.Image | b.Document | b.Audio)])
        turn.update({"content": content} if content or not calls else {}, **({"tool_calls": calls} if calls else {}))
        return {**turn, **({} if message.name is None else {"name": message.name})}

    def call(self, part: b.ToolCall) -> dict[str, Any]:
        """An earlier call."""
        arguments = part.arguments if part.arguments.strip() else "{}"
        return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}

    def content(self, parts: Any) -> Any:
        """Bare text where that is all, else blocks."""
        if len(parts) == 1 and isinstance(parts[0], b.Text) and not parts[0].cache:
            return parts[0].text
        return [{**self.block(part), **self.mark(part)} for part in parts] or ""

    def mark(self, part: Any) -> dict[str, Any]:
        """The cache mark."""
        ttl = {} if part.cache in (None, "default") else {"ttl": part.cache}
        return {} if part.cache is None else {"cache_control": {"type": "ephemeral", **ttl}}

    def block(self, part: Any) -> dict[str, Any]:
        """One part. Raises UnsupportedFeatureError for kinds of files that the wire does not take."""
        if isinstance(part, b.Text):
            return {"type": "text", "text": part.text}
        media = part.media
        if isinstance(part, b.Image) and (media.url or media.media_type in IMAGES):
            return {"type": "image_url", "image_url": {"url": media.data_uri}}
        if isinstance(part, b.Audio) and media.media_type in SOUNDS:
            return {"type": "input_audio", "input_audio": {"data": media.base64, "format": SOUNDS[media.media_type]}}
        if isinstance(part, b.Document) and media.media_type == "application/pdf":
            return {"type": "file", "file": {"filename": part.name or "document.pdf", "file_data": media.data_uri}}
        raise b.UnsupportedFeatureError(f"{media.media_type} cannot be sent", field="messages")

    def usage(self, told: Mapping[str, Any]) -> b.Usage:
        """Counts, reasoning and cache included where they belong. Raises TypeError for what is none."""
        into, out = told.get("prompt_tokens_details") or {}, told.get("completion_tokens_details") or {}
        return b.Usage(
            count(told.get("prompt_tokens")),
            count(told.get("completion_tokens")),
            count(into.get("cached_tokens")),
            count(into.get("cache_write_tokens")),
            count(out.get("reasoning_tokens")),
        )

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        """By code, else by text; None leaves it to the status."""
        told = document.get("error") if isinstance(document, dict) else None
        told = told if isinstance(told, dict) else {}
        code, words = str(told.get("code")), str(told.get("message") or "")
        kind = b.RequestTooLargeError if words.lower().startswith("request too large") else CODES.get(code)
        return None if kind is None else kind(words, status=status, code=code)

    def error(self, document: Any, status: int | None) -> b.ProviderError:
        """An error inside an answer."""
        told = document["error"]
        words = told.get("message") if isinstance(told, dict) else told
        return self.refusal(document, status) or b.ServerError(str(words or "the provider failed"))


def count(value: Any) -> int | None:
    """A count, or None. Raises TypeError for what is none."""
    if value is None or (type(value) is int and 0 <= value < 10**15):
        return value
    raise TypeError("no count")


def subject_of(plugin: Any, entry: str | None = None) -> Subject:
    """A plugin of the zoo over its wire, with a few exchanges as if they had been recorded."""
    wire = zoo_wire()
    return Subject(plugin, api="chat", model="a-model", dialect=wire, entry=entry, recordings=recordings(wire))


@cache
def reference_subject() -> Subject:
    """The one that other plugins are compared with."""
    return subject_of(reference, f"{__name__}:reference")


reference: Final = Reference()
