"""`defer=`: a call that can wait, and what its candidates would cost later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from byollm.engine.deferring import USUAL_TOTAL
from byollm.errors import ConfigError
from byollm.routing.deferring import LONGEST, Offer, Plan, begins, plan
from byollm.routing.policies import USUAL_OUTPUT, Cheapest, OffPeak
from byollm.types.usage import BATCH, Usage

if TYPE_CHECKING:
    from byollm.choosing import Route
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.routing.policies import Asked
    from byollm.types.request import Request

FLEX: Final = "flex"
SHORTEST: Final = 3600.0
"""Seconds that a batch must have: most end within an hour, says Anthropic (its guide to batches, read 2026-11-22)."""
PLANS: Final = 64
"""Plans that a task keeps."""


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
    own, batch = words.get("defer"), words.get("batch")
    if batch is not None and not isinstance(batch, bool):
        raise ConfigError(f"`batch` is true or false, not {batch!r}")
    if batch and own is None and route.defer is None:
        raise ConfigError("a batch takes its time: `batch` needs `defer`", hint="defer=24 * 3600, batch=True")
    until = finish_by(route.defer if own is None else own, now)
    if until is None:
        return None

    def order(call: Call, request: Request) -> list[Line]:
        noted = {**words, "task": call.task}
        lines = sorted_out(noted, call, route)  # an attestation may have expired meanwhile
        return route.in_order(asked(call, request), lines) if route.policy is not None else lines

    return Deferred(route, until, total, order, asked, route.batch if batch is None else batch)


@dataclass(slots=True)
class Deferred:
    """One call's putting off: what `engine.deferring` asks. `order` says who may answer at the moment, and in which
    order; `asked` what policies read of the call; `batch`: it may go in a batch."""

    route: Route
    finish_by: float
    total: float | None
    order: Callable[[Call, Request], list[Line]]
    asked: Callable[[Call, Request], Asked]
    batch: bool = False

    def plan(self, call: Call, request: Request) -> Plan | None:
        """The cheapest of all that may be asked, from now to the latest start that leaves the call its time.

        Calls like this one of the same minute share a plan: thousands may go in one batch.
        """
        asked, lines = self.asked(call, request), list(call.candidates)
        if not isinstance(self.route.policy, Cheapest | OffPeak | None):
            return self._planned(asked, lines, request)
        plans = self.route.plans
        about = (asked.input_tokens.bit_length(), asked.output_tokens, request.service_tier, request.stream, self.batch)
        when = (asked.now // 60, self.finish_by // 60, self.total)
        key = (*(id(line) for line in lines), *about, *when)
        if key not in plans:
            if len(plans) >= PLANS:
                plans.clear()
            plans[key] = self._planned(asked, lines, request)
        return plans[key]

    def _planned(self, asked: Asked, lines: list[Line], request: Request) -> Plan | None:
        now = asked.now
        latest = self.finish_by - (USUAL_TOTAL if self.total is None else self.total)
        policy = self.route.policy
        edges = begins(policy.hours, now, latest) if isinstance(policy, OffPeak) else ()
        offers = _Offers(self.route, lines, request, asked, latest if self.batch else None)
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
        asked = self.asked(call, request)
        found = self._planned(asked, list(call.candidates), request)
        if found is None:
            return self.route.reasons(asked, call.candidates)
        told = self.route.reasons(replace(asked, now=found.start), call.candidates)
        chosen = found.offer.owner
        words = [(line, f"{found}; {word}" if line is chosen else word) for line, word in told]
        return sorted(words, key=lambda pair: pair[0] is not chosen)


class _Offers:
    """What the candidates would ask for this request, at any instant."""

    def __init__(self, route: Route, lines: list[Line], request: Request, asked: Asked, batch_by: float | None) -> None:
        self.route = route
        self.batch_by = batch_by  # when a batch must be done; None: none is sent
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
        offers = [self._offer(line, instant, None, wished)]
        if self.request.service_tier is not None:
            return offers
        if FLEX in (line.deployment.capabilities.service_tiers or ()):
            offers = _cheaper(self._offer(line, instant, FLEX, wished), offers)
        if self._may_go_in_batch(line, instant):
            batch = self._offer(line, instant, BATCH, wished)
            offers = [batch, *offers] if offers[0].cost is None else _cheaper(batch, offers)  # vendors take half
        return offers

    def _may_go_in_batch(self, line: Line, instant: float) -> bool:
        return self.batch_by is not None and instant + SHORTEST <= self.batch_by and self._can_go_in_batch(line)

    def _can_go_in_batch(self, line: Line) -> bool:
        return not self.request.stream and line.pricing is None and line.deployment.batches() is not None

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
        """What the same deployment would ask for it in a batch, where it sends some, and nobody allowed it."""
        line = found.offer.owner
        if self.batch_by is not None or not self._can_go_in_batch(line):
            return None
        cost = self._cost(line, found.start, BATCH)
        return cost[0] if cost is not None and cost[1] == found.offer.currency else None


def _cheaper(offer: Offer, offers: list[Offer]) -> list[Offer]:
    """With `offer` first, where it costs less than the first of them."""
    first = offers[0]
    known = offer.cost is not None and first.cost is not None and offer.currency == first.currency
    return [offer, *offers] if known and (offer.cost or 0.0) < (first.cost or 0.0) else offers
