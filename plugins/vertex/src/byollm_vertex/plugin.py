"""The provider: three pure hooks over two dialects that other plugins own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.plugin import (
    AuthScheme,
    Capabilities,
    ConfigError,
    Event,
    Exchange,
    Failure,
    HttpRequest,
    Manifest,
    ProviderError,
    Request,
    Target,
    TokenCount,
    dump_json,
    hookimpl,
    join_url,
    path_segment,
)
from byollm_anthropic import dialect as claude
from byollm_google import dialect as gemini
from byollm_vertex.manifest import MANIFEST
from byollm_vertex.places import GLOBAL, HOSTS, host_of, nearest

_SECOND: Final = "2026-10-21"
_TIERS: Final = ("flex", "priority", "standard")


class Vertex:
    """Gemini and Claude on Google Cloud."""

    manifest: Manifest = MANIFEST

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """POST …/models/{model}:generateContent or :rawPredict. Raises UnsupportedFeatureError and ConfigError."""
        body: Mapping[str, Any]
        reader: Any
        if target.api == "anthropic":
            host = claude_host(target)
            made = claude.build_body(request, target.model, host)
            url = _url(target, "anthropic", target.model, "streamRawPredict" if request.stream else "rawPredict")
            reader, fail, body = claude.reader_for(host, made.names), claude_fail, made.body
            notes = made.adjustments
        else:
            place = gemini_host(target)
            built = gemini.build_body(request, target.model, place)
            verb, query = ("streamGenerateContent", "alt=sse") if request.stream else ("generateContent", "")
            url = _url(target, "google", target.model, verb, query)
            reader, fail, body = gemini.reader_for(place, built.names), gemini.fail, built.body
            notes = built.adjustments
        return Exchange(
            request=HttpRequest("POST", url, _headers(request, request.stream), dump_json(body)),
            reader=reader,
            framing="sse" if request.stream else "json",
            auth=_auth(target),
            fail=fail,
            adjustments=notes,
        )

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> Exchange[TokenCount] | None:
        """countTokens for Gemini, exact; count-tokens:rawPredict for Claude, which has none at `global`: None."""
        reader: Any
        if target.api == "anthropic":
            if _location(target) == GLOBAL:
                return None
            host = claude_host(target)
            counted = claude.count_body(request, target.model, host)
            body = {**counted, "model": target.model.partition("@")[0]}  # a version is "not supported" here
            url, reader = _url(target, "anthropic", "count-tokens", "rawPredict"), claude.count_reader
        else:
            body = gemini.count_body(request, target.model, gemini_host(target))
            url, reader = _url(target, "google", target.model, "countTokens"), gemini.count_reader
        return Exchange(
            request=HttpRequest("POST", url, _headers(request, False), dump_json(body)),
            reader=reader,
            framing="json",
            auth=_auth(target),
            fail=claude_fail if target.api == "anthropic" else gemini.fail,
        )

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """The owner's row of the model's family, at this host."""
        if target.api == "anthropic":
            found = claude.capabilities_of(target.model, claude_host(target))
        else:
            found = gemini.capabilities_of(target.model, gemini_host(target))
        return found.merged({"service_tier": True, "service_tiers": list(_TIERS)}, "@ai-sdk/google-vertex 4.0.208")


def gemini_host(target: Target) -> gemini.Host:
    """Gemini's dialect as Vertex speaks it."""
    settings = target.options.get("safety_settings")
    return gemini.Host(
        provider="vertex",
        transport="gemini",
        developer=False,
        include_thoughts=target.options.get("include_thoughts"),
        safety_settings=tuple(settings) if isinstance(settings, list | tuple) else (),
    )


def claude_host(target: Target) -> claude.Host:
    """Claude's dialect as Vertex speaks it: model and stream in the path, version and betas in the body."""
    version = str(target.options.get("anthropic_version") or "vertex-2023-10-16")
    return claude.Host(
        provider="vertex",
        transport="anthropic",
        version=_SECOND if version == _SECOND else "2023-06-01",
        version_in_body=version,
        model_in_body=False,
        betas=tuple(sorted(set(target.options.get("betas") or ()))),
        betas_in_body=True,
        geo=False,
    )


def claude_fail(failure: Failure) -> ProviderError | None:
    """A refusal of Claude in Anthropic's envelope, or of Google before it was asked, in Google's."""
    document = failure.document
    inner = document.get("error") if isinstance(document, Mapping) else None
    googles = isinstance(document, list) or (isinstance(inner, Mapping) and isinstance(inner.get("status"), str))
    return gemini.fail(failure) if googles else claude.fail(failure)


def _location(target: Target) -> str:
    return target.region or GLOBAL


def _url(target: Target, publisher: str, model: str, verb: str, query: str = "") -> str:
    """Raises ConfigError without a project, and for a region that nobody knows without an endpoint of its own."""
    project = target.options.get("project")
    if not project:
        raise ConfigError("a vertex target needs `project:`", hint="project: my-project-id")
    location, endpoint = _location(target), target.endpoint
    if (urlsplit(endpoint).hostname or "") == host_of(GLOBAL):
        if host_of(location) not in HOSTS:
            near = nearest(location)
            hint = (
                f"region: {near}" if near else f"endpoint: https://{host_of(location)}   (if Google opened it lately)"
            )
            raise ConfigError(f"vertex knows no region {location!r}", hint=hint)
        endpoint = endpoint.replace(host_of(GLOBAL), host_of(location), 1)
    name = path_segment(model.rpartition("models/")[2])
    path = f"/projects/{path_segment(str(project))}/locations/{path_segment(location)}/publishers/{publisher}"
    return join_url(endpoint, f"{path}/models/{name}:{verb}", base_path="/v1", query=query)


def _headers(request: Request, stream: bool) -> tuple[tuple[str, str], ...]:
    headers = [("content-type", "application/json"), ("accept", "text/event-stream" if stream else "application/json")]
    if request.service_tier in _TIERS:
        headers.append(("x-vertex-ai-llm-shared-request-type", str(request.service_tier)))
    return tuple(headers)


def _auth(target: Target) -> AuthScheme:
    schemes = MANIFEST.authentication
    return schemes.get(target.authentication or "service-account", schemes["service-account"])
