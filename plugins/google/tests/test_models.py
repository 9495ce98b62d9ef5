"""What is known of each model, and where it comes from."""

import json

import pytest
from google_driving import fitted, target

from byollm.plugin import Frame, Head, Request, Support
from byollm_google import provider
from byollm_google.families import FAMILIES, NOT_GEMINI, UNKNOWN_GEMINI, family_of
from byollm_google.manifest import RETIRED


def known(model):
    return provider.capabilities(target(model))


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("models/gemini-2.5-flash", "2.5-flash"),
        ("gemini-2.5-flash-preview-05-20", "2.5-flash"),
        ("gemini-2.5-flash-lite-preview-09-2025", "2.5-flash-lite"),
        ("gemini-2.0-flash-001", "2.0-flash"),
        ("gemini-2.0-flash-exp", "2.0-flash"),
        ("gemini-1.5-pro-latest", "1.5-pro"),
        ("gemini-3-pro-preview", "3-pro"),
        ("gemini-3-flash-preview", "3-flash"),
        ("gemini-3.1-pro-preview-customtools", "3.1-pro"),
        ("gemini-3-pro-image-preview", "3-pro-image"),
        ("publishers/google/models/gemini-4-argon-cyber-permissive", "4-argon"),
        ("gemini-flash-latest", "flash-latest"),
        ("gemini-pro", "pro"),
        ("gemma-4-31b-it", "gemma-4-31b-it"),
    ],
)
def test_a_name_finds_its_row(model, row):
    """Collections, dates and suffixes do not matter."""
    assert FAMILIES[row] is family_of(model)


def test_a_gemini_of_tomorrow_is_a_modern_one():
    """The rules all newer families share, the rest unknown."""
    assert UNKNOWN_GEMINI is family_of("gemini-9-ultra")
    assert known("gemini-9-ultra").context_window is None
    assert known("gemini-9-ultra").tools is Support.full


def test_of_another_model_nothing_is_known():
    """A tuned model and a gateway's: only the dialect's own limits."""
    for model in ("tunedModels/mine", "a-model"):
        assert NOT_GEMINI is family_of(model)
        assert known(model).tools is Support.unknown


def test_every_field_has_a_source():
    """Whatever is said of a model says where it comes from."""
    for name in FAMILIES:
        found = known(name if name.startswith("gemma") else f"gemini-{name}")
        assert (found.context_window is None) == ("context_window" not in found.sources)
        assert all(found.sources.values())
        assert {"temperature_range", "stop_limit", "store", "n"} <= found.sources.keys()


@pytest.mark.parametrize("model", sorted(RETIRED))
def test_retired_names_load_and_are_noted(model):
    """Each has a successor that is itself known and not retired."""
    note = provider.manifest.models[model]

    assert known(model).streaming is Support.full
    assert family_of(note.replacement).known
    assert note.replacement not in RETIRED


@pytest.mark.parametrize("model", [f"gemini-{name}" for name in FAMILIES if not name.startswith("gemma")])
def test_more_than_the_most_is_clamped(model):
    """No max_tokens above the model's maximum reaches the wire."""
    made, adjusted = fitted(Request("hi", max_tokens=10_000_000), model)

    assert made["generationConfig"]["maxOutputTokens"] == known(model).max_output_tokens
    assert {"max_tokens"} == adjusted


def test_the_provider_may_know_better():
    """GET /models/{id} overlays limits, thinking and the range of temperature, with its source."""
    asking = known("gemini-2.5-flash").refine
    answer = {"inputTokenLimit": 5, "outputTokenLimit": 6, "thinking": False, "maxTemperature": 1.5}
    (found,) = asking.reader(Head(200, {}))(Frame("", answer))

    assert asking.request.url.endswith("/v1beta/models/gemini-2.5-flash")
    assert (5, 6, (0.0, 1.5)) == (found.context_window, found.max_output_tokens, found.temperature_range)
    assert found.reasoning is Support.unsupported
    assert ("GET /models", None) == (found.sources["context_window"], found.refine)


def test_counting_asks_for_the_very_request():
    """countTokens gets the body of `complete` in a wrapper with the model's name, and its figure is exact."""
    request = Request("hi", system="s", max_tokens=3)
    asking = provider.count_tokens(request, target())
    made = json.loads(asking.request.body)["generateContentRequest"]
    (count,) = asking.reader(Head(200, {}))(Frame("", {"totalTokens": 31}))

    assert asking.request.url.endswith("models/gemini-3.8-flash:countTokens")
    assert made == {"model": "models/gemini-3.8-flash",
                    **json.loads(provider.complete(request, target()).request.body)}  # fmt: skip
    assert (31, "exact", 31, 31) == (count.tokens, count.exactness, count.lower, count.upper)


def test_the_manifest_names_one_host():
    """The key goes nowhere else; the other name of the provider is known."""
    manifest = provider.manifest

    assert (("generativelanguage.googleapis.com",), ("gemini",)) == (manifest.hosts, manifest.aliases)
    assert {"api_key": ("GEMINI_API_KEY", "GOOGLE_API_KEY")} == manifest.credentials
