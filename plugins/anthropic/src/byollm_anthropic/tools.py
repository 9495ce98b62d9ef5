"""Tools, the choice among them, and structured output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm.plugin import Request, Tool, UnsupportedFeatureError
from byollm_anthropic.blocks import cache_control
from byollm_anthropic.host import Host
from byollm_anthropic.names import Names
from byollm_anthropic.notes import Notes
from byollm_anthropic.schema import check_limits, wire_schema


def wire_tools(request: Request, host: Host, names: Names, notes: Notes) -> list[dict[str, Any]]:
    """The list of tools. Raises UnsupportedFeatureError for a foreign tool and for schemas it cannot enforce."""
    tools: list[dict[str, Any]] = []
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            tools.append(_tool(tool, names, notes))
        elif tool.provider in (host.provider, "anthropic"):
            tools.append(dict(tool.definition))
        else:
            raise UnsupportedFeatureError(f"a tool of {tool.provider} cannot run at {host.provider}", field="tools")
    return tools


def _tool(tool: Tool, names: Names, notes: Notes) -> dict[str, Any]:
    wire: dict[str, Any] = {"name": names.wire(tool.name)}
    if tool.description is not None:
        wire["description"] = tool.description
    schema = input_schema(tool.parameters)
    if tool.strict:
        schema, moved = wire_schema(schema, "tools")
        _tell(notes, "tools", moved)
    wire["input_schema"] = schema
    if tool.strict is not None:
        wire["strict"] = tool.strict
    if tool.cache is not None:
        wire["cache_control"] = cache_control(tool.cache)
    return wire


def input_schema(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`input_schema.type` is required and `properties: null` is refused (recorded 400s, litellm 1.109.1)."""
    schema = {key: value for key, value in parameters.items() if key != "properties" or value is not None}
    return schema if "type" in schema else {"type": "object", **schema}


def tool_choice(request: Request, names: Names) -> dict[str, Any] | None:
    """`tool_choice`, with the switch for parallel calls; `none` refuses that switch."""
    choice = request.tool_choice
    alone = request.parallel_tool_calls is False
    if choice is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if alone else None
    wire: dict[str, Any]
    if choice.name is not None:
        wire = {"type": "tool", "name": names.wire(choice.name)}
    else:
        wire = {"type": {"auto": "auto", "none": "none", "required": "any"}[choice.mode]}
    if alone and wire["type"] != "none":
        wire["disable_parallel_tool_use"] = True
    return wire


def output_format(request: Request, notes: Notes) -> dict[str, Any] | None:
    """`output_config.format`. Raises UnsupportedFeatureError for a schema the server cannot hold an answer to."""
    schema = request.json_schema
    if schema is None:
        return None
    wire, moved = wire_schema(schema, "output_schema")
    _tell(notes, "output_schema", moved)
    return {"type": "json_schema", "schema": wire}


def check_schemas(tools: list[dict[str, Any]], wanted: dict[str, Any] | None) -> None:
    """All strict schemas of one request are compiled together. Raises UnsupportedFeatureError beyond the limits."""
    strict = [tool["input_schema"] for tool in tools if tool.get("strict") is True and "input_schema" in tool]
    schemas = [*strict, *([wanted["schema"]] if wanted is not None else [])]
    check_limits(schemas, len(strict), "output_schema" if not strict else "tools")


def _tell(notes: Notes, field: str, moved: tuple[str, ...]) -> None:
    if moved:
        words = ", ".join(moved)
        notes.add(
            field, "emulated", f"the server does not enforce {words}: moved into the descriptions, checked by byollm"
        )
