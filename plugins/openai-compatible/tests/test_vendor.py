"""A vendor is data: at most fifteen lines of Python, or YAML alone."""

import ast
import re
from pathlib import Path
from typing import Any

import pluggy
import pytest
from compatible_driving import body, exchange, target

from byollm import testing
from byollm.plugin import ConfigError, HeaderKey, ModelNotFoundError, Request, TokenCount, UnsupportedFeatureError
from byollm.wire.exchange import Exchange, Frame, Head
from byollm_openai_compatible import OpenAICompatible, Quirks, custom

README = Path(__file__).parent.parent / "README.md"


def test_the_readmes_vendor_works_and_is_short():
    """The example as it stands in the README, driven through the whole of core."""
    source = re.search(r"```python\n(.*?OpenAICompatible\(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert source is not None
    names: dict[str, Any] = {}
    exec(compile(ast.parse(source[1]), "README.md", "exec"), names)
    acme = names["provider"]

    sent = testing.translate(acme, Request("hi", max_tokens=5, seed=1, temperature=1.7), model="acme-large")
    reply = testing.replay(acme, body=b'{"choices":[{"message":{"content":"yo"},"finish_reason":"stop"}]}')

    assert len(source[1].strip().splitlines()) <= 15
    assert "https://api.acme.example/v1/chat/completions" == sent.url
    assert (5, 1, 1.0) == (sent.body["max_completion_tokens"], sent.body["random_seed"], sent.body["temperature"])
    assert ["temperature"] == [note.field for note in sent.adjustments]
    assert "yo" == reply.text
    with pytest.raises(ModelNotFoundError):
        testing.replay(acme, status=400, body=b'{"error":{"message":"gone","code":"model_retired"}}')


def test_every_quirk_is_explained_where_it_is_defined():
    """The docstring of Quirks is the reference."""
    assert [] == [name for name in Quirks.__dataclass_fields__ if f"`{name}`" not in str(Quirks.__doc__)]


def test_every_quirk_can_be_set_in_yaml():
    """A vendor may be YAML only; `headers:` is a key of every target already."""
    fields = custom.manifest.options.model_fields

    assert set(Quirks.__dataclass_fields__) - {"headers"} == set(fields)


def test_a_target_says_its_quirks_in_yaml():
    """Through the whole of core, for a server that only this file describes."""
    sent = testing.translate(
        "custom",
        Request("hi", max_tokens=5),
        endpoint="https://llm.example.com",
        max_tokens_field="max_completion_tokens",
    )

    assert ("https://llm.example.com/v1/chat/completions", 5) == (sent.url, sent.body["max_completion_tokens"])


def test_a_wrong_key_or_value_is_refused():
    """With the nearest key."""
    with pytest.raises(ConfigError, match="max_tokens_field"):
        testing.translate("custom", "hi", endpoint="https://llm.example.com", max_token_field="max_tokens")
    with pytest.raises(ConfigError, match="system_role"):
        testing.translate("custom", "hi", endpoint="https://llm.example.com", system_role="boss")


def test_a_word_that_is_no_quirk_is_refused_in_python():
    """A typo in a plugin is found when it is made."""
    with pytest.raises(ConfigError, match="'max_token_field' is no quirk"):
        OpenAICompatible(name="acme", base_url="https://a.example/v1", max_token_field="x")


PLACES = [
    ("https://a.example", "https://a.example/v1/chat/completions"),
    ("https://a.example/", "https://a.example/v1/chat/completions"),
    ("https://a.example/v1/", "https://a.example/v1/chat/completions"),
    ("https://a.example/openai/v1", "https://a.example/openai/v1/chat/completions"),
    ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
    ("https://a.example/v1?api-version=1", "https://a.example/v1/chat/completions?api-version=1"),
]


@pytest.mark.parametrize(("endpoint", "url"), PLACES)
def test_an_endpoint_may_be_written_in_many_ways(endpoint, url):
    """An empty path becomes /v1, any other is kept, a pasted full path is not doubled."""
    assert url == exchange("hi", endpoint=endpoint).request.url


def test_a_vendors_manifest_follows_from_its_name_and_address():
    """Its key's variable, its host, its base path."""
    vendor = OpenAICompatible(name="acme-ai", base_url="https://api.acme.example/openai/v1")

    manifest = vendor.manifest
    assert ({"api_key": ("ACME_AI_API_KEY",)}, ("api.acme.example",), "/openai/v1", ("chat",)) == (
        manifest.credentials,
        manifest.hosts,
        manifest.base_path,
        manifest.apis,
    )


def test_custom_assumes_nothing():
    """No endpoint, no host of its own, a key only from the file or CUSTOM_API_KEY."""
    manifest = custom.manifest

    assert (None, (), {"api_key": ("CUSTOM_API_KEY",)}) == (
        manifest.default_endpoint,
        manifest.hosts,
        manifest.credentials,
    )
    assert (("local",), ["bearer-token", "api-key", "none"]) == (manifest.aliases, list(manifest.authentication))


@pytest.mark.parametrize(("word", "name"), [(None, "bearer-token"), ("api-key", "api-key"), ("none", "none")])
def test_authentication_is_a_word_in_the_file(word, name):
    """Bearer by default, a header of its own, or nothing at all."""
    assert name == exchange("hi", authentication=word).auth.name


def test_an_unknown_word_for_authentication_is_refused():
    """With those that are known."""
    with pytest.raises(ConfigError, match="bearer-token, api-key, none"):
        exchange("hi", authentication="magic")


def test_a_vendor_may_bring_its_scheme():
    """Another word before the key, or another header."""
    spoken = OpenAICompatible(name="a", base_url="https://a.example", key_scheme="Api-Key")
    header = OpenAICompatible(name="a", base_url="https://a.example", authentication={"x": HeaderKey("x-key")})

    assert "Api-Key" == exchange("hi", spoken).auth.scheme
    assert "x-key" == exchange("hi", header).auth.header


def test_an_api_it_does_not_speak_is_refused():
    """Naming those it does."""
    with pytest.raises(UnsupportedFeatureError, match="it speaks chat, responses"):
        exchange("hi", api="native")


def test_models_are_told_by_prefix():
    """The first that fits wins, and its source is kept."""
    models = (("m-large", {"context_window": 9}), ("m", {"context_window": 5, "images": True}))
    vendor = OpenAICompatible(name="a", base_url="https://a.example", models=models, source="the docs")

    large, other = (vendor.capabilities(target(model=name)) for name in ("m-large-2", "m-small"))

    assert (9, 5, "the docs") == (large.context_window, other.context_window, large.sources["context_window"])
    assert vendor.capabilities(target(model="x")).context_window is None


def test_what_follows_from_the_habits_is_a_capability():
    """A server without a field for the seed cannot take one; Responses has no stop."""
    vendor = OpenAICompatible(name="a", base_url="https://a.example", seed_field="", apis=("chat", "responses"))

    assert vendor.capabilities(target()).seed.refused
    assert not vendor.capabilities(target()).stop.refused
    assert vendor.capabilities(target("responses")).stop.refused


def test_a_server_that_counts_is_asked():
    """`count_path` answers for the same body, without the stream."""
    asked = custom.count_tokens(Request("hi", stream=True), target(count_path="/chat/completions/input_tokens"))

    assert isinstance(asked, Exchange)
    assert asked.request.url.endswith("/v1/chat/completions/input_tokens")
    assert [TokenCount(7, "exact", source="custom")] == asked.reader(Head(200, {}))(Frame("", {"input_tokens": 7}))
    assert custom.count_tokens(Request("hi"), target()) is None


def test_the_plugin_fits_the_hooks():
    """pluggy takes it as it is, and so it does a vendor's subclass."""
    manager = pluggy.PluginManager("byollm")
    manager.register(custom)

    assert ["batch", "capabilities", "complete", "count_tokens"] == sorted(
        hook.name for hook in manager.get_hookcallers(custom) or ()
    )


def test_same_arguments_same_answer():
    """A translator is pure: what it remembers of a target changes nothing."""
    place = target(max_tokens_field="max_completion_tokens")
    first, second = (custom.complete(Request("hi", max_tokens=1), place) for _ in range(2))

    assert (first.request, first.auth) == (second.request, second.auth)
    assert "max_tokens" in body(Request("hi", max_tokens=1))
