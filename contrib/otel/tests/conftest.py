"""The official SDK and exporter towards a receiver on 127.0.0.1, and a twin to ask."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from byollm_sandbox import serve
from byollm_sandbox.server import Twins

sys.path.insert(0, str(Path(__file__).parent))

from otel_receiving import Receiver  # the path comes first


@pytest.fixture(scope="session")
def _providers() -> Iterator[tuple[Receiver, MeterProvider]]:
    """Providers are set once a process: that is the API's rule."""
    receiver = Receiver()
    spans, reader = (
        OTLPSpanExporter(f"{receiver.url}/v1/traces"),
        PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.url}/v1/metrics"), 3_600_000),
    )
    tracing, measuring = TracerProvider(), MeterProvider([reader])
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(measuring)
    yield receiver, measuring
    tracing.shutdown()
    measuring.shutdown()
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def receiver(_providers: tuple[Receiver, MeterProvider], monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Nothing received yet; `metrics` are sent when `collect()` is called."""
    found, measuring = _providers
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found.spans, found.metrics, found.bytes = [], {}, b""
    found.collect = measuring.force_flush
    return found


@pytest.fixture
def twin() -> Iterator[Twins]:
    with serve() as found:
        yield found


@pytest.fixture
def target(twin: Twins) -> dict[str, Any]:
    price = {"input": 1, "output": 2, "currency": "EUR"}
    base = {"provider": "custom", "model": "sandbox-1", "endpoint": twin.url("openai-chat"), "api_key": "k-1234567890"}
    return {**base, "pricing": price}
