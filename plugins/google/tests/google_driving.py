"""Driving the plugin without a network: translate a request, read bytes, and find the recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from byollm.plugin import Exchange, Failure, Head, Message, Request, Target, ToolResult
from byollm.providers.deployment import Deployment
from byollm.testing import replay
from byollm.wire.framing import decoder_for
from byollm_google import provider

ENDPOINT = "https://generativelanguage.googleapis.com"
FOLDERS = ("google-gemini", "google-vertex")
OLD, NEW = "gemini-2.5-flash", "gemini-3.8-flash"


def say(role: Any, parts: Any = ()) -> Message:
    """A turn; a string stands for one text."""
    return Message(role, parts)


def result(call: str, parts: Any = (), is_error: bool = False, name: str | None = None) -> ToolResult:
    """What a tool answered; a string stands for one text."""
    return ToolResult(call, parts, is_error, name)


def target(model: str = NEW, **fields: Any) -> Target:
    """Google's own API, as a file that says nothing else would name it."""
    return Target(provider="google", model=model, **{"endpoint": ENDPOINT, "api": "gemini", **fields})


def exchange(request: Any, model: str = NEW, **fields: Any) -> Any:
    """What the plugin answers to a request, before `fit()`."""
    asked = request if isinstance(request, Request) else Request(request)
    return provider.complete(asked, target(model, **fields))


def body(request: Any, model: str = NEW, **fields: Any) -> dict[str, Any]:
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


def events(answer: bytes | Sequence[bytes], *, stream: bool = False, request: Any = "hi") -> list[Any]:
    """The events of a 200 answer, fed in these pieces. Raises what the reader raises."""
    asked = exchange(Request(request, stream=stream) if not isinstance(request, Request) else request)
    read = asked.reader(Head(200, {}))
    pieces = [answer] if isinstance(answer, bytes) else list(answer)
    decoder = decoder_for("sse" if stream else "json", {}, pieces[0])
    found: list[Any] = []
    for piece in pieces:
        for frame in decoder.feed(piece):
            found += read(frame)
    for frame in decoder.end():
        found += read(frame)
    return found


def completion(answer: bytes | Sequence[bytes], **how: Any) -> Any:
    """The completion that a 200 answer makes, by the engine's own rules."""
    pieces = answer if isinstance(answer, bytes) else list(answer)
    return replay("google", body=pieces, model=NEW, **how)


def chunk(*parts: Any, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """One GenerateContentResponse with these parts."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": NEW, **fields}


def document(*parts: Any, reason: str | None = "STOP", **fields: Any) -> bytes:
    """A whole answer."""
    return json.dumps(chunk(*parts, reason=reason, **fields)).encode()


def sse(*chunks: Any) -> bytes:
    """Server-sent events, as `alt=sse` sends them."""
    return b"".join(b"data: " + json.dumps(item).encode() + b"\r\n\r\n" for item in chunks)


def failed(status: int, document: Any) -> Any:
    """The plugin's reading of an error answer: an error or None."""
    fail = exchange("hi").fail
    assert fail is not None
    return fail(Failure(status, {}, json.dumps(document).encode(), document))


def refusal(code: int, message: str, status: str, *details: dict[str, Any]) -> dict[str, Any]:
    """Google's envelope."""
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


@dataclass(frozen=True)
class Recording:
    """One recorded exchange of this dialect."""

    name: str
    verb: str
    query: str
    asked: dict[str, Any] | None
    status: int
    answer: bytes
    model: str

    @property
    def streamed(self) -> bool:
        """Was it asked for, and answered, as events?"""
        return self.answer.lstrip()[:5] == b"data:"


def recordings() -> Iterator[Recording]:
    """Every recorded exchange of the dialect, in the order of the files."""
    root = corpus()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.json")):
            file = json.loads(path.read_text())
            if "gemini" in file["dialect"]:
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
    url = urlsplit(item["request"]["url"])
    text = answer.get("body_text")
    return Recording(
        name=name,
        verb=url.path.rpartition(":")[2],
        query=url.query,
        asked=asked if isinstance(asked, dict) else None,
        status=answer["status"],
        answer=text.encode() if text is not None else json.dumps(answer.get("json")).encode(),
        model=url.path.rpartition("models/")[2].partition(":")[0] or str(file.get("model") or ""),
    )
