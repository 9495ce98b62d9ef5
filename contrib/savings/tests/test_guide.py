"""The guide's figures come out of workload files: computed, judged, and moved by every number in them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from savings_line import Line

from byollm_savings import Costing, Quotes, Workload, judge, parse_workload
from byollm_savings.judge import DEPENDS, MET, NOT_MET, UNKNOWN, Judgement, judge_claim
from byollm_savings.text import bills, number
from byollm_savings.workload_command import guide

COSTING = Costing(Quotes())
WORKLOADS = {name: parse_workload(data, name) for name, data in guide().items()}
CLAIMS = [(name, claim) for name, workload in WORKLOADS.items() for claim in workload.claims]
NUMBERS = [(name, it) for name, workload in WORKLOADS.items() for it in workload.values if not it.endswith(".to")]
"""All but how a figure was rounded when it was said, which decides on verdicts and on no amount."""
JUDGED = {(name, it.claim.name): it for name, workload in WORKLOADS.items() for it in judge(workload, COSTING)}
DEPENDENCES = [
    (name, claim, each.assumption)
    for (name, claim), found in JUDGED.items()
    for each in found.depends_on
    if each.exactly and len(each.exactly) == 1
]


def judged(workload: Workload, claim: str) -> Judgement:
    """The verdict about one claim."""
    return judge_claim(workload, workload.claims[claim], COSTING)


def holds(workload: Workload, claim: str) -> bool:
    """Whether the computed figure is the one that was said, as it was rounded."""
    it = workload.claims[claim]
    half = workload.number(it.to) / 2
    return workload.number(it.low) - half <= COSTING.measure(workload, it) <= workload.number(it.high) + half


def outcome(workload: Workload) -> Any:
    """What everything that is printed follows from: each cost, and each claim's computed and said figures."""
    sums = [(bill.document, bill.month, bill.year) for bill in bills(workload, COSTING)]
    claims = workload.claims.values()
    return sums, [(COSTING.measure(workload, it), workload.number(it.low), workload.number(it.high)) for it in claims]


SAID = {
    "25,000": ("1-documents.yaml", "locked_month"), "12,000": ("1-documents.yaml", "optimized_month"),
    "8,500": ("1-documents.yaml", "multi_month"), "156K": ("1-documents.yaml", "optimized_saved"),
    "198K": ("1-documents.yaml", "multi_saved"), "500K": ("2-provider-mix.yaml", "before"),
    "180K": ("2-provider-mix.yaml", "after"), "64 %": ("2-provider-mix.yaml", "reduction"),
    "40-60": ("3-high-volume.yaml", "reduction"), "25-35": ("4-model-per-task.yaml", "gain"),
    "50-70": ("5-seasons.yaml", "low_periods"), "92.5": ("6-margin.yaml", "margin_byo"),
    "82": ("6-margin.yaml", "margin_own"),
}  # fmt: skip


@pytest.mark.parametrize("figure", SAID)
def test_every_figure_of_the_guide_is_judged(figure: str):
    """It stands in a sentence, is computed, and gets one of the three verdicts."""
    file, claim = SAID[figure]
    found = JUDGED[file, claim]

    assert figure in found.claim.says
    assert found.value is not None
    assert found.verdict in (MET, NOT_MET, DEPENDS)


@pytest.mark.parametrize("file, number", NUMBERS)
def test_every_number_of_the_files_moves_the_result(file: str, number: str):
    """A tenth more of any input, and something else is printed: nothing is hard-coded."""
    workload = WORKLOADS[file]
    changed = workload.changed({number: (workload.values[number] or Fraction(1, 10)) * Fraction(11, 10)})

    assert outcome(workload) != outcome(changed)


@pytest.mark.parametrize("file", WORKLOADS)
def test_every_model_and_the_day_of_the_prices_move_the_result(file: str):
    """Another model in place of any, and the cost is another one."""
    text = guide()[file].decode()
    models = {word.strip(" ,}{") for line in text.splitlines() for word in line.split() if word.count("/") == 1}
    models = {word for word in models if word.split("/")[0] in ("openai", "anthropic", "google")}
    for model in models:
        changed = parse_workload(text.replace(model, "anthropic/claude-haiku-4-5"))

        assert outcome(WORKLOADS[file])[0] != outcome(changed)[0]


@pytest.mark.parametrize("file, claim, assumption", DEPENDENCES)
def test_a_figure_is_exactly_reached_at_its_break_even_value(file: str, claim: str, assumption: str):
    """Put the named value in the assumption's place: the computed figure is the guide's."""
    (each,) = [it for it in JUDGED[file, claim].depends_on if it.assumption == assumption]
    changed = WORKLOADS[file].changed({assumption: each.exactly[0]})
    value = COSTING.measure(changed, changed.claims[claim])
    said = min(JUDGED[file, claim].said, key=lambda figure: abs(figure - value))

    assert abs(value - said) <= abs(said) / 10**9


@pytest.mark.parametrize("file, claim", CLAIMS)
def test_a_claim_holds_within_the_room_that_is_named_and_not_outside(file: str, claim: str):
    """A little inside both ends it holds; a little outside, where the range goes on, it does not."""
    workload = WORKLOADS[file]
    for each in JUDGED[file, claim].depends_on:
        assert each.holds_from is not None
        assert each.holds_to is not None
        step = (each.high - each.low) / 10**6
        for at, inward in ((each.holds_from, step), (each.holds_to, -step)):
            assert holds(workload.changed({each.assumption: at + inward}), claim)
            if each.low < at - inward < each.high:
                assert not holds(workload.changed({each.assumption: at - inward}), claim)


def test_what_follows_from_the_guides_own_figures_is_met():
    """156K, 198K and 64 % follow from 25,000, 12,000, 8,500, 500K and 180K; 92.5 % from its cost of goods."""
    met = {claim for (_, claim), it in JUDGED.items() if it.verdict == MET}

    assert {"follows_156", "follows_198", "follows", "margin_byo", "goods_byo"} == met


def test_a_figure_that_no_assumption_saves_is_not_met():
    """Documents of 30,000 tokens and more cost more than 12,000 a month at those prices."""
    text = guide()["1-documents.yaml"].decode()
    found = judged(
        parse_workload(text.replace("value: 2500, low: 500, high: 10000", "value: 40000, low: 30000, high: 50000")),
        "optimized_month",
    )

    assert NOT_MET == found.verdict
    assert found.lowest is not None
    assert found.lowest > 12_000


def test_a_figure_that_needs_two_assumptions_names_both():
    """When none alone can mend it, all of them together are named, each with nothing of its own."""
    text = guide()["3-high-volume.yaml"].decode()
    text = text.replace("value: 0.60, low: 0, high: 2", "value: 0, low: 0, high: 0.4").replace(
        "value: 0.20, low: 0, high: 0.40", "value: 0.05, low: 0, high: 0.30"
    )
    found = judged(parse_workload(text), "reduction")

    assert DEPENDS == found.verdict
    assert not found.holds
    assert ["fixed_premium.premium", "negotiated.discount"] == [it.assumption for it in found.depends_on]
    assert {None} == {it.holds_from for it in found.depends_on}


def test_an_unknown_price_makes_figures_unknown_and_never_cheap():
    """A model nobody sells has no cost, and neither has what is saved by it."""
    text = guide()["1-documents.yaml"].decode().replace("openai/gpt-3.5-turbo", "openai/gpt-imagined")
    workload = parse_workload(text)
    found = {it.claim.name: it for it in judge(workload, COSTING)}

    assert [None, None] == [
        bill.year for bill in bills(workload, COSTING) if bill.approach.name in ("optimized", "multi_provider")
    ]
    assert (UNKNOWN, None) == (found["multi_saved"].verdict, found["multi_saved"].value)
    assert "nobody knows what openai/gpt-imagined costs" in found["multi_saved"].problem
    assert DEPENDS == found["locked_month"].verdict


def test_the_table_says_what_a_reader_needs(line: Line):
    """Costs, verdicts with break-even values, and the assumptions with their reasons, on one screen."""
    _, out, _ = line("--example", "guide")

    assert "platform_locked" in out
    assert "optimized: $12,000 a month: here 12,011, which holds" in out
    assert "on documents.tokens = 2,500: holds from 2,399 to 2,593, exactly at 2,496" in out
    assert "five pages of 500 tokens; the guide does not say how long a document is" in out
    assert out.splitlines()[-1].startswith(f"{len(CLAIMS)} figures: 5 met, 0 not met,")


def test_a_number_is_changed_on_the_command_line(line: Line):
    """`--set` moves the figures of every file that has the number."""
    before = line.json("--example", "guide")["workloads"]
    after = line.json("--example", "guide", "--set", "documents.tokens=5000")["workloads"]

    assert before[0]["approaches"]["optimized"]["month"] < after[0]["approaches"]["optimized"]["month"]
    assert "5000" == after[0]["inputs"]["documents.tokens"]


def test_the_files_can_be_written_changed_and_priced(line: Line):
    """`--write` copies them, `--workload` reads them."""
    written = line.json("--example", "guide", "--write", "mine")["written"]
    found = line.json("--workload", written[0])["workloads"][0]

    assert len(WORKLOADS) == len(written)
    assert "12010.83333" == found["approaches"]["optimized"]["month"]
    assert "there already" in line.fails("--example", "guide", "--write", "mine")


def test_what_the_guides_page_says_is_what_is_computed():
    """The break-even values in spec/guides/savings.md are those of the files."""
    page = (Path(__file__).parents[3] / "spec" / "guides" / "savings.md").read_text("utf-8")
    values = [
        number(it.exactly[0], 0)
        for claim in ("optimized_month", "multi_month")
        for it in JUDGED["1-documents.yaml", claim].depends_on
        if it.assumption == "documents.tokens"
    ]

    assert f"is a document of {values[0]} tokens, 8,500 one of {values[1]}" in " ".join(page.split())
