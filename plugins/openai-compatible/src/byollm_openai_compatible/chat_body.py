"""A request as a Chat Completions body. What the model takes was settled by `fit()`; here are names and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import ProviderTool, Request, Tool, ToolChoice, UnsupportedFeatureError, dump_json
from byollm_openai_compatible.chat_messages import chat_messages
from byollm_openai_compatible.chat_parts import cache_mark
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.schema import NotStrictError, schema_name, strict_schema

LIMITS: Final = frozenset({"max_tokens", "stop", "n"})
_BY_THEIR_NAMES: Final = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty")
SAMPLING: Final = frozenset({*_BY_THEIR_NAMES, "seed", "logit_bias", "logprobs"})
SERVICE: Final = frozenset({"verbosity", "service_tier", "cache_key", "end_user_id", "metadata", "store"})


def chat_body(request: Request, model: str, quirks: Quirks, provider: str) -> dict[str, Any]:
    """The body, keys in an order that never changes, no key without a value.

    `extra[provider]` is put over it at the end, verbatim. Raises UnsupportedFeatureError for what the wire cannot say.
    """
    body: dict[str, Any] = {"model": model, "messages": chat_messages(request.conversation, quirks, provider)}
    if request.prefill:
        body["messages"][-1].update(quirks.prefill_message)
        body.update(quirks.prefill_body)
    if request.tools:
        _tools(request, quirks, provider, body)
    if request.output_schema is not None:
        body["response_format"] = response_format(request.json_schema or {}, quirks)
        if quirks.schema_form == "json_object":
            body["messages"] = [told_schema(request.json_schema or {}, quirks), *body["messages"]]
    asked = request.asked
    if not LIMITS.isdisjoint(asked):
        _limits(request, quirks, body)
    if not SAMPLING.isdisjoint(asked):
        _sampling(request, quirks, body)
    if "reasoning_effort" in asked:
        _effort(request.reasoning_effort, quirks, body)
    if quirks.send_store or not SERVICE.isdisjoint(asked):
        _service(request, quirks, body)
    if request.stream:
        body["stream"] = True
        if quirks.stream_usage:
            body["stream_options"] = {"include_usage": True}
    extra = (request.extra or {}).get(provider)
    if extra:
        body.update(extra)
    return body


def _tools(request: Request, quirks: Quirks, provider: str, body: dict[str, Any]) -> None:
    body["tools"] = [_tool(tool, quirks, provider) for tool in request.tools or ()]
    if request.tool_choice is not None:
        body["tool_choice"] = _choice(request.tool_choice, quirks)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _tool(tool: Tool | ProviderTool, quirks: Quirks, provider: str) -> dict[str, Any]:
    if isinstance(tool, ProviderTool):
        if tool.provider != provider:
            raise UnsupportedFeatureError(f"a tool of {tool.provider} cannot run at {provider}", field="tools")
        return dict(tool.definition)
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = function_parameters(tool, quirks)
    if tool.strict is not None:
        function["strict"] = tool.strict
    made: dict[str, Any] = {"type": "function", "function": function}
    if tool.cache and quirks.cache_field:
        made[quirks.cache_field] = cache_mark(tool.cache, quirks)
    return made


def function_parameters(tool: Tool, quirks: Quirks) -> Mapping[str, Any]:
    """A tool's parameters: for a strict one in the subset that is enforced, where the server has such a subset.

    Raises UnsupportedFeatureError when they cannot be brought into it.
    """
    if not (tool.strict and quirks.strict_schemas):
        return tool.parameters
    try:
        return strict_schema(tool.parameters)
    except NotStrictError as error:
        problem = str(error)
    raise UnsupportedFeatureError(
        f"the schema of tool {tool.name!r} cannot be enforced: {problem}", field="tools", hint="leave strict out"
    )


def _choice(choice: ToolChoice, quirks: Quirks) -> Any:
    if choice.name is not None:
        return {"type": "function", "function": {"name": choice.name}}
    return quirks.required_word if choice.mode == "required" else choice.mode


def response_format(schema: Mapping[str, Any], quirks: Quirks) -> dict[str, Any]:
    """The `response_format` of an output schema."""
    if quirks.schema_form == "json_object":
        return {"type": "json_object"}
    name = schema_name(schema)
    if not quirks.strict_schemas:
        return {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}
    strict, wanted = enforceable(schema)
    return {"type": "json_schema", "json_schema": {"name": name, "schema": wanted, "strict": strict}}


def told_schema(schema: Mapping[str, Any], quirks: Quirks) -> dict[str, Any]:
    """The schema in words, for a server that only knows JSON; such servers want the word JSON in the prompt too."""
    role = "system" if quirks.system_role == "keep" else quirks.system_role
    words = "Answer with nothing but one JSON document that fits this JSON schema:"
    return {"role": role, "content": f"{words}\n{dump_json(schema).decode()}"}


def enforceable(schema: Mapping[str, Any]) -> tuple[bool, Mapping[str, Any]]:
    """Whether a schema can be enforced, and the schema to send: untouched when it cannot."""
    try:
        return True, strict_schema(schema)
    except NotStrictError:
        return False, schema


def _limits(request: Request, quirks: Quirks, body: dict[str, Any]) -> None:
    if request.max_tokens is not None:
        body[quirks.max_tokens_field] = request.max_tokens
    if request.stop:
        if quirks.stop_as_list:
            body["stop"] = list(request.stop)
        elif len(request.stop) == 1:
            body["stop"] = request.stop[0]
        else:
            raise UnsupportedFeatureError("this server takes one stop string", field="stop")
    if request.n is not None and request.n != 1:
        body["n"] = request.n


def _sampling(request: Request, quirks: Quirks, body: dict[str, Any]) -> None:
    asked = request.asked
    for name in _BY_THEIR_NAMES:
        if name in asked and asked[name] is not None:
            body[name] = asked[name]
    if request.seed is not None and quirks.seed_field:
        body[quirks.seed_field] = request.seed
    if request.logit_bias is not None:
        body["logit_bias"] = dict(request.logit_bias)
    if request.logprobs is not None:
        body["logprobs"] = True
        if request.logprobs:
            body["top_logprobs"] = request.logprobs


def _effort(effort: str | None, quirks: Quirks, body: dict[str, Any]) -> None:
    if effort is None:
        return
    fields = quirks.effort_bodies.get(effort)
    if fields is not None:
        body.update(fields)
        return
    outer, dot, inner = quirks.effort_field.partition(".")
    if outer:
        body[outer] = {inner: effort} if dot else effort


def _service(request: Request, quirks: Quirks, body: dict[str, Any]) -> None:
    if request.verbosity is not None:
        body["verbosity"] = request.verbosity
    if request.service_tier is not None:
        body["service_tier"] = request.service_tier
    if request.cache_key is not None and quirks.cache_key_field:
        body[quirks.cache_key_field] = request.cache_key
    if request.end_user_id is not None and quirks.end_user_field:
        body[quirks.end_user_field] = request.end_user_id
    if request.metadata:
        body["metadata"] = dict(request.metadata)
    if quirks.send_store or (request.store is not None and (request.store or quirks.knows_store)):
        body["store"] = bool(request.store)
