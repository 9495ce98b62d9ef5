"""Faults of streams: read otherwise than the whole document, cut in silence, or by decoders of the plugin's own."""
# ruff: noqa: D102, D106  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import byollm.plugin as b
from byollm.wire.framing import DECODERS, SseDecoder
from byollm_conformance.zoo import reader
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.reference import Reference


@fault("STR-01")
class StreamsCountOtherwise(Reference):
    """Takes input for output where the counts come in a chunk of their own."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            told = data.get("usage")
            if told and not data.get("choices"):
                data = {**data, "usage": {**told, "prompt_tokens": told["completion_tokens"]}}
            return super().events(data)


@fault("STR-07")
class EndIsSuccess(Reference):
    """Says that the answer is finished after every delta, so that a stream that ends anywhere is a success."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            found = super().events(data)
            finished = any(type(event) is b.Finished for event in found)
            return found if finished or not self.started else [*found, b.Finished("stop", "stop")]


@fault("STR-09")
class ZeroUntilTold(Reference):
    """Counts 0 tokens of a stream until the counts come."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            begun = self.started
            found = super().events(data)
            chunk = "delta" in (data.get("choices") or [{}])[0]
            return [*found, b.UsageReported(b.Usage(0, 0))] if chunk and not begun and self.started else found


@fault("STR-10")
class ErrorsBeforeContentOnly(Reference):
    """Looks for errors only until the answer began."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            return super().events({**data, "error": None} if self.started else data)


@fault("STR-21")
class FinishHealsErrors(Reference):
    """Raises an error when the next chunk comes, and not at all when that one finishes."""

    class Reader(reader.Reader):
        held: Any = None

        def events(self, data: Any) -> list[b.Event]:
            if data.get("error") and self.started:
                self.held = data
                return []
            finish = (data.get("choices") or [{}])[0].get("finish_reason")
            return super().events(data if finish or self.held is None else self.held)


@fault("STR-11", alone=True)
class FinishesTwice(Reference):
    """Says twice that an answer is finished."""

    class Reader(reader.Reader):
        def end(self, raw: str) -> list[b.Event]:
            found = super().end(raw)
            return [*found, found[-1]]


@fault("STR-12")
class DropsBlankDeltas(Reference):
    """Drops deltas of white space alone."""

    class Reader(reader.Reader):
        def said(self, delta: Mapping[str, Any], whole: bool) -> Iterator[b.Event]:
            blank = not reader.text(delta.get("content")).strip()
            return super().said({**delta, "content": None} if blank else delta, whole)


@fault("STR-13")
class FearsNewEvents(Reference):
    """Refuses an event that it does not know."""

    class Reader(reader.Reader):
        def events(self, data: Any) -> list[b.Event]:
            if "choices" not in data and "error" not in data and self.started:
                raise b.ProtocolError("an unknown event")
            return super().events(data)


@fault("STR-14", alone=True)
class OneReaderForAll(Reference):
    """Reads all answers to one exchange with the same reader."""

    @b.hookimpl
    def complete(self, request: b.Request, target: b.Target) -> b.Exchange[b.Event]:
        exchange = super().complete(request, target)
        known = exchange.reader(b.Head(200, {}))
        return replace(exchange, reader=lambda head: known)


@fault("STR-17")
class AsksForNoCounts(Reference):
    """Does not ask for token counts of a stream."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        body.pop("stream_options", None)
        return body


@fault("STR-17")
class AddsCountsUp(Reference):
    """Adds up reports of token counts that grow."""

    class Reader(reader.Reader):
        total = 0

        def events(self, data: Any) -> list[b.Event]:
            told = data.get("usage")
            if told:
                self.total += told["completion_tokens"]
                data = {**data, "usage": {**told, "completion_tokens": self.total}}
            return super().events(data)


class Deltas(reader.Reader):
    """Sees no whole message."""

    def said(self, delta: Mapping[str, Any], whole: bool) -> Iterator[b.Event]:
        return super().said({} if whole else delta, whole)


@fault("STR-18")
class BelievesInDeltas(Reference):
    """Reads an answer to a streamed request as deltas, whatever it is."""

    @b.hookimpl
    def complete(self, request: b.Request, target: b.Target) -> b.Exchange[b.Event]:
        kind = Deltas if request.stream else self.Reader
        exchange = super().complete(request, target)
        return replace(exchange, reader=lambda head: kind(self.error, self.usage, set()).read)


@fault("STR-19")
class HoldsOneBack(Reference):
    """Gives out each delta when the next one comes."""

    class Reader(reader.Reader):
        held: tuple[b.Event, ...] = ()

        def said(self, delta: Mapping[str, Any], whole: bool) -> Iterator[b.Event]:
            for event in super().said(delta, whole):
                yield from self.held
                self.held = (event,) if type(event) is b.TextDelta else ()
                yield from () if self.held else (event,)

        def end(self, raw: str) -> list[b.Event]:
            return [*self.held, *super().end(raw)]


@fault("LAW-08", alone=True)
class JoinsAllSoFar(Reference):
    """Joins all the text there is, at every delta."""

    class Reader(reader.Reader):
        so_far = ""

        def said(self, delta: Mapping[str, Any], whole: bool) -> Iterator[b.Event]:
            self.so_far = "".join([*self.so_far, reader.text(delta.get("content"))])
            return super().said(delta, whole)


class OwnDecoder(Reference):
    """Brings a decoder of its own for events, and puts it in the place of the core's."""

    decoder: Callable[[], Any]

    def __init__(self) -> None:
        DECODERS["sse"] = type(self).decoder


@fault("STR-02")
class EventPerPiece(OwnDecoder):
    """Believes that every piece of bytes ends an event."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            yield from super().feed(piece if piece.endswith(b"\n\n") else piece + b"\n\n")


@fault("STR-03")
class LineFeedsOnly(OwnDecoder):
    """Knows one way to end a line."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            yield from super().feed(piece.replace(b"\r", b" "))


@fault("STR-03")
class WantsTheSpace(OwnDecoder):
    """Wants a space behind `data:`."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            yield from super().feed(piece.replace(b"data:{", b"note:{"))


@fault("STR-04")
class TextPerPiece(OwnDecoder):
    """Decodes each piece of bytes as text by itself."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            yield from super().feed(piece.decode("utf-8", "replace").encode())


@fault("STR-05", alone=True)
class ReplacesBadBytes(Reference):
    """Puts U+FFFD where the bytes of a stream are no text."""

    class decoder(SseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.text = __import__("codecs").getincrementaldecoder("utf-8")("replace")

        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            yield from super().feed(self.text.decode(piece).encode())

    def __init__(self) -> None:
        DECODERS["sse"] = self.decoder


@fault("STR-06")
class SkipsBadEvents(OwnDecoder):
    """Passes over an event that cannot be read."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            for event in [part + b"\n\n" for part in piece.split(b"\n\n")[:-1]] or [piece]:
                try:
                    yield from super().feed(event)
                except b.ProtocolError:
                    continue


@fault("STR-08")
class DoneIsFinish(OwnDecoder):
    """Takes the end line for the finish."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            stand_in = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}'
            yield from super().feed(piece.replace(b"data: [DONE]", stand_in))


@fault("STR-15", alone=True)
class KeepsEverything(OwnDecoder):
    """Keeps an event of any size."""

    class decoder(SseDecoder):
        def _keep(self, piece: bytes) -> None:
            self._parts.append(piece)


@fault("REC-02")
class LosesItsPlace(OwnDecoder):
    """Forgets what it had of an event when the next piece is short."""

    class decoder(SseDecoder):
        def feed(self, piece: bytes) -> Iterator[b.Frame]:
            if len(piece) < 3:
                self._parts.clear()
            yield from super().feed(piece)
