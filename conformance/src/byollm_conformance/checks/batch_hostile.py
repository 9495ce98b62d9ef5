"""BAT: what a provider says about a batch is data: it leads nowhere else, and junk is told as junk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from byollm.errors import ByollmError, ProtocolError, ProviderError
from byollm.types.completion import Completion
from byollm.wire.batches import BatchAnswer, BatchItem, BatchJob
from byollm_conformance.batching import Asked, Post, by_hand, data_of, lines_of, plain_items, read_item
from byollm_conformance.checks.batch_answers import named
from byollm_conformance.checks.batches import NEEDS, STEPS
from byollm_conformance.effort import Effort
from byollm_conformance.generate import bytes_mutated, drawn, mutated, mutations, paths, put
from byollm_conformance.judge import well_formed
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import BatchPlan, Rendered

HOSTILE: Final = (
    "https://elsewhere.example.org/x", "//elsewhere.example.org/x", "http://127.0.0.1:9/x", "../../models", "a/../../b",
    "..%2F..%2Fmodels", "/models", "a/b", "x?limit=1", "x#y", "x;y", "a\r\nx-injected: 1", "a b", "\x00", "..", ".",
    "%2e%2e", "@elsewhere.example.org", "a\\..\\b", "ä", "",
)  # fmt: skip
"""What stands where a name or an address was."""
JUNK: Final = (
    b"", b"null", b"[]", b"{}", b'"text"', b"17", b"{", b"\xff\xfe", b"<html>502</html>", b"[" * 5_000, b"{}\n{}\n",
    b'{"id": ""}', b'{"id": ".."}', b'{"id": 7}', b"null\nnull\n",
)  # fmt: skip
_HEADERS: Final = {"content-type": "application/json"}


@check(
    "BAT-12",
    "MUST",
    "No name and no address in an answer about a batch leads to another host or out of its place in a path: it is one "
    "segment, or the answer is refused.",
    spec="spec/batches.md#12",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def answers_lead_nowhere(subject: Subject, effort: Effort) -> None:
    """Every text of every answer in turn, names and addresses first; then all that the plugin would ask."""
    items = plain_items(subject, 2)
    honest = Post(subject, BatchPlan(answers=named(items)))
    answers = _day(honest, items)
    working = Post(subject, BatchPlan(never=True))
    names = _names([*answers, *_day(working, items)])
    usual = [*honest.asked, *working.asked]
    shapes = {_shape(item, names) for item in usual}
    fields = {name.lower() for item in usual for name, _ in item.request.headers}
    for number, path, text in _hostile(answers, effort):
        subject.count()
        post = Post(subject, BatchPlan(answers=named(items)), _swapped(number, path, text))
        _day(post, items)
        for item in post.asked:
            words = f"{text!r} in an answer leads `{item.step}` astray"
            extra = {name.lower() for name, _ in item.request.headers} - fields
            mine = {text, *[hostile for hostile in HOSTILE if text.endswith(f"/{hostile}")]} - {""}
            if extra or _shape(item, names | mine) not in shapes:
                raise Broken(words, url=item.request.url, at=list(path), answer=answers[number].body)


def _day(post: Post, items: Sequence[BatchItem]) -> list[Rendered]:
    """All steps, whatever comes of them; the answers in order. What the border forbids is Broken."""
    answers: list[Rendered] = []
    inner = post.change

    def keep(step: str, request: Any, answer: Rendered) -> Rendered:
        made = answer if inner is None else inner(step, request, answer)
        answers.append(answer)
        return made

    post.change = keep
    try:
        job = post.submit(items)
    except ByollmError:
        return answers
    for step in ("look", "answers", "cancel", "forget"):
        with suppress(ByollmError):
            found = getattr(post, step)(job)
            job = found if isinstance(found, BatchJob) else job
    return answers


def _names(answers: Sequence[Rendered]) -> set[str]:
    """Every text in the answers: what a segment of a path may be named after."""
    texts = {text for answer in answers for document in _documents(answer) for _, text in _texts(document)}
    return {name for text in texts for name in (text, text.rpartition("/")[2]) if name}


def _documents(answer: Rendered) -> list[Any]:
    return [data_of(line) for line in lines_of(answer)]


def _texts(document: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    for path in paths(document):
        node = document
        for key in path:
            node = node[key]
        if isinstance(node, str):
            yield path, node


def _hostile(answers: Sequence[Rendered], effort: Effort) -> list[tuple[int, tuple[Any, ...], str]]:
    """(answer, path, text): for names and addresses two always and a share of the others, for other texts less."""
    sure: list[Any] = []
    rest: list[Any] = []
    for number, answer in enumerate(answers):
        document = data_of(answer.body)
        for path, text in _texts(document) if isinstance(document, Mapping) else ():
            leads = "id" in str(path[-1]).lower() or "url" in str(path[-1]).lower() or "://" in text
            sure += [(number, path, hostile) for hostile in HOSTILE[:4:3] if leads]
            rest += [(number, path, hostile) for hostile in HOSTILE[1:] if leads or hostile == HOSTILE[1]]
            place, slash, _ = text.rpartition("/")
            if slash and "://" not in text:
                sure += [(number, path, f"{place}/{hostile}") for hostile in HOSTILE[3:6]]
                rest += [(number, path, f"{place}/{hostile}") for hostile in HOSTILE[6:]]
    return [*sure, *drawn(rest, effort.scaled(0.5), effort.random("BAT-12"))]


def _swapped(number: int, path: Sequence[Any], text: str) -> Any:
    """One text of the answer with that number replaced, and of every later one that has it in the same place."""
    seen = iter(range(10**6))

    def change(step: str, request: Any, answer: Rendered) -> Rendered:
        document = data_of(answer.body)
        if next(seen) < number or not any(path == known for known, _ in _texts(document)):
            return answer
        return by_hand(answer.headers, json.dumps(put(document, path, text)).encode(), answer.status)

    return change


def _shape(item: Asked, names: set[str]) -> tuple[Any, ...]:
    """A request's method and place, with `*` for a segment that is a name, or a name and a verb (`name:cancel`)."""
    place = urlsplit(item.request.url)
    segments = [_segment(segment, names) for segment in place.path.split("/")]
    odd = [segment for segment in place.path.split("/") if unquote(segment) in (".", "..")]
    return item.request.method, place.scheme, place.netloc, tuple(segments), place.query, place.fragment, tuple(odd)


def _segment(segment: str, names: set[str]) -> str:
    name, colon, verb = segment.rpartition(":")
    if unquote(segment) in names:
        return "*"
    return f"*:{verb}" if colon and unquote(name) in names else segment


@check(
    "BAT-13",
    "MUST",
    "Whatever is null, of another type, missing or junk in an answer about a batch, what is read is well-formed, or a "
    "ProtocolError.",
    spec="spec/batches.md#13",
    since="2",
    needs=NEEDS,
    mirror="BAT-01",
)
def junk_is_told(subject: Subject, effort: Effort) -> None:
    """Nodes of every step's answer, bytes of it, and things that are none."""
    items = plain_items(subject, 2)
    chance = effort.random("BAT-13")
    for step in STEPS[:4]:
        post = Post(subject, BatchPlan(answers=named(items), polls=1 if step == "answers" else 1000))
        job = post.submit(items)
        argument: Any = items if step == "submit" else post.ended(job) if step == "answers" else job
        kept: list[Rendered] = []
        _step(post, step, argument, _keeping(kept))
        usual = kept[-1]
        every = list(mutations(usual))
        outer = [change for change in every if change[0] == 0 and len(change[1]) < 3]
        chosen = [*drawn(outer, 60, chance), *drawn(every, effort.scaled(0.2), chance)]
        broken = [mutated(usual, *change) for change in chosen]
        bodies = [*JUNK, *[bytes_mutated(usual.body, chance) for _ in range(effort.scaled(0.15))]]
        for answer in [*broken, *[by_hand(_HEADERS, body) for body in bodies]]:
            subject.count()
            _read(subject, post, step, argument, answer)


def _keeping(kept: list[Rendered]) -> Callable[[Rendered], Rendered]:
    def keep(answer: Rendered) -> Rendered:
        kept.append(answer)
        return answer

    return keep


def _step(post: Post, step: str, argument: Any, change: Callable[[Rendered], Any]) -> list[Any]:
    """What one step reads, its answers changed."""
    post.change = lambda now, request, answer: change(answer)
    found = getattr(post, step)(argument)
    return found if isinstance(found, list) else [found]


def _read(subject: Subject, post: Post, step: str, argument: Any, junk: Rendered) -> None:
    try:
        values = _step(post, step, argument, lambda answer: junk)
    except ProtocolError:
        return
    except ProviderError as error:
        problem = f"junk to `{step}` became {type(error).__name__}: {error.message}"
        raise Broken(problem, body=junk.body) from None
    for value in values:
        problem = _problem(value)
        if problem:
            raise Broken(f"junk to `{step}` was let through: {problem}", body=junk.body, value=value)
        if isinstance(value, BatchAnswer) and value.status is not None:
            outcome = read_item(subject, value)
            if isinstance(outcome, Completion):
                well_formed(outcome, body=junk.body)


def _problem(value: BatchJob | BatchAnswer) -> str:
    """What is wrong with the value itself."""
    if isinstance(value, BatchJob):
        if type(value.id) is not str or not value.id.strip("."):
            return f"the batch is called {value.id!r}"
        if type(value.ended) is not bool or type(value.failed) is not str:
            return f"ended is {value.ended!r}, failed {value.failed!r}"
        if value.told is not None and (type(value.told) is not int or value.told < 0):
            return f"told is {value.told!r}"
        texts = [text for pair in value.files.items() for text in pair]
        return "" if all(type(text) is str and text for text in texts) else f"files are {value.files!r}"
    if type(value.key) is not str:
        return f"the key is {value.key!r}"
    if value.status is not None and (type(value.status) is not int or not 100 <= value.status <= 599):
        return f"the status is {value.status!r}"
    texts = [text for pair in value.headers.items() for text in pair]
    return "" if all(type(text) is str for text in texts) else f"headers are {value.headers!r}"
