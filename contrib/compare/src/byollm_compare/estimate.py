"""What asking will cost at most, said before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from byollm.plugin import Usage, most_tokens
from byollm_compare.samples import Sample

if TYPE_CHECKING:
    from byollm import Request

ASSUMED_OUTPUT: Final = 4096
"""Tokens that an answer is thought to have at most where neither the caller nor the model sets a limit."""


@dataclass(frozen=True, slots=True)
class Most:
    """The most one call costs; `assumed`: no limit of the answer is known, so one was assumed."""

    amount: Decimal
    currency: str
    assumed: bool = False


def most(line: Any, request: Request, at: float) -> Most | None:
    """The most that one attempt costs at `at` (Unix seconds); None when nobody knows the price.

    No token counts less than a byte, so the prompt's bytes bound its tokens; writing a cache may cost more than input.
    """
    known = line.deployment.capabilities
    limit = request.max_tokens or known.default_max_tokens or known.max_output_tokens
    size, output = most_tokens(request), limit or ASSUMED_OUTPUT
    usages = (Usage(size, output), Usage(size, output, cache_write_tokens=size))
    costs = [cost for cost in (line.price_of(usage, at) for usage in usages) if cost is not None]
    if not costs:
        return None
    dearest = max(costs, key=lambda cost: cost.amount)
    return Most(dearest.amount, dearest.currency, limit is None)


@dataclass(frozen=True, slots=True)
class Estimate:
    """For each deployment, the most its share of the work costs (None: nobody knows), and how many calls it is."""

    calls: int
    amounts: Mapping[str, Most | None]

    @property
    def total(self) -> Decimal | None:
        """Of all; None when one is not known, or when they are in several currencies."""
        known = [it for it in self.amounts.values() if it is not None]
        if len(known) != len(self.amounts) or len({it.currency for it in known}) > 1:
            return None
        return sum((it.amount for it in known), Decimal(0))

    @property
    def currency(self) -> str | None:
        """The one currency; None when there are several or none."""
        found = {it.currency for it in self.amounts.values() if it is not None}
        return found.pop() if len(found) == 1 else None


def estimate(lines: Mapping[str, Any], work: Mapping[str, Iterable[Sample]], at: float) -> Estimate:
    """The most that what is left to ask will cost."""
    amounts: dict[str, Most | None] = {}
    calls = 0
    for name, samples in work.items():
        each = [most(lines[name], sample.request, at) for sample in samples]
        calls += len(each)
        known = [it for it in each if it is not None]
        if len(known) < len(each):
            amounts[name] = None
        elif known:
            total = sum((it.amount for it in known), Decimal(0))
            amounts[name] = Most(total, known[0].currency, any(it.assumed for it in known))
    return Estimate(calls, amounts)
