"""Every recorded answer of Azure: read without error, or refused with the class that its words mean."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from byollm import testing
from byollm.errors import ByollmError

KNOWN = {"InvalidRequestError": 3, "ContentFilterError": 1, "RateLimitError": 1, "ModelNotFoundError": 1}
"""Errors among the recordings, with how often: images that Azure could not read, a filtered prompt inside a 200, a rate
limit, a wrong address."""


def exchanges() -> Iterator[tuple[str, dict[str, Any]]]:
    named = os.environ.get("BYOLLM_CORPUS")
    beside = (folder / "shared" / "corpus" for folder in Path(__file__).resolve().parents)
    root = Path(named) if named else next(folder for folder in beside if folder.is_dir())
    for path in sorted([*(root / "azure-openai").rglob("*.json"), *(root / "azure-ai-foundry").rglob("*.json")]):
        for exchange in json.loads(path.read_bytes())["exchanges"]:
            url = exchange["request"]["url"].partition("?")[0]
            if exchange["request"]["method"] == "POST" and url.endswith(("/chat/completions", "/responses")):
                text = json.dumps(exchange["response"])
                # Two models of DeepSeek were recorded to answer in Chat's words at the other address.
                chat = "chat.completion" in text or not url.endswith("/responses")
                yield ("chat" if chat else "responses"), exchange["response"]


def seen(api: str, response: dict[str, Any]) -> str:
    body = (json.dumps(response["json"]) if "json" in response else response.get("body_text") or "").encode()
    streamed = body.lstrip()[:1] != b"{"
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    try:
        whole, cut = (
            testing.replay(
                "azure", status=response["status"], headers=response["headers"], body=given, stream=streamed, api=api
            )
            for given in (body, pieces)
        )
    except ByollmError as error:
        return type(error).__name__
    assert (whole.parts, whole.finish_reason, whole.usage) == (cut.parts, cut.finish_reason, cut.usage)
    filtered = re.search(rb'"prompt_filter_results":\s*\[\s*\{', body) and api == "chat"
    assert not filtered or "prompt_filter_results" in (whole.usage.details or {})
    return str(whole.finish_reason)


def test_recordings_are_read() -> None:
    """Answers end in a word of ours, filtered ones too; the rest is what the list above says."""
    found = Counter(seen(api, response) for api, response in exchanges())

    assert 100 <= sum(found[word] for word in ("stop", "length", "tool_calls"))
    assert 2 <= found["content_filter"]
    assert KNOWN == {name: times for name, times in found.items() if name.endswith("Error")}
