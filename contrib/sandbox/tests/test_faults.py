"""Faults: what each does to the wire."""

from __future__ import annotations

import base64
import gzip
import json
import socket

import httpx
import pytest
from sandbox_asking import PATHS, TERMINAL, Asker, body_for

from byollm.errors import QuotaExhaustedError
from byollm_sandbox import Twins

DELTA = {
    "openai-chat": '"delta":{"content"',
    "openai-responses": "event: response.output_text.delta",
    "anthropic-messages": '"text_delta"',
}
WORDS = "one two three four five"


def raw_stream(twin: Twins, dialect: str) -> bytes:
    """The answer to a streamed request, from the socket, head and chunks and all."""
    body = json.dumps(body_for(dialect, stream=True)).encode()
    path = twin.url(dialect).partition(str(twin.port))[2] + PATHS[dialect]
    head = f"POST {path} HTTP/1.1\r\nanthropic-version: 2023-06-01\r\nconnection: close\r\n"
    head += f"content-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", twin.port), timeout=10) as raw:
        raw.sendall(head.encode() + body)
        return b"".join(iter(lambda: raw.recv(65536), b""))


@pytest.mark.parametrize("how", ["eof", "truncate"])
def test_cut_lets_so_many_tokens_through(twin: Twins, ask: Asker, dialect: str, how: str) -> None:
    """A stream cut after two tokens brings two deltas and no end; the last chunk is there only for a clean end."""
    twin.script(WORDS)
    twin.fault("cut", after=2, unit="tokens", how=how)

    seen = raw_stream(twin, dialect)

    assert 2 == seen.count(DELTA[dialect].encode())
    assert TERMINAL[dialect].encode() not in seen
    assert (how == "eof") == seen.endswith(b"0\r\n\r\n")


def test_cut_by_events_and_bytes(twin: Twins, ask: Asker, dialect: str) -> None:
    """Events count all frames; bytes count the body."""
    twin.fault("cut", after=2)
    twin.fault("cut", after=33, unit="bytes")

    assert 2 == ask.stream(dialect).text.count("data: ")
    assert 33 == len(ask.stream(dialect).content)


def test_a_reset_is_no_clean_end(twin: Twins, ask: Asker, dialect: str) -> None:
    """`how="reset"` lets the tokens arrive, then breaks the connection."""
    twin.script(WORDS)
    twin.fault("cut", after=3, unit="tokens", how="reset")
    seen = b""

    with (
        pytest.raises(httpx.HTTPError),
        ask.client.stream("POST", twin.url(dialect) + _path(dialect), json=body_for(dialect, stream=True)) as reply,
    ):
        for piece in reply.iter_raw():
            seen += piece

    assert 3 == seen.count(DELTA[dialect].encode())


def _path(dialect: str) -> str:
    return PATHS[dialect]


def test_a_document_cut_short_is_shorter_than_promised(twin: Twins, ask: Asker, dialect: str) -> None:
    """A whole answer can be cut too: the length promises more than comes."""
    twin.fault("cut", after=20, unit="bytes", how="truncate")

    with pytest.raises(httpx.RemoteProtocolError):
        ask.post(dialect)


@pytest.mark.parametrize("kind", ["reset", "disconnect"])
def test_no_answer_at_all(twin: Twins, ask: Asker, dialect: str, kind: str) -> None:
    """The connection ends before any byte; the script waits for the next request."""
    twin.script("kept")
    twin.fault(kind)

    with pytest.raises(httpx.TransportError):
        ask.post(dialect)
    assert "kept" in ask.post(dialect).text


def test_hang_before_the_head_and_after_events(twin: Twins, ask: Asker, dialect: str) -> None:
    """Silence before the head; or the head and one event, and then silence."""
    twin.fault("hang")
    twin.fault("hang", after=1)

    with pytest.raises(httpx.ReadTimeout):
        ask.post(dialect, timeout=0.2)
    url, body = twin.url(dialect) + _path(dialect), body_for(dialect, stream=True)
    with ask.client.stream("POST", url, json=body, timeout=0.2) as reply:
        pieces = reply.iter_raw()
        assert b"data: " in next(pieces)
        with pytest.raises(httpx.ReadTimeout):
            next(pieces)


def test_a_delay_comes_before_the_head(twin: Twins, ask: Asker, dialect: str) -> None:
    """An impatient caller gives up before the head comes; a patient one gets its answer."""
    twin.fault("delay", seconds=30)
    twin.fault("delay", seconds=0.01)

    with pytest.raises(httpx.ReadTimeout):
        ask.post(dialect, timeout=0.1)
    assert 200 == ask.post(dialect).status_code


def test_heads_and_bodies_drip(twin: Twins, ask: Asker) -> None:
    """Dripped bytes make a whole answer in the end."""
    twin.script("slow", "slow")
    twin.fault("drip-head", seconds=0.0001)
    twin.fault("drip-body", seconds=0.0001, size=64)

    assert ["slow", "slow"] == [ask.post("openai-chat").json()["choices"][0]["message"]["content"] for _ in range(2)]


def test_a_fault_waits_for_the_one_before_it(twin: Twins, ask: Asker, dialect: str) -> None:
    """Faults are a queue; `times` says for how many requests each stays."""
    twin.fault("html", times=2)
    twin.fault("status", status=503)

    assert [502, 502, 503, 200] == [ask.post(dialect).status_code for _ in range(4)]


def test_a_fault_for_one_upstream_leaves_the_others(twin: Twins, ask: Asker, dialect: str) -> None:
    """`name` narrows a fault; `times=None` keeps it."""
    twin.fault("html", name="primary", times=None)

    statuses = [ask.post(dialect, name=name).status_code for name in ("backup", "primary", "backup", "primary")]

    assert [200, 502, 200, 502] == statuses


def test_an_error_inside_a_stream(twin: Twins, ask: Asker, dialect: str) -> None:
    """After two tokens the vendor's own error shape comes, with status 200, and nothing after it."""
    twin.script(WORDS)
    twin.fault("error", error=QuotaExhaustedError("all used up"), after=2, unit="tokens")

    reply = ask.stream(dialect)

    assert (200, 2) == (reply.status_code, reply.text.count(DELTA[dialect]))
    assert "all used up" in reply.text
    assert TERMINAL[dialect] not in reply.text


def test_an_error_inside_a_document(twin: Twins, ask: Asker, dialect: str) -> None:
    """A whole answer with status 200 whose body is an error."""
    twin.fault("error", error=QuotaExhaustedError("all used up"))

    reply = ask.post(dialect)

    assert (200, "all used up") == (reply.status_code, reply.json()["error"]["message"])


@pytest.mark.parametrize("form", ["raw", "base64", "url", "json", "header"])
def test_the_key_is_echoed(twin: Twins, ask: Asker, dialect: str, form: str) -> None:
    """401 repeats the whole key, in the body or a header, as it is or encoded."""
    key = "sk-leak-0123456789-abcdef"
    twin.fault("echo-key", form=form)

    reply = ask.post(dialect, headers={"authorization": f"Bearer {key}"})

    message = reply.json()["error"]["message"]
    shown = {"base64": base64.b64encode(key.encode()).decode(), "url": key.replace("-", "%2D")}.get(form, key)
    assert 401 == reply.status_code
    assert shown in message or shown in reply.headers.get("x-rejected-key", "")
    assert (form == "json") == ("\\u0073" in reply.text)


def test_styles_of_server_sent_events(twin: Twins, ask: Asker, dialect: str) -> None:
    """Line ends, spaces, comments and a byte order mark, each as asked and all at once."""
    text = "Grüße 世界 🌍"
    twin.script(*[text] * 5)
    for kinds in (("crlf",), ("no-space",), ("comments",), ("bom",), ("odd-sse",)):
        twin.fault(*kinds)

    crlf, no_space, comments, bom, odd = [ask.stream(dialect).content for _ in range(5)]

    assert b"\r\n\r\n" in crlf
    assert (b"data:{" in no_space, b"data: " in no_space) == (True, False)
    assert b": keep-alive" in comments
    assert bom.startswith(b"\xef\xbb\xbf")
    assert all(mark in odd for mark in (b"data:{", b"\r\n\r\n", b": keep-alive"))
    assert text.encode().split()[1] in odd


def test_cr_alone_ends_lines(twin: Twins, ask: Asker, dialect: str) -> None:
    """The third line end that the specification allows."""
    twin.fault("cr")

    body = ask.stream(dialect).content

    assert (True, False) == (b"\r\r" in body, b"\n" in body)


def test_chunks_split_characters(twin: Twins) -> None:
    """UTF-8 is split inside its characters, and nothing is lost."""
    twin.script("世界 🌍")
    twin.fault("split-utf8")

    seen = raw_stream(twin, "openai-chat")

    assert "世".encode() not in seen
    assert b"\xe4\r\n" in seen


def test_every_byte_is_a_chunk(twin: Twins, ask: Asker, dialect: str) -> None:
    """One chunk a byte, and the same answer."""
    twin.script("same", "same")
    twin.fault("split-bytes")

    assert json.loads(ask.post(dialect).content).keys() == json.loads(ask.post(dialect).content).keys()


def test_json_that_does_not_parse(twin: Twins, ask: Asker, dialect: str) -> None:
    """A document without its end; a stream with one broken event."""
    twin.fault("malformed", times=2)

    with pytest.raises(json.JSONDecodeError):
        ask.post(dialect).json()
    lines = [line[6:] for line in ask.stream(dialect).text.split("\n") if line.startswith("data: {")]
    assert 1 == sum(_broken(line) for line in lines)


def _broken(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return True
    return False


def test_another_content_type_and_gzip(twin: Twins, ask: Asker, dialect: str) -> None:
    """A wrong content type changes nothing else; gzip is unpacked by any client."""
    twin.fault("content-type", value="text/html")
    twin.fault("gzip")
    twin.fault("gzip")

    assert "text/html" == ask.post(dialect).headers["content-type"]
    assert "gzip" == ask.post(dialect).headers["content-encoding"]
    assert TERMINAL[dialect] in ask.stream(dialect).text


def test_bodies_larger_than_anyone_wants(twin: Twins, ask: Asker, dialect: str) -> None:
    """Oversized lines and members, and a small body that unpacks to a large one."""
    twin.fault("oversized", size=300_000, times=2)
    twin.fault("bomb", size=300_000)

    assert len(ask.post(dialect).content) > 300_000
    assert len(ask.stream(dialect).content) > 300_000
    with ask.client.stream("POST", twin.url(dialect) + _path(dialect), json=body_for(dialect)) as reply:
        packed = b"".join(reply.iter_raw())
    assert len(packed) < 5_000
    assert len(gzip.decompress(packed)) > 300_000


def test_answers_that_are_no_answers(twin: Twins, ask: Asker, dialect: str) -> None:
    """An empty body, a redirect, bytes that are no text, JSON too deep to read."""
    for fault in ("empty", "redirect", "garbage"):
        twin.fault(fault)
    twin.fault("deep-json", depth=5000)

    empty, redirect, garbage, deep = [ask.post(dialect) for _ in range(4)]

    assert (200, b"") == (empty.status_code, empty.content)
    assert (307, True) == (redirect.status_code, "location" in redirect.headers)
    with pytest.raises(UnicodeDecodeError):
        garbage.content.decode()
    assert b"[" * 5000 + b"]" * 5000 == deep.content
