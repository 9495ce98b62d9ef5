"""One record an attempt at INFO, shapes at DEBUG, and never a prompt, an answer or a key."""

import logging
from typing import Any

import pytest
from core_driving import KEY, Answer, Script, line, refused, run, run_async, said

from byollm.engine.operation import Operation
from byollm.engine.wirelog import shape

ASK: Any = pytest.mark.parametrize("ask", [run, run_async])
OK = said("SECRET-ANSWER")
PROMPT = "SECRET-PROMPT"


def records(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level and record.name == "byollm"]


@ASK
def test_each_attempt_is_one_record(ask: Any, caplog: pytest.LogCaptureFixture):
    """Deployment, status, milliseconds, tokens, attempt, request id, outcome."""
    answer = Answer(200, OK.pieces, {**OK.headers, "x-request-id": "r-2"})
    with caplog.at_level(logging.INFO, "byollm"):
        ask(line(), Script(refused(500, x_request_id="r-1"), answer), PROMPT)

    found = [dict(word.split("=") for word in record.split()[2:]) for record in records(caplog, logging.INFO)]
    one, none = {"deployment": "one", "ms": "0"}, {"input_tokens": "None", "output_tokens": "None"}
    assert [
        {**one, "status": "500", **none, "request_id": "r-1", "outcome": "ServerError"},
        {**one, "status": "200", "input_tokens": "3", "output_tokens": "5", "request_id": "r-2", "outcome": "answered"},
    ] == found
    assert ["attempt 1", "attempt 2"] == [record[:9] for record in records(caplog, logging.INFO)]


@ASK
def test_debug_shows_the_shape_of_the_wire(ask: Any, caplog: pytest.LogCaptureFixture):
    """Method, URL, names of headers, keys and types of bodies; of the answer its status, headers and frames."""
    with caplog.at_level(logging.DEBUG, "byollm"):
        ask(line(headers=(("X-Own", "SECRET-HEADER"),)), Script(OK), PROMPT)

    request, answer, *frames = records(caplog, logging.DEBUG)
    assert "deployment=one request POST http://one.example/chat headers=content-type,user-agent,x-own" in request
    assert "body={model: text 2, texts: [1 × text 13], stream: boolean}" in request
    assert "answer 200 headers=content-type" in answer
    assert "frame - body={t: text 13}" in "\n".join(frames)


@ASK
@pytest.mark.parametrize("answer", [OK, refused(400, "SECRET-ANSWER"), Answer(200, [b"data: SECRET-ANSWER\n\n"])])
def test_neither_prompt_nor_answer_nor_key_is_logged(ask: Any, answer: Any, caplog: pytest.LogCaptureFixture):
    """At no level, in no argument of a record."""
    with caplog.at_level(1):
        ask(line(headers=(("X-Own", "SECRET-HEADER"),)), Script(answer), PROMPT)

    for record in caplog.records:
        text = f"{record.getMessage()} {record.args} {vars(record)}"
        assert "SECRET" not in text
        assert KEY not in text


@ASK
def test_contents_are_shown_to_whoever_asked_for_them(ask: Any, caplog: pytest.LogCaptureFixture):
    """`log_content`: prompts and answers at DEBUG, and still no key."""
    with caplog.at_level(logging.DEBUG, "byollm"):
        ask(line(), Script(OK), f"{PROMPT} {KEY}", operation=Operation(log_content=True))

    text = "\n".join(records(caplog, logging.DEBUG))
    assert "SECRET-PROMPT" in text
    assert "SECRET-ANSWER" in text
    assert KEY not in text


def test_long_contents_are_cut(caplog: pytest.LogCaptureFixture):
    """A record is for reading."""
    with caplog.at_level(logging.DEBUG, "byollm"):
        run(line(), Script(OK), "x" * 100_000, operation=Operation(log_content=True))

    assert max(map(len, records(caplog, logging.DEBUG))) < 2_200


@pytest.mark.parametrize(
    "value, shown",
    [
        (
            {"a": 1, "b": None, "c": True, "d": 1.5, "e": "xyz"},
            "{a: number, b: null, c: boolean, d: number, e: text 3}",
        ),
        ([], "[0]"),
        ([{"role": "user"}, {"role": "assistant"}], "[2 × {role: text 4}]"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}, "{a: {b: {c: {d: {e: {f: {…}}}}}}}"),
        ("text", "text 4"),
    ],
)
def test_a_shape_is_names_and_types(value: Any, shown: str):
    """Enough to see what a body is, and nothing of what it says."""
    assert shown == shape(value)
