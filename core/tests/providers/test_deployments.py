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


def test_a_message_names_the_plugin_and_what_brought_it():
    """Who reads it in a log knows which package to look at."""
    target = Target(provider="acme", model="m", endpoint="http://a")
    odd = Deployment(Odd("text"), Odd.manifest, target, distribution="byollm-odd", version="1.4.0")

    with pytest.raises(PluginError, match=r"odd \(byollm-odd 1\.4\.0\): complete answered str"):
        odd.exchange(Request("hi"))


class Unmarked:
    """A hook that pluggy does not see."""

    manifest = Manifest(name="unmarked")

    def complete(self, request: Any) -> Any:
        return None


def test_a_hook_that_is_not_marked_is_said_to_be_missing():
    """It is not the api that is at fault, and the mend is one line."""
    with pytest.raises(PluginError, match="has no hook `complete`") as raised:
        bound(Unmarked()).exchange(Request("hi"))

    assert "hookimpl" in raised.value.hint


def sent(**changes: Any) -> Any:
    request = HttpRequest("POST", "http://a/chat", (("content-type", "application/json"),), b"{}")
    parts = {"request": request, "reader": lambda head: lambda frame: [], "framing": "json", "auth": NoAuth()}
    return Exchange(**{**parts, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"request": None}, "not an HttpRequest"),
        ({"request": HttpRequest("POST", "http://a", (), "{}")}, "not bytes"),  # type: ignore[arg-type]
        ({"request": HttpRequest("POST", None, (), b"")}, "URL"),  # type: ignore[arg-type]
        ({"request": HttpRequest("post", "http://a", (), b"")}, "capital letters"),
        ({"request": HttpRequest("POST", "http://a", {"a": "b"}, b"")}, "a tuple of pairs"),  # type: ignore[arg-type]
        ({"request": HttpRequest("POST", "http://a", (("a", 5),), b"")}, "no pair of texts"),  # type: ignore[arg-type]
        ({"request": HttpRequest("POST", "http://a", (("Host", "b"),), b"")}, "which the core writes"),
        ({"framing": "jsonl"}, "aws-eventstream, json, ndjson, sse"),
        ({"reader": None}, "whose reader is None"),
    ],
)
def test_an_exchange_that_cannot_be_sent_or_read_is_a_plugin_error(changes: Any, words: str):
    """Told before anything is sent, and not as a stray exception of whoever stumbles over it."""
    with pytest.raises(PluginError, match=f"odd: complete answered an Exchange .*{words}"):
        bound(Odd(sent(**changes))).exchange(Request("hi"))


@pytest.mark.parametrize(
    "answer",
    [
        Capabilities(context_window="big"),  # type: ignore[arg-type]
        Capabilities(stop_limit=-1),
        Capabilities(tools="full"),  # type: ignore[arg-type]
        Capabilities(temperature_range=(2, 0)),
    ],
)
def test_capabilities_of_the_wrong_types_are_a_plugin_error(answer: Any):
    """The engine compares them with every request."""
    with pytest.raises(PluginError, match="odd: capabilities answered"):
        bound(Odd(answer)).capabilities


@pytest.mark.parametrize("tokens", [-5, "seven", True, 1.5])
def test_a_count_that_is_none_is_a_plugin_error(tokens: Any):
    """Never a figure that somebody reckons with."""
    with pytest.raises(PluginError, match="odd: count_tokens answered"):
        bound(Odd(TokenCount(tokens, "exact"))).count(Request("hi"))


def test_a_hook_that_ends_the_program_does_not():
    """`sys.exit` in a plugin is a mistake of the plugin's."""

    class Leaving(Odd):
        def _said(self) -> Any:
            raise SystemExit(3)

    with pytest.raises(PluginError, match="SystemExit"):
        bound(Leaving(None)).exchange(Request("hi"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hosts": "api.acme.example"}, "hosts is a tuple of texts"),
        ({"apis": "chat"}, "apis is a tuple"),
        ({"aliases": "ac"}, "aliases is a tuple"),
        ({"credentials": {"api_key": "ACME_API_KEY"}}, "tuple of environment variables' names"),
        ({"credentials": ("ACME_API_KEY",)}, "credentials is a mapping"),
        ({"authentication": {"none": NoAuth}}, "is an auth scheme"),
        ({"authentication": (NoAuth(),)}, "authentication is a mapping"),
        ({"spec": "1"}, "spec is a whole number"),
        ({"default_endpoint": 5}, "default_endpoint"),
        ({"name": ""}, "name is a text"),
    ],
)
def test_a_manifest_of_the_wrong_types_is_refused_where_it_is_written(changes: Any, words: str):
    """A text where names are wanted would be read letter by letter, and a key never be found."""
    with pytest.raises(TypeError, match=words):
        Manifest(**{"name": "acme", **changes})
