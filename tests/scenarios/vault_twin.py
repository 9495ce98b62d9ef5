"""A twin of Vault on 127.0.0.1: KV 1 and 2, tokens, AppRole and Kubernetes login. No server of it is to be had here;
hvac, its client, judges the twin: what it reads from it is what byollm must read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROOT = "hvs.root-0123456789abcdef"


@dataclass
class VaultTwin:
    """What it knows. `secrets` by mount and path; `tokens` are valid now, each with the namespaces it may see."""

    url: str = ""
    secrets: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=lambda: {"secret": 2, "kv": 1})
    tokens: dict[str, str | None] = field(default_factory=lambda: {ROOT: None})
    approles: dict[str, str] = field(default_factory=dict)
    accounts: dict[tuple[str, str], bool] = field(default_factory=dict)
    lease: int = 3600
    status: int | None = None
    """Answer every request with it: 503 is sealed, 473 a performance standby, 307 sends elsewhere."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, path: str, mount: str = "secret", **fields: Any) -> None:
        """A secret's newest version."""
        self.secrets[mount, path] = fields

    def reads(self) -> int:
        """How many secrets were asked for."""
        return sum(method == "GET" for method, _ in self.requests)

    def logins(self) -> int:
        """How many tokens were asked for."""
        return sum(method == "POST" for method, _ in self.requests)

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, dict[str, Any]]:
        """Status and document."""
        with self.lock:
            self.requests.append((method, path))
            if self.status is not None:
                return self.status, {"errors": ["Vault is sealed"] if self.status == 503 else []}
            parts = path.removeprefix("/v1/").split("/")
            if parts[0] == "auth":
                return self._login(parts[1], body)
            token = headers.get("X-Vault-Token", "")
            if token not in self.tokens:
                return 403, {"errors": [f"permission denied: invalid token {token}"]}
            if self.tokens[token] != headers.get("X-Vault-Namespace"):
                return 403, {"errors": ["permission denied"]}
            return self._read(parts)

    def _login(self, kind: str, body: Any) -> tuple[int, dict[str, Any]]:
        if kind == "approle":
            good = self.approles.get(body.get("role_id")) == body.get("secret_id")
        else:
            good = self.accounts.get((body.get("role"), body.get("jwt")), False)
        if not good:
            return 400, {"errors": ["invalid role or secret ID"]}
        self.made += 1
        token = f"hvs.made-{self.made}-0123456789abcdef"
        self.tokens[token] = None
        return 200, {"auth": {"client_token": token, "lease_duration": self.lease, "renewable": True}}

    def _read(self, parts: list[str]) -> tuple[int, dict[str, Any]]:
        mount, second = parts[0], self.versions.get(parts[0]) == 2
        if mount not in self.versions or (second and parts[1:2] != ["data"]):
            return 404, {"errors": ["no handler for route"]}
        found = self.secrets.get((mount, "/".join(parts[2 if second else 1 :])), {})
        if found == {}:
            return 404, {"errors": []}
        if not second:
            return 200, {"data": found, "lease_duration": 2764800}
        meta = {"version": 1, "destroyed": False, "deletion_time": "" if found else "2026-11-20T00:00:00Z"}
        return (200 if found else 404), {"data": {"data": found, "metadata": meta}}


@contextmanager
def vault() -> Iterator[VaultTwin]:
    """A twin that listens until the end of the block."""
    twin = VaultTwin()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

        def _answer(self, body: Any) -> None:
            status, document = twin.answer(self.command, self.path.partition("?")[0], self.headers, body)
            data = json.dumps(document).encode()
            self.send_response(status)
            if status == 307:
                self.send_header("Location", "http://127.0.0.1:9/v1/elsewhere")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    twin.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield twin
    finally:
        server.shutdown()
        server.server_close()
