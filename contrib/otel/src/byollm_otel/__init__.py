"""Spans and metrics by the GenAI conventions of OpenTelemetry, and a port for Prometheus. No content, no key.

An observer for the file's `observers:`.
"""

from byollm_otel.names import NEWEST, V1_41, Conventions, conventions
from byollm_otel.observer import Telemetry

__all__ = ["NEWEST", "V1_41", "Conventions", "Telemetry", "conventions"]
