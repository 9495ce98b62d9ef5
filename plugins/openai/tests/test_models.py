"""What each family of models takes, and what that makes of a request."""

import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from openai.types.shared import chat_model
from openai_driving import adjusted, body, capable

from byollm.plugin import Request, Support, Tool, UnsupportedFeatureError
from byollm_openai import provider
from byollm_openai.models import FAMILIES, family_of

FACTS = [
    "gpt-6-astra", "gpt-6.2-astra", "gpt-6.2-sol", "gpt-6.1-sol", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra", "gpt-5.6",
    "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.5", "gpt-5.5-pro", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano",
    "gpt-5.4-pro", "gpt-5.3-codex", "gpt-5.3-chat-latest", "gpt-5.2", "gpt-5.2-pro", "gpt-5.2-chat-latest", "gpt-5.1",
    "gpt-5.1-chat-latest", "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5-pro", "gpt-5-chat-latest", "o1", "o3", "o3-mini",
    "o4-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini", "gpt-4", "gpt-4-turbo",
    "gpt-3.5-turbo",
]  # fmt: skip
"""The models of the facts this plugin was written from."""
TOLD = ("tools", "streaming", "structured_output", "temperature")


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("model", FACTS)
def test_the_main_things_are_known_of_every_model(model, api):
    """Window, most output, tools, streaming, structured output, temperature: none unknown, each with its source."""
    can = capable(model, api)

    assert None not in (can.context_window, can.max_output_tokens, can.temperature_range)
    assert Support.unknown not in {can.supports(name) for name in TOLD}
    assert {"context_window", "max_output_tokens", "temperature_range", *TOLD} <= can.sources.keys()


def test_every_model_the_sdk_names_has_a_family():
    """But for what was switched off long ago."""
    unknown = {name for name in get_args(chat_model.ChatModel) if family_of(name) is None}

    assert {"codex-mini-latest"} == unknown


# prefix → reasons unasked, can be turned off, efforts, sampling while it reasons by default
MATRIX = [
    ("gpt-6-astra", True, False, "low medium high xhigh max", False),
    ("gpt-6.1-sol", True, False, "low medium high xhigh max", False),
    ("gpt-6-sol", True, True, "none low medium high xhigh max", False),
    ("gpt-6-luna", True, True, "none low medium high xhigh max", False),
    ("gpt-6.1-terra", True, True, "none low medium high xhigh max", False),
    ("gpt-5.6-terra", True, True, "none low medium high xhigh max", False),
    ("gpt-5.5", True, True, "none low medium high xhigh", False),
    ("gpt-5.5-pro", True, False, "medium high xhigh", False),
    ("gpt-5.4-pro", True, False, "medium high xhigh", False),
    ("gpt-5.2-pro", True, False, "medium high xhigh", False),
    ("gpt-5.4", False, True, "none low medium high xhigh", True),
    ("gpt-5.3-codex", False, True, "none low medium high xhigh", True),
    ("gpt-5.2", False, True, "none low medium high xhigh", True),
    ("gpt-5.1", False, True, "none low medium high", True),
    ("gpt-5.2-chat-latest", True, False, "medium", False),
    ("gpt-5-pro", True, False, "high", False),
    ("gpt-5-mini", True, False, "minimal low medium high", False),
    ("o3", True, False, "low medium high", False),
    ("o4-mini", True, False, "low medium high", False),
]


@pytest.mark.parametrize(("model", "reasons", "stoppable", "efforts", "sampling"), MATRIX)
def test_the_reasoning_matrix(model, reasons, stoppable, efforts, sampling):
    """Which efforts, whether it reasons unasked, and what that does to temperature."""
    can = capable(model)

    assert tuple(efforts.split()) == can.reasoning_efforts
    assert reasons is (can.default_effort != "none")
    assert stoppable is ("none" in (can.reasoning_efforts or ()))
    assert sampling is ("temperature" in body(Request("hi", temperature=0.3), model))


def test_temperature_is_kept_while_the_model_does_not_reason():
    """By default on gpt-5.4, when asked for on gpt-5.5; a reasoning model drops it and says so."""
    assert 0.3 == body(Request("hi", temperature=0.3), "gpt-5.4")["temperature"]
    assert 0.3 == body(Request("hi", temperature=0.3, reasoning_effort="none"), "gpt-5.5")["temperature"]
    assert ["temperature"] == adjusted(Request("hi", temperature=0.3), "gpt-5.5")
    assert [] == adjusted(Request("hi", temperature=1), "gpt-5.5")


EFFORTS = [
    ("gpt-5.6", "responses", "max", "max"),
    ("gpt-5.6", "chat", "max", "xhigh"),
    ("gpt-5.6", "responses", "minimal", "low"),
    ("gpt-5", "responses", "none", "minimal"),
    ("gpt-5-pro", "responses", "low", "high"),
    ("o3", "responses", "xhigh", "high"),
]


@pytest.mark.parametrize(("model", "api", "asked", "given"), EFFORTS)
def test_an_effort_becomes_the_nearest_that_is_taken(model, api, asked, given):
    """`max` exists over Responses only."""
    sent = body(Request("hi", reasoning_effort=asked), model, api)

    assert given == (sent["reasoning"]["effort"] if api == "responses" else sent["reasoning_effort"])


TOOL = Tool("f", None, {"type": "object"})


@pytest.mark.parametrize("model", ["gpt-6-sol", "gpt-5.6", "gpt-5.5", "gpt-5.4"])
def test_over_chat_newer_models_call_tools_only_without_reasoning(model):
    """The vendor refuses both together: byollm says so before sending, and points to Responses."""
    asked = Request("hi", tools=[TOOL], reasoning_effort="low")

    with pytest.raises(UnsupportedFeatureError, match="while it reasons") as caught:
        body(asked, model, "chat")
    assert "api: responses" in caught.value.hint
    assert "tools" in body(asked.with_(reasoning_effort="none"), model, "chat")
    assert "tools" in body(asked, model)


def test_older_models_keep_what_they_know():
    """Sampling, seed, stop and penalties over Chat; Responses has no word for most."""
    asked = Request("hi", temperature=0.3, seed=1, stop="x", frequency_penalty=0.5)

    assert [] == adjusted(asked, "gpt-4o", "chat")
    assert ["frequency_penalty", "seed", "stop"] == sorted(adjusted(asked, "gpt-4o"))
    assert {"temperature", "seed", "stop", "frequency_penalty"} == set(adjusted(asked, "o3", "chat"))


def test_limits_are_clamped_to_the_model():
    """And told."""
    assert (16_384, ["max_tokens"]) == (
        body(Request("hi", max_tokens=10**6), "gpt-4o")["max_output_tokens"],
        adjusted(Request("hi", max_tokens=10**6), "gpt-4o"),
    )


@pytest.mark.parametrize("name", ["gpt-4o-2024-08-06", "ft:gpt-4o-2024-08-06:org::abc", "openai/gpt-4o"])
def test_dates_owners_and_gateways_do_not_hide_a_model(name):
    """The family is found behind them."""
    assert 128_000 == capable(name).context_window


@pytest.mark.parametrize("name", ["gpt-7", "gpt-5.9-mini", "o5", "gpt-12-nova"])
def test_a_newer_model_is_taken_for_one_that_reasons(name):
    """No sampling, no guessed limits, and it is said that this is an assumption; it is never refused."""
    can = capable(name)

    assert (None, None, None) == (can.context_window, can.max_output_tokens, can.reasoning_efforts)
    assert can.temperature.refused
    assert "assumed" in can.notes["model"]
    assert "tools" in body(Request("hi", tools=[TOOL], reasoning_effort="high"), name)


def test_of_an_unknown_name_nothing_is_assumed():
    """What the user set is sent as it stands."""
    assert Support.unknown is capable("house-model").temperature
    assert 0.3 == body(Request("hi", temperature=0.3), "house-model")["temperature"]


def test_families_stand_in_an_order_that_lets_each_be_found():
    """The first prefix that fits wins, so a longer one stands before a shorter."""
    assert [] == [family.prefix for family in FAMILIES if family_of(family.prefix) is not family]


def test_retired_names_have_a_date_and_a_living_replacement():
    """For `byollm check`."""
    notes = provider.manifest.models

    assert ("2026-10-23", "gpt-6.1-sol") == (notes["gpt-4"].retired, notes["gpt-4"].replacement)
    assert ("2026-10-23", "gpt-6-luna") == (notes["gpt-3.5-turbo"].retired, notes["gpt-3.5-turbo"].replacement)
    assert all(date.fromisoformat(note.retired) for note in notes.values() if note.retired)
    assert not {note.replacement for note in notes.values()} & notes.keys()


def test_shutdown_dates_are_the_sdks():
    """Each date that the SDK announces stands here."""
    source = Path(str(chat_model.__file__)).read_text("utf-8")
    announced: dict[str, str] = {}
    for entry in source.split('"""Deprecated values:')[1].split("\n- ")[1:]:
        found = re.search(r"shutdown\s+date:\s+([\d-]+)", entry)
        if found:
            announced |= dict.fromkeys(re.findall(r'"([^"]+)"', entry.split("Announced")[0]), found[1])
    ours = {name: note.retired for name, note in provider.manifest.models.items()}

    assert len(announced) > 60
    assert {} == {name: when for name, when in announced.items() if ours.get(name) != when}
