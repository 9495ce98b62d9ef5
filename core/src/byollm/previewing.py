"""A request as it would be sent, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from byollm.engine.outgoing import final_headers, final_url
from byollm.errors import UnsupportedFeatureError
from byollm.wire.auth import HeaderKey, NoAuth
from byollm.wire.exchange import Exchange
from byollm.wire.json import parse_json
from byollm.wire.redact import MASK, masked_headers

if TYPE_CHECKING:
    from byollm.engine.line import Line
    from byollm.types.completion import Adjustment
    from byollm.types.request import Request


@dataclass(frozen=True, slots=True)
class Preview:
    """A request as it would be sent. Credential headers are masked; `body` is the JSON document."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    adjustments: tuple[Adjustment, ...]
    provider: str
    model: str
    deployment: str

    def __str__(self) -> str:
        import json

        lines = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items()), ""]
        return "\n".join([*lines, json.dumps(self.body, indent=2, ensure_ascii=False)])


def preview(line: Line, request: Request) -> Preview:
    """A request as one deployment translates it, credentials masked. Raises UnsupportedFeatureError and PluginError."""
    fitted = line.deployment.fit(line.with_extra(request))
    asked = line.deployment.exchange(fitted.request)
    fitted = line.deployment.noted(fitted, asked)
    if not isinstance(asked, Exchange):
        raise UnsupportedFeatureError(f"{line.name} is an in-process model: there is no request to show")
    headers = dict(masked_headers(final_headers(line, asked.request)))
    headers |= dict.fromkeys(_credential_names(line, asked), MASK)
    try:
        body = parse_json(asked.request.body)
    except ValueError:
        body = asked.request.body.decode("utf-8", "replace")
    return Preview(
        asked.request.method,
        final_url(line, asked.request.url),
        headers,
        body,
        fitted.adjustments,
        line.provider,
        line.model,
        line.name,
    )


def _credential_names(line: Line, exchange: Exchange[Any]) -> list[str]:
    scheme = line.auth_for(exchange)
    if isinstance(scheme, NoAuth):
        return line.credentials.header_names
    return [scheme.header if isinstance(scheme, HeaderKey) else "authorization", *line.credentials.header_names]
