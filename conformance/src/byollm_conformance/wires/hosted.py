"""Messages as Google's cloud hosts it: model and verb in the path, version and betas in the body (read 2026-11-21)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

VERSIONS: Final[Mapping[str, str]] = {"vertex-2023-10-16": "2023-06-01", "2026-10-21": "2026-10-21"}
"""`anthropic_version` in the body, and the header that it stands for."""
_PATH: Final = re.compile(r"/publishers/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)$")


def vertex_anthropic(url: str, headers: Mapping[str, str], body: bytes) -> tuple[Mapping[str, str], bytes]:
    """Headers and body as Anthropic's own server would be sent them. Raises ValueError for another path or body."""
    document: Any = json.loads(body)
    found = _PATH.search(urlsplit(url).path)
    if found is None or not isinstance(document, dict):
        raise ValueError("no request to a model of Anthropic's")
    if "model" in document:
        raise ValueError("the model stands in the path, and `model` in the body is refused")
    plain = {name: value for name, value in document.items() if name not in ("anthropic_version", "anthropic_beta")}
    told = {name: value for name, value in headers.items() if not name.startswith("anthropic-")}
    version = VERSIONS.get(str(document.get("anthropic_version")))
    if version is not None:
        told["anthropic-version"] = version
    if document.get("anthropic_beta"):
        told["anthropic-beta"] = ",".join(document["anthropic_beta"])
    made = {**plain, "model": unquote(found[1]), "stream": found[2] == "streamRawPredict"}
    return told, json.dumps(made, ensure_ascii=False).encode()
