"""What Mistral refuses: 422 in FastAPI's shape for the wrong shape, 400 flat for the wrong conversation.

Facts: mistralai 3.7.0's types, mistral-common's rules for conversations, recorded refusals, read 2026-11-21; the
sentences are the twin's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects.base import Rejection, names

MEMBERS: Final = names(
    "model messages temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice "
    "presence_penalty frequency_penalty min_tokens repetition_penalty top_k logprobs top_logprobs prompt_logprobs "
    "top_prompt_logprobs n prediction parallel_tool_calls reasoning_effort prompt_mode guardrails prompt_cache_key "
    "service_tier safe_prompt"
)
_TURNS: Final = {
    "system": names("role content"),
    "user": names("role content"),
    "assistant": names("role content tool_calls prefix"),
    "tool": names("role content tool_call_id name"),
}
_CHUNKS: Final = {
    "text": names("type text"),
    "image_url": names("type image_url"),
    "document_url": names("type document_url document_name"),
    "input_audio": names("type input_audio"),
    "file": names("type file_id"),
    "reference": names("type reference_ids"),
    "thinking": names("type thinking signature closed"),
}
_EFFORTS: Final = names("none minimal low medium high xhigh max")
_RANGES: Final = {"temperature": (0, 1.5), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)}
_KNOWN: Final = re.compile(
    r"(?:labs-)?(?:mistral|magistral|ministral|codestral|devstral|pixtral|voxtral|open-mistral|open-mixtral|leanstral)-"
    r"|mistral-|zai-glm-|glm-|deepseek-v4-1-flash"
)
_ID: Final = re.compile(r"[a-zA-Z0-9]{9}")
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ORDER: Final = "invalid_request_message_order"


def shape(kind: str, where: tuple[Any, ...], message: str) -> Rejection:
    """422, with the place that is wrong."""
    detail = {"type": kind, "loc": ["body", *where], "msg": message}
    return Rejection(422, message, kind, details={"detail": [detail]})


def wrong(message: str, type_: str, code: str) -> Rejection:
    """400, flat."""
    return Rejection(400, message, type_, None, code)


def validate(body: Any) -> Rejection | None:
    """The first thing that Mistral would not take; None when it takes the request."""
    if not isinstance(body, Mapping):
        return shape("model_attributes_type", (), "Input should be a valid dictionary or object to extract fields from")
    return next(iter(_misshapen(body)), None) or _unknown_model(body) or next(iter(_disordered(body)), None)


def _unknown_model(body: Mapping[str, Any]) -> Rejection | None:
    model = body["model"]
    if _KNOWN.match(model):
        return None
    return wrong(f"Invalid model: {model}", "invalid_model", "1500")


def _misshapen(body: Mapping[str, Any]) -> Iterator[Rejection]:
    for name in body:
        if name not in MEMBERS:
            yield shape("extra_forbidden", (name,), "Extra inputs are not permitted")
    if not isinstance(body.get("model"), str):
        yield shape("missing", ("model",), "Field required")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        yield shape("missing", ("messages",), "Field required")
        return
    for name, (least, most) in _RANGES.items():
        value = body.get(name)
        if value is not None and not (_is_number(value) and least <= value <= most):
            yield shape("value_error", (name,), f"Input should be between {least} and {most}")
    for name in ("max_tokens", "random_seed", "n", "top_k"):
        if body.get(name) is not None and (type(body[name]) is not int or body[name] < 0):
            yield shape("int_type", (name,), "Input should be a valid integer")
    if body.get("reasoning_effort") is not None and body["reasoning_effort"] not in _EFFORTS:
        yield shape("enum", ("reasoning_effort",), "Input should be a known effort")
    if body.get("service_tier") not in (None, "auto", "standard_only"):
        yield shape("enum", ("service_tier",), "Input should be 'auto' or 'standard_only'")
    yield from _messages(body["messages"])
    yield from _tools(body)
    yield from _format(body.get("response_format"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _messages(messages: list[Any]) -> Iterator[Rejection]:
    for number, message in enumerate(messages):
        place = ("messages", number)
        role = message.get("role") if isinstance(message, Mapping) else None
        if role not in _TURNS:
            yield shape("union_tag_invalid", place, f"Input tag {role!r} does not match any of the expected tags")
            continue
        for name in message:
            if name not in _TURNS[role]:
                yield shape("extra_forbidden", (*place, role, name), "Extra inputs are not permitted")
        content = message.get("content")
        if content is None and role != "assistant":
            yield shape("missing", (*place, role, "content"), "Field required")
        elif not isinstance(content, str | list | None):
            yield shape("string_type", (*place, role, "content"), "Input should be a valid string")
        for at, chunk in enumerate(content if isinstance(content, list) else ()):
            yield from _chunk(chunk, (*place, role, "content", at))
        for at, call in enumerate(message.get("tool_calls") or ()):
            function = call.get("function") if isinstance(call, Mapping) else None
            if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), str | Mapping):
                yield shape("missing", (*place, role, "tool_calls", at), "Field required")


def _chunk(chunk: Any, place: tuple[Any, ...]) -> Iterator[Rejection]:
    kind = chunk.get("type") if isinstance(chunk, Mapping) else None
    if kind not in _CHUNKS:
        yield shape("union_tag_invalid", place, f"Input tag {kind!r} does not match any of the expected tags")
        return
    main = "file_id" if kind == "file" else "reference_ids" if kind == "reference" else kind
    if chunk.get(main) is None:
        yield shape("missing", (*place, main), "Field required")
    sound = kind == "input_audio" and isinstance(chunk.get(main), Mapping)  # as OpenAI writes it, recorded too
    if kind in ("document_url", "input_audio", "text") and not isinstance(chunk.get(main), str) and not sound:
        yield shape("string_type", (*place, main), "Input should be a valid string")
    for name in chunk:
        if name not in _CHUNKS[kind]:
            yield shape("extra_forbidden", (*place, name), "Extra inputs are not permitted")


def _tools(body: Mapping[str, Any]) -> Iterator[Rejection]:
    for number, tool in enumerate(body.get("tools") or ()):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(tool, Mapping) and tool.get("type", "function") != "function":
            continue  # tools of Mistral's own
        if not isinstance(function, Mapping) or not isinstance(function.get("parameters"), Mapping):
            yield shape("missing", ("tools", number, "function", "parameters"), "Field required")
            return
        if not isinstance(function.get("name"), str) or not _NAME.fullmatch(function["name"]):
            yield wrong(
                f"Function name was {function.get('name')} but must be a-z, A-Z, 0-9, or contain underscores and "
                "dashes, with a maximum length of 64.", "invalid_request_function", "3310",
            )  # fmt: skip
        for name in function:
            if name not in ("name", "description", "parameters", "strict"):
                yield shape("extra_forbidden", ("tools", number, "function", name), "Extra inputs are not permitted")
    choice = body.get("tool_choice")
    named = isinstance(choice, Mapping) and isinstance((choice.get("function") or {}).get("name"), str)
    if not named and choice not in (None, "auto", "none", "any", "required"):
        yield shape("enum", ("tool_choice",), "Input should be 'auto', 'none', 'any' or 'required'")


def _format(format_: Any) -> Iterator[Rejection]:
    if format_ is None:
        return
    kind = format_.get("type") if isinstance(format_, Mapping) else None
    schema = format_.get("json_schema") if isinstance(format_, Mapping) else None
    if kind is None and isinstance(schema, Mapping):
        kind = "json_schema"
    if kind not in ("text", "json_object", "json_schema"):
        yield shape("enum", ("response_format", "type"), "Input should be 'text', 'json_object' or 'json_schema'")
    elif kind == "json_schema" and not (
        isinstance(schema, Mapping)
        and isinstance(schema.get("name"), str)
        and isinstance(schema.get("schema"), Mapping)
    ):
        yield shape("missing", ("response_format", "json_schema"), "Field required")


def _disordered(body: Mapping[str, Any]) -> Iterator[Rejection]:
    if body.get("logprobs"):
        yield wrong("Logprobs are not enabled for this model", "invalid_request_invalid_args", "3051")
    before, open_calls = "", set[str]()
    for message in body["messages"]:
        role = message["role"]
        if before == "tool" and role not in ("assistant", "tool"):
            yield wrong(f"Unexpected role '{role}' after role 'tool'", _ORDER, "3230")
        if role == "tool" and before not in ("assistant", "tool"):
            yield wrong(f"Unexpected role 'tool' after role '{before or 'start'}'", _ORDER, "3230")
        if role == "assistant":
            calls = message.get("tool_calls") or ()
            if not message.get("content") and not calls:
                yield wrong(
                    "Assistant message must have either content or tool_calls, but not none.", "invalid_request", "3240"
                )
            open_calls = {call.get("id") for call in calls}
            yield from (_id(call.get("id")) for call in calls if not _ID.fullmatch(str(call.get("id"))))
        if role == "tool" and message.get("tool_call_id") not in open_calls:
            yield wrong("Not the same number of function calls and responses", _ORDER, "3230")
        before = role
    last = body["messages"][-1]
    if before not in ("user", "tool") and not (before == "assistant" and last.get("prefix") is True):
        yield wrong(
            f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {before}", _ORDER,
            "3230",
        )  # fmt: skip


def _id(id: Any) -> Rejection:
    return wrong(
        f"Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.", "invalid_function_call", "3280"
    )
