"""Tools: what the model may call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from byollm.errors import ConfigError

_CLOSED = ("additionalProperties", False)
"""Plugins close an object where their provider wants it closed."""

ToolChoiceMode = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call.

    `parameters` is a JSON schema of an object. `strict` asks the provider to enforce it (None: the provider's default).
    `function`, when made by `from_function`, is yours to run: byollm never calls it.
    """

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None
    cache: str | None = None
    function: Callable[..., Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def from_function(cls, function: Callable[..., Any]) -> Tool:
        """Name, docstring and annotations become name, description and schema. Raises ConfigError when they cannot."""
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        name = getattr(function, "__name__", "")
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(function)  # type: ignore[arg-type]  # pydantic takes functions, too
            schema = adapter.json_schema()
        except (TypeError, ValueError, NameError, PydanticUserError) as error:
            problem = str(error).partition("\n")[0].partition(". ")[0]
        else:
            if schema.get("type") == "object" and name.isidentifier():
                for entry in schema["properties"].values():
                    entry.pop("title", None)
                schema = {word: value for word, value in schema.items() if (word, value) != _CLOSED}
                return cls(name, inspect.getdoc(function), schema, function=function)
            problem = "its parameters must have names, and so must it"
        raise ConfigError(f"function {name!r} cannot become a tool: {problem}", hint="annotate it, or pass byollm.Tool")


@dataclass(frozen=True, slots=True)
class ProviderTool:
    """A tool that the provider runs itself (web search, code execution): never translated to another provider.

    `provider` is the plugin's name, `definition` goes into its list of tools verbatim.
    """

    provider: str
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """How the model must choose: a mode, or with `name` exactly that tool."""

    mode: ToolChoiceMode = "auto"
    name: str | None = None


def as_tool(value: Any) -> Tool | ProviderTool:
    """A Tool, a function, or an OpenAI-style dict, as a tool. Raises ConfigError for anything else."""
    if isinstance(value, Tool | ProviderTool):
        return value
    if isinstance(value, Mapping):
        from byollm.types.openai_style import tool_from_openai

        return tool_from_openai(value)
    if callable(value):
        return Tool.from_function(value)
    raise ConfigError(f"a tool must be a function, a byollm.Tool or a dict, not {type(value).__name__}")


def as_tool_choice(value: Any) -> ToolChoice | None:
    """`"auto"`, `"none"`, `"required"` (also `"any"`), a tool's name, an OpenAI-style dict, or a ToolChoice."""
    if value is None or isinstance(value, ToolChoice):
        return value
    if isinstance(value, str):
        if value in ("auto", "none", "required"):
            return ToolChoice(value)  # type: ignore[arg-type]  # checked on the line above
        return ToolChoice("required") if value == "any" else ToolChoice("required", value)
    if isinstance(value, Tool):
        return ToolChoice("required", value.name)
    if isinstance(value, Mapping):
        function = value.get("function", value)
        name = function.get("name") if isinstance(function, Mapping) else None
        if isinstance(name, str):
            return ToolChoice("required", name)
    raise ConfigError(f"tool_choice {value!r} is not auto, none, required or a tool's name")
