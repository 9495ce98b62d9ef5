"""A line: one deployment with all that sending to it takes. What the routing chooses between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from byollm.engine.breaker import Breaker, RetryBudget
from byollm.engine.credentials import Credentials
from byollm.providers.deployment import Deployment
from byollm.providers.prices import Prices
from byollm.providers.pricing import Cost, Price, Sale
from byollm.transports.base import Place, Timeouts
from byollm.types.completion import Completion
from byollm.types.request import Request
from byollm.types.usage import Usage
from byollm.wire.auth import AuthScheme
from byollm.wire.exchange import Exchange
from byollm.wire.redact import Secret

if TYPE_CHECKING:
    from byollm.engine.lot import Lot
    from byollm.engine.outgoing import Sealed
    from byollm.routing.joint import Joint
    from byollm.routing.limits import Limits
    from byollm.routing.policies import Asked, Option, Rate


KEPT: Final = 60.0
"""Seconds that a price, or the lack of one, is believed."""


@dataclass(frozen=True, slots=True)
class Retries:
    """`attempts` at one deployment, `total` in one call, `on_unknown`: after an attempt that may have been billed,
    `on_cut`: after content that was shown."""

    attempts: int = 3
    total: int = 5
    on_unknown: str = "fail_over"
    on_cut: str = "fail"
    base: float = 0.5
    cap: float = 8.0
    longest_wait: float = 120.0
    """A provider that asks for more is left for the next candidate: the official SDKs draw the same line."""


@dataclass(slots=True, repr=False, eq=False)
class Line:
    """A deployment, how to get there, and how often to try."""

    deployment: Deployment
    way: Place | Callable[[], Place]
    credentials: Credentials
    auth: AuthScheme | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    transport: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the file adds to the body, verbatim; the call's own `extra` wins."""
    pricing: Price | None = None
    prices: Prices | None = None
    guard: str = "local"
    region: str | None = None
    tenant: str | None = None
    """Whose secrets it holds: a tenant's and no other, or the file's."""
    tags: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    reaches: frozenset[str] | None = None
    """Every host that requests and auth schemes may go to; None where nobody told."""
    limits: Limits | Joint | None = None
    breaker: Breaker = field(default_factory=Breaker)
    kin: Callable[[], Iterable[Line]] = tuple
    """The lines of the same client: some may share its key."""
    budget: RetryBudget = field(default_factory=RetryBudget)
    option: Option | None = None
    """What a routing policy sees of it; None where no policy chooses."""
    lot: Lot | None = None
    """The batch that still takes requests along."""
    sealed: dict[int, Sealed] = field(default_factory=dict)
    """What requests that differ only in their body share, by the identity of their headers."""
    _rate: tuple[float, int, Rate | None] | None = None
    _priceless: dict[tuple[str | None, str | None], float] = field(default_factory=dict)
    """Models and tiers, as they were told, that had no price when last asked, and until when nobody is asked again."""
    name: str = field(init=False)
    """The deployment's name."""
    provider: str = field(init=False)
    """The plugin's name."""
    model: str = field(init=False)
    """The model asked for."""

    def __post_init__(self) -> None:
        target = self.deployment.target
        self.name, self.provider, self.model = target.deployment, self.deployment.manifest.name, target.model

    def __repr__(self) -> str:
        return f"Line({self.name!r})"

    @property
    def place(self) -> Place:
        """How to get there; found at first use, because a proxy may come from the environment. Raises ConfigError."""
        if not isinstance(self.way, Place):
            self.way = self.way()
            if self.way.proxy is not None:  # over plain http it may send its password back
                self.credentials.hide(Secret(unquote(urlsplit(self.way.proxy).password or "")))
        return self.way

    def auth_for(self, exchange: Exchange[Any]) -> AuthScheme:
        """The scheme that the file names, else the one the plugin chose for this request."""
        return self.auth if self.auth is not None else exchange.auth

    def with_extra(self, request: Request) -> Request:
        """The request with the file's `extra:` in it."""
        if not self.extra:
            return request
        asked = request.extra or {}
        return request.with_(extra={**asked, self.provider: {**self.extra, **asked.get(self.provider, {})}})

    def cost(self, completion: Completion, at: float) -> Cost | None:
        """What the answer cost; `at` is when the call was made, in Unix seconds. None when nobody knows the price."""
        return self.price_of(completion.usage, at, completion.model)

    def price_of(self, usage: Usage, at: float, answered: str | None = None) -> Cost | None:
        """What a usage costs by the file's prices, else by what the price plugins know; None when nobody does."""
        if self.pricing is not None:
            amount = self.pricing.cost(usage)
            return None if amount is None else Cost(amount, self.pricing.currency, "configuration")
        if self.prices is None:
            return None
        sold = _kind(answered, usage.details)
        if sold is not None and self._priceless.get(sold, 0.0) > at:
            return None
        found = self.prices.cost(Sale(target=self.deployment.target, usage=usage, at=at, answered=answered))
        if found is None and sold is not None:
            if len(self._priceless) > 64:  # names come from answers
                self._priceless.clear()
            self._priceless[sold] = at + KEPT
        return found

    def measured(self) -> Option:
        """What a policy sees of it, from now on kept up to date."""
        if self.option is None:
            from byollm.routing.policies import Option

            self.option = Option(self.name, rate=self.rate, owner=self)
            if self.limits is not None:
                self.option.room = self.limits.room
        return self.option

    def rate(self, asked: Asked) -> Rate | None:
        """Money a token for a request of about this size, valid now; None when nobody knows. Kept for a minute.

        Sizes are told apart by powers of two: some vendors charge more for long prompts.
        """
        size = asked.input_tokens.bit_length()
        kept = self._rate
        if kept is None or not kept[0] - KEPT <= asked.now < kept[0] or kept[1] != size:
            kept = self._rate = (asked.now + KEPT, size, self._rate_at(1 << size, asked.now))
        return kept[2]

    def _rate_at(self, tokens: int, at: float) -> Rate | None:
        went_in = self.price_of(Usage(input_tokens=tokens, output_tokens=0), at)
        came_out = self.price_of(Usage(input_tokens=tokens, output_tokens=tokens), at)
        if went_in is None or came_out is None or went_in.currency != came_out.currency:
            return None
        return float(went_in.amount) / tokens, float(came_out.amount - went_in.amount) / tokens, went_in.currency


def _kind(answered: str | None, details: Mapping[str, Any] | None) -> tuple[str | None, str | None] | None:
    """What decides whether a price is known: the model, and the tier that was served. None where there is more told."""
    if not details:
        return answered, None
    tier = details.get("service_tier")
    return (answered, tier) if len(details) == 1 and type(tier) is str else None
