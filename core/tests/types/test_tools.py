"""Functions as tools."""

import enum
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from byollm import ProviderTool, Request, Tool
from byollm.errors import ConfigError


class Unit(enum.Enum):
    """Of temperature."""

    c = "c"
    f = "f"


@dataclass
class Place:
    """Somewhere."""

    city: str
    country: str = "DE"


def weather(place: Place, unit: Unit = Unit.c, days: Annotated[int, Field(ge=1, description="how far")] = 1) -> str:
    """The weather at a place."""
    return f"{place}{unit}{days}"


def test_a_function_becomes_a_tool():
    """Name, docstring, types, defaults and descriptions are told; byollm keeps the function and never calls it."""
    tool = Tool.from_function(weather)

    assert ("weather", "The weather at a place.", weather) == (tool.name, tool.description, tool.function)
    assert ["place"] == tool.parameters["required"]
    assert {"type": "integer", "default": 1, "minimum": 1, "description": "how far"} == tool.parameters["properties"][
        "days"
    ]
    assert {"Place", "Unit"} == set(tool.parameters["$defs"])


def test_a_function_without_parameters_has_an_empty_object():
    """Providers want a schema even then."""

    def now() -> str:
        return ""

    assert Tool("now", None, {"type": "object", "properties": {}}) == Tool.from_function(now)


def test_names_that_pydantic_models_cannot_have_are_fine():
    """`schema`, `json`, `model_x` and `_x` are names of parameters like any other."""

    def odd(schema: str, json: int, model_config: str, _hidden: bool = False, copy: Any = None) -> None:
        """Odd."""

    properties = Tool.from_function(odd).parameters["properties"]

    assert ["schema", "json", "model_config", "_hidden", "copy"] == list(properties)


def test_methods_and_coroutines_are_functions():
    """`self` is no parameter."""

    class Shop:
        def price(self, article: Literal["a", "b"]) -> float:
            return 1.0

        async def stock(self, article: str) -> int:
            return 1

    assert ["article"] == list(Tool.from_function(Shop().price).parameters["properties"])
    assert ["article"] == list(Tool.from_function(Shop().stock).parameters["properties"])


def starred(*values: int) -> None: ...


def by_place(first: int, /) -> None: ...


def unknown(thing: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def opaque(thing: pytest.Item) -> None: ...


@pytest.mark.parametrize("function", [starred, by_place, unknown, opaque, lambda x: x, print, object(), 5])
def test_what_cannot_be_a_tool_is_a_config_error(function: Any):
    """Parameters without names, types nobody can describe, functions without a name."""
    with pytest.raises(ConfigError, match="cannot become a tool"):
        Tool.from_function(function)


def test_a_pydantic_class_can_be_a_parameter():
    """Models nest."""

    class Order(BaseModel):
        article: str
        pieces: int = 1

    def order(order: Order) -> None:
        """Order."""

    assert ["article"] == Tool.from_function(order).parameters["$defs"]["Order"]["required"]


def test_functions_stand_for_tools_in_a_request():
    """Functions, Tools and dicts mix; one may stand alone."""
    tools = Request("hi", tools=[weather, Tool("f"), {"type": "function", "function": {"name": "g"}}]).tools

    assert ["weather", "f", "g"] == [tool.name for tool in tools or () if isinstance(tool, Tool)]
    assert 1 == len(Request("hi", tools=weather).tools or ())
    assert Request("hi", tools=[]).tools is None


def test_another_kind_of_tool_is_the_providers_own():
    """A dict that is no function is kept verbatim, for its provider."""
    (tool,) = Request("hi", tools=[{"type": "web_search"}]).tools or ()

    assert ProviderTool("openai", {"type": "web_search"}) == tool
