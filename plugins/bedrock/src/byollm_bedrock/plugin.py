"""The provider: three pure hooks over Converse, InvokeModel, and the surfaces that other plugins own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from byollm.plugin import (
    Capabilities,
    Event,
    Exchange,
    Frame,
    Head,
    HttpRequest,
    Manifest,
    ProtocolError,
    Request,
    Target,
    TokenCount,
    checked,
    dump_json,
    hookimpl,
    join_url,
    path_segment,
)
from byollm_bedrock.auth import scheme_of
from byollm_bedrock.body import build_body, count_body
from byollm_bedrock.capabilities import capabilities_of
from byollm_bedrock.failure import fail
from byollm_bedrock.invoke import claude_host, invoke_body
from byollm_bedrock.invoke_reader import InvokeReader
from byollm_bedrock.manifest import MANIFEST
from byollm_bedrock.model_ids import ModelId, read_id
from byollm_bedrock.places import place, require_region
from byollm_bedrock.reader import ConverseReader
from byollm_bedrock.state import CONVERSE, INVOKE

if TYPE_CHECKING:
    from byollm_bedrock.hosted import Hosted

_OWN = (CONVERSE, INVOKE)


class Bedrock:
    """AWS Bedrock. `api`: `converse` for every model, `invoke` for the families' own bodies; the other three are the
    dialects of OpenAI and Anthropic as Bedrock serves them."""

    manifest: Manifest = MANIFEST

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """POST /model/{id}/converse or its kin. Raises UnsupportedFeatureError and ConfigError before sending."""
        if target.api not in _OWN:
            return _hosted().complete(request, target)
        model = model_of(target)
        invokes = target.api == INVOKE
        built = invoke_body(request, model, target.options) if invokes else build_body(request, model, target.options)
        if invokes:
            verb = "invoke-with-response-stream" if request.stream else "invoke"
        else:
            verb = "converse-stream" if request.stream else "converse"

        def reader(head: Head) -> Callable[[Frame], list[Event]]:
            if invokes:
                return InvokeReader(head, claude_host(target.options), built.names)
            return ConverseReader(head, built.names)

        return Exchange(
            request=HttpRequest("POST", _url(target, model, verb), _headers(target, request), dump_json(built.body)),
            reader=reader,
            framing="aws-eventstream" if request.stream else "json",
            auth=scheme_of(MANIFEST, target),
            fail=fail,
            adjustments=built.adjustments,
        )

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """POST /model/{id}/count-tokens for the Claude models that have it: exact. None elsewhere."""
        if target.api not in _OWN:
            return _hosted().count(request, target)
        model = model_of(target)
        if capabilities_of(model, target.api, target.options).count_tokens.refused or not model.base:
            return None
        asked = request.with_(stream=False)
        if target.api == INVOKE:
            import base64

            inner = base64.b64encode(dump_json(invoke_body(asked, model, target.options).body)).decode()
            body: dict[str, Any] = {"input": {"invokeModel": {"body": inner}}}
        else:
            body = count_body(asked, model, target.options)
        counted = ModelId(model.base, base=model.base)  # it takes the foundation model's id, without a geography
        headers = (("content-type", "application/json"), ("accept", "application/json"))
        return Exchange(
            request=HttpRequest("POST", _url(target, counted, "count-tokens"), headers, dump_json(body)),
            reader=lambda head: _count,
            framing="json",
            auth=scheme_of(MANIFEST, target),
            fail=fail,
        )

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """The bundled row of the model's family, at this surface."""
        if target.api not in _OWN:
            return _hosted().capabilities(target)
        return capabilities_of(model_of(target), target.api, target.options)


@cache
def _hosted() -> Hosted:
    """Imported by the first target that speaks another's dialect: it costs as much as Converse does."""
    from byollm_bedrock.hosted import Hosted

    return Hosted(MANIFEST)


def model_of(target: Target) -> ModelId:
    """The target's model, or the one behind it that the file names."""
    return read_id(target.model, target.options.get("base_model"))


def _url(target: Target, model: ModelId, verb: str) -> str:
    require_region(target, model.geography)
    endpoint, _ = place(target, on_mantle=False, needed=model.region)
    return join_url(endpoint, f"/model/{path_segment(model.given)}/{verb}")


def _headers(target: Target, request: Request) -> tuple[tuple[str, str], ...]:
    accept = "application/vnd.amazon.eventstream" if request.stream else "application/json"
    headers = [("content-type", "application/json"), ("accept", accept)]
    guardrail = target.options.get("guardrail")
    if target.api == INVOKE and guardrail:
        headers.append(("x-amzn-bedrock-guardrailidentifier", guardrail["identifier"]))
        headers.append(("x-amzn-bedrock-guardrailversion", guardrail["version"]))
    return tuple(headers)


def _count(frame: Frame) -> list[TokenCount]:
    found = checked.tokens(checked.mapping(frame.data, "the count").get("inputTokens"), "inputTokens")
    if found is None:
        raise ProtocolError("the count has no inputTokens")
    return [TokenCount(found, "exact", source="Bedrock's CountTokens")]
