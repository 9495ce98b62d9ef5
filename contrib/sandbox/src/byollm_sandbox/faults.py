"""What can go wrong on the wire, by name. `effects.py` does it; this is the catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

KINDS: Final[Mapping[str, str]] = {
    # The connection.
    "reset": "TCP RST after the request was read, before any byte of an answer",
    "disconnect": "the connection is closed without an answer",
    "hang": "silence: before the head, or `after` N events (0: right after the head)",
    "delay": "`seconds` of silence before the head",
    "drip-head": "one byte of the head every `seconds` (default 0.05)",
    "drip-body": "`size` bytes of the body (default 1) every `seconds` (default 0.05)",
    "pause": "`seconds` (default 0.05) before each event",
    # The whole answer is something else.
    "status": "an error of the vendor's shape with this `status` (default 503)",
    "html": "an HTML page with this `status` (default 502), as a proxy in between sends it",
    "empty": "`status` (default 200) and no body at all",
    "redirect": "`status` (default 307) to `location`",
    "echo-key": "401 that repeats the caller's whole key; `form`: raw, base64, url, json, header",
    "garbage": "`size` bytes (default 512) that are no text in any encoding, made from `seed`",
    "deep-json": "a JSON document nested `depth` deep (default 100,000)",
    # The answer's content.
    "empty-filtered": "no content, ended by the content filter",
    "unknown-finish": "a finish reason nobody has heard of: `value` (default galaxy_brain)",
    "stop-with-tools": "tool calls, and a finish reason that says the model simply stopped",
    "no-usage": "token counts are not told",
    "usage-tail": "usage in a last chunk without choices, asked for or not (openai-chat)",
    "usage-every": "running usage in every chunk (openai-chat)",
    "no-index": "deltas of tool calls without `index` (openai-chat)",
    "interleave": "deltas of parallel parts take turns",
    "json-for-stream": "a plain JSON document where a stream was asked for",
    "second-choice": "another choice beside the first (openai-chat)",
    "unknown-events": "event types nobody has heard of between the known ones",
    # The event stream.
    "cut": "ends `after` N `unit` (events, tokens, bytes); `how`: eof (complete chunks), truncate, reset",
    "error": "`error` (an exception; default ServerError) in band `after` N `unit` (events, tokens)",
    "no-finish": "no finish reason and no terminal event; `done=True` keeps the `[DONE]` line",
    "no-done": "no `[DONE]` line",
    "no-final-blank": "the blank line after the last event is missing",
    "after-done": "more data after the end marker",
    "pings": "the vendor's keep-alive before every event",
    "comments": "a comment before every event",
    "crlf": "CR LF line ends",
    "cr": "CR line ends",
    "no-space": "no space after the colon",
    "bom": "a byte order mark first",
    "odd-sse": "CR LF, comments, no space and UTF-8 split inside characters, all at once",
    # The bytes.
    "split-bytes": "one chunk for every `size` bytes (default 1)",
    "split-utf8": "chunks end inside multi-byte characters",
    "malformed": "JSON that does not parse: the document, or the event `after` N",
    "content-type": "another content type: `value` (default text/plain)",
    "gzip": "content-encoding gzip",
    "bomb": "content-encoding gzip that unpacks to `size` bytes (default 100 MB)",
    "oversized": "a line (streams) or member (documents) of `size` bytes (default 20 MB) first",
}
"""Every kind of fault, in the order of the README's table, with what it does and its options."""

INSTEAD: Final = frozenset(
    {"reset", "disconnect", "status", "html", "empty", "redirect", "echo-key", "garbage", "deep-json", "bomb"}
)
"""Kinds that answer by themselves: the scripted answer waits for the next request."""

QUIRKS: Final = frozenset({"usage-tail", "usage-every", "no-index", "interleave", "second-choice", "unknown-events"})
"""Kinds that the dialect's renderer does itself."""


class Fault:
    """One or more kinds at once, with their options: `Fault("cut", after=3)`, `Fault("crlf", "split-bytes")`.

    Raises ValueError for an unknown kind and names the nearest.
    """

    __slots__ = ("kinds", "options")

    def __init__(self, *kinds: str, **options: Any) -> None:
        for kind in kinds:
            if kind not in KINDS:
                near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.4)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"no fault is called {kind!r}{hint} Known: {', '.join(KINDS)}")
        if not kinds:
            raise ValueError(f"name the fault: {', '.join(KINDS)}")
        self.kinds = kinds
        self.options = options

    @property
    def instead(self) -> bool:
        """No answer is needed: the fault is one."""
        return not INSTEAD.isdisjoint(self.kinds) or ("hang" in self.kinds and "after" not in self.options)

    @property
    def quirks(self) -> frozenset[str]:
        """What the renderer has to do itself."""
        return QUIRKS.intersection(self.kinds)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"Fault({', '.join(map(repr, self.kinds))}{options})"
