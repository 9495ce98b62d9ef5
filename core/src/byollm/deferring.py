"""`defer=`: a call that can wait, and what its candidates would cost later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from byollm.errors import ConfigError
from byollm.routing.deferring import LONGEST, Offer, Plan, begins, plan
from byollm.routing.policies import USUAL_OUTPUT, Cheapest, OffPeak
from byollm.types.usage import Usage

if TYPE_CHECKING:
    from byollm.choosing import Route
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.routing.policies import Asked
    from byollm.types.request import Request

FLEX: Final = "flex"
USUAL_TOTAL: Final = 600.0
"""Seconds kept for the call itself where no timeout bounds it."""


def finish_by(defer: Any, now: float) -> float | None:
    """Unix seconds at which the answer must be there; None for a call that does not wait. Raises ConfigError.

    `defer` is a number of seconds, a timedelta, or a datetime with a timezone.
    """
    if isinstance(defer, datetime):
        if defer.tzinfo is None:
            raise ConfigError("`defer` is a datetime without a timezone", hint="datetime.now(UTC) + timedelta(hours=6)")
        defer = defer.timestamp() - now
    elif isinstance(defer, timedelta):
        defer = defer.total_seconds()
    if isinstance(defer, bool) or not isinstance(defer, int | float) or not 0 <= defer <= LONGEST:
        sentence = f"`defer` is how long the answer may take, from 0 to {LONGEST:.0f} seconds"
        raise ConfigError(sentence, hint="defer=6 * 3600, a timedelta, or a datetime with a timezone")
    return now + defer if defer else None


def deferral(
    words: Mapping[str, Any],
    route: Route,
    total: float | None,
    now: float,
    sorted_out: Callable[[Mapping[str, Any], Call, Route], list[Line]],
    asked: Callable[[Call, Request], Asked],
) -> Deferred | None:
    """A call's own `defer` goes before its task's; None when it does not wait. Raises ConfigError."""
    own = words.get("defer")
    until = finish_by(route.defer if own is None else own, now)
    if until is None:
        return None

    def order(call: Call, request: Request) -> list[Line]:
        noted = {**words, "task": call.task}
        lines = sorted_out(noted, call, route)  # an attestation may have expired meanwhile
        return route.in_order(asked(call, request), lines) if route.policy is not None else lines

    return Deferred(route, until, total, order, asked)


@dataclass(slots=True)
class Deferred:
    """One call's putting off: what `engine.deferring` asks. `order` says who may answer at the moment, and in which
    order; `asked` what policies read of the call."""

    route: Route
    finish_by: float
    total: float | None
    order: Callable[[Call, Request], list[Line]]
    asked: Callable[[Call, Request], Asked]

    def plan(self, call: Call, request: Request) -> Plan | None:
        """The cheapest of all that may be asked, from now to the latest start that leaves the call its time."""
        now = call.clock.time()
        latest = self.finish_by - (USUAL_TOTAL if self.total is None else self.total)
        asked, lines = self.asked(call, request), list(call.candidates)
        policy = self.route.policy
        edges = begins(policy.hours, now, latest) if isinstance(policy, OffPeak) else ()
        offers = _Offers(self.route, lines, request, asked)
        found = plan(now, latest, offers.at, edges)
        if found is None:
            return None
        return Plan(found.asked_at, found.start, found.offer, found.now, offers.batch(found))

    def lines(self, call: Call, request: Request, plan: Plan | None) -> Sequence[Line]:
        """Those that were candidates and still may be asked; the plan's own first."""
        before = {id(line) for line in call.candidates}
        lines = [line for line in self.order(call, request) if id(line) in before]
        chosen = plan.offer.owner if plan is not None else None
        return sorted(lines, key=lambda line: line is not chosen)

    def reasons(self, call: Call, request: Request) -> list[tuple[Line, str]]:
        """The candidates in the order of the plan's instant, with the policy's word for each, and the plan itself."""
        found = self.plan(call, request)
        asked = self.asked(call, request)
        if found is None:
            return self.route.reasons(asked, call.candidates)
        told = self.route.reasons(replace(asked, now=found.start), call.candidates)
        chosen = found.offer.owner
        words = [(line, f"{found}; {word}" if line is chosen else word) for line, word in told]
        return sorted(words, key=lambda pair: pair[0] is not chosen)


class _Offers:
    """What the candidates would ask for this request, at any instant."""

    def __init__(self, route: Route, lines: list[Line], request: Request, asked: Asked) -> None:
        self.route = route
        self.lines = lines
        self.request = request
        self.asked = asked

    def at(self, instant: float) -> list[Offer]:
        """Of all candidates where the price decides, else of the one that the policy puts first."""
        policy = self.route.policy
        if isinstance(policy, Cheapest):
            known = [line for line in self.lines if line.name in self.route.known] or self.lines
            return [offer for line in known for offer in self._of(line, instant)]
        wished = 0
        lines = self.lines
        if isinstance(policy, OffPeak):
            wished = 0 if policy.hours.holds(instant) else 1
        if policy is not None and lines:
            lines = self.route.in_order(self._asked_at(instant), lines)
        return [offer for line in lines[:1] for offer in self._of(line, instant, wished)]

    def _asked_at(self, instant: float) -> Asked:
        return replace(self.asked, now=instant)

    def _of(self, line: Line, instant: float, wished: int = 0) -> list[Offer]:
        usual = self._offer(line, instant, None, wished)
        if self.request.service_tier is not None or FLEX not in (line.deployment.capabilities.service_tiers or ()):
            return [usual]
        flex = self._offer(line, instant, FLEX, wished)
        cheaper = flex.cost is not None and usual.cost is not None and flex.cost < usual.cost
        return [flex, usual] if cheaper and flex.currency == usual.currency else [usual]

    def _offer(self, line: Line, instant: float, tier: str | None, wished: int) -> Offer:
        cost = self._cost(line, instant, tier)
        return Offer(line, cost[0] if cost else None, cost[1] if cost else "", tier, wished)

    def _cost(self, line: Line, instant: float, tier: str | None) -> tuple[float, str] | None:
        told = tier or self.request.service_tier
        policy = self.route.policy
        output = self.request.max_tokens or (policy.output_tokens if isinstance(policy, Cheapest) else None)
        if output is None:
            output = int((line.option.pace.output.value if line.option is not None else None) or USUAL_OUTPUT)
        details = {"service_tier": told} if told is not None else None
        found = line.price_of(Usage(self.asked.input_tokens, output, details=details), instant)
        return None if found is None else (float(found.amount), found.currency)

    def batch(self, found: Plan) -> float | None:
        """What the same deployment would ask for it in a batch, where the prices know: told, not taken."""
        line = found.offer.owner
        if line.pricing is not None:
            return None
        cost = self._cost(line, found.start, "batch")
        return cost[0] if cost is not None and cost[1] == found.offer.currency else None
