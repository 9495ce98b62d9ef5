"""The observer: spans and metrics for OpenTelemetry, and a port for Prometheus when asked.

observers:
  - otel: {prometheus: {port: 9464}}
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from byollm.config.option_words import sentence_of
from byollm.errors import ByollmError, ConfigError
from byollm_otel.attempts import Names, Place, place_of
from byollm_otel.names import conventions
from byollm_otel.opentelemetry import Recorder

if TYPE_CHECKING:
    from byollm.plugin import Call
    from byollm.types.completion import Attempt
    from byollm_otel.prometheus import Port

AGAIN: Final = 60.0
"""Seconds until a port that could not be opened is tried once more."""


class PrometheusSettings(BaseModel):
    """`prometheus:`: where it may fetch. `port` 0 takes a free one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    port: int = Field(default=9464, ge=0, le=65535)
    address: str = "127.0.0.1"


class Settings(BaseModel):
    """`conventions`: `1.41` or `latest` (default: what OTEL_SEMCONV_STABILITY_OPT_IN asks for, else 1.41). `spans` and
    `metrics`: whether OpenTelemetry gets them (default: both). `prometheus`: open a port for it (default: none).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    conventions: Literal["1.41", "latest"] | None = None
    spans: bool = True
    metrics: bool = True
    prometheus: PrometheusSettings | None = None


class Telemetry:
    """Tells OpenTelemetry and Prometheus of every attempt. The options are those of `Settings`.

    The port is opened with the first call. Raises ConfigError for bad options.
    """

    def __init__(self, **options: Any) -> None:
        self.settings = _read(options)
        self._recorder: Recorder | None = None
        self._port: Port | None = None
        self._making = threading.Lock()
        self._tasks = Names()
        self._note = f"otel {id(self):x}"
        self._again = 0.0

    @property
    def port(self) -> int | None:
        """The number of the open port; None before the first call, and where none was asked for."""
        return None if self._port is None else self._port.number

    def started(self, call: Call, deployment: str) -> None:
        """An attempt begins."""
        recorder = self._recorder or self._made()
        place = place_of(call, deployment, self._tasks)
        call.notes[self._note] = place, recorder.started(call, place)
        port = self._opened()
        if port is not None:
            port.in_flight.labels(deployment).inc()

    def finished(self, call: Call, attempt: Attempt) -> None:
        """An attempt is over."""
        recorder, found = self._recorder, call.notes.pop(self._note, None)
        if recorder is None or found is None:
            return
        place: Place = found[0]
        recorder.finished(call, attempt, place, found[1])
        if self._port is not None:
            self._port.in_flight.labels(place.deployment).dec()
            self._port.finished(attempt, place)

    def withdrawn(self, call: Call, deployment: str) -> None:
        """Another observer would not have it sent."""
        found = call.notes.pop(self._note, None)
        if found is None:
            return
        if found[1] is not None:
            found[1].set_attribute("byollm.sent", "no")
            found[1].end()
        if self._port is not None:
            self._port.in_flight.labels(deployment).dec()

    def refused(self, call: Call, error: ByollmError) -> None:
        """Nobody may answer."""
        task = self._tasks.bounded(call.task or "")
        (self._recorder or self._made()).refused(task, type(error).__name__)
        port = self._opened()
        if port is not None:
            port.refused.labels(task, type(error).__name__).inc()

    def close(self) -> None:
        """The client is closed: so is the port, when no other client has it."""
        with self._making:
            port, self._port = self._port, None
        if port is not None and self.settings.prometheus is not None:
            from byollm_otel.prometheus import left

            left(self.settings.prometheus.address, self.settings.prometheus.port)

    def _made(self) -> Recorder:
        with self._making:
            if self._recorder is None:
                settings = self.settings
                version = conventions(settings.conventions)
                self._recorder = Recorder(version, spans=settings.spans, measures=settings.metrics)
            return self._recorder

    def _opened(self) -> Port | None:
        asked = self.settings.prometheus
        if asked is None or self._port is not None or time.monotonic() < self._again:
            return self._port
        with self._making:
            if self._port is None:
                from byollm_otel.prometheus import taken

                self._again = time.monotonic() + AGAIN
                self._port = taken(asked.address, asked.port)
                self._again = 0.0
            return self._port


def _read(options: dict[str, Any]) -> Settings:
    try:
        return Settings(**options)
    except ValidationError as error:
        problem = f"otel: {sentence_of(error, Settings)}"
    raise ConfigError(problem, hint="- otel: {conventions: latest, prometheus: {port: 9464}}")
