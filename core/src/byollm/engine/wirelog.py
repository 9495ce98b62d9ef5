"""What DEBUG shows of the wire: methods, URLs, names of headers, and the shape of bodies.

Never a prompt, an answer or a key: contents are shown only to whoever set `log_content`, and even then every trace of a
key is masked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from byollm.engine.outgoing import final_headers, final_url
from byollm.wire.json import parse_json

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.wire.exchange import Frame, Head, HttpRequest

log = logging.getLogger("byollm")
SHOWN: Final = 2_000
"""Characters of a shape or of a content that one record shows."""


def wanted() -> bool:
    """Somebody listens."""
    return log.isEnabledFor(logging.DEBUG)


def request(call: Call, line: Line, asked: HttpRequest) -> None:
    """A request that is about to leave."""
    headers = {name.lower() for name, _ in final_headers(line, asked)} | set(line.credentials.header_names)
    what = f"request {asked.method} {final_url(line, asked.url)} headers={','.join(sorted(headers))}"
    _say(call, line, f"{what} body={shape(_document(asked.body))}")


def answer(call: Call, line: Line, asked: HttpRequest, head: Head) -> None:
    """Status and headers that came. Only now is the key surely known, and contents can be masked."""
    if call.log_content:
        _say(call, line, f"request content={_document(asked.body)!r}")
    _say(call, line, f"answer {head.status} headers={','.join(sorted(head.headers))}")


def frame(call: Call, line: Line, came: Frame) -> None:
    """One frame of an answer."""
    body = repr(came.data) if call.log_content else shape(came.data)
    _say(call, line, f"frame {came.event or '-'} body={body}")


def _say(call: Call, line: Line, what: str) -> None:
    text = line.credentials.redactor.text(what)
    log.debug("call=%s deployment=%s %s", call.id, line.name, text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _document(body: bytes) -> Any:
    try:
        return parse_json(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")


def shape(value: Any, depth: int = 6) -> str:
    """Names and types of a JSON document: `{model: text 5, messages: [2 × {role: text 4, content: text 311}]}`."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name}: {shape(item, depth - 1)}" for name, item in value.items()) if depth else "…"
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{len(value)} × {shape(value[0], depth - 1)}]" if value and depth else f"[{len(value)}]"
    if isinstance(value, str):
        return f"text {len(value)}"
    return {bool: "boolean", int: "number", float: "number", type(None): "null"}.get(type(value), type(value).__name__)
