"""The other end of the reference plugin: Chat Completions, and thoughts that are signed, as gateways have them."""

from __future__ import annotations

import json
from typing import Any

from byollm.types.parts import Reasoning
from byollm_conformance.wires.generic import GenericWire
from byollm_conformance.wires.openai_chat import read_request
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


def zoo_wire() -> GenericWire:
    """Fresh; it tolerates what servers of the dialect tolerate."""
    return GenericWire(SignedChat(), read_request, model="a-model", strict=False)
