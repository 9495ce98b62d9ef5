"""One decision, two drivers: whatever happens, the steps and the outcome are the same."""

from typing import Any

import pytest
from core_driving import Acme, Answer, Script, line, refused, run, run_async, said, sse
from core_strategies import cuts
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm.transports.base import Broken

OK = said("hel", "lo")
CUT = Answer(200, [sse({"id": "a1"}, {"t": "hel"}), Broken("reset", "yes")])
ENDED = Answer(200, [sse({"id": "a1"}, {"t": "hel"})])
EARLY = Answer(200, [sse({"id": "a1"}), Broken("reset", "yes")])
IN_BAND = Answer(200, [sse({"id": "a1"}, {"error": "no credit"})])
IN_BAND_LATE = Answer(200, [sse({"id": "a1"}, {"t": "hel"}, {"error": "no credit"})])
GARBAGE = Answer(200, [b"data: {oops}\n\n"])
EMPTY = Answer(200, [])
AFTER = Answer(200, [sse({"id": "a1"}, {"t": "hi"}, {"f": "stop"}), Broken("reset", "yes")])
BUSY, ILL, SLOW, BAD, KEY = refused(503), refused(500), refused(429, retry_after="7"), refused(400), refused(401)
NO_WAY, LOST, LATE = Broken("connect", "no"), Broken("reset", "yes"), Broken("timeout_first_byte", "yes")

FAULTS: dict[str, list[Any]] = {
    "ok": [OK], "503 then ok": [BUSY, OK], "500 twice then ok": [ILL, ILL, OK], "500 for ever": [ILL],
    "429 with a wait": [SLOW, OK], "400": [BAD], "401": [KEY], "no connection then ok": [NO_WAY, OK],
    "lost after sending": [LOST, OK], "first byte late": [LATE, OK], "cut before content": [EARLY, OK],
    "cut after content": [CUT, OK], "ended after content": [ENDED, OK], "in-band error": [IN_BAND, OK],
    "in-band error after content": [IN_BAND_LATE, OK], "garbage": [GARBAGE, OK], "empty": [EMPTY, OK],
    "broken after the end": [AFTER], "cancelled": [Broken("cancelled", "yes")], "deadline": [Broken("deadline", "yes")],
    "refused address": [Broken("refused", "no")], "too large": [Broken("too_large", "yes")],
    "markup": [Answer(502, [b"<html>no</html>"], {})], "redirect": [refused(302)],
    "half an error": [Answer(500, [LOST])],
}  # fmt: skip


def both(answers: list[Any], lines: int = 1, **details: Any) -> Any:
    """One call under each driver, on fresh lines; they must agree in every step, and in the outcome."""
    runs = [
        call([line(name=f"d{number}") for number in range(lines)], Script(*answers), **details)
        for call in (run, run_async)
    ]

    assert runs[0].trace == runs[1].trace
    assert runs[0].outcome() == runs[1].outcome()
    assert runs[0].clock.slept == runs[1].clock.slept
    return runs[0]


@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_both_drivers_make_the_same_steps(fault: str, stream: bool, lines: int):
    """Twenty-five ways to fail or not, streamed and whole, alone and with others to turn to."""
    done = both(FAULTS[fault], lines, stream=stream, timeout=100)

    assert (done.reply is None) != (done.error is None)


anything = st.sampled_from([*(answer for answers in FAULTS.values() for answer in answers)])


@settings(max_examples=150, deadline=None)
@given(st.lists(anything, min_size=1, max_size=6), st.integers(1, 3), st.booleans(), st.sampled_from([None, 5, 100]))
def test_any_sequence_of_faults_is_the_same_to_both(answers: list[Any], lines: int, stream: bool, timeout: Any):
    """Whatever comes after whatever."""
    done = both(answers, lines, stream=stream, timeout=timeout)

    assert len(done.opened) <= 5
    assert done.reply is not None or done.error is not None


@settings(max_examples=60, deadline=None)
@given(st.data(), st.text(max_size=20), st.sampled_from([(), ("lo",), ("a", "é")]))
def test_a_stream_and_a_whole_answer_are_equal_however_they_are_cut(data: st.DataObject, text: str, stop: Any):
    """The events of any portions make the answer of one document."""
    body = sse({"id": "a1", "model": "m"}, *({"t": letter} for letter in text or "-"), {"out": 1}, {"f": "stop"})
    pieces = data.draw(cuts(body))
    whole = both([Answer(200, [body])])
    cut = both([Answer(200, pieces)], stream=True)

    assert whole.reply is not None and cut.reply is not None  # noqa: PT018  # neither may fail
    assert (whole.reply.parts, whole.reply.usage) == (cut.reply.parts, cut.reply.usage)


def test_a_json_answer_gives_its_document():
    """`raw` is the document of a whole answer, and None for a stream."""
    document = {"id": "a1", "t": "hi", "f": "stop"}
    answer = Answer(200, [str(document).replace("'", '"').encode()], {"content-type": "application/json"})

    assert document == both([answer]).reply.raw
    assert both([OK]).reply.raw is None


def test_plugins_are_asked_alike():
    """Both drivers let the plugin translate once an attempt."""
    asked = []
    for call in (run, run_async):
        plugin = Acme()
        call(line(plugin), Script(ILL, OK))
        asked.append([it.messages for it in plugin.asked])

    assert 2 == len(asked[0])
    assert asked[0] == asked[1]
