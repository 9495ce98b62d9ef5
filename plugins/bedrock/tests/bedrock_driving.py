"""Driving the plugin without a network: translate a request, sign it, read bytes, and find the recordings."""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zlib import crc32

import botocore.session
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import EventStreamJSONParser, RestJSONParser

from byollm.plugin import AuthContext, Exchange, Failure, Message, Request, Secret, Target, ToolResult
from byollm.providers.deployment import Deployment
from byollm.testing import replay
from byollm_bedrock import provider
from byollm_bedrock.places import DEFAULT_ENDPOINT

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA, NOVA_2 = "us.amazon.nova-pro-v1:0", "us.amazon.nova-2-lite-v1:0"
TITAN, JURASSIC = "amazon.titan-text-express-v1", "ai21.j2-ultra-v1"
FOLDERS = ("bedrock-converse", "bedrock-converse-stream", "bedrock-invoke")
NOW = 1_795_348_800.0


def say(role: Any, parts: Any = ()) -> Message:
    """A turn; a string stands for one text."""
    return Message(role, parts)


def result(call: str, parts: Any = (), is_error: bool = False) -> ToolResult:
    """What a tool answered; a string stands for one text."""
    return ToolResult(call, parts, is_error)


def target(model: str = CLAUDE, **fields: Any) -> Target:
    """A target, as a file that says nothing else would name it."""
    return Target(provider="bedrock", model=model, **{"endpoint": DEFAULT_ENDPOINT, "api": "converse", **fields})


def exchange(request: Any, model: str = CLAUDE, **fields: Any) -> Any:
    """What the plugin answers to a request, before `fit()`."""
    asked = request if isinstance(request, Request) else Request(request)
    return provider.complete(asked, target(model, **fields))


def body(request: Any, model: str = CLAUDE, **fields: Any) -> dict[str, Any]:
    """The JSON body of a request."""
    made: dict[str, Any] = json.loads(exchange(request, model, **fields).request.body)
    return made


def fitted(request: Request, model: str = CLAUDE, **fields: Any) -> tuple[dict[str, Any], set[str]]:
    """The body after `fit()`, and the names of all fields that were adjusted on the way."""
    deployment = Deployment(provider, provider.manifest, target(model, **fields))
    fit = deployment.fit(request)
    asked = deployment.exchange(fit.request)
    assert isinstance(asked, Exchange)
    return json.loads(asked.request.body), {note.field for note in (*fit.adjustments, *asked.adjustments)}


def context(**secrets: str) -> AuthContext:
    """What an auth scheme is given, at one fixed moment."""
    return AuthContext({name: Secret(value) for name, value in secrets.items()}, lambda: NOW, lambda: "nonce")


def headers_of(scheme: Any, request: Any, given: AuthContext) -> dict[str, str]:
    """The headers a scheme ends with; work that it yields is done at once."""
    flow = scheme.flow(request, given)
    answer: Any = None
    while True:
        try:
            answer = flow.send(answer)()
        except StopIteration as end:
            found: dict[str, str] = dict(end.value)
            return found


def message(kind: str, document: Any, *, exception: bool = False) -> bytes:
    """One message of the event stream."""
    word = "exception" if exception else "event"
    told = {":message-type": word, f":{word}-type": kind, ":content-type": "application/json"}
    block = b"".join(_header(name, value) for name, value in told.items())
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    prelude = struct.pack("!II", len(block) + len(payload) + 16, len(block))
    whole = prelude + struct.pack("!I", crc32(prelude)) + block + payload
    return whole + struct.pack("!I", crc32(whole))


def _header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()


def stream(*events: tuple[str, Any]) -> bytes:
    """A stream of events."""
    return b"".join(message(*event) for event in events)


def document(*blocks: Any, reason: str = "end_turn", **fields: Any) -> dict[str, Any]:
    """A whole answer of Converse."""
    usage = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
    said = {"message": {"role": "assistant", "content": list(blocks)}}
    return {"output": said, "stopReason": reason, "usage": usage, "metrics": {"latencyMs": 1}, **fields}


def completion(answer: bytes | dict[str, Any] | list[bytes], model: str = CLAUDE, **how: Any) -> Any:
    """The completion that a 200 answer makes, by the engine's own rules."""
    made = json.dumps(answer).encode() if isinstance(answer, dict) else answer
    return replay("bedrock", body=made, model=model, **{"region": "us-east-1", **how})


def failed(status: int, document: Any, headers: Mapping[str, str] | None = None, **fields: Any) -> Any:
    """The plugin's reading of an error answer: an error or None."""
    fail = exchange("hi", **fields).fail
    assert fail is not None
    return fail(Failure(status, headers or {}, json.dumps(document).encode(), document))


@cache
def service() -> Any:
    """botocore's model of the service."""
    return botocore.session.Session().get_service_model("bedrock-runtime")


def botocores(answer: bytes, operation: str) -> dict[str, Any]:
    """A whole answer as botocore's own parser reads it."""
    shape = service().operation_model(operation).output_shape
    raw = {"status_code": 200, "headers": {"content-type": "application/json"}, "body": answer}
    parsed: dict[str, Any] = RestJSONParser().parse(raw, shape)
    return parsed


def botocores_events(answer: bytes, operation: str) -> list[dict[str, Any]]:
    """The events of a stream as botocore's own parser reads them."""
    shape = service().operation_model(operation).get_event_stream_output()
    buffer = EventStreamBuffer()
    buffer.add_data(answer)
    return [EventStreamJSONParser().parse(event.to_response_dict(), shape) for event in buffer]


@dataclass(frozen=True)
class Recording:
    """One recorded exchange of Converse or InvokeModel."""

    name: str
    model: str
    verb: str
    region: str
    asked: dict[str, Any] | None
    status: int
    headers: dict[str, str]
    answer: bytes

    @property
    def api(self) -> str:
        """The surface it belongs to."""
        return "converse" if self.verb.startswith("conv") else "invoke"

    @property
    def streamed(self) -> bool:
        """Was it asked for as a stream?"""
        return self.verb.endswith("stream")

    @property
    def binary(self) -> bool:
        """Is the answer a binary event stream?"""
        return self.answer[:1] == b"\0"

    def read(self, *pieces: bytes) -> Any:
        """Our completion, or the error is raised."""
        return replay(
            "bedrock", status=self.status, headers=self.headers, body=list(pieces) or self.answer, model=self.model,
            api=self.api, stream=self.streamed, region=self.region,
        )  # fmt: skip


@cache
def recordings() -> list[Recording]:
    """Every recorded exchange of these surfaces, in the order of the files; embeddings are another question."""
    root = corpus()
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.json"))]
    return [item for path in paths for item in _of_file(path, root)]


def _of_file(path: Path, root: Path) -> Iterator[Recording]:
    file = json.loads(path.read_text())
    for number, item in enumerate(file["exchanges"]):
        url, answer = urlsplit(item["request"]["url"]), item["response"]
        if "/model/" not in url.path or "embed" in url.path:
            continue
        model, verb = url.path.partition("/model/")[2].rsplit("/", 1)
        yield Recording(
            name=f"{path.relative_to(root)}#{number}",
            model=unquote(model) if model != "unknown" else str(file["model"] or "anthropic.claude"),
            verb=verb,
            region=(url.hostname or "").split(".")[1],
            asked=item["request"].get("json"),
            status=answer["status"],
            headers={name.lower(): value for name, value in answer["headers"].items()},
            answer=_bytes(answer),
        )


def _bytes(answer: dict[str, Any]) -> bytes:
    text = answer.get("body_b64") or answer.get("body_text") or ""
    if "json" in answer:
        return json.dumps(answer["json"]).encode()
    return base64.b64decode(text) if text[:3] == "AAA" else text.encode()


def corpus() -> Path:
    """The folder of recordings: BYOLLM_CORPUS, or `shared/corpus` beside a folder above this one."""
    named = os.environ.get("BYOLLM_CORPUS")
    if named:
        return Path(named)
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "corpus").is_dir():
            return folder / "shared" / "corpus"
    raise AssertionError("no recordings: set BYOLLM_CORPUS to their folder")
