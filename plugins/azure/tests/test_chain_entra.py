"""`authentication: chain` with an application's secret in the environment: azure-identity asks Entra's own address.

A proxy on 127.0.0.1 stands for the way there: it answers CONNECT and speaks TLS under the token host's name, so every
line of azure-identity and msal runs, and nothing leaves this machine.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPMessage, parse_headers
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme

from byollm import errors
from byollm.plugin import AuthContext, HttpRequest
from byollm_azure.chain import Chain
from byollm_azure.entra import SCOPE, TOKEN_HOST

CALL = HttpRequest("POST", "https://acme.openai.azure.com/openai/v1/responses", (), b"{}")
DIRECTORY = "0f0f0f0f-0000-4000-8000-00000000000a"
SECRET = "the-applications-secret"
OPENID = {
    "token_endpoint": f"https://{TOKEN_HOST}/{DIRECTORY}/oauth2/v2.0/token",
    "authorization_endpoint": f"https://{TOKEN_HOST}/{DIRECTORY}/oauth2/v2.0/authorize",
    "issuer": f"https://{TOKEN_HOST}/{DIRECTORY}/v2.0",
}


class Entra(ThreadingTCPServer):
    """The proxy, and the token host behind it."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.tls = tls
        self.asked: list[str] = []


class _Tunnel(StreamRequestHandler):
    server: Entra

    def handle(self) -> None:
        self.server.asked.append(self._head()[0])
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with self.server.tls.wrap_socket(self.request, server_side=True) as inner:
            self.rfile, self.wfile = inner.makefile("rb"), inner.makefile("wb", buffering=0)  # type: ignore[assignment]
            line, headers = self._head()
            while line:
                self.server.asked.append(line)
                self._answer(line, self.rfile.read(int(headers.get("content-length", "0"))))
                line, headers = self._head()

    def _head(self) -> tuple[str, HTTPMessage]:
        line = self.rfile.readline().decode().strip()
        return line.rpartition(" HTTP/")[0], parse_headers(self.rfile)

    def _answer(self, line: str, body: bytes) -> None:
        status, told = 200, dict[str, Any](OPENID)
        if line.startswith("POST"):
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if form.get("client_secret") == SECRET and SCOPE in form["scope"] and "client_credentials" in form.values():
                told = {"token_type": "Bearer", "expires_in": 3600, "access_token": f"entra-{form['client_id']}"}
            else:
                status, told = 401, {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}
        data = json.dumps(told).encode()
        head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data)


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Entra]:
    """The token host, and an environment that names an application, its secret, and the way there."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(TOKEN_HOST).configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in [
        name for name in os.environ if name.startswith(("AZURE_", "IDENTITY_", "MSI_")) or "proxy" in name.lower()
    ]:
        monkeypatch.delenv(name)
    with Entra(tls) as server:
        told = {
            "AZURE_TOKEN_CREDENTIALS": "environmentcredential", "AZURE_TENANT_ID": DIRECTORY, "AZURE_CLIENT_ID": "app",
            "AZURE_CLIENT_SECRET": SECRET, "HTTPS_PROXY": f"http://127.0.0.1:{server.server_address[1]}",
            "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
        }  # fmt: skip
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def header() -> dict[str, str]:
    """The headers at the end of the flow, which sends nothing through the core."""
    flow = Chain().flow(CALL, AuthContext({}, lambda: 1000.0, lambda: "n", {}, False))
    look: Any = next(flow)
    try:
        flow.send(look())
    except StopIteration as end:
        return dict(end.value)
    raise AssertionError("one question is enough")


def test_an_applications_secret_becomes_a_token(entra: Entra) -> None:
    """Asked of the directory that the environment names, and of no other host."""
    assert {"authorization": "Bearer entra-app"} == header()
    assert {f"CONNECT {TOKEN_HOST}:443"} == {line for line in entra.asked if line.startswith("CONNECT")}
    assert f"POST /{DIRECTORY}/oauth2/v2.0/token" in entra.asked


def test_a_wrong_secret_is_an_authentication_error_without_it(entra: Entra, monkeypatch: pytest.MonkeyPatch) -> None:
    """And without what the token host said."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "not-the-secret")

    with pytest.raises(errors.AuthenticationError, match="azure-identity failed") as caught:
        header()
    assert "not-the-secret" not in str(caught.value)
    assert "AADSTS" not in str(caught.value)
    assert "no" == caught.value.sent
