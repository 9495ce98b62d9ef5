"""What Anthropic refuses: parameters. Messages and schemas have rooms of their own.

Refusals follow the vendor's `path: sentence` form; rules as recorded and as the wire notes tell (2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects import claude_models as claude
from byollm_sandbox.dialects.anthropic_content import (
    Problems,
    cache_problems,
    message_problems,
    refuse,
    system_problems,
)
from byollm_sandbox.dialects.anthropic_schema import format_problems, tool_schema_problems
from byollm_sandbox.dialects.base import Rejection, names
from byollm_sandbox.dialects.shapes import MESSAGES, misfit
from byollm_sandbox.tokens import count_messages, count_tools, count_value

VERSIONS: Final = ("2023-01-01", "2023-06-01", "2026-10-21")
"""Versions of the API that exist."""
KNOWN: Final = names(
    "max_tokens messages model cache_control container diagnostics inference_geo metadata output_config "
    "service_tier speed stop_sequences system thinking tool_choice tools user_profile_id workspace_id stream "
    "temperature top_k top_p billing_policy compaction context_management fallback_credit_token fallbacks "
    "mcp_servers output_format thread"
)
"""Every parameter of the request, betas too."""
COUNTED: Final = names(
    "messages model cache_control output_config speed system thinking tool_choice tools user_profile_id "
    "workspace_id context_management output_format"
)
"""Every parameter of the counting endpoint."""
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_KEYS: Final = names(
    "type name description input_schema cache_control strict defer_loading allowed_callers "
    "eager_input_streaming input_examples"
)
_CHOICES: Final = ("auto", "any", "tool", "none")
_FORCED: Final = ("any", "tool")
_LEAST_BUDGET: Final = 1024
_BODY_LIMIT: Final = 32 * 1024 * 1024


def validate(body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
    """Anthropic's refusal of a message's request; `compatible` leaves out what hangs on Anthropic's own models."""
    return next(_request(body, headers, compatible), None)


def validate_count(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """Anthropic's refusal of a counting request."""
    return next(_count_request(body, headers), None)


def _head(body: Any, headers: Mapping[str, str], known: frozenset[str]) -> Problems:
    version = headers.get("anthropic-version")
    if version is None:
        yield refuse("anthropic-version: header is required")
    elif version not in VERSIONS:
        yield refuse(f'anthropic-version: "{version}" is not a valid version')
    if int(headers.get("content-length") or 0) > _BODY_LIMIT:
        yield Rejection(413, "Request exceeds the maximum size", "request_too_large")
    if not isinstance(body, dict):
        yield refuse("The request body is not valid JSON: expected an object")
        return
    for name in ("model", "messages"):
        if name not in body:
            yield refuse(f"{name}: Field required")
    for name in body:
        if name not in known:
            yield refuse(f"{name}: Extra inputs are not permitted")
    if not isinstance(body["model"], str):
        yield refuse("model: Input should be a valid string")
    elif not claude.exists(body["model"]):
        yield Rejection(404, f"model: {body['model']}", "not_found_error")


def _request(body: Any, headers: Mapping[str, str], compatible: bool) -> Iterator[Rejection]:
    for problem in _head(body, headers, KNOWN):
        yield problem
        return
    yield from _shaped(body)
    yield from _limits(body)
    yield from _sampling(body)
    yield from _words(body)
    yield from _shared(body)
    family = claude.family_of(body["model"])
    yield from message_problems(body["messages"], family, body.get("thinking"))
    if not compatible:
        yield from _thinking_well(body)
        yield from _family(body, family)
        yield from _window(body, family)


def _count_request(body: Any, headers: Mapping[str, str]) -> Iterator[Rejection]:
    for problem in _head(body, headers, COUNTED):
        yield problem
        return
    yield from _shaped(body)
    yield from _shared(body)
    yield from message_problems(body["messages"], claude.family_of(body["model"]), body.get("thinking"))


def _shaped(body: Mapping[str, Any]) -> Problems:
    found = misfit(body, MESSAGES)
    if found is not None:
        path, expected, _ = found
        where = ".".join(map(str, path))
        text = "Input does not match the expected shape." if len(path) == 2 else f"Input should be {expected}"
        yield refuse(f"{where}: {text}")


def _shared(body: Mapping[str, Any]) -> Problems:
    yield from system_problems(body.get("system"))
    yield from _tools(body.get("tools"))
    yield from _choice(body)
    yield from _thinking(body)
    yield from format_problems(body)
    yield from cache_problems(body)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _limits(body: Mapping[str, Any]) -> Problems:
    if "max_tokens" not in body:
        yield refuse("max_tokens: Field required")
        return
    if not _whole(body["max_tokens"]):
        yield refuse("max_tokens: Input should be a valid integer")
    elif body["max_tokens"] < 0:
        yield refuse("max_tokens: Input should be greater than or equal to 0")
    else:
        name, (_, most) = body["model"], claude.limits(body["model"])
        if body["max_tokens"] > most and claude.family_of(name).known:
            text = f"max_tokens: {body['max_tokens']} > {most}, which is the maximum allowed number of output tokens"
            yield refuse(f"{text} for {name}")


def _sampling(body: Mapping[str, Any]) -> Problems:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield refuse(f"{name}: Input should be a valid number")
        elif not 0 <= value <= 1:
            yield refuse(f"{name}: range: 0..1")
    top_k = body.get("top_k")
    if top_k is not None and (not _whole(top_k) or top_k < 0):
        yield refuse("top_k: Input should be a valid integer greater than or equal to 0")


def _words(body: Mapping[str, Any]) -> Problems:
    if not isinstance(body.get("stream", False), bool):
        yield refuse("stream: Input should be a valid boolean")
    for name, words in (("service_tier", ("auto", "standard_only")), ("speed", ("standard", "fast"))):
        if body.get(name) is not None and body[name] not in words:
            yield refuse(f"{name}: Input should be {' or '.join(map(repr, words))}")
    stops = body.get("stop_sequences")
    if stops is not None and not isinstance(stops, list):
        yield refuse("stop_sequences: Input should be a valid list")
    for index, stop in enumerate(stops or ()):
        if not isinstance(stop, str):
            yield refuse(f"stop_sequences.{index}: Input should be a valid string")
        elif not stop.strip():
            yield refuse("stop_sequences: each stop sequence must contain non-whitespace")
    yield from _metadata(body.get("metadata"))


def _metadata(metadata: Any) -> Problems:
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        yield refuse("metadata: Input should be an object")
        return
    for name in metadata:
        if name != "user_id":
            yield refuse(f"metadata.{name}: Extra inputs are not permitted")
    user = metadata.get("user_id")
    if user is not None and not isinstance(user, str):
        yield refuse("metadata.user_id: Input should be a valid string")
    elif user is not None and len(user) > 512:
        yield refuse("metadata.user_id: String should have at most 512 characters")
    elif user is not None and re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+|\+?[\d ()-]{7,20}", user):
        yield refuse("metadata.user_id: user_id appears to contain an email address or phone number")


def _tools(tools: Any) -> Problems:
    if tools is None:
        return
    if not isinstance(tools, list):
        yield refuse("tools: Input should be a valid list")
        return
    names: list[str] = []
    for index, tool in enumerate(tools):
        yield from _tool(tool, f"tools.{index}")
        names.append(str(tool.get("name")))
    if len(set(names)) < len(names):
        yield refuse("tools: Tool names must be unique.")
    yield from tool_schema_problems(tools)


def _tool(tool: Any, path: str) -> Problems:
    if not isinstance(tool, dict):
        yield refuse(f"{path}: Input does not match the expected shape.")
        return
    if tool.get("type") not in (None, "custom"):
        return
    where = f"{path}.custom"
    for name in tool:
        if name not in _TOOL_KEYS:
            yield refuse(f"{where}.{name}: Extra inputs are not permitted")
    name = tool.get("name")
    if name is None:
        yield refuse(f"{where}.name: Field required")
    elif not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        yield refuse(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if tool.get("description") is not None and not isinstance(tool["description"], str):
        yield refuse(f"{where}.description: Input should be a valid string")
    if "input_schema" not in tool:
        yield refuse(f"{where}.input_schema: Field required")
    else:
        yield from _input_schema(tool["input_schema"], where)


def _input_schema(schema: Any, where: str) -> Problems:
    if not isinstance(schema, dict):
        yield refuse(f"{where}.input_schema: Input does not match the expected shape.")
    elif "type" not in schema:
        yield refuse(f"{where}.input_schema.type: Field required")
    elif schema["type"] != "object":
        yield refuse(f"{where}.input_schema.type: Input should be 'object'")
    elif "properties" in schema and not isinstance(schema["properties"], dict):
        yield refuse(f"{where}.input_schema.properties: Input should be an object")


def _choice(body: Mapping[str, Any]) -> Problems:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not isinstance(choice, dict) or choice.get("type") not in _CHOICES:
        yield refuse(
            f"tool_choice: Input tag does not match any of the expected tags: {', '.join(map(repr, _CHOICES))}"
        )
        return
    kind, tools = choice["type"], body.get("tools")
    if not tools and kind != "none":
        yield refuse("tool_choice may only be specified while providing tools.")
    if kind == "none" and "disable_parallel_tool_use" in choice:
        yield refuse("tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted")
    if kind == "tool":
        if not isinstance(choice.get("name"), str):
            yield refuse("tool_choice.tool.name: Field required")
        elif choice["name"] not in {tool.get("name") for tool in tools or ()}:
            yield refuse(f"Tool '{choice['name']}' not found in provided tools")
    if kind in _FORCED and (body.get("thinking") or {}).get("type") == "enabled":
        yield refuse("Thinking may not be enabled when tool_choice forces tool use.")


def _thinking(body: Mapping[str, Any]) -> Problems:
    thinking = body.get("thinking")
    if thinking is None:
        return
    if not isinstance(thinking, dict):
        yield refuse("thinking: Input should be an object")
        return
    kind = thinking.get("type")
    if kind not in ("enabled", "disabled", "adaptive", "between_tools"):
        yield refuse("thinking: Input tag does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'")
        return
    family = claude.family_of(body["model"])
    if family.thinking and kind not in family.thinking:
        yield refuse(f"thinking.type: '{kind}' is not supported on this model. Supported: {', '.join(family.thinking)}")
    elif not family.thinking and kind != "disabled":
        yield refuse("thinking: this model does not support thinking")
    if kind == "enabled":
        yield from _budget(body, thinking)


def _budget(body: Mapping[str, Any], thinking: Mapping[str, Any]) -> Problems:
    budget, limit = thinking.get("budget_tokens"), body.get("max_tokens")
    if budget is None:
        yield refuse("thinking.enabled.budget_tokens: Field required")
    elif not _whole(budget) or budget < _LEAST_BUDGET:
        yield refuse(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}")
    elif _whole(limit) and budget >= limit and not _interleaved(body):
        yield refuse("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _thinking_well(body: Mapping[str, Any]) -> Problems:
    if (body.get("thinking") or {}).get("type") != "enabled":
        return
    if body.get("temperature") not in (None, 1):
        yield refuse("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        yield refuse("`top_k` must be unset when thinking is enabled.")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        yield refuse("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")


def _interleaved(body: Mapping[str, Any]) -> bool:
    # With interleaved thinking (a beta) the budget spans several turns between tool calls and may exceed max_tokens.
    return bool(body.get("tools"))


def _family(body: Mapping[str, Any], family: claude.Family) -> Problems:
    given = [name for name in ("temperature", "top_p", "top_k") if body.get(name) is not None]
    if family.sampling == "rejected":
        for name in given:
            if not (name == "temperature" and body[name] == 1):
                yield refuse(f"`{name}` is not supported on this model.")
    if family.sampling == "either" and {"temperature", "top_p"} <= set(given):
        yield refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    effort = (body.get("output_config") or {}).get("effort")
    if effort is not None and not family.effort:
        yield refuse("This model does not support the effort parameter.")
    elif effort is not None and effort not in family.effort:
        supported = ", ".join(sorted(family.effort))
        yield refuse(f"This model does not support effort level '{effort}'. Supported levels: {supported}.")
    if not family.forced and (body.get("tool_choice") or {}).get("type") in _FORCED:
        yield refuse("tool_choice: forcing tool use is not supported on this model. Use 'auto' or 'none'.")


def _window(body: Mapping[str, Any], family: claude.Family) -> Problems:
    used = count_messages(body["messages"]) + count_tools(body.get("tools")) + count_value(body.get("system"))
    if used > family.window and family.known:
        yield refuse(f"prompt is too long: {used} tokens > {family.window} maximum")
