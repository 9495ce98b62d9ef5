"""The table of peers: facts are judged rightly, byollm's own column is right, the README shows what was measured."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm_sandbox import serve
from tests.peers import witness
from tests.peers.adapters.common import Ask, Seen
from tests.peers.environments import LIBRARIES, ROOT, Environment, Library, environment
from tests.peers.judging import RULES, WORDS, Facts, broken, read, verdict, verdicts
from tests.peers.measure import Child, measure, play
from tests.peers.scenarios import CALLS, KEY, PLAIN, SCENARIOS, TEXT, UNICODE, USAGE
from tests.peers.table import rows

TABLE = ROOT / "tests" / "peers" / "TABLE.md"


def error(*classes: str, **more: Any) -> dict[str, Any]:
    """A made-up exception of the library `acme`."""
    facts: dict[str, Any] = {
        "text": "it went wrong",
        "attributes": {},
        "partial_in": [],
        "retry_after_header": None,
        "leaks": [],
    }
    return {"classes": [*classes, "builtins.Exception"], **facts, **more}


LIMITED = error("acme.RateLimitError", attributes={"retry_after": 1.0})
HEADER = error("openai.RateLimitError", retry_after_header="1")
DELTAS = ({"index": None, "id": "call_0", "name": "weather", "arguments": ""},)

RIGHT: dict[int, dict[str, Any]] = {
    1: {"error": error("acme.StreamInterruptedError", partial_in=["partial"])},
    2: {"error": error("acme.QuotaError")},
    3: {"calls": CALLS},
    4: {"calls": CALLS[:1], "finish": "tool_calls"},
    5: {"usage": USAGE},
    6: {"error": LIMITED, "gaps": (1.0, 1.01)},
    7: {"error": error("acme.AuthenticationError")},
    8: {"error": error("acme.ServerError", attributes={"status": 502})},
    9: {"text": UNICODE},
    10: {"error": error("acme.ContextLengthError", "acme.BadRequestError")},
    11: {"finish": "content_filter"},
    12: {"text": TEXT, "finish": "other", "raw_finish": "galaxy_brain"},
    13: {"error": error("acme.Unknown", text="no 'temprature'; did you mean temperature?")},
}

WRONG: list[tuple[int, str, dict[str, Any]]] = [
    (1, "silent", {"text": "one two "}),
    (1, "invented", {"text": "one two ", "finish": "stop"}),
    (1, "no partial", {"error": error("acme.StreamInterruptedError")}),
    (1, "typed wrong", {"error": error("acme.ServerError")}),
    (2, "silent", {"text": "one two "}),
    (2, "typed wrong", {"error": error("acme.RateLimitError")}),
    (2, "untyped", {"error": error("acme.AcmeError")}),
    (2, "raw error", {"error": error("openai.APIError")}),
    (3, "crash", {"error": error("json.decoder.JSONDecodeError", "builtins.ValueError")}),
    (3, "passed on", {"deltas": DELTAS, "calls": (("weatherpopulation", "{}{}"),)}),
    (3, "corrupted", {"calls": (("weather", {}), ("population", {}))}),
    (4, "passed on", {"calls": CALLS[:1], "finish": "stop"}),
    (4, "untold", {"calls": CALLS[:1], "finish_exposed": False}),
    (4, "corrupted", {"finish": "stop"}),
    (4, "crash", {"error": error("builtins.NameError")}),
    (5, "dropped", {}),
    (5, "if asked", {"usage_asked": USAGE}),
    (5, "invented", {"usage": (9, 4)}),
    (6, "header only", {"error": HEADER, "gaps": (1.0,)}),
    (6, "untold", {"error": error("acme.RateLimitError"), "gaps": (1.0,)}),
    (6, "no wait", {"error": LIMITED}),
    (6, "no wait", {"error": LIMITED, "gaps": (0.5, 1.0)}),
    (6, "silent", {"gaps": (1.0,)}),
    (7, "leaks key", {"error": error("acme.AuthenticationError"), "leaks": ("text",)}),
    (8, "markup", {"error": error("acme.ServerError", text="<html>", attributes={"status": 502})}),
    (8, "typed wrong", {"error": error("acme.ServerError", attributes={"status": 500})}),
    (9, "corrupted", {"text": UNICODE[:-1]}),
    (10, "raw error", {"error": error("openai.BadRequestError")}),
    (10, "typed wrong", {"error": error("acme.BadRequestError")}),
    (11, "invented", {"finish": "stop"}),
    (11, "dropped", {}),
    (12, "invented", {"text": TEXT, "finish": "stop"}),
    (12, "passed on", {"text": TEXT, "finish": "galaxy_brain"}),
    (12, "dropped", {"text": TEXT}),
    (13, "sent", {"bodies": ({"temprature": 0.2},), "error": error("acme.BadRequestError", text="temperature?")}),
    (13, "dropped", {"text": TEXT, "bodies": ({"model": "a"},)}),
    (13, "no hint", {"error": error("builtins.TypeError", text="unexpected keyword argument 'temprature'")}),
    (9, "hangs", {"hung": True}),
    (9, "crash", {"died": True}),
]


@pytest.mark.parametrize("number", RIGHT)
def test_the_right_answer_is_called_right(number: int):
    """Made-up facts of the right answer to each scenario are judged right."""
    assert "right" == verdict(number, Facts(own=("acme",), **RIGHT[number]))


@pytest.mark.parametrize("number, word, facts", WRONG)
def test_a_wrong_answer_gets_its_word(number: int, word: str, facts: dict[str, Any]):
    """Made-up facts of a wrong answer are judged by what is wrong with them."""
    assert word == verdict(number, Facts(own=("acme",), **facts))


@pytest.mark.parametrize("number", RULES)
def test_nothing_at_all_is_never_right(number: int):
    """An empty answer, and an exception out of the blue, are right in no scenario."""
    nothing = verdict(number, Facts(own=("acme",)))
    surprise = verdict(number, Facts(own=("acme",), error=error("builtins.KeyError"), leaks=("text",)))

    assert "right" not in (nothing, surprise)


CLASSES = (
    "acme.AcmeError",
    "acme.RateLimitError",
    "openai.APIError",
    "builtins.KeyError",
    "acme.StreamInterruptedError",
)
ERRORS = st.builds(error, st.sampled_from(CLASSES), text=st.sampled_from(["", "temperature", "<html>"]))
ANY = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["", TEXT, UNICODE]),
        "calls": st.sampled_from([(), CALLS, CALLS[:1], CALLS[::-1]]),
        "finish": st.sampled_from([None, "stop", "tool_calls", "other", "galaxy_brain", "content_filter"]),
        "raw_finish": st.sampled_from([None, "stop", "galaxy_brain"]),
        "finish_exposed": st.booleans(),
        "usage": st.sampled_from([None, USAGE, (0, 0)]),
        "error": st.one_of(st.none(), ERRORS),
        "gaps": st.lists(st.floats(0, 2), max_size=2).map(tuple),
        "bodies": st.sampled_from([(), ({"temprature": 0.2},), ({},)]),
    },
)


@pytest.mark.parametrize("number", RULES)
@given(facts=ANY)
def test_whatever_is_recorded_gets_a_word(number: int, facts: dict[str, Any]):
    """No combination of facts falls between the rules."""
    assert verdict(number, Facts(own=("acme",), **facts)) in WORDS


def test_every_verdict_is_explained():
    """The rules use the words of the legend, and each of them."""
    used = {word for rules in RULES.values() for word, _ in rules}

    assert set(WORDS) - {"hangs"} == used


def test_every_scenario_has_rules():
    """Thirteen rows, each with rules."""
    assert list(range(1, 14)) == [scenario.number for scenario in SCENARIOS] == list(RULES)


def test_recorded_facts_are_read_as_they_stand():
    """Arguments become values; usage, request bodies and the second asking are found."""
    recorded = {
        "calls": [{"name": "f", "arguments": '{"a": 1}'}, {"name": "g", "arguments": "{"}],
        "usage": [1, 2],
        "asked": {"usage": [3, 4]},
        "requests": [{"status": 200, "body": {"model": "m"}}],
    }

    facts = read(recorded, ("acme",))

    assert (("f", {"a": 1}), ("g", "{")) == facts.calls
    assert ((1, 2), (3, 4), ({"model": "m"},)) == (facts.usage, facts.usage_asked, facts.bodies)


@pytest.mark.parametrize("text", [KEY, f"key {KEY[5:17]} …", "c2stY2FuYXJ5LVpxN1h2MkxtOVJ0NFdi"])
def test_a_piece_of_the_key_is_found(text: str):
    """Twelve characters of it are enough, as it is or in base64."""
    assert ["there"] == witness.leaks({"there": text, "elsewhere": KEY[:11]}, KEY)


def complete(ask: Ask, seen: Seen) -> None:
    """An adapter that wants to go where it may not; without a key, one that dies; with tools, one that hangs."""
    if ask.tools:
        threading.Event().wait()
    if ask.parameters:
        os._exit(3)
    seen.text = "before"
    print("a word to the wise")
    socket.create_connection(("example.com", 80), timeout=1)


stream = complete

NAUGHTY = Library("naughty", "tests.test_peers", "pytest", (), ("acme",))


@pytest.fixture
def child(tmp_path: Path):
    """The adapter of this file, in a process of its own, given half a second a call."""
    made = Child(NAUGHTY, Environment(Path(sys.executable)), tmp_path)
    made.limit = 0.5
    yield made
    made.process.kill()
    made.close()


def test_a_library_reaches_this_machine_only(child: Child):
    """Another host is refused and noted; what was printed, and what came before the error, is kept."""
    child.limit = 30
    with serve() as twin:
        facts = play(PLAIN[0], child, twin)

    assert (["example.com"], "before") == (facts["refused_hosts"], facts["text"])
    assert "builtins.OSError" == facts["error"]["classes"][0]
    assert "a word to the wise" in facts["printed"]


def test_a_library_that_hangs_is_said_to_hang(child: Child):
    """No answer within the limit is a verdict of its own."""
    with serve() as twin:
        facts = play(SCENARIOS[2], child, twin)

    assert "hangs" == verdict(3, read(facts, ("acme",)))


def test_a_library_that_dies_is_said_to_crash(child: Child):
    """A process that ends without an answer is told from one that is slow."""
    child.limit = 30
    with serve() as twin:
        facts = play(SCENARIOS[12], child, twin)

    assert 3 == facts["died"]
    assert "crash" == verdict(13, read(facts, ("acme",)))


def test_our_own_column_is_right():
    """byollm, measured as the others are, gives the right answer in all thirteen, and asks for no other host."""
    ours = LIBRARIES[-1]

    measured = measure(ours, environment(ours))

    assert [] == broken(measured)
    assert dict.fromkeys(RULES, "right") == verdicts(measured)
    assert [] == [host for facts in measured["scenarios"].values() for host in facts["refused_hosts"]]


def cells() -> list[list[str]]:
    """The table of TABLE.md."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_has_the_rows_and_columns_that_are_measured():
    """Thirteen scenarios, six peers and us, words of the legend only, and no line wider than 120 characters."""
    expected = rows({})
    head, _, *body = cells()

    assert expected[0] == head
    assert [row[0] for row in expected[1:]] == [row[0] for row in body]
    assert set() == {word for row in body for word in row[1:]} - set(WORDS)
    assert 120 >= max(len(line) for line in TABLE.read_text("utf-8").splitlines())


def test_the_table_is_of_the_pinned_versions():
    """Each peer's version in TABLE.md is the one that `make peers` installs, and a date is given."""
    text = " ".join(TABLE.read_text("utf-8").split())
    wanted = [library.requirements[0] for library in LIBRARIES if library.requirements]
    pinned = [re.sub(r"\[\w+\]", "", requirement).replace("==", " ") for requirement in wanted]

    assert [] == [words for words in pinned if f"{words}," not in text]
    assert re.search(r"Measured on \d{4}-\d\d-\d\d with CPython 3\.\d+", text)


def test_the_table_shows_our_column_right():
    """What TABLE.md says of byollm is what the test above measures."""
    assert ["right"] * 13 == [row[-1] for row in cells()[2:]]


def test_the_readme_shows_the_measured_table():
    """Between its markers, the README has the block of TABLE.md, unchanged."""
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r"<!-- peers -->\n(.*?)<!-- /peers -->", readme, re.DOTALL)

    assert readme.count("<!-- peers -->") == len(shown)
    assert [] == [block for block in shown if block.strip() != TABLE.read_text("utf-8").strip()]
