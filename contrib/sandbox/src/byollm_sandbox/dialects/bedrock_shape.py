"""The members of a Converse request and their types, after botocore 1.44.5's model of the service (read 2026-11-21)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

ANY: Final = object
BLOB: Final = bytes
"""Base64."""
_S3: Final = {"uri": str, "bucketOwner": str}
_SOURCE: Final = {"bytes": BLOB, "s3Location": _S3}
_TTL: Final = {"type": ("default",), "ttl": ("5m", "1h")}
_IMAGE: Final = {"format*": ("png", "jpeg", "gif", "webp"), "source*": _SOURCE, "error": ANY}
_DOCUMENT: Final = {
    "format": ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
    "name*": str,
    "source*": {**_SOURCE, "text": str, "content": [{"text": str}]},
    "context": str,
    "citations": {"enabled*": bool},
}
_VIDEO: Final = {"format*": str, "source*": _SOURCE}
_AUDIO: Final = {"format*": str, "source*": _SOURCE, "error": ANY}
_SEARCH: Final = {"source*": str, "title*": str, "content*": [{"text*": str}], "citations": {"enabled*": bool}}
_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_TOOL: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BLOCK: Final[dict[str, Any]] = {
    "text": str,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "video": _VIDEO,
    "audio": _AUDIO,
    "toolUse": {"toolUseId*": _ID, "name*": _TOOL, "input*": ANY, "type": str},
    "toolResult": {
        "toolUseId*": _ID,
        "content*": [{"json": ANY, "text": str, "image": _IMAGE, "document": _DOCUMENT, "video": _VIDEO,
                      "searchResult": _SEARCH}],
        "status": ("success", "error"),
        "type": str,
    },
    "guardContent": ANY,
    "cachePoint": _TTL,
    "reasoningContent": {"reasoningText": {"text*": str, "signature": str}, "redactedContent": BLOB},
    "citationsContent": {"content": [{"text": str}], "citations": [ANY]},
    "searchResult": _SEARCH,
    "toolAddition": ANY,
    "toolRemoval": ANY,
}  # fmt: skip
_SCHEMA: Final = {"schema*": str, "name": str, "description": str}
REQUEST: Final[dict[str, Any]] = {
    "modelId": ANY,
    "messages": [{"role*": ("user", "assistant", "system"), "content*": [_BLOCK]}],
    "system": [{"text": str, "guardContent": ANY, "cachePoint": _TTL}],
    "inferenceConfig": {"maxTokens": int, "temperature": float, "topP": float, "stopSequences": [str]},
    "toolConfig": {
        "tools*": [
            {
                "toolSpec": {"name*": _TOOL, "description": str, "inputSchema*": {"json": ANY}, "strict": bool},
                "systemTool": {"name*": _TOOL},
                "cachePoint": _TTL,
            }
        ],
        "toolChoice": {"auto": {}, "any": {}, "tool": {"name*": _TOOL}},
    },
    "guardrailConfig": {
        "guardrailIdentifier": str, "guardrailVersion": str, "trace": ("enabled", "disabled", "enabled_full"),
        "streamProcessingMode": ("sync", "async"),
    },
    "additionalModelRequestFields": ANY,
    "promptVariables": ANY,
    "additionalModelResponseFieldPaths": [str],
    "requestMetadata": ANY,
    "performanceConfig": {"latency": ("standard", "optimized")},
    "serviceTier": {"type*": ("priority", "default", "flex", "reserved")},
    "outputConfig": {
        "textFormat": {"type*": ("json_schema",), "structure*": {"jsonSchema": _SCHEMA}}, "effort": str,
    },
}  # fmt: skip
"""A name that ends with `*` must be there. A tuple lists the words, a pattern the letters of a text."""
COUNT: Final[dict[str, Any]] = {
    "input*": {
        "converse": {name: REQUEST[name] for name in (
            "messages", "system", "toolConfig", "additionalModelRequestFields"
        )},
        "invokeModel": {"body*": BLOB},
    }
}  # fmt: skip
_WORDS: Final = {str: "a text", bool: "a boolean", int: "a whole number", float: "a number"}


def problem(value: Any, shape: Any, path: str = "") -> str | None:
    """The first thing about a value that is not of this shape, in a sentence; None when all is well."""
    if shape is ANY or value is None:
        return None
    if isinstance(shape, Mapping):
        return _object(value, shape, path)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{path}: a list was expected"
        found = (problem({} if item is None else item, shape[0], f"{path}.{at}") for at, item in enumerate(value))
        return next((text for text in found if text is not None), None)
    if isinstance(shape, tuple):
        return None if value in shape else f"Value {value!r} at '{path}' failed to satisfy constraint: {list(shape)}"
    if isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value)
        return None if fits else f"Value {value!r} at '{path}' failed to satisfy constraint: {shape.pattern}"
    return None if _scalar(value, shape) else f"{path}: {_WORDS.get(shape, 'base64')} was expected"


def _object(value: Any, shape: Mapping[str, Any], path: str) -> str | None:
    if not isinstance(value, dict):
        return f"{path or 'the request'}: an object was expected"
    known = {name.removesuffix("*"): inner for name, inner in shape.items()}
    for name in shape:
        if name.endswith("*") and value.get(name[:-1]) is None:
            return f"{path}.{name[:-1]}: this member must not be null"
    for name, inner in value.items():
        if shape and name not in known:
            return f"#/{path.replace('.', '/')}: extraneous key [{name}] is not permitted, please reformat your input"
        found = problem(inner, known.get(name, ANY), f"{path}.{name}" if path else name)
        if found is not None:
            return found
    return None


def _scalar(value: Any, shape: type) -> bool:
    if shape is BLOB:
        return isinstance(value, str) and _is_base64(value)
    if isinstance(value, bool):
        return shape is bool
    if shape is float:
        return isinstance(value, int | float)
    return isinstance(value, shape)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
