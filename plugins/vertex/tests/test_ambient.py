"""Ambient credentials: a service account's file and a metadata server, both asked for tokens on 127.0.0.1."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from vertex_driving import ASKED, Everywhere, TokenHost, context, header_of, key_file, token_host

from byollm import Client
from byollm.engine.build import line_from
from byollm.engine.call import Call
from byollm.engine.waiting import Waiting
from byollm.plugin import AuthenticationError, ConfigError, HttpRequest
from byollm.testing import ManualClock
from byollm_sandbox import serve
from byollm_vertex import ambient
from byollm_vertex.ambient import METADATA, TOKEN_ORIGINS, Ambient
from byollm_vertex.plugin import Vertex

AT_ONCE = Waiting(Call(clock=ManualClock(0.0)), None)
TARGET = {"provider": "vertex", "model": "gemini-3.8-flash", "project": "p1", "authentication": "ambient"}


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenHost]:
    with token_host() as server:
        yield server


@pytest.fixture(autouse=True)
def _nothing_ambient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no file of this machine takes part, and nobody looks for a metadata server."""
    for name in [*METADATA, *(name for name in os.environ if name.startswith(("GOOGLE_", "GCLOUD_", "CLOUDSDK_")))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setattr("google.auth.compute_engine._metadata._NO_GCE_CHECK", True)


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`named(token_uri, …)`: a service account's file, and the variable that names it."""

    def write(token_uri: str, **changes: Any) -> None:
        path = tmp_path / "key.json"
        path.write_text(key_file(token_uri=token_uri, **changes))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    return write


def scheme_for(tokens: TokenHost) -> Ambient:
    """The scheme, with the twin among those it may ask."""
    return Ambient(origins=(*TOKEN_ORIGINS, tokens.url.removesuffix("/token")))


def test_the_file_that_the_environment_names(tokens: TokenHost, named: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """google-auth signs, the token host verifies, and its token is the header, asked for once."""
    named(tokens.url)
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "q1")
    before, given = len(tokens.claims), context()

    made = [header_of(scheme_for(tokens), given) for _ in range(3)]

    assert before + 1 == len(tokens.claims)
    assert "robot@p1.iam.gserviceaccount.com" == tokens.claims[-1]["iss"]
    assert {"authorization": f"Bearer ya29.token-{before + 1}", "x-goog-user-project": "q1"} == made[0] == made[2]
    assert "ya29" not in repr(given.state)


def test_a_token_is_renewed_near_its_end_and_after_a_401(tokens: TokenHost, named: Any) -> None:
    """Five minutes before its hour is over, and when the core forces it."""
    named(tokens.url)
    given, before = context(), len(tokens.claims)
    header_of(scheme_for(tokens), given)
    for now, forced in ((1_003_200.0, False), (1_003_400.0, False), (1_003_400.0, True)):
        header_of(scheme_for(tokens), context(now=now, state=given.state, forced=forced))

    assert 3 == len(tokens.claims) - before


@pytest.mark.parametrize("changed", ["/token", ":1/token"])
def test_a_file_cannot_name_its_own_token_host(tokens: TokenHost, named: Any, changed: str) -> None:
    """Not another host, and not another port of a declared one: nothing is sent there."""
    uri = "https://tokens.example.com/token" if changed == "/token" else tokens.url.rpartition(":")[0] + changed
    named(uri)
    before = len(tokens.claims)

    with pytest.raises(AuthenticationError, match="not Google's") as caught:
        header_of(scheme_for(tokens), context())
    assert (before, "no") == (len(tokens.claims), caught.value.sent)


def test_a_token_host_cannot_send_google_auth_elsewhere(tokens: TokenHost, named: Any) -> None:
    """A redirect to another origin is not followed."""
    with redirecting(tokens.url) as place:
        named(f"{place}/token")
        before = len(tokens.claims)

        with pytest.raises(AuthenticationError, match="TransportError"):
            header_of(Ambient(origins=(place, tokens.url.removesuffix("/token"))), context())
    assert before == len(tokens.claims)


def test_what_is_configured_goes_before(tokens: TokenHost, named: Any) -> None:
    """A tenant's own token, or its own key file, is never replaced by the machine's identity."""
    named(tokens.url)
    before = len(tokens.claims)
    bearer = header_of(Ambient(), context(api_key="tenant-token-0123"))
    own = replace(scheme_for(tokens), token_url=tokens.url)
    signed = next(own.flow(ASKED, context(service_account=key_file(client_email="tenant@p2.example"))))

    assert isinstance(signed, HttpRequest)
    assert ({"authorization": "Bearer tenant-token-0123"}, tokens.url) == (bearer, signed.url)
    assert before == len(tokens.claims)


def test_an_identity_of_the_machine_goes_to_google_only() -> None:
    """An endpoint that is nobody's of Google's is refused before anything is looked for."""
    with pytest.raises(ConfigError, match="not one of vertex's hosts"):
        line_from("vertex", {**TARGET, "endpoint": "https://gate.example.com"})
    for url in ("https://gate.example.com/v1/x", "https://aiplatform.googleapis.com.example.com/v1/x"):
        with pytest.raises(AuthenticationError, match="Google's own hosts only"):
            next(Ambient().flow(HttpRequest("POST", url), context()))


@pytest.mark.parametrize("hidden", ["google.auth.transport.requests", "google.auth"])
def test_without_its_extra_the_scheme_says_what_to_install(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The HTTP client is an extra."""
    monkeypatch.setitem(sys.modules, hidden, None)

    with pytest.raises(AuthenticationError, match="not installed") as caught:
        header_of(Ambient(), context())
    assert "byollm-vertex[ambient]" in str(caught.value)


def test_nothing_found_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an AuthenticationError that shows no path."""
    with pytest.raises(AuthenticationError, match="DefaultCredentialsError"):
        header_of(Ambient(), context())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))

    with pytest.raises(AuthenticationError, match="DefaultCredentialsError") as caught:
        header_of(Ambient(), context())
    assert str(tmp_path) not in str(caught.value)


def test_an_async_program_asks_in_a_thread(tokens: TokenHost, named: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event loop stays free while google-auth waits."""
    named(tokens.url)
    line = line_from("vertex", TARGET)
    threads: list[threading.Thread] = []
    really = ambient.look

    def noting(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return really(*arguments)

    monkeypatch.setattr(ambient, "look", noting)
    found: Any = asyncio.run(line.credentials.async_headers(scheme_for(tokens), ASKED, AT_ONCE, no_one))

    assert dict(found)["authorization"].startswith("Bearer ya29.token-")
    assert [False] == [thread is threading.main_thread() for thread in threads]


async def no_one(asked: Any) -> Any:
    """Nothing is sent by this scheme itself."""
    raise AssertionError(asked)


class Metadata(ThreadingHTTPServer):
    """A metadata server on 127.0.0.1; `asked` are the paths it was asked for, with the header that it wants."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.asked: list[str] = []

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Metadata(BaseHTTPRequestHandler):
    server: Metadata

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        account = path.endswith("/service-accounts/default/")
        document: Any = {"email": "machine@p1.example", "scopes": [], "aliases": []} if account else "p1"
        if path.endswith("/token"):
            document = {"access_token": "ya29.machine", "expires_in": 3599, "token_type": "Bearer"}
        granted = self.headers.get("metadata-flavor") == "Google"
        self.server.asked.append(path if granted else "refused")
        data = (document if isinstance(document, str) else json.dumps(document)).encode()
        self.send_response(200 if granted else 403)
        self.send_header("metadata-flavor", "Google")
        self.send_header("content-type", "application/text" if isinstance(document, str) else "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence."""


class _Redirect(BaseHTTPRequestHandler):
    to = ""

    def do_POST(self) -> None:
        self.send_response(307)
        self.send_header("location", type(self).to)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence."""


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[Metadata]:
    """A server of that handler."""
    with Metadata(handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def redirecting(to: str) -> Iterator[str]:
    """A token host that sends everybody elsewhere."""
    _Redirect.to = to
    with running(_Redirect) as server:
        yield f"http://{server.place}"


FRESH = """
from vertex_driving import context, header_of
from byollm_vertex.ambient import Ambient
print(header_of(Ambient(), context())["authorization"])
"""


def test_a_machine_on_google_cloud() -> None:
    """The metadata server that the environment names gives a token; google-auth reads those variables when imported."""
    with running(_Metadata) as server:
        place = {"GCE_METADATA_HOST": server.place, "GCE_METADATA_IP": server.place, "NO_GCE_CHECK": "false"}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", FRESH],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **place, "PYTHONPATH": str(Path(__file__).parent)},
        )

    assert (0, "Bearer ya29.machine") == (done.returncode, done.stdout.strip()), done.stderr
    assert any(path.endswith("/token") for path in server.asked)
    assert "refused" not in server.asked


def test_a_whole_call_by_a_file_of_four_lines(tokens: TokenHost, named: Any) -> None:
    """What the twin of Gemini sees is the token that the twin token host gave."""
    named(tokens.url)
    plugin, token = Vertex(), f"ya29.token-{len(tokens.claims) + 1}"
    schemes = {"ambient": replace(scheme_for(tokens), homes=("127.0.0.1",))}
    plugin.manifest = replace(plugin.manifest, authentication=schemes, hosts=("127.0.0.1",))
    with serve(key=token) as twin:
        twin.script("one", "two")
        line = line_from(plugin, {**TARGET, "endpoint": twin.url("gemini")})
        with Client("custom/x") as ours:
            ours._lines = Everywhere(line)
            replies = [ours.complete("hi").text, ours.complete("hi").text]

    assert ["one", "two"] == replies


def test_no_module_of_google_auth_is_imported_before_the_first_token() -> None:
    """Neither it nor its HTTP client."""
    code = "import sys, byollm_vertex.ambient; print(sorted({'google.auth', 'requests', 'urllib3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "[]" == done.stdout.strip()
