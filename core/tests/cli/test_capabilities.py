"""`byollm capabilities`: what a model takes, and how we know."""

from __future__ import annotations

from byollm.cli.capabilities import value_of
from byollm.types.capabilities import FIELDS, Support

TWO = """
llm_config:
  first: {provider: anthropic, model: claude-sonnet-5-5}
  second: {provider: custom, model: m, endpoint: "http://127.0.0.1:9", capabilities: {context_window: 4096}}
"""


def test_a_table_for_each_deployment(run, yaml):
    """Without a choice every deployment of the file is shown, with value and source."""
    yaml(TWO)

    ran = run("capabilities")

    assert ran.code == 0
    assert "first: anthropic/claude-sonnet-5-5" in ran.out
    assert "second: custom/m" in ran.out
    assert ["context_window", "4096", "configuration"] in [line.split() for line in ran.out.splitlines()]


def test_one_task(run, yaml):
    """--task shows the deployment that answers it."""
    yaml(TWO)

    assert list(run("capabilities", "--task", "second", "--json").json) == ["second"]


def test_a_model_without_a_file(run):
    """--model shows what is known of a model; no key is needed."""
    ran = run("capabilities", "--model", "anthropic/claude-sonnet-5-5", "--json")

    found = ran.json["default"]["capabilities"]
    assert isinstance(found["context_window"]["value"], int)
    assert found["context_window"]["source"]


def test_all_shows_what_is_unknown(run, yaml):
    """What is unknown is only counted, until --all asks for it."""
    yaml(TWO)

    few = run("capabilities", "--task", "second").out
    all_of_them = run("capabilities", "--task", "second", "--all").out

    assert "more are unknown" in few
    assert set() == FIELDS - {line.split()[0] for line in all_of_them.splitlines()[2:]}


def test_every_field_is_in_the_json(run, yaml):
    """The JSON holds every capability, known or not."""
    yaml(TWO)

    assert set(run("capabilities", "--deployment", "second", "--json").json["second"]["capabilities"]) == FIELDS


def test_an_unknown_deployment(run, yaml):
    """A name the file does not have is told with the nearest."""
    yaml(TWO)

    ran = run("capabilities", "--deployment", "secnd")

    assert (ran.code, ran.mend) == (1, "say --deployment second")


def test_values_in_words():
    """A range, a list, a flag and a support each have their words."""
    assert value_of((0.0, 2.0)) == "0 to 2"
    assert value_of(("low", "high")) == "low high"
    assert value_of(True) == "yes"
    assert value_of(Support.not_implemented) == "not implemented"
    assert value_of(None) == "unknown"
