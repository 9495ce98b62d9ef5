"""What a decision asks of the world. Steps are values, and so are the answers: failures too.

A generator yields a step and is sent its answer. No step closes anything on the way out: the driver owns the open
response and drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from byollm.types.events import Event
from byollm.types.frozen import quick
from byollm.wire.exchange import HttpRequest, LocalCall

if TYPE_CHECKING:
    from concurrent.futures import Future

    from byollm.engine.line import Line
    from byollm.types.request import Request
    from byollm.wire.auth import AuthScheme

R = TypeVar("R")


@quick
@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """Send a request over a line. Answer: `Head` or `Broken`. The credentials are added below the engine."""

    request: HttpRequest
    line: Line
    auth: AuthScheme
    deadline: float | None


@dataclass(frozen=True, slots=True, eq=False)
class OpenLocal:
    """Start an in-process model. Answer: `Head`. Each `Read` then gives a list of events, empty at the end."""

    call: LocalCall
    request: Request
    deadline: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The next piece of the open answer: bytes (b"" at the end), events of a local model, or `Broken`."""


@quick
@dataclass(frozen=True, slots=True, eq=False)
class Close:
    """Done with the open answer. `reuse`: the connection may serve again."""

    reuse: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sleep:
    """Wait on the call's clock. Answer: True when cancelled meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Blocking work: called as it is under the sync driver, in a thread under the async one. Answer: its result."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Renew:
    """Credentials were refused: read them anew. Answer: True when something changed and one more try is worth it."""

    line: Line
    auth: AuthScheme


@dataclass(frozen=True, slots=True, eq=False)
class Acquire:
    """Wait for a place, at most `seconds` (None: for ever). Answer: True when it was given; cancelling ends it."""

    place: Future[None]
    seconds: float | None


@quick
@dataclass(frozen=True, slots=True, eq=False)
class Emit:
    """Events of one piece, for the caller."""

    events: list[Event]


Step = Open | OpenLocal | Read | Close | Sleep | Run | Renew | Acquire | Emit
Steps = Generator[Step, Any, R]
READ = Read()
CLOSE, DROP = Close(True), Close(False)
