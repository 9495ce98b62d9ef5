"""What a plugin answers with: a request to send, and a way to read what comes back.

An exchange is a value. It can be shown, hashed, compared and tested without any network, and sent more than once: the
reader is made anew for each response, so no state of a failed attempt leaks into the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from byollm.types.frozen import quick

if TYPE_CHECKING:
    from byollm.errors import ProviderError
    from byollm.types.completion import Adjustment
    from byollm.types.events import Event
    from byollm.types.request import Request
    from byollm.wire.auth import AuthScheme

T = TypeVar("T")
Framing = Literal["json", "sse", "ndjson", "aws-eventstream"]
FramingName = Framing


@quick
@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request without its secret. `headers` are name and value pairs, names in lower case; `body` is final bytes."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@quick
@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer, as an auth flow gets it. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@quick
@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a response, header names in lower case."""

    status: int
    headers: Mapping[str, str]


class Frame(NamedTuple):
    """One framed piece of an answer.

    `event` is the SSE event name or event-stream type ("" when there is none), `data` the JSON document in it,
    `headers` those of an event-stream message.
    """

    event: str
    data: Any
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error answer. `document` is the body read as JSON, None when it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: Any


Reader = Callable[[Frame], Iterable[T]]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Generic[T]):
    """A request, and how to read its answer into `T`: events, a token count, or capabilities.

    `reader(head)` is called once per response and gives a function from frame to values. It may raise a `ProviderError`
    for an error inside a 200. `framing` is how the answer is cut; the answer's content type may overrule it.
    `fail(failure)` turns an error answer into a more exact error than the core's table of statuses, or None. `auth`
    is the scheme that adds the credentials. There is no end-of-stream call: only a frame can make `Finished`.
    `then(values)` is for the rare second request: it gets all values read and answers the next exchange, or None.
    `adjustments` is what the translator itself had to change, which `fit()` could not see.
    """

    request: HttpRequest
    reader: Callable[[Head], Reader[T]]
    framing: FramingName
    auth: AuthScheme
    fail: Callable[[Failure], ProviderError | None] | None = None
    then: Callable[[list[T]], Exchange[T] | None] | None = None
    adjustments: tuple[Adjustment, ...] = ()


_OURS = frozenset(("host", "content-length", "transfer-encoding", "connection"))
"""Headers that say where a request goes and where it ends."""
FRAMINGS = frozenset(("json", "sse", "ndjson", "aws-eventstream"))


def unsendable(exchange: Exchange[Any]) -> str:
    """What a plugin's exchange holds that cannot be sent or read; "" for one in order."""
    if not isinstance(exchange, Exchange):
        return f"that is {_shown(exchange)}"
    request = exchange.request
    if type(request) is not HttpRequest:
        return f"whose request is {_shown(request)}, not an HttpRequest"
    if type(request.body) is not bytes:
        return f"whose body is {_shown(request.body)}, not bytes"
    if type(request.url) is not str or type(request.method) is not str or not request.method.isupper():
        return "whose URL is no text, or whose method is no word in capital letters"
    if problem := _wrong_header(request.headers):
        return problem
    if exchange.framing not in FRAMINGS:
        return f"with the framing {exchange.framing!r}: one of {', '.join(sorted(FRAMINGS))} is known"
    return "" if callable(exchange.reader) else f"whose reader is {_shown(exchange.reader)}, not a function of the head"


def _wrong_header(headers: Any) -> str:
    if type(headers) is not tuple:
        return f"whose headers are {_shown(headers)}, not a tuple of pairs"
    for pair in headers:
        if type(pair) is not tuple or len(pair) != 2 or type(pair[0]) is not str or type(pair[1]) is not str:
            return "with a header that is no pair of texts"
        if pair[0].lower() in _OURS:
            return f"with the header {pair[0]!r}, which the core writes"
    return ""


def _shown(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


class LocalContext:
    """What an in-process model sees of its call: `cancelled` (bool) and `deadline` (seconds left, or None)."""

    def __init__(self, is_cancelled: Callable[[], bool], seconds_left: Callable[[], float | None]) -> None:
        self._is_cancelled = is_cancelled
        self._seconds_left = seconds_left

    @property
    def cancelled(self) -> bool:
        """True once the caller gave up: stop and return."""
        return self._is_cancelled()

    @property
    def deadline(self) -> float | None:
        """Seconds left for the whole call; None without a limit."""
        return self._seconds_left()


@dataclass(frozen=True, slots=True)
class LocalCall:
    """An in-process model. `run(request, call)` yields events; the core picks the thread."""

    run: Callable[[Request, LocalContext], Iterator[Event]]
