"""Tools, the choice among them, and structured output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byollm.plugin import Request, Tool, UnsupportedFeatureError
from byollm_google.families import Family
from byollm_google.host import Host
from byollm_google.names import Names
from byollm_google.notes import Notes
from byollm_google.schema import wire_schema


def wire_tools(request: Request, family: Family, host: Host, names: Names) -> list[dict[str, Any]]:
    """The list of tools: all functions in one entry, then Google's own. Raises UnsupportedFeatureError."""
    functions: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            functions.append(_function(tool, names))
        elif tool.provider in (host.provider, "google"):
            own.append(dict(tool.definition))
        else:
            raise UnsupportedFeatureError(f"a tool of {tool.provider} cannot run at {host.provider}", field="tools")
    if functions and own and not family.modern:
        raise UnsupportedFeatureError(
            "Gemini before 3 cannot combine Google's own tools with functions; nothing was sent",
            field="tools",
            hint="use a newer model, or ask twice",
        )
    return [*([{"functionDeclarations": functions}] if functions else []), *own]


def _function(tool: Tool, names: Names) -> dict[str, Any]:
    wire: dict[str, Any] = {"name": names.wire(tool.name)}
    if tool.description is not None:
        wire["description"] = tool.description
    schema = dict(tool.parameters)
    if schema.get("properties") or len(schema.keys() - {"type", "properties", "additionalProperties", "required"}):
        wire["parametersJsonSchema"] = {key: value for key, value in schema.items() if value is not None}
    return wire  # an object without properties is refused ("should be non-empty for OBJECT type"): left out


def tool_config(request: Request, tools: list[dict[str, Any]], host: Host, names: Names) -> dict[str, Any] | None:
    """`toolConfig`; a calling config without functions is refused."""
    config: dict[str, Any] = {}
    functions = any("functionDeclarations" in tool for tool in tools)
    calling = _calling(request, names) if functions else None
    if calling is not None:
        config["functionCallingConfig"] = calling
    if functions and len(tools) > 1 and host.developer:
        config["includeServerSideToolInvocations"] = True  # this API wants to be told, Vertex refuses to be
    return config or None


def _calling(request: Request, names: Names) -> dict[str, Any] | None:
    choice = request.tool_choice
    strict = any(isinstance(tool, Tool) and tool.strict for tool in request.tools or ())
    if choice is None:
        return {"mode": "VALIDATED"} if strict else None
    if choice.name is not None:
        return {"mode": "ANY", "allowedFunctionNames": [names.wire(choice.name)]}
    if choice.mode == "auto" and strict:
        return {"mode": "VALIDATED"}
    return {"mode": {"auto": "AUTO", "none": "NONE", "required": "ANY"}[choice.mode]}


def output_schema(request: Request, family: Family, notes: Notes) -> Mapping[str, Any] | None:
    """`responseJsonSchema`. Raises UnsupportedFeatureError where a schema and functions exclude each other."""
    schema = request.json_schema
    if schema is None:
        return None
    if request.tools and not family.modern and family.known:
        raise UnsupportedFeatureError(
            "Gemini before 3 cannot be held to a schema while it has tools; nothing was sent",
            field="output_schema",
            hint="use a newer model, or leave out the tools when you want the answer",
        )
    made, moved = wire_schema(schema)
    if moved:
        words = ", ".join(moved)
        notes.add("output_schema", "emulated", f"the server does not enforce {words}: byollm checks the answer")
    return made
