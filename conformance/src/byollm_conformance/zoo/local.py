"""The in-process model without a fault: it answers with words, one event each, and stops when it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import byollm.plugin as b

ANSWER = ("I", " have", " been", " thinking", " about", " that", " for", " a", " while", ".")


class LocalReference:
    """Two hooks; nothing is sent."""

    manifest = b.Manifest(
        name="local-reference", default_endpoint="http://127.0.0.1:9", apis=("local",), hosts=("127.0.0.1",),
        authentication={"none": b.NoAuth()}, docs="https://reference.example.com/docs",
    )  # fmt: skip
    patient = True

    @b.hookimpl
    def capabilities(self, target: b.Target) -> b.Capabilities:
        """Text in, text out."""
        return b.Capabilities().merged({"streaming": "full", "system": "full"}, "the reference")

    @b.hookimpl
    def complete(self, request: b.Request, target: b.Target) -> b.LocalCall:
        """The model itself."""
        return b.LocalCall(self.run)

    def run(self, request: b.Request, call: b.LocalContext) -> Iterator[b.Event]:
        """Its answer."""
        for event in self.events(self.words(request)):
            if self.patient and call.cancelled:
                return
            yield event

    def words(self, request: b.Request) -> list[str]:
        """What it says."""
        return list(ANSWER)

    def events(self, words: list[str]) -> Iterator[b.Event]:
        """How it says it."""
        yield b.Started("local-1", "local-reference")
        for word in words:
            yield b.TextDelta(0, word)
        yield b.UsageReported(b.Usage(3, len(words)))
        yield b.Finished("stop", "stop")


local_reference = LocalReference()
