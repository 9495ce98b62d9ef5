"""llama.cpp's own server, driven through every provider that speaks one of its dialects.

The weights are random: no test reads the text for sense. What holds is the shape of what comes back and the laws
between its parts. Grammar makes forced calls and schema answers valid even so.
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

import byollm
from byollm import errors
from tests.servers.conftest import WIRES
from tests.servers.llama import KEY, MODEL, WINDOW, Server

LENGTH = 24
CITIES = {"type": "object", "properties": {"city": {"enum": ["Oslo", "Rome"]}}, "required": ["city"]}
WEATHER = byollm.Tool("weather", "Weather of a city", {**CITIES, "additionalProperties": False})
UNENFORCED = ("anthropic", "custom-responses", "openai-responses")
"""Surfaces on which this server reads no schema: it leaves out what its Responses and Messages say of a format."""
REFUSED = ("llamacpp-responses", "llamacpp-messages")
"""The same, and the plugin knows it."""
UNCOUNTED = ("custom", "custom-responses")
"""Nothing is assumed of a custom server, so nobody asks it to count."""


def test_complete(client: byollm.Client) -> None:
    """An answer has a finish reason of the neutral list, usage that adds up, and the server's own model name."""
    reply = client.complete("Say something.", system="Be brief.", max_tokens=LENGTH, temperature=0.7)

    assert reply.finish_reason in ("stop", "length")
    assert MODEL == reply.model
    assert (reply.usage.input_tokens or 0) > len("Say something.Be brief.")
    assert 0 < (reply.usage.output_tokens or 0) <= LENGTH
    assert 1 == len(reply.attempts)


def test_stream(client: byollm.Client) -> None:
    """A stream starts, brings text, ends once; its pieces joined are the completion's text; usage is told."""
    with client.stream("Say something.", max_tokens=LENGTH) as stream:
        events = list(stream)

    text = "".join(event.text for event in events if isinstance(event, byollm.TextDelta))
    assert isinstance(events[0], byollm.Started)
    assert 1 == sum(isinstance(event, byollm.Finished) for event in events)
    assert text == stream.completion.text
    assert stream.completion.finish_reason in ("stop", "length")
    assert 0 < (stream.completion.usage.output_tokens or 0) <= LENGTH


def test_leaving_a_stream_early_leaves_the_server_well(client: byollm.Client) -> None:
    """A stream that is left after its first event does not disturb the next call."""
    with client.stream("Say something long.", max_tokens=2000) as stream:
        next(iter(stream))

    assert client.complete("And now?", max_tokens=4).finish_reason in ("stop", "length")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_forced_tool_call(client: byollm.Client, streamed: bool) -> None:
    """A forced call has the tool's name and arguments that fit its schema, and its result can be sent back."""
    asked: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "required", "max_tokens": 400}
    reply = ask(client, "Weather?", streamed=streamed, **asked)

    assert "tool_calls" == reply.finish_reason
    for call in reply.tool_calls:
        assert "weather" == call.name
        jsonschema.validate(call.args, WEATHER.parameters)

    results = byollm.tool_results(*[byollm.ToolResult(call.id, "4 degrees") for call in reply.tool_calls])
    turns = [byollm.user("Weather?"), reply.message, results]
    assert "tool_calls" == ask(client, turns, streamed=streamed, **asked).finish_reason


def ask(client: byollm.Client, messages: Any, *, streamed: bool, **parameters: Any) -> byollm.Completion:
    if not streamed:
        return client.complete(messages, **parameters)
    with client.stream(messages, **parameters) as stream:
        for _ in stream:
            pass
    return stream.completion


def test_schema_output(client: byollm.Client, wire: str) -> None:
    """A schema is kept to where the server has a place for one; elsewhere the answer is never passed off as fitting."""
    asked: dict[str, Any] = {"output_schema": CITIES, "max_tokens": 200}
    if wire in REFUSED:
        with pytest.raises(errors.UnsupportedFeatureError):
            client.complete("Which city?", **asked)
    elif wire in UNENFORCED:
        reply = client.complete("Which city?", **asked)
        with pytest.raises(errors.OutputInvalidError):
            _ = reply.parsed
    else:
        jsonschema.validate(client.complete("Which city?", **asked).parsed, CITIES)


def test_count_tokens(client: byollm.Client, wire: str) -> None:
    """The count lies within its own bounds, and an exact one is what the answer's usage says."""
    text = "How many tokens are these? " * 5
    count = client.count_tokens(text)
    told = client.complete(text, max_tokens=1).usage.input_tokens

    assert told is not None
    assert (count.exactness == "exact") is (wire not in UNCOUNTED and wire not in ("openai-chat", "anthropic"))
    assert (count.lower or 0) <= told
    assert told == count.tokens or wire in UNCOUNTED


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_the_server_tells_its_window(server: Server, api: str) -> None:
    """Asked once, it names the window of one slot; a prompt that is longer is then refused before it is sent."""
    fields = {"provider": "llamacpp", "api": api, "model": MODEL, "endpoint": server.url, "api_key": KEY}
    with byollm.Client({**fields, "proxy": "none"}) as client:
        assert WINDOW == client.capabilities(refine=True).context_window
        with pytest.raises(errors.ContextLengthError) as caught:
            client.complete("word " * 3 * WINDOW, max_tokens=4)

    assert "no" == caught.value.sent


def test_overflow(client: byollm.Client) -> None:
    """A prompt longer than the window is one error class everywhere, and nothing was cut in silence."""
    with pytest.raises(errors.ContextLengthError):
        client.complete("x y " * WINDOW, max_tokens=4)


def test_wrong_key(target: dict[str, Any]) -> None:
    """A wrong key is an AuthenticationError with the server's status, and shows in no word of it."""
    with (
        byollm.Client({**target, "api_key": "wrong-key-987654321"}) as client,
        pytest.raises(errors.AuthenticationError) as caught,
    ):
        client.complete("hi", max_tokens=4)

    assert 401 == caught.value.status
    assert "wrong-key" not in repr(caught.value) + str(caught.value)


def test_wrong_model(target: dict[str, Any], router: Server) -> None:
    """A server that chooses among models refuses a name it does not have."""
    elsewhere = {**target, "endpoint": router.url, "model": "no-such-model"}
    with byollm.Client(elsewhere) as client, pytest.raises(errors.ModelNotFoundError):
        client.complete("hi", max_tokens=4)


def test_a_server_with_one_model_says_whose_answer_it_is(target: dict[str, Any]) -> None:
    """Asked for another model, it answers with its own; `reply.model` tells."""
    with byollm.Client({**target, "model": "another-model"}) as client:
        assert MODEL == client.complete("hi", max_tokens=4).model


def test_preview_is_what_is_sent(client: byollm.Client, server: Server) -> None:
    """A preview names the server's own address and shows no key."""
    preview = client.preview("hi", max_tokens=4)

    assert preview.url.startswith(server.url)
    assert "local-key" not in repr(preview)


def test_every_wire_goes_to_this_machine_only(server: Server) -> None:
    """The server listens on 127.0.0.1, and no wire has another endpoint."""
    parts = urlsplit(server.url)

    assert "127.0.0.1" == parts.hostname
    assert not [name for name, fields in WIRES.items() if "endpoint" in fields]
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=5) as connection:
        assert "127.0.0.1" == connection.getpeername()[0]
