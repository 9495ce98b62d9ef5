"""Build llama.cpp's `llama-server` once, and keep the binary outside the tree: `python -m tests.servers.build`.

The source is the sdist of llama-cpp-python, which vendors llama.cpp with its server; it comes from the package index
that pip is configured for, and its digest is pinned here. The binary is kept in $BYOLLM_CACHE, else ~/.cache/byollm,
in a folder named after the version. A C++ compiler and cmake are needed once: where they are missing and apt-get may
install them, `cmake` and `g++` are installed by name.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VERSION: Final = "0.3.36"
SHA256: Final = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
JOBS: Final = max(1, min(os.cpu_count() or 1, 2))
"""More than two compilers at a time take more memory than small machines have."""
CMAKE: Final = (
    "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=OFF", "-DGGML_NATIVE=OFF", "-DGGML_OPENMP=OFF",
    "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_TOOLS=ON", "-DLLAMA_BUILD_SERVER=ON",
    "-DLLAMA_BUILD_UI=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF", "-DLLAMA_OPENSSL=OFF",
)  # fmt: skip


class BuildError(Exception):
    """The server cannot be had here; the message says what is missing and where the words of the tools are."""


@dataclass(frozen=True, slots=True)
class Built:
    """The binary, the seconds it took to make it, and whether that was just now."""

    path: Path
    seconds: float
    fresh: bool


def cache() -> Path:
    """Where built things are kept between runs."""
    return Path(os.environ.get("BYOLLM_CACHE") or Path.home() / ".cache" / "byollm")


def llama_server() -> Built:
    """The server's binary, built when it is absent. Raises BuildError when it cannot be built."""
    folder = cache() / f"llama-cpp-python-{VERSION}"
    binary = folder / "llama-server"
    if works(binary):
        return Built(binary, took(folder), False)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "lock"):
        fresh = not works(binary)
        if fresh:
            started = time.monotonic()
            tools()
            build(folder, binary)
            (folder / "seconds").write_text(f"{time.monotonic() - started:.0f}\n")
    return Built(binary, took(folder), fresh)


def took(folder: Path) -> float:
    """How long the build took, in seconds; 0 when nobody wrote it down."""
    try:
        return float((folder / "seconds").read_text())
    except (OSError, ValueError):
        return 0.0


def works(binary: Path) -> bool:
    """Whether the binary starts at all: one kept from another machine may not."""
    try:
        return subprocess.run([binary, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Only one process builds; the others wait and find it done."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tools() -> None:
    """Install the compiler and cmake where they are missing and apt-get can."""
    missing = [package for program, package in (("cmake", "cmake"), ("c++", "g++")) if not shutil.which(program)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise BuildError(f"building llama-server needs {' and '.join(missing)}: install them and run this again")
    log = cache() / "apt.log"
    run(["apt-get", "update", "-q"], log, check=False)
    run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], log)


def build(folder: Path, binary: Path) -> None:
    """Fetch, unpack, compile; only the binary and the log stay."""
    log = folder / "build.log"
    log.write_text("")
    with tempfile.TemporaryDirectory(prefix="byollm-build-", dir=folder) as scratch:
        work = Path(scratch)
        fetch(work, log)
        with tarfile.open(next(work.glob("*.tar.gz"))) as archive:
            archive.extractall(work, filter="data")
        source = next(work.glob("llama_cpp_python-*/vendor/llama.cpp"))
        made = work / "made"
        run(["cmake", "-S", source, "-B", made, *CMAKE], log)
        run(["nice", "-n", "10", "cmake", "--build", made, "--target", "llama-server", "-j", str(JOBS)], log)
        shutil.move(made / "bin" / "llama-server", binary)


def fetch(work: Path, log: Path) -> None:
    """The sdist, by pip and its configured index; a file of another digest is refused."""
    wanted = work / "wanted.txt"
    wanted.write_text(f"llama-cpp-python=={VERSION} --hash=sha256:{SHA256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--no-binary", "llama-cpp-python", "-r", wanted, "-d", work], log)


def run(command: Sequence[str | Path], log: Path, *, check: bool = True) -> None:
    """Run a tool with its words in `log`; raises BuildError when it fails and `check` is true."""
    with log.open("a") as words:
        words.write(f"$ {' '.join(str(word) for word in command)}\n")
        words.flush()
        code = subprocess.call([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=words, stderr=words)
    if code and check:
        raise BuildError(f"{command[0]} ended with {code}; its words are in {log}")


if __name__ == "__main__":
    found = llama_server()
    print(found.path, "built" if found.fresh else "was there, built earlier", f"in {found.seconds:.0f} s")
