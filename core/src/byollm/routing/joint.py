"""Several limits at once: a deployment's own, and those that it shares with others of the same key or tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byollm.routing.limits import Kind, Limits, Ticket


@dataclass(frozen=True, slots=True)
class Joint:
    """Limits that all hold. What a provider tells is about the first: the deployment's own, where it has any."""

    parts: tuple[Limits, ...]

    def reserve(self, input_tokens: int, output_tokens: int, now: float) -> JointTicket:
        """A place in each; it may go when the last of them lets it."""
        return JointTicket(tuple(part.reserve(input_tokens, output_tokens, now) for part in self.parts))

    def room(self, now: float) -> float:
        """The share of the tightest limit that is free."""
        return min(part.room(now) for part in self.parts)

    def told(self, found: Mapping[str, tuple[float | None, float | None, float | None]], now: float) -> None:
        """See `Limits.told`."""
        self.parts[0].told(found, now)

    def refused(self, seconds: float, now: float) -> None:
        """See `Limits.refused`."""
        self.parts[0].refused(seconds, now)

    def enter_at_once(self) -> bool:
        """Several places are taken one after the other."""
        return False


@dataclass(frozen=True, slots=True)
class JointTicket:
    """A place in each of several queues."""

    tickets: tuple[Ticket, ...]

    @property
    def at(self) -> float:
        """When the last of them lets it go."""
        return max(ticket.at for ticket in self.tickets)

    @property
    def is_void(self) -> bool:
        """One of them is."""
        return any(ticket.is_void for ticket in self.tickets)

    def settle(self, used: Mapping[Kind, float]) -> None:
        """See `Ticket.settle`."""
        for ticket in self.tickets:
            ticket.settle(used)

    def cancel(self) -> None:
        """See `Ticket.cancel`."""
        for ticket in self.tickets:
            ticket.cancel()
