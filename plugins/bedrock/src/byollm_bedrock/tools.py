"""Tools, the choice among them, and structured output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Request, Support, Tool, ToolCall, ToolResult, UnsupportedFeatureError, dump_json
from byollm_anthropic.dialect import check_limits, wire_schema
from byollm_bedrock.blocks import Block, cache_point
from byollm_bedrock.families import Family
from byollm_bedrock.names import Names
from byollm_bedrock.notes import Notes

SCHEMA_NAME: Final = "answer"


def tool_config(
    request: Request, family: Family, names: Names, notes: Notes
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """`toolConfig`, and what of the choice goes into Claude's own fields. Raises UnsupportedFeatureError.

    A history with calls wants a `toolConfig`, whether tools are offered or not; and there is no word for "none".
    """
    tools = _tools(request, family, names, notes)
    choice = request.tool_choice
    spoken = [part for turn in request.messages for part in turn.parts if isinstance(part, ToolCall | ToolResult)]
    silent = choice is not None and choice.mode == "none"
    if not spoken and (not tools or (silent and family.effort != "claude")):
        return None, {}
    if not tools:
        tools = _remembered(spoken, names)
        notes.add("tools", "emulated", "a history with tool calls wants tools: those it names were offered again")
        silent = True
    if silent:
        if family.effort == "claude":
            return {"tools": tools}, {"tool_choice": {"type": "none"}}
        notes.add("tool_choice", "dropped", "the wire has no word for it where the history holds tool calls", "none")
        return {"tools": tools}, {}
    if request.parallel_tool_calls is False and family.effort == "claude":
        return {"tools": tools}, {"tool_choice": {**_claude_choice(request, names), "disable_parallel_tool_use": True}}
    wire = _choice(request, names)
    return ({"tools": tools, "toolChoice": wire} if wire is not None else {"tools": tools}), {}


def _tools(request: Request, family: Family, names: Names, notes: Notes) -> list[Block]:
    found: list[Block] = []
    strict: list[Mapping[str, Any]] = []
    for tool in request.tools or ():
        if not isinstance(tool, Tool):
            if tool.provider != "bedrock":
                raise UnsupportedFeatureError(f"a tool of {tool.provider} cannot run at bedrock", field="tools")
            found.append(dict(tool.definition))
            continue
        spec = _spec(tool, names, notes)
        if tool.strict:
            strict.append(spec["inputSchema"]["json"])
        found.append({"toolSpec": spec})
        if tool.cache is not None and not family.cache.refused:
            found.append(cache_point(tool.cache))
    check_limits(strict, len(strict), "tools")
    return found


def _spec(tool: Tool, names: Names, notes: Notes) -> Block:
    schema = {key: value for key, value in tool.parameters.items() if key != "properties" or value is not None}
    schema = schema if "type" in schema else {"type": "object", **schema}
    if tool.strict:
        schema, moved = wire_schema(schema, "tools")
        _tell(notes, "tools", moved)
    spec: Block = {"name": names.wire(tool.name)}
    if tool.description:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": schema}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return spec


def _remembered(spoken: list[ToolCall | ToolResult], names: Names) -> list[Block]:
    called = dict.fromkeys(names.wire(part.name) for part in spoken if isinstance(part, ToolCall))
    return [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in called or ("tool",)]


def _choice(request: Request, names: Names) -> Block | None:
    choice = request.tool_choice
    if choice is None:
        return None
    if choice.name is not None:
        return {"tool": {"name": names.wire(choice.name)}}
    return {"any": {}} if choice.mode == "required" else {"auto": {}}


def _claude_choice(request: Request, names: Names) -> Block:
    choice = request.tool_choice
    if choice is not None and choice.name is not None:
        return {"type": "tool", "name": names.wire(choice.name)}
    return {"type": "any" if choice is not None and choice.mode == "required" else "auto"}


def output_config(request: Request, support: Support, notes: Notes) -> dict[str, Any] | None:
    """`outputConfig`; the schema is a JSON text. Raises UnsupportedFeatureError for one that cannot be enforced."""
    schema = request.json_schema
    if schema is None:
        return None
    if support.refused:
        raise UnsupportedFeatureError("the model cannot be held to a schema; nothing was sent", field="output_schema")
    made, moved = wire_schema(schema, "output_schema")
    check_limits([made], 0, "output_schema")
    _tell(notes, "output_schema", moved)
    said = {"schema": dump_json(made).decode(), "name": SCHEMA_NAME}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": said}}}


def _tell(notes: Notes, field: str, moved: tuple[str, ...]) -> None:
    if moved:
        words = ", ".join(moved)
        notes.add(
            field, "emulated", f"the server does not enforce {words}: moved into the descriptions, checked by byollm"
        )
