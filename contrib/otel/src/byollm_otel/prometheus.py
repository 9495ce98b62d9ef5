"""A port for Prometheus, with metrics of byollm's own names. Labels are words of the configuration and of byollm."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from byollm.errors import PluginError
from byollm_otel.attempts import Place
from byollm_otel.names import SECONDS

if TYPE_CHECKING:
    from byollm.types.completion import Attempt

_PLACE: Final = ("deployment", "provider", "model", "task")
_TOKENS: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cached": "cached_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}
_ports: dict[tuple[str, int], Port] = {}
_lock = threading.Lock()


class Port:
    """One port of this process and what is counted for it: clients that name the same one share it."""

    def __init__(self, address: str, port: int) -> None:
        client = _client()
        self.registry = client.CollectorRegistry()
        self.users = 0
        kept = {"registry": self.registry}
        self.attempts = client.Counter("byollm_attempts", "Requests sent, by outcome", [*_PLACE, "outcome"], **kept)
        self.seconds = client.Histogram(
            "byollm_attempt_seconds", "Time that an attempt took", _PLACE, buckets=SECONDS, **kept
        )
        self.first = client.Histogram(
            "byollm_first_content_seconds", "Time until a stream's first content", _PLACE, buckets=SECONDS, **kept
        )
        self.tokens = client.Counter("byollm_tokens", "Tokens as providers told them", [*_PLACE, "kind"], **kept)
        self.cost = client.Counter("byollm_cost", "Money, as far as prices are known", [*_PLACE, "currency"], **kept)
        self.refused = client.Counter("byollm_refused", "Calls that nobody might answer", ["task", "reason"], **kept)
        self.in_flight = client.Gauge("byollm_in_flight", "Attempts that are under way", ["deployment"], **kept)
        self._server, self._thread = client.start_http_server(port, address, self.registry)
        self.number: int = self._server.server_port

    def finished(self, attempt: Attempt, place: Place) -> None:
        """Count an attempt."""
        labels = (place.deployment, place.provider, place.model, place.task)
        outcome = "answered" if attempt.error is None else type(attempt.error).__name__
        self.attempts.labels(*labels, outcome).inc()
        self.seconds.labels(*labels).observe(attempt.milliseconds / 1000)
        if attempt.first_milliseconds is not None:
            self.first.labels(*labels).observe(attempt.first_milliseconds / 1000)
        if attempt.cost is not None and attempt.cost >= 0:
            self.cost.labels(*labels, attempt.currency or "").inc(float(attempt.cost))
        for kind, field in _TOKENS.items() if attempt.usage is not None else ():
            count = getattr(attempt.usage, field)
            if count is not None and count > 0:
                self.tokens.labels(*labels, kind).inc(count)

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def taken(address: str, port: int) -> Port:
    """The port, opened when nobody has it yet. Raises PluginError when it cannot be opened."""
    with _lock:
        found = _ports.get((address, port))
        if found is None:
            problem = ""
            try:
                found = _ports[address, port] = Port(address, port)
            except OSError as error:
                problem = error.strerror or type(error).__name__
            if found is None:
                raise PluginError(
                    f"otel: port {port} of {address} cannot be opened for Prometheus ({problem})",
                    hint="one process has one port: name another, or 0 for a free one",
                )
        found.users += 1
        return found


def left(address: str, port: int) -> None:
    """One user less; the last one closes the port."""
    with _lock:
        found = _ports[address, port]
        found.users -= 1
        if found.users > 0:
            return
        del _ports[address, port]
    found.stop()


def _client() -> Any:
    try:
        import prometheus_client
    except ImportError:
        pass
    else:
        return prometheus_client
    raise PluginError("otel: `prometheus:` needs prometheus-client", hint="pip install byollm-otel[prometheus]")
