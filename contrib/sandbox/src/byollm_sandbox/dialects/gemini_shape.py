"""The protocol buffers of a request: which fields there are, in either spelling, and of which type.

google.ai.generativelanguage and google.cloud.aiplatform as google-genai 3.4.0 and the recordings show them, read
2026-11-21. The JSON of a protocol buffer takes `camelCase` and `snake_case`; a field nobody knows is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

ANY: Final = object
ENUM: Final = (str, int)
"""A word, or its number."""
_BLOB: Final = {"mimeType": str, "data": str, "displayName": str}
_FILE: Final = {"mimeType": str, "fileUri": str, "displayName": str}
_PART: Final[dict[str, Any]] = {
    "text": str, "thought": bool, "thoughtSignature": str, "inlineData": _BLOB, "fileData": _FILE,
    "functionCall": {"id": str, "name": str, "args": ANY, "partialArgs": ANY, "willContinue": bool},
    "functionResponse": {"id": str, "name": str, "response": ANY, "parts": [{"inlineData": _BLOB, "fileData": _FILE}],
                         "willContinue": bool, "scheduling": str},
    "executableCode": ANY, "codeExecutionResult": ANY, "videoMetadata": ANY, "mediaResolution": ANY,
    "toolCall": ANY, "toolResponse": ANY, "partMetadata": ANY, "speechMetadata": ANY, "mediaProcessing": ANY,
}  # fmt: skip
_CONTENT: Final[dict[str, Any]] = {"role": str, "parts": [_PART]}
_FUNCTION: Final[dict[str, Any]] = {
    "name": str, "description": str, "parameters": ANY, "parametersJsonSchema": ANY, "response": ANY,
    "responseJsonSchema": ANY, "behavior": str,
}  # fmt: skip
_TOOL: Final[dict[str, Any]] = {"functionDeclarations": [_FUNCTION], **dict.fromkeys((
    "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "fileSearch", "googleMaps", "computerUse",
    "retrieval", "enterpriseWebSearch", "mcpServers", "parallelAiSearch", "exaAiSearch",
), ANY)}  # fmt: skip
_GENERATION: Final[dict[str, Any]] = {
    "temperature": float, "topP": float, "topK": float, "maxOutputTokens": int, "candidateCount": int,
    "stopSequences": [str], "seed": int, "presencePenalty": float, "frequencyPenalty": float, "logprobs": int,
    "responseLogprobs": bool, "responseMimeType": str, "responseSchema": ANY, "responseJsonSchema": ANY,
    "responseModalities": [str], "responseFormat": ANY, "mediaResolution": str, "speechConfig": ANY, "imageConfig": ANY,
    "thinkingConfig": {"thinkingBudget": int, "thinkingLevel": ENUM, "includeThoughts": bool},
    "enableEnhancedCivicAnswers": bool, "audioTimestamp": bool, "routingConfig": ANY, "modelSelectionConfig": ANY,
    "enableAffectiveDialog": bool,
}  # fmt: skip
REQUEST: Final[dict[str, Any]] = {
    "model": str, "contents": [_CONTENT], "systemInstruction": _CONTENT, "tools": [_TOOL],
    "toolConfig": {
        "functionCallingConfig": {"mode": ENUM, "allowedFunctionNames": [str], "streamFunctionCallArguments": bool},
        "retrievalConfig": ANY, "includeServerSideToolInvocations": bool,
    },
    "generationConfig": _GENERATION, "safetySettings": [{"category": ENUM, "threshold": ENUM, "method": ENUM}],
    "cachedContent": str, "labels": ANY, "serviceTier": str, "store": bool, "modelArmorConfig": ANY,
}  # fmt: skip
COUNT: Final[dict[str, Any]] = {
    "model": str, "contents": [_CONTENT], "generateContentRequest": REQUEST, "systemInstruction": _CONTENT,
    "tools": [_TOOL], "generationConfig": _GENERATION, "instances": ANY,
}  # fmt: skip
_WORDS: Final = {str: "TYPE_STRING", bool: "TYPE_BOOL", int: "TYPE_INT32", float: "TYPE_FLOAT"}
_SNAKE: Final = re.compile(r"_([a-z0-9])")


class MisfitError(ValueError):
    """The body is no such protocol buffer; the text is the vendor's sentence."""


def read(value: Any, shape: Any, path: str = "") -> Any:
    """The value in `camelCase`, checked. Raises MisfitError; null means that a field is not there."""
    if shape is ANY:
        return value
    if isinstance(shape, Mapping):
        return _message(value, shape, path)
    if isinstance(shape, list):
        items = value if isinstance(value, list) else [value]  # one message stands for a list of one
        return [read(item, shape[0], f"{path}[{index}]") for index, item in enumerate(items)]
    if isinstance(shape, tuple):
        return _scalar(value, int if isinstance(value, int) else str, path)
    return _scalar(value, shape, path)


def _message(value: Any, shape: Mapping[str, Any], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MisfitError(f"Invalid value at '{path or 'request'}' (an object was expected)")
    made: dict[str, Any] = {}
    for key, inner in value.items():
        name = _SNAKE.sub(lambda match: match[1].upper(), key)
        if name not in shape:
            where = f" at '{path}'" if path else ""
            raise MisfitError(f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.')
        if inner is not None:
            made[name] = read(inner, shape[name], f"{path}.{key}" if path else key)
    return made


def _scalar(value: Any, shape: type, path: str) -> Any:
    fits = {
        str: isinstance(value, str),
        bool: isinstance(value, bool),
        int: isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer(),
        float: isinstance(value, int | float) and not isinstance(value, bool),
    }[shape]
    if not fits:
        raise MisfitError(f"Invalid value at '{path}' ({_WORDS[shape]}), {value!r}")
    return value
