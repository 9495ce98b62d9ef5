"""An independent reader of Ollama's native chat: one document, or lines of JSON that end with the one that is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.replay.errors import classify
from tests.replay.framing import Frame
from tests.replay.values import AnswerError, Call, Expected, Tokens, parsed_arguments, whole_number

FINISH = {"stop": "stop", "": "stop", None: "stop", "length": "length"}


@dataclass(slots=True)
class Growing:
    """An answer while it grows."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    for frame in frames:
        line = frame.value
        if "error" in line:
            error, rule = classify(500, line, {})
            raise AnswerError(error or "ServerError", f"an error line, rule {rule}")
        message = line["message"]
        growing.text.append(message.get("content") or "")
        growing.thinking.append(message.get("thinking") or "")
        for call in message.get("tool_calls") or ():
            function = call["function"]
            growing.calls.append(Call(function["name"], parsed_arguments(function.get("arguments"))))
        if line["done"]:
            raw = line.get("done_reason")
            finish = FINISH.get(raw, "other")
            return Expected(
                outcome="answer",
                text="".join(growing.text),
                tool_calls=tuple(growing.calls),
                finish_reason="tool_calls" if growing.calls and finish == "stop" else finish,
                raw_finish_reason=raw,
                usage=Tokens(whole_number(line.get("prompt_eval_count")), whole_number(line.get("eval_count"))),
                reasoning="".join(growing.thinking),
            )
    raise AnswerError("StreamInterruptedError", "no line was done")
