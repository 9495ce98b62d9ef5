"""What Responses refuses: parameters. Input items have a room of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from byollm_sandbox.dialects import openai_models as models
from byollm_sandbox.dialects.base import Rejection, names
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
    refuse,
    shaped,
    text,
    unique_name,
    word,
    wrong_type,
    wrong_value,
)
from byollm_sandbox.dialects.openai_responses_items import item_problems
from byollm_sandbox.dialects.openai_schema import object_problem, strict_problem
from byollm_sandbox.dialects.shapes import RESPONSES
from byollm_sandbox.tokens import count_messages, count_text, count_tools

KNOWN: Final = names(
    "access_programs background background_options context_management conversation image include input "
    "instructions max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls "
    "previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning "
    "safety_identifier service_tier store stream stream_options temperature text tool_choice tools "
    "top_logprobs top_p truncation user"
)
"""Every parameter of the request."""
COUNTED: Final = names(
    "conversation input instructions model parallel_tool_calls personality previous_response_id reasoning "
    "text tool_choice tools truncation"
)
"""Every parameter of the counting endpoint."""
INCLUDES: Final = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
_FORMATS: Final = ("json_object", "json_schema", "text")
_CHOICES: Final = ("none", "auto", "required")
_RESEARCH_TOOLS: Final = ("web_search_preview", "code_interpreter", "mcp", "file_search")
_LEAST_OUTPUT: Final = 16


def validate(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """OpenAI's refusal of a response's request."""
    if not isinstance(body, dict):
        return refuse("We could not parse the JSON body of your request: it must be a JSON object.")
    return first(_problems(body))


def validate_count(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """OpenAI's refusal of a counting request."""
    if not isinstance(body, dict):
        return refuse("We could not parse the JSON body of your request: it must be a JSON object.")
    return first(_count_problems(body))


def _count_problems(body: dict[str, Any]) -> Problems:
    yield from _unknown(body, COUNTED)
    yield from shaped(body, RESPONSES)
    if isinstance(body.get("model"), str):
        yield from _model(body["model"])
    yield from _tools(body)
    if body.get("input") is not None:
        yield from item_problems(body["input"])


def _problems(body: dict[str, Any]) -> Problems:
    yield from _unknown(body, KNOWN)
    name = body.get("model")
    if name is None and body.get("prompt") is None:
        yield missing("model")
        return
    if name is not None and not isinstance(name, str):
        yield wrong_type("model", "a string", name)
        return
    yield from shaped(body, RESPONSES)
    if isinstance(name, str):
        yield from _model(name)
    yield from _parameters(body)
    yield from _format(body)
    yield from _input(body)
    yield from _tools(body)
    if isinstance(name, str):
        yield from _family(name, body)
        yield from _sounds(name, body)
        yield from _window(name, body)


def _unknown(body: Mapping[str, Any], known: frozenset[str]) -> Problems:
    for name in body:
        if name not in known:
            yield refuse(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


def _model(name: str) -> Problems:
    # Chat answers 404 to an unknown model, Responses 400 (recorded in 2026).
    if not models.exists(name):
        yield refuse(f"The requested model '{name}' does not exist.", "model", "model_not_found")
    elif models.responses_refuses(name):
        text_ = f"The requested model '{name}' is not supported with the Responses API."
        yield refuse(text_, "model", "model_not_found")


def _parameters(body: Mapping[str, Any]) -> Problems:
    yield from common(body)
    yield from integer(body, "max_output_tokens", _LEAST_OUTPUT)
    yield from integer(body, "max_tool_calls", 1)
    yield from integer(body, "top_logprobs", 0, 20)
    yield from boolean(body, "background")
    yield from text(body, "instructions")
    yield from word(body, "truncation", ("auto", "disabled"))
    yield from word(body, "service_tier", SERVICE_TIERS)
    if body.get("stream_options") is not None and body.get("stream") is not True:
        yield refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    for index, item in enumerate(body.get("include") or ()):
        if item not in INCLUDES:
            yield wrong_value(f"include[{index}]", item, INCLUDES)
    if body.get("background") is True and body.get("store") is False:
        yield refuse("Background mode requires store=true.", "background")
    previous = body.get("previous_response_id")
    if previous is not None:
        # A twin keeps no answers, so there is none to continue.
        text_ = f"Previous response with id '{previous}' not found."
        yield refuse(text_, "previous_response_id", "previous_response_not_found")


def _format(body: Mapping[str, Any]) -> Problems:
    given = body.get("text")
    if given is None:
        return
    if not isinstance(given, dict):
        yield wrong_type("text", "an object", given)
        return
    yield from word(given, "verbosity", ("low", "medium", "high"), "text.verbosity")
    format_ = given.get("format")
    if format_ is None:
        return
    if not isinstance(format_, dict) or format_.get("type") not in _FORMATS:
        kind = format_.get("type") if isinstance(format_, dict) else format_
        yield wrong_value("text.format.type", kind, _FORMATS)
        return
    if format_["type"] == "json_object" and "json" not in json.dumps(body.get("input")).lower():
        text_ = "Response input messages must contain the word 'json' in some form"
        yield refuse(f"{text_} to use 'text.format' of type 'json_object'.", "input")
    if format_["type"] != "json_schema":
        return
    yield from unique_name(format_.get("name"), "text.format.name")
    if "schema" not in format_:
        yield missing("text.format.schema")
        return
    problem = strict_problem(format_["schema"]) if format_.get("strict") is True else None
    if problem is not None:
        text_ = f"Invalid schema for response_format '{format_['name']}': {problem}"
        yield refuse(text_, "text.format.schema", "invalid_json_schema")


def _input(body: Mapping[str, Any]) -> Problems:
    given = body.get("input")
    if not given and not isinstance(given, dict):
        if body.get("prompt") is None and body.get("conversation") is None:
            text_ = "One of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided."
            yield refuse(text_, "input", "missing_required_parameter")
        return
    yield from item_problems(given)


def _tools(body: Mapping[str, Any]) -> Problems:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if not tools:
        if choice is not None and choice not in ("auto", "none") and body.get("prompt") is None:
            yield refuse("Tool choice must be specified with the 'tools' parameter.", "tool_choice")
        return
    yield from array(tools, "tools", 0, 128)
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        yield from _tool(tool, f"tools[{index}]")
    if isinstance(choice, str) and choice not in _CHOICES:
        yield wrong_value("tool_choice", choice, _CHOICES)
    elif isinstance(choice, dict) and choice.get("type") == "function":
        if "name" not in choice:
            yield missing("tool_choice.name")
        elif choice["name"] not in {tool.get("name") for tool in tools}:
            text_ = f"Tool choice 'function' not found in 'tools' parameter: no tool is called '{choice['name']}'."
            yield refuse(text_, "tool_choice")


def _tool(tool: Any, path: str) -> Problems:
    if not isinstance(tool, dict):
        yield wrong_type(path, "an object", tool)
        return
    if "type" not in tool:
        yield missing(f"{path}.type")
    if tool.get("type") != "function":
        return
    yield from unique_name(tool.get("name"), f"{path}.name")
    yield from text(tool, "description", None, f"{path}.description")
    schema = tool.get("parameters")
    if schema is None:
        return
    problem = strict_problem(schema) if tool.get("strict") is True else object_problem(schema)
    if problem is not None:
        text_ = f"Invalid schema for function '{tool['name']}': {problem}"
        yield refuse(text_, f"{path}.parameters", "invalid_function_parameters")


def _family(name: str, body: Mapping[str, Any]) -> Problems:
    if "deep-research" in name and any(tool.get("type") not in _RESEARCH_TOOLS for tool in body.get("tools") or ()):
        yield refuse(f"Deep research models only support the {listed(_RESEARCH_TOOLS)} tools.", "tools")
    family = models.family_of(name)
    reasoning = body.get("reasoning") or {}
    if not isinstance(reasoning, dict):
        yield wrong_type("reasoning", "an object", reasoning)
        return
    effort = reasoning.get("effort")
    yield from word(reasoning, "effort", EFFORTS, "reasoning.effort")
    yield from word(reasoning, "summary", ("auto", "concise", "detailed"), "reasoning.summary")
    if not family.known:
        return
    if not family.reasons:
        for member in ("effort", "summary"):
            if reasoning.get(member) is not None:
                text_ = f"Unsupported parameter: 'reasoning.{member}' is not supported with this model."
                yield refuse(text_, f"reasoning.{member}", "unsupported_parameter")
        return
    if effort is not None and effort not in family.efforts:
        text_ = f"Unsupported value: '{effort}' is not supported with the '{name}' model. Supported values are:"
        yield refuse(f"{text_} {listed(family.efforts)}.", "reasoning.effort", "unsupported_value")
    if (effort or family.default) != "none":
        for parameter in ("temperature", "top_p", "top_logprobs"):
            # Chat names this `unsupported_value`; Responses gives no code (recorded in 2025).
            if body.get(parameter) not in (None, 0 if parameter == "top_logprobs" else 1):
                text_ = f"Unsupported parameter: '{parameter}' is not supported with this model."
                yield refuse(text_, parameter)


def _window(name: str, body: Mapping[str, Any]) -> Problems:
    window = models.family_of(name).window
    instructions = body.get("instructions")
    used = count_messages(body.get("input")) + count_tools(body.get("tools"))
    used += count_text(instructions) if isinstance(instructions, str) else 0
    if window is not None and used > window and body.get("truncation") != "auto":
        text_ = "Your input exceeds the context window of this model. Please adjust your input and try again."
        yield refuse(text_, "input", "context_length_exceeded")


def _sounds(name: str, body: Mapping[str, Any]) -> Problems:
    given = body.get("input")
    for item in given if isinstance(given, list) and not models.hears(name) else ():
        content = item.get("content") if isinstance(item, dict) else None
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") == "input_audio":
                yield refuse(f"The model '{name}' does not take audio inputs.", "input", "invalid_value")
