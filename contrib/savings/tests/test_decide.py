"""The guide's decision framework: nine sentences with reasons, and unknown where nobody has said."""

from __future__ import annotations

import io
import itertools
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from savings_line import Line

from byollm_savings.decide import QUESTIONS, Fact, decide
from byollm_savings.known import operations

YES, NO = Fact(True, "said"), Fact(False, "said")
NAMES = [question.name for question in QUESTIONS if not question.number]
facts_of = st.fixed_dictionaries(
    {},
    optional={"operations": st.integers(0, 10**6).map(lambda value: Fact(value, "counted")),
              **dict.fromkeys(NAMES, st.sampled_from([YES, NO]))},
)  # fmt: skip


def all_of(value: Fact, **more: Any) -> dict[str, Fact]:
    """The same answer to everything but what is named."""
    return {"operations": Fact(5000, "counted"), **dict.fromkeys(NAMES, value), **more}


def test_there_are_the_guides_nine_sentences():
    """Five for it, four for alternatives."""
    sides = [sentence.side for sentence in decide({}).sentences]

    assert ["for"] * 5 + ["against"] * 4 == sides


def test_nobody_having_said_anything_is_unknown():
    """Every sentence is open and says how to answer it."""
    found = decide({})

    assert "unknown" == found.answer
    assert all(sentence.holds is None and sentence.ask for sentence in found.sentences)


@pytest.mark.parametrize(
    "count, high, low", [(999, False, True), (1000, False, False), (10_000, False, False), (10_001, True, False)]
)
def test_volumes_have_the_guides_borders(count: int, high: bool, low: bool):
    """More than 10,000 a month is high, fewer than 1,000 very low."""
    sentences = decide({"operations": Fact(count, "counted")}).sentences

    assert (high, low) == (sentences[0].holds, sentences[5].holds)


@pytest.mark.parametrize(
    "facts, answer",
    [
        (all_of(NO, regulated=YES), "yes"),
        (all_of(NO), "no"),
        (all_of(YES), "both"),
        (all_of(NO, capabilities=YES, little_staff=YES), "both"),
        (all_of(NO, operations=Fact(20_000, "counted"), one_vendor=YES), "both"),
        ({"little_staff": YES}, "unknown"),
        ({"regulated": YES}, "yes"),
    ],
)
def test_the_answer_follows_from_the_sentences(facts: dict[str, Fact], answer: str):
    """One side speaking is an answer, both are to be weighed, and silence is unknown."""
    assert answer == decide(facts).answer


@given(facts_of)
def test_what_is_not_known_is_never_guessed(facts: dict[str, Fact]):
    """A sentence that holds or does not rests on a fact; one that rests on nothing is open."""
    for sentence in decide(facts).sentences[:6]:
        assert (sentence.holds is None) == bool(sentence.ask)
    for name, sentence in zip(
        ["regulated", "several_clouds", "negotiating", "capabilities"], decide(facts).sentences[1:], strict=False
    ):
        assert sentence.holds == (facts[name].value if name in facts else None)


@given(facts_of, st.sampled_from(NAMES))
def test_another_fact_closes_sentences_and_opens_none(facts: dict[str, Fact], name: str):
    """Knowing more never makes less known."""
    before, after = decide(facts), decide({**facts, name: YES})
    pairs = zip(before.sentences, after.sentences, strict=True)

    assert all(new.holds is not None for old, new in pairs if old.holds is not None)


def test_no_requirements_is_the_absence_of_three_others():
    """It holds when all three are denied, and not while one is open."""
    three = ("regulated", "several_clouds", "capabilities")
    for answers in itertools.product((YES, NO, None), repeat=3):
        facts = {name: fact for name, fact in zip(three, answers, strict=True) if fact is not None}
        expected = False if YES in answers else None if None in answers else True

        assert expected is decide(facts).sentences[6].holds


def test_flags_answer_and_the_reason_is_shown(line: Line):
    """What you say is your reason."""
    _, out, _ = line("decide", "--operations", "25,000", "--regulated", "no", "--several-clouds", "yes")

    assert "holds     High volumes" in out
    assert "25,000 operations a month: you say so" in out
    assert "--negotiating yes|no" in out
    assert "yes: 2 of 5 reasons" in out.splitlines()[-1]


def test_the_configuration_answers_what_it_really_says(line: Line):
    """Rules, clouds and models per task are facts; what it does not say stays open."""
    line.file(
        "llm.yaml",
        """llm_config:
  policies: {approved_providers: [azure, bedrock]}
  analysis: {provider: azure, model: gpt-5.4, endpoint: "https://x.openai.azure.com", region: eastus}
  speed: {provider: bedrock, model: "anthropic.claude-haiku-4-5-20251001-v1:0", region: us-east-1}
""",
    )
    found = {it["says"]: it for it in line.json("decide")["sentences"]}
    reasons = [it["because"] for it in found.values() if it["holds"]]

    assert ["llm.yaml asks for approved providers only", "llm.yaml has deployments at AWS and Azure"] == reasons[:2]
    assert "llm.yaml gives its tasks different models" in reasons[2]
    assert [None] == [it["holds"] for says, it in found.items() if says.startswith("Single-vendor")]


def test_a_configuration_without_rules_is_no_proof_of_their_absence(line: Line):
    """One model and no rule: regulated stays unknown."""
    line.file("llm.yaml", "llm_config: {provider: openai, model: gpt-5.4}\n")

    assert {None} == {it["holds"] for it in line.json("decide")["sentences"]}


@pytest.mark.parametrize("words", [("--operations", "many"), ("--regulated", "perhaps"), ("--operations", "-5")])
def test_an_answer_that_is_none_is_refused(words: tuple[str, str], line: Line):
    """With the question."""
    code, _, err = line("decide", *words)
    wanted = "a whole number of at least 0" if words[0] == "--operations" else "yes or no"

    assert 2 == code
    assert f"{words[0]} is answered with {wanted}" in err
    assert "?" in err


def test_on_a_terminal_it_asks_what_is_open(line: Line, monkeypatch: pytest.MonkeyPatch):
    """An answer is taken, Enter leaves it unknown, and what is known already is not asked."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n\nno\n\n\n\n"))
    monkeypatch.setattr(sys, "stdout", out)
    line("decide", "--operations", "20000")

    assert "How many operations" not in out.getvalue()
    assert 6 == out.getvalue().count("Enter: I do not know")
    assert "does not  Vendor flexibility" in out.getvalue().replace("\x1b[0m", "")


@pytest.mark.parametrize("days, found", [([], {}), ([10, 16], {"operations": 8}), ([10] * 5 + [15], {})])
def test_less_than_a_week_counts_nothing(days: list[int], found: dict[str, int]):
    """Two in seven days are eight a month; six in six days are no measure."""
    assert found == {name: fact.value for name, fact in operations(days, "usage.db").items()}
