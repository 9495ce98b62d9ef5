"""Every recorded answer of Groq: read without error, or refused with the class that its words mean."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from byollm import testing
from byollm.errors import ByollmError

KNOWN = {"ModelNotFoundError": 6, "InvalidRequestError": 3}
"""Errors among the recordings, with how often: models that are gone or were never there; generations that broke, two of
them inside a stream."""


def exchanges() -> Iterator[dict[str, Any]]:
    named = os.environ.get("BYOLLM_CORPUS")
    beside = (folder / "shared" / "corpus" for folder in Path(__file__).resolve().parents)
    root = Path(named) if named else next(folder for folder in beside if folder.is_dir())
    for path in sorted((root / "groq").rglob("*.json")):
        for exchange in json.loads(path.read_bytes())["exchanges"]:
            url = exchange["request"]["url"].partition("?")[0]
            if exchange["request"]["method"] == "POST" and url.endswith("/chat/completions"):
                yield exchange


def seen(response: dict[str, Any]) -> str:
    body = (json.dumps(response["json"]) if "json" in response else response.get("body_text") or "").encode()
    streamed = body.lstrip()[:1] != b"{"
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    try:
        whole, cut = (
            testing.replay("groq", status=response["status"], headers=response["headers"], body=given, stream=streamed)
            for given in (body, pieces)
        )
    except ByollmError as error:
        return type(error).__name__
    assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
    return str(whole.finish_reason)


def test_recordings_are_read() -> None:
    """Answers end in stop, length or tool_calls; the rest is what the list above says."""
    found = Counter(seen(exchange["response"]) for exchange in exchanges())

    assert 80 <= sum(found[word] for word in ("stop", "length", "tool_calls"))
    assert KNOWN == {name: times for name, times in found.items() if name.endswith("Error")}
