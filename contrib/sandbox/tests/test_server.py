"""The server: sockets, names, keys, the record of requests."""

from __future__ import annotations

import asyncio
import socket
import threading
from urllib.parse import urlsplit

import httpx
import pytest
from sandbox_asking import PATHS, Asker, body_for

from byollm_sandbox import Twins, serve


def test_upstreams_have_addresses_of_their_own(twin: Twins) -> None:
    """Each name is another origin, and its name stands in its path."""
    urls = {name: urlsplit(twin.url("openai-chat", name=name)) for name in ("primary", "backup")}

    assert urls["primary"].port != urls["backup"].port
    assert "/primary/openai/v1" == urls["primary"].path


def test_custom_is_chat_for_other_servers(twin: Twins, ask: Asker) -> None:
    """`url("custom")` speaks Chat Completions and tolerates parameters OpenAI does not know."""
    body = body_for("openai-chat", top_k=5)

    assert 200 == ask.client.post(twin.url("custom") + "/chat/completions", json=body).status_code
    assert 400 == ask.post("openai-chat", body).status_code


def test_an_unknown_dialect_names_the_nearest(twin: Twins) -> None:
    """A typing mistake is told with what was probably meant."""
    with pytest.raises(ValueError, match="did you mean 'openai-chat'"):
        twin.url("openai-chta")


def test_requests_are_recorded(twin: Twins, ask: Asker, dialect: str) -> None:
    """Dialect, name, path, headers, body and key of every request are kept in order."""
    ask.post(dialect, name="primary", headers={"authorization": "Bearer sk-1"})
    ask.post(dialect, headers={"x-api-key": "sk-2"})

    first, second = twin.requests
    assert (dialect, "primary", "sk-1", 1, 200) == (first.dialect, first.name, first.key, first.number, first.status)
    assert ("default", "sk-2", body_for(dialect)) == (second.name, second.key, second.json)
    assert first.path.endswith(PATHS[dialect])


def test_clear_forgets_everything(twin: Twins, ask: Asker) -> None:
    """After `clear` there are no requests, no scripts and no faults."""
    twin.script("never")
    twin.fault("html", times=None)
    ask.post("openai-chat")
    twin.clear()

    assert ([], 0) == (twin.requests, twin.unused)
    assert 200 == ask.post("openai-chat").status_code


def test_a_connection_is_kept_alive(twin: Twins, ask: Asker, dialect: str) -> None:
    """Documents, streams and refusals all leave the connection usable."""
    ask.post(dialect)
    ask.stream(dialect)
    ask.post(dialect, {"model": 5})
    ask.post(dialect)

    assert 1 == twin.connections
    assert {1} == {request.connection for request in twin.requests}


def test_pipelined_requests_are_answered_in_order(twin: Twins) -> None:
    """Two requests in one write are answered one after the other."""
    twin.script("one", "two")
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    head = f"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", twin.port)) as raw:
        raw.sendall(head.encode() + b"\r\n" + body + head.encode() + b"connection: close\r\n\r\n" + body)
        seen = b"".join(iter(lambda: raw.recv(65536), b""))

    assert 0 < seen.index(b'"one"') < seen.index(b'"two"')


def test_a_chunked_request_is_read(twin: Twins, ask: Asker) -> None:
    """A body without a length arrives whole."""
    pieces = [b'{"model":"m","messages":', b'[{"role":"user","content":"x"}]}']
    ask.client.post(
        twin.url() + "/chat/completions", content=iter(pieces), headers={"content-type": "application/json"}
    )

    assert b"".join(pieces) == twin.requests[0].body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"HELLO\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70000, b"431"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"400"),
    ],
)
def test_what_is_no_http_is_refused(twin: Twins, request_bytes: bytes, status: bytes) -> None:
    """Malformed and oversized requests are told so and the connection is closed."""
    with socket.create_connection(("127.0.0.1", twin.port)) as raw:
        raw.sendall(request_bytes)
        seen = b"".join(iter(lambda: raw.recv(65536), b""))

    assert status == seen.split(b" ")[1]


def test_an_unknown_path_is_404(twin: Twins, ask: Asker) -> None:
    """A wrong base URL is told as OpenAI tells it."""
    reply = ask.client.post(twin.url() + "/v1/v1/nothing", json={})

    assert 404 == reply.status_code
    assert "Invalid URL" in reply.json()["error"]["message"]


def test_down_refuses_and_up_answers_again(twin: Twins, ask: Asker) -> None:
    """An upstream that is down refuses connections; the others go on; it comes back on the same port."""
    ask.post("openai-chat", name="primary")
    before = twin.url("openai-chat", name="primary")
    twin.down("primary")

    with pytest.raises(httpx.ConnectError):
        ask.post("openai-chat", name="primary")
    assert 200 == ask.post("openai-chat", name="backup").status_code
    twin.up("primary")
    assert 200 == ask.post("openai-chat", name="primary").status_code
    assert before == twin.url("openai-chat", name="primary")


def test_a_mapping_gives_each_upstream_its_key() -> None:
    """Keys by name or dialect: each is good only where it belongs; a name without a key takes any."""
    with serve(key={"primary": "sk-a", "anthropic-messages": "sk-b"}) as twin:
        asker = Asker(twin)
        with asker.client:
            good = asker.post("openai-chat", name="primary", headers={"authorization": "Bearer sk-a"})
            bad = asker.post("openai-chat", name="primary", headers={"authorization": "Bearer sk-b"})
            other = asker.post("anthropic-messages", headers={"x-api-key": "sk-a"})
            free = asker.post("openai-chat")

    assert [200, 401, 401, 200] == [reply.status_code for reply in (good, bad, other, free)]


def test_only_the_named_models_exist(dialect: str) -> None:
    """With `models=`, every other name is unknown, in the list and in requests."""
    with serve(models=["only-this"]) as twin:
        asker = Asker(twin)
        with asker.client:
            refused = asker.post(dialect).status_code
            taken = asker.post(dialect, {**body_for(dialect), "model": "only-this"}).status_code

    assert (200, 400 if dialect == "openai-responses" else 404) == (taken, refused)


def test_a_hang_up_is_noticed(twin: Twins) -> None:
    """A caller that leaves before the end of the answer is recorded as disconnected."""
    twin.fault("hang", after=1)
    gone = threading.Event()
    with httpx.Client(timeout=5) as client:
        url = twin.url() + "/chat/completions"
        with client.stream("POST", url, json=body_for("openai-chat", stream=True)) as reply:
            next(reply.iter_raw())
    for _ in range(200):
        if twin.requests[0].disconnected:
            break
        gone.wait(0.01)

    assert twin.requests[0].disconnected


def test_it_works_inside_an_event_loop() -> None:
    """An async program uses the same server, with many requests in flight."""

    async def run() -> list[int]:
        async with serve() as twin, httpx.AsyncClient() as client:
            twin.script(*["x"] * 50)
            url, body = twin.url() + "/chat/completions", body_for("openai-chat")
            replies = await asyncio.gather(*[client.post(url, json=body) for _ in range(50)])
            return [reply.status_code for reply in replies]

    assert [200] * 50 == asyncio.run(run())


def test_a_taken_port_is_told() -> None:
    """A port in use raises OSError, and nothing is left running."""
    with serve() as first, pytest.raises(OSError, match="in use"):
        serve(port=first.port).start()

    assert not [thread for thread in threading.enumerate() if thread.name == "byollm-sandbox"]


def test_closing_ends_the_thread_and_may_be_repeated() -> None:
    """After `close` nothing listens and no thread is left."""
    twin = serve().start()
    port = twin.port
    twin.close()
    twin.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_server_that_was_not_started_says_so() -> None:
    """Asking for an address before starting is a mistake with a mend."""
    with pytest.raises(RuntimeError, match="with serve"):
        serve().url()


def test_expect_continue_is_answered(twin: Twins) -> None:
    """A caller that waits for 100 Continue gets it, then its answer."""
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    head = f"POST /openai/v1/chat/completions HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", twin.port)) as raw:
        raw.sendall(head.encode() + b"connection: close\r\n\r\n")
        first = raw.recv(65536)
        raw.sendall(body)
        rest = b"".join(iter(lambda: raw.recv(65536), b""))

    assert first.startswith(b"HTTP/1.1 100")
    assert rest.startswith(b"HTTP/1.1 200")
