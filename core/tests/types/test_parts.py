"""Parts, messages and media: what stands for what, and what is refused."""

import base64
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm import (
    Audio,
    Citation,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    system,
    tool_results,
    user,
)
from byollm.errors import ByollmError, ConfigError, OutputInvalidError
from byollm.types.media import decode, sniff

PNG = b"\x89PNG\r\n\x1a\n...."


@pytest.mark.parametrize(
    "said, parts",
    [
        ((), ()),
        (("a",), (Text("a"),)),
        (("a", Text("b")), (Text("a"), Text("b"))),
        ((Image(PNG), "what is it?"), (Image(PNG), Text("what is it?"))),
    ],
)
def test_strings_stand_for_text(said: tuple[str | Part, ...], parts: tuple[Part, ...]):
    """A string is one Text, wherever a part may stand."""
    assert parts == user(*said).parts == Message("user", said).parts == ToolResult("1", said).parts


@pytest.mark.parametrize("make, role", [(user, "user"), (assistant, "assistant"), (system, "system")])
def test_each_role_has_a_word(make: Any, role: str):
    """The short words make messages of their role."""
    assert Message(role, "hi") == make("hi")  # type: ignore[arg-type]  # a string stands for Text


@pytest.mark.parametrize("junk", [5, None, b"bytes", {"a": 1}, [5], ["a", None], object()])
def test_what_is_no_part_is_a_type_error(junk: Any):
    """Anything but a string or a part is refused where it is written."""
    with pytest.raises(TypeError, match="byollm part"):
        Message("user", junk)


@pytest.mark.parametrize("role", ["bot", "", None, 5, ["user"]])
def test_an_unknown_role_names_the_known_ones(role: Any):
    """A role nobody has is a ConfigError, which is a ValueError."""
    with pytest.raises(ConfigError, match="system, developer, user, assistant, tool"):
        Message(role, "hi")


def test_a_speaker_has_a_name_that_is_text():
    """A name is a text."""
    with pytest.raises(ConfigError):
        Message("user", ("hi",), 5)  # type: ignore[arg-type]  # that is the test


def test_tool_results_are_one_message():
    """Results given one by one or as a list are the parts of one tool turn."""
    one, two = ToolResult("1", "a"), ToolResult("2", "b")

    assert Message("tool", (one, two)) == tool_results(one, two) == tool_results([one, two]) == tool_results([one], two)


@pytest.mark.parametrize("junk", ["text", 5, ["text"], Text("a")])
def test_only_results_are_tool_results(junk: Any):
    """A string is no result: it would not say whose."""
    with pytest.raises(TypeError):
        tool_results(junk)


def test_text_and_calls_of_a_message():
    """The text is joined, the calls are in order, the rest is left out."""
    message = assistant("a", Reasoning("hm"), ToolCall("1", "f"), "b", ToolCall("2", "g"))

    assert ("ab", ["1", "2"]) == (message.text, [call.id for call in message.tool_calls])


@pytest.mark.parametrize(
    "arguments, args",
    [("", {}), ("  ", {}), ("{}", {}), ('{"a": [1, null]}', {"a": [1, None]}), ({"ä": 1}, {"ä": 1}), ({}, {})],
)
def test_arguments_are_read(arguments: Any, args: Any):
    """JSON text, a mapping, or nothing."""
    assert args == ToolCall("1", "f", arguments).args


@pytest.mark.parametrize(
    "arguments",
    ["{", "[1]", "5", "null", '"x"', '{"a": NaN}', '{"a": Infinity}', "{" * 9, "[" * 100_000, '{"a":1}x', "9" * 5000],
)
def test_unreadable_arguments_say_whose(arguments: str):
    """Whatever a model wrote, the error is OutputInvalidError and names the tool."""
    with pytest.raises(OutputInvalidError, match="'f'") as raised:
        ToolCall("1", "f", arguments).args

    assert raised.value.problems
    assert raised.value.__context__ is None


@given(st.text())
def test_any_arguments_are_an_object_or_invalid_output(text: str):
    """There is no third way."""
    try:
        args = ToolCall("1", "f", text).args
    except OutputInvalidError:
        return
    assert isinstance(args, dict)


@pytest.mark.parametrize(
    "data, kind",
    [
        (PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a", "image/gif"),
        (b"%PDF-1.7", "application/pdf"), (b"RIFF....WEBP", "image/webp"), (b"RIFF....WAVE", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"), (b"\xff\xfb\x90", "audio/mpeg"), (b"\xff\xf3\x90", "audio/mpeg"),
        (b"fLaC", "audio/flac"), (b"OggS", "audio/ogg"),
        (b"RIFF....AVI ", None), (b"", None), (b"hello", None),
    ],
)  # fmt: skip
def test_the_first_bytes_tell_the_type(data: bytes, kind: str | None):
    """Common media are known by their first bytes, nothing is guessed."""
    assert kind == sniff(data)


@pytest.mark.parametrize("part", [Image, Document, Audio])
def test_bytes_become_base64_with_their_type(part: Any):
    """Bytes say what they are, or the caller does."""
    media = part(PNG).media

    assert (None, "image/png", PNG) == (media.url, media.media_type, base64.b64decode(media.base64))
    assert "x/y" == part(b"??", "x/y").media.media_type
    assert media.data_uri.startswith("data:image/png;base64,")


@pytest.mark.parametrize("url", ["https://example.com/a.png", "http://example.com/a", "gs://b/a", "s3://b/a"])
def test_urls_stay_urls(url: str):
    """byollm fetches nothing."""
    assert (url, None, url) == (Image(url).media.url, Image(url).media.base64, Image(url).media.data_uri)
    with pytest.raises(ConfigError, match="does not fetch"):
        decode(Image(url).media, what="image")


def test_a_data_uri_says_its_type_or_shows_it():
    """The type is the URI's, the caller's, or the bytes' own."""
    text = base64.b64encode(PNG).decode()

    assert "image/webp" == Image(f"data:image/webp;base64,{text}").media.media_type
    assert "image/webp" == Image(f"data:image/webp;charset=x;base64,{text}").media.media_type
    assert "x/y" == Image(f"data:image/webp;base64,{text}", "x/y").media.media_type
    assert "image/png" == Image(f"data:;base64,{text}").media.media_type
    assert PNG == decode(Image(f"data:image/png;base64,{text}").media, what="image")


@pytest.mark.parametrize(
    "source",
    [b"", b"hello", "photo.png", "", "data:", "data:image/png,abc", "data:;base64,????", "data:;base64,aGk=", 5, None,
     ["x"], "ftp://example.com/a", "file:///etc/passwd"],
)  # fmt: skip
def test_a_source_that_is_none_is_a_config_error(source: Any):
    """A path, a broken URI, bytes of no known type: said before anything is sent, and no file is opened."""
    with pytest.raises(ConfigError):
        Image(source).media


@pytest.mark.parametrize("part", [Text("a"), Opaque("p", "t", {}), Citation(), ToolResult("1")])
def test_parts_are_frozen(part: Any):
    """A part that was sent is the part that is kept."""
    with pytest.raises(AttributeError):
        setattr(part, fields(part)[0].name, None)


def test_each_kind_of_error_is_ours():
    """A broken data URI is a byollm error and nothing else."""
    with pytest.raises(ByollmError):
        Image("data:image/png;base64", None).media
