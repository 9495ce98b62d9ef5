"""Facts about wires: each holds, and each could fail."""

from __future__ import annotations

from typing import Any

import pytest
from conformance_acme import CONFORMANT, Conform, Install, of

from byollm.errors import ConfigError
from byollm.providers.discovery import load_provider
from byollm_anthropic import provider as anthropic
from byollm_conformance.model import Broken
from byollm_conformance.quirks import Quirk, bundled, member, read_quirks
from byollm_conformance.subject import Subject
from byollm_openai import provider as openai
from byollm_openai_compatible import OpenAICompatible, custom

OTHERS = ("mistral", "deepseek", "xai", "openrouter", "together", "fireworks", "cohere")
PLUGINS = {"openai": openai, "anthropic": anthropic, "custom": custom}
PLUGINS |= {name: load_provider(name).plugin for name in OTHERS}
QUIRKS = read_quirks(bundled())


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.id)
def test_a_guarantee_holds(quirk: Quirk) -> None:
    """What an entry says is on the wire."""
    quirk.hold(Subject(PLUGINS[quirk.provider], api=quirk.api or ""))


EVERYWHERE = {"openai-chat-no-stream-options-without-stream", "openai-chat-parallel-without-tools"}
"""What holds for every server of the dialect."""


@pytest.mark.parametrize(
    "quirk",
    [item for item in QUIRKS if item.provider != "custom" and not item.answer and item.id not in EVERYWHERE],
    ids=lambda quirk: quirk.id,
)
def test_a_guarantee_is_no_accident(quirk: Quirk) -> None:
    """A plugin that knows nothing of the vendor breaks what the entry guarantees, or has to say that it cannot."""
    nobody = OpenAICompatible(
        name=quirk.provider, base_url="https://x.example.com", apis=("chat", "responses"), send_store=False
    )
    broken = 0
    for api in ("chat", "responses"):
        try:
            quirk.hold(Subject(nobody, api=api))
        except Broken:
            broken += 1

    assert broken


def test_ids_are_given_once() -> None:
    """No two entries have the same id, and every plugin of the main job has some."""
    assert len(QUIRKS) == len({quirk.id for quirk in QUIRKS})
    assert set(PLUGINS) == {quirk.provider for quirk in QUIRKS}


ENTRY = """
[[quirks]]
id = "acme-renames-max-tokens"
provider = "acme"
models = ["m"]
guarantee = "max_tokens is sent as most_tokens"
wire = "acme has its own name"
source = "acme's documents"
read = 2026-11-21
request = {max_tokens = 5}
has = {most_tokens = 5}
"""


def test_a_plugins_own_quirks(install: Install, conform: Conform) -> None:
    """A file beside the plugin's modules is held to as well."""
    install(CONFORMANT, quirks__toml=ENTRY)
    result = of(conform("QRK-02"), "QRK-02")

    assert "fail" == result.outcome
    assert result.message.startswith("max_tokens is sent as most_tokens: most_tokens is <object")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('provider = "acme"', "", "provider is missing"),
        ('source = "acme\'s documents"', "", "source is missing"),
        ("read = 2026-11-21", 'read = "lately"', "read must be a day"),
        ("has = {most_tokens = 5}", "", "it guarantees nothing"),
        ("has =", "hass =", "unknown member 'hass'"),
        ("[[quirks]]", "[[quirks]", "quirks.toml: "),
    ],
)
def test_an_entry_that_cannot_be_used(old: str, new: str, words: str) -> None:
    """The error names the entry and the member."""
    with pytest.raises(ConfigError) as caught:
        read_quirks(ENTRY.replace(old, new))

    assert words in caught.value.message


@pytest.mark.parametrize(("path", "value"), [("a.b", 1), ("c.0.d", 2), ("c.-1.d", 3), ("a", {"b": 1})])
def test_paths(path: str, value: Any) -> None:
    """Dots descend into objects and lists."""
    assert value == member({"a": {"b": 1}, "c": [{"d": 2}, {"d": 3}]}, path)
