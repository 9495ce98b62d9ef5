"""The policies of a route: from what is known of the candidates to their order, with a reason for each place.

Each is pure in what it is given: the request's size, the candidates' state, the clock and one number that stands for
chance. `rank` answers every candidate with its key and a fact; the smallest key goes first, and ties keep the order of
the file. `say` puts a fact into words, for `byollm explain`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from byollm.routing.state import Pace

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from byollm.routing.agreements import Agreement

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
USUAL_OUTPUT: Final = 256
"""Tokens that an answer is thought to have while none was seen and no limit was asked for."""
ALONE: Final = "as this process saw it"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be placed. `now` is Unix seconds, `instant` the clock that limits run by, `turn` counts the calls of a
    client: chance is drawn from it.

    `output_tokens` is the caller's limit, None without one. `region` is the caller's or the tenant's.
    """

    input_tokens: int
    output_tokens: int | None
    stream: bool
    now: float
    turn: int
    region: str | None = None
    instant: float = 0.0


Rate = tuple[float, float, str]
"""Money for one token in, for one token out, and the currency: valid now, for a request of about this size."""


@dataclass(slots=True, eq=False)
class Option:
    """One candidate as a policy sees it. `rate` answers None when nobody knows the price; `room` is the share of its
    limits that is free, 1.0 without limits. `owner` is whoever is asked when this one is chosen. `agreements`: what was
    spent by everybody's books, by currency and first day, where there are books."""

    name: str
    pace: Pace = field(default_factory=Pace)
    rate: Callable[[Asked], Rate | None] = lambda asked: None
    room: Callable[[float], float] = lambda now: 1.0
    owner: Any = None
    agreements: dict[tuple[str, date | None], Agreement] = field(default_factory=dict)


Ranked = tuple[Any, Option, Any]
"""Key, candidate, fact."""


class Policy(Protocol):
    """One way to choose. `word` is its name in the file."""

    word: ClassVar[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The deployments it orders, in the order of the file."""
        ...

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """A key and a fact for every option."""
        ...

    def say(self, fact: Any) -> str:
        """The fact in words."""
        ...


def ordered(policy: Policy, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
    """The options, best first; the sort is stable, so ties keep the order of the file."""
    ranked = policy.rank(asked, options)
    ranked.sort(key=_key)
    return ranked


def _key(ranked: Ranked) -> Any:
    return ranked[0]


@dataclass(frozen=True, slots=True)
class Failover:
    """The order of the file."""

    word: ClassVar[str] = "failover"
    names: tuple[str, ...]

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`."""
        return [(place, option, place) for place, option in enumerate(options)]

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        return "first in the file" if fact == 0 else f"place {fact + 1} in the file"


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The request's own estimate times the price valid now. Who has no known price, or another currency, goes last."""

    word: ClassVar[str] = "cheapest"
    names: tuple[str, ...]
    output_tokens: int | None = None

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`. Prices in another currency than the first known one cannot be compared."""
        found: list[Ranked] = []
        currency = None
        for option in options:
            rate = option.rate(asked)
            if rate is None:
                found.append(((1, 0.0), option, None))
                continue
            output = asked.output_tokens or self.output_tokens or option.pace.output.value or USUAL_OUTPUT
            cost = asked.input_tokens * rate[0] + output * rate[1]
            currency = currency or rate[2]
            key = (0, cost) if rate[2] == currency else (1, 0.0)
            found.append((key, option, (cost, rate[2], int(output), rate[2] == currency)))
        return found

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        if fact is None:
            return "its price is not known"
        cost, currency, output, comparable = fact
        told = f"about {cost:.6f} {currency} with {output} tokens out"
        return told if comparable else f"{told}: another currency, not compared"


@dataclass(frozen=True, slots=True)
class Fastest:
    """Two candidates are drawn, the quicker one goes first: by first content for streams, else by the whole answer.

    Drawing spreads the calls and keeps measuring the others; the rest follows by quickness. Who was never measured is
    asked first.
    """

    word: ClassVar[str] = "fastest"
    names: tuple[str, ...]

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`."""
        drawn = _two_of(len(options), asked.turn)
        found: list[Ranked] = []
        for place, option in enumerate(options):
            seconds = option.pace.seconds(asked.stream)
            known = 0 if seconds is None else 1
            found.append(((known and (1 if place in drawn else 2), seconds or 0.0), option, (seconds, place in drawn)))
        return found

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        seconds, drawn = fact
        if seconds is None:
            return "not measured yet"
        return f"{seconds * 1000:.0f} ms lately" + (", drawn" if drawn else "")


@dataclass(frozen=True, slots=True)
class ByRegion:
    """The caller's region names who goes first; the others follow by quickness."""

    word: ClassVar[str] = "by_region"
    names: tuple[str, ...]
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`."""
        home = self.regions.get(asked.region or "", ())
        found: list[Ranked] = []
        for place, option in enumerate(options):
            if option.name in home:
                at = home.index(option.name)
                found.append(((0, at, 0.0), option, (asked.region, at, None)))
            else:
                seconds = option.pace.seconds(asked.stream)
                found.append(((1, place if seconds is None else -1, seconds or 0.0), option, (None, place, seconds)))
        return found

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        region, place, seconds = fact
        if region is not None:
            return f"place {place + 1} for {region}"
        return "of another region" + (f", {seconds * 1000:.0f} ms lately" if seconds is not None else "")


@dataclass(frozen=True, slots=True)
class Spread:
    """Whoever has the most room below its limits; turns where all have the same."""

    word: ClassVar[str] = "spread"
    names: tuple[str, ...]

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`."""
        count = len(options)
        found: list[Ranked] = []
        for place, option in enumerate(options):
            room = round(option.room(asked.instant), 3)
            found.append(((-room, (place - asked.turn) % count), option, room))
        return found

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        return f"{fact:.0%} of its limits free"


@dataclass(frozen=True, slots=True)
class Hours:
    """A band of time of day in a timezone, over midnight too. `days` are those on which it begins; none means all."""

    start: time
    end: time
    timezone: ZoneInfo
    days: frozenset[int] = frozenset()

    def holds(self, now: float) -> bool:
        """True inside. `now` is Unix seconds."""
        local = datetime.fromtimestamp(now, self.timezone)
        clock, day = local.time().replace(tzinfo=None), local.weekday()
        if self.start < self.end:
            inside = self.start <= clock < self.end
        else:  # over midnight: the small hours belong to the day before
            inside = clock >= self.start or clock < self.end
            if inside and clock < self.end:
                day = (local.date() - timedelta(days=1)).weekday()
        return inside and (not self.days or day in self.days)

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in sorted(self.days))
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.timezone.key}" + (f" on {days}" if days else "")


@dataclass(frozen=True, slots=True)
class OffPeak:
    """In these hours `use` goes first."""

    word: ClassVar[str] = "off_peak"
    names: tuple[str, ...]
    hours: Hours
    use: tuple[str, ...]

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`."""
        inside = self.hours.holds(asked.now)
        found: list[Ranked] = []
        for place, option in enumerate(options):
            chosen = inside and option.name in self.use
            key = (0, self.use.index(option.name)) if chosen else (1, place)
            found.append((key, option, (inside, chosen)))
        return found

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        inside, chosen = fact
        if chosen:
            return f"off-peak ({self.hours})"
        return f"{'not for off-peak' if inside else 'it is not off-peak'} ({self.hours})"


@dataclass(frozen=True, slots=True)
class Prefer:
    """An agreement is used up first: `first` goes first from `since` until `amount` was spent there, or until the date.

    Spent is what is certain, by the books where somebody keeps some, else by this process. Dates are those of UTC; the
    last one counts to its end.
    """

    word: ClassVar[str] = "prefer"
    names: tuple[str, ...]
    first: str
    amount: Decimal | None = None
    currency: str = "USD"
    until: date | None = None
    since: date | None = None

    def rank(self, asked: Asked, options: Sequence[Option]) -> list[Ranked]:
        """See `Policy`."""
        found: list[Ranked] = []
        for place, option in enumerate(options):
            if option.name != self.first:
                found.append(((1, place), option, ("place", place)))
                continue
            agreement = option.agreements.get((self.currency, self.since))
            booked = agreement.spent(asked.instant) if agreement is not None else None
            spent = option.pace.spent.get(self.currency, Decimal(0)) if booked is None else booked
            state = self._state(asked.now, spent)
            fact = (spent, agreement, booked is not None, option, asked)
            found.append(((0, 0) if state == "first" else (1, place), option, (state, fact)))
        return found

    def _state(self, now: float, spent: Decimal) -> str:
        if self.amount is not None and spent >= self.amount:
            return "used up"
        today = datetime.fromtimestamp(now, UTC).date() if self.until or self.since else None
        if today is None or (self.since or today) <= today <= (self.until or today):
            return "first"
        return "over" if self.until is not None and today > self.until else "before"

    def say(self, fact: Any) -> str:
        """See `Policy`."""
        state, value = fact
        if state == "place":
            return f"place {value + 1} in the file"
        if state == "over":
            return f"the agreement ended on {self.until}"
        if state == "before":
            return f"the agreement begins on {self.since}"
        if self.amount is None:
            return "by agreement" + (f", until {self.until}" if self.until is not None else "")
        spent, agreement, booked, option, asked = value
        who = ALONE if agreement is None else agreement.words(booked)
        told = f"{spent:.2f} of {self.amount} {self.currency} spent, {who}"
        if state == "used up":
            return f"the agreement is used up: {told}"
        rate = option.rate(asked)
        if rate is None or rate[2] != self.currency:
            told += f"; its price is {'not known' if rate is None else f'in {rate[2]}'}, so its answers do not count"
        return f"by agreement, {told}"


def _two_of(count: int, turn: int) -> tuple[int, int]:
    """Two places, drawn from the number of the call alone: whoever explains a call draws the same."""
    if count < 2:
        return 0, 0
    mixed = (turn + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    mixed ^= mixed >> 29
    first = mixed % count
    second = (mixed >> 32) % (count - 1)
    return first, second + (second >= first)
