"""What the tests of a row begin with: its bodies, its errors, its streams and its recordings, asked in a line each.

A row over OpenAI's dialects is data, so its own tests are about what is odd of its server. The rest is alike for all::

    row = Row("acme", endpoint="http://127.0.0.1:8000")

    def test_seed_is_left_out():
        assert "seed" not in row.body(Request("hi", seed=7))
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from byollm import testing
from byollm.client import Client
from byollm.errors import ByollmError, ProviderError
from byollm.plugin import Capabilities, Exchange, Frame, Head, Target
from byollm.providers.discovery import load_provider
from byollm.types.completion import Completion

SSE: Final = {"content-type": "text/event-stream"}
_KEY: Final = "k-123456789"
_ENDS: Final = ("stop", "length", "tool_calls")


def stream(*chunks: Mapping[str, Any], reasoning: str | None = None) -> bytes:
    """A stream of Chat: these chunks, else two words and a usage, with a thought in the field of that name."""
    thought: list[Mapping[str, Any]] = [{"choices": [{"index": 0, "delta": {reasoning: "hm"}}]}] if reasoning else []
    said: Sequence[Mapping[str, Any]] = chunks or [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        *thought,
        {"choices": [{"index": 0, "delta": {"content": "Grüße"}}]},
        {"choices": [{"index": 0, "delta": {"content": " 🌍"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}},
    ]
    lines = [json.dumps({"id": "c", "model": "m", **chunk}, ensure_ascii=False) for chunk in said]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


def read(exchange: Exchange[Any] | Any, document: Any) -> Any:
    """What an exchange reads from a whole document."""
    (found,) = exchange.reader(Head(200, {}))(Frame("", document))
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A row under test: its provider's name, and where it is asked."""

    provider: str
    endpoint: str = "http://127.0.0.1:8000"

    def body(self, request: Any, **target: Any) -> dict[str, Any]:
        """What would be sent."""
        return dict(testing.translate(self.provider, request, **target).body)

    def place(self, api: str = "chat", endpoint: str | None = None, **fields: Any) -> Target:
        """A target of this row."""
        return Target(provider=self.provider, model="a-model", endpoint=endpoint or self.endpoint, api=api, **fields)

    def told(self, document: Any, **fields: Any) -> Capabilities:
        """What the server's own word adds to the capabilities."""
        known = load_provider(self.provider).plugin.capabilities(self.place(**fields))
        found: Capabilities = read(known.refine if known is not None else None, document)
        return found

    def refused(self, status: int, document: Any, **fields: Any) -> ProviderError:
        """The error that an answer becomes. Raises AssertionError when it becomes none."""
        try:
            testing.replay(self.provider, status=status, body=json.dumps(document).encode(), **fields)
        except ProviderError as error:
            return error
        raise AssertionError(f"a {status} is no error to {self.provider}")

    def headers(self, **target: Any) -> tuple[Mapping[str, str], str]:
        """The headers of a request, masked, and everything that its preview shows."""
        preview = Client({"provider": self.provider, "model": "m", **target}).preview("hi")
        return preview.headers, repr(preview)

    def wants_no_key(self) -> None:
        """Without a key in the file nothing is sent; with one it is a bearer token, and is not shown."""
        assert "authorization" not in self.headers()[0]
        headers, shown = self.headers(api_key=_KEY)
        assert "authorization" in headers
        assert _KEY not in shown

    def streamed(self, body: bytes, cuts: Sequence[int] = (), **fields: Any) -> Completion:
        """What a stream means. Raises AssertionError when it means something else with these cuts between its bytes."""
        edges = [0, *sorted(cuts), len(body)]
        pieces = [body[start:end] for start, end in pairwise(edges)]
        whole, cut = (
            testing.replay(self.provider, body=given, stream=True, headers=SSE, **fields) for given in (body, pieces)
        )
        assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
        return whole

    def recordings(self, here: str) -> Counter[str]:
        """Every recorded answer of the provider: how often it ends how, or in which class of error.

        Recordings lie in `shared/corpus` beside the clone in which the file `here` is, or where BYOLLM_CORPUS says.
        """
        return Counter(self._seen(api, exchange["response"]) for api, exchange in self._exchanges(here))

    def _exchanges(self, here: str) -> Iterator[tuple[str, dict[str, Any]]]:
        named = os.environ.get("BYOLLM_CORPUS")
        beside = (folder / "shared" / "corpus" for folder in Path(here).resolve().parents)
        root = Path(named) if named else next(folder for folder in beside if folder.is_dir())
        for path in sorted((root / self.provider).rglob("*.json")):
            for exchange in json.loads(path.read_bytes())["exchanges"]:
                url = exchange["request"]["url"].partition("?")[0]
                if exchange["request"]["method"] == "POST" and url.endswith(("/chat/completions", "/responses")):
                    yield ("responses" if url.endswith("/responses") else "chat"), exchange

    def _seen(self, api: str, response: Mapping[str, Any]) -> str:
        told: Any = json.dumps(response["json"]) if "json" in response else response.get("body_text") or ""
        body = told.encode()
        pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
        fields = {"status": response["status"], "headers": response["headers"], "api": api}
        try:
            whole, cut = (
                testing.replay(self.provider, body=given, stream=body.lstrip()[:1] != b"{", **fields)
                for given in (body, pieces)
            )
        except ByollmError as error:
            return type(error).__name__
        assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
        return str(whole.finish_reason)


def ended(found: Mapping[str, int]) -> int:
    """How many answers came to an end that is none of an error."""
    return sum(found.get(word, 0) for word in _ENDS)


def failed(found: Mapping[str, int]) -> dict[str, int]:
    """The classes of errors, with how often."""
    return {name: times for name, times in found.items() if name.endswith("Error")}
