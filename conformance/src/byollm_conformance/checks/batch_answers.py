"""BAT: what comes back from a batch, and that it is what would have come alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from byollm.errors import ByollmError, ConfigError, InvalidRequestError, ProviderError
from byollm.types.completion import Completion
from byollm.types.parts import Text
from byollm.types.request import Request
from byollm.wire.batches import BatchAnswer, BatchItem, BatchJob
from byollm_conformance.batching import KEYS, Post, by_hand, by_key, items_of, lines_of, plain_items, read_item
from byollm_conformance.checks.batches import NEEDS
from byollm_conformance.effort import Effort
from byollm_conformance.generate import deep, one_of_all, only_text, rewritten, some_answers
from byollm_conformance.judge import alike, completed, failed, told
from byollm_conformance.mirror import SCHEMA
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, BatchPlan, Rendered
from byollm_conformance.words import CLASSES

WORDS: Final = "zz what the provider says"
_INSTANT: Final = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?")
_QUOTED: Final = [f'"{key}"'.encode() for key in KEYS]
Lines = Callable[[list[bytes]], Sequence[bytes]]


def named(items: Sequence[BatchItem]) -> dict[str, Any]:
    """An answer for each item, which says its key."""
    return {item.key: only_text(f"the answer to {item.key}", id=f"answer-{item.key}") for item in items}


def relined(change: Lines) -> Callable[[str, Any, Rendered], Rendered]:
    """The list of answers changed, as lines or inside a document; all else as it was."""

    def relisted(node: Any) -> Any:
        if not isinstance(node, list) or len(node) < 2 or not all(isinstance(item, dict) for item in node):
            return node
        written = [json.dumps(item, ensure_ascii=False).encode() for item in node]
        ours = all(any(name in line for name in _QUOTED) for line in written)
        return [json.loads(line) for line in change(written)] if ours else node

    def changed(step: str, request: Any, answer: Rendered) -> Rendered:
        lines = lines_of(answer)
        if step != "answers" or answer.status != 200:
            return answer
        if len(lines) > 1:
            return by_hand(answer.headers, b"".join([line + b"\n" for line in change(lines)]))
        return rewritten(answer, lambda document: deep(document, relisted))

    return changed


def says_its_key(subject: Subject, answers: Mapping[str, BatchAnswer], keys: Sequence[str]) -> None:
    """Raises Broken where an item has no answer, or another's."""
    for key in keys:
        answer = answers.get(key)
        if answer is None or answer.status is None:
            raise Broken(f"the answer to {key!r} is there, and is not read", keys=sorted(answers))
        words = completed(read_item(subject, answer), answer=answer).text
        alike(f"the answer to {key}", words, f"item {key!r} has not its own answer")


@check(
    "BAT-07",
    "MUST",
    "Each answer belongs to the item whose key it bears, in whatever order answers come, and none is lost or made.",
    spec="spec/batches.md#7",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def answers_by_key(subject: Subject, effort: Effort) -> None:
    """As the other end mixes them, backwards, and turned round; one alone; and two batches read in turns."""
    orders: tuple[Lines, ...] = (list, lambda lines: lines[::-1], lambda lines: [*lines[2:], *lines[:2]], sorted)
    for number, order in ((1, list), *((5, order) for order in orders)):
        subject.count()
        items = plain_items(subject, number)
        answers = Post(subject, BatchPlan(answers=named(items)), relined(order)).done(items)
        says_its_key(subject, answers, [item.key for item in items])
        if len(answers) > len(items):
            raise Broken("there are more answers than requests", keys=sorted(answers))
    one, two = plain_items(subject, 3), plain_items(subject, 5)[3:]
    post = Post(subject, BatchPlan(answers=named([*one, *two])))
    jobs = [post.submit(items) for items in (one, two)]
    for job, items in zip([post.ended(job) for job in jobs], (one, two), strict=True):
        says_its_key(subject, by_key(post.answers(job)), [item.key for item in items])


@check(
    "BAT-08",
    "MUST",
    "A request that was never done, because the batch expired or was cancelled or because its answer is missing, has "
    "no answer: no text, no refusal, nothing that was paid for.",
    spec="spec/batches.md#8",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def undone_is_undone(subject: Subject, effort: Effort) -> None:
    """Each of them beside others that were done; and all of them."""
    items = plain_items(subject, 4)
    first, second, *_ = keys = [item.key for item in items]
    for lost in ([first], [second], keys):
        kept = [key for key in keys if key not in lost]
        subject.count(3)
        post = Post(subject, BatchPlan(answers=named(items), expire=lost))
        _undone(subject, post, post.done(items), "expired")
        post = Post(subject, BatchPlan(answers=named(items), never=True, answered=kept))
        answers = by_key(post.answers(post.ended(post.cancel(post.submit(items)))))
        _undone(subject, post, answers, "was cancelled")
        if kept:
            post = Post(subject, BatchPlan(answers=named(items)), relined(_without(lost)))
            _undone(subject, post, post.done(items), "is missing in the list", lost)


def _without(lost: Sequence[str]) -> Lines:
    """The list without the lines that name some keys."""
    names = [f'"{key}"'.encode() for key in lost]
    return lambda lines: [line for line in lines if not any(name in line for name in names)]


def _undone(
    subject: Subject, post: Post, answers: Mapping[str, BatchAnswer], how: str, hidden: Sequence[str] = ()
) -> None:
    """By what the other end knows of it: some let all of a batch expire that expires."""
    told = post.end.batches[0]
    kept = [key for key in told.items if key in told.done and key not in hidden]
    for key in [key for key in told.items if key not in kept]:
        answer = answers.get(key)
        if answer is not None and answer.status is not None:
            raise Broken(f"a request that {how} has an answer", key=key, answer=answer)
    says_its_key(subject, answers, kept)


@check(
    "BAT-09",
    "MUST",
    "An answer from a batch is read as the same answer alone: parts, finish, token counts, names.",
    spec="spec/batches.md#9",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def as_if_alone(subject: Subject, effort: Effort) -> None:
    """Answers of every kind in one batch, and one that follows a schema; but for the tier, which is the batch's."""
    answers = [one_of_all(subject), *some_answers(subject, effort, 0.1, "BAT-09")]
    asked = [(Request("hi"), answer) for answer in answers]
    if not subject.support("structured_output").refused:
        asked.append((Request("hi", output_schema=SCHEMA), only_text('{"answer": "tea"}', id="answer-s")))
    for some in _together(subject, asked):
        items = items_of(subject, [request for request, _ in some])
        plan = BatchPlan(answers={item.key: answer for item, (_, answer) in zip(items, some, strict=True)})
        found = Post(subject, plan).done(items)
        for item, (request, answer) in zip(items, some, strict=True):
            subject.count()
            if item.key not in found or found[item.key].status is None:
                raise Broken("an answer is there, and is not read", parts=answer.parts)
            alone = completed(subject.read(subject.dialect.render(answer, False), request=request))
            got = completed(read_item(subject, found[item.key], request), answer=found[item.key])
            alike(_all(alone), _all(got), "an answer from a batch is read otherwise than the same alone")


def _together(subject: Subject, asked: Sequence[tuple[Request, Answer]]) -> list[list[tuple[Request, Answer]]]:
    """Those that one batch can carry: some requests bring a header of their own."""
    found: dict[Any, list[tuple[Request, Answer]]] = {}
    for request, answer in asked:
        sent = subject.translate(request)
        found.setdefault((sent.url, sent.headers), []).append((request, answer))
    return list(found.values())


def _all(completion: Completion) -> dict[str, Any]:
    details = {name: value for name, value in (completion.usage.details or {}).items() if name != "service_tier"}
    parsed = completion.parts[0].text if completion.parts and isinstance(completion.parts[0], Text) else None
    return {**told(completion), "details": details, "text": parsed}


@check(
    "BAT-10",
    "MUST",
    "A refusal is the error that it is alone, whether it stands in a batch or meets a request about one.",
    spec="spec/batches.md#10",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def refusals_as_alone(subject: Subject, effort: Effort) -> None:
    """Each class in place of one item's answer, beside one that is done; then in place of each step's."""
    items = plain_items(subject, 2)
    alone = {kind: _error(failed(subject.read(subject.dialect.render_error(kind(WORDS))), "")) for kind in CLASSES}
    inside = {kind: _one_refused(subject, items, kind) for kind in CLASSES}
    for kind, (answer, written) in inside.items():
        subject.count()
        got = _error(failed(read_item(subject, answer), "a refusal became an answer", answer=answer))
        if got not in [alone[other] for other in CLASSES if inside[other][1] == written]:
            alike(alone[kind], got, f"{kind.__name__} in a batch is another error than alone", at=answer)
        for step in ("submit", "look", "answers", "cancel"):
            words = f"{kind.__name__} to `{step}` is another error than alone"
            alike(alone[kind], _error(_refused(subject, items, step, kind)), words)


def _one_refused(subject: Subject, items: Sequence[BatchItem], kind: type[ProviderError]) -> tuple[BatchAnswer, bytes]:
    """The second item's refusal, and what the other end wrote: two that it writes alike cannot be told apart."""
    good, bad = (item.key for item in items)
    seen: list[Rendered] = []
    answers = Post(subject, BatchPlan(answers={**named(items), bad: kind(WORDS)}), _noted(seen)).done(items)
    says_its_key(subject, answers, [good])
    if bad not in answers or answers[bad].status is None:
        raise Broken(f"a request that was refused ({kind.__name__}) is told as one that was never done")
    return answers[bad], _INSTANT.sub(b"", b"".join([answer.body for answer in seen]))


def _noted(seen: list[Rendered]) -> Callable[[str, Any, Rendered], Rendered]:
    """Keeps the lists of answers as they come."""

    def change(step: str, request: Any, answer: Rendered) -> Rendered:
        seen.extend([answer] if step == "answers" else [])
        return answer

    return change


def _error(error: ByollmError) -> dict[str, Any]:
    names = ("retryable", "failover_ok", "message")
    return {"class": type(error).__name__, **{name: getattr(error, name, None) for name in names}}


def _refused(subject: Subject, items: Sequence[BatchItem], step: str, kind: type[ProviderError]) -> ByollmError:
    def change(now: str, request: Any, answer: Rendered) -> Rendered:
        return subject.dialect.render_error(kind(WORDS)) if now == step else answer

    post = Post(subject, BatchPlan(answers=named(items)), change)
    job: BatchJob | None = None
    try:
        job = post.submit(items)
        if step != "submit":
            getattr(post, step)(post.ended(job) if step == "answers" else job)
    except ConfigError:
        raise
    except ByollmError as error:
        return error
    raise Broken(f"a refusal of `{step}` became an answer", job=job)


@check(
    "BAT-11",
    "MUST",
    "A batch has ended when the provider says so, and not before; its count is no less than what was done and no more "
    "than what can be read; one that fails as a whole says why.",
    spec="spec/batches.md#11",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def progress_is_told(subject: Subject, effort: Effort) -> None:
    """One that takes three looks, one that is mixed, one that works until it is cancelled, one that collapses."""
    items = plain_items(subject, 5)
    keys = [item.key for item in items]
    post = Post(subject, BatchPlan(polls=3, answers=named(items)))
    job, seen = post.submit(items), []
    for _ in range(3):
        seen.append(job.ended)
        job = post.look(job)
    alike([False, False, False, True], [*seen, job.ended], "the end of a batch is not seen when it comes")
    mixed = {**named(items), keys[1]: InvalidRequestError(WORDS)}
    post = Post(subject, BatchPlan(answers=mixed, expire=keys[3:]))
    job = post.ended(post.submit(items))
    answers = post.answers(job)
    done = len(post.end.batches[0].done)
    if job.told is not None and not done <= job.told <= len(answers):
        words = f"{done} requests were done, {len(answers)} are told of, and the count is {job.told}"
        raise Broken(words, job=job)
    post = Post(subject, BatchPlan(never=True))
    job = post.look(post.look(post.submit(items)))
    if job.ended or post.cancel(job).ended:
        raise Broken("a batch that still works is taken for one that has ended", job=job)
    _collapsed(subject, items)
    subject.count(4)


def _collapsed(subject: Subject, items: Sequence[BatchItem]) -> None:
    """The provider's words, or an error in place of each answer."""
    post = Post(subject, BatchPlan(collapse=InvalidRequestError(WORDS)))
    job = post.ended(post.submit(items))
    if job.failed:
        if WORDS not in job.failed:
            raise Broken("a batch that failed does not say why", told=job.failed)
        return
    answers = by_key(post.answers(job))
    for item in items:
        answer = answers.get(item.key)
        if answer is None or answer.status is None or not isinstance(read_item(subject, answer), ByollmError):
            raise Broken("a batch that failed as a whole is told as one that went well", job=job, answer=answer)
