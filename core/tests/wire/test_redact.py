"""No piece of a key in anything that is shown."""

import base64
import copy
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from core_strategies import json_values
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm.wire.redact import MASK, PIECE, Redactor, Secret, masked_headers

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=PIECE, max_size=60)
odd_keys = st.text(min_size=PIECE, max_size=40).filter(lambda it: "\ud800" not in it and it.strip() == it)


def html_safe(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" if letter in "<>&'+" else letter for letter in json.dumps(text)[1:-1])


def coded(data: bytes, start: int = 0, end: int | None = None) -> str:
    """Base64 without its padding; `start` and `end` leave out characters that the neighbours decide, too."""
    return base64.b64encode(data).decode().rstrip("=")[start:end]


WRITTEN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "base64": lambda key: coded(key.encode()),
    "base64 after one byte": lambda key: coded(b":" + key.encode(), 2),
    "base64 after two bytes": lambda key: coded(b"a:" + key.encode(), 3),
    "base64 between others": lambda key: coded(b"user:" + key.encode() + b":more", 7, -8),
    "urlsafe": lambda key: coded(key.encode()).translate({43: 45, 47: 95}),
    "urlsafe after one byte": lambda key: coded(b":" + key.encode(), 2).translate({43: 45, 47: 95}),
    "URL": lambda key: quote(key, safe=""),
    "URL path": quote,
    "URL form": quote_plus,
    "JavaScript's URL": lambda key: quote(key, safe="!'()*"),
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON, UTF-8": lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    "PHP's JSON": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "Go's JSON": html_safe,
    "URL of base64": lambda key: quote(coded(key.encode()), safe=""),
    "hex": lambda key: key.encode().hex(),
    "reversed": lambda key: key[::-1],
    "small letters": str.lower,
    "large letters": str.upper,
    "hex in large letters": lambda key: key.encode().hex().upper(),
    "each letter escaped": lambda key: "".join(f"\\u{ord(letter):04X}" for letter in key),
    "each letter as in a URL": lambda key: "".join(f"%{ord(letter):02X}" for letter in key),
}


def pieces(text: str) -> set[str]:
    return {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}


@pytest.mark.parametrize("way", sorted(WRITTEN))
@settings(max_examples=60)
@given(key=keys, before=st.text(max_size=10), after=st.text(max_size=10))
def test_no_piece_of_a_key_survives(way: str, key: str, before: str, after: str):
    """However a provider writes the key it was sent, no twelve characters of it are left."""
    shape = WRITTEN[way](key)

    shown = Redactor([Secret(key)]).text(f"{before} {shape} {after}")

    assert not pieces(shape) & pieces(shown.replace(MASK, "\0"))


@settings(max_examples=60)
@given(odd_keys, st.sampled_from(["raw", "JSON", "JSON, UTF-8", "URL", "base64"]))
def test_keys_of_any_characters_are_found(key: str, way: str):
    """A password is not always ASCII."""
    shape = WRITTEN[way](key)

    assert not pieces(shape) & pieces(Redactor([Secret(key)]).text(f"no: {shape}").replace(MASK, "\0"))


@given(st.data(), keys, st.sampled_from(sorted(WRITTEN)))
def test_a_key_cut_into_pieces_is_found(data: st.DataObject, key: str, way: str):
    """Shortened, split or quoted in part: twelve characters are enough to be found."""
    shape = WRITTEN[way](key)
    start = data.draw(st.integers(0, max(0, len(shape) - PIECE)))
    cut = shape[start : data.draw(st.integers(min(start + PIECE, len(shape)), len(shape)))]

    shown = Redactor([Secret(key)]).text(f"key {cut}... is wrong; {cut}")

    assert not pieces(cut) & pieces(shown.replace(MASK, "\0"))


@given(st.lists(keys, max_size=3), st.text(max_size=300))
def test_a_text_without_the_key_is_unchanged(secrets: list[str], text: str):
    """Nothing else is touched."""
    redactor = Redactor(map(Secret, secrets))
    if not any(pieces(WRITTEN[way](key)) & pieces(text) for key in secrets for way in WRITTEN):
        assert text == redactor.text(text)


@given(keys, st.text(max_size=50))
def test_masking_twice_is_masking_once(key: str, text: str):
    """What is masked stays as it is."""
    redactor = Redactor([Secret(key)])
    once = redactor.text(f"{text}{key}{text}")

    assert once == redactor.text(once)


def test_a_mask_stands_for_each_trace():
    """The words around it can still be read."""
    key = "sk-proj-abcdefghijklmnop"

    assert f"Incorrect API key provided: {MASK}." == Redactor([Secret(key)]).text(f"Incorrect API key provided: {key}.")
    assert f"{MASK} and {MASK}" == Redactor([Secret(key)]).text(f"{key} and {key[3:]}")


def test_long_leaves_short_secrets_alone():
    """A key may be a word that an answer needs; twelve characters of one are none."""
    redactor = Redactor([Secret("ollama"), Secret("sk-proj-abcdefghijklmnop")])

    assert f"ollama/llama3 {MASK}" == redactor.long("ollama/llama3 SK-PROJ-abcdefghijklmnop")
    assert {"tier": ["ollama", MASK]} == redactor.long_data({"tier": ["ollama", "sk-proj-abcdefghijklmnop"]})


def test_short_secrets_are_masked_whole():
    """A short password has no twelve characters; a very short one would mask the alphabet."""
    assert f"the word {MASK} is wrong" == Redactor([Secret("hunter2")]).text("the word hunter2 is wrong")
    assert "abc" == Redactor([Secret("abc")]).text("abc")
    assert "text" == Redactor([]).text("text")


@given(json_values, keys)
def test_data_is_masked_in_every_text(value: Any, key: str):
    """Names and values, however deep; numbers and the form stay."""
    document = {"found": [value, {key: {"said": f"no {key}"}}], "n": 5}

    shown = Redactor([Secret(key)]).data(document)

    assert not pieces(key) & pieces(json.dumps(shown, ensure_ascii=False).replace(MASK, "\0"))
    assert 5 == shown["n"]


def test_a_megabyte_is_searched_to_its_end():
    """The cost is linear: a long text is searched whole, and its end is masked like its beginning."""
    key = "sk-proj-" + "abcdefghij" * 6
    text = "the quick brown fox jumps over the lazy dog " * 25_000

    assert f"{MASK} {text}{MASK}" == Redactor([Secret(key)]).text(f"{key} {text}{key}")


SECRET = Secret("sk-proj-abcdefghijklmnop")


@pytest.mark.parametrize("show", [repr, str, format, "{!r:>9}".format, lambda it: f"{it:x}", lambda it: repr([it])])
def test_a_secret_does_not_show_itself(show: Any):
    """Not in repr, str, format, or inside a list."""
    assert not pieces(SECRET.reveal()) & pieces(show(SECRET))


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_does_not_leave(take: Any):
    """It is not pickled, nor copied."""
    with pytest.raises(TypeError, match="never"):
        take(SECRET)


def test_a_traceback_with_locals_shows_no_secret():
    """Error reporters print what stands in a frame."""
    try:
        held = [SECRET, Redactor([SECRET])]
        raise ValueError(str(held))
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert "held" in text
    assert not pieces(SECRET.reveal()) & pieces(text)


def test_secrets_are_equal_by_their_text():
    """Two readings of one key are one secret; its digest tells it apart from others."""
    assert SECRET == Secret(SECRET.reveal())
    assert 1 == len({SECRET, Secret(SECRET.reveal())})
    assert Secret("other") != SECRET != SECRET.reveal()
    assert Secret("other").digest != SECRET.digest
    assert (True, False) == (bool(SECRET), bool(Secret("")))


def test_credential_headers_are_masked():
    """By their usual names, and by those the configuration calls secret; the others are shown."""
    headers = [("Authorization", "Bearer x"), ("x-goog-api-key", "x"), ("X-Own", "x"), ("accept", "x")]

    assert {"Authorization": MASK, "x-goog-api-key": MASK, "X-Own": MASK, "accept": "x"} == dict(
        masked_headers(headers, ["x-own"])
    )
