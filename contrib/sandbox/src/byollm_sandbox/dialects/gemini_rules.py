"""What Google refuses: parameters and conversations, as recorded and as the wire notes tell (2026-11-21)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects import gemini_models as gemini
from byollm_sandbox.dialects.base import Rejection, names
from byollm_sandbox.dialects.gemini_shape import COUNT, REQUEST, MisfitError, read
from byollm_sandbox.tokens import count_messages, count_tools, count_value

Problems = Iterator[Rejection]
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_STRUCT: Final = "type.googleapis.com/google.protobuf.Struct"
_DATA: Final = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip
_MODES: Final = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
_SCHEMA_WORDS: Final = names(
    "$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems minimum maximum "
    "anyOf oneOf properties additionalProperties required propertyOrdering $schema default nullable minLength "
    "maxLength pattern const examples minProperties maxProperties"
)


def refuse(message: str, status: int = 400, word: str = "INVALID_ARGUMENT") -> Rejection:
    """A refusal in Google's terms."""
    return Rejection(status, message, word)


def validate(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """Google's refusal of a request to generate."""
    return next(_request(body), None)


def validate_count(body: Any, headers: Mapping[str, str]) -> Rejection | None:
    """Google's refusal of a counting request."""
    return next(_count_request(body), None)


def missing_model(name: Any, verb: str = "generateContent") -> Problems:
    """404 for a model that does not exist."""
    if isinstance(name, str) and name and not gemini.exists(name):
        yield refuse(
            f"models/{gemini.bare(name)} is not found for API version v1beta, or is not supported for {verb}. Call "
            "ListModels to see the list of available models and their supported methods.",
            404,
            "NOT_FOUND",
        )


def _request(body: Any) -> Problems:
    if isinstance(body, dict):
        yield from missing_model(body.get("model"))
    try:
        asked = read(body, REQUEST)
    except MisfitError as misfit:
        yield refuse(str(misfit))
        return
    yield from _inner(asked)


def _count_request(body: Any) -> Problems:
    if isinstance(body, dict):
        yield from missing_model(body.get("model"), "countTokens")
    try:
        asked = read(body, COUNT)
    except MisfitError as misfit:
        yield refuse(str(misfit))
        return
    inner = asked.get("generateContentRequest")
    if inner is not None:
        if asked.get("contents"):
            yield refuse("contents and generateContentRequest are mutually exclusive")
        yield from _inner(inner)
    elif "instances" not in asked:
        yield from _contents(asked.get("contents") or [], gemini.family_of(str(asked.get("model") or "")))


def _inner(asked: Mapping[str, Any]) -> Problems:
    family = gemini.family_of(str(asked.get("model") or ""))
    yield from _contents(asked.get("contents") or [], family)
    yield from _system(asked, family)
    yield from _tools(asked, family)
    yield from _calling(asked)
    config = asked.get("generationConfig") or {}
    yield from _sampling(config, family)
    yield from _format(asked, config, family)
    yield from _thinking(config.get("thinkingConfig") or {}, family)
    if "cachedContent" in asked and {"systemInstruction", "tools", "toolConfig"} & asked.keys():
        yield refuse("CachedContent can not be used with GenerateContent request setting system_instruction, tools")
    used = count_messages(asked.get("contents")) + count_tools(asked.get("tools"))
    if family.known and used > family.window:
        yield refuse(f"The input token count ({used}) exceeds the maximum number of tokens allowed ({family.window}).")


def _contents(contents: list[dict[str, Any]], family: gemini.Family) -> Problems:
    if not contents:
        yield refuse("* GenerateContentRequest.contents: contents is not specified")
    for index, content in enumerate(contents):
        role = content.get("role")
        if role not in (None, "", "user", "model") and not (role == "function" and not family.modern):
            yield refuse("Please use a valid role: user, model.")
        parts = content.get("parts")
        if not parts:
            yield refuse(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.")
        for number, part in enumerate(parts or ()):
            yield from _part(part, f"contents[{index}].parts[{number}]")
    yield from _pairs(contents, family)


def _part(part: Mapping[str, Any], path: str) -> Problems:
    data = [name for name in _DATA if name in part]
    if len(data) > 1:
        yield refuse(f"Invalid value at '{path}' (oneof), oneof field 'data' is already set. Cannot set '{data[1]}'")
    elif not data and not (part.get("thoughtSignature") or "videoMetadata" in part):
        yield refuse(
            f"* GenerateContentRequest.{path}.data: required oneof field 'data' must have one initialized field"
        )
    blob = part.get("inlineData")
    if blob is not None:
        yield from _base64(blob.get("data") or "", f"{path}.inline_data.data")
        if not blob.get("mimeType"):
            yield refuse("Unable to submit request because it has an empty mimeType.")
    if part.get("thoughtSignature"):
        yield from _base64(part["thoughtSignature"], f"{path}.thought_signature")
    for name in ("functionCall", "functionResponse"):
        if name in part and not part[name].get("name"):
            yield refuse(f"* GenerateContentRequest.{path}.{name}.name: Name cannot be empty.")
    response = (part.get("functionResponse") or {}).get("response")
    if response is not None and not isinstance(response, dict):
        yield refuse(
            f"Invalid value at '{path}.function_response.response' (type.googleapis.com/google.protobuf.Struct)"
        )
    if response is not None and _refers(response):
        yield refuse("Function response contains a $ref that refers to no part.")
    arguments = (part.get("functionCall") or {}).get("args")
    if arguments is not None and not isinstance(arguments, dict):
        yield refuse(f"Invalid value at '{path}.function_call.args' ({_STRUCT})")


def _base64(text: str, path: str) -> Problems:
    try:
        base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        yield refuse(f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{text[:20]}\"")


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))


def _pairs(contents: list[dict[str, Any]], family: gemini.Family) -> Problems:
    """Every function call turn is answered by as many responses, right after it; Gemini 3 wants signatures."""
    turns = [(content.get("role") or "user", content.get("parts") or []) for content in contents]
    current = max((at for at, (role, parts) in enumerate(turns) if role == "user" and _said(parts)), default=0)
    waiting = 0
    for at, (role, parts) in enumerate(turns):
        calls = [part for part in parts if "functionCall" in part]
        answers = [part for part in parts if "functionResponse" in part]
        if role == "model":
            if waiting:
                yield refuse(_UNPAIRED)
            waiting = len(calls)
            signed = not calls or calls[0].get("thoughtSignature")
            if family.modern and not signed and at > current:
                name = calls[0]["functionCall"].get("name")
                yield refuse(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                    f"work correctly. Additional data, function call `default_api:{name}`, position {at + 1}."
                )
        elif answers:
            if len(answers) > waiting and (waiting or at == 0 or turns[at - 1][0] == "model"):
                yield refuse(_UNPAIRED)
            waiting = max(0, waiting - len(answers))


_UNPAIRED: Final = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)


def _said(parts: list[dict[str, Any]]) -> bool:
    return any(part.get("text") and not part.get("thought") for part in parts)


def _system(asked: Mapping[str, Any], family: gemini.Family) -> Problems:
    if asked.get("systemInstruction") is not None and not family.system:
        yield refuse(f"Developer instruction is not enabled for models/{gemini.bare(str(asked.get('model')))}")


def _tools(asked: Mapping[str, Any], family: gemini.Family) -> Problems:
    seen: set[str] = set()
    tools = asked.get("tools") or []
    for index, tool in enumerate(tools):
        for number, function in enumerate(tool.get("functionDeclarations") or ()):
            path = f"tools[{index}].function_declarations[{number}]"
            name = function.get("name") or ""
            if not _NAME.fullmatch(name):
                yield refuse(
                    f"* GenerateContentRequest.{path}.name: Invalid function name. Must start with a letter or an "
                    "underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or "
                    "dashes (-), with a maximum length of 128."
                )
            if name in seen:
                yield refuse(f"Duplicate function declaration found: {name}")
            seen.add(name)
            if "parameters" in function and "parametersJsonSchema" in function:
                yield refuse(f"{path}: parameters and parameters_json_schema are mutually exclusive")
            yield from _parameters(function.get("parameters", function.get("parametersJsonSchema")), path)
    own = any(set(tool) - {"functionDeclarations"} for tool in tools)
    if own and seen and not family.modern and family.known:
        yield refuse("Tool use with function calling is unsupported")


def _parameters(schema: Any, path: str) -> Problems:
    if schema is None:
        return
    if not isinstance(schema, dict):
        yield refuse(f"Invalid value at '{path}.parameters' (an object was expected)")


def _calling(asked: Mapping[str, Any]) -> Problems:
    config = (asked.get("toolConfig") or {}).get("functionCallingConfig")
    if config is None:
        return
    functions = {
        function.get("name") for tool in asked.get("tools") or () for function in tool.get("functionDeclarations") or ()
    }
    mode = config.get("mode", "AUTO")
    if isinstance(mode, int):
        mode = _MODES[mode] if 0 <= mode < len(_MODES) else mode
    if mode not in _MODES:
        yield refuse(f"Invalid value at 'tool_config.function_calling_config.mode', \"{mode}\"")
    if not functions:
        yield refuse("Function calling config is set without function_declarations.")
    allowed = config.get("allowedFunctionNames")
    if allowed and mode not in ("ANY", "VALIDATED"):
        yield refuse("Allowed function names should only be set when mode is ANY or VALIDATED.")
    if not set(allowed or ()) <= functions:
        yield refuse("allowed_function_names must be a subset of the declared functions")


def _sampling(config: Mapping[str, Any], family: gemini.Family) -> Problems:
    ranges = {"temperature": (0, 2.0001), "topP": (0, 1.0001), "presencePenalty": (-2, 2.0001)}
    ranges["frequencyPenalty"] = (-2, 2.0001)
    for name, (least, most) in ranges.items():
        value = config.get(name)
        if value is not None and not least <= value < most:
            yield refuse(
                f"Unable to submit request because it has a {name} value of {value} but the supported range is from "
                f"{least} (inclusive) to {most} (exclusive). Update the value and try again."
            )
        if value is not None and name.endswith("Penalty") and not family.penalties:
            yield refuse("Penalty is not enabled for this model")
    output = config.get("maxOutputTokens")
    if output is not None and (output < 1 or (output > family.output and family.known)):
        yield refuse(
            f"Unable to submit request because it has a maxOutputTokens value of {output} but the supported range is "
            f"from 1 (inclusive) to {family.output + 1} (exclusive). Update the value and try again."
        )
    if len(config.get("stopSequences") or ()) > 5:
        yield refuse("* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are allowed")
    if config.get("candidateCount") not in (None, 1) and family.known:
        yield refuse("Multiple candidates is not enabled for this model")


def _format(asked: Mapping[str, Any], config: Mapping[str, Any], family: gemini.Family) -> Problems:
    schemas = [config[name] for name in ("responseSchema", "responseJsonSchema") if name in config]
    json = config.get("responseMimeType") == "application/json"
    if len(schemas) > 1:
        yield refuse("response_schema and response_json_schema are mutually exclusive")
    if schemas and config.get("responseMimeType") in (None, "text/plain"):
        yield refuse("Response schema requires response_mime_type to be application/json or text/x.enum")
    if json and not family.schema:
        yield refuse(f"JSON mode is not enabled for models/{gemini.bare(str(asked.get('model')))}")
    functions = any(tool.get("functionDeclarations") for tool in asked.get("tools") or ())
    if json and functions and family.known and not family.modern:
        yield refuse("Function calling with a response mime type: 'application/json' is unsupported")
    if "responseJsonSchema" in config:
        yield from _json_schema(config["responseJsonSchema"], "response_json_schema")


def _json_schema(schema: Any, path: str) -> Problems:
    if not isinstance(schema, dict):
        return
    for word in schema:
        if word not in _SCHEMA_WORDS:
            yield refuse(f"Invalid JSON schema at '{path}': keyword '{word}' is not supported")
    if "$ref" in schema and any(not word.startswith("$") for word in schema):
        yield refuse(f"Invalid JSON schema at '{path}': $ref may stand with keywords that begin with $ only")
    for word in ("properties", "$defs"):
        for name, inner in (schema.get(word) or {}).items() if isinstance(schema.get(word), dict) else ():
            yield from _json_schema(inner, f"{path}.{name}")
    for word in ("anyOf", "oneOf", "prefixItems"):
        for inner in schema.get(word) or () if isinstance(schema.get(word), list) else ():
            yield from _json_schema(inner, f"{path}.{word}")
    yield from _json_schema(schema.get("items"), f"{path}.items")


def _thinking(config: Mapping[str, Any], family: gemini.Family) -> Problems:
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and level is not None:
        yield refuse("You can only set one of thinking budget and thinking level.")
    if isinstance(level, str) and level.upper() not in (*family.levels, "THINKING_LEVEL_UNSPECIFIED"):
        yield refuse(f"Thinking level {level.upper()} is not supported for this model.")
    if budget is None or family.budget is None or not family.known or budget == -1:
        return
    if budget == 0 and not family.off:
        yield refuse("Budget 0 is invalid. This model only works in thinking mode.")
    elif budget and not family.budget[0] <= budget <= family.budget[1]:
        yield refuse(f"The thinking budget {budget} is invalid. Please choose a value between {family.budget}.")


def used_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of a request by the twins' rule."""
    inner = body.get("generateContentRequest") or body
    return (
        count_messages(inner.get("contents"))
        + count_tools(inner.get("tools"))
        + count_value((inner.get("systemInstruction") or inner.get("system_instruction") or {}).get("parts"))
    )
