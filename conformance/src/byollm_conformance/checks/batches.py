"""BAT: what leaves when a deployment's requests go in a batch, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.errors import ByollmError, ConfigError
from byollm.types.request import Request
from byollm.wire.batches import BatchItem, BatchJob
from byollm.wire.exchange import Exchange
from byollm_conformance.batching import KEYS, Post, data_of, items_of, plain_items, some_items
from byollm_conformance.canary import KEY
from byollm_conformance.checks.packaging import declared
from byollm_conformance.effort import Effort
from byollm_conformance.judge import alike
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import BatchPlan

NEEDS: Final = ("wire", "batch")
STEPS: Final = ("submit", "look", "answers", "cancel", "forget")


@check(
    "BAT-01",
    "MUST",
    "`batch` answers alike for one target: None, or Batches that say how much they take and make the same exchanges "
    "of the same arguments.",
    spec="spec/batches.md#1",
    since="2",
    needs=("wire",),
)
def hook_is_pure(subject: Subject, effort: Effort) -> None:
    """Asked twice, and of a copy of the plugin, for each model; then each method asked twice."""
    for one in subject.models:
        items = plain_items(one, 3)
        asked = [other.line.deployment for other in (one, one.fresh(), one.copied()) for _ in range(2)]
        found = [deployment.batches() for deployment in asked]
        subject.count()
        if any((batches is None) != (found[0] is None) for batches in found):
            raise Broken("the plugin says now that it has batches, and then that it has none")
        told = [_exchanges(batches, items) for batches in found if batches is not None]
        for other in told[1:]:
            alike(told[0], other, "the same arguments made other exchanges")


def _exchanges(batches: Any, items: Sequence[BatchItem]) -> dict[str, Any]:
    """All that can be seen of what the methods make."""
    for name in ("most", "most_bytes"):
        value = getattr(batches, name)
        if type(value) is not int or value < 1:
            raise Broken(f"{name} is {value!r}, and no number of things")
    job = BatchJob("batch-1", ended=True)
    made = {"most": batches.most, "most_bytes": batches.most_bytes}
    for name in STEPS:
        exchange = getattr(batches, name)(items if name == "submit" else job)
        if isinstance(exchange, Exchange):
            made[name] = (exchange.request, exchange.framing)
        elif exchange is not None or name != "forget":
            raise Broken(f"`{name}` answered {type(exchange).__name__}, not an Exchange")
    return made


@check(
    "BAT-02",
    "MUST",
    "A submission carries the bodies that `complete` makes, each once, under its own key, and nothing else.",
    spec="spec/batches.md#2",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def carries_the_bodies(subject: Subject, effort: Effort) -> None:
    """One request, several of all kinds, as the other end reads them."""
    many = some_items(subject)
    for items in (many[:1], many, [BatchItem(KEYS[-1], many[-1].request)]):
        subject.count()
        post = Post(subject)
        _submitted(post, items)
        if len(post.end.batches) != 1:
            raise Broken(f"one submission made {len(post.end.batches)} batches", asked=_urls(post))
        expected = {item.key: data_of(item.request.body) for item in items}
        alike(expected, dict(post.end.batches[0].items), "the batch has not the requests that were to go in it")


def _submitted(post: Post, items: Sequence[BatchItem]) -> BatchJob:
    """Sent; the other end has nothing to say against it."""
    try:
        job = post.ended(post.submit(items))
    except ConfigError:
        raise
    except ByollmError as error:
        problem = f"the other end does not take the batch: {type(error).__name__}: {error.message}"
    else:
        if not job.failed:
            return job
        problem = f"the other end does not take the batch: {job.failed}"
    raise Broken(problem, asked=_urls(post), body=post.asked[0].request.body if post.asked else b"")


def _urls(post: Post) -> list[str]:
    return [f"{item.request.method} {item.request.url}" for item in post.asked]


@check(
    "BAT-03",
    "MUST",
    "A batch of as many requests and bytes as was announced is one that the provider takes, with what the plugin wraps "
    "around them.",
    spec="spec/batches.md#3",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def sizes_are_true(subject: Subject, effort: Effort) -> None:
    """The provider's own limits, and what a hundred requests weigh on the wire."""
    batches: Any = subject.line.deployment.batches()
    post = Post(subject)
    plain = plain_items(subject, 100)
    items = [BatchItem(f"{index:064d}", item.request) for index, item in enumerate(plain)]
    _submitted(post, items)
    subject.count(len(items))
    alike(len(items), len(post.end.batches[0].items), "not all requests arrived")
    if batches.most > post.end.most:
        raise Broken(f"{batches.most} requests are announced, and {post.end.most} are taken")
    sent = max(len(item.request.body) for item in post.asked if item.step == "submit")
    wrapped = (sent - sum(len(item.request.body) for item in items)) / len(items)
    largest = batches.most_bytes + batches.most * max(0.0, wrapped)
    if largest > post.end.most_bytes:
        words = f"{batches.most_bytes} bytes are announced; with their wrapping they are {largest:.0f}"
        raise Broken(f"{words}, and {post.end.most_bytes} are taken")


@check(
    "BAT-04",
    "MUST",
    "Every request of a batch goes where requests alone go, below the endpoint's own path, or to a host that the "
    "manifest declares; and to no other host than the endpoint's where one is configured.",
    spec="spec/batches.md#4",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def hosts_are_declared(subject: Subject, effort: Effort) -> None:
    """Every step, at the usual endpoint and at others."""
    for endpoint in (None, "https://two.example.net", "https://two.example.net/deep/path/"):
        keys = {**subject.keys, **({"endpoint": endpoint, "region": None} if endpoint else {})}
        post = worked(subject.fresh(keys=keys))
        home = urlsplit(post.subject.exchange(Request("hi")).request.url)
        below = urlsplit(endpoint or "").path
        for item in post.asked:
            subject.count()
            place = urlsplit(item.request.url)
            host = place.hostname or ""
            if host != home.hostname and (endpoint or not declared(host, subject.manifest.hosts)):
                raise Broken(f"`{item.step}` goes to {host}, which nobody declared", url=item.request.url)
            if host == home.hostname and (place.scheme, place.port) != (home.scheme, home.port):
                raise Broken(f"`{item.step}` goes to another server than requests do", url=item.request.url)
            if host == home.hostname and not place.path.startswith(below):
                raise Broken(f"`{item.step}` leaves the endpoint's own path", url=item.request.url)


def worked(subject: Subject) -> Post:
    """A batch from submission to deletion, and one that is cancelled."""
    post = Post(subject, BatchPlan(never=True))
    job = post.ended(post.cancel(post.look(post.submit(plain_items(subject, 2)))))
    post.answers(job)
    post.forget(job)
    return post


@check(
    "BAT-05",
    "MUST",
    "The key goes with every request of a batch as it goes with a request alone: in no address, in no body, in no "
    "other header.",
    spec="spec/batches.md#5",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def key_has_one_place(subject: Subject, effort: Effort) -> None:
    """Every step, with a canary."""
    alone = subject.call((500, {}, b"{}")).requests[0]
    wanted = _holding(alone)
    for item in worked(subject).asked:
        subject.count()
        if KEY in item.request.url or KEY.encode() in item.request.body:
            place = "URL" if KEY in item.request.url else "body"
            raise Broken(f"`{item.step}` puts the key in the {place}")
        held = _holding(item.request)
        if held != wanted:
            places = f"{held or 'no header'}, and a request alone in {wanted or 'none'}"
            raise Broken(f"`{item.step}` has the key in {places}")


def _holding(request: Any) -> list[str]:
    return sorted(name.lower() for name, value in request.headers if KEY in value)


@check(
    "BAT-06",
    "MUST",
    "To cancel ends the batch that was meant and no other; to forget deletes all that holds its requests and answers, "
    "and nothing of another.",
    spec="spec/batches.md#6",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def the_right_one(subject: Subject, effort: Effort) -> None:
    """One of two batches at one provider, in both orders."""
    for meant in (0, 1):
        subject.count()
        post = Post(subject, BatchPlan(never=True))
        jobs, names = [], []
        for text in ("one", "two"):
            before = set(post.end.kept)
            jobs.append(post.submit(items_of(subject, [Request(text)])))
            names.append(set(post.end.kept) - before)
        job = post.ended(post.cancel(jobs[meant]))
        cancelled = [batch.cancelled for batch in post.end.batches]
        alike([meant == 0, meant == 1], cancelled, "not the batch that was meant was asked to end", asked=_urls(post))
        if not post.forget(job):
            continue
        left = set(post.end.kept)
        if left - names[1 - meant]:
            raise Broken("not all was deleted", left=sorted(left), asked=_urls(post))
        alike(names[1 - meant], left, "something of another batch was deleted", asked=_urls(post))
