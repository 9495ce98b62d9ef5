"""Where Azure's two surfaces are: `/openai/v1/…`, and one address for each deployment with a dated version."""

from __future__ import annotations

import re
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit, urlunsplit

from byollm.plugin import ConfigError, Target, join_url, path_segment

Surface = Literal["v1", "classic"]
UNDATED: Final = ("v1", "preview")
"""Versions that the v1 surface knows; all others are dates of the classic one."""
_DATED: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def version_of(target: Target) -> str:
    """The `api-version`: the file's option, else what stands in the endpoint's query, else empty."""
    told: Any = target.options.get("api_version")
    if told:
        return str(told)
    return next(iter(parse_qs(urlsplit(target.endpoint).query).get("api-version", ())), "")


def surface_of(target: Target) -> Surface:
    """The one that the file names; else classic where it gives a dated `api_version` or a deployment's address."""
    named: Surface | None = target.options.get("surface")
    if named:
        return named
    dated = bool(_DATED.match(str(target.options.get("api_version") or "")))
    return "classic" if dated or "/openai/deployments/" in urlsplit(target.endpoint).path else "v1"


def address(target: Target, path: str) -> str:
    """The URL of a dialect's path. Raises ConfigError for a classic address without an `api_version`."""
    version = version_of(target)
    parts = urlsplit(target.endpoint)
    own = parts.path.rstrip("/").removesuffix(path)
    if surface_of(target) == "classic":
        if not version:
            raise ConfigError("Azure's classic surface needs `api_version:`", hint="api_version: 2024-10-21")
        root = _deployed(own, target.model) if path == "/chat/completions" else _below(own, "/openai")
    else:
        root = _v1(own)
    base = urlunsplit((parts.scheme, parts.netloc, root, _without_version(parts.query), ""))
    return join_url(base, path, query=f"api-version={version}" if version else "")


def _v1(own: str) -> str:
    """`/openai/v1` below a bare host, `/openai` or a project's path; any other path is a gateway's and is kept."""
    if own.endswith("/openai"):
        return f"{own}/v1"
    if not own or re.fullmatch(r"/api/projects/[^/]+", own):
        return f"{own}/openai/v1"
    return own


def _deployed(own: str, deployment: str) -> str:
    if "/deployments/" in own:
        return own
    return f"{_below(own, '/openai')}/deployments/{path_segment(deployment)}"


def _below(own: str, tail: str) -> str:
    own = own.partition("/deployments/")[0].removesuffix("/v1")
    return own if own.endswith(tail) else f"{own}{tail}"


def _without_version(query: str) -> str:
    return "&".join(part for part in query.split("&") if part and not part.startswith("api-version="))
