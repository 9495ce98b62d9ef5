"""The other end of the reference plugin: Chat Completions, and thoughts that are signed, as gateways have them."""

from __future__ import annotations

import datetime
import json
from typing import Any

from byollm.errors import RateLimitError
from byollm.types.parts import Reasoning, ToolCall
from byollm.types.usage import Usage
from byollm_conformance.recorded import Recording
from byollm_conformance.wire import BatchEnd, BatchPlan
from byollm_conformance.wires.generic import GenericWire
from byollm_conformance.wires.openai_chat import read_request
from byollm_conformance.zoo.batch_end import ZooBatches
from byollm_sandbox.answers import Answer, state_of
from byollm_sandbox.dialects import OpenAIChat
from byollm_sandbox.dialects.base import Call
from byollm_sandbox.wire import Frame, dump


class SignedChat(OpenAIChat):
    """`reasoning_signature` stands beside `reasoning_content`."""

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """The whole answer."""
        document = super().document(answer, call)
        for choice in document["choices"] if _signature(answer) else ():
            choice["message"]["reasoning_signature"] = _signature(answer)
        return document

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """The signature comes before the finish."""
        frames = super().stream(answer, call)
        at = next(index for index, frame in enumerate(frames) if frame.role == "finish")
        if _signature(answer):
            chunk = json.loads(frames[at].data)
            chunk["choices"] = [
                {"index": 0, "delta": {"reasoning_signature": _signature(answer)}, "finish_reason": None}
            ]
            frames.insert(at, Frame(dump(chunk)))
        return frames


def _signature(answer: Answer) -> str:
    states = [state_of(part) for part in answer.parts if isinstance(part, Reasoning)]
    return str(next((state[""] for state in states if state.get("")), ""))


class ZooWire(GenericWire):
    """With batches of its own."""

    def batches(self, plan: BatchPlan) -> BatchEnd | None:
        """One resource."""
        return ZooBatches(self, plan)


def zoo_wire() -> GenericWire:
    """Fresh; it tolerates what servers of the dialect tolerate."""
    return ZooWire(SignedChat(), read_request, model="a-model", strict=False)


def recordings(wire: GenericWire) -> list[Recording]:
    """A text and a call, whole and streamed, and a refusal: as their author would record and describe them."""
    text = Answer(parts=("Hello there.",), usage=Usage(9, 3), events=4)
    call = Answer(parts=(ToolCall("call_1", "look_up", '{"word":"tea"}'),), usage=Usage(20, 8), events=5)
    told = {"input_tokens": 9, "output_tokens": 3, "text": "Hello there.", "finish_reason": "stop"}
    called = {"tool_calls": [{"name": "look_up", "args": {"word": "tea"}}], "finish_reason": "tool_calls"}
    made: list[tuple[Any, bool, dict[str, Any]]] = [
        (wire.render(answer, stream), stream, expect)
        for answer, expect in ((text, told), (call, called))
        for stream in (False, True)
    ]
    made.append((wire.render_error(RateLimitError("")), False, {"error": "RateLimitError"}))
    return [
        Recording(
            file=f"recording-{number}.json",
            api="chat",
            stream=stream,
            recorded=datetime.date(2026, 11, 21),
            source="the zoo's own wire",
            status=rendered.status,
            headers=rendered.headers,
            pieces=tuple([piece.data for piece in rendered.pieces]),
            expect=expect,
        )
        for number, (rendered, stream, expect) in enumerate(made)
    ]
