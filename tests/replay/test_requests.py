"""Every recorded request that was answered is read into a Request and translated back: the body is the recording.

What may differ is declared by name in `requests_chat.DEFAULTS`, `requests_responses.DEFAULTS` and
`requests_gemini.DEFAULTS`; what byollm has no words for is printed by reason.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from byollm.plugin import Exchange, Target
from byollm_google import provider as google
from byollm_openai import provider as openai
from byollm_openai_compatible import custom
from byollm_vertex import provider as vertex
from tests.replay import corpus, requests_chat, requests_gemini, requests_responses

LANES: dict[str, tuple[Any, str, int]] = {
    "openai-chat": (requests_chat, "chat", 1_000),
    "openai-responses": (requests_responses, "responses", 170),
    "gemini": (requests_gemini, "gemini", 90),
}
FOLDERS = {"google": "google-gemini", "vertex": "google-vertex"}
"""Where one dialect has several owners: whose recordings are whose."""
EXPRESSIBLE_AT_LEAST = 0.85


@cache
def answered(dialect: str, owner: str = "") -> list[corpus.Exchange]:
    """The exchanges whose request was kept and answered, as far as they are the owner's."""
    return [
        _with_model(found) if dialect == "gemini" else found
        for found in corpus.exchanges(FOLDERS.get(owner, "*"))
        if found.dialect == dialect
        and found.kind == "complete"
        and found.status < 400
        and isinstance(found.request, dict)
    ]


def _with_model(found: corpus.Exchange) -> corpus.Exchange:
    """Gemini's model stands in the path: here it is said in the body, as at the others."""
    model = unquote(urlsplit(found.url).path.rpartition("/models/")[2].rpartition(":")[0])
    return replace(found, request={**found.request, "model": model})


def translated(plugin: Any, body: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The body read and said again by a plugin's own translator, before `fit()`."""
    lane, api, _ = LANES[dialect]
    name = plugin.manifest.name
    project = {"project": "p1"} if plugin is vertex else {}
    target = Target(
        provider=name,
        model=body.get("model", ""),
        endpoint="http://127.0.0.1:9/v1",
        api=api,
        options={**lane.options(body), **project},
    )
    exchange = plugin.complete(lane.read(body, name), target)
    assert isinstance(exchange, Exchange)
    made: dict[str, Any] = json.loads(exchange.request.body)
    return made


@pytest.mark.parametrize(("dialect", "plugin"), [
    ("openai-chat", custom), ("openai-responses", custom), ("openai-responses", openai), ("gemini", google),
    ("gemini", vertex),
], ids=["chat-custom", "responses-custom", "responses-openai", "gemini-google", "gemini-vertex"])  # fmt: skip
def test_every_expressible_request_is_said_again_as_it_was(dialect: str, plugin: Any) -> None:
    """Equal as JSON, but for the declared defaults."""
    lane, _, least = LANES[dialect]
    recorded = answered(dialect, plugin.manifest.name)
    reasons = Counter(lane.inexpressible(found.request) for found in recorded)
    expressible = [found for found in recorded if not lane.inexpressible(found.request)]
    different = [
        found.id
        for found in expressible
        if lane.canonical(found.request) != lane.canonical(translated(plugin, found.request, dialect))
    ]

    print(f"\n{dialect} by {plugin.manifest.name}: {len(expressible)} of {len(recorded)} are expressible")
    for reason, count in reasons.items():
        print(f"  {count:>4} {reason}" if reason else f"  {count:>4} expressible", end="\n")
    for name, meaning in lane.DEFAULTS.items():
        print(f"  declared default, {name}: {meaning}")
    assert [] == different
    assert least <= len(expressible)
    assert EXPRESSIBLE_AT_LEAST <= len(expressible) / len(recorded)


def test_every_recording_of_gemini_has_its_owner() -> None:
    """AI Studio's and Vertex's together are all there are."""
    kept = [len(answered("gemini", name)) for name in FOLDERS]

    assert sum(kept) == len(answered("gemini"))


def test_the_defaults_hide_no_difference() -> None:
    """`canonical` undoes forms only: another text, tool, number or name stays another."""
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "a"}],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "temperature": 0.5,
        "stop": "x",
    }
    others: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": "b"}]},
        {"messages": [{"role": "assistant", "content": "a"}]},
        {"tools": [{"type": "function", "function": {"name": "g"}}]},
        {"temperature": 0.6},
        {"stop": ["y"]},
        {"seed": 1},
        {"model": "n"},
    ]

    for other in others:
        assert requests_chat.canonical(body) != requests_chat.canonical({**body, **other})


def test_the_defaults_of_gemini_hide_no_difference() -> None:
    """Nor do Gemini's: an id, a signature, an order of texts, a schema and a setting stay what they are."""
    call = {"functionCall": {"name": "f", "args": {"a": 1}, "id": "1"}, "thoughtSignature": "QQ=="}
    answer = {"functionResponse": {"name": "f", "response": {"b": 2}, "id": "1"}}
    body: dict[str, Any] = {
        "model": "gemini-3-flash",
        "contents": [
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [answer]},
        ],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"properties": {"a": {}}}}]}],
        "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}, "temperature": 1},
    }
    changes = [
        ('"id": "1"', '"id": "2"'),
        ('"QQ=="', '"Qg=="'),
        ('{"text": "a"}, {"text": "b"}', '{"text": "b"}, {"text": "a"}'),
        ('{"a": 1}', '{"a": 2}'),
        ('{"b": 2}', '{"b": 3}'),
        ('"s"', '"t"'),
        ('{"a": {}}', '{"b": {}}'),
        ('"LOW"', '"HIGH"'),
        ('"temperature": 1', '"temperature": 0'),
        ('"temperature": 1', '"topP": 1'),
        ('"model", "parts"', '"user", "parts"'),
    ]

    for before, after in changes:
        other = json.loads(json.dumps(body).replace(before, after))
        assert other != body
        assert requests_gemini.canonical(body) != requests_gemini.canonical(other)
