"""`authentication: chain`: azure-identity gets a token from a token host on 127.0.0.1, as on a machine of Azure's."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from byollm import errors
from byollm.engine.build import line_from
from byollm.engine.call import Call
from byollm.engine.waiting import Waiting
from byollm.plugin import AuthContext, HttpRequest, Secret
from byollm.testing import ManualClock
from byollm_azure import chain, provider
from byollm_azure.chain import Chain

AT_ONCE = Waiting(Call(clock=ManualClock(0.0)), None)
CALL = HttpRequest("POST", "https://acme.openai.azure.com/openai/v1/responses", (), b"{}")
TARGET = {"provider": "azure", "model": "prod", "endpoint": "https://acme.openai.azure.com", "authentication": "chain"}
RESOURCE = "https://cognitiveservices.azure.com"
HEADER = "identity-header-0123"


class TokenHost(ThreadingHTTPServer):
    """The token host of a machine of Azure's: gives a token for the right resource to whoever says the right word."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tokens)
        self.given: list[str] = []

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Tokens(BaseHTTPRequestHandler):
    server: TokenHost

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = parse_qs(parts.query).get("resource", [""])[0].rstrip("/")
        source = parts.path.strip("/").partition("/")[0]
        word, wanted = ("x-identity-header", HEADER) if source == "service" else ("metadata", "true")
        if self.headers.get(word) != wanted or asked != RESOURCE:
            self._answer(401, {"error": "unauthorized", "error_description": "no"})
            return
        token = f"{source}-token-{len(self.server.given) + 1}"
        self.server.given.append(token)
        end = int(time.time()) + 3600
        self._answer(200, {"access_token": token, "expires_on": str(end), "expires_in": "3600",
                           "resource": RESOURCE, "token_type": "Bearer"})  # fmt: skip

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence."""


@pytest.fixture(autouse=True)
def _nothing_ambient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine takes part, and no program of a developer's is asked."""
    for name in [name for name in os.environ if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "IMDS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "managedidentitycredential")


@pytest.fixture
def tokens() -> Iterator[TokenHost]:
    with TokenHost() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def service(tokens: TokenHost, monkeypatch: pytest.MonkeyPatch) -> TokenHost:
    """The token host as an app service has it."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/service/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    return tokens


def context(now: float = 1000.0, state: Any = None, forced: bool = False, **secrets: str) -> AuthContext:
    hidden = {name: Secret(text) for name, text in secrets.items()}
    return AuthContext(hidden, lambda: now, lambda: "n", {} if state is None else state, forced)


def header_of(given: AuthContext) -> dict[str, str]:
    """The headers at the end of a flow that asks for work of its own and sends nothing through the core."""
    flow, answer = Chain().flow(CALL, given), None
    try:
        while True:
            asked: Any = flow.send(answer)
            assert not isinstance(asked, HttpRequest)
            answer = asked()
    except StopIteration as end:
        return dict(end.value)


def test_an_app_service_has_an_identity(service: TokenHost) -> None:
    """Its token host is asked once, for Azure's resource; the token is a secret."""
    given = context()
    made = [header_of(given) for _ in range(3)]

    assert ["service-token-1"] == service.given
    assert [{"authorization": "Bearer service-token-1"}] * 3 == made
    assert "service-token" not in repr(given.state)


def test_a_virtual_machine_has_an_identity(tokens: TokenHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the metadata service, where the environment says that it is."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", tokens.url)

    assert {"authorization": "Bearer metadata-token-1"} == header_of(context())
    assert ["metadata-token-1"] == tokens.given


def test_a_token_is_renewed_near_its_end_and_after_a_401(service: TokenHost) -> None:
    """Five minutes before its hour is over, and when the core forces it."""
    state: dict[str, Any] = {}
    for now, forced in ((1000.0, False), (4200.0, False), (4400.0, False), (4400.0, True)):
        header_of(context(now, state, forced))

    assert 3 == len(service.given)


def test_what_is_configured_goes_before(service: TokenHost) -> None:
    """A tenant's own key, or its own application, is never replaced by the machine's identity."""
    application = {"tenant_id": "t1", "client_id": "c1", "client_secret": "s-1234567"}
    hidden = {name: Secret(text) for name, text in application.items()}
    asked = next(Chain().flow(CALL, AuthContext(hidden, lambda: 0.0, lambda: "n")))

    assert {"api-key": "tenant-key-0123"} == header_of(context(api_key="tenant-key-0123"))
    assert isinstance(asked, HttpRequest)
    assert "https://login.microsoftonline.com/t1/oauth2/v2.0/token" == asked.url
    assert [] == service.given


def test_half_an_application_is_no_reason_to_ask_the_machine(service: TokenHost) -> None:
    """A secret without its directory is an error, told by name."""
    with pytest.raises(errors.AuthenticationError, match="tenant_id"):
        header_of(context(client_secret="s-1234567"))

    assert [] == service.given


def test_an_identity_of_the_machine_goes_to_azure_only() -> None:
    """An endpoint that is nobody's of Azure's is refused before anything is looked for."""
    with pytest.raises(errors.ConfigError, match="not one of azure's hosts"):
        line_from("azure", {**TARGET, "endpoint": "https://gate.example.com"})
    for url in ("https://gate.example.com/x", "https://a.openai.azure.com.example.com/x"):
        with pytest.raises(errors.AuthenticationError, match="Azure's own hosts only"):
            next(Chain().flow(HttpRequest("POST", url, (), b""), context()))


def test_a_chain_that_finds_nothing_is_told(service: TokenHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an AuthenticationError that shows no address and no word of the token host's."""
    monkeypatch.setenv("IDENTITY_HEADER", "another-header")

    with pytest.raises(errors.AuthenticationError, match="ClientAuthenticationError") as caught:
        header_of(context())
    assert service.url not in str(caught.value)
    assert "no" == caught.value.sent


def test_without_its_extra_the_chain_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity is an extra."""
    monkeypatch.setitem(sys.modules, "azure.identity", None)

    with pytest.raises(errors.AuthenticationError, match="not installed") as caught:
        header_of(context())
    assert "byollm-azure[entra]" in str(caught.value)


def test_an_async_program_asks_in_a_thread(service: TokenHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a file of four lines; its event loop stays free while azure-identity waits."""
    line = line_from("azure", TARGET)
    assert line.auth is not None
    threads: list[threading.Thread] = []
    really = chain.look

    def noting(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return really(*arguments)

    monkeypatch.setattr(chain, "look", noting)
    found: Any = asyncio.run(line.credentials.async_headers(line.auth, CALL, AT_ONCE, no_one))

    assert {"authorization": "Bearer service-token-1"} == dict(found)
    assert [False] == [thread is threading.main_thread() for thread in threads]


async def no_one(asked: Any) -> Any:
    """Nothing is sent by this scheme itself."""
    raise AssertionError(asked)


def test_no_module_of_azure_identity_is_imported_before_the_first_token() -> None:
    """Nor its HTTP client."""
    code = "import sys, byollm_azure.chain; print(sorted({'azure', 'msal', 'requests', 'urllib3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "[]" == done.stdout.strip()
    assert "chain" in provider.manifest.authentication
