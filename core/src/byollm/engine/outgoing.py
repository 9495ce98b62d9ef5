"""The last metre before a transport: a translator's request and the credentials, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from byollm.engine.credentials import Hidden, HiddenHeaders
from byollm.transports.base import Outgoing, Place, Timeouts
from byollm.types.version import VERSION
from byollm.wire.exchange import HttpRequest

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.engine.steps import Open

AUTH_BODY_LIMIT = 1024 * 1024
USER_AGENT: Final = ("user-agent", f"byollm/{VERSION}")
"""Sent unless the plugin or the file's `headers:` names another."""


def final_url(line: Line, url: str) -> str:
    """The translator's URL with the file's `query:` added."""
    if not line.query:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(line.query)}"


def final_headers(line: Line, request: HttpRequest) -> list[tuple[str, str]]:
    """The translator's headers with the file's `headers:` on top; the last of a name wins. Who asks, if nobody says."""
    headers = list(request.headers)
    if line.headers:
        mine = {name.lower() for name, _ in line.headers}
        headers = [*(pair for pair in headers if pair[0].lower() not in mine), *line.headers]
    if "user-agent" not in [name.lower() for name, _ in headers]:
        headers.append(USER_AGENT)
    return headers


def as_sent(line: Line, request: HttpRequest) -> HttpRequest:
    """The request with what the file adds to it: what an auth scheme may have to sign."""
    if not (line.query or line.headers):
        return request
    return HttpRequest(request.method, final_url(line, request.url), tuple(final_headers(line, request)), request.body)


def outgoing(step: Open, place: Place, call: Call, credentials: HiddenHeaders) -> Outgoing:
    """Everything the transport needs, the credentials last."""
    line, request = step.line, step.request
    names = {name.lower() for name, _ in credentials}
    headers = [(name, value) for name, value in final_headers(line, request) if name.lower() not in names]
    return Outgoing(
        method=request.method,
        url=final_url(line, request.url),
        headers=HiddenHeaders([*headers, *credentials]),
        body=request.body,
        place=place,
        timeouts=call.timeouts or line.timeouts,
        deadline=step.deadline,
        cancellation=call.cancellation,
    )


def auth_outgoing(asked: Hidden, line: Line, call: Call, deadline: float | None) -> Outgoing:
    """An auth scheme's own request: to declared hosts only, over the same way out."""
    place = Place(line.place.hosts, line.place.proxy, line.place.tls, key=f"{line.place.key}#auth")
    timeouts = Timeouts(connect=10.0, first_byte=30.0, idle=30.0, total=60.0)
    return Outgoing(
        asked.value.method,
        asked.value.url,
        HiddenHeaders([*asked.value.headers, USER_AGENT]),
        asked.value.body,
        place,
        timeouts,
        deadline,
        call.cancellation,
    )
