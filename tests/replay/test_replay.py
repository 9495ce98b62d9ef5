"""The replay lane: every recorded answer is read by the plugins as an independent reader says it must be read.

`expected.py` reads the same bytes without byollm. Here the plugins read them, whole and in the network's own pieces,
and each field is compared. What no reader can be held to stands in `unreadable.toml`, our own misses in `misses.toml`,
both by name and reason, and both are printed.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from byollm import testing
from byollm.errors import ByollmError
from byollm.types.completion import Completion
from tests.replay import corpus
from tests.replay.corpus import Exchange
from tests.replay.expected import expect, unreadable
from tests.replay.values import Call, Expected, parsed_arguments

MISSES = Path(__file__).with_name("misses.toml")
FILES_AT_LEAST = 1_200
UNREADABLE_AT_MOST = 0.03
MISSES_AT_MOST = 0.005
USAGE = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
FIELDS = ("text", "tool_calls", "finish_reason", *USAGE, "error", "partial text")
OPENAI = ("openai-chat", "openai-responses")
OWN_READERS = ("llamacpp", "vllm", "lmstudio", "tgi", "ollama")
"""Servers whose recordings are read by their own plugins."""
HOSTED = {
    **{name: name for name in ("groq", "baseten", "openrouter", "mistral", "deepseek", "xai", "together")},
    "azure-openai": "azure",
    "azure-ai-foundry": "azure",
    "bedrock-mantle": "bedrock",
    "bedrock-openai-compat": "bedrock",
}
"""Recordings' folder → the plugin that reads it, for clouds that speak OpenAI's dialects."""

REGION = re.compile(r"://bedrock-[a-z]+\.([a-z0-9-]+)\.")
"""Where a recorded host of Bedrock stands."""


def reader_for(exchange: Exchange) -> tuple[str, str]:
    """The provider and the surface whose plugin reads this recording."""
    if exchange.dialect == "anthropic-messages":
        return ("ollama" if exchange.provider == "ollama" else "anthropic"), "messages"
    if exchange.dialect == "ollama-api-chat":
        return "ollama", "native"
    if exchange.dialect == "gemini":
        return "google", "gemini"
    if exchange.dialect.startswith("bedrock-"):
        return "bedrock", exchange.dialect.removeprefix("bedrock-")
    if exchange.dialect == "cohere-v2-chat":
        return "cohere", "chat"
    api = "responses" if exchange.dialect == "openai-responses" else "chat"
    if exchange.provider in OWN_READERS:
        return exchange.provider, api
    if exchange.provider in HOSTED:
        return HOSTED[exchange.provider], api
    return ("openai" if exchange.provider in OPENAI else "custom"), api


def read(exchange: Exchange, body: list[bytes]) -> Completion | ByollmError:
    """What byollm makes of the recorded bytes."""
    provider, api = reader_for(exchange)
    try:
        return testing.replay(
            provider,
            status=exchange.status,
            headers=exchange.headers,
            body=body,
            model=exchange.model or "a-model",
            stream=exchange.asked_to_stream,
            api=api,
            **({"region": REGION.findall(exchange.url)[0]} if provider == "bedrock" else {}),
        )
    except ByollmError as error:
        return error


def differences(expected: Expected, seen: Completion | ByollmError) -> dict[str, str]:
    """The fields in which what was read is not what must be read."""
    if expected.outcome == "error":
        return _error_differences(expected, seen)
    if isinstance(seen, ByollmError):
        return {"error": f"{type(seen).__name__}: {seen.message}"}
    calls = tuple(Call(call.name, parsed_arguments(call.arguments)) for call in seen.tool_calls)
    values: dict[str, Any] = {"text": seen.text, "tool_calls": calls, "finish_reason": seen.finish_reason}
    values |= {name: getattr(seen.usage, name) for name in USAGE}
    return {name: f"{value!r}" for name, value in values.items() if not expected.accepts(name, value)}


def _error_differences(expected: Expected, seen: Completion | ByollmError) -> dict[str, str]:
    if not isinstance(seen, ByollmError):
        return {"error": f"read as an answer: {seen.text[:80]!r}"}
    wrong = {} if type(seen).__name__ == expected.error else {"error": f"{type(seen).__name__}: {seen.message}"}
    partial = getattr(seen, "partial", None)
    text = partial.text if partial is not None else ""
    return wrong | ({} if text == expected.text else {"partial text": repr(text[:80])})


@cache
def misses() -> dict[str, str]:
    """Recordings that we read wrongly and know it, with the reason."""
    listed = tomllib.loads(MISSES.read_text(encoding="utf-8"))
    return {entry["id"]: entry["reason"] for entry in listed.get("exchange", [])}


def judged() -> list[tuple[Exchange, Expected]]:
    """The exchanges that hold an answer or a refusal, with what must be read."""
    pairs = [(exchange, expect(exchange)) for exchange in corpus.exchanges() if exchange.kind == "complete"]
    return [(exchange, expected) for exchange, expected in pairs if expected.outcome in ("answer", "error")]


def outcomes_of(provider: str) -> Counter[str]:
    """How often the recorded answers of a provider are read, or refused with which class: for its plugin's own tests.

    Raises AssertionError where its reader says anything else than `expect` of text, calls, finish, usage or class, of
    the answer as a whole or in pieces of seven bytes.
    """
    outcomes: Counter[str] = Counter()
    for exchange in corpus.exchanges(provider):
        expected = expect(exchange)
        if expected.outcome not in ("answer", "error"):
            continue
        assert provider == reader_for(exchange)[0]
        pieces = [exchange.body[at : at + 7] for at in range(0, len(exchange.body), 7)]
        assert {} == differences(expected, read(exchange, [exchange.body])), exchange.id
        assert {} == differences(expected, read(exchange, pieces)), exchange.id
        outcomes[expected.error or "answer"] += 1
    return outcomes


def test_every_recording_is_read_as_an_independent_reader_reads_it() -> None:
    """Text, tool calls, finish reason, usage and error class, field by field; exceptions only by name."""
    compared: Counter[str] = Counter()
    wrong: dict[str, dict[str, str]] = {}
    exchanges = judged()
    for exchange, expected in exchanges:
        found = differences(expected, read(exchange, [exchange.body]))
        compared.update(("error", "partial text") if expected.outcome == "error" else FIELDS[:-2])
        if found:
            wrong[exchange.id] = found
    files = {exchange.file for exchange, _ in exchanges}
    _print(len(files), len(exchanges), compared, wrong)

    assert len(files) >= FILES_AT_LEAST
    assert len(unreadable()) < UNREADABLE_AT_MOST * len(exchanges)
    assert len(misses()) < MISSES_AT_MOST * len(exchanges)
    assert {} == {name: found for name, found in wrong.items() if name not in misses()}
    assert set() == misses().keys() - wrong.keys(), "a miss that is read rightly now must leave misses.toml"


def test_the_networks_own_pieces_change_nothing() -> None:
    """A body cut where the network cut it is read like the whole body; so is every twentieth small one, bytewise."""
    pairs = judged()
    recorded = [(exchange, exchange.pieces()) for exchange, _ in pairs if len(exchange.pieces()) > 1]
    small = [exchange for exchange, _ in pairs if len(exchange.body) < 3_000][::20]
    bytewise = [(exchange, [exchange.body[at : at + 1] for at in range(len(exchange.body))]) for exchange in small]

    for exchange, pieces in [*recorded, *bytewise]:
        assert _plain(read(exchange, [exchange.body])) == _plain(read(exchange, pieces)), exchange.id
    assert len(recorded) >= 20
    assert len(bytewise) >= 20


def _plain(seen: Completion | ByollmError) -> Any:
    if isinstance(seen, ByollmError):
        return type(seen).__name__, seen.message
    return seen.parts, seen.finish_reason, seen.raw_finish_reason, seen.usage, seen.id, seen.model


def _print(files: int, count: int, compared: Counter[str], wrong: dict[str, dict[str, str]]) -> None:
    print(f"\nreplayed {count} exchanges of {files} files")
    for name in FIELDS:
        differ = sum(name in found for found in wrong.values())
        print(f"  {name:<20} compared {compared[name]:>5}   different {differ:>3}")
    print(f"recordings no reader can be held to: {len(unreadable())}")
    for name, why in unreadable().items():
        print(f"  {name}: {why}")
    print(f"our own misses, known: {len(misses())}")
    for name, why in misses().items():
        print(f"  {name}: {why}")
    for name, found in wrong.items():
        if name not in misses():
            print(f"  WRONG {name}: {found}")
