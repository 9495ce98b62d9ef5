"""Scripts: what is queued is answered, in order, in every dialect."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from sandbox_asking import Asker, body_for

from byollm.errors import OverloadedError, ProtocolError, ProviderConnectionError, RateLimitError
from byollm.types.parts import Image, Text, ToolCall
from byollm_sandbox import Answer, Fault, Raw, Recorded, Twins, serve


def text_of(document: dict[str, Any]) -> str:
    """The visible text of any dialect's document."""
    if "choices" in document:
        return str(document["choices"][0]["message"]["content"])
    blocks = document["content"] if "content" in document else document["output"][0]["content"]
    return "".join(block["text"] for block in blocks)


def test_answers_come_in_order(twin: Twins, ask: Asker, dialect: str) -> None:
    """Each request takes the next answer; nothing is left over."""
    twin.script("first", Text("second"), [Text("th"), Text("ird")], {"parts": "fourth"}, Answer(parts="fifth"))

    answers = [text_of(ask.post(dialect).json()) for _ in range(5)]

    assert ["first", "second", "third", "fourth", "fifth"] == answers
    assert 0 == twin.unused


def test_a_function_answers_what_it_makes_of_the_request(twin: Twins, ask: Asker, dialect: str) -> None:
    """A function sees the recorded request and may wait: it runs in a thread."""
    gate = threading.Event()

    def echo(request: Recorded) -> str:
        gate.wait(5)
        return f"{request.dialect} {request.json['model']}"

    twin.script(echo)
    threading.Timer(0.01, gate.set).start()

    assert f"{dialect} {body_for(dialect)['model']}" == text_of(ask.post(dialect).json())


def test_a_script_that_raises_is_a_broken_provider(twin: Twins, ask: Asker, dialect: str) -> None:
    """The caller sees 500, the test sees the exception."""

    def fail(request: Recorded) -> str:
        raise ZeroDivisionError

    twin.script(fail)

    assert 500 == ask.post(dialect).status_code
    assert ["ZeroDivisionError"] == [type(failure).__name__ for failure in twin.failures]


def test_a_part_the_dialect_cannot_say_is_a_broken_provider(twin: Twins, ask: Asker) -> None:
    """An image from Chat Completions is the script's mistake, told as such."""
    twin.script(Image(b"\x89PNG"))

    assert "TypeError" in ask.post("openai-chat").json()["error"]["message"]


def test_scripts_are_for_whom_they_name(twin: Twins, ask: Asker) -> None:
    """`name` and `dialect` narrow an answer; one for all goes to whoever comes first."""
    twin.script("for the backup", name="backup")
    twin.script("for anthropic", dialect="anthropic-messages")
    twin.script("for anyone")

    assert "for anyone" == text_of(ask.post("openai-chat").json())
    assert "for anthropic" == text_of(ask.post("anthropic-messages").json())
    assert "for the backup" == text_of(ask.post("openai-chat", name="backup").json())


def test_errors_carry_their_wait(twin: Twins, ask: Asker, dialect: str) -> None:
    """A scripted RateLimitError is 429 with the seconds to wait."""
    twin.script(RateLimitError("slow down", retry_after=7))

    reply = ask.post(dialect)

    assert (429, "7", "slow down") == (
        reply.status_code,
        reply.headers["retry-after"],
        reply.json()["error"]["message"],
    )


def test_an_error_class_stands_for_its_plain_error(twin: Twins, ask: Asker, dialect: str) -> None:
    """`script(OverloadedError)` is short for `script(OverloadedError(""))`."""
    twin.script(OverloadedError)

    assert ask.post(dialect).status_code in (503, 529)


def test_raw_bytes_are_sent_as_they_are(twin: Twins, ask: Asker, dialect: str) -> None:
    """Raw knows no dialect: status, headers and bytes are the script's."""
    twin.script(Raw(418, {"x-tea": "yes", "content-type": "text/plain"}, "short and stout"))

    reply = ask.post(dialect)

    assert (418, "yes", "short and stout") == (reply.status_code, reply.headers["x-tea"], reply.text)


def test_raw_pieces_are_chunks_with_waits(twin: Twins, ask: Asker) -> None:
    """A list is a chunked body: bytes are chunks, numbers are seconds."""
    twin.script(Raw(200, {"content-type": "text/plain"}, [b"a", 0.01, b"b"]))

    reply = ask.post("openai-chat")

    assert ("ab", "chunked") == (reply.text, reply.headers["transfer-encoding"])


def test_a_fault_may_stand_in_a_script(twin: Twins, ask: Asker, dialect: str) -> None:
    """In a queue of answers, one may be an accident."""
    twin.script(Fault("html"), "then fine")

    assert [502, 200] == [ask.post(dialect).status_code for _ in range(2)]


def test_failures_without_an_answer_are_acted_out(twin: Twins, ask: Asker, dialect: str) -> None:
    """A scripted connection error is a reset, a protocol error is JSON that does not parse."""
    twin.script(ProviderConnectionError("gone"), ProtocolError("mad"))

    with pytest.raises(httpx.ReadError):
        ask.post(dialect)
    with pytest.raises(json.JSONDecodeError):
        ask.post(dialect).json()


def test_nothing_scripted_is_the_stand_in(ask: Asker, dialect: str) -> None:
    """Without a script the rule-based model answers, and names itself."""
    document = ask.post(dialect).json()

    assert "stand-in" == document["model"]
    assert "rule-based stand-in" in text_of(document)


def test_without_stand_in_nothing_scripted_is_500(dialect: str) -> None:
    """`serve(stand_in=False)` answers only what was scripted."""
    with serve(stand_in=False) as twin:
        asker = Asker(twin)
        with asker.client:
            assert 500 == asker.post(dialect).status_code


def test_deltas_are_cut_as_asked(twin: Twins, ask: Asker) -> None:
    """`events` is characters per delta; `pieces` are the very deltas."""
    twin.script(Answer(parts="abcdef", events=4), Answer(pieces=("x", "yz")))

    def deltas() -> list[str]:
        lines = ask.stream("openai-chat").text.split("\n")
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        return [
            chunk["choices"][0]["delta"].get("content")
            for chunk in chunks
            if chunk["choices"][0]["delta"].get("content")
        ]

    assert ["abcd", "ef"] == deltas()
    assert ["x", "yz"] == deltas()


def test_unknown_members_of_an_answer_are_refused(twin: Twins) -> None:
    """A mapping with a member no answer has is the test's mistake."""
    with pytest.raises(TypeError, match="finish"):
        twin.script({"parts": "x", "finish": "stop"})


def test_tool_calls_are_told_in_every_dialect(twin: Twins, ask: Asker, dialect: str) -> None:
    """A scripted call appears with its id, name and arguments."""
    twin.script(ToolCall("call_7", "look_up", '{"q": "oslo"}'))

    body = ask.post(dialect).text

    assert "call_7" in body
    assert "look_up" in body
    assert "oslo" in body
