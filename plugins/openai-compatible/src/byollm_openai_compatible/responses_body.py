"""A request as a Responses body. What the model takes was settled by `fit()`; here are names and shapes.

The exchange is stateless: `store` is always said (false unless the request wants otherwise), reasoning comes back
encrypted and is sent again whole, and `truncation` is left alone, so that nothing is cut in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm.plugin import ProviderTool, Request, Text, Tool, ToolChoice, UnsupportedFeatureError
from byollm_openai_compatible.chat_body import enforceable, function_parameters
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.responses_input import message_items
from byollm_openai_compatible.schema import schema_name

ENCRYPTED = "reasoning.encrypted_content"


def responses_body(request: Request, model: str, quirks: Quirks, provider: str, reasons: bool | None) -> dict[str, Any]:
    """The body, keys in an order that never changes, no key without a value.

    `reasons`: will the model reason, as far as is known? `extra[provider]` is put over the body at the end, verbatim.
    Raises UnsupportedFeatureError for what the wire cannot say.
    """
    _refuse(request)
    body: dict[str, Any] = {"model": model}
    messages = request.messages
    if quirks.cache_field and isinstance(request.system, tuple) and any(part.cache for part in request.system):
        messages = request.conversation  # instructions are one text, and have no place for a mark
    elif request.system:
        body["instructions"] = _instructions(request.system)
    # An empty input is refused even beside instructions.
    body["input"] = message_items(messages, quirks, provider) or [{"role": "user", "content": ""}]
    if request.tools:
        body["tools"] = [_tool(tool, quirks, provider) for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = _choice(request.tool_choice, quirks)
        if request.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = request.parallel_tool_calls
    text = _text(request, quirks)
    if text:
        body["text"] = text
    for name, value in (
        ("max_output_tokens", None if request.max_tokens is None else max(request.max_tokens, quirks.least_output)),
        ("temperature", request.temperature),
        ("top_p", request.top_p),
    ):
        if value is not None:
            body[name] = value
    if request.reasoning_effort is not None:
        body.update(
            quirks.effort_bodies.get(request.reasoning_effort) or {"reasoning": {"effort": request.reasoning_effort}}
        )
    if quirks.encrypted_reasoning and reasons is not False:
        body["include"] = [ENCRYPTED]
    _service(request, quirks, body)
    extra = (request.extra or {}).get(provider)
    if extra:
        body.update(_in_our_words(extra, body))
    return body


def _in_our_words(extra: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` verbatim, but for what `Request.from_openai` kept in Chat's words: the Responses API has its own."""
    found = dict(extra)
    form = found.pop("response_format", None)
    if isinstance(form, Mapping):
        inner = form.get("json_schema")
        flat = {"type": form.get("type"), **inner} if isinstance(inner, Mapping) else dict(form)
        found["text"] = {**body.get("text", {}), "format": flat, **found.get("text", {})}
    options = found.get("stream_options")
    if isinstance(options, Mapping):
        found["stream_options"] = {key: value for key, value in options.items() if key != "include_usage"}
    return {key: value for key, value in found.items() if key != "stream_options" or value}


def _refuse(request: Request) -> None:
    if request.prefill:
        raise UnsupportedFeatureError("the Responses API cannot continue a beginning of the answer", field="prefill")
    for field, value in (("stop", request.stop), ("logit_bias", request.logit_bias), ("logprobs", request.logprobs)):
        if value is not None:
            raise UnsupportedFeatureError(f"the Responses API has no {field}", field=field, hint="use `api: chat`")
    if request.n is not None and request.n != 1:
        raise UnsupportedFeatureError("the Responses API answers once", field="n")


def _instructions(system: str | tuple[Text, ...]) -> str:
    return system if isinstance(system, str) else "\n\n".join(part.text for part in system)


def _tool(tool: Tool | ProviderTool, quirks: Quirks, provider: str) -> dict[str, Any]:
    if isinstance(tool, ProviderTool):
        if tool.provider != provider:
            raise UnsupportedFeatureError(f"a tool of {tool.provider} cannot run at {provider}", field="tools")
        return dict(tool.definition)
    made: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        made["description"] = tool.description
    made["parameters"] = function_parameters(tool, quirks)
    made["strict"] = bool(tool.strict)  # left out, it would mean true
    return made


def _choice(choice: ToolChoice, quirks: Quirks) -> Any:
    if choice.name is not None:
        return {"type": "function", "name": choice.name}
    return quirks.required_word if choice.mode == "required" else choice.mode


def _text(request: Request, quirks: Quirks) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if request.output_schema is not None:
        text["format"] = text_format(request.json_schema or {}, quirks)
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    return text


def text_format(schema: Mapping[str, Any], quirks: Quirks) -> dict[str, Any]:
    """The `text.format` of an output schema; `strict` is always said."""
    strict, wanted = enforceable(schema) if quirks.strict_schemas else (False, schema)
    return {"type": "json_schema", "name": schema_name(schema), "schema": wanted, "strict": strict}


def _service(request: Request, quirks: Quirks, body: dict[str, Any]) -> None:
    if request.service_tier is not None:
        body["service_tier"] = request.service_tier
    if request.cache_key is not None and quirks.cache_key_field:
        body[quirks.cache_key_field] = request.cache_key
    if request.end_user_id is not None and quirks.end_user_field:
        body[quirks.end_user_field] = request.end_user_id
    if request.metadata:
        body["metadata"] = dict(request.metadata)
    body["store"] = bool(request.store)
    if request.stream:
        body["stream"] = True
