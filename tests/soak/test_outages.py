"""While one deployment is healthy everybody is answered, whatever becomes of the others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import byollm
from tests.benchmarks.server import MARKER, PIECE, TEXT
from tests.soak.conftest import Ill, scaled

WAYS = ("refused", "reset", "overloaded", "hanging", "dripping", "cut", "cut_late")
CALLS = 50_000
"""Over all ways of failing."""
PROMPT = MARKER.decode()
WHOLE = PIECE * 5
FAST = {"connect": 0.5, "first_byte": 0.5, "idle": 0.5, "total": 20}


def target(port: int | str, **more: Any) -> dict[str, Any]:
    endpoint = port if isinstance(port, str) else f"http://127.0.0.1:{port}"
    fixed = {"provider": "custom", "model": "bench-short", "authentication": "none", "timeout": FAST}
    return {**fixed, "endpoint": endpoint, **more}


def answered(client: byollm.Client, number: int) -> None:
    """One call; every second one streams. Raises when it gets no answer."""
    if number % 2:
        text = ""
        with client.stream(PROMPT) as stream:
            for event in stream:
                if isinstance(event, byollm.Started) and event.restarted:
                    text = ""
                text += event.text if isinstance(event, byollm.TextDelta) else ""
        assert WHOLE == text
    else:
        assert WHOLE == client.complete(PROMPT).text


def crowd(calls: int, work: Callable[[int], None]) -> Counter[str]:
    """Eight threads share the calls; how often each outcome came."""
    numbers = iter(range(calls))
    lock, outcomes = threading.Lock(), Counter[str]()

    def run() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                work(number)
                outcome = "answered"
            except byollm.errors.ByollmError as error:
                outcome = type(error).__name__
            with lock:
                outcomes[outcome] += 1

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("way", WAYS)
def test_one_healthy_deployment_answers_all(
    way: str, ill: Callable[[str], Ill], healthy: str, told: Callable[..., None]
) -> None:
    """The first deployment fails in one way from beginning to end: at least 99.99 % of the calls are answered, whole.

    A cut after content is answered from the beginning by the other one, as the file asks for.
    """
    sick = ill(way)
    calls = scaled(CALLS // len(WAYS), 300)
    restart = {"retries": {"on_cut": "restart"}} if way == "cut_late" else {}
    config = target(sick.port, failover=[target(healthy)], **restart)
    with byollm.Client(config) as client:
        outcomes = crowd(calls, lambda number: answered(client, number))

    told(calls=calls, answered=outcomes["answered"], reached_the_sick_one=sick.asked)
    assert outcomes["answered"] >= 0.9999 * calls, outcomes
    assert sick.asked <= 100 + 0.1 * calls


def test_an_outage_of_everybody_is_not_multiplied(ill: Callable[[str], Ill], told: Callable[..., None]) -> None:
    """Two deployments, both ill: with warm breakers at most 1.2 requests are sent for a call offered."""
    sick = [ill("overloaded"), ill("overloaded")]
    calls = scaled(20_000, 500)
    with byollm.Client(target(sick[0].port, failover=[target(sick[1].port)])) as client:
        crowd(60, lambda number: answered(client, number))
        before = sum(server.asked for server in sick)
        outcomes = crowd(calls, lambda number: answered(client, number))
        sent = sum(server.asked for server in sick) - before

    told(calls=calls, requests=sent, a_call=round(sent / calls, 3))
    assert not outcomes["answered"]
    assert sent <= 1.2 * calls


def test_the_healthy_one_is_what_it_seems(healthy: str) -> None:
    """The yardstick of the others answers by itself."""
    with byollm.Client({**target(healthy), "model": "bench-whole"}) as client:
        assert TEXT == client.complete(PROMPT).text
