"""`route:` of a task: a list of deployments, or a policy over them, into what the routing runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from byollm.config import schema
from byollm.config.places import Document, KeyPath, name, shown
from byollm.config.words import listing, nearest
from byollm.routing import policies
from byollm.routing.deferring import LONGEST
from byollm.routing.policies import DAYS, Hours, Policy

Tokens = Annotated[int, Field(ge=1, le=10_000_000)]


class RouteModel(schema.Written):
    """`route: {policy: …, over: […]}`; which other keys belong there is the policy's affair."""

    policy: Literal["failover", "cheapest", "fastest", "by_region", "spread", "off_peak", "prefer"]
    over: list[Any]
    output_tokens: Tokens | None = None
    regions: dict[str, Any] | None = None
    hours: schema.Text | None = None
    timezone: schema.Text | None = None
    days: list[Any] | None = None
    use: Any = None
    first: schema.Text | None = None
    amount: Any = None
    currency: schema.Text | None = None
    until: Any = None
    since: Any = None


KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "failover": (),
    "cheapest": ("output_tokens",),
    "fastest": (),
    "by_region": ("regions",),
    "spread": (),
    "off_peak": ("hours", "timezone", "days", "use"),
    "prefer": ("first", "amount", "currency", "until", "since"),
}
"""What each policy takes beside `policy` and `over`."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "by_region": ("regions",), "off_peak": ("hours", "timezone", "use"), "prefer": ("first",),
}  # fmt: skip


def read_route(written: dict[str, Any], document: Document, path: KeyPath) -> dict[str, Any]:
    """The keys of a `route:` mapping, checked as far as that goes without the names. Raises ConfigError."""
    found = schema.validated(RouteModel, written, document, path, "route")
    policy = found["policy"]
    allowed = {"policy", "over", *KEYS[policy]}
    for key in found:
        if key not in allowed:
            users = [other for other, keys in KEYS.items() if key in keys]
            sentence = f"`{key}` belongs to {listing(users)}, and the policy here is `{policy}`"
            raise document.error((*path, key), sentence, f"policy: {users[0]}, or remove the line")
    for key in NEEDED.get(policy, ()):
        if found.get(key) in (None, [], {}):
            raise document.error(path, f"the policy `{policy}` needs `{key}:`", schema.EXAMPLES[key])
    if not found["over"]:
        raise document.error((*path, "over"), "`over` names no deployment", "over: [fast, backup]")
    return found


def policy_of(found: Mapping[str, Any], names: tuple[str, ...], document: Document, path: KeyPath) -> Policy:
    """The policy that `read_route` found, over deployments whose names are known now. Raises ConfigError."""
    reader = _Reader(names, document, path)
    match found["policy"]:
        case "cheapest":
            return policies.Cheapest(names, found.get("output_tokens"))
        case "fastest":
            return policies.Fastest(names)
        case "by_region":
            return policies.ByRegion(names, reader.regions(found["regions"]))
        case "spread":
            return policies.Spread(names)
        case "off_peak":
            return policies.OffPeak(names, reader.hours(found), reader.listed(found["use"], ("use",)))
        case "prefer":
            return reader.prefer(found)
    return policies.Failover(names)


class _Reader:
    def __init__(self, names: tuple[str, ...], document: Document, path: KeyPath) -> None:
        self.names = names
        self.document = document
        self.path = path

    def known(self, value: Any, at: KeyPath) -> str:
        """A name that stands in `over`."""
        if isinstance(value, str) and value in self.names:
            return value
        meant = nearest(value, self.names) if isinstance(value, str) else None
        mend = f"did you mean `{name(meant)}`?" if meant else f"over: {listing(map(name, self.names))}"
        raise self.document.error((*self.path, *at), f"{shown(value)} does not stand in `over`", mend, value=True)

    def listed(self, value: Any, at: KeyPath) -> tuple[str, ...]:
        """A list of such names, or one."""
        items = value if isinstance(value, list) else [value]
        return tuple(self.known(item, (*at, place)) for place, item in enumerate(items))

    def regions(self, value: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        """Region → who goes first there."""
        return {region: self.listed(item, ("regions", region)) for region, item in value.items()}

    def hours(self, found: Mapping[str, Any]) -> Hours:
        """The band of time. Raises ConfigError for what is no time, no day or no timezone."""
        start, _, end = found["hours"].partition("-")
        begins, ends = _clock(start), _clock(end)
        if begins is None or ends is None or begins == ends:
            sentence = f"{shown(found['hours'])} is no band of time"
            raise self.document.error((*self.path, "hours"), sentence, schema.EXAMPLES["hours"], value=True)
        zone = _zone(found["timezone"])
        if zone is None:
            sentence = f"{shown(found['timezone'])} is no timezone of the IANA list"
            raise self.document.error((*self.path, "timezone"), sentence, schema.EXAMPLES["timezone"], value=True)
        return Hours(
            begins, ends, zone, frozenset(self.day(item, at) for at, item in enumerate(found.get("days") or ()))
        )

    def day(self, value: Any, at: int) -> int:
        """The number of a day, Monday 0."""
        word = value.lower()[:3] if isinstance(value, str) else ""
        if word in DAYS:
            return DAYS.index(word)
        raise self.document.error(
            (*self.path, "days", at), f"{shown(value)} is no day", schema.EXAMPLES["days"], value=True
        )

    def prefer(self, found: Mapping[str, Any]) -> Policy:
        """An agreement, its amount, its last day and its first."""
        first = self.known(found["first"], ("first",))
        amount = found.get("amount")
        if amount is not None:
            amount = _amount(amount)
            if amount is None:
                sentence = f"`amount` is money above 0, not {shown(found['amount'])}"
                raise self.document.error((*self.path, "amount"), sentence, schema.EXAMPLES["amount"], value=True)
        until, since = self.dated(found, "until"), self.dated(found, "since")
        if until is not None and since is not None and since > until:
            sentence = f"an agreement that begins on {since} does not end on {until}"
            raise self.document.error((*self.path, "since"), sentence, 'since: "2026-04-01"', value=True)
        return policies.Prefer(self.names, first, amount, found.get("currency") or "USD", until, since)

    def dated(self, found: Mapping[str, Any], key: str) -> date | None:
        """A day."""
        value = found.get(key)
        day = _date(value) if value is not None else None
        if value is not None and day is None:
            raise self.document.error(
                (*self.path, key), f"`{key}` is a date, not {shown(value)}", schema.EXAMPLES[key], value=True
            )
        return day


def _clock(text: str) -> time | None:
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        return None
    whole = (int(hours), int(minutes))
    return time(*whole) if whole <= (23, 59) and whole[1] <= 59 else None


def _zone(text: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):  # what `zoneinfo` raises for a name that is none
        return None


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if not isinstance(value, bool) and amount.is_finite() and amount > 0 else None


def _date(value: Any) -> date | None:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError:
        return None


def read_defer(value: Any, document: Document, path: KeyPath) -> float:
    """`defer:` of a task in seconds: a number, or a text like `6h`. Raises ConfigError."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number: Any = value
    if isinstance(value, str) and value[-1:] in units and value[:-1].strip().isdecimal():
        number = int(value[:-1]) * units[value[-1]]
    if isinstance(number, int | float) and not isinstance(number, bool) and 0 < number <= LONGEST:
        return float(number)
    sentence = f"`defer` is how long an answer may take, at most seven days, not {shown(value)}"
    raise document.error(path, sentence, "defer: 6h", value=True)


def read_batch(value: Any, document: Document, path: KeyPath) -> bool:
    """`batch:` of a task: true or false. Raises ConfigError."""
    if isinstance(value, bool):
        return value
    sentence = f"`batch` is whether requests may go in a provider's batch: true or false, not {shown(value)}"
    raise document.error(path, sentence, "batch: true", value=True)
