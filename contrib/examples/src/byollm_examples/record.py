"""What a run was, as plain values: the screen, the page and `--json` show this and nothing else.

Every value is copied from a reply, an error, a preview, or a request that the twin recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import byollm
from byollm.errors import ByollmError, ProviderError


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, from `reply.attempts` or `error.attempts`."""

    deployment: str
    provider: str
    status: int | None
    milliseconds: float
    error: str | None
    message: str

    @classmethod
    def of(cls, attempt: byollm.Attempt) -> Tried:
        """An attempt's own fields."""
        error = attempt.error
        return cls(
            attempt.deployment,
            attempt.provider,
            attempt.status,
            round(attempt.milliseconds, 1),
            None if error is None else type(error).__name__,
            "" if error is None else error.message,
        )

    def __str__(self) -> str:
        outcome = "answered" if self.error is None else f"{self.error}: {self.message}"
        status = f" {self.status}" if self.status is not None else ""
        return f"{self.deployment} ({self.provider}){status} {outcome}, {self.milliseconds:.0f} ms"


@dataclass(frozen=True, slots=True)
class Row:
    """One document under one task. `milliseconds` is the time of all attempts together."""

    document: str
    task: str
    provider: str
    model: str
    deployment: str
    answer: Any
    short: str
    input_tokens: int | None
    output_tokens: int | None
    milliseconds: float
    finish_reason: str | None
    request_id: str | None
    cost: str | None
    attempts: tuple[Tried, ...]
    error: str | None = None

    @property
    def tokens(self) -> str:
        """Input and output tokens, as the provider told them."""
        told = [("?" if count is None else str(count)) for count in (self.input_tokens, self.output_tokens)]
        return "" if self.error is not None else " + ".join(told)


@dataclass(frozen=True, slots=True)
class Previewed:
    """One request as `client.preview` shows it, and the body that the twin then recorded."""

    deployment: str
    provider: str
    model: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    adjustments: tuple[str, ...]
    recorded_equal: bool
    status: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that was read to its end, or broke."""

    title: str
    text: str
    pieces: int
    finish_reason: str | None
    error: str | None
    message: str
    attempts: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Scene 2: cut after content; then with a failover line, before content and after it."""

    without: Stream
    diff: tuple[str, ...]
    before_content: Stream
    after_content: Stream


@dataclass(frozen=True, slots=True)
class Echo:
    """Scene 3: what the provider sent (the key replaced by a mark) and what byollm raised."""

    key_length: int
    status: int
    sent: str
    sent_keys: int
    error: str
    shown: str
    searched: tuple[str, ...]
    found: int


@dataclass(frozen=True, slots=True)
class Outage:
    """The primary that was taken down, and when: before the document of this number, counted from 1, was asked for."""

    task: str
    deployment: str
    provider: str
    before_document: int


@dataclass(frozen=True, slots=True)
class Switch:
    """One line of the file changed, and the same program's answers before and after."""

    task: str
    diff: tuple[str, ...]
    before: tuple[Row, ...]
    after: tuple[Row, ...]


@dataclass(slots=True)
class Run:
    """A whole run. `problems`: where something did not go as the demo says; then the exit code is 1."""

    source: str
    live: bool = False
    left_out: tuple[str, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict)
    previews: tuple[Previewed, ...] = ()
    cut: Cut | None = None
    echo: Echo | None = None
    configuration: str = ""
    rows: list[Row] = field(default_factory=list)
    outage: Outage | None = None
    switch: Switch | None = None
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    page: str | None = None

    def check(self, held: bool, sentence: str) -> None:
        """Note a sentence of the demo that did not hold."""
        if not held:
            self.problems.append(sentence)

    def rows_in_outage(self) -> tuple[list[Row], list[Row]]:
        """Of the task whose primary went down: the answers of the primary, and those of its backup."""
        down = self.outage
        if down is None:
            return [], []
        answered = [row for row in self.rows if row.task == down.task and row.error is None]
        own = [row for row in answered if row.deployment == down.deployment]
        return own, [row for row in answered if row.deployment != down.deployment]

    @property
    def totals(self) -> dict[str, Any]:
        """Sums over the rows."""
        return {
            "answers": sum(row.error is None for row in self.rows),
            "failures": sum(row.error is not None for row in self.rows),
            "attempts": sum(len(row.attempts) for row in self.rows),
            "input_tokens": sum(row.input_tokens or 0 for row in self.rows),
            "output_tokens": sum(row.output_tokens or 0 for row in self.rows),
        }

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON data."""
        return {**asdict(self), "totals": self.totals}


def row_of(document: str, task: str, reply: byollm.Completion | ByollmError) -> Row:
    """One result of `client.map` as a row. An answer that does not fit its schema is a row with an error."""
    if isinstance(reply, ByollmError):
        return _failed(document, task, reply)
    try:
        parsed = reply.parsed
    except ByollmError as error:
        return _failed(document, task, error, reply)
    return _row(document, task, reply, parsed.model_dump(), short(task, parsed), None)


def _failed(document: str, task: str, error: ByollmError, reply: byollm.Completion | None = None) -> Row:
    sentence = f"{type(error).__name__}: {error.message}"
    if reply is not None:
        return _row(document, task, reply, reply.text, sentence, sentence)
    last = error if isinstance(error, ProviderError) else None
    tried = tuple(Tried.of(attempt) for attempt in error.attempts)
    return Row(
        document=document,
        task=task,
        provider=(last.provider if last else None) or "",
        model=(last.model if last else None) or "",
        deployment=(last.deployment if last else None) or "",
        answer=None,
        short=sentence,
        input_tokens=None,
        output_tokens=None,
        milliseconds=round(sum(item.milliseconds for item in tried), 1),
        finish_reason=None,
        request_id=last.request_id if last else None,
        cost=None,
        attempts=tried,
        error=sentence,
    )


def _row(document: str, task: str, reply: byollm.Completion, answer: Any, text: str, error: str | None) -> Row:
    tried = tuple(Tried.of(attempt) for attempt in reply.attempts)
    return Row(
        document=document,
        task=task,
        provider=reply.provider or "",
        model=reply.model or "",
        deployment=reply.deployment or "",
        answer=answer,
        short=text,
        input_tokens=reply.usage.input_tokens,
        output_tokens=reply.usage.output_tokens,
        milliseconds=round(sum(item.milliseconds for item in tried), 1),
        finish_reason=reply.finish_reason,
        request_id=reply.request_id,
        cost=None if reply.cost is None else str(reply.cost),
        attempts=tried,
        error=error,
    )


def short(task: str, parsed: Any) -> str:
    """An answer in one line."""
    if task == "rule_extraction":
        rules = [rule for rule in parsed.rules if rule.kind != "figure"]
        first = f": {rules[0].text}" if rules else ""
        return f"{len(rules)} rule{'' if len(rules) == 1 else 's'}{first}"
    if task == "pii_detection":
        personal: Sequence[Any] = sorted(parsed.findings, key=lambda found: found.type in ("amount", "date"))
        return ", ".join(f"{found.type} {found.value}" for found in personal) or "nothing found"
    return f"{parsed.category} ({parsed.confidence:g})"
