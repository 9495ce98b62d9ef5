"""Every recorded request that was answered is read into a Request and translated back: the body is the recording.

What may differ is declared by name in `requests_chat.DEFAULTS` and `requests_responses.DEFAULTS`; what byollm has no
words for is printed by reason.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from byollm.plugin import Exchange, Target
from byollm_openai import provider as openai
from byollm_openai_compatible import custom
from tests.replay import corpus, requests_chat, requests_responses

LANES: dict[str, tuple[Any, str, int]] = {
    "openai-chat": (requests_chat, "chat", 1_000),
    "openai-responses": (requests_responses, "responses", 170),
}
EXPRESSIBLE_AT_LEAST = 0.85


@cache
def answered(dialect: str) -> list[corpus.Exchange]:
    """The exchanges whose request was kept and answered."""
    return [
        found
        for found in corpus.exchanges()
        if found.dialect == dialect
        and found.kind == "complete"
        and found.status < 400
        and isinstance(found.request, dict)
    ]


def translated(plugin: Any, body: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The body read and said again by a plugin's own translator, before `fit()`."""
    lane, api, _ = LANES[dialect]
    name = plugin.manifest.name
    target = Target(
        provider=name,
        model=body.get("model", ""),
        endpoint="http://127.0.0.1:9/v1",
        api=api,
        options=lane.options(body),
    )
    exchange = plugin.complete(lane.read(body, name), target)
    assert isinstance(exchange, Exchange)
    made: dict[str, Any] = json.loads(exchange.request.body)
    return made


@pytest.mark.parametrize(("dialect", "plugin"), [
    ("openai-chat", custom), ("openai-responses", custom), ("openai-responses", openai),
], ids=["chat-custom", "responses-custom", "responses-openai"])  # fmt: skip
def test_every_expressible_request_is_said_again_as_it_was(dialect: str, plugin: Any) -> None:
    """Equal as JSON, but for the declared defaults."""
    lane, _, least = LANES[dialect]
    reasons = Counter(lane.inexpressible(found.request) for found in answered(dialect))
    expressible = [found for found in answered(dialect) if not lane.inexpressible(found.request)]
    different = [
        found.id
        for found in expressible
        if lane.canonical(found.request) != lane.canonical(translated(plugin, found.request, dialect))
    ]

    print(f"\n{dialect} by {plugin.manifest.name}: {len(expressible)} of {len(answered(dialect))} are expressible")
    for reason, count in reasons.items():
        print(f"  {count:>4} {reason}" if reason else f"  {count:>4} expressible", end="\n")
    for name, meaning in lane.DEFAULTS.items():
        print(f"  declared default, {name}: {meaning}")
    assert [] == different
    assert least <= len(expressible)
    assert EXPRESSIBLE_AT_LEAST <= len(expressible) / len(answered(dialect))


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
