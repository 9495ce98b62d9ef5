"""What Chat Completions refuses: parameters. Messages have a room of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from byollm_sandbox.dialects import openai_models as models
from byollm_sandbox.dialects.base import Rejection, names
from byollm_sandbox.dialects.openai_chat_messages import message_problems
from byollm_sandbox.dialects.openai_checks import (
    EFFORTS,
    SERVICE_TIERS,
    Problems,
    array,
    boolean,
    common,
    first,
    integer,
    listed,
    missing,
    number,
    refuse,
    shaped,
    text,
    unique_name,
    word,
    wrong_type,
    wrong_value,
)
from byollm_sandbox.dialects.openai_schema import object_problem, strict_problem
from byollm_sandbox.dialects.shapes import CHAT
from byollm_sandbox.tokens import count_messages, count_tools

KNOWN: Final = names(
    "messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens metadata modalities moderation n parallel_tool_calls prediction presence_penalty "
    "prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format "
    "safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools "
    "top_logprobs top_p user verbosity web_search_options"
)
"""Every parameter of the request."""

_TOOL_KINDS: Final = ("function", "custom")
_FORMATS: Final = ("json_object", "json_schema", "text")


def validate(body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
    """OpenAI's refusal; `compatible` tolerates unknown parameters, as many servers of the dialect do."""
    if not isinstance(body, dict):
        return refuse("We could not parse the JSON body of your request: it must be a JSON object.")
    return first(_problems(body, compatible))


def _problems(body: dict[str, Any], compatible: bool) -> Problems:
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield refuse("you must provide a model parameter")
        return
    if not compatible:
        for name in body:
            if name not in KNOWN:
                yield refuse(f"Unrecognized request argument supplied: {name}")
    yield from shaped(body, CHAT)
    yield from _model(body["model"], body)
    yield from _parameters(body)
    if not compatible:
        yield from _only_with_tools(body)
    yield from _tools(body)
    yield from _format(body)
    if "messages" not in body:
        yield missing("messages")
        return
    yield from message_problems(body["messages"], body["model"])
    yield from _family(body)
    yield from _json_word(body)
    yield from _window(body)


def _model(name: str, body: Mapping[str, Any]) -> Problems:
    if not models.exists(name):
        text_ = f"The model `{name}` does not exist or you do not have access to it."
        yield refuse(text_, None, "model_not_found", 404)
    elif models.chat_refuses(name):
        text_ = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
        yield refuse(text_, "model", None, 404)
    elif models.refuses_tools(name) and body.get("tools"):
        yield refuse("tools is not supported in this model.", None, None, 404)


def _parameters(body: Mapping[str, Any]) -> Problems:
    yield from common(body)
    yield from number(body, "frequency_penalty", -2, 2)
    yield from number(body, "presence_penalty", -2, 2)
    yield from integer(body, "n", 1, 128)
    yield from integer(body, "max_tokens", 1)
    yield from integer(body, "max_completion_tokens", 1)
    yield from integer(body, "seed", -(2**63), 2**63 - 1)
    yield from integer(body, "top_logprobs", 0, 20)
    yield from boolean(body, "logprobs")
    yield from word(body, "reasoning_effort", EFFORTS)
    yield from word(body, "verbosity", ("low", "medium", "high"))
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        text_ = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        yield refuse(text_, "max_tokens", "invalid_parameter_combination")
    if body.get("top_logprobs") and body.get("logprobs") is not True:
        yield refuse("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs")
    if body.get("stream_options") is not None and body.get("stream") is not True:
        yield refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    yield from _stop(body.get("stop"))
    yield from _bias(body.get("logit_bias"))
    if body.get("service_tier") is not None and body["service_tier"] not in SERVICE_TIERS:
        yield refuse("Invalid service_tier argument", "service_tier")


def _stop(stop: Any) -> Problems:
    if stop is None or isinstance(stop, str):
        return
    yield from array(stop, "stop", 1, 4)
    for index, item in enumerate(stop if isinstance(stop, list) else ()):
        yield from text({"": item}, "", None, f"stop[{index}]")


def _bias(bias: Any) -> Problems:
    if bias is None:
        return
    if not isinstance(bias, dict):
        yield wrong_type("logit_bias", "an object", bias)
        return
    for token in bias:
        yield from integer(bias, token, -100, 100, f"logit_bias.{token}")


def _only_with_tools(body: Mapping[str, Any]) -> Problems:
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get("tools") is None and body.get(name) is not None and "functions" not in body:
            yield refuse(f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.", name)


def _tools(body: Mapping[str, Any]) -> Problems:
    tools = body.get("tools")
    if tools is None:
        return
    yield from array(tools, "tools", 1, 128)
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        yield from _tool(tool, f"tools[{index}]")
    yield from _choice(body.get("tool_choice"), tools)


def _tool(tool: Any, path: str) -> Problems:
    if not isinstance(tool, dict):
        yield wrong_type(path, "an object", tool)
        return
    if "type" not in tool:
        yield missing(f"{path}.type")
    elif tool["type"] not in _TOOL_KINDS:
        yield wrong_value(f"{path}.type", tool["type"], _TOOL_KINDS)
    kind = "custom" if tool.get("type") == "custom" else "function"
    inner = tool.get(kind)
    if not isinstance(inner, dict):
        yield missing(f"{path}.{kind}")
        return
    yield from unique_name(inner.get("name"), f"{path}.{kind}.name")
    yield from text(inner, "description", None, f"{path}.{kind}.description")
    schema = inner.get("parameters")
    if kind == "function" and schema is not None:
        problem = strict_problem(schema) if inner.get("strict") is True else object_problem(schema)
        if problem is not None:
            text_ = f"Invalid schema for function '{inner.get('name')}': {problem}"
            yield refuse(text_, f"{path}.function.parameters", "invalid_function_parameters")


def _choice(choice: Any, tools: Any) -> Problems:
    if choice is None:
        return
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            yield wrong_value("tool_choice", choice, ("none", "auto", "required"))
        return
    if not isinstance(choice, dict):
        yield wrong_type("tool_choice", "one of none, auto, required or an object", choice)
        return
    kind = choice.get("type")
    if kind in _TOOL_KINDS:
        wanted = (choice.get(kind) or {}).get("name")
        if wanted is None:
            yield missing(f"tool_choice.{kind}.name")
        offered = {(tool.get(tool.get("type")) or {}).get("name") for tool in tools if isinstance(tool, dict)}
        if wanted not in offered:
            yield refuse(f"Invalid value for 'tool_choice': no tool is called '{wanted}' in 'tools'.", "tool_choice")
    elif kind != "allowed_tools":
        yield wrong_value("tool_choice.type", kind, (*_TOOL_KINDS, "allowed_tools"))


def _format(body: Mapping[str, Any]) -> Problems:
    format_ = body.get("response_format")
    if format_ is None:
        return
    if not isinstance(format_, dict):
        yield wrong_type("response_format", "an object", format_)
        return
    if format_.get("type") not in _FORMATS:
        yield wrong_value("response_format.type", format_.get("type"), _FORMATS)
    if format_.get("type") != "json_schema":
        return
    inner = format_.get("json_schema")
    if not isinstance(inner, dict):
        yield missing("response_format.json_schema")
        return
    yield from unique_name(inner.get("name"), "response_format.json_schema.name")
    if inner.get("strict") is True:
        problem = strict_problem(inner.get("schema"))
        if problem is not None:
            yield refuse(f"Invalid schema for response_format '{inner.get('name')}': {problem}", "response_format")


def _family(body: Mapping[str, Any]) -> Problems:
    name, effort = body["model"], body.get("reasoning_effort")
    family = models.family_of(name)
    if not family.known:
        return
    if not models.searches(name) and body.get("web_search_options") is not None:
        yield refuse("Web search options not supported with this model.", "web_search_options")
    if body.get("service_tier") == "flex" and not models.takes_flex(name):
        yield refuse("Invalid service_tier argument", "service_tier")
    yield from _output_limit(body, family)
    if not family.reasons:
        if effort is not None:
            yield refuse("Unrecognized request argument supplied: reasoning_effort")
        return
    if effort is not None and (effort not in family.efforts or effort == "max"):
        supported = [item for item in family.efforts if item != "max"]
        text_ = (
            f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. Supported values are:"
        )
        yield refuse(f"{text_} {listed(supported)}.", "reasoning_effort", "unsupported_value")
    yield from _while_reasoning(body, family, effort or family.default)


def _output_limit(body: Mapping[str, Any], family: models.Family) -> Problems:
    for name in ("max_tokens", "max_completion_tokens"):
        asked = body.get(name)
        if isinstance(asked, int) and family.output is not None and asked > family.output:
            text_ = f"{name} is too large: {asked}. This model supports at most {family.output} completion tokens."
            yield refuse(text_, name, "invalid_value")


def _while_reasoning(body: Mapping[str, Any], family: models.Family, effort: str) -> Problems:
    if body.get("max_tokens") is not None:
        text_ = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        yield refuse(text_, "max_tokens", "unsupported_parameter")
    if effort == "none":
        return
    if body.get("temperature") not in (None, 1):
        yield _no_temperature(body)
    if models.serial(body["model"]) and body.get("parallel_tool_calls") is not None:
        text_ = "Unsupported parameter: 'parallel_tool_calls' is not supported with this model."
        yield refuse(text_, "parallel_tool_calls", "unsupported_parameter")
    for name in ("top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias", "stop"):
        if body.get(name) not in (None, False, {}, 1 if name == "top_p" else 0):
            text_ = f"Unsupported parameter: '{name}' is not supported with this model."
            yield refuse(text_, name, "unsupported_parameter")
    functions = [tool for tool in body.get("tools") or () if tool.get("type") == "function"]
    if functions and models.refuses_tools_while_reasoning(body["model"]):
        yield refuse(
            f"Function tools with reasoning_effort are not supported for {body['model']} in /v1/chat/completions. "
            "To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
            "reasoning_effort",
        )


def _no_temperature(body: Mapping[str, Any]) -> Rejection:
    if models.bare(body["model"]).startswith("o3-mini"):
        # The one family that calls this an unsupported parameter, not an unsupported value.
        text_ = "Unsupported parameter: 'temperature' is not supported with this model."
        return refuse(text_, "temperature", "unsupported_parameter")
    text_ = f"Unsupported value: 'temperature' does not support {body['temperature']} with this model."
    return refuse(f"{text_} Only the default (1) value is supported.", "temperature", "unsupported_value")


def _json_word(body: Mapping[str, Any]) -> Problems:
    if (body.get("response_format") or {}).get("type") != "json_object":
        return
    if "json" not in json.dumps([message.get("content") for message in body["messages"]]).lower():
        text_ = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        yield refuse(text_, "messages")


def _window(body: Mapping[str, Any]) -> Problems:
    window = models.family_of(body["model"]).window
    used = count_messages(body["messages"]) + count_tools(body.get("tools"))
    if window is not None and used > window:
        text_ = (
            f"This model's maximum context length is {window} tokens. However, your messages resulted in {used} tokens."
        )
        yield refuse(f"{text_} Please reduce the length of the messages.", "messages", "context_length_exceeded")
