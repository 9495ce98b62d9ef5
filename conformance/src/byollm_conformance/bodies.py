"""Requests for judges: every pair of parameters, as the bodies that a plugin makes of them.

A vendor's published types can judge what a plugin sends only if it sends everything. `bodies` asks with each value of
one parameter beside each value of another, so that every field of the vocabulary occurs, and answers with what would be
sent, after `fit()`::

    @pytest.mark.parametrize("first", FIELDS)
    def test_every_body_is_allowed(first):
        for made in bodies("acme", ["acme-large"], first):
            ACME_TYPES.validate_python(made.body)

What cannot be said is refused before sending; such pairs are left out.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from inspect import isclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from byollm.errors import UnsupportedFeatureError
from byollm.plugin import (
    Audio,
    Document,
    Exchange,
    Image,
    Message,
    Opaque,
    Reasoning,
    Request,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from byollm.providers.deployment import Deployment
from byollm.providers.discovery import load_provider

_SCHEMA: Final = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "required": ["a"]}
_TOOL: Final = Tool("f", "Does f.", _SCHEMA)
_PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(24)
_THOUGHT: Final = Reasoning("so", Opaque("nobody", "chat", {"signature": "c2ln"}))

_CALLED: Final = (
    Message("user", (Text("a"),)),
    Message("assistant", (_THOUGHT, Text("b"), ToolCall("call_1", "f", '{"a": "x"}'), ToolCall("call_2", "a/b", "{}"))),
    Message(
        "tool", (ToolResult("call_2", (Text("d"),), name="a/b"), ToolResult("call_1", (Text("c"),), is_error=True))
    ),
    Message("user", (Text("e"),)),
)
_SHOWN: Final = (
    Message("user", (Text("a"),)),
    Message("assistant", (ToolCall("call_1", "f", "{}"),)),
    Message("tool", (ToolResult("call_1", (Text("c"), Image(_PNG))),)),
)

MATRIX: Final[Mapping[str, Sequence[Any]]] = {
    "messages": (
        _CALLED,
        _SHOWN,
        (Message("user", (Text("a", cache="default"), Image(_PNG, detail="low"))),),
        (Message("user", (Text("a"), Image("https://example.com/a.png"))),),
        (Message("user", (Text("a"), Document(b"%PDF-1.4\n", name="a.pdf"))),),
        (Message("user", (Text("a"), Document("https://example.com/a.pdf"))),),
        (Message("user", (Text("a"), Audio(b"RIFF\x24\x00\x00\x00WAVEfmt "))),),
        (Message("user", (Text("a"),), "ada"), Message("assistant", (Text("b"),)), Message("user", (Text("c"),))),
        (Message("system", (Text("s"),)), Message("developer", (Text("d"),)), Message("user", (Text("a"),))),
    ),
    "system": ("s", (Text("s", cache="default"), Text("t"))),
    "tools": (
        (_TOOL,),
        (Tool("a/b", None, {"type": "object", "properties": {}}), Tool("g", None, _SCHEMA, strict=False)),
        (Tool("h", None, _SCHEMA, strict=True),),
    ),
    "tool_choice": ("auto", "none", "required", "f"),
    "parallel_tool_calls": (True, False),
    "output_schema": (_SCHEMA,),
    "prefill": (True,),
    "reasoning_effort": ("none", "minimal", "high", "max"),
    "verbosity": ("low",),
    "max_tokens": (1, 5_000, 10**8),
    "temperature": (0, 0.3, 2.0),
    "top_p": (0.5, 1.0),
    "top_k": (3,),
    "seed": (7,),
    "frequency_penalty": (0.5, -0.5),
    "presence_penalty": (0.5, -0.5),
    "logit_bias": ({"50256": -100},),
    "logprobs": (0, 3),
    "n": (1,),
    "stop": (("END",), tuple("abcdef")),
    "end_user_id": ("u",),
    "cache_key": ("k",),
    "service_tier": ("auto", "flex"),
    "metadata": ({"a": "b"},),
    "store": (True, False),
    "stream": (True,),
}
"""Parameter → the values it is asked with. `extra` is a provider's own, and no part of the vocabulary."""

FIELDS: Final = tuple(MATRIX)
"""The names of all parameters."""


@dataclass(frozen=True, slots=True)
class Made:
    """One body: for which `model`, what was asked (`fields`), and the names of the fields that were adjusted."""

    model: str
    fields: Mapping[str, Any]
    body: dict[str, Any]
    adjusted: frozenset[str]


def bodies(
    provider: str, models: Sequence[str], first: str, *, api: str | None = None, **options: Any
) -> Iterator[Made]:
    """The body of each value of `first` with each value of every later parameter, the models taken in turn.

    `options` are YAML keys of the plugin's own. Raises what a call would raise before sending, refusals excepted.
    """
    turns = itertools.cycle([_deployment(provider, model, api, options) for model in models])
    for second in FIELDS[FIELDS.index(first) + 1 :] or FIELDS[:1]:
        for one, two in itertools.product(MATRIX[first], MATRIX[second]):
            deployment, fields = next(turns), {first: one, second: two}
            try:
                fit = deployment.fit(request_of(fields))
                asked = deployment.exchange(fit.request)
            except UnsupportedFeatureError:
                continue
            assert isinstance(asked, Exchange)
            adjusted = frozenset(note.field for note in (*fit.adjustments, *asked.adjustments))
            yield Made(deployment.target.model, fields, json.loads(asked.request.body), adjusted)


def _deployment(provider: str, model: str, api: str | None, options: Mapping[str, Any]) -> Deployment:
    loaded = load_provider(provider)
    manifest = loaded.manifest
    target = Target(
        provider=manifest.name,
        model=model,
        endpoint=manifest.default_endpoint or "http://127.0.0.1:9",
        api=api or manifest.apis[0],
        options=options,
    )
    return Deployment(loaded.plugin, manifest, target)


def request_of(fields: Mapping[str, Any]) -> Request:
    """A request of these parameters, with what some of them need beside them: a tool, a turn to go on with."""
    said = dict(fields)
    messages = list(said.pop("messages", (Message("user", (Text("hi"),)),)))
    if said.get("prefill"):
        messages.append(Message("assistant", (Text("Well,"),)))
    if {"tool_choice", "parallel_tool_calls"} & said.keys():
        said["tools"] = (_TOOL, *[tool for tool in said.get("tools", ()) if tool.name != _TOOL.name])
    return Request(messages, **said)


def without(body: Mapping[str, Any], own: Mapping[str, Any], of_turns: Set[str] = frozenset()) -> dict[str, Any]:
    """A Chat body without the vendor's own members, for the judge that does not know them.

    `own`: members of the body with their types. `of_turns`: members of a turn, all of them texts. Raises AssertionError
    for one of another type: what no judge sees is looked at here.
    """
    for name in own.keys() & body.keys():
        assert isinstance(body[name], own[name]), name
    kept = {name: value for name, value in body.items() if name not in own}
    return {**kept, "messages": [_bare(turn, of_turns) for turn in body["messages"]]} if "messages" in body else kept


def _bare(turn: Mapping[str, Any], of_turns: Set[str]) -> dict[str, Any]:
    assert all(isinstance(turn[name], str) for name in of_turns & turn.keys())
    return {name: value for name, value in turn.items() if name not in of_turns}


def forbid_unknown(*modules: Any) -> None:
    """Make pydantic refuse members that the typed dictionaries of these modules do not name.

    To be called before a TypeAdapter of any of them is made. Classes that were already told otherwise are left alone.
    """
    for module in modules:
        for found in list(vars(module).values()):
            told = isclass(found) and "__pydantic_config__" in vars(found)
            if isclass(found) and hasattr(found, "__required_keys__") and not told:
                setattr(found, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010  # no class declares it


def consumed(value: Any) -> None:
    """Read a validated value to its end: iterables of the SDKs' types are validated as they are read.

    Raises ValueError for members that nobody named. Where a request may hold parts of an answer, the SDKs' types take a
    dictionary for one of their own answers, which allow any member.
    """
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise ValueError(f"{type(value).__name__} has no {', '.join(sorted(value.model_extra))}")
        value = dict(value)
    if isinstance(value, Mapping):
        for inner in value.values():
            consumed(inner)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for inner in value:
            consumed(inner)
