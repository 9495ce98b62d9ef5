"""Faults of readers: the answer is not what the provider said."""
# ruff: noqa: D102, D106  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import byollm.plugin as b
from byollm_conformance.zoo import reader
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.reference import Reference


@fault("RSP-01")
class TrimsDocuments(Reference):
    """Trims the text of whole documents."""

    class Reader(reader.Reader):
        def said(self, delta: Mapping[str, Any], whole: bool) -> Iterator[b.Event]:
            trimmed = {**delta, "content": reader.text(delta.get("content")).strip()} if whole else delta
            return super().said(trimmed, whole)


@fault("RSP-02")
class NewFinishIsStop(Reference):
    """Takes a finish it does not know for an ordinary one."""

    class Reader(reader.Reader):
        def end(self, raw: str) -> list[b.Event]:
            return super().end(raw if raw in reader.REASONS else "stop")


@fault("RSP-02", alone=True)
class NoFinishIsStop(Reference):
    """Takes a whole document without a finish for a finished one."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            found = super().events(data)
            silent = "message" in (data.get("choices") or [{}])[0] and not self.finished
            return found + self.end("stop") if silent else found


@fault("RSP-03")
class FearsNewMembers(Reference):
    """Refuses a chunk with a member it does not know."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            if any(name.startswith("zz") for name in data):
                raise b.ProtocolError("an unknown member")
            return super().events(data)


@fault("RSP-04")
class TakesTheFirstChoice(Reference):
    """Of several choices it takes the first."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            choices = [choice for choice in data.get("choices") or [] if not choice.get("index")]
            return super().events({**data, "choices": choices[:1]})


@fault("RSP-05")
class ErrorsAreServerErrors(Reference):
    """Reads every error inside an answer as the server's."""

    def error(self, document: Any, status: int | None) -> b.ProviderError:
        return b.ServerError(str(document["error"]))


@fault("RSP-06")
class AnythingIsAnAnswer(Reference):
    """Takes a document that is no answer for its text."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            if "hello" in data and not self.started:
                return [b.Started(), b.TextDelta(1, json.dumps(data)), b.Finished("stop", "stop")]
            return super().events(data)


@fault("RSP-07")
class ForgetsWhoAnswered(Reference):
    """Does not tell which model answered."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            return super().events({**data, "model": None})


@fault("RSP-08")
class LetsErrorsThrough(Reference):
    """Lets whatever goes wrong in reading through to the caller."""

    class Reader(reader.Reader):
        def read(self, frame: b.Frame) -> list[b.Event]:
            return self.events(frame.data)


@fault("RSP-09")
class TrustsNames(Reference):
    """Reads a member without asking whether it is there."""

    class Reader(reader.Reader):
        def read(self, frame: b.Frame) -> list[b.Event]:
            if isinstance(frame.data, dict) and "choices" in frame.data:
                assert frame.data["object"].startswith("chat"), "not a chat answer"
            return super().read(frame)


@fault("RSP-10", alone=True)
class LooksIntoArguments(Reference):
    """Reads the arguments of a call to see whether they are whole."""

    class Reader(reader.Reader):
        def call(self, piece: Mapping[str, Any], place: int | None) -> Iterator[b.Event]:
            with contextlib.suppress(ValueError):  # it may come in pieces
                json.loads((piece.get("function") or {}).get("arguments") or "{}")
            return super().call(piece, place)


@fault("RSP-11")
class SwallowsRefusals(Reference):
    """Takes a refusal for an empty answer."""

    class Reader(reader.Reader):
        def end(self, raw: str) -> list[b.Event]:
            self.refusal.clear()
            return super().end(raw)


@fault("STC-02")
class FilterIsStop(Reference):
    """Takes a filtered answer for a whole one."""

    class Reader(reader.Reader):
        def end(self, raw: str) -> list[b.Event]:
            return super().end("stop" if raw == "content_filter" else raw)


@fault("STC-03")
class LengthIsStop(Reference):
    """Takes an answer that was cut off for a whole one."""

    class Reader(reader.Reader):
        def end(self, raw: str) -> list[b.Event]:
            return super().end("stop" if raw == "length" else raw)


@fault("TOL-04")
class LowersIds(Reference):
    """Writes the ids of calls in small letters."""

    class Reader(reader.Reader):
        def id_of(self, piece: Mapping[str, Any]) -> str:
            return super().id_of(piece).lower()


@fault("TOL-05")
class IgnoresIndexes(Reference):
    """Adds arguments to the call that began last."""

    class Reader(reader.Reader):
        def call(self, piece: Mapping[str, Any], place: int | None) -> Iterator[b.Event]:
            return super().call({name: value for name, value in piece.items() if name != "index"}, place)


@fault("TOL-06")
class OneIdForAll(Reference):
    """Gives every call that has none the same id."""

    class Reader(reader.Reader):
        def id_of(self, piece: Mapping[str, Any]) -> str:
            return reader.text(piece.get("id")) or "call_0"


@fault("TOL-07")
class ForgivesArguments(Reference):
    """Makes an empty object of arguments that cannot be read."""

    class Reader(reader.Reader):
        def call(self, piece: Mapping[str, Any], place: int | None) -> Iterator[b.Event]:
            function = piece.get("function") or {}
            bad = place is not None and not reader.text(function.get("arguments")).strip().endswith("}")
            return super().call({**piece, "function": {**function, "arguments": "{}"}} if bad else piece, place)


@fault("TOL-08")
class NullIsAWord(Reference):
    """Writes arguments of null as the word."""

    class Reader(reader.Reader):
        def call(self, piece: Mapping[str, Any], place: int | None) -> Iterator[b.Event]:
            function = piece.get("function") or {}
            empty = "arguments" in function and function["arguments"] is None
            return super().call({**piece, "function": {**function, "arguments": "null"}} if empty else piece, place)


@fault("USE-01")
class AbsentIsZero(Reference):
    """Counts 0 tokens where none are told."""

    class Reader(reader.Reader):
        def end(self, raw: str) -> list[b.Event]:
            return [b.UsageReported(b.Usage(0, 0)), *super().end(raw)] if self.quiet else super().end(raw)

        def events(self, data: Any) -> list[b.Event]:
            self.quiet = not data.get("usage") and "message" in (data.get("choices") or [{}])[0]
            return super().events(data)


@fault("USE-02")
class CacheOnTop(Reference):
    """Adds what came from the cache to an input that includes it."""

    def usage(self, told: Mapping[str, Any]) -> b.Usage:
        found = super().usage(told)
        return b.Usage((found.input_tokens or 0) + (found.cached_tokens or 0), *_rest(found))


def _rest(usage: b.Usage) -> tuple[Any, ...]:
    return usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens


@fault("USE-03")
class CountsAnything(Reference):
    """Makes a count of whatever is told."""

    def usage(self, told: Mapping[str, Any]) -> b.Usage:
        return b.Usage(*[int(told[name]) for name in ("prompt_tokens", "completion_tokens")])  # type: ignore[arg-type]  # its point


@fault("RSN-02")
class ReasoningOnTop(Reference):
    """Adds the reasoning to an output that includes it."""

    def usage(self, told: Mapping[str, Any]) -> b.Usage:
        found = super().usage(told)
        input, rest = found.input_tokens, _rest(found)
        return b.Usage(input, (rest[0] or 0) + (rest[3] or 0), *rest[1:])


@fault("LAW-04")
class TrustsTheOrder(Reference):
    """Reads the finish only where it stands behind the content."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            choice = (data.get("choices") or [{}])[0]
            late = list(choice)[:1] == ["finish_reason"]
            return super().events({**data, "choices": [{**choice, "finish_reason": None}]} if late else data)


@fault("REC-01")
class ReadsTheWrongField(Reference):
    """Takes the total for the output."""

    def usage(self, told: Mapping[str, Any]) -> b.Usage:
        return super().usage({**told, "completion_tokens": told.get("total_tokens")})
