"""Joining endpoints and paths, so that `…/v1`, a trailing slash or a pasted full path all mean the same."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from byollm.errors import ConfigError


def join_url(endpoint: str, path: str, *, base_path: str = "", query: str = "") -> str:
    """The URL of `path` below `endpoint`.

    An endpoint with an empty path gets the dialect's `base_path`; any other path is kept. A full path that was pasted
    (`…/v1/chat/completions`) is not doubled. A query string of the endpoint (`?api-version=…`) is kept,
    and `query` added. Raises ConfigError when the endpoint is not an http(s) URL.
    """
    parts = _split(endpoint)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"endpoint {endpoint!r} is not a URL", hint="write it whole, e.g. https://api.example.com/v1")
    root = parts.path.rstrip("/") or base_path.rstrip("/")
    tail = path if path.startswith("/") else f"/{path}"
    if root.endswith(tail):
        root = root[: -len(tail)]
    queries = "&".join(part for part in (parts.query, query) if part)
    return urlunsplit((parts.scheme, parts.netloc, f"{root}{tail}", queries, ""))


def _split(endpoint: str) -> SplitResult | None:
    try:
        parts = urlsplit(endpoint)
        return parts if parts.port != 0 else None
    except ValueError:  # an address or a port that is none
        return None


def path_segment(text: str) -> str:
    """A model id as exactly one segment of a path. Raises ConfigError for what could climb out of it."""
    if not text or text in (".", ".."):
        raise ConfigError(f"{text!r} cannot be a model id in a URL")
    return quote(text, safe="", errors="replace")
