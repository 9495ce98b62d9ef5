"""`byollm compare` on the sandbox: what it asks, what it counts, what it refuses, and where it stops."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from compare_line import Shop

from byollm import Client
from byollm_compare.asking import Answer, Asker, Purse
from byollm_compare.samples import read_samples

BOTH = ("--task", "classify", "--deployments", "big,small", "--max-cost", "1", "--max-tokens", "20")


def test_agreement_is_that_with_what_was_expected(shop: Shop):
    """Ten of ten against six of ten."""
    shop.labels(10)
    shop.answers("big", *["invoice"] * 10)
    shop.answers("small", *["invoice"] * 6, *["letter"] * 4)
    found = shop.summaries(*BOTH)

    assert (1.0, 0.6) == (found["big"]["agreement"]["mean"], found["small"]["agreement"]["mean"])
    assert (10, 10) == (found["big"]["answered"], found["small"]["answered"])


def test_json_is_judged_by_its_fields(shop: Shop):
    """Half of the fields found is half of the points."""
    shop.sample({"prompt": "find the rule", "expected": {"limit": 100, "unit": "EUR"}})
    shop.answers("big", '{"limit": 100, "unit": "EUR"}')
    shop.answers("small", '{"limit": 100, "unit": "USD"}')
    found = shop.summaries(*BOTH)

    assert [1.0, 0.5] == [found[name]["agreement"]["mean"] for name in ("big", "small")]


def test_without_expectations_deployments_are_compared_with_each_other(shop: Shop):
    """Two of three agree: who stands alone agrees with nobody."""
    shop.sample({"prompt": "a"}, {"prompt": "b"})
    for name, text in (("big", "yes"), ("small", "yes"), ("wild", "no")):
        shop.answers(name, text, text)
    found = shop.json("--task", "classify", "--deployments", "big,small,wild", "--yes", "--measure", "label")

    assert "the other deployments" == found["against"]
    assert [0.5, 0.5, 0.0] == [it["agreement"]["mean"] for it in found["summaries"]]
    assert [] == [it for it in found["differences"] if it["what"] == "agreement"]


def test_without_a_measure_none_is_invented(shop: Shop):
    """No expectation, no schema: no agreement, and it says so."""
    shop.sample({"prompt": "a"})
    _, out, _ = shop(*BOTH)

    assert "agreement: no measure" in out
    assert None is shop.summaries(*BOTH)["big"]["agreement"]["mean"]


def test_cost_is_what_the_answers_cost(shop: Shop):
    """Tokens as the twin counts them, at the file's prices."""
    shop.labels(3)
    found = shop.summaries(*BOTH, "--out", "kept.jsonl")
    kept = [json.loads(line) for line in (shop.folder / "kept.jsonl").read_text("utf-8").splitlines()]
    tokens = [(it["input_tokens"], it["output_tokens"]) for it in kept if it["deployment"] == "big"]

    assert Decimal(found["big"]["cost"]) == sum(Decimal(2 * into + 10 * out) / 10**6 for into, out in tokens)
    assert 3 == found["big"]["priced"]


def test_times_are_those_a_caller_waits(shop: Shop):
    """The first content comes before the end, and both are there for every answer."""
    shop.labels(4)
    found = shop.summaries(*BOTH)["big"]

    assert 4 == found["first"]["count"] == found["total"]["count"]
    assert 0 < found["first"]["median"] <= found["total"]["median"]


def test_failures_are_counted_by_class_and_not_retried(shop: Shop):
    """Two of four answers are refused: two failures, four requests, and the answers that came still count."""
    shop.labels(4)
    shop.twins.fault("status", status=429, times=2, name="big")
    found = shop.summaries(*BOTH, "--concurrency", "1")

    assert {"RateLimitError": 2} == found["big"]["failures"]
    assert (4, 2) == (found["big"]["asked"], found["big"]["answered"])
    assert 4 == shop.asked("big")


def test_an_answer_that_failed_agrees_with_nothing(shop: Shop):
    """A deployment cannot gain by failing on the hard ones."""
    shop.labels(2)
    shop.answers("big", "invoice")
    shop.twins.fault("status", status=500, times=1, name="big")
    found = shop.summaries(*BOTH, "--concurrency", "1")["big"]

    assert 0.5 == found["agreement"]["mean"]


def test_who_may_not_answer_is_not_asked(shop: Shop):
    """The task's rule holds for the comparison too; the reason is shown, and nothing was sent there."""
    shop.labels(2)
    found = shop.json("--task", "classify", "--yes")

    assert {"outside": "nobody attests `hipaa-baa`, which task `classify` requires"} == found["refused"]
    assert 0 == shop.asked("outside")
    assert {"big", "small", "wild"} == {it["deployment"] for it in found["summaries"]}


def test_the_most_it_can_cost_is_said_before_anything_is_asked(shop: Shop):
    """Nobody agreed: it says the amount, how to agree, and asks nobody."""
    shop.labels(2)
    code, _, err = shop("--task", "classify", "--deployments", "big,small", "--max-tokens", "20")

    assert 2 == code
    assert "4 calls; at most they cost" in err
    assert "asking costs money, and nobody agreed to it" in err
    assert [] == shop.twins.requests


def test_an_estimate_alone_asks_nobody(shop: Shop):
    """And what was really paid afterwards is at most that."""
    shop.labels(5)
    code, out, _ = shop(*BOTH[:-2], "--estimate", "--json", "--max-tokens", "20")
    most = json.loads(out)
    assert (0, []) == (code, shop.twins.requests)
    paid = shop.summaries(*BOTH)

    for name in ("big", "small"):
        assert 0 < Decimal(paid[name]["cost"]) <= Decimal(most["most"][name]["amount"])


def test_writing_a_cache_may_cost_more_than_reading_a_prompt(shop: Shop):
    """The most counts the dearer of both."""
    shop.labels(1)
    words = ("--deployments", "big", "--max-tokens", "20", "--estimate", "--json")
    plain = json.loads(shop(*words)[1])["total"]
    config = shop.folder / "llm.yaml"
    config.write_text(
        config.read_text("utf-8").replace("{input: 2, output: 10}", "{input: 2, output: 10, cache_write: 4}")
    )

    assert Decimal(json.loads(shop(*words)[1])["total"]) > Decimal(plain)


def test_it_stops_at_the_most_that_may_be_spent(shop: Shop):
    """Less money than the work may cost: some calls are not made, the exit code says so, and the limit held."""
    shop.labels(30)
    code, out, _ = shop(*BOTH[:4], "--max-cost", "0.002", "--max-tokens", "20", "--json")
    found = json.loads(out)

    assert 1 == code
    assert found["left"] > 0
    assert 60 == found["left"] + sum(it["asked"] for it in found["summaries"])
    assert sum(Decimal(it["cost"]) for it in found["summaries"]) <= Decimal("0.002")


def test_too_little_money_asks_nobody(shop: Shop):
    """Not even once, to see."""
    shop.labels(3)
    found = shop.json(*BOTH[:4], "--max-cost", "0.0000001", "--max-tokens", "20")

    assert (1, 6, []) == (found["code"], found["left"], shop.twins.requests)


def test_an_unknown_price_is_not_spent_under_a_limit(shop: Shop):
    """With --max-cost, who may cost anything is left out; with --yes it is asked, and its cost is unknown."""
    shop.labels(1)
    limited = shop.json("--task", "classify", "--deployments", "big,wild", "--max-cost", "1", "--max-tokens", "20")
    free = shop.summaries("--task", "classify", "--deployments", "wild", "--yes")

    assert "nobody knows its price" in limited["refused"]["wild"]
    assert (None, 0) == (free["wild"]["cost"], free["wild"]["priced"])


def test_a_run_that_was_broken_off_goes_on(shop: Shop):
    """What is answered is not asked again; a torn last line is, and so is what failed."""
    shop.labels(4)
    shop.twins.fault("status", status=500, times=1, name="big")
    shop(*BOTH, "--out", "kept.jsonl", "--concurrency", "1")
    lines = (shop.folder / "kept.jsonl").read_bytes().splitlines(keepends=True)
    (shop.folder / "kept.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    asked = len(shop.twins.requests)
    found = shop.json(*BOTH, "--out", "kept.jsonl")

    assert (8, 2) == (asked, len(shop.twins.requests) - asked)
    assert (6, 8) == (found["earlier"], shop.json(*BOTH, "--out", "kept.jsonl")["earlier"])
    assert [4, 4] == [it["answered"] for it in found["summaries"]]


WHOLE = {"sample": "1", "digest": "d", "deployment": "big", "model": "m"}


@pytest.mark.parametrize(
    "told", [{**WHOLE, "cost": "many"}, {**WHOLE, "total": "soon"}, {**WHOLE, "text": None, "first": True}, {}, [1]]
)
def test_results_that_are_none_are_refused(shop: Shop, told: object):
    """With file and line, before anything is asked."""
    shop.labels(1)
    (shop.folder / "kept.jsonl").write_text(json.dumps(told) + "\n", "utf-8")
    code, _, err = shop(*BOTH, "--out", "kept.jsonl")

    assert 1 == code
    assert "kept.jsonl, line 1: this is no result of a comparison" in err
    assert [] == shop.twins.requests


def test_other_words_are_other_questions(shop: Shop):
    """A changed limit, question or system text is asked anew."""
    shop.labels(2)
    shop(*BOTH, "--out", "kept.jsonl")
    shop(*BOTH, "--out", "kept.jsonl", "--system", "be brief")

    assert 8 == len(shop.twins.requests)


def test_answers_are_kept_for_their_owner(shop: Shop):
    """They may hold what the questions held."""
    shop.labels(1)
    shop(*BOTH, "--out", "kept.jsonl")

    assert 0o600 == (shop.folder / "kept.jsonl").stat().st_mode & 0o777


def test_it_says_who_cannot_be_told_apart(shop: Shop):
    """Ten against nine of ten is chance; ten against none is not."""
    shop.labels(10)
    shop.answers("big", *["invoice"] * 10)
    shop.answers("small", *["invoice"] * 9, "letter")
    shop.answers("wild", *["letter"] * 10)
    found = shop.json("--task", "classify", "--deployments", "big,small,wild", "--yes")
    agreeing = {(it["better"], it["other"]): it for it in found["differences"] if it["what"] == "agreement"}

    assert not agreeing["big", "small"]["told_apart"]
    assert agreeing["big", "small"]["needed"] > 1
    assert agreeing["big", "wild"]["told_apart"]
    assert agreeing["small", "wild"]["told_apart"]


def test_the_table_speaks_of_its_limits(shop: Shop):
    """Few values have a maximum and no percentile; intervals stand beside means."""
    shop.labels(5)
    shop.answers("big", *["invoice"] * 5)
    _, out, err = shop(*BOTH)

    assert "100% (57 to 100%)" in out
    assert " max" in out
    assert "Not told apart by this sample" in out
    assert "at most they cost" in err


@pytest.mark.parametrize(("page", "code"), [("llm.yaml", 2), (".", 1), ("nowhere/page.html", 1)])
def test_a_page_that_cannot_be_written_costs_nothing(shop: Shop, page: str, code: int):
    """The place is looked at before anybody is asked, and nobody's file is written over."""
    shop.sample({"prompt": "a", "expected": "x"}, {"prompt": "b", "expected": "x"})
    before = (shop.folder / "llm.yaml").read_bytes()

    assert code == shop(*BOTH, "--html", page)[0]
    assert before == (shop.folder / "llm.yaml").read_bytes()
    assert [] == shop.twins.requests


def test_the_page_has_the_numbers_of_the_text(shop: Shop):
    """Every cell of the table, nothing loaded, and no text of others as markup."""
    shop.sample({"prompt": "<b>", "expected": "<script>"}, {"prompt": "b", "expected": "x"})
    _, out, _ = shop(*BOTH, "--html", "page.html", "--out", "kept.jsonl")
    text = (shop.folder / "page.html").read_text("utf-8")

    assert "page.html is written." in out
    assert "src=" not in text
    assert "<script" not in text
    for word in ("big", "openai/gpt-5.4", "2 of 2"):
        assert word in text


@pytest.mark.parametrize(
    "line, message",
    [
        ("{broken", "samples.jsonl, line 2"),
        ("[1]", "line 2: this is no JSON object"),
        ('{"expected": "x"}', "line 2: a question is a `prompt` or `messages`, one of them"),
        ('{"prompt": "a", "messages": []}', "one of them"),
        ('{"prompt": "a", "colour": 1}', "line 2: 'colour' is none of"),
        ('{"prompt": 5}', "line 2:"),
        ('{"prompt": "a", "id": "1"}', "line 2: line 1 has the id '1', too"),
        ('{"messages": []}', "line 2: there is nothing to answer"),
    ],
)
def test_a_line_that_cannot_be_asked_is_named(shop: Shop, line: str, message: str):
    """Before anything is asked."""
    shop.sample({"prompt": "a"}, line)
    code, _, err = shop(*BOTH)

    assert 1 == code
    assert message in err
    assert [] == shop.twins.requests


def test_messages_are_asked_as_they_stand(shop: Shop):
    """A conversation in OpenAI's words, for both wires."""
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": "label"},
    ]
    shop.sample({"messages": turns, "expected": "x", "id": "one"})
    found = shop.json(*BOTH)

    assert [1, 1] == [it["answered"] for it in found["summaries"]]


def test_wrong_words_and_files_are_told(shop: Shop):
    """A deployment that is not there, a file that is not there, an amount that is none, a foreign results file."""
    shop.labels(1)
    (shop.folder / "other.txt").write_text("what?\n", "utf-8")

    assert shop("--deployments", "bog")[2].endswith("deployments: big, outside, small and wild\n  --deployments big\n")
    assert (2, True) == ((told := shop("--deployments", ","))[0], "--deployments names none" in told[2])
    assert "there is no task `clasify`" in shop("--task", "clasify", "--yes")[2]
    assert "cannot be read" in shop("--data", "none.jsonl", "--yes")[2]
    assert "--max-cost is an amount" in shop("--max-cost", "cheap")[2]
    assert "this is no result of a comparison" in shop(*BOTH, "--out", "other.txt")[2]
    assert "--schema names a file" in shop(*BOTH, "--schema", "none.json")[2]


@pytest.mark.parametrize("deployments", ["", "  deployments:\n"])
def test_a_task_that_is_not_there_is_refused_before_anything(shop: Shop, deployments: str):
    """With the nearest, also where there are no rules that could have asked for it."""
    place = "{provider: custom, model: m, endpoint: https://x.example.com, api_key: k-1234567890}"
    indent = "    " if deployments else "  "
    (shop.folder / "llm.yaml").write_text(f"llm_config:\n{deployments}{indent}fast: {place}\n{indent}slow: {place}\n")
    shop.labels(1)
    code, _, err = shop("--task", "fasst", "--yes")

    assert (1, True) == (code, "there is no task `fasst`" in err)
    assert deployments or "say --task fast" in err


@pytest.mark.parametrize(
    "words, message",
    [
        (("--max-tokens", "-3"), "--max-tokens: '-3' is no whole number of at least 1"),
        (("--limit", "0"), "--limit: '0' is no whole number of at least 1"),
        (("--temperature", "nan"), "no question can be asked like this: temperature"),
    ],
)
def test_a_wrong_option_is_not_blamed_on_the_sample(shop: Shop, words: tuple[str, ...], message: str):
    """The option is named, and no line of a file."""
    shop.labels(1)
    code, _, err = shop(*words, "--yes")

    assert (2, True, False) == (code, message in err, "line 1" in err)


def test_too_little_money_is_told_with_what_would_do(shop: Shop):
    """No empty table; and the amount that it names really pays for everything."""
    shop.labels(3)
    code, out, err = shop(*BOTH[:4], "--max-cost", "0.0000001", "--max-tokens", "20")
    amount = err.partition("--max-cost 0.0000001")[2].partition("--max-cost ")[2].split()[0]

    assert (1, "", []) == (code, out, shop.twins.requests)
    assert "nothing was asked: everything costs at most" in err
    assert 0 == shop.json(*BOTH[:4], "--max-cost", amount, "--max-tokens", "20")["left"]


def test_only_the_first_are_asked_when_only_they_are_wanted(shop: Shop):
    """--limit."""
    shop.labels(9)

    assert 2 == shop.json(*BOTH, "--limit", "2")["samples"]
    assert 4 == len(shop.twins.requests)


def test_everybody_gets_the_same_hour(shop: Shop):
    """Question by question, not deployment by deployment: with one call at a time they take turns."""
    shop.labels(3)
    shop(*BOTH, "--concurrency", "1")

    assert ["big", "small"] * 3 == [it.name for it in shop.twins.requests]


def test_a_schema_is_asked_for_and_judged(shop: Shop):
    """With --schema, two deployments are compared by the fields they found."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    (shop.folder / "schema.json").write_text(json.dumps(schema), "utf-8")
    shop.sample({"prompt": "a"})
    shop.answers("big", '{"a": 1}')
    shop.answers("small", '{"a": 1}')
    found = shop.json(*BOTH, "--schema", "schema.json")

    assert "fields" == found["measure"]
    assert [1.0, 1.0] == [it["agreement"]["mean"] for it in found["summaries"]]


def test_an_interruption_waits_for_nobody(shop: Shop):
    """Ctrl-C cancels what is under way: a server that does not answer keeps the command no longer."""
    ended: list[str | None] = []

    class Watched(Asker):
        def _asked(self, *given: object) -> Answer:
            answer = super()._asked(*given)  # type: ignore[arg-type]  # handed on as it came
            ended.append(answer.error)
            return answer

    def interrupted(answer: Answer) -> None:
        raise KeyboardInterrupt

    shop.sample({"prompt": "a", "expected": "x"})
    shop.twins.fault("hang", times=None, name="small")
    (sample,) = read_samples("samples.jsonl", {}, None)
    with Client.from_yaml("llm.yaml") as client, pytest.raises(KeyboardInterrupt):
        Watched(client, {"timeout": 20}, Purse(), interrupted, 2).run([(sample, "small"), (sample, "big")])

    assert {None, "CancelledError"} == set(ended)
