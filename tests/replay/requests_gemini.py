"""Recorded generateContent requests as Requests, and what may differ when one is translated back.

`read` gives the Request, or None for a body that byollm has no words for (with the reason from `inexpressible`).
`options` are the YAML keys of a target that speaks as the recorder wanted. `canonical` undoes the declared defaults
(`DEFAULTS`) in a body, so that a recording and a translation of it must be equal. A body here holds, as `model`, the
model of its URL.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm import Request
from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.tools import ProviderTool, Tool

DEFAULTS: Final = {
    "null": "a field that is null, and a list or configuration that is empty, is left out",
    "model": "the model stands in the path, not in the body",
    "spelling": "names are written in camelCase; the server reads snake_case, too",
    "thought: false": "is left out",
    "system": "the system instruction has no role",
    "one part": "parts are a list, also where there is one",
    "turns": "neighbouring turns of one role are one turn",
    "results": "the results of a turn stand first, in the order of their calls",
    "ids": "a model before Gemini 3 is sent no ids: calls and results pair by position",
    "empty text": "an empty system instruction is left out, an empty text of the user's is a full stop",
    "tools": "all functions stand in one entry, which is the first; each of Google's own tools has one of its own",
    "schemas": "are written as JSON Schema (parametersJsonSchema, responseJsonSchema), whose types are in lower case",
    "no parameters": "a function without parameters has no schema",
    "levels": "are written in capitals",
}
"""What byollm writes otherwise than some recorders did, always and for every request."""
CALLING: Final = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
_SAME: Final = {
    "maxOutputTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "topK": "top_k", "seed": "seed",
    "presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty", "stopSequences": "stop",
}  # fmt: skip
_MEDIA: Final = ("inlineData", "fileData")
_OLD: Final = ("gemini-1", "gemini-2")
_JSON: Final = "application/json"


def inexpressible(body: Mapping[str, Any]) -> str:
    """Why byollm has no words for this body; empty when it has."""
    found = canonical(body)
    parts = [part for turn in found["contents"] for part in turn["parts"]]
    for part in parts:
        inner = part.get("functionResponse", {}).get("parts", [])
        if any("inlineData" in held and not _whole(held["inlineData"]["data"]) for held in (part, *inner)):
            return "media that the recording cut"
        if any("fileData" in held for held in inner):
            return "a file's address inside a tool's result"
        response = part.get("functionResponse", {}).get("response")
        if response is not None and not _sayable(response):
            return "a tool's result whose output is no text"
    if any(not _paired(parts, part["functionResponse"]) for part in parts if "functionResponse" in part):
        return "a tool's result without its call"
    if any(set(turn["parts"][0]) != {"text"} for turn in [found.get("systemInstruction")] if turn):
        return "a system instruction that is no text"
    return ""


def read(body: Mapping[str, Any], provider: str = "google") -> Request | None:
    """The body as a Request whose opaque parts and `extra` belong to `provider`; None when it is inexpressible."""
    if inexpressible(body):
        return None
    found = canonical(body)
    extra = {name: found[name] for name in found if name in ("cachedContent", "modelArmorConfig")}
    parameters: dict[str, Any] = {}
    if "systemInstruction" in found:
        parameters["system"] = tuple(Text(part["text"]) for part in found["systemInstruction"]["parts"])
    if "tools" in found:
        parameters["tools"] = [tool for entry in found["tools"] for tool in _tools(entry, provider)]
    _choice(found.get("toolConfig", {}), parameters, extra)
    _generation(dict(found.get("generationConfig", {})), parameters, extra)
    return Request(
        list(_messages(found["contents"], provider)), **parameters, extra={provider: extra} if extra else None
    )


def options(body: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a target for the recorder's own habits: what is asked for with every request."""
    found = canonical(body)
    thinking = found.get("generationConfig", {}).get("thinkingConfig", {})
    asked = {"include_thoughts": True} if thinking.get("includeThoughts") else {}
    return {**asked, **({"safety_settings": found["safetySettings"]} if "safetySettings" in found else {})}


def canonical(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the declared defaults undone."""
    found = {_camel(name): value for name, value in body.items() if value not in (None, [], {}) and name != "model"}
    if "systemInstruction" in found:
        said = [part for part in _parts(found["systemInstruction"]) if part.get("text") != ""]
        found["systemInstruction"] = {"parts": said} if said else {}
    found["contents"] = _turns(found["contents"], with_ids=not str(body.get("model")).startswith(_OLD))
    if "tools" in found:
        found["tools"] = _entries(found["tools"])
    for name, undone in (("toolConfig", _config), ("generationConfig", _generated)):
        if name in found:
            found[name] = undone(found[name])
    return {name: value for name, value in found.items() if value not in ([], {})}


def _turns(contents: list[Mapping[str, Any]], *, with_ids: bool) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for content in contents:
        if turns and turns[-1]["role"] == content["role"]:
            turns[-1]["parts"] += _parts(content)
        else:
            turns.append({"role": content["role"], "parts": _parts(content)})
    for before, turn in zip([None, *turns], turns, strict=False):
        if turn["role"] == "user":
            turn["parts"] = _sorted(turn["parts"], (before or {}).get("parts", []))
            turn["parts"] = [
                {**part, "text": part["text"] or "."} if "text" in part else part for part in turn["parts"]
            ]
    for part in (part for turn in turns if not with_ids for part in turn["parts"]):
        for kind in ("functionCall", "functionResponse"):
            part.get(kind, {}).pop("id", None)
    return turns


def _sorted(parts: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results by the place of their call, then the rest as it was."""
    calls = [part["functionCall"] for part in before if "functionCall" in part]

    def place(part: dict[str, Any]) -> int:
        answer = part.get("functionResponse")
        same = [
            at for at, call in enumerate(calls)
            if answer and (call["name"], call.get("id")) == (answer["name"], answer.get("id"))
        ]  # fmt: skip
        return same[0] if same else len(calls) + (answer is None)

    return sorted(parts, key=place)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel(name): inner for name, inner in value.items() if inner is not None}


def _parts(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = content.get("parts") or []
    return [_part(part) for part in ([parts] if isinstance(parts, Mapping) else parts)]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _named(value) if isinstance(value, Mapping) else value for name, value in _named(part).items()}
    if found.get("thought") is False:
        del found["thought"]
    answer = found.get("functionResponse")
    if answer is not None and "parts" in answer:
        answer["parts"] = [_part(inner) for inner in answer["parts"]]
    return found


def _entries(tools: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = [_named(tool) for tool in tools]
    functions = [_function(function) for tool in named for function in tool.get("functionDeclarations") or ()]
    own = [{name: value} for tool in named for name, value in tool.items() if name != "functionDeclarations"]
    return [*([{"functionDeclarations": functions}] if functions else []), *own]


def _function(function: Mapping[str, Any]) -> dict[str, Any]:
    found = _named(function)
    given = found.pop("parametersJsonSchema", None)
    schema = given if given is not None else _lowered(found.pop("parameters", None))
    if isinstance(schema, Mapping) and schema.get("properties"):
        found["parametersJsonSchema"] = schema
    return found


def _lowered(schema: Any) -> Any:
    """Google's own kind of schema as JSON Schema."""
    if isinstance(schema, list):
        return [_lowered(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    for word, value in schema.items():
        if word == "type" and isinstance(value, str):
            found[word] = value.lower()
        elif word in ("properties", "$defs") and isinstance(value, Mapping):
            found[word] = {name: _lowered(inner) for name, inner in value.items()}
        elif value is not None:
            found[_camel(word)] = value if word in ("enum", "required") else _lowered(value)
    return found


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    found = _named(config)
    if "functionCallingConfig" in found:
        found["functionCallingConfig"] = _named(found["functionCallingConfig"])
    return found


def _generated(config: Mapping[str, Any]) -> dict[str, Any]:
    found = _named(config)
    own = found.pop("responseSchema", None)
    if own is not None:
        found["responseJsonSchema"] = _lowered(own)
    if "thinkingConfig" in found:
        thinking = _named(found["thinkingConfig"])
        if isinstance(thinking.get("thinkingLevel"), str):
            thinking["thinkingLevel"] = thinking["thinkingLevel"].upper()
        found["thinkingConfig"] = thinking
    return found


def _whole(data: str) -> bool:
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        return False
    return True


def _sayable(response: Any) -> bool:
    """A result is a text, an error's text, or an object that is none of the two."""
    if set(response) in ({"output"}, {"error"}):
        return all(isinstance(value, str) for value in response.values())
    return not set(response) & {"output", "error"}


def _paired(parts: list[dict[str, Any]], answer: Mapping[str, Any]) -> bool:
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    return any(call["name"] == answer["name"] and call.get("id") == answer.get("id") for call in calls)


def _tools(entry: Mapping[str, Any], provider: str) -> Iterator[Tool | ProviderTool]:
    if "functionDeclarations" not in entry:
        yield ProviderTool(provider, dict(entry))
        return
    for function in entry["functionDeclarations"]:
        schema = function.get("parametersJsonSchema", {"type": "object", "properties": {}})
        yield Tool(function["name"], function.get("description"), schema)


def _choice(config: Mapping[str, Any], parameters: dict[str, Any], extra: dict[str, Any]) -> None:
    calling = config.get("functionCallingConfig", {})
    names = calling.get("allowedFunctionNames", [])
    if len(names) > 1 or calling.get("mode") not in (None, *CALLING):
        extra["toolConfig"] = dict(config)
    elif names:
        parameters["tool_choice"] = names[0]
    elif calling:
        parameters["tool_choice"] = CALLING[calling["mode"]]


def _generation(config: dict[str, Any], parameters: dict[str, Any], extra: dict[str, Any]) -> None:
    for name in _SAME.keys() & config.keys():
        parameters[_SAME[name]] = config.pop(name)
    if config.get("responseMimeType") == _JSON and "responseJsonSchema" in config:
        del config["responseMimeType"]
        parameters["output_schema"] = config.pop("responseJsonSchema")
    thinking = config.get("thinkingConfig", {})
    if thinking.keys() <= {"includeThoughts", "thinkingLevel"} and thinking.get("includeThoughts") is not False:
        config.pop("thinkingConfig", None)
        if "thinkingLevel" in thinking:
            parameters["reasoning_effort"] = thinking["thinkingLevel"].lower()
    if config:
        extra["generationConfig"] = config


def _messages(contents: list[dict[str, Any]], provider: str) -> Iterator[Message]:
    open_calls: list[tuple[str, str, str | None]] = []
    for turn in contents:
        if turn["role"] == "model":
            open_calls = []
            yield Message("assistant", tuple(_said(part, open_calls, provider) for part in turn["parts"]))
            continue
        results = [part for part in turn["parts"] if "functionResponse" in part]
        if results:
            yield Message("tool", tuple(_result(part, open_calls) for part in results))
        others = [part for part in turn["parts"] if "functionResponse" not in part]
        if others:
            yield Message("user", tuple(_shown(part, provider) for part in others))


def _said(part: dict[str, Any], calls: list[tuple[str, str, str | None]], provider: str) -> Part:
    rest = {name: value for name, value in part.items() if name not in ("text", "functionCall")}
    state = Opaque(provider, "gemini", rest) if rest else None
    if "functionCall" in part:
        call = part["functionCall"]
        identity = call.get("id")
        ours = identity or f"call_{len(calls)}"
        calls.append((ours, call["name"], identity))
        kept = {**rest, **({"id": identity} if identity else {})}
        return ToolCall(ours, call["name"], json.dumps(call.get("args", {})), state=Opaque(provider, "gemini", kept))
    if "text" in part and part.get("thought"):
        return Reasoning(part["text"], state)
    return Text(part["text"], state=state) if "text" in part else Opaque(provider, "gemini", part)


def _result(part: dict[str, Any], calls: list[tuple[str, str, str | None]]) -> ToolResult:
    answer = part["functionResponse"]
    same = [call for call in calls if (call[1], call[2]) == (answer["name"], answer.get("id"))]
    if not same:
        return ToolResult(answer.get("id") or "", (Text(json.dumps(answer["response"])),), name=answer["name"])
    calls.remove(same[0])
    response = answer["response"]
    text = next(iter(response.values())) if set(response) in ({"output"}, {"error"}) else json.dumps(response)
    media = tuple(_media(inner, None) for inner in answer.get("parts", ()))
    return ToolResult(same[0][0], (Text(text), *media), is_error=set(response) == {"error"}, name=answer["name"])


def _shown(part: dict[str, Any], provider: str) -> Part:
    rest = {name: value for name, value in part.items() if name not in ("text", *_MEDIA)}
    state = Opaque(provider, "gemini", rest) if rest else None
    if "text" in part:
        return Text(part["text"], state=state)
    return _media(part, state) if any(name in part for name in _MEDIA) else Opaque(provider, "gemini", part)


def _media(part: dict[str, Any], state: Opaque | None) -> Image | Audio | Document:
    held = part.get("inlineData") or part["fileData"]
    kind = held.get("mimeType", "")
    source = f"data:{kind};base64,{held['data']}" if "inlineData" in part else held["fileUri"]
    made = {"image": Image, "audio": Audio}.get(kind.partition("/")[0], Document)
    return made(source, kind or None, state=state)
