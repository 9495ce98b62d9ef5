"""One llama-server on a free port of 127.0.0.1, with the random-weight model, for as long as a test run lasts."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.gguf import write_model

KEY: Final = "local-key-0123456789abcdef"
MODEL: Final = "tiny-random"
WINDOW: Final = 4096
"""Tokens a request may have; the server divides its whole context among two slots."""
START: Final = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its URL without a path, and the seconds it took to come up."""

    url: str
    seconds: float


@contextmanager
def running(binary: Path, folder: Path, *, router: bool = False) -> Iterator[Server]:
    """Start the server, wait until it answers, and end it afterwards whatever happens.

    `router`: it chooses among the models of a folder by name instead of serving one. Raises RuntimeError with the
    server's own words when it does not come up.
    """
    model, log = folder / "models" / f"{MODEL}.gguf", folder / "server.log"
    model.parent.mkdir()
    write_model(model, window=WINDOW)
    port = free_port()
    command: list[object] = [binary, "--host", "127.0.0.1", "--port", port, "--api-key", KEY, "--no-warmup"]
    if router:
        command += ["--models-dir", model.parent]
    else:
        command += ["-m", model, "--alias", MODEL, "-c", 2 * WINDOW, "-np", 2, "-t", 1, "--jinja"]
    started = time.monotonic()
    with log.open("w") as words:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd=folder
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait(process, url, log)
            yield Server(url, time.monotonic() - started)
        finally:
            end(process)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until the server says it is healthy. Raises RuntimeError when it ends or takes longer than START."""
    asking = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with asking.open(f"{url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"llama-server did not come up: {log.read_text(errors='replace')[-2000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to go, then make it go."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
