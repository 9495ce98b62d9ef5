"""The chain by itself: what a line is, and what its mac is over."""

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.errors import ConfigError
from byollm_audit.chain import START, Chain, split
from byollm_audit.errors import AuditKeyError, TamperedError
from byollm_audit.keys import Key, Mac

SIGN = Mac(b"k" * 32)
texts = st.dictionaries(st.text().map("word {}".format), st.text(), min_size=1)


@given(st.binary(min_size=32, max_size=64), st.binary())
def test_the_mac_is_hmac_sha_256(key, data):
    """The two halves that are begun once make what the standard library makes."""
    assert hmac.digest(key, data, "sha256") == Mac(key)(data)


@given(st.lists(texts, min_size=1, max_size=5))
def test_what_a_chain_wrote_another_follows(records):
    """Number by number, whatever text is in it."""
    writer, reader = Chain(SIGN), Chain(SIGN)
    for record in records:
        line, mac = writer.sealed(json.dumps(record).encode())
        writer.took(mac)
        found = reader.follow(line[:-1]).record()
        assert record.items() <= found.items()
        assert reader.n == found["n"]

    assert (writer.n, writer.mac) == (reader.n, reader.mac)


@given(texts, st.data())
def test_a_line_with_one_byte_changed_does_not_follow(record, data):
    """Whichever byte it is."""
    line = bytearray(Chain(SIGN).sealed(json.dumps(record).encode())[0][:-1])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(TamperedError):
        Chain(SIGN).follow(bytes(line))


def test_a_chain_of_another_key_does_not_follow():
    """Who recomputes every mac without the key has made another log."""
    line, _ = Chain(Mac(b"x" * 32)).sealed(b'{"a":1}')

    with pytest.raises(TamperedError):
        Chain(SIGN).follow(line[:-1])


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"n":1}', b'{"n":1,"mac":"' + b"0" * 63 + b'"}', b"\xff" * 90])
def test_what_no_chain_wrote_is_no_line(raw):
    """And no exception either."""
    assert split(raw) is None


def test_start_is_no_mac_of_anything():
    """32 bytes of nothing."""
    assert 32 == len(START)


@pytest.mark.parametrize("reference", ["", "plain-words-that-could-be-a-key", "file:", None, 7, {"command": "ls"}, {}])
def test_a_key_is_given_by_reference(reference):
    """A literal key in the file is refused, and not repeated."""
    with pytest.raises(ConfigError) as caught:
        Key(reference)
    assert "plain-words" not in str(caught.value)


def test_a_key_comes_from_a_file_a_variable_or_a_command(tmp_path, monkeypatch):
    """The same words make the same key; white space around them does not count."""
    words = "0123456789abcdef0123456789abcdef"
    (tmp_path / "key").write_text(words + "\n")
    monkeypatch.setenv("AUDIT_TEST_KEY", words)
    references = [
        f"file:{tmp_path / 'key'}",
        "env:AUDIT_TEST_KEY",
        "${AUDIT_TEST_KEY}",
        {"command": ["cat", str(tmp_path / "key")]},
    ]

    assert 1 == len({Key(reference).derive("chain") for reference in references})
    assert Key(references[0]).derive("chain") != Key(references[0]).derive("content")


@pytest.mark.parametrize(
    "reference", ["file:/nowhere/at/all", "env:NOBODY_SET_THIS", {"command": ["false"]}, {"command": ["no-such-tool"]}]
)
def test_a_missing_key_is_a_named_error(reference):
    """With the line that mends it."""
    with pytest.raises(AuditKeyError) as caught:
        Key(reference).derive("chain")
    assert caught.value.hint


def test_a_short_key_is_refused_and_not_shown(tmp_path):
    """It could be guessed."""
    (tmp_path / "key").write_text("too-short")
    key = Key(f"file:{tmp_path / 'key'}")

    with pytest.raises(AuditKeyError) as caught:
        key.derive("chain")
    assert "too-short" not in f"{caught.value}{key!r}"
