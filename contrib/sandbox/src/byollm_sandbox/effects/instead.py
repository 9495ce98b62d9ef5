"""Faults that answer by themselves."""

from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from byollm.errors import (
    AuthenticationError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)
from byollm_sandbox.effects.scene import Scene
from byollm_sandbox.wire import End, Reply


def instead(scene: Scene) -> Reply:
    """What the fault answers by itself."""
    for kind in scene.fault.kinds:
        maker = _INSTEAD.get(kind)
        if maker is not None:
            return maker(scene)
    return Reply(chunks=(), end=End.hang)


_BY_STATUS: Final[dict[int, type[ProviderError]]] = {
    401: AuthenticationError,
    402: QuotaExhaustedError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    413: RequestTooLargeError,
    429: RateLimitError,
    503: OverloadedError,
    529: OverloadedError,
}


def _status(scene: Scene) -> Reply:
    status = int(scene.option("status", 503))
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else InvalidRequestError)
    error = scene.option("error", None) or kind(f"The twin was told to answer {status}.", status=status)
    return scene.dialect.reject(replace(scene.dialect.error(error, scene.call), status=status), scene.call)


def _html(scene: Scene) -> Reply:
    status = int(scene.option("status", 502))
    page = (
        f"<html>\r\n<head><title>{status} Bad Gateway</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} Bad Gateway</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status, [("content-type", "text/html"), ("server", "proxy")], page.encode())


def _redirect(scene: Scene) -> Reply:
    location = str(scene.option("location", "http://127.0.0.1:9/elsewhere"))
    return Reply(int(scene.option("status", 307)), [("location", location)])


def _echo_key(scene: Scene) -> Reply:
    key = scene.request.key or ""
    form = scene.option("form", "raw")
    encoded = base64.b64encode(key.encode()).decode()
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key)
    shown = {"base64": encoded, "url": quote(key, safe="").replace("-", "%2D"), "json": key}.get(form, key)
    reply = scene.dialect.reject(
        scene.dialect.error(AuthenticationError(f"Incorrect API key provided: {shown}."), scene.call), scene.call
    )
    if form == "json":
        reply.body = reply.body.replace(key.encode(), escaped.encode()) if key else reply.body
    elif form == "header":
        reply.headers.append(("x-rejected-key", key))
    return reply


def _garbage(scene: Scene) -> Reply:
    data = random.Random(scene.option("seed", 0)).randbytes(int(scene.option("size", 512)))
    return Reply(int(scene.option("status", 200)), [("content-type", "application/json")], data)


def _deep_json(scene: Scene) -> Reply:
    depth = int(scene.option("depth", 100_000))
    return Reply(200, [("content-type", "application/json")], b"[" * depth + b"]" * depth)


@lru_cache(maxsize=2)
def _packed(size: int) -> bytes:
    return gzip.compress(b'{"padding":"' + b"0" * size + b'"}', compresslevel=9, mtime=0)


def _bomb(scene: Scene) -> Reply:
    size = int(scene.option("size", 100 * 1024 * 1024))
    packed = _packed(size)
    return Reply(200, [("content-type", "application/json"), ("content-encoding", "gzip")], packed)


_INSTEAD: Final[dict[str, Callable[[Scene], Reply]]] = {
    "reset": lambda scene: Reply(end=End.reset),
    "disconnect": lambda scene: Reply(end=End.truncate),
    "status": _status,
    "html": _html,
    "empty": lambda scene: Reply(int(scene.option("status", 200)), [("content-type", "application/json")]),
    "redirect": _redirect,
    "echo-key": _echo_key,
    "garbage": _garbage,
    "deep-json": _deep_json,
    "bomb": _bomb,
}
