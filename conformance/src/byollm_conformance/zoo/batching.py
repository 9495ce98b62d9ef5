"""A plugin with batches and without a fault, and faults with what goes in a batch."""
# ruff: noqa: D102, D106  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import byollm.plugin as b
from byollm.plugin import checked
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.reference import Reference


class Batching:
    """The batches of one deployment: wrapped, sent, looked for, read, deleted. Faults override its methods."""

    most = 1_000
    most_bytes = 1_000_000

    def __init__(self, url: str, headers: Any, fail: Any) -> None:
        self.url, self.headers, self.fail = url, headers, fail
        self.auth: b.AuthScheme = b.Bearer()

    def submit(self, items: Sequence[b.BatchItem]) -> b.Exchange[Any]:
        """All requests in one body."""
        lines = [b'{"custom_id":%b,"body":%b}' % (b.dump_json(item.key), self.body(item)) for item in items]
        return self.asked("POST", self.url, self.job, b'{"requests":[%b]}' % b",".join(lines))

    def look(self, job: b.BatchJob) -> b.Exchange[Any]:
        """How far it is."""
        return self.asked("GET", self.place(job), self.job)

    def answers(self, job: b.BatchJob) -> b.Exchange[Any]:
        """A line for each."""
        return replace(self.asked("GET", f"{self.place(job)}/results", self.answer), framing="ndjson")

    def cancel(self, job: b.BatchJob) -> b.Exchange[Any]:
        """Its end, soon."""
        return self.asked("POST", f"{self.place(job)}/cancel", self.job)

    def forget(self, job: b.BatchJob) -> b.Exchange[Any] | None:
        """Nothing stays."""
        return self.asked("DELETE", self.place(job), lambda frame: [])

    def asked(self, method: str, url: str, read: Any, body: bytes = b"") -> b.Exchange[Any]:
        """One exchange."""
        request = b.HttpRequest(method, url, self.headers, body)
        return b.Exchange(request=request, reader=lambda head: read, framing="json", auth=self.auth, fail=self.fail)

    def place(self, job: b.BatchJob) -> str:
        """Where a batch is."""
        return f"{self.url}/{b.path_segment(job.id)}"

    def body(self, item: b.BatchItem) -> bytes:
        """One request's."""
        return item.request.body

    def job(self, frame: b.Frame) -> list[b.BatchJob]:
        """What is told of a batch."""
        found = checked.mapping(frame.data, "the batch")
        state, counts = found.get("state"), checked.mapping(found.get("counts"), "counts")
        told, failed = checked.count(counts.get("told"), "told"), state == "failed"
        problem = (checked.text(found.get("problem"), "problem") or "it failed") if failed else ""
        id_, files = checked.identifier(found.get("id"), "id"), self.files(found)
        return [b.BatchJob(id_, ended=failed or state == "ended", told=told, failed=problem, files=files)]

    def files(self, found: Any) -> dict[str, str]:
        """What else is to be kept of it."""
        return {}

    def answer(self, frame: b.Frame) -> list[b.BatchAnswer]:
        """A line."""
        line = checked.mapping(frame.data, "an answer")
        key, status = checked.text(line.get("custom_id"), "custom_id"), line.get("status")
        if status is None:
            return [b.BatchAnswer(key, None)]
        known = type(status) is int and 100 <= status <= 599
        return [b.BatchAnswer(key, status if known else 500, line.get("body"))]


class BatchReference(Reference):
    """The reference with a fourth hook."""

    Batching: Any = Batching

    @b.hookimpl
    def batch(self, target: b.Target) -> Any:
        """Its batches."""
        url = b.join_url(target.endpoint, "/batches", base_path="/v1")
        headers = (("content-type", "application/json"), ("accept", "application/json"))
        return self.Batching(url, headers, lambda failure: self.refusal(failure.document, failure.status))


batch_reference: Final = BatchReference()


@fault("BAT-01", alone=True)
class NotesByChance(BatchReference):
    """Puts a number that nobody knows into each submission."""

    class Batching(Batching):
        def submit(self, items: Sequence[b.BatchItem]) -> b.Exchange[Any]:
            made = super().submit(items)
            body = b'{"note":"%b",%b' % (uuid.uuid4().hex.encode(), made.request.body[1:])
            return replace(made, request=replace(made.request, body=body))


@fault("BAT-01")
class BatchesNowAndThen(BatchReference):
    """Has batches until it was asked so often."""

    left = 1

    @b.hookimpl
    def batch(self, target: b.Target) -> Any:
        self.left = (self.left + 1) % 3
        return super().batch(target) if self.left != 1 else None


@fault("BAT-02", alone=True)
class CoolsBatchesDown(BatchReference):
    """Leaves the temperature out of what goes in a batch."""

    class Batching(Batching):
        def body(self, item: b.BatchItem) -> bytes:
            kept = {name: value for name, value in json.loads(item.request.body).items() if name != "temperature"}
            return b.dump_json(kept)


@fault("BAT-02")
class OneRequestForAll(BatchReference):
    """Sends the first request under every key."""

    class Batching(Batching):
        def submit(self, items: Sequence[b.BatchItem]) -> b.Exchange[Any]:
            return super().submit([replace(item, request=items[0].request) for item in items])


@fault("BAT-03", alone=True)
class PromisesRoom(BatchReference):
    """Announces as many bytes as the provider takes, and forgets its own wrapping."""

    class Batching(Batching):
        most_bytes = 1_200_000


@fault("BAT-04")
class BatchesElsewhere(BatchReference):
    """Sends batches to a host that nobody declared."""

    class Batching(Batching):
        def __init__(self, url: str, headers: Any, fail: Any) -> None:
            super().__init__("https://batches.example.net/v1/batches", headers, fail)


@fault("BAT-04", alone=True)
class BatchesAtHome(BatchReference):
    """Sends batches to the vendor, whatever endpoint is configured."""

    class Batching(Batching):
        def __init__(self, url: str, headers: Any, fail: Any) -> None:
            super().__init__("https://reference.example.com/v1/batches", headers, fail)


@fault("BAT-05", alone=True)
class AnotherHeaderForBatches(BatchReference):
    """Sends the key of batches in one header more."""

    class Doubling(b.Bearer):
        fixed = False

        def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
            more = {"x-batch-key": context.secret("api_key")} if "/batches" in request.url else {}
            return {**(yield from super().flow(request, context)), **more}

    manifest = replace(Reference.manifest, authentication={"bearer-token": Doubling()})


@fault("BAT-06")
class OnlyLooksAtIt(BatchReference):
    """Looks at a batch that is to be cancelled."""

    class Batching(Batching):
        def cancel(self, job: b.BatchJob) -> b.Exchange[Any]:
            return self.look(job)


@fault("BAT-06", alone=True)
class ForgetsNothing(BatchReference):
    """Looks at a batch that is to be deleted."""

    class Batching(Batching):
        def forget(self, job: b.BatchJob) -> b.Exchange[Any]:
            return self.look(job)
