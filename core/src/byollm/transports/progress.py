"""How far one exchange has come: what bounds the next wait, and what a failure now would mean."""

from __future__ import annotations

from time import monotonic

from byollm.errors import Sent
from byollm.transports.base import Broken, BrokenKind, Limits, Timeouts


class Stop(Exception):
    """Ends an exchange from inside a connection. Caught in this package, always: callers get a `Broken`."""

    def __init__(self, kind: BrokenKind, detail: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


class Interrupted(BaseException):
    """Carries what a program's signal handler raised while we waited. It is the caller's, and no failure of the way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def unless_interrupted(error: Exception) -> Exception:
    """The same error, where the wait itself raised it. Raises Interrupted where a signal handler did: it runs in the
    frame that waits, and is nobody of ours."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] in ("byollm", "selectors"):
        return error
    raise Interrupted(error)


class Progress:
    """The clock and the counters of one exchange, shared by the sync and the async connection.

    It knows four phases, in this order: connecting (TLS and proxy included), sending, waiting for the first byte,
    reading. `sent` answers what `Broken.sent` asks, `heard` counts the bytes of the response.
    """

    __slots__ = ("_allowance", "_deadline", "_kind", "_timeouts", "_until", "connecting", "heard", "in_head", "limits",
                 "sent", "started")  # fmt: skip

    def __init__(self, timeouts: Timeouts, limits: Limits, deadline: float | None) -> None:
        self.limits = limits
        self.sent: Sent = "no"
        self.heard = 0
        self.in_head = True
        self.connecting = False
        self.started = monotonic()
        self._timeouts = timeouts
        self._deadline = deadline
        self._allowance: float | None = timeouts.idle
        self._until: float | None = None
        self._kind: BrokenKind = "timeout_idle"

    def begin_connecting(self) -> None:
        """From here on `connect` bounds everything together: name, TCP, proxy, TLS."""
        self.connecting = True
        seconds = self._timeouts.connect
        self._until = None if seconds is None else monotonic() + seconds
        self._allowance, self._kind = None, "timeout_connect"

    def end_connecting(self) -> None:
        """Connected: what is written from here on is the request."""
        self.connecting = False
        self.heard = 0
        self._until, self._allowance, self._kind = None, self._timeouts.idle, "timeout_idle"

    def begin_foreign(self) -> None:
        """A library that hides its phases connects, sends and waits: only the deadline bounds it from here."""
        self._until = self._allowance = None

    def begin_sending(self) -> None:
        """Sending is bounded by `idle`, counted anew whenever the peer takes something. Raises Stop when time is up."""
        if self._deadline is not None and self._deadline <= monotonic():
            raise Stop("deadline")
        self.sent = "partial"

    def begin_waiting(self, complete: bool) -> None:
        """The request is out. When it is not `complete`, the peer stopped taking it, and may have answered why."""
        if complete:
            self.sent = "yes"
        seconds = self._timeouts.first_byte
        self._until = None if seconds is None else monotonic() + seconds
        self._allowance, self._kind = None, "timeout_first_byte"

    def receive(self, count: int) -> None:
        """`count` bytes came."""
        if not self.heard:
            self._until, self._allowance, self._kind = None, self._timeouts.idle, "timeout_idle"
        self.heard += count

    def patience(self) -> tuple[float | None, BrokenKind]:
        """Seconds that the next wait may last (None: for ever), and what it is when they are over.

        Raises Stop when they are over already, or when the response's head outgrew its limit.
        """
        if self.in_head and self.heard > self.limits.headers:
            raise Stop("too_large", "the response's headers are larger than allowed")
        now = monotonic()
        instant, kind = self._until, self._kind
        if self._allowance is not None:
            instant = now + self._allowance
        if self._deadline is not None and (instant is None or self._deadline < instant):
            instant, kind = self._deadline, "deadline"
        if instant is None:
            return None, kind
        if instant <= now:
            raise Stop(kind)
        return instant - now, kind

    def broken(self, kind: BrokenKind, detail: str = "") -> Broken:
        """A failure, as of now."""
        return Broken(kind, self.sent, detail)
