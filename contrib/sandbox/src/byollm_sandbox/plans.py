"""What a test says of batches to come: how long they work, which of their requests fail, expire or are refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byollm.errors import ProviderError, ServerError
from byollm_sandbox.answers import Scriptable, as_answer

Which = float | Collection[str] | Callable[[str, Mapping[str, Any]], bool]
"""Which requests of a batch: a share of them (0 to 1), their custom ids, or a function of custom id and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """What becomes of one batch, in neutral terms.

    `polls`: it has ended when its state is asked for the so manyeth time, and `seconds` after its creation at the
    earliest (defaults 1 and 0: the first look finds it ended). `never`: it works until it is cancelled. `expire`: the
    requests the vendor did not come to within its 24 hours; a share counts from the last; any at all mean the whole
    batch with Gemini, who then has no results. `fail`: the requests that end with `error` (default ServerError); a
    share counts from the first. `answered`: the requests that have their answer before a cancellation takes effect,
    from the first (default none); all others are cancelled. `cancel_polls`: the look that finds a cancellation done
    (default the first). `answers`: scripts by custom id, each as `script` takes it; they go before the common queue.
    `refuse`: the error with which the batch is not even taken. `collapse`: the error by which a batch that was taken
    fails as a whole while it is checked: `failed` with all but Anthropic, who has no such state and errs each
    request. `archived`: it ends with its results no longer available (Anthropic does so after 29 days).
    """

    polls: int = 1
    seconds: float = 0.0
    never: bool = False
    expire: Which = 0.0
    fail: Which = 0.0
    error: ProviderError = field(default_factory=lambda: ServerError(""))
    answered: Which = 0.0
    cancel_polls: int = 1
    answers: Mapping[str, Scriptable] = field(default_factory=dict)
    refuse: ProviderError | None = None
    collapse: ProviderError | None = None
    archived: bool = False

    def __post_init__(self) -> None:
        if self.polls < 1 or self.cancel_polls < 1:
            raise ValueError("polls and cancel_polls count looks at a batch: at least 1")
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise ValueError(
                "seconds is a number of seconds, 0 or more; for a batch without an end there is never=True"
            )
        for name in ("expire", "fail", "answered"):
            which = getattr(self, name)
            if isinstance(which, str) or (isinstance(which, int | float) and not 0 <= which <= 1):
                raise ValueError(f"{name} is a share from 0 to 1, a collection of custom ids, or a function")
        for name in ("error", "refuse", "collapse"):
            if not isinstance(getattr(self, name), ProviderError | None):
                raise TypeError(f'{name} is an error of byollm.errors, as RateLimitError("slow down")')
        for answer in self.answers.values():
            if not callable(answer):
                as_answer(answer)


def chosen(which: Which, requests: Sequence[tuple[str, Any]], *, from_the_end: bool = False) -> set[int]:
    """The places of the requests (custom id, body) that `which` means. A share is rounded half up."""
    if callable(which):
        return {place for place, (custom_id, body) in enumerate(requests) if which(custom_id, body)}
    if isinstance(which, int | float):
        count = math.floor(len(requests) * which + 0.5)
        return set(range(len(requests) - count, len(requests)) if from_the_end else range(count))
    wanted = set(which)
    return {place for place, (custom_id, _) in enumerate(requests) if custom_id in wanted}


__all__ = ["BatchPlan", "Which", "chosen"]
