"""Driving the plugin: targets, a key file of a key made for the test, and a token host on 127.0.0.1."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from byollm.plugin import AuthContext, AuthScheme, HttpRequest, Request, Secret, Target
from byollm_vertex import provider

ENDPOINT = "https://aiplatform.googleapis.com"
GOOGLES = "https://oauth2.googleapis.com/token"
"""The audience that google-auth writes, whatever host the key file names."""
ASKED = HttpRequest("POST", f"{ENDPOINT}/v1/x")


class Everywhere(dict[Any, Any]):
    """One line for every deployment: that of a plugin whose token host is the twin."""

    def __init__(self, line: Any) -> None:
        super().__init__()
        self.line = line

    def get(self, key: Any, default: Any = None) -> Any:
        return self.line


def context(now: float = 1_000_000.0, state: Any = None, forced: bool = False, **secrets: str) -> AuthContext:
    """What a scheme is given, with these secrets."""
    hidden = {name: Secret(text) for name, text in secrets.items()}
    return AuthContext(hidden, lambda: now, lambda: "n", {} if state is None else state, forced)


def header_of(scheme: AuthScheme, given: AuthContext) -> dict[str, str]:
    """The headers at the end of a flow that asks for work of its own and sends nothing through the core."""
    flow, answer = scheme.flow(ASKED, given), None
    try:
        while True:
            asked: Any = flow.send(answer)
            assert not isinstance(asked, HttpRequest)
            answer = asked()
    except StopIteration as end:
        return dict(end.value)


def target(model: str = "gemini-3.8-flash", *, api: str = "gemini", **fields: Any) -> Target:
    """A target with a project, as a file would name it."""
    options = {"project": "p1", **fields.pop("options", {})}
    return Target(provider="vertex", model=model, api=api, options=options, **{"endpoint": ENDPOINT, **fields})


def exchange(request: Any, model: str = "gemini-3.8-flash", **fields: Any) -> Any:
    """What the plugin answers to a request, before `fit()`."""
    asked = request if isinstance(request, Request) else Request(request)
    return provider.complete(asked, target(model, **fields))


def body(request: Any, model: str = "gemini-3.8-flash", **fields: Any) -> dict[str, Any]:
    """The JSON body of a request."""
    made: dict[str, Any] = json.loads(exchange(request, model, **fields).request.body)
    return made


@cache
def private_key() -> Any:
    """One key for all tests: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(**changes: Any) -> str:
    """The text of a service account's key file."""
    pem = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "robot@p1.iam.gserviceaccount.com",
        "private_key_id": "k1",
        "private_key": pem.decode(),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return json.dumps({**account, **changes})


def public_key() -> bytes:
    """The public half, as google-auth verifies with."""
    made: bytes = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return made


class TokenHost(ThreadingHTTPServer):
    """A twin of oauth2.googleapis.com: it verifies each assertion with the public key before it gives a token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tokens)
        self.claims: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Where tokens are asked for."""
        return f"http://127.0.0.1:{self.server_address[1]}/token"


class _Tokens(BaseHTTPRequestHandler):
    server: TokenHost

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        try:
            claims = dict(jwt.decode(form["assertion"][0], certs=public_key(), audience=[self.server.url, GOOGLES]))
        except ValueError as error:
            self._answer(400, {"error": "invalid_grant", "error_description": str(error)})
            return
        self.server.claims.append(claims)
        token = f"ya29.token-{len(self.server.claims)}"
        self._answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""


@contextmanager
def token_host() -> Iterator[TokenHost]:
    """A running one."""
    with TokenHost() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
