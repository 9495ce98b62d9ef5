"""Building the server: what is kept, and what is said when it cannot be built."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from tests.servers import apart, build
from tests.servers.gguf import write_model


def test_a_binary_that_does_not_start_is_built_again(tmp_path: Path) -> None:
    """A file from another machine, or none, is no server."""
    broken = tmp_path / "llama-server"
    broken.write_bytes(b"\x7fELF but not really")
    broken.chmod(0o755)

    assert not build.works(broken)
    assert not build.works(tmp_path / "absent")


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not install packages is told which."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(build.BuildError, match=r"cmake and g\+\+"):
        build.tools()


def test_a_tool_that_fails_is_named_with_its_words(tmp_path: Path) -> None:
    """The log holds what it said."""
    log = tmp_path / "log"
    with pytest.raises(build.BuildError, match="false ended with 1"):
        build.run(["false"], log)

    assert log.read_text().startswith("$ false")


def test_the_model_is_the_same_every_time(tmp_path: Path) -> None:
    """Same bytes, and a whole file: each tensor lies inside it."""
    first, second = tmp_path / "a.gguf", tmp_path / "b.gguf"
    write_model(first, window=512)
    write_model(second, window=512)
    data = first.read_bytes()

    assert data == second.read_bytes()
    assert (b"GGUF", 3, 21) == (data[:4], *struct.unpack_from("<IQ", data, 4))
    assert 0 == len(data) % 32


def test_an_environment_with_another_digest_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip's refusal is told with where its words are, and the next run begins anew."""
    monkeypatch.setenv("BYOLLM_CACHE", str(tmp_path / "cache"))
    pins = tmp_path / "pins.txt"
    pins.write_text(f"pluggy==1.7.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(build.BuildError, match="its words are in") as caught:
        apart.environment(pins)

    assert "DO NOT MATCH" in Path(str(caught.value).rpartition(" in ")[2]).read_text()
    assert [] == list(tmp_path.rglob("whole"))
