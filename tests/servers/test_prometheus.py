"""Debian's Prometheus fetches what byollm counts, and answers questions about it."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byollm import Client
from byollm.errors import ServerError
from byollm_otel import Telemetry
from byollm_sandbox import serve
from tests.servers.debian import environment, unpacked

CONFIGURATION = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: byollm
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Prometheus:
    """The running server: `ask` is its query API."""

    def __init__(self, url: str, words: Path) -> None:
        self.url = url
        self.words = words

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that answer a query now; none while the server is not ready."""
        try:
            with OPENER.open(
                f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=5
            ) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        except OSError:
            return []

    def wait(self, query: str) -> list[dict[str, Any]]:
        """The same, once there is an answer."""
        until = time.monotonic() + 30
        while not (found := self.ask(query)):
            assert time.monotonic() < until, self.words.read_text()
            time.sleep(0.1)
        return found


@pytest.fixture
def port() -> int:
    """Where byollm is fetched from."""
    return free_port()


@pytest.fixture
def prometheus(port: int, tmp_path: Path) -> Iterator[Prometheus]:
    """Debian's server with a configuration of its own."""
    root = unpacked("prometheus")
    here = free_port()
    (tmp_path / "prometheus.yml").write_text(CONFIGURATION.format(port=port))
    program = [root / "usr/bin/prometheus", f"--config.file={tmp_path / 'prometheus.yml'}"]
    program += [f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{here}"]
    words = tmp_path / "words"
    with words.open("w") as told:
        running = subprocess.Popen([str(it) for it in program], env=environment(root), stdout=told, stderr=told)
    try:
        yield Prometheus(f"http://127.0.0.1:{here}", words)
    finally:
        running.terminate()
        running.wait(20)


def test_prometheus_has_every_attempt(prometheus: Prometheus, port: int) -> None:
    """By deployment and outcome; tokens, money and time beside them."""
    telemetry = Telemetry(spans=False, metrics=False, prometheus={"port": port})
    with serve() as twin:
        price = {"input": 1000, "output": 2000, "currency": "EUR"}
        target = {"provider": "custom", "model": "m", "endpoint": twin.url("openai-chat"), "api_key": "k-1234567890"}
        config = {"deployments": {"a": {**target, "pricing": price}}, "tasks": {"sums": {"route": ["a"]}}}
        with Client({"llm_config": config}, observers=[telemetry]) as client:
            replies = [client.complete("hi") for _ in range(3)]
            twin.script(*[ServerError("down")] * 9)
            with pytest.raises(ServerError) as caught:
                client.complete("hi")
            failed = len(caught.value.attempts)
            counted = prometheus.wait(f'byollm_attempts_total{{outcome="ServerError"}} == {failed}')
            answered = prometheus.wait('byollm_attempts_total{outcome="answered"}')
            tokens = prometheus.wait('byollm_tokens_total{kind="output"}')
            cost = prometheus.wait("byollm_cost_total")
            slowest = prometheus.wait("histogram_quantile(0.99, byollm_attempt_seconds_bucket)")

    assert ("a", "custom", "m", "sums") == tuple(
        counted[0]["metric"][name] for name in ("deployment", "provider", "model", "task")
    )
    assert [3.0] == [float(each["value"][1]) for each in answered]
    assert sum(reply.usage.output_tokens or 0 for reply in replies) == float(tokens[0]["value"][1])
    assert float(sum(reply.cost or 0 for reply in replies)) == pytest.approx(float(cost[0]["value"][1]))
    assert "EUR" == cost[0]["metric"]["currency"]
    assert 0 < float(slowest[0]["value"][1]) < 82
