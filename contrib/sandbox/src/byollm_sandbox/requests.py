"""What a twin was asked: one record for each request, kept in order of arrival."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

_KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
_IN_PATH = re.compile(r"/(?:models|tunedModels)/([^/:]+):[A-Za-z]+$")
_INVOKED = re.compile(r"/model/([^/]+)/(?:converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$")
_STREAMING = (":streamGenerateContent", "/converse-stream", "/invoke-with-response-stream")


@dataclass(eq=False)
class Recorded:
    """One request as it came.

    `dialect` is None for a path no twin knows; `name` is the upstream's (`default` unless `url(…, name=…)` made one).
    `headers` have lower-case names. `number` counts from 1 in a server. `disconnected`: the caller hung up before the
    answer was complete. `connection` tells connections apart: two requests with the same number shared one.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: str = ""
    name: str = "default"
    dialect: str | None = None
    operation: str | None = None
    number: int = 0
    connection: int = 0
    status: int | None = None
    disconnected: bool = field(default=False)

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def key(self) -> str | None:
        """The key the caller sent, without its scheme; None when there is none."""
        authorization = self.headers.get("authorization", "")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        return next((key for name in _KEY_HEADERS if (key := self.headers.get(name))), None)

    @property
    def streams(self) -> bool:
        """The caller asked for a stream: in the body, or by the path's own verb."""
        if self.path.endswith(_STREAMING):
            return True
        return isinstance(self.json, dict) and self.json.get("stream") is True

    @cached_property
    def asked(self) -> Any:
        """The body, with the model that some vendors name in the path (`…/models/gemini-3.8-flash:generateContent`,
        `…/model/amazon.nova-lite-v1%3A0/converse`)."""
        found = _IN_PATH.search(self.path) or _INVOKED.search(self.path)
        if found is None or not isinstance(self.json, dict) or self.json.get("model") is not None:
            return self.json
        return {**self.json, "model": unquote(found[1])}

    @property
    def parameters(self) -> dict[str, str]:
        """The query string's parameters."""
        return dict(parse_qsl(self.query))

    def __repr__(self) -> str:
        return f"<Recorded {self.number}: {self.method} {self.path} to {self.name}, answered {self.status}>"
