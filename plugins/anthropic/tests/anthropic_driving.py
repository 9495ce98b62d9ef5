"""Driving the plugin without a network: translate a request, read bytes, and find the recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byollm.plugin import Event, Exchange, Failure, Head, Message, Request, Target, ToolResult
from byollm.providers.deployment import Deployment
from byollm.types.completion import Completion
from byollm.wire.assemble import Assembler
from byollm.wire.framing import decoder_for
from byollm_anthropic import provider

ENDPOINT = "https://api.anthropic.com"
FOLDERS = ("anthropic", "google-vertex", "ollama")


def say(role: Any, parts: Any = ()) -> Message:
    """A turn; a string stands for one text."""
    return Message(role, parts)


def result(call: str, parts: Any = (), is_error: bool = False) -> ToolResult:
    """What a tool answered; a string stands for one text."""
    return ToolResult(call, parts, is_error)


def target(model: str = "claude-opus-5", **fields: Any) -> Target:
    """Anthropic's own API, as a file that says nothing else would name it."""
    return Target(provider="anthropic", model=model, **{"endpoint": ENDPOINT, "api": "messages", **fields})


def exchange(request: Any, model: str = "claude-opus-5", **fields: Any) -> Exchange[Event]:
    """What the plugin answers to a request, before `fit()`."""
    asked = request if isinstance(request, Request) else Request(request)
    return provider.complete(asked, target(model, **fields))


def body(request: Any, model: str = "claude-opus-5", **fields: Any) -> dict[str, Any]:
    """The JSON body of a request."""
    made: dict[str, Any] = json.loads(exchange(request, model, **fields).request.body)
    return made


def fitted(request: Request, model: str, **fields: Any) -> tuple[dict[str, Any], set[str]]:
    """The body after `fit()`, and the names of all fields that were adjusted on the way."""
    deployment = Deployment(provider, provider.manifest, target(model, **fields))
    fit = deployment.fit(request)
    asked = deployment.exchange(fit.request)
    assert isinstance(asked, Exchange)
    return json.loads(asked.request.body), {note.field for note in (*fit.adjustments, *asked.adjustments)}


def events(
    answer: bytes | Sequence[bytes], *, stream: bool = False, content_type: str = "", request: Any = "hi"
) -> list[Event]:
    """The events of a 200 answer, fed in these pieces. Raises what the reader raises."""
    asked = exchange(Request(request, stream=stream) if not isinstance(request, Request) else request)
    headers = {"content-type": content_type} if content_type else {}
    read = asked.reader(Head(200, headers))
    pieces = [answer] if isinstance(answer, bytes) else list(answer)
    decoder = decoder_for("sse" if stream else "json", headers, pieces[0])
    found: list[Event] = []
    for piece in pieces:
        for frame in decoder.feed(piece):
            found += read(frame)
    for frame in decoder.end():
        found += read(frame)
    return found


def completion(answer: bytes | Sequence[bytes], **how: Any) -> Completion:
    """The completion that a 200 answer makes."""
    assembler = Assembler()
    assembler.feed(events(answer, **how))
    return assembler.completion()


def document(content: Sequence[Any] = (), stop_reason: str | None = "end_turn", **fields: Any) -> bytes:
    """A whole message."""
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": list(content),
        "stop_reason": stop_reason, "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 7}, **fields,
    }  # fmt: skip
    return json.dumps(message).encode()


def sse(*frames: dict[str, Any]) -> bytes:
    """Server-sent events, named by their type."""
    return b"".join(f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode() for frame in frames)


def started(**fields: Any) -> dict[str, Any]:
    """The first event of a stream."""
    usage = {"input_tokens": 5, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5",
        "content": [],
        "usage": usage,
    }
    return {"type": "message_start", "message": {**message, **fields}}


def block(index: int, wire: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """One content block of a stream, from start to stop."""
    return [
        {"type": "content_block_start", "index": index, "content_block": wire},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def ended(reason: str = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    """The last two events of a stream."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7, **usage}}, {"type": "message_stop"}]


def failed(status: int, document: Any, **headers: str) -> Any:
    """The plugin's reading of an error answer: a or None."""
    fail = exchange("hi").fail
    assert fail is not None
    return fail(Failure(status, headers, json.dumps(document).encode(), document))


@dataclass(frozen=True)
class Recording:
    """One recorded exchange of this dialect."""

    name: str
    url: str
    asked: dict[str, Any] | None
    status: int
    headers: dict[str, str]
    answer: bytes
    streamed: bool
    model: str

    @property
    def content_type(self) -> str:
        """As recorded, or empty."""
        return self.headers.get("content-type", "")


def recordings() -> Iterator[Recording]:
    """Every recorded exchange with a Messages endpoint, in the order of the files."""
    root = corpus()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.json")):
            file = json.loads(path.read_text())
            if "anthropic-messages" in file["dialect"]:
                for number, item in enumerate(file["exchanges"]):
                    yield _recording(f"{path.relative_to(root)}#{number}", file, item)


def corpus() -> Path:
    """The folder of recordings: BYOLLM_CORPUS, or `shared/corpus` beside a folder above this one."""
    named = os.environ.get("BYOLLM_CORPUS")
    if named:
        return Path(named)
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "corpus").is_dir():
            return folder / "shared" / "corpus"
    raise AssertionError("no recordings: set BYOLLM_CORPUS to their folder")


def _recording(name: str, file: dict[str, Any], item: dict[str, Any]) -> Recording:
    asked, answer = item["request"].get("json"), item["response"]
    text = answer.get("body_text")
    raw = text.encode() if text is not None else json.dumps(answer.get("json")).encode()
    return Recording(
        name=name,
        url=item["request"]["url"],
        asked=asked if isinstance(asked, dict) else None,
        status=answer["status"],
        headers={key.lower(): str(value) for key, value in (answer.get("headers") or {}).items()},
        answer=raw,
        streamed=text is not None,
        model=str((asked or {}).get("model") or file.get("model") or ""),
    )
