"""What a call consumed, counted the same way for every provider."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from byollm.types.frozen import quick


@quick
@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. None means that the provider did not tell.

    `input_tokens` includes `cached_tokens` (read from a cache) and `cache_write_tokens`; `output_tokens` includes
    `reasoning_tokens`: always, whichever way the provider's own numbers go. `details` keeps what has no neutral name
    (audio tokens, cache writes by lifetime, the tier served, a cost the provider reported).
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    details: dict[str, Any] | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input and output together; None when either is unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens

    def in_tier(self, tier: str) -> Usage:
        """The same, with the tier that served it among its details."""
        return replace(self, details={**(self.details or {}), "service_tier": tier})

    @property
    def is_sound(self) -> bool:
        """Each count is None or a whole number from 0."""
        for count in (
            self.input_tokens, self.output_tokens, self.cached_tokens, self.cache_write_tokens, self.reasoning_tokens,
        ):  # fmt: skip
            if count is not None and (type(count) is not int or count < 0):
                return False
        return True

    def updated(self, later: Usage) -> Usage:
        """Cumulative reports: the last known value of each field wins, and of each detail."""
        if self is NOTHING:
            return later
        known = {name: value for name in _FIELDS if (value := getattr(later, name)) is not None}
        if self.details and later.details is not None:
            known["details"] = {**self.details, **later.details}
        return replace(self, **known) if known else self


BATCH = "batch"
"""The tier of what went in a batch, as prices know it."""
NOTHING = Usage()
"""What is known before the first report."""
_FIELDS = tuple(field.name for field in fields(Usage))
