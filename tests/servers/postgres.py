"""One PostgreSQL of Debian's on a free port of 127.0.0.1, in a folder of its own, for as long as a test run lasts.

Where its programs are missing and apt-get may install them, `postgresql` is installed by name; the cluster that Debian
would make and start with it is not made.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.servers.build import BuildError, cache, run
from tests.servers.llama import free_port

HOMES: Final = Path("/usr/lib/postgresql")
START: Final = 60.0
NOBODY: Final = ("postgres", "nobody")
"""PostgreSQL does not run as root: who runs it instead, the first that exists."""


def programs() -> Path:
    """The folder of `initdb` and `postgres`, installed when absent. Raises BuildError when they cannot be had."""
    found = sorted(HOMES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        _install()
        found = sorted(HOMES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise BuildError("postgresql was installed and is not there")
    return found[-1].parent


def _install() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise BuildError("the tests of the ledger need PostgreSQL: install it and run this again")
    log = cache() / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    run(["apt-get", "update", "-q"], log, check=False)
    run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "postgresql-common"], log)
    settings = Path("/etc/postgresql-common/createcluster.conf")
    if settings.is_file() and "create_main_cluster = false" not in settings.read_text():
        settings.write_text(f"{settings.read_text()}\ncreate_main_cluster = false\n")
    run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "postgresql"], log)


class Postgres:
    """A server of one's own: `url` is an address with its password."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.port = free_port()
        self.password = secrets.token_hex(12)
        self.user = _other_user()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"
        self._prepare()

    @property
    def url(self) -> str:
        """The address of a database."""
        return f"postgresql://byollm:{self.password}@127.0.0.1:{self.port}/postgres"

    def _prepare(self) -> None:
        known = self.folder / "password"
        known.write_text(self.password)
        if self.user:
            for path in (self.folder, known):
                shutil.chown(path, self.user)
        self._do("initdb", "-D", self.folder / "data", "-U", "byollm", "--auth=scram-sha-256", f"--pwfile={known}",
                 "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip

    def _do(self, program: str, *words: object) -> None:
        done = subprocess.run(
            [str(self.home / program), *map(str, words)], capture_output=True, text=True, timeout=120, check=False,
            cwd=self.folder, **self._as(),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-1000:]}")

    def _as(self) -> dict[str, Any]:
        return {"user": self.user} if self.user else {}

    def start(self) -> None:
        """Until it takes connections. Raises RuntimeError when it does not come up."""
        words = ["-D", self.folder / "data", "-p", self.port, "-h", "127.0.0.1", "-k", self.folder, "-F"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.home / "postgres"), *map(str, words)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, **self._as(),
            )  # fmt: skip
        deadline = time.monotonic() + START
        ready = [str(self.home / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while time.monotonic() < deadline and self.process.poll() is None:
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"PostgreSQL did not come up: {self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """At once; whoever is connected is cut off."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None


def _other_user() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in NOBODY if name in names)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server, ended afterwards whatever happens, and its folder gone."""
    home = programs()
    folder = Path(tempfile.mkdtemp(prefix="byollm-postgres-"))
    try:
        server = Postgres(home, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
