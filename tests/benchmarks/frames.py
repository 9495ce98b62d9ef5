"""What an event of Bedrock's binary stream costs, beside a server-sent event of the same text."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Mapping
from typing import Any

from byollm_sandbox.event_stream import event
from tests.benchmarks.server import EVENTS, PIECE, stream_bytes

PAD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
KEY = "sk-q7Zr4Vt9Xw2Ls5Ny"


def _bedrock() -> bytes:
    """The stream of server.py as ConverseStream says it, with the padding that AWS adds to every event."""

    def one(number: int, name: str, members: Mapping[str, Any]) -> bytes:
        return event(name, json.dumps({**members, "p": PAD[: 3 + number % 40]}, separators=(",", ":")).encode())

    said: list[tuple[str, Mapping[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        *[("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": PIECE}})] * EVENTS,
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 93, "outputTokens": 321, "totalTokens": 414}}),
    ]
    return b"".join(one(number, *members) for number, members in enumerate(said))


STREAMS: dict[str, tuple[dict[str, str], str, bytes]] = {
    "events of text": (
        {"provider": "custom", "endpoint": "http://127.0.0.1:9", "api_key": KEY},
        "text/event-stream",
        stream_bytes(EVENTS),
    ),
    "bedrock": (
        {"provider": "bedrock", "region": "us-east-1", "api_key": KEY},
        "application/vnd.amazon.eventstream",
        _bedrock(),
    ),
}


def client_of(name: str) -> Any:
    """A client whose every request is answered with that stream, in pieces as a socket gives them."""
    import byollm
    from byollm.transports.replay import ReplayTransport

    target, kind, body = STREAMS[name]
    client = byollm.Client({**target, "model": "us.amazon.nova-lite-v1:0"})
    pieces = [body[start : start + 4096] for start in range(0, len(body), 4096)]
    client._transport = ReplayTransport(200, {"content-type": kind}, pieces)
    return client


def text_of(client: Any) -> str:
    """All text of one stream."""
    import byollm

    with client.stream("hi") as stream:
        return "".join(event.text for event in stream if isinstance(event, byollm.TextDelta))


def binary_stream(rounds: int = 15, streams: int = 4) -> float:
    """CPU of a stream of Bedrock, each round against the same text in server-sent events: the median ratio."""
    clients = {name: client_of(name) for name in STREAMS}
    for name, client in clients.items():
        if text_of(client) != PIECE * EVENTS:
            raise SystemExit(f"the text was read wrongly: {name}")
    ratios = []
    for _ in range(rounds):
        spent = {}
        for name in random.sample(list(clients), 2):
            start = time.process_time()
            for _ in range(streams):
                text_of(clients[name])
            spent[name] = time.process_time() - start
        ratios.append(spent["bedrock"] / spent["events of text"])
    return statistics.median(ratios)
