"""Lines as OpenTelemetry log records, through whatever provider the program set up. Only the API package is needed."""

from __future__ import annotations

from typing import Any

from byollm.errors import PluginError


class OtelSink:
    """Raises PluginError where opentelemetry-api is not installed."""

    def __init__(self) -> None:
        self._logs = _api()

    def send(self, line: bytes, kind: str, operation: str | None, at: float) -> None:
        """One log record: the line is its body, `byollm.audit` its event name."""
        logs = self._logs
        attributes = {"byollm.audit.kind": kind} | ({"byollm.operation": operation} if operation else {})
        logs.get_logger("byollm-audit").emit(
            timestamp=int(at * 1e9),
            severity_number=logs.SeverityNumber.INFO,
            body=line.decode("utf-8", "replace"),
            attributes=attributes,
            event_name="byollm.audit",
        )

    def close(self) -> None:
        """The provider is the program's."""


def _api() -> Any:
    try:
        from opentelemetry import _logs
    except ImportError:
        pass
    else:
        return _logs
    raise PluginError("audit: `forward: [otel]` needs opentelemetry-api", hint="pip install byollm-audit[otel]")
