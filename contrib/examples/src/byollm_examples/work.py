"""Scene 4: the pipeline over all documents, an outage in the middle of it, and one line that moves a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import byollm
from byollm_examples.files import OUTAGE, SWITCH, TASKS, TWINS, changed_lines, written
from byollm_examples.folder import Documents
from byollm_examples.pipeline import TASKS as QUESTIONS
from byollm_examples.pipeline import ask
from byollm_examples.record import Outage, Row, Run, Switch, row_of
from byollm_sandbox import Twins


class Silent:
    """Tells nobody."""

    def step(self, task: str, done: int, total: int, row: Row) -> None:
        """Nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""


class Progress(Protocol):
    """Who is told how far it is."""

    def step(self, task: str, done: int, total: int, row: Row) -> None:
        """An answer, or a failure, has come."""
        ...

    def say(self, sentence: str) -> None:
        """Something happened in between."""
        ...


Ask = Callable[[byollm.Client, str, Iterator[str]], Iterator[tuple[int, object]]]


def pipeline(run: Run, twins: Twins, folder: Path, documents: Documents, progress: Progress) -> None:
    """All three tasks, one after the other, each over all documents at once."""
    run.configuration = written(twins)
    path = folder / "llm.yaml"
    path.write_text(run.configuration, "utf-8")
    with byollm.Client.from_yaml(path) as client:
        for task in QUESTIONS:
            texts = _texts(run, twins, documents, progress) if task == OUTAGE[0] else iter(documents.texts)
            run.rows += answers(client, task, documents, texts, progress)
    failed = [row for row in run.rows if row.error is not None]
    run.check(not failed, f"{len(failed)} answers are missing or do not fit")
    run.check(bool(run.rows_in_outage()[1]), "the outage moved no answer to the backup")


def answers(
    client: byollm.Client,
    task: str,
    documents: Documents,
    texts: Iterator[str],
    progress: Progress,
    asked: Ask = ask,
) -> list[Row]:
    """One task's rows, in the order of the documents."""
    total = len(documents.items)
    rows: dict[int, Row] = {}
    for index, reply in asked(client, task, texts):
        if not isinstance(reply, byollm.Completion | byollm.errors.ByollmError):
            raise TypeError(f"client.map yielded {type(reply).__name__}")
        rows[index] = row_of(documents.items[index].name, task, reply)
        progress.step(task, len(rows), total, rows[index])
    return [rows[index] for index in sorted(rows)]


def _texts(run: Run, twins: Twins, documents: Documents, progress: Progress) -> Iterator[str]:
    """The texts; half-way through, the server of the task's primary goes down. `client.map` reads them as it needs."""
    task, primary = OUTAGE
    half = len(documents.items) // 2
    for place, text in enumerate(documents.texts):
        if place == half:
            run.outage = Outage(task, primary, TWINS[primary].provider, place + 1)
            twins.down(primary)
            progress.say(f"now the server of {primary} ({TWINS[primary].provider}) is taken down")
        yield text


def switched(run: Run, twins: Twins, folder: Path, documents: Documents) -> None:
    """One line of the file changed: the same program, the same question, another provider."""
    task, route = SWITCH
    first = Documents(documents.source, documents.items[:3])
    changed = written(twins, {**TASKS, task: route})
    path = folder / "llm.yaml"
    path.write_text(changed, "utf-8")
    with byollm.Client.from_yaml(path) as client:
        after = answers(client, task, first, iter(first.texts), Silent())
    names = [item.name for item in first.items]
    before = [row for row in run.rows if row.task == task and row.document in names]
    run.switch = Switch(task, changed_lines(run.configuration, changed), tuple(before), tuple(after))
    same = [row.answer for row in before] == [row.answer for row in after]
    run.check(same and all(row.error is None for row in after), "the moved task answered otherwise")
    run.check({row.provider for row in after}.isdisjoint(row.provider for row in before), "the task did not move")
