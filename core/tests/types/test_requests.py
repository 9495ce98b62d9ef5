"""A request takes what it knows, refuses the rest before anything is sent, and never changes."""

import copy
import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import byollm
from byollm import Message, Request, Text, Tool, ToolChoice, system, user
from byollm.errors import ByollmError, ConfigError, UnknownParameterError
from byollm.types.request import _OTHER_WORDS, _RENAMED, PARAMETERS, replace_request


@pytest.mark.parametrize(
    "wrong, right",
    [("temprature", "temperature"), ("max_token", "max_tokens"), ("tool_choise", "tool_choice"), ("sed", "seed")],
)
def test_a_typo_names_the_nearest_parameter(wrong: str, right: str):
    """The word that was meant is named, in the hint and as a value."""
    with pytest.raises(UnknownParameterError) as raised:
        Request("hi", **{wrong: 1})

    assert (wrong, right, f"did you mean {right}?") == (raised.value.field, raised.value.nearest, raised.value.hint)


@pytest.mark.parametrize("word, ours", sorted(_RENAMED.items()))
def test_other_libraries_words_get_the_right_one(word: str, ours: str):
    """Who comes from another library is told our word, and it is one that exists."""
    with pytest.raises(UnknownParameterError) as raised:
        Request("hi", **{word: 1})

    assert ours == raised.value.nearest
    assert ours in PARAMETERS
    assert ours in raised.value.hint


@pytest.mark.parametrize("word", sorted(_OTHER_WORDS.keys() - {"stream", "messages"}))
def test_words_of_the_configuration_say_where_they_belong(word: str):
    """What is no parameter at all names its place, and no wrong neighbour."""
    with pytest.raises(UnknownParameterError) as raised:
        Request("hi", **{word: "x"})

    assert (_OTHER_WORDS[word], None) == (raised.value.hint, raised.value.nearest)


def test_a_word_near_nothing_lists_all():
    """Without a neighbour the parameters are listed."""
    with pytest.raises(UnknownParameterError, match=r"known: cache_key, .*verbosity"):
        Request("hi", qqqq=1)


JUNK: list[Any] = [object(), 5, -1, 1.5, float("nan"), "", "x", b"x", True, [], {}, [1], {"a": 1}, {1: 2}, {"x"}, print]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@pytest.mark.parametrize("junk", JUNK)
def test_a_junk_value_is_taken_or_a_config_error(name: str, junk: Any):
    """No value of a parameter raises anything but ConfigError."""
    with suppress(ConfigError):
        assert isinstance(Request("hi", **{name: junk}), Request)


@pytest.mark.parametrize(
    "name, junk",
    [
        ("temperature", "0.5"), ("temperature", float("inf")), ("temperature", True), ("max_tokens", 1.0),
        ("max_tokens", -1), ("seed", "7"), ("n", 0), ("stop", ""), ("stop", [1]), ("stop", 5), ("tools", 5),
        ("tools", [object()]), ("tool_choice", 5), ("tool_choice", {"type": "auto"}), ("output_schema", "json"),
        ("tool_choice", {"function": "f"}), ("reasoning_effort", "huge"), ("parallel_tool_calls", "no"),
        ("store", 1), ("prefill", "x"), ("stream", "yes"), ("system", 5), ("system", [5]), ("logit_bias", [1]),
        ("logit_bias", {"a": "b"}), ("metadata", {"a": 1}), ("extra", {"acme": 5}), ("extra", "x"),
        ("cache_key", 5), ("verbosity", 1), ("end_user_id", b"x"), ("service_tier", 2),
    ],
)  # fmt: skip
def test_an_unusable_value_is_a_config_error(name: str, junk: Any):
    """What no provider could take is refused by name, before anything is sent."""
    with pytest.raises(ConfigError, match=name.removesuffix("s")):
        Request("hi", **{name: junk})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_messages_are_messages_or_a_config_error(value: Any):
    """Whatever stands for the messages, nothing but ConfigError comes out."""
    try:
        request = Request(value)
    except ConfigError:
        return
    assert all(isinstance(message, Message) for message in request.messages)


@pytest.mark.parametrize(
    "value, expected",
    [
        ("hi", (user("hi"),)),
        (user("hi"), (user("hi"),)),
        (Text("hi"), (user("hi"),)),
        ([system("be brief"), user("hi")], (system("be brief"), user("hi"))),
        ([{"role": "user", "content": "hi"}], (user("hi"),)),
        ([], ()),
    ],
)
def test_what_stands_for_messages(value: Any, expected: Any):
    """A text, a part, a message, a list of them, or OpenAI's dicts."""
    assert expected == Request(value).messages


def test_a_request_in_a_request_is_refused():
    """Its parameters would be lost without a word."""
    with pytest.raises(ConfigError, match="whole Request"):
        Request(Request("hi", seed=1))


def test_with_changes_a_copy():
    """`with_` keeps all that it does not name, and the original."""
    first = Request("hi", seed=1, stop="x", tools=[Tool("f")], tool_choice="f")

    second = first.with_(seed=None, temperature=0.5)

    assert (1, None) == (first.seed, second.seed)
    assert (("x",), 0.5, first.tools, ToolChoice("required", "f"), first.messages) == (
        second.stop, second.temperature, second.tools, second.tool_choice, second.messages,
    )  # fmt: skip
    assert "bye" == first.with_(messages="bye").messages[0].text


def test_with_refuses_what_the_request_refuses():
    """A copy is checked like the original."""
    with pytest.raises(UnknownParameterError):
        Request("hi").with_(sead=1)
    with pytest.raises(ConfigError):
        Request("hi").with_(seed="x")


def test_nothing_changed_is_the_same_object():
    """Replacing values by themselves makes nothing new."""
    request = Request("hi", seed=1)

    assert request is replace_request(request, seed=1, stop=None)
    assert 2 == replace_request(request, seed=2).seed


@pytest.mark.parametrize("said", ["be brief", [Text("be "), "brief"], Text("be brief")])
def test_system_stands_first_in_the_conversation(said: Any):
    """The system text is the first message of what a plugin translates, and not one of `messages`."""
    request = Request("hi", system=said)

    assert ["system", "user"] == [message.role for message in request.conversation]
    assert "be brief" == request.conversation[0].text
    assert (user("hi"),) == request.messages


def test_no_system_is_no_message():
    """Nothing is made of nothing."""
    silent: list[Any] = [None, "", [], ()]
    for nothing in silent:
        assert (user("hi"),) == Request("hi", system=nothing).conversation


class Answer(BaseModel):
    """An answer."""

    n: int


def test_a_pydantic_class_is_a_schema():
    """The class is kept for reading, its schema is what is sent."""
    request = Request("hi", output_schema=Answer)

    assert Answer is request.output_schema
    assert "n" in request.json_schema["properties"]  # type: ignore[index]  # there is one


@pytest.mark.parametrize("again", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy, copy.deepcopy])
def test_a_request_pickles_and_copies(again: Any):
    """A request goes through a queue."""
    request = Request([user("hi")], seed=1, stop=["a"], extra={"acme": {"x": 1}}, output_schema={"type": "object"})

    assert request == again(request)


def test_a_request_does_not_change():
    """It is frozen."""
    with pytest.raises(AttributeError):
        Request("hi").seed = 1  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize(
    "said, means",
    [
        ("auto", ToolChoice("auto")), ("none", ToolChoice("none")), ("required", ToolChoice("required")),
        ("any", ToolChoice("required")), ("f", ToolChoice("required", "f")), (Tool("f"), ToolChoice("required", "f")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("required", "f")),
        ({"type": "tool", "name": "f"}, ToolChoice("required", "f")), (ToolChoice("none"), ToolChoice("none")),
    ],
)  # fmt: skip
def test_what_stands_for_a_tool_choice(said: Any, means: ToolChoice):
    """A mode, a name, a tool, or another library's dict."""
    assert means == Request("hi", tools=[Tool("f")], tool_choice=said).tool_choice


def test_unknown_parameters_are_type_errors_too():
    """Python's own word for a wrong keyword catches it."""
    with pytest.raises(TypeError) as raised:
        Request("hi", temprature=1)

    assert isinstance(raised.value, ByollmError)
    assert byollm.errors.UnsupportedFeatureError in type(raised.value).__mro__
