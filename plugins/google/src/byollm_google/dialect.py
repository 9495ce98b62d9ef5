"""The public door for hosts of Gemini: build a body, read an answer, name an error, say what a model takes.

A host that serves the dialect under another roof (Vertex) depends on this module only. It describes itself as a `Host`
and gets back values; URL, headers and credentials are its own affair::

    host = Host(provider="acme", developer=False)
    built = build_body(request, "gemini-3.8-flash", host)
    Exchange(request=…, reader=reader_for(host, built.names), framing="sse", fail=fail, auth=…)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from byollm.plugin import Event, Frame, Head, ProtocolError, TokenCount, checked
from byollm_google.body import Built, build_body, count_body, resource
from byollm_google.capabilities import capabilities_of, overlaid
from byollm_google.failure import error_of, fail
from byollm_google.families import Family, family_of
from byollm_google.host import Host
from byollm_google.reader import ContentReader

__all__ = [
    "Built",
    "Family",
    "Host",
    "build_body",
    "capabilities_of",
    "count_body",
    "count_reader",
    "error_of",
    "fail",
    "family_of",
    "overlaid",
    "reader_for",
    "resource",
]


def reader_for(host: Host, names: Mapping[str, str]) -> Callable[[Head], Callable[[Frame], Iterable[Event]]]:
    """An exchange's `reader`: a fresh one for each response. `names` are `Built.names`."""
    return lambda head: ContentReader(host, names)


def count_reader(head: Head) -> Callable[[Frame], list[TokenCount]]:
    """Reads the answer of `countTokens`, which is exact for the request it was given."""
    return _count


def _count(frame: Frame) -> list[TokenCount]:
    found = checked.tokens(checked.mapping(frame.data, "the count").get("totalTokens"), "totalTokens")
    if found is None:
        raise ProtocolError("the count has no totalTokens")
    return [TokenCount(found, "exact", source="Google's countTokens")]
