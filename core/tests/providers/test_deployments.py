"""One plugin bound to one target: who sees what, and what a plugin may answer."""

from typing import Any

import pytest
from core_driving import Acme, deployment

from byollm import Adjustment, Capabilities, Request, Support, TokenCount
from byollm.errors import ConfigError, PluginError, UnsupportedFeatureError
from byollm.plugin import Exchange, HttpRequest, Manifest, NoAuth, Target, hookimpl
from byollm.providers.deployment import Deployment
from byollm.types.capabilities import FEATURES, FIELDS


def bound(plugin: Any, **override: Any) -> Deployment:
    return Deployment(
        plugin, plugin.manifest, Target(provider="acme", model="m", endpoint="http://a"), "adapt", override
    )


def test_another_plugin_never_sees_a_prompt():
    """Each deployment has a manager of its own: nothing is broadcast."""
    asked, other = Acme("acme"), Acme("other")
    deployments = [deployment(asked, "one"), deployment(other, "two")]

    deployments[0].exchange(Request("secret"))

    assert (["secret"], []) == ([it.messages[0].text for it in asked.asked], other.asked)


def test_one_plugin_may_serve_many_deployments():
    """The same object, two targets."""
    plugin = Acme()

    urls = [deployment(plugin, name).exchange(Request("hi")).request.url for name in ("one", "two")]  # type: ignore[union-attr]

    assert ["http://one.example/chat", "http://two.example/chat"] == urls


class Odd:
    """Answers whatever it is told to."""

    manifest = Manifest(name="odd")

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def _said(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @hookimpl
    def complete(self, request: Any) -> Any:
        return self._said()

    @hookimpl
    def count_tokens(self, request: Any, target: Any) -> Any:
        return self._said()

    @hookimpl
    def capabilities(self) -> Any:
        return self._said()


QUESTIONS: list[Any] = [
    lambda it: it.exchange(Request("hi")), lambda it: it.count(Request("hi")), lambda it: it.capabilities,
]  # fmt: skip


@pytest.mark.parametrize("ask", QUESTIONS)
@pytest.mark.parametrize("answer", ["text", 5, object(), {"a": 1}, ValueError("oops"), KeyError("x")])
def test_an_answer_of_the_wrong_kind_is_a_plugin_error(ask: Any, answer: Any):
    """It names the plugin and the hook, and nothing hangs in its context."""
    with pytest.raises(PluginError, match=r"odd: (complete|count_tokens|capabilities)") as raised:
        ask(bound(Odd(answer)))

    assert raised.value.__context__ is None


@pytest.mark.parametrize("ask", QUESTIONS)
def test_a_plugins_own_refusal_passes(ask: Any):
    """A byollm error of a plugin is what the caller gets."""
    with pytest.raises(UnsupportedFeatureError, match="not here"):
        ask(bound(Odd(UnsupportedFeatureError("not here"))))


def test_none_means_that_there_is_no_such_surface():
    """`complete` refuses, the count is left to the core, capabilities are unknown."""
    odd = bound(Odd(None))

    with pytest.raises(UnsupportedFeatureError, match="no way to complete"):
        odd.exchange(Request("hi"))
    assert (None, Capabilities()) == (odd.count(Request("hi")), odd.capabilities)


def test_a_count_may_be_a_value():
    """Some plugins can count by themselves."""
    assert TokenCount(5, "exact") == bound(Odd(TokenCount(5, "exact"))).count(Request("hi"))


class Wrong:
    """A hook with an argument nobody gives."""

    manifest = Manifest(name="wrong")

    @hookimpl
    def complete(self, request: Any, mood: Any) -> Any:
        return None


class Newer:
    """A hook of a border that this core does not know."""

    manifest = Manifest(name="newer")

    @hookimpl(optionalhook=True)
    def embed(self, texts: Any) -> Any:
        return None


def test_a_hook_that_does_not_fit_is_a_plugin_error():
    """It is told when the plugin is bound; an optional hook of tomorrow is let be."""
    with pytest.raises(PluginError, match="mood"):
        bound(Wrong())
    assert Capabilities() == bound(Newer()).capabilities


def test_the_file_wins_over_the_plugin():
    """A user can mend a model on its launch day; each answer says where it is from."""
    plugin = Acme(capabilities=Capabilities(context_window=10, tools=Support.unsupported, sources={"tools": "docs"}))

    can = bound(plugin, tools=True, max_output_tokens=5, seed="partial", temperature_range=[0, 1]).capabilities

    assert (10, 5, Support.full, Support.partial, (0, 1)) == (
        can.context_window, can.max_output_tokens, can.tools, can.seed, can.temperature_range,
    )  # fmt: skip
    assert {"configuration"} == set(can.sources.values())


@pytest.mark.parametrize("override", [{"toools": True}, {"tools": "maybe"}, {"tools": []}])
def test_a_wrong_capability_is_a_config_error(override: dict[str, Any]):
    """With the word that is wrong."""
    with pytest.raises(ConfigError, match=r"capabilities: .*(toools|maybe|\[\])"):
        deployment_ = bound(Acme(), **override)
        deployment_.capabilities


def test_what_the_provider_says_is_laid_over_what_the_plugin_knew():
    """An answer about the window does not make the rest unknown, and the file still wins."""
    found = bound(Acme(capabilities=Capabilities(context_window=10, tools=Support.full)), max_output_tokens=7)

    found.refine(Capabilities(context_window=20, max_output_tokens=9, sources={"context_window": "asked"}))

    can = found.capabilities
    assert (20, 7, Support.full) == (can.context_window, can.max_output_tokens, can.tools)
    assert ("asked", "configuration") == (can.sources["context_window"], can.sources["max_output_tokens"])


def test_features_are_asked_for_by_name():
    """A name that is none is a KeyError."""
    assert Support.unknown is Capabilities().supports("tools")
    for name in ("context_window", "toools"):
        with pytest.raises(KeyError):
            Capabilities().supports(name)
    assert set(FEATURES) < FIELDS


def test_what_the_translator_changed_is_told_too():
    """Its notes stand beside those of `fit()`, and `strict` refuses them alike."""
    note = Adjustment("metadata", "dropped", {"a": "b"}, None, "no room")
    made: Exchange[Any] = Exchange(
        request=HttpRequest("POST", "http://a"),
        reader=lambda head: lambda frame: (),
        framing="json",
        auth=NoAuth(),
        adjustments=(note,),
    )
    request = Request("hi", seed=7)
    lenient = deployment(Acme(capabilities=Capabilities(seed=Support.unsupported)))
    strict = deployment(on_unsupported="strict")

    noted = lenient.noted(lenient.fit(request), made)

    assert ["seed", "metadata"] == [it.field for it in noted.adjustments]
    with pytest.raises(UnsupportedFeatureError, match="metadata"):
        strict.noted(strict.fit(Request("hi")), made)


@pytest.mark.parametrize(
    ("extra", "dropped"),
    [
        ({"openai": {"frobnicate": 3}}, ["it is for openai, and this is acme"]),
        ({"acne": {"top_a": 1}}, ["it is for acne, and this is acme"]),
        ({"openai": {"seed": 1}, "acme": {"top_a": 1}}, []),
        ({}, []),
        (None, []),
    ],
)
def test_extra_words_for_somebody_else_are_not_lost_in_silence(extra: Any, dropped: list[str]):
    """A body of OpenAI's that goes to another provider, a name misspelt. Who has a share of it is content."""
    own = bound(Acme())
    fitted = own.fit(Request("hi", extra=extra))

    assert dropped == [it.reason for it in own.noted(fitted, own.exchange(fitted.request)).adjustments]


def test_under_strict_they_are_refused():
    """Like everything that would have to be left out."""
    own = Deployment(Acme(), Acme().manifest, Target(provider="acme", model="m", endpoint="http://a"), "strict", {})
    fitted = own.fit(Request("hi", extra={"openai": {"frobnicate": 3}}))

    with pytest.raises(UnsupportedFeatureError, match="cannot take extra as asked: it is for openai"):
        own.noted(fitted, own.exchange(fitted.request))
