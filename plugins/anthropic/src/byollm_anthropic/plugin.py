"""The provider: pure hooks over the Messages API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from byollm.plugin import (
    AuthScheme,
    Capabilities,
    Event,
    Exchange,
    HttpRequest,
    Manifest,
    Request,
    Target,
    TokenCount,
    dump_json,
    hookimpl,
    join_url,
)
from byollm_anthropic.capabilities import capabilities_of, refinement
from byollm_anthropic.dialect import build_body, count_body, count_reader, fail, reader_for
from byollm_anthropic.host import FIRST, Host, sorted_betas
from byollm_anthropic.manifest import MANIFEST

if TYPE_CHECKING:
    from byollm.plugin import Batches


class Anthropic:
    """Claude over api.anthropic.com, or over any server that speaks the Messages API."""

    manifest: Manifest = MANIFEST

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """POST /v1/messages. Raises UnsupportedFeatureError for what the wire cannot say."""
        host = host_of(target)
        built = build_body(request, target.model, host, region=target.region)
        return Exchange(
            request=HttpRequest(
                "POST", _messages_url(target), _headers(host, target, request.stream), dump_json(built.body)
            ),
            reader=reader_for(host, built.names),
            framing="sse" if request.stream else "json",
            auth=_auth(target),
            fail=fail,
            adjustments=built.adjustments,
        )

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> Exchange[TokenCount]:
        """POST /v1/messages/count_tokens with the body that `complete` would send. The figure is an estimate."""
        host = host_of(target)
        url = join_url(_messages_url(target), "/count_tokens")
        body = dump_json(count_body(request, target.model, host))
        return Exchange(
            request=HttpRequest("POST", url, _headers(host, target, False), body),
            reader=count_reader,
            framing="json",
            auth=_auth(target),
            fail=fail,
        )

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """The bundled row of the model's family; `refine` asks GET /v1/models/{id}."""
        host = host_of(target)
        static = capabilities_of(target.model, host)
        return replace(static, refine=refinement(static, target, _headers(host, target, False)[1:], _auth(target)))

    @hookimpl
    def batch(self, target: Target) -> Batches:
        """Message Batches."""
        from byollm_anthropic.batches import MessageBatches  # most programs send none

        return MessageBatches(_messages_url(target), _headers(host_of(target), target, False), _auth(target))


def host_of(target: Target) -> Host:
    """Anthropic's own API, with the version and the words that the target's options ask for."""
    options = target.options
    return Host(
        version=str(options.get("version") or FIRST),
        betas=sorted_betas(options.get("betas")),
        thinking_display=options.get("thinking_display"),
    )


def _messages_url(target: Target) -> str:
    return join_url(target.endpoint, "/messages", base_path=MANIFEST.base_path)


def _headers(host: Host, target: Target, stream: bool) -> tuple[tuple[str, str], ...]:
    headers = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if stream else "application/json"),
        ("anthropic-version", host.version),
    ]
    if host.betas:
        headers.append(("anthropic-beta", ",".join(host.betas)))
    workspace = target.options.get("workspace_id")
    if workspace:
        headers.append(("anthropic-workspace-id", str(workspace)))
    return tuple(headers)


def _auth(target: Target) -> AuthScheme:
    schemes = MANIFEST.authentication
    return schemes.get(target.authentication or "api-key", schemes["api-key"])
