"""The Messages dialect as one surface of another server (Ollama, vLLM, llama.cpp, LM Studio)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from byollm.plugin import (
    AuthScheme,
    Capabilities,
    Event,
    Exchange,
    Failure,
    Frame,
    HttpRequest,
    InvalidRequestError,
    ProtocolError,
    ProviderError,
    Request,
    Target,
    TokenCount,
    dump_json,
)
from byollm_anthropic.body import build_body, count_body
from byollm_anthropic.capabilities import capabilities_of
from byollm_anthropic.failure import fail as dialect_fail
from byollm_anthropic.host import Host
from byollm_anthropic.reader import MessageReader

_UNSAID: Final = ("service_tier", "cache_hints", "end_user_id", "provider_tools", "document_urls")
"""Words of the vendor's own service, which its dialect's other speakers have no use for."""


class Way(Protocol):
    """How the server is reached: the URL of a path below its base, credentials, and how its refusals are read."""

    @property
    def url(self) -> Callable[[str], str]:
        """Path to URL."""
        ...

    @property
    def auth(self) -> AuthScheme:
        """Who adds the credentials."""
        ...

    @property
    def fail(self) -> Any:
        """What an Exchange wants as `fail`."""
        ...


class MessagesSurface:
    """`MessagesSurface("acme", counts="exact", structured_output="unsupported")`.

    `counts`: what the server's `/messages/count_tokens` is worth; None when it has none. Keywords are capabilities in
    which the server differs from what the dialect alone tells.
    """

    def __init__(self, provider: str, *, counts: Any = None, source: str = "", **differs: Any) -> None:
        self.host = Host(provider=provider, transport="messages", geo=False)
        self.counts = counts
        self.source = source or f"the {provider} plugin"
        self.differs: dict[str, Any] = {**dict.fromkeys(_UNSAID, "unsupported"), **differs}

    def complete(self, request: Request, target: Target, way: Way) -> Exchange[Event]:
        """POST /messages. Raises UnsupportedFeatureError for what the wire cannot say."""
        built = build_body(request, target.model, self.host)
        return Exchange(
            request=HttpRequest(
                "POST", way.url("/messages"), _headers(self.host, request.stream), dump_json(built.body)
            ),
            reader=lambda head: MessageReader(self.host, built.names),
            framing="sse" if request.stream else "json",
            auth=way.auth,
            fail=_fail(way.fail),
            adjustments=built.adjustments,
        )

    def count(self, request: Request, target: Target, way: Way) -> Exchange[TokenCount] | None:
        """POST /messages/count_tokens with the body that `complete` would send; None where the server has none."""
        if self.counts is None:
            return None
        body = dump_json(count_body(request, target.model, self.host))
        return Exchange(
            request=HttpRequest("POST", way.url("/messages/count_tokens"), _headers(self.host, False), body),
            reader=_count_reader(self.counts, self.host.provider),
            framing="json",
            auth=way.auth,
            fail=_fail(way.fail),
        )

    def describe(self, target: Target) -> Capabilities:
        """The dialect's own limits, and what differs at this server."""
        return capabilities_of(target.model, self.host).merged(self.differs, self.source)


def _fail(servers: Any) -> Callable[[Failure], ProviderError | None]:
    """The server's own words first; where they say no more than "bad request", the dialect's."""

    def fail(failure: Failure) -> ProviderError | None:
        found: ProviderError | None = servers(failure)
        if found is not None and type(found) is not InvalidRequestError:
            return found
        dialects = dialect_fail(failure)
        return found if dialects is None or type(dialects) is type(found) else dialects

    return fail


def _headers(host: Host, stream: bool) -> tuple[tuple[str, str], ...]:
    accept = "text/event-stream" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept), ("anthropic-version", host.version))


def _count_reader(exactness: Any, source: str) -> Any:
    def read(frame: Frame) -> list[TokenCount]:
        tokens = frame.data.get("input_tokens") if isinstance(frame.data, dict) else None
        if type(tokens) is not int or tokens < 0:
            raise ProtocolError("the server did not answer with a token count")
        return [TokenCount(tokens, exactness, source=source)]

    return lambda head: read
