"""What a dialect has words for. The other end's own bytes show it, never what the plugin says.

A dialect that writes a refusal like any other text, or two errors alike, cannot have them told apart by a reader.
"""

from __future__ import annotations

from typing import Final

from byollm.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer

CLASSES: Final = (
    AuthenticationError, PermissionDeniedError, ModelNotFoundError, InvalidRequestError, ContextLengthError,
    RequestTooLargeError, ContentFilterError, RateLimitError, QuotaExhaustedError, OverloadedError, ServerError,
    ProviderTimeoutError,
)  # fmt: skip
"""What a provider can refuse with."""
_WORDS: Final = "zz the same words"


def says(subject: Subject, answer: Answer, other: Answer, *, stream: bool = False) -> bool:
    """Are the two written differently? Then a reader can tell them apart."""
    one, two = (subject.dialect.render(item, stream) for item in (answer, other))
    return (one.status, one.body) != (two.status, two.body)


def kin(subject: Subject, kind: type[ProviderError]) -> list[type[ProviderError]]:
    """The class, and those that the dialect refuses with in the very same bytes."""
    mine = _refusal(subject, kind)
    return [kind, *[other for other in CLASSES if other is not kind and _refusal(subject, other) == mine]]


def classed(subject: Subject, kind: type[ProviderError]) -> bool:
    """Does a body tell the class beside its words? Where it does not, the status alone does, outside of a 200."""
    bodies = [subject.dialect.render_error(item(_WORDS)).body for item in (kind, ServerError)]
    return bodies[0] != bodies[1]


def _refusal(subject: Subject, kind: type[ProviderError]) -> tuple[int, bytes]:
    rendered = subject.dialect.render_error(kind(""))
    return rendered.status, rendered.body
