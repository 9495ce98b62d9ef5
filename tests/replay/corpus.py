"""The recorded exchanges: where they are, what each one is, and its bytes as they came.

The corpus is not part of this repository. It is looked for in the folder that the environment variable
BYOLLM_CORPUS names, else in a `shared/corpus` beside the repository or beside a folder above it. Its absence is an
error, never a skip.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

DIALECTS = (
    "openai-chat",
    "openai-responses",
    "anthropic-messages",
    "gemini",
    "ollama-api-chat",
    "cohere-v2-chat",
    "bedrock",
    "bedrock-converse",
    "bedrock-converse-stream",
    "bedrock-invoke",
)

Kind = Literal["complete", "count", "elsewhere"]


class CorpusAbsentError(FileNotFoundError):
    """There is no corpus to replay: that is a failure of the lane, not a reason to pass."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its answer.

    `id` is `provider/feature/name.json#index`. `dialect` is the wire the answer speaks; `kind` says what the endpoint
    is for: `complete` (an answer of a model), `count` (tokens of a request), `elsewhere` (model lists, threads: not a
    question byollm asks). `request` is the JSON body that was sent, None when the recorder did not keep it. `body` is
    the answer's bytes; `chunk_sizes` the sizes of the network's pieces, empty when not known.
    """

    id: str
    provider: str
    feature: str
    model: str | None
    dialect: str
    kind: Kind
    method: str
    url: str
    request: Any = field(repr=False)
    request_headers: Mapping[str, str] = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    chunk_sizes: tuple[int, ...] = field(repr=False)
    fidelity: str = field(repr=False)
    cuts: tuple[str, ...] = field(repr=False)

    @property
    def file(self) -> str:
        """The recording this exchange belongs to: `provider/feature/name.json`."""
        return self.id.rpartition("#")[0]

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream of events and not one JSON document."""
        if self.dialect == "ollama-api-chat":
            return len(self.body.strip().splitlines()) > 1
        return bool(self.body.strip()) and self.body.lstrip()[:1] not in (b"{", b"[")

    @property
    def asked_to_stream(self) -> bool:
        """Whether the caller asked for a stream; where the request was not kept, the answer tells."""
        if self.dialect == "ollama-api-chat" and isinstance(self.request, dict) and self.request:
            return bool(self.request.get("stream", True))
        if isinstance(self.request, dict) and self.dialect != "ollama-api-chat":
            in_path = (":streamRawPredict", ":streamGenerateContent", "/converse-stream", "-with-response-stream")
            return bool(self.request.get("stream")) or any(verb in self.url for verb in in_path)
        return self.streamed

    def pieces(self) -> list[bytes]:
        """The body cut where the network cut it; one piece when that was not recorded."""
        pieces, start = [], 0
        for size in self.chunk_sizes:
            pieces.append(self.body[start : start + size])
            start += size
        return [*pieces, self.body[start:]] if start < len(self.body) else pieces


@cache
def corpus_folder() -> Path:
    """The folder of the recordings. Raises CorpusAbsentError when there is none."""
    named = os.environ.get("BYOLLM_CORPUS")
    if named:
        return _must_hold_recordings(Path(named))
    for folder in Path(__file__).resolve().parents:
        candidate = folder / "shared" / "corpus"
        if candidate.is_dir():
            return _must_hold_recordings(candidate)
    raise CorpusAbsentError("no shared/corpus beside the repository, and BYOLLM_CORPUS is not set: nothing to replay")


def _must_hold_recordings(folder: Path) -> Path:
    if next(folder.glob("*/*/*.json"), None) is None:
        raise CorpusAbsentError(f"{folder} holds no recordings (provider/feature/name.json): nothing to replay")
    return folder


def exchanges(provider: str = "*") -> Iterator[Exchange]:
    """Every exchange of every file (of one provider) that speaks one of the dialects, in the order of their ids."""
    folder = corpus_folder()
    for path in sorted(folder.glob(f"{provider}/*/*.json")):
        document = json.loads(path.read_bytes())
        if not set(DIALECTS).isdisjoint(document["dialect"]):
            yield from _of_file(path.relative_to(folder).as_posix(), document)


def _of_file(name: str, document: Mapping[str, Any]) -> Iterator[Exchange]:
    for index, recorded in enumerate(document["exchanges"]):
        request, response = recorded["request"], recorded["response"]
        body = body_bytes(response)
        dialect, kind = classify(request["method"], request["url"], body)
        yield Exchange(
            id=f"{name}#{index}",
            provider=document["provider"],
            feature=document["feature"],
            model=document["model"],
            dialect=dialect,
            kind=kind,
            method=request["method"],
            url=request["url"],
            request=request.get("json"),
            request_headers=request["headers"],
            status=response["status"],
            headers=response["headers"],
            body=body,
            chunk_sizes=tuple(response.get("network_chunk_sizes") or ()),
            fidelity=document["fidelity"],
            cuts=tuple(cut["where"] for cut in document["cuts"]),
        )


def body_bytes(response: Mapping[str, Any]) -> bytes:
    """The answer's bytes: a JSON body is written out again, text is encoded, base64 is undone."""
    if "json" in response:
        return json.dumps(response["json"]).encode()
    if "body_b64" in response:
        return base64.b64decode(response["body_b64"])
    text = str(response.get("body_text") or "")
    if text[:3] == "AAA" and "eventstream" in str(response["headers"].get("content-type")):
        return base64.b64decode(text)  # some recorders keep a binary stream as base64 and say nothing of it
    return text.encode()


def classify(method: str, url: str, body: bytes) -> tuple[str, Kind]:
    """Which wire an exchange speaks and what its endpoint is for, from the URL, the method and, last, the body."""
    path = urlsplit(url).path
    if method == "POST" and path.endswith((":generateContent", ":streamGenerateContent", ":countTokens")):
        if b'"cachedContents/' in body[:200]:  # a cache being made: the recorder guessed the URL
            return "", "elsewhere"
        return "gemini", "count" if path.endswith(":countTokens") else "complete"
    if method == "POST" and "/model/" in path:
        return _bedrock(path)
    if method == "POST" and path.endswith("/api/chat"):
        # Two answers of Ollama's Chat Completions were recorded under the URL of its native chat.
        return ("openai-chat" if b'"choices"' in body[:400] else "ollama-api-chat"), "complete"
    if path.endswith(("/input_tokens", "/count_tokens")):
        return ("openai-responses" if path.endswith("/input_tokens") else "anthropic-messages"), "count"
    if method == "POST" and path.endswith("/v2/chat"):
        return "cohere-v2-chat", "complete"
    if method == "POST" and path.endswith("/chat/completions"):
        return "openai-chat", "complete"
    if method == "POST" and path.endswith("/responses"):
        # The URL of two recordings was guessed by the recorder; their bodies are Chat from the first key on.
        return ("openai-chat" if b'"choices"' in body[:400] else "openai-responses"), "complete"
    if method == "POST" and path.endswith((":rawPredict", ":streamRawPredict")) and "/publishers/anthropic/" in path:
        return "anthropic-messages", "complete"
    if method == "POST" and path.endswith("/messages") and "/threads/" not in path:
        return "anthropic-messages", "complete"
    return "", "elsewhere"


def _bedrock(path: str) -> tuple[str, Kind]:
    verb = path.rpartition("/")[2]
    if verb == "count-tokens":
        return "bedrock-converse", "count"
    if verb.startswith("invoke"):
        return ("", "elsewhere") if "embed" in path else ("bedrock-invoke", "complete")
    return "bedrock-converse", "complete"
