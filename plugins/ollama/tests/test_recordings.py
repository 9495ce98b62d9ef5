"""Every recorded exchange of the native chat: judged by the twin as Ollama judged it, and read by the plugin."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from byollm import testing
from byollm.errors import ByollmError
from byollm_sandbox import dialect_named


def exchanges() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    named = os.environ.get("BYOLLM_CORPUS")
    beside = (folder / "shared" / "corpus" for folder in Path(__file__).resolve().parents)
    root = Path(named) if named else next(folder for folder in beside if folder.is_dir())
    for path in sorted((root / "ollama").rglob("*.json")):
        for exchange in json.loads(path.read_bytes())["exchanges"]:
            if exchange["request"]["url"].endswith("/api/chat"):
                yield exchange["request"], exchange["response"]


def body_of(response: dict[str, Any]) -> bytes:
    return (json.dumps(response["json"]) if "json" in response else response.get("body_text") or "").encode()


def test_answers_are_read_whole_and_in_pieces() -> None:
    """Every answer has a reason to end; one model is not found."""
    found: Counter[str] = Counter()
    for _, response in exchanges():
        body = body_of(response)
        if b'"choices"' in body[:400]:
            continue  # two answers of another surface were recorded under this URL
        fields = {"status": response["status"], "headers": response["headers"], "stream": body.count(b"\n") > 1}
        try:
            whole = testing.replay("ollama", body=body, **fields)
        except ByollmError as error:
            found[type(error).__name__] += 1
            continue
        cut = testing.replay("ollama", body=[body[at : at + 5] for at in range(0, len(body), 5)], **fields)
        assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
        found[str(whole.finish_reason)] += 1

    assert 1 == found.pop("ModelNotFoundError")
    assert {"stop", "length", "tool_calls", "other"} >= set(found)
    assert found.total() >= 25


def test_the_twin_takes_what_ollama_took() -> None:
    """Every recorded request that was answered with 200; the refused one named a model that was not there."""
    twin = dialect_named("ollama")
    judged = [
        (response["status"], twin.validate(request["json"], {}))
        for request, response in exchanges()
        if request.get("json")
    ]

    assert len(judged) >= 20
    assert [] == [refusal for status, refusal in judged if status == 200 and refusal is not None]
