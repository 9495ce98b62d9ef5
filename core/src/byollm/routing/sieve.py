"""The law applied to a call: which of its candidates may be asked now, and why the others may not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from byollm.config.places import shown
from byollm.errors import ConfigError
from byollm.routing.law import ALWAYS, Clock, Demand, Law, by_environment, readers

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig


class Asking(Protocol):
    """What is read of a call."""

    data_class: str | None
    region: str | None

    @property
    def clock(self) -> Clock:
        """The engine's."""
        ...


class Candidate(Protocol):
    """What is read of a line."""

    reaches: frozenset[str] | None
    deployment: Any

    @property
    def place(self) -> Any:
        """How it is reached: with the proxy of the environment as it was read once, whatever is set later."""
        ...

    @property
    def name(self) -> str:
        """The deployment's."""
        ...


C = TypeVar("C", bound=Candidate)
UNKNOWN = frozenset({"a host that nobody told"})


class Sieve:
    """The rules of one task and one tenant. `regions` are those that a routing policy orders by, and does not filter.

    What it answers is kept until the first attestation behind it expires: a call costs a look-up.
    """

    __slots__ = ("_kept", "law", "regions", "task", "tenant")

    def __init__(self, law: Law, task: str | None, tenant: str | None, regions: Collection[str] = ()) -> None:
        self.law = law
        self.task = task
        self.tenant = tenant
        self.regions = regions
        self._kept: dict[tuple[str | None, str | None], tuple[float, list[Any], dict[str, str]]] = {}

    def sift(self, call: Asking, lines: list[C]) -> tuple[list[C], dict[str, str]]:
        """Who may be asked, and of each other one why not. Raises ConfigError for an undeclared class of data."""
        now = self.law.now(call.clock)
        for word in (call.data_class, call.region):
            if not (word is None or isinstance(word, str)):
                raise ConfigError(f"data_class and region are texts, not {shown(word)}; nothing was sent")
        known = self._kept.get((call.data_class, call.region))
        if known is not None and now < known[0]:
            return known[1], known[2]
        demands = self._demands(call)
        dropped: dict[str, str] = {}
        kept: list[C] = []
        until = ALWAYS
        for line in lines:
            reason = self._refusal(line, demands, now)
            if reason:
                dropped[line.name] = reason
            else:
                kept.append(line)
                until = min(until, self.law.until(self.law.config.deployments[line.name], demands))
        if kept:  # only what names something of the file is kept: a caller's odd words do not pile up
            self._kept[call.data_class, call.region] = (until, kept, dropped)
        return kept, dropped

    def expired(self, call: Asking, line: Candidate) -> str:
        """Why a candidate of the call may not be asked any more; empty when it may.

        Asked right before each attempt: between the choice and a retry lie minutes, and midnight may.
        """
        now = self.law.now(call.clock)
        known = self._kept.get((call.data_class, call.region))
        if known is not None and now < known[0]:
            return known[2].get(line.name, "")
        return self._refusal(line, self._demands(call), now)

    def _refusal(self, line: Candidate, demands: Sequence[Demand], now: float) -> str:
        entry = self.law.config.deployments[line.name]
        found = self.law.refusal(entry, demands, now=now, reach=reach_of(line, entry, demands))
        return found[0] if found is not None else ""

    def _demands(self, call: Asking) -> list[Demand]:
        demands = self.law.demands(self.task, self.tenant, call.data_class)
        region = call.region
        if region is not None and (region in self.law.policies.residency or region not in self.regions):
            demands.append(self.law.region(region))
        return demands


def reach_of(line: Candidate, entry: DeploymentConfig, demands: Sequence[Demand]) -> frozenset[str]:
    """Every host that a line may reach; empty when no rule asks for it."""
    if not any(demand.kind == "residency" for demand in demands):
        return frozenset()
    if line.reaches is None:
        return UNKNOWN
    endpoint = line.deployment.target.endpoint
    return line.reaches | (by_environment(endpoint, line.place) if entry.proxy is None else readers(entry, endpoint))
