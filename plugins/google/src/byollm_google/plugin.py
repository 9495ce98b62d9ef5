"""The provider: pure hooks over generateContent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

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
    path_segment,
)
from byollm_google.capabilities import capabilities_of, refinement
from byollm_google.dialect import build_body, count_body, count_reader, fail, reader_for, resource
from byollm_google.host import Host
from byollm_google.manifest import MANIFEST

if TYPE_CHECKING:
    from byollm.plugin import Batches

_BULKY: Final = ("-image", "-tts")


class Google:
    """Gemini over generativelanguage.googleapis.com, or over any server that speaks generateContent."""

    manifest: Manifest = MANIFEST

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """POST /models/{model}:generateContent. Raises UnsupportedFeatureError for what the wire cannot say."""
        host = host_of(target)
        built = build_body(request, target.model, host)
        verb, query = ("streamGenerateContent", "alt=sse") if request.stream else ("generateContent", "")
        return Exchange(
            request=HttpRequest("POST", _url(target, verb, query), _headers(request.stream), dump_json(built.body)),
            reader=reader_for(host, built.names),
            framing="sse" if request.stream else "json",
            auth=_auth(target),
            fail=fail,
            adjustments=built.adjustments,
        )

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> Exchange[TokenCount]:
        """POST /models/{model}:countTokens with the request that `complete` would send. The figure is exact."""
        body = dump_json(count_body(request, target.model, host_of(target)))
        return Exchange(
            request=HttpRequest("POST", _url(target, "countTokens"), _headers(False), body),
            reader=count_reader,
            framing="json",
            auth=_auth(target),
            fail=fail,
        )

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """The bundled row of the model's family; `refine` asks GET /models/{id}."""
        static = capabilities_of(target.model, host_of(target))
        asking = refinement(static, target, _headers(False)[1:], _auth(target), MANIFEST.base_path)
        return replace(static, refine=asking)

    @hookimpl
    def batch(self, target: Target) -> Batches | None:
        """The Gemini API's batches. Tuned models have none, and answers of pictures or sound are too large for them."""
        if not resource(target.model).startswith("models/") or any(word in target.model for word in _BULKY):
            return None
        from byollm_google.batches import GeminiBatches  # most programs send none

        place = join_url(target.endpoint, "/batches", base_path=MANIFEST.base_path)
        return GeminiBatches(_url(target, "batchGenerateContent"), place, _headers(False), _auth(target))


def host_of(target: Target) -> Host:
    """The Gemini API, with what the target's options ask for."""
    settings = target.options.get("safety_settings")
    return Host(
        include_thoughts=target.options.get("include_thoughts"),
        safety_settings=tuple(settings) if isinstance(settings, list | tuple) else (),
    )


def _url(target: Target, verb: str, query: str = "") -> str:
    collection, _, name = resource(target.model).partition("/")
    path = f"/{collection}/{path_segment(name)}:{verb}"
    return join_url(target.endpoint, path, base_path=MANIFEST.base_path, query=query)


def _headers(stream: bool) -> tuple[tuple[str, str], ...]:
    return (
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if stream else "application/json"),
    )


def _auth(target: Target) -> AuthScheme:
    schemes = MANIFEST.authentication
    return schemes.get(target.authentication or "api-key", schemes["api-key"])
