"""The dialects of OpenAI and Anthropic as Bedrock serves them: the owners' bodies and readers, AWS's addresses, errors.

Chat and Responses stand at the runtime under `/openai/v1` and at Mantle under `/v1` (OpenAI's newer models:
`/openai/v1`), Messages at Mantle under `/anthropic/v1` (wire facts and recorded addresses, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from byollm.plugin import (
    Capabilities,
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
    join_url,
)
from byollm_anthropic import dialect as claude
from byollm_bedrock.auth import scheme_of
from byollm_bedrock.failure import fail
from byollm_bedrock.families import CLAUDE, CURRENT, OPAQUE, family_of
from byollm_bedrock.model_ids import read_id
from byollm_bedrock.places import on_mantle, place, require_region
from byollm_bedrock.state import PROVIDER
from byollm_openai_compatible.dialect import OpenAICompatible, refuse_media

MESSAGES: Final = "messages"
VERSION: Final = "2023-06-01"
_LACKS: Final = (
    "store", "metadata", "cache_hints", "cache_key", "end_user_id", "message_names", "provider_tools", "n",
    "logit_bias", "verbosity", "prefill", "tool_error_flag",
)  # fmt: skip
_OPENAI_KEYS: Final = {
    **dict.fromkeys(_LACKS, "unsupported"),
    **dict.fromkeys(("streaming", "system", "max_tokens"), "full"),
}
_NEWER: Final = ("openai.gpt-5", "openai.gpt-6")


class Hosted:
    """The three surfaces of others."""

    def __init__(self, manifest: Manifest) -> None:
        self.openai = _OpenAI(manifest)
        self.manifest = manifest

    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """The exchange of one request. Raises UnsupportedFeatureError and ConfigError before sending."""
        if target.api != MESSAGES:
            return self.openai.complete(request, target)
        host = _host(target)
        built = claude.build_body(request, target.model, host)
        return Exchange(
            request=HttpRequest("POST", _messages_url(target), _headers(target, request.stream), dump_json(built.body)),
            reader=claude.reader_for(host, built.names),
            framing="sse" if request.stream else "json",
            auth=scheme_of(self.manifest, target),
            fail=_either(claude.fail),
            adjustments=built.adjustments,
        )

    def count(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """Mantle counts for Messages; elsewhere the core estimates."""
        if target.api != MESSAGES:
            return None
        body = dump_json(claude.count_body(request, target.model, _host(target)))
        url = join_url(_messages_url(target), "/count_tokens")
        return Exchange(
            request=HttpRequest("POST", url, _headers(target, False), body),
            reader=claude.count_reader,
            framing="json",
            auth=scheme_of(self.manifest, target),
            fail=_either(claude.fail),
        )

    def capabilities(self, target: Target) -> Capabilities:
        """The owner's row of the model's family, at this host."""
        if target.api != MESSAGES:
            return self.openai.capabilities(target)
        found = claude.capabilities_of(_bare(target), _host(target))
        lacks = ("image_urls", "document_urls", "service_tier", "provider_tools")
        return found.merged(dict.fromkeys(lacks, "unknown"), CURRENT)


class _OpenAI(OpenAICompatible):
    """OpenAI's two dialects under this provider's name."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(
            name=PROVIDER,
            base_url=None,
            hosts=(),
            credentials={},
            authentication=manifest.authentication,
            apis=("chat", "responses"),
            capabilities=_OPENAI_KEYS,
            source=CURRENT,
            end_user_field="",
            cache_key_field="",
        )

    def describe(self, target: Target) -> Capabilities:
        """What the dialect lacks here, and the limits of the model's family."""
        known = super().describe(target)
        family = family_of(read_id(target.model, target.options.get("base_model")))
        if family in (OPAQUE, CLAUDE):
            return known
        limits: dict[str, Any] = {"context_window": family.window, "max_output_tokens": family.output}
        if family.effort in ("flat", "nested"):
            limits |= {"reasoning": "full", "reasoning_effort": "full", "reasoning_efforts": family.efforts}
        if family.sampling.refused:
            limits |= dict.fromkeys(("temperature", "top_p", "top_k"), "unsupported")
        limits |= {"tools": family.tools, "images": family.images}
        return known.merged({name: value for name, value in limits.items() if value is not None}, CURRENT)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """Raises UnsupportedFeatureError for pictures that the model does not see."""
        if self.describe(target).images.refused:
            refuse_media(body, ["images"], f"{PROVIDER}/{target.model}")
        return body

    def url(self, target: Target, path: str) -> str:
        """On the runtime's or on Mantle's host."""
        endpoint, _ = _placed(target)
        plain = on_mantle(target) and not target.model.startswith(_NEWER)
        return join_url(endpoint, path, base_path="/v1" if plain else "/openai/v1")

    def exchange(self, target: Target, *arguments: Any, **keywords: Any) -> Exchange[Any]:
        """With AWS's own errors read before OpenAI's."""
        made = super().exchange(target, *arguments, **keywords)
        return replace(made, auth=scheme_of(self.manifest, target), fail=_either(made.fail))


def _placed(target: Target) -> tuple[str, str]:
    model = read_id(target.model, target.options.get("base_model"))
    require_region(target, model.geography)
    return place(target, on_mantle=on_mantle(target), needed=model.region)


def _messages_url(target: Target) -> str:
    return join_url(_placed(target)[0], "/messages", base_path="/anthropic/v1")


def _host(target: Target) -> claude.Host:
    betas = tuple(sorted(set(target.options.get("betas") or ())))
    return claude.Host(provider=PROVIDER, transport=MESSAGES, betas=betas, geo=False)


def _bare(target: Target) -> str:
    found = read_id(target.model, target.options.get("base_model"))
    return found.base or target.model


def _headers(target: Target, stream: bool) -> tuple[tuple[str, str], ...]:
    headers = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if stream else "application/json"),
        ("anthropic-version", VERSION),
    ]
    betas = _host(target).betas
    return (*headers, ("anthropic-beta", ",".join(betas))) if betas else tuple(headers)


def _either(owner: Callable[[Failure], ProviderError | None] | None) -> Callable[[Failure], ProviderError | None]:
    """AWS refuses in its own envelope whoever is behind; what is not AWS's is the owner's."""

    def read(failure: Failure) -> ProviderError | None:
        document = failure.document
        theirs = isinstance(document, Mapping) and isinstance(document.get("error"), Mapping)
        if "x-amzn-errortype" in failure.headers and not theirs:
            return fail(failure)
        return (owner(failure) if owner is not None else None) or fail(failure)

    return read
