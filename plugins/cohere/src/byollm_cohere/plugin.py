"""The provider `cohere`: three pure hooks over the Chat API, version 2.

Facts: cohere 7.3.1's types, recorded traffic, pydantic-ai 2.68.0 and litellm 1.109.0, read 2026-11-21.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from byollm.plugin import (
    AuthScheme,
    Bearer,
    Capabilities,
    Event,
    Exchange,
    Frame,
    Head,
    HttpRequest,
    Image,
    Manifest,
    NoAuth,
    ProtocolError,
    Request,
    Target,
    Text,
    TokenCount,
    Tool,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
    dump_json,
    hookimpl,
    join_url,
    path_segment,
)
from byollm_cohere.body import BUDGETS, chat_body
from byollm_cohere.failure import fail
from byollm_cohere.models import NOTES, card_reader, facts_of
from byollm_cohere.reader import chat_reader
from byollm_openai_compatible.dialect import naming_back, taken_ids, with_legal_names

NAME: Final = "cohere"
SOURCE: Final = "cohere 7.3.1's types, recordings, litellm 1.109.0 and pydantic-ai 2.68.0, read 2026-11-21"
LONGEST: Final = 65_536
"""Characters that `/v1/tokenize` takes."""
_LACKS: Final = (
    "n", "logit_bias", "logprobs", "verbosity", "service_tier", "cache_hints", "cache_key", "end_user_id", "metadata",
    "store", "message_names", "provider_tools", "documents", "document_urls", "audio", "parallel_tool_calls_off",
    "tool_error_flag", "prefill",
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls", "citations",
    "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "frequency_penalty", "presence_penalty",
    "structured_output",
)  # fmt: skip
COMMON: Final[dict[str, Any]] = {
    **dict.fromkeys(_LACKS, "unsupported"),
    **dict.fromkeys(_HAS, "full"),
    "strict_tools": "partial",
    "tool_result_media": "partial",
    "count_tokens": "partial",
    "temperature_range": (0.0, 1.0),
    "stop_limit": 5,
}
"""What every model takes. Nothing is told of tools that a model without them would be offered."""
EFFORTS: Final = ("none", *BUDGETS)
_PICTURES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
_JSON: Final = ("content-type", "application/json")


class Cohere:
    """Cohere over api.cohere.com, or over any server that speaks its Chat API."""

    manifest: Manifest = Manifest(
        name=NAME,
        default_endpoint="https://api.cohere.com",
        hosts=("api.cohere.com", "api.cohere.ai"),
        credentials={"api_key": ("CO_API_KEY", "COHERE_API_KEY")},
        authentication={"bearer-token": Bearer(), "none": NoAuth()},
        apis=("chat",),
        docs="https://docs.cohere.com/reference/chat",
        models=NOTES,
    )

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """POST /v2/chat. Raises UnsupportedFeatureError for what the wire cannot say."""
        request, own_names = with_legal_names(request)
        _check_media(request, target)
        body, notes = chat_body(request, target.model, NAME)
        reader = chat_reader(NAME, taken_ids(request.messages))
        accept = "text/event-stream" if request.stream else "application/json"
        return Exchange(
            request=HttpRequest("POST", _url(target, "/v2/chat"), (_JSON, ("accept", accept)), dump_json(body)),
            reader=naming_back(reader, own_names) if own_names else reader,
            framing="sse" if request.stream else "json",
            auth=_auth(target),
            fail=fail,
            adjustments=notes,
        )

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> Exchange[TokenCount] | None:
        """POST /v1/tokenize with all texts of the request: what the vendor's own prompt adds is not counted.

        None, so that the core estimates, for a request without text or with more than the endpoint takes.
        """
        text = "".join(_texts(request))
        if not 0 < len(text) <= LONGEST:
            return None
        body = dump_json({"text": text, "model": target.model})
        return Exchange(
            request=HttpRequest("POST", _url(target, "/v1/tokenize"), (_JSON, ("accept", "application/json")), body),
            reader=count_reader,
            framing="json",
            auth=_auth(target),
            fail=fail,
        )

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """The bundled row of the model; `refine` asks `GET /v1/models/{name}`."""
        known = Capabilities().merged(COMMON, SOURCE).merged(_facts(target.model), SOURCE)
        request = HttpRequest(
            "GET", _url(target, f"/v1/models/{path_segment(target.model)}"), (("accept", "application/json"),)
        )
        asking = Exchange(request=request, reader=card_reader(known), framing="json", auth=_auth(target), fail=fail)
        return replace(known, refine=asking)


def count_reader(head: Head) -> Any:
    """Reads the answer of `/v1/tokenize`: no more than the true number, whose prompt has words of the vendor's own."""
    return _count


def _count(frame: Frame) -> list[TokenCount]:
    tokens = frame.data.get("tokens") if isinstance(frame.data, dict) else None
    if not isinstance(tokens, list):
        raise ProtocolError("the provider did not answer with tokens")
    return [TokenCount(len(tokens), "estimate", lower=len(tokens), source="Cohere's /v1/tokenize")]


def _texts(request: Request) -> list[str]:
    found: list[str] = []
    for message in request.conversation:
        for part in message.parts:
            if isinstance(part, Text):
                found.append(part.text)
            elif isinstance(part, ToolCall):
                found += [part.name, part.arguments]
            elif isinstance(part, ToolResult):
                found += [item.text for item in part.parts if isinstance(item, Text)]
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            found += [tool.name, tool.description or "", dump_json(tool.parameters).decode()]
    return found


def _facts(model: str) -> dict[str, Any]:
    facts = dict(facts_of(model))
    if facts.get("tools") == "unsupported":
        facts |= dict.fromkeys(("tool_choice_required", "tool_choice_named", "parallel_tool_calls"), "unsupported")
    if facts.get("reasoning_effort") == "full":
        facts["reasoning_efforts"] = EFFORTS
    return facts


def _check_media(request: Request, target: Target) -> None:
    """Raises UnsupportedFeatureError for pictures that the model is known not to see, or of a kind nobody reads."""
    blind = facts_of(target.model).get("images") == "unsupported"
    for message in request.conversation:
        for part in (item for held in message.parts for item in getattr(held, "parts", (held,))):
            if not isinstance(part, Image):
                continue
            media = part.media
            if blind or (media.base64 is not None and media.media_type not in _PICTURES):
                raise UnsupportedFeatureError(
                    f"cohere/{target.model} does not read such a picture; nothing was sent", field="images"
                )


def _url(target: Target, path: str) -> str:
    """Below the endpoint; one that was given with its version loses it: paths have versions of their own."""
    root = target.endpoint.rstrip("/").removesuffix("/v2").removesuffix("/v1")
    return join_url(root, path, base_path="")


def _auth(target: Target) -> AuthScheme:
    schemes = Cohere.manifest.authentication
    return schemes.get(target.authentication or "bearer-token", schemes["bearer-token"])


provider = Cohere()
"""The plugin."""
