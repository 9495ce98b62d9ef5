"""What Chat Completions refuses of messages: roles, contents, the pairing of calls and results."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from byollm_sandbox.dialects import openai_models as models
from byollm_sandbox.dialects.openai_checks import Problems, array, missing, refuse, text, wrong_type, wrong_value

ROLES: Final = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
    "assistant": ("text", "refusal"),
    "user": ("text", "image_url", "input_audio", "file", "refusal"),
}
_REFUSED_FILES: Final = (
    "image/",
    "audio/",
    "video/",
    "application/octet-stream",
    "application/zip",
    "binary/",
)
_IMAGES: Final = ("png", "jpeg", "gif", "webp")
_MAGIC: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def message_problems(messages: Any, model: str) -> Problems:
    """All of a request's messages, in order."""
    yield from array(messages, "messages", 1)
    if not isinstance(messages, list):
        return
    open_calls: dict[str, None] = {}
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if not isinstance(message, dict):
            yield wrong_type(path, "an object", message)
            return
        yield from _role(message, path)
        role = message["role"]
        if role in models.unsupported_role(model):
            text_ = f"Unsupported value: '{path}.role' does not support '{role}' with this model."
            yield refuse(text_, f"{path}.role", "unsupported_value")
        if open_calls and role != "tool":
            yield _unanswered(path, open_calls)
        yield from _content(message, role, path, model)
        if role == "tool":
            yield from _tool_result(message, path, open_calls)
        if role == "assistant" and message.get("tool_calls") is not None:
            yield from _calls(message["tool_calls"], path)
            open_calls = dict.fromkeys(str(call.get("id")) for call in message["tool_calls"])
    if open_calls:
        yield _unanswered(f"messages[{len(messages)}]", open_calls)


def _role(message: Mapping[str, Any], path: str) -> Problems:
    if "role" not in message:
        yield missing(f"{path}.role")
    elif message["role"] not in ROLES:
        yield wrong_value(f"{path}.role", message["role"], ROLES)
    yield from text(message, "name", 64, f"{path}.name")


def _unanswered(path: str, calls: Mapping[str, None]) -> Any:
    ids = ", ".join(calls)
    return refuse(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {ids}",
        path,
    )


def _tool_result(message: Mapping[str, Any], path: str, open_calls: dict[str, None]) -> Problems:
    answered = message.get("tool_call_id")
    if answered is None:
        yield missing(f"{path}.tool_call_id")
    elif answered not in open_calls:
        text_ = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
        yield refuse(f"Invalid parameter: {text_}", f"{path}.role")
    open_calls.pop(str(answered), None)


def _calls(calls: Any, path: str) -> Problems:
    yield from array(calls, f"{path}.tool_calls", 1)
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        where = f"{path}.tool_calls[{index}]"
        if not isinstance(call, dict):
            yield wrong_type(where, "an object", call)
            continue
        for name in ("id", "type"):
            if not call.get(name):
                yield missing(f"{where}.{name}")
        kind = "custom" if call.get("type") == "custom" else "function"
        inner = call.get(kind)
        if not isinstance(inner, dict):
            yield missing(f"{where}.{kind}")
            continue
        for name in ("name", "input" if kind == "custom" else "arguments"):
            if name not in inner:
                yield missing(f"{where}.{kind}.{name}")
            elif not isinstance(inner[name], str):
                yield wrong_type(f"{where}.{kind}.{name}", "a string", inner[name])


def _content(message: Mapping[str, Any], role: str, path: str, model: str) -> Problems:
    content = message.get("content")
    if content is None:
        optional = role == "assistant" and any(
            message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio")
        )
        if not optional and role != "function":
            text_ = f"Invalid value for 'content': expected a string, got null. (path: {path}.content)"
            yield refuse(text_, f"{path}.content")
        return
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield wrong_type(f"{path}.content", "one of a string or array of objects", content)
        return
    yield from array(content, f"{path}.content", 0 if role == "assistant" else 1)
    for index, part in enumerate(content):
        yield from _part(part, role, path, f"{path}.content[{index}]", model)


def _part(part: Any, role: str, path: str, where: str, model: str) -> Problems:
    if not isinstance(part, dict):
        yield wrong_type(where, "an object", part)
        return
    kind = part.get("type")
    if kind is None:
        yield missing(f"{where}.type")
        return
    allowed = _PARTS.get(role, _PARTS["user"])
    if kind not in allowed:
        yield wrong_value(f"{where}.type", kind, allowed)
    elif kind == "text" and not isinstance(part.get("text"), str):
        yield missing(f"{where}.text") if "text" not in part else wrong_type(f"{where}.text", "a string", part["text"])
    elif kind == "image_url":
        yield from _image(part.get("image_url"), where)
    elif kind == "input_audio" and not models.hears(model):
        text_ = f"Invalid '{path}'. Content blocks are expected to be either text or image_url type."
        yield refuse(text_, path, "invalid_value")
    elif kind == "input_audio":
        yield from _audio(part.get("input_audio"), where)
    elif kind == "file":
        yield from _file(part.get("file") or {}, where)


def _file(file: Mapping[str, Any], where: str) -> Problems:
    if not {"file_data", "file_id"} & file.keys():
        yield missing(f"{where}.file.file_id")
    elif "file_data" in file:
        yield from file_source(file["file_data"], f"{where}.file.file_data")


def file_source(data: Any, where: str) -> Problems:
    """A document as a data URI of a type that is read; what calls itself PDF must be one."""
    match = re.match(r"data:([\w.+/-]+)(?:;[^,;]*)*;base64,(.*)", data, re.DOTALL) if isinstance(data, str) else None
    kind = match.group(1) if match else None
    if match is None or kind is None or kind.startswith(_REFUSED_FILES):
        text_ = f"Invalid file data: '{where}'. Expected a base64-encoded data URL with a valid file MIME type"
        yield refuse(
            f"{text_} (e.g. 'application/pdf'), but got unsupported MIME type '{kind}'.", where, "invalid_value"
        )
    elif kind == "application/pdf" and not match.group(2).startswith("JVBER"):
        # JVBER is `%PDF` in base64.
        text_ = "The file type you uploaded is not supported. Please try again with a pdf"
        yield refuse(text_, where, "unsupported_file")


def _audio(audio: Any, where: str) -> Problems:
    if not isinstance(audio, dict) or "data" not in audio:
        yield missing(f"{where}.input_audio.data")
    elif audio.get("format") not in ("wav", "mp3"):
        yield wrong_value(f"{where}.input_audio.format", audio.get("format"), ("wav", "mp3"))


def _image(image: Any, where: str) -> Problems:
    if not isinstance(image, dict) or not isinstance(image.get("url"), str):
        yield missing(f"{where}.image_url.url")
        return
    if image.get("detail") not in (None, "auto", "low", "high", "original"):
        yield wrong_value(f"{where}.image_url.detail", image["detail"], ("auto", "low", "high", "original"))
    yield from image_source(image["url"])


def image_source(url: str) -> Problems:
    """A picture's address: https, or a data URI whose bytes are a picture. Nothing is fetched."""
    if url.startswith(("http://", "https://")):
        return
    match = re.fullmatch(r"data:image/([\w.+-]+);base64,(.*)", url, re.DOTALL)
    if match is None:
        text_ = "Invalid image data. Expected a base64-encoded data URL with an image MIME type."
        yield refuse(text_, None, "invalid_value")
        return
    try:
        # Recorders cut long pictures short, so a missing end is forgiven; other letters are not.
        opening = base64.b64decode(match.group(2)[:64], validate=True)
    except binascii.Error:
        yield refuse("Invalid base64 image_url.", None, "invalid_base64")
        return
    if not opening.startswith(_MAGIC) and opening:
        text_ = f"You uploaded an unsupported image. Please make sure your image has one of these formats: {_IMAGES}."
        yield refuse(text_, None, "invalid_image_format")
