"""Faults with what comes back from a batch."""
# ruff: noqa: D102, D106, RUF012  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import byollm.plugin as b
from byollm_conformance.zoo.batching import Batching, BatchReference
from byollm_conformance.zoo.fault import fault


class Reads(Batching):
    """Reads answers otherwise."""

    def answer(self, frame: b.Frame) -> list[b.BatchAnswer]:
        return [made for it in super().answer(frame) for made in self.made(it, frame.data)]

    def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
        """What becomes of an answer."""
        return [answer]


@fault("BAT-07")
class TakesTheirOrder(BatchReference):
    """Gives the first answer to the first request, whatever key it bears."""

    class Batching(Batching):
        keys: list[str] = []

        def submit(self, items: Sequence[b.BatchItem]) -> b.Exchange[Any]:
            self.keys = [item.key for item in items]
            return super().submit(items)

        def answer(self, frame: b.Frame) -> list[b.BatchAnswer]:
            found = super().answer(frame)
            return [replace(it, key=self.keys.pop(0)) if self.keys else it for it in found]


@fault("BAT-07")
class DropsTheLast(BatchReference):
    """Reads an answer when the next one comes, and so never the last."""

    class Batching(Batching):
        def answers(self, job: b.BatchJob) -> b.Exchange[Any]:
            held: dict[str, list[b.BatchAnswer]] = {}

            def read(frame: b.Frame) -> list[b.BatchAnswer]:
                before, held["now"] = held.get("now", []), self.answer(frame)
                return before

            return replace(super().answers(job), reader=lambda head: read)


@fault("BAT-07")
class ShortensKeys(BatchReference):
    """Cuts keys at forty letters."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            return [replace(answer, key=answer.key[:40])]


@fault("BAT-08", alone=True)
class ExpiredIsEmpty(BatchReference):
    """Takes a request that expired for one with an empty answer."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            message = {"role": "assistant", "content": ""}
            empty = {"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            return [replace(answer, status=200, document=empty) if line.get("why") == "expired" else answer]


@fault("BAT-08", alone=True)
class CancelledIsRefused(BatchReference):
    """Takes a request that was cancelled for one that failed."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            return [replace(answer, status=500) if line.get("why") == "cancelled" else answer]


@fault("BAT-09", alone=True)
class BatchesAreFree(BatchReference):
    """Leaves the token counts out of what comes from a batch."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            document = answer.document if isinstance(answer.document, dict) else {}
            return [replace(answer, document={**document, "usage": None}) if "usage" in document else answer]


@fault("BAT-09", alone=True)
class BatchesCallNoTools(BatchReference):
    """Takes calls out of an answer from a batch."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            document = answer.document if isinstance(answer.document, dict) else {}
            choices = document.get("choices")
            for choice in choices if isinstance(choices, list) else ():
                if isinstance(choice, dict) and isinstance(choice.get("message"), dict):
                    choice["message"].pop("tool_calls", None)
            return [answer]


@fault("BAT-10", alone=True)
class RefusalsAreOurs(BatchReference):
    """Takes every refusal in a batch for an error of the server's."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            return [replace(answer, status=500) if answer.status not in (None, 200) else answer]


@fault("BAT-10", alone=True)
class RefusedIsUndone(BatchReference):
    """Takes a refusal in a batch for a request that was never done."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            return [answer if answer.status == 200 else b.BatchAnswer(answer.key, None)]


@fault("BAT-10", alone=True)
class BatchesHaveNoWords(BatchReference):
    """Leaves refusals of batches to their status."""

    @b.hookimpl
    def batch(self, target: b.Target) -> Any:
        made = super().batch(target)
        made.fail = None
        return made


class Tells(Batching):
    """Reads what is told of a batch otherwise."""

    def job(self, frame: b.Frame) -> list[b.BatchJob]:
        return [self.seen(job, frame.data) for job in super().job(frame)]

    def seen(self, job: b.BatchJob, found: Any) -> b.BatchJob:
        """What becomes of it."""
        return job


@fault("BAT-11")
class OverWhenCancelled(BatchReference):
    """Takes a batch that is being cancelled for one that has ended."""

    class Batching(Tells):
        def seen(self, job: b.BatchJob, found: Any) -> b.BatchJob:
            return replace(job, ended=job.ended or found.get("state") == "cancelling")


@fault("BAT-11", alone=True)
class CountsOneMore(BatchReference):
    """Tells of one answer more than there are."""

    class Batching(Tells):
        def seen(self, job: b.BatchJob, found: Any) -> b.BatchJob:
            return replace(job, told=job.told + 1 if job.told else job.told)


@fault("BAT-11", alone=True)
class FailsInSilence(BatchReference):
    """Does not say why a batch failed."""

    class Batching(Tells):
        def seen(self, job: b.BatchJob, found: Any) -> b.BatchJob:
            return replace(job, failed="no" if job.failed else "")


@fault("BAT-12", alone=True)
class FollowsTheAddress(BatchReference):
    """Asks for answers wherever the provider says that they are."""

    class Batching(Batching):
        def files(self, found: Any) -> dict[str, str]:
            place = found.get("results_url")
            return {"results": place} if isinstance(place, str) and place.startswith("https://") else {}

        def answers(self, job: b.BatchJob) -> b.Exchange[Any]:
            made = super().answers(job)
            return replace(made, request=replace(made.request, url=job.files.get("results", made.request.url)))


@fault("BAT-12", alone=True)
class ClimbsWithAName(BatchReference):
    """Puts a batch's name into the path as it is."""

    class Batching(Batching):
        def place(self, job: b.BatchJob) -> str:
            return f"{self.url}/{job.id}"


@fault("BAT-13", alone=True)
class TrustsEveryLine(BatchReference):
    """Believes that every line has a key."""

    class Batching(Batching):
        def answer(self, frame: b.Frame) -> list[b.BatchAnswer]:
            return super().answer(frame) if frame.data["custom_id"] else []


@fault("BAT-13", alone=True)
class BelievesAnyStatus(BatchReference):
    """Takes the status of an answer as it comes."""

    class Batching(Reads):
        def made(self, answer: b.BatchAnswer, line: Any) -> list[b.BatchAnswer]:
            return [replace(answer, status=line.get("status"))]
