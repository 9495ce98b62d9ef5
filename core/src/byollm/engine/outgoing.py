"""The last metre before a transport: a translator's request and the credentials, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from byollm.engine.hidden import Hidden, HiddenHeaders
from byollm.transports.base import Kept, Outgoing, Place, Timeouts
from byollm.types.version import VERSION
from byollm.wire.exchange import HttpRequest

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.engine.steps import Open

AUTH_BODY_LIMIT = 1024 * 1024
REMEMBERED: Final = 16
"""Kinds of requests of one line that are written once: two for each surface, streamed and whole."""
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


@dataclass(slots=True, repr=False, eq=False)
class Sealed:
    """URL and headers as they leave, credentials and all: the same for requests that differ in nothing but the body."""

    request: HttpRequest
    credentials: HiddenHeaders
    place: Place
    url: str
    headers: HiddenHeaders
    kept: Kept

    def fits(self, request: HttpRequest, place: Place, credentials: HiddenHeaders) -> bool:
        """It was made of the same."""
        mine = self.request
        return (
            mine.headers is request.headers
            and mine.url == request.url
            and mine.method == request.method
            and self.credentials is credentials
            and self.place is place
        )


def outgoing(step: Open, place: Place, call: Call, credentials: HiddenHeaders) -> Outgoing:
    """Everything the transport needs, the credentials last."""
    line, request = step.line, step.request
    known = line.sealed.get(id(request.headers))
    if known is None or not known.fits(request, place, credentials):
        known = _sealed(line, request, place, credentials)
    return Outgoing(
        request.method,
        known.url,
        known.headers,
        request.body,
        place,
        call.timeouts or line.timeouts,
        step.deadline,
        call.cancellation,
        kept=known.kept,
    )


def _sealed(line: Line, request: HttpRequest, place: Place, credentials: HiddenHeaders) -> Sealed:
    names = {name.lower() for name, _ in credentials}
    headers = [(name, value) for name, value in final_headers(line, request) if name.lower() not in names]
    url, written = final_url(line, request.url), HiddenHeaders([*headers, *credentials])
    without_body = HttpRequest(request.method, request.url, request.headers)
    made = Sealed(without_body, credentials, place, url, written, Kept())
    if len(line.sealed) >= REMEMBERED:
        line.sealed.clear()
    line.sealed[id(request.headers)] = made
    return made


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
