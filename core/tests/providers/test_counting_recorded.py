"""The bounds of the count, held against what providers counted themselves in recordings."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from byollm import Image, Opaque, ProviderTool, Request
from byollm.errors import ByollmError
from byollm.providers.counting import estimate


def corpus() -> Path:
    """The recordings: beside the clone, or where BYOLLM_CORPUS says."""
    named = os.environ.get("BYOLLM_CORPUS")
    places = [Path(named)] if named else [it / "shared" / "corpus" for it in Path(__file__).resolve().parents]
    return next(place for place in places if place.is_dir())


PROVIDERS = ("openai-chat", "mistral", "groq", "deepseek", "xai", "together", "azure-openai", "moonshot")


def counted(folder: Path, *providers: str) -> Iterator[tuple[str, int, Request]]:
    """Recorded Chat requests of plain text and functions, with the prompt's tokens as the provider counted them."""
    for provider in providers:
        for path in sorted((folder / provider).rglob("*.json")):
            record = json.loads(path.read_text())
            for exchange in record["exchanges"] if not record["cuts"] else ():
                body, answer = exchange["request"].get("json"), exchange["response"]
                told = re.findall(
                    r'"prompt_tokens": ?(\d+)', json.dumps(answer.get("json")) + answer.get("body_text", "")
                )
                if isinstance(body, dict) and "messages" in body and answer["status"] == 200 and told:
                    request = asked(body)
                    if request is not None:
                        yield path.name, int(told[-1]), request


def asked(body: dict[str, Any]) -> Request | None:
    try:
        request = Request.from_openai(body)
    except ByollmError:
        return None
    parts = [part for message in request.messages for part in message.parts]
    others = any(isinstance(tool, ProviderTool) for tool in request.tools or ())
    return (
        None if others or any(isinstance(part, Image | Opaque) or hasattr(part, "media") for part in parts) else request
    )


def test_providers_count_within_the_bounds():
    """What hundreds of recorded answers say of their prompts lies between lower and upper and the server's template."""
    found = list(counted(corpus(), *PROVIDERS))
    outside = []
    for name, tokens, request in found:
        count = estimate(request)
        if not (count.lower or 0) <= tokens <= (count.upper or 0) + count.template:
            outside.append((name, tokens, count))

    assert len(found) > 250
    assert [] == outside


def test_where_no_template_is_added_the_upper_bound_alone_holds():
    """Conversations of plain text with OpenAI's own models."""
    plain = [it for it in counted(corpus(), "openai-chat") if not it[2].tools and it[2].output_schema is None]
    bounds = [(name, tokens, estimate(request, "o200k_base")) for name, tokens, request in plain]

    assert len(plain) > 30
    assert [] == [(name, tokens) for name, tokens, count in bounds if tokens > (count.upper or 0)]
