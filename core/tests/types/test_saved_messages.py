"""Conversations as JSON data: nothing is lost, and nothing strange is let in."""

import json
from typing import Any

import pytest
from core_strategies import json_values, messages
from hypothesis import given
from hypothesis import strategies as st

from byollm import Message, dump_messages, load_messages, user
from byollm.errors import ConfigError

WHOLE = {"byollm_messages": 1, "messages": [{"role": "user", "parts": [{"type": "text", "text": "hi"}]}]}


@given(st.lists(messages, max_size=4))
def test_what_is_written_is_read_back(conversation: list[Message]):
    """Every part, hint, state and byte comes back, through JSON text."""
    written = json.dumps(dump_messages(conversation))

    assert tuple(conversation) == load_messages(json.loads(written))


def test_the_form_is_versioned_and_plain():
    """What stands in a file can be read by people."""
    assert WHOLE == dump_messages([user("hi")])


@given(json_values)
def test_junk_is_a_config_error(junk: Any):
    """Nothing but ConfigError comes out of what byollm did not write."""
    with pytest.raises(ConfigError):
        load_messages(junk)


words = st.sampled_from(
    ["type", "text", "role", "parts", "state", "id", "name", "arguments", "source", "base64", "data", "provider",
     "transport", "is_error", "start", "cache", "user", "tool_result", "opaque", "image", "citation", "tool_call"]
)  # fmt: skip
wild = st.recursive(
    st.none() | st.booleans() | st.integers() | words | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({"role": st.just("user") | wild, "parts": st.lists(wild) | wild}), max_size=2))
def test_near_misses_are_messages_or_a_config_error(listed: Any):
    """Data that looks nearly right is read, or refused as ConfigError; what is read can be written again."""
    try:
        read = load_messages({"byollm_messages": 1, "messages": listed})
    except ConfigError:
        return
    assert read == load_messages(dump_messages(read))


@pytest.mark.parametrize(
    "part, where",
    [
        ({"type": "text"}, "messages[0].parts[0]"),
        ({"type": "text", "text": 5}, "messages[0].parts[0].text"),
        ({"type": "text", "text": None}, "messages[0].parts[0].text"),
        ({"type": "text", "text": "a", "colour": "red"}, "messages[0].parts[0]"),
        ({"type": []}, "messages[0].parts[0]"),
        ({"type": "video"}, "messages[0].parts[0]"),
        ("text", "messages[0].parts[0]"),
        ({"type": "text", "text": "a", "state": {"type": "text", "text": "b"}}, "messages[0].parts[0].state"),
        ({"type": "image", "source": {"base64": "?"}}, "messages[0].parts[0].source"),
        ({"type": "image", "source": {"base64": 5}}, "messages[0].parts[0].source"),
        ({"type": "tool_result", "id": "1", "parts": [5]}, "messages[0].parts[0].parts[0]"),
        ({"type": "tool_result", "id": "1", "is_error": "yes"}, "messages[0].parts[0].is_error"),
        ({"type": "citation", "start": 1.5}, "messages[0].parts[0].start"),
    ],
)
def test_the_error_says_where(part: Any, where: str):
    """The place is named, so that the file can be mended."""
    with pytest.raises(ConfigError) as raised:
        load_messages({"byollm_messages": 1, "messages": [{"role": "user", "parts": [part]}]})

    assert raised.value.message.startswith(where)


@pytest.mark.parametrize(
    "message",
    [5, {}, {"role": "user"}, {"role": "bot", "parts": []}, {"role": ["user"], "parts": []}, {"parts": []},
     {"role": "user", "parts": [], "name": 5}, {"role": "user", "parts": [], "mood": "good"}],
)  # fmt: skip
def test_what_is_no_message_is_refused(message: Any):
    """A message has a role, parts and perhaps a name."""
    with pytest.raises(ConfigError, match=r"messages\[0\]"):
        load_messages({"byollm_messages": 1, "messages": [message]})


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_another_version_is_refused(version: Any):
    """Data of tomorrow is not guessed at."""
    with pytest.raises(ConfigError, match="version 1"):
        load_messages({**WHOLE, "byollm_messages": version})


def test_nesting_without_end_is_refused():
    """Hostile data does not exhaust the stack."""
    part: Any = {"type": "text", "text": "a"}
    for _ in range(5_000):
        part = {"type": "tool_result", "id": "1", "parts": [part]}

    with pytest.raises(ConfigError, match="nested"):
        load_messages({"byollm_messages": 1, "messages": [{"role": "tool", "parts": [part]}]})
