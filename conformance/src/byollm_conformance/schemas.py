"""JSON schemas of what crosses borders, made from the code: request, completion, event, capabilities, manifest.

`as_data` writes a value in the form that its schema describes; parts look as `byollm.dump_messages` writes them.
"""

from __future__ import annotations

import base64
import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin

from byollm.providers.manifest import Manifest
from byollm.types.capabilities import Capabilities
from byollm.types.completion import Completion
from byollm.types.events import Event
from byollm.types.parts import PART_TYPES
from byollm.types.request import Request
from byollm.wire.auth import AuthScheme
from byollm_conformance.certificate_schema import CERTIFICATE

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {
        "type": "object",
        "properties": {"base64": {"type": "string", "contentEncoding": "base64"}},
        "required": ["base64"],
        "additionalProperties": False,
    },
    type(None): {"type": "null"},
    Decimal: {"type": "string", "description": "a decimal number"},
    Any: {},
    object: {},
}
_CODE: Final = frozenset({"refine", "function", "options"})
"""Fields that hold code: not written."""
_ANY: Final = frozenset({"output_schema", "raw", "details", "data", "before", "after"})
"""Fields that hold any JSON at all."""
_ROOMS: Final = ("capabilities", "completion", "events", "messages", "parts", "request", "tools", "usage")
_SPOKEN: Final = frozenset({"ByollmError", "AuthScheme"})
"""What is written as its text."""


_WRITTEN: Final = frozenset({Manifest.__module__, *(f"byollm.types.{name}" for name in _ROOMS)})
"""Where the dataclasses live that are written member by member."""


def tag(kind: type) -> str | None:
    """The `type` of a part or an event: its class in snake case. None for what is told by its place."""
    if kind in PART_TYPES or kind in get_args(Event):
        return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return None


def as_data(value: Any) -> Any:
    """A value as JSON data, without what has its default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _members(value) if type(value).__module__ in _WRITTEN else str(value)
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | BaseException):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): as_data(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _members(value: Any) -> dict[str, Any]:
    word = tag(type(value))
    written: dict[str, Any] = {"type": word} if word else {}
    for item in dataclasses.fields(value):
        found = getattr(value, item.name)
        if item.name in _CODE or (found == item.default and item.default is not dataclasses.MISSING):
            continue
        written[item.name] = as_data(found)
    return written


class _Writer:
    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def of(self, hint: Any) -> dict[str, Any]:
        """The schema of a type hint."""
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin in (list, Sequence) or (origin is tuple and arguments[-1:] == (...,)):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is tuple:
            return {"type": "array", "prefixItems": [self.of(item) for item in arguments], "items": False}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if isinstance(hint, type) and issubclass(hint, Enum):
            return {"enum": [item.value for item in hint]}
        if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint.__name__ not in _SPOKEN:
            return self._reference(hint)
        return {"type": "string", "description": getattr(hint, "__name__", str(hint))}

    def _union(self, arguments: Sequence[Any]) -> dict[str, Any]:
        return {"anyOf": [self.of(item) for item in arguments]}

    def _reference(self, kind: Any) -> dict[str, Any]:
        if kind.__name__ not in self.definitions:
            self.definitions[kind.__name__] = {}
            self.definitions[kind.__name__] = self.object(kind)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def object(self, kind: Any) -> dict[str, Any]:
        """The schema of a dataclass: every field but those that hold code."""
        hints = typing.get_type_hints(kind, localns={"AuthScheme": AuthScheme})
        fields = [item for item in dataclasses.fields(kind) if item.name not in _CODE]
        word = tag(kind)
        required = ["type"] if word else []
        required += [
            item.name
            for item in fields
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        ]
        properties: dict[str, Any] = {"type": {"const": word}} if word else {}
        properties |= {item.name: {} if item.name in _ANY else self.of(hints[item.name]) for item in fields}
        first = (kind.__doc__ or "").strip().partition("\n")[0]
        schema: dict[str, Any] = {"type": "object", "description": first, "properties": properties}
        if required:
            schema["required"] = required
        return {**schema, "additionalProperties": False}


def _document(name: str, title: str, hint: Any) -> dict[str, Any]:
    writer = _Writer()
    if dataclasses.is_dataclass(hint):
        body = writer.object(hint)
    else:
        body = {"anyOf": [{**writer.of(item)} for item in get_args(hint)]}
    head = {"$schema": DRAFT, "$id": f"urn:byollm:schema:{name}:1", "title": title}
    return {**head, **body, **({"$defs": dict(sorted(writer.definitions.items()))} if writer.definitions else {})}


def schemas() -> dict[str, dict[str, Any]]:
    """All of them by name."""
    return {
        "request": _document("request", "A request to a model, in neutral words", Request),
        "completion": _document("completion", "An answer, with the record of how it came about", Completion),
        "event": _document("event", "One event of an answer", Event),
        "capabilities": _document("capabilities", "What a model takes", Capabilities),
        "manifest": _document("manifest", "A plugin's passport", Manifest),
        "certificate": CERTIFICATE,
    }
