"""Command lines, run in this process or in one of their own, against twins on 127.0.0.1."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from byollm.cli.main import main
from byollm.providers import discovery
from byollm_sandbox import Twins, serve

KEY = "twin-key-0123456789abcdef"
"""The one key that the twin of these tests takes."""


@dataclass(frozen=True)
class Ran:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)

    @property
    def checks(self) -> dict[str, dict[str, str]]:
        """The checks of `doctor --json`'s first target, by name."""
        return {check["name"]: check for check in self.json["targets"][0]["checks"]}

    @property
    def mend(self) -> str:
        """The last line on stderr."""
        return self.err.rstrip("\n").splitlines()[-1].strip()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's environment or folder takes part."""
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.lower().endswith("_proxy") or name in ("BYOLLM_CONFIG", "BYOLLM_DEBUG"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> str:
    """A provider that the catalogue knows and nobody installed, whatever is installed here."""
    monkeypatch.setitem(discovery.KNOWN, "vanadium", "byollm-vanadium")
    return "vanadium"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """`run("complete", "hi", stdin=b"…")`: a command line in this process."""

    def run_here(*words: str, stdin: bytes | None = None, terminal: bool = False) -> Ran:
        monkeypatch.setattr(sys, "stdin", _Stdin(stdin or b"", terminal))
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run_here


class _Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes, terminal: bool) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def fresh() -> Callable[..., Ran]:
    """`fresh("--help")`: a command line in a process of its own."""

    def run_there(*words: str, stdin: bytes = b"", module: str = "byollm", **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env={**os.environ, **environment},
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_there


@pytest.fixture(scope="session")
def _twin() -> Iterator[Twins]:
    with serve(key=KEY, models=["gpt-4o", "claude-sonnet-5-5"]) as twin:
        yield twin


@pytest.fixture
def twin(_twin: Twins, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twins]:
    """A twin that takes one key and two models; its key is in CUSTOM_API_KEY."""
    monkeypatch.setenv("CUSTOM_API_KEY", KEY)
    _twin.clear()
    yield _twin
    _twin.clear()


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """`config(endpoint)`: an llm.yaml of one `custom` target in the current folder, other keys by name."""

    def write(endpoint: str, **more: Any) -> Path:
        target = {"provider": "custom", "model": "gpt-4o", "endpoint": endpoint, **more}
        return write_text(json.dumps({"llm_config": target}))

    def write_text(text: str) -> Path:
        path = tmp_path / "llm.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def yaml(tmp_path: Path) -> Callable[[str], Path]:
    """`yaml("llm_config: …")`: the text as llm.yaml in the current folder."""

    def write(text: str) -> Path:
        path = tmp_path / "llm.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, and that nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class Server:
    """A listening socket on 127.0.0.1; each connection is served by a function in a thread."""

    def __init__(self, serve_one: Callable[[socket.socket], None]) -> None:
        self._serve_one = serve_one
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.served = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.served += 1
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        # Callers of these tests hang up in the middle of a handshake on purpose.
        with contextlib.suppress(OSError), connection:
            self._serve_one(connection)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    """`server(function)`: a server for this test."""
    made: list[Server] = []

    def make(serve_one: Callable[[socket.socket], None]) -> Server:
        made.append(Server(serve_one))
        return made[-1]

    yield make
    for item in made:
        item.close()


def pump(left: Any, right: Any) -> None:
    """Bytes both ways until one side ends."""

    def copy(source: Any, target: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=copy, args=(right, left), daemon=True)
    back.start()
    copy(left, right)
    back.join(10)


@dataclass(frozen=True)
class Tls:
    """A TLS front of the twin: its port, and the file of the authority that issued its certificate."""

    port: int
    ca: str


@pytest.fixture
def tls(server: Callable[..., Server], tmp_path: Path) -> Callable[..., Tls]:
    """`tls(twin)`: the twin behind TLS; `names` of the certificate and its end can be chosen."""

    def make(twin: Twins, *names: str, **options: Any) -> Tls:
        authority = trustme.CA(organization_name="Test Authority")
        ca = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(str(ca))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(names or ("localhost",)), common_name="twin", **options).configure_cert(context)

        def front(connection: socket.socket) -> None:
            with (
                context.wrap_socket(connection, server_side=True) as secure,
                socket.create_connection(("127.0.0.1", twin.port)) as behind,
            ):
                pump(secure, behind)

        return Tls(server(front).port, str(ca))

    return make


@pytest.fixture
def proxy(server: Callable[..., Server]) -> Callable[..., Server]:
    """`proxy("HTTP/1.1 403 Forbidden")`: a proxy that answers every CONNECT so; it opens the tunnel after a 200."""

    def make(answer: str = "HTTP/1.1 200 OK") -> Server:
        def serve_one(connection: socket.socket) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(4096)
                if not data:
                    return
                head += data
            host, _, port = head.split(b" ")[1].decode().rpartition(":")
            connection.sendall(f"{answer}\r\n\r\n".encode())
            if " 200 " in answer:
                with socket.create_connection((host, int(port))) as behind:
                    pump(connection, behind)

        return server(serve_one)

    return make


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """`distribution("acme", "byollm.commands", {"hello": "acme:hello"}, "def hello…")`: installed for this test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def install(name: str, group: str, points: dict[str, str], code: str) -> Path:
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        (folder / f"{name}.py").write_text(code)
        return folder

    yield install
    for module in [name for name, found in sys.modules.items() if str(folder) in str(getattr(found, "__file__", ""))]:
        del sys.modules[module]
