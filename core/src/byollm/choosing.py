"""A policy applied to a call: the order of its candidates, and the same told candidate by candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from byollm.engine.guard import refusal
from byollm.errors import ByollmError, NoRouteError

if TYPE_CHECKING:
    from byollm.engine.call import Call
    from byollm.engine.line import Line
    from byollm.routing.deferring import Plan
    from byollm.routing.policies import Asked, Policy, Ranked
    from byollm.routing.sieve import Sieve
    from byollm.types.request import Request


@dataclass(frozen=True, slots=True)
class Candidate:
    """One deployment of a task, as `explain` tells it. `kept`: it may be asked, in this place of the order."""

    deployment: str
    provider: str
    model: str
    kept: bool
    reason: str

    def __str__(self) -> str:
        return (
            f"{'kept   ' if self.kept else 'dropped'}  {self.deployment} ({self.provider}/{self.model}): {self.reason}"
        )


def asked_for(request: Request, call: Call, turn: int, region: str | None) -> Asked:
    """What the policies read of a call."""
    from byollm.providers.counting import rough
    from byollm.routing.policies import Asked

    clock = call.clock
    size = rough(request)
    return Asked(size, request.max_tokens, request.stream, clock.time(), turn, region, clock.monotonic())


@dataclass(frozen=True, slots=True)
class Route:
    """A task's candidates, and the policy that orders the first of them; `known` are the names it orders."""

    lines: list[Line]
    policy: Policy | None = None
    known: frozenset[str] = frozenset()
    sieve: Sieve | None = None
    """Who may answer, when the file has rules."""
    task: str | None = None
    defer: float | None = None
    """Seconds that the answers of its calls may take, where the file says so."""
    batch: bool = False
    """They may go in a batch."""
    plans: dict[Any, Plan | None] = field(default_factory=dict, compare=False, repr=False)
    """When calls that can wait begin, by what they have in common."""

    def in_order(self, asked: Asked, lines: Sequence[Line]) -> list[Line]:
        """`lines`, what the filters left of the candidates, as the policy orders them. The others stay behind them."""
        return [ranked[1].owner for ranked in self._ranked(asked, lines)] + self._rest(lines)

    def _ranked(self, asked: Asked, lines: Sequence[Line]) -> list[Ranked]:
        assert self.policy is not None
        from byollm.routing.policies import ordered

        own = [line.option for line in lines if line.option is not None and line.name in self.known]
        return ordered(self.policy, asked, own) if own else []

    def _rest(self, lines: Sequence[Line]) -> list[Line]:
        return [line for line in lines if line.name not in self.known]

    def reasons(self, asked: Asked, lines: Sequence[Line]) -> list[tuple[Line, str]]:
        """The same order, with the policy's word for each place."""
        if self.policy is None:
            return [(line, "first in the file" if place == 0 else "failover") for place, line in enumerate(lines)]
        for line in lines:
            if line.option is not None and line.option.agreements:
                from byollm.routing.agreements import EXPLAINED

                for agreement in line.option.agreements.values():
                    agreement.read(EXPLAINED)
        told = [(option.owner, self.policy.say(fact)) for _, option, fact in self._ranked(asked, lines)]
        return told + [(line, "failover, behind what the policy orders") for line in self._rest(lines)]


def filtered(call: Call, route: Route) -> tuple[list[Line], dict[str, str]]:
    """The candidates that may be asked for what the caller said, and why the others may not."""
    if route.sieve is not None:
        return route.sieve.sift(call, route.lines)
    dropped: dict[str, str] = {}
    kept = route.lines
    if call.region is not None and call.region not in getattr(route.policy, "regions", ()):
        dropped |= {line.name: reason for line in kept if (reason := _abroad(line, call.region))}
    if call.data_class is not None:
        dropped |= {
            line.name: f"its data_classes are {', '.join(line.data_classes) or 'not set'}"
            for line in kept
            if call.data_class not in line.data_classes
        }
    return ([line for line in kept if line.name not in dropped] if dropped else kept), dropped


def _abroad(line: Line, region: str) -> str:
    """Why a deployment is not in a region: by the file's word for it, or by its model's id."""
    from byollm.routing.geography import elsewhere

    if line.region != region:
        return f"its region is {line.region or 'not set'}, not {region}"
    return elsewhere(line.provider, line.model, line.region)


def no_route(call: Call, dropped: dict[str, str], *, lawful: bool = False) -> NoRouteError:
    """What a call gets that no candidate may answer."""
    if lawful:
        return NoRouteError("no deployment may answer this call; nothing was sent", skipped=dropped)
    if call.data_class is not None and any("data_classes" in reason for reason in dropped.values()):
        return NoRouteError(
            f"no deployment of this task may see data of class {call.data_class!r}; nothing was sent",
            skipped=dropped,
            hint=f"add {call.data_class!r} to `data_classes:` of a target that may",
        )
    return NoRouteError(f"no deployment of this task is in region {call.region!r}", skipped=dropped)


def explained(
    request: Request, call: Call, ordered: Sequence[tuple[Line, str]], dropped: Sequence[tuple[Line, str]]
) -> list[Candidate]:
    """The candidates in the order they would be asked: the healthy, those with an open breaker, the dropped."""
    fit: list[Candidate] = []
    ill: list[tuple[float, Candidate]] = []
    out: list[Candidate] = []
    now = call.clock.monotonic()
    for line, reason in ordered:
        problem = _problem(line, request)
        if problem is not None:
            out.append(_told(line, False, problem))
        elif not line.breaker.would_allow(now):
            ill.append(
                (
                    line.breaker.opened,
                    _told(line, True, f"{reason}; last, because it failed lately ({line.breaker.why()})"),
                )
            )
        else:
            fit.append(_told(line, True, reason))
    behind = [candidate for _, candidate in sorted(ill, key=lambda pair: pair[0])]
    return [*fit, *behind, *out, *(_told(line, False, reason) for line, reason in dropped)]


def _told(line: Line, kept: bool, reason: str) -> Candidate:
    return Candidate(line.name, line.provider, line.model, kept, reason)


def _problem(line: Line, request: Request) -> str | None:
    """Why it would be passed over without being asked: a contract it cannot keep, a prompt too long, no key."""
    try:
        fitted = line.deployment.fit(line.with_extra(request))
        line.deployment.noted(fitted, line.deployment.exchange(fitted.request))
        line.credentials.resolve()
        refused: ByollmError | None = refusal(line, fitted.request)
    except ByollmError as error:
        refused = error
    return None if refused is None else refused.message
