"""Driving the plugin without a network: translate a request, read bytes or documents, and find the recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byollm.plugin import (
    Event,
    Failure,
    Finished,
    Head,
    Message,
    ProtocolError,
    ProviderError,
    Request,
    Target,
    ToolResult,
)
from byollm.types.completion import Completion
from byollm.wire.assemble import Assembler
from byollm.wire.framing import decoder_for
from byollm.wire.json import parse_json
from byollm_openai_compatible import custom

ENDPOINT = "https://llm.example.com/v1"


def say(role: Any, parts: Any = (), name: str | None = None) -> Message:
    """A turn; a string stands for one text."""
    return Message(role, parts, name)


def result(call: str, parts: Any = (), **fields: Any) -> ToolResult:
    """What a tool answered; a string stands for one text."""
    return ToolResult(call, parts, **fields)


def target(api: str = "chat", model: str = "m", provider: str = "custom", **options: Any) -> Target:
    """A deployment; keywords are its YAML keys."""
    place = {name: options.pop(name) for name in ("endpoint", "region", "authentication") if name in options}
    return Target(provider=provider, model=model, api=api, options=options, **{"endpoint": ENDPOINT, **place})


def exchange(request: Any, plugin: Any = custom, **fields: Any) -> Any:
    """What a plugin answers to a request, before `fit()`."""
    asked = request if isinstance(request, Request) else Request(request)
    return plugin.complete(asked, target(provider=plugin.manifest.name, **fields))


def body(request: Any, plugin: Any = custom, **fields: Any) -> dict[str, Any]:
    """The JSON body of a request, before `fit()`."""
    made: dict[str, Any] = json.loads(exchange(request, plugin, **fields).request.body)
    return made


def messages(*turns: Any, **fields: Any) -> list[dict[str, Any]]:
    """The Chat messages of a conversation."""
    return list(body(Request(turns), **fields)["messages"])


def items(*turns: Any, **fields: Any) -> list[dict[str, Any]]:
    """The Responses items of a conversation."""
    return list(body(Request(turns), api="responses", **fields)["input"])


def read_events(
    pieces: Iterable[bytes], *, plugin: Any = custom, stream: bool = True, headers: Any = None, **fields: Any
) -> Iterator[Event]:
    """The events in an answer's bytes."""
    asked = fields.pop("request", None) or Request("hi", stream=stream)
    reader = exchange(asked, plugin, **fields).reader(Head(200, headers or {}))
    decoder, first = None, b""
    for piece in pieces:
        first += piece
        fresh = decoder is None and bool(first.strip())
        if fresh:
            decoder = decoder_for("sse" if stream else "json", headers or {}, first)
        for frame in decoder.feed(first if fresh else piece) if decoder is not None else ():
            yield from reader(frame)
    for frame in decoder.end() if decoder is not None else ():
        yield from reader(frame)


def read(pieces: bytes | Sequence[bytes], **fields: Any) -> Completion:
    """The completion in an answer's bytes. Raises ProtocolError when no terminal marker was seen."""
    assembler, last = Assembler(), None
    for event in read_events([pieces] if isinstance(pieces, bytes) else pieces, **fields):
        if isinstance(event, Finished):
            last = event  # the engine holds it back to the end: some servers go on, and the last one counts
        else:
            assembler.feed([event])
    if last is None:
        raise ProtocolError("no terminal marker")
    assembler.feed([last])
    return assembler.completion()


def whole(message: Mapping[str, Any], finish: Any = "stop", **fields: Any) -> Completion:
    """The completion in a Chat document with this message."""
    more = fields.pop("document", {})
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    document = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}
    return read(json.dumps(document).encode(), stream=False, **fields)


def chunk(delta: Any, finish: Any = None, **more: Any) -> dict[str, Any]:
    """One chunk of a Chat stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def sse(*chunks: Any, done: bool = True, names: bool = False) -> bytes:
    """Documents as server-sent events; `names`: with the event's name, as Responses has it."""
    events = [
        (f"event: {item['type']}\n" if names and "type" in item else "") + f"data: {json.dumps(item)}\n\n"
        for item in chunks
    ]
    return "".join(events).encode() + (b"data: [DONE]\n\n" if done else b"")


def streamed(*deltas: Any, finish: Any = "stop", **fields: Any) -> Completion:
    """The completion in a Chat stream of these deltas."""
    return read(sse(*(chunk(delta) for delta in deltas), chunk({}, finish)), **fields)


def call(name: str, arguments: Any = "{}", id: Any = "call_a", **more: Any) -> dict[str, Any]:
    """A tool call of a Chat message."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def calls_of(completion: Completion) -> list[tuple[str, str]]:
    """Names and arguments of the tool calls."""
    return [(found.name, found.arguments) for found in completion.tool_calls]


def failure(status: int, document: Any, headers: Mapping[str, str] | None = None, **fields: Any) -> ProviderError:
    """The typed error for an error answer; `document` is JSON data, or bytes as they came."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    try:
        parsed = parse_json(raw)
    except ValueError:
        parsed = None
    error = exchange("hi", **fields).fail(Failure(status, dict(headers or {}), raw, parsed))
    assert isinstance(error, ProviderError), "the plugin left this one to the core's table"
    return error


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded exchange of an OpenAI dialect."""

    id: str
    provider: str
    api: str
    request: Any = field(repr=False)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    pieces: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def is_stream(self) -> bool:
        """The answer is a stream of events."""
        return self.body.lstrip()[:1] not in (b"{", b"[")


def corpus() -> Path:
    """The folder of the recordings; its absence is an error, never a skip."""
    named = os.environ.get("BYOLLM_CORPUS")
    candidates = [Path(named)] if named else [up / "shared" / "corpus" for up in Path(__file__).resolve().parents]
    found = next((folder for folder in candidates if folder.is_dir()), None)
    assert found is not None, "no shared/corpus beside the repository, and BYOLLM_CORPUS is not set"
    return found


def recordings() -> list[Recording]:
    """Every recorded question to a model over Chat or Responses, of whichever vendor."""
    found: list[Recording] = []
    folder = corpus()
    for path in sorted(folder.glob("*/*/*.json")):
        document = json.loads(path.read_bytes())
        for number, recorded in enumerate(document["exchanges"]):
            api = _api(recorded)
            if api:
                found.append(_recording(f"{path.relative_to(folder).as_posix()}#{number}", document, recorded, api))
    return found


def _api(recorded: Mapping[str, Any]) -> str:
    path = recorded["request"]["url"].partition("?")[0]
    if recorded["request"]["method"] != "POST" or "body_b64" in recorded["response"]:
        return ""
    if path.endswith("/chat/completions"):
        return "chat"
    return "responses" if path.endswith("/responses") else ""


def _recording(id: str, document: Mapping[str, Any], recorded: Mapping[str, Any], api: str) -> Recording:
    response = recorded["response"]
    raw = json.dumps(response["json"]) if "json" in response else response.get("body_text") or ""
    data, pieces, start = raw.encode(), [], 0
    for size in response.get("network_chunk_sizes") or ():
        pieces.append(data[start : start + size])
        start += size
    if api == "responses" and b'"choices"' in data[:400]:
        api = "chat"  # the URL of two recordings was guessed by the recorder
    headers = {name.lower(): value for name, value in response["headers"].items()}
    request = recorded["request"].get("json")
    return Recording(id, document["provider"], api, request, response["status"], headers, data, (*pieces, data[start:]))
