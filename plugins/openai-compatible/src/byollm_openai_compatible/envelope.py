"""The words of a refusal, out of whichever envelope they came in.

Seen (2026-11-21): an `error` object; an `error` string, with `error_type` or `code` beside it; a flat message;
FastAPI's `detail`, text or list; Azure's gateway with `statusCode`; OpenRouter's metadata with the upstream's own body
as text; markup; nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.plugin import parse_json

LIMIT: Final = 1000
_WORD_FIELDS: Final = frozenset({"code", "type", "error_code", "error_type", "reason", "quotaId", "quota_limit"})
_TEXT_FIELDS: Final = frozenset({"error", "message", "detail", "msg", "raw"})
_STATUS_FIELDS: Final = frozenset(
    {"code", "status", "status_code", "statusCode", "http_status_code", "raw_status_code"}
)
_STATUS: Final = re.compile(r"[45]\d\d")
_MARKUP: Final = re.compile(r"\s*<(?:!|\?|/?[a-zA-Z])")


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal says.

    `message` is for people; `code`, `type` and `param` are the provider's own (empty when not told). `status` is a
    status that the body names, numbers from 400 to 599 only. `words` are all its codes and types in lower case, `text`
    all that it says itself: a prompt or an answer that it echoes decides nothing.
    """

    message: str
    code: str
    type: str
    status: int | None
    texts: tuple[str, ...]
    words: frozenset[str]
    flagged: bool = False

    @property
    def text(self) -> str:
        """All texts, joined."""
        return " ".join(self.texts)


def said_by(document: Any, body: bytes) -> Said | None:
    """The words of an error body; None when it has none (empty, or markup)."""
    if document is None:
        text = _plain(body[: 4 * LIMIT].decode("utf-8", "replace"))
        return Said(text, "", "", None, (text,), frozenset()) if text else None
    leaves = list(_leaves("", document, 0))
    texts = tuple(value for name, value in leaves if isinstance(value, str) and (name in _TEXT_FIELDS or not name))
    words = frozenset(str(value).lower() for name, value in leaves if name in _WORD_FIELDS and isinstance(value, str))
    statuses = [int(str(value)) for name, value in leaves if name in _STATUS_FIELDS and _STATUS.fullmatch(str(value))]
    core = _core(document)
    message = _plain(_message(core) or next(iter(texts), ""))
    flagged = any(name == "flagged_input" for name, _ in leaves)
    if not (message or words or statuses):
        return None
    return Said(message, _code(core), _text(core, "type"), next(iter(statuses), None), texts, words, flagged)


def _leaves(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > 20:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(str(key), inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(name, inner, depth + 1)
    elif isinstance(value, str) and name in _TEXT_FIELDS and value.lstrip()[:1] == "{":
        inner = _parsed(value)
        if inner is None:
            yield name, value
        else:
            yield from _leaves(name, inner, depth + 1)
    else:
        yield name, value


def _parsed(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _core(document: Any) -> Mapping[str, Any]:
    """The innermost object that holds the message."""
    if isinstance(document, list):
        document = document[0] if document else {}
    if not isinstance(document, Mapping):
        return {"message": document} if isinstance(document, str) else {}
    inner = document.get("error")
    if isinstance(inner, Mapping):
        return inner
    if isinstance(inner, str) and inner:
        return {**document, "message": inner}
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        return errors[0]
    return document


def _message(core: Mapping[str, Any]) -> str:
    message = core.get("message")
    if not isinstance(message, str) or not message.strip():
        message = core.get("detail") or core.get("msg") or ""
    if isinstance(message, list):
        return "; ".join(_problem(item) for item in message)
    if isinstance(message, Mapping):
        message = message.get("message") or json.dumps(message)
    raw = _mapping(core.get("metadata")).get("raw")
    if isinstance(raw, str) and raw.strip():
        inner = _parsed(raw)
        text = _message(_core(inner)) if inner is not None else raw
        message = f"{message}: {text}" if text else message
    return str(message)


def _problem(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    place = ".".join(str(step) for step in item.get("loc") or ())
    return f"{place}: {item.get('msg') or item.get('message') or ''}" if place else str(item.get("msg") or item)


def _code(core: Mapping[str, Any]) -> str:
    code = core.get("code")
    return code if isinstance(code, str) and not _STATUS.fullmatch(code) else ""


def _text(core: Mapping[str, Any], name: str) -> str:
    value = core.get(name)
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plain(text: str) -> str:
    text = " ".join(text.split())
    if _MARKUP.match(text):
        return ""
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 1]}…"
