"""Keys from mounted secrets, laid out and swapped as the kubelet does it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from byollm.config.llm_config import load
from byollm.errors import AuthenticationError, ByollmError, ConfigError

OLD, NEW = "sk-old-0123456789abcdef", "sk-new-0123456789abcdef"


def publish(volume: Path, version: int, **files: str) -> None:
    """One update by the kubelet's atomic writer: a new folder, `..data` renamed onto it, the old one removed."""
    volume.mkdir(parents=True, exist_ok=True)
    folder = volume / f"..2026_11_22_{version:09d}"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")
    before = os.readlink(volume / "..data") if (volume / "..data").is_symlink() else None
    (volume / "..data_tmp").symlink_to(folder.name)
    os.rename(volume / "..data_tmp", volume / "..data")
    if before is not None:
        for path in (volume / before).iterdir():
            path.unlink()
        (volume / before).rmdir()


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    publish(tmp_path / "openai", 1, api_key=f"{OLD}\n")
    return tmp_path


def reference(mounts: Path, text: str = "kubernetes:openai/api_key", **store: Any) -> Any:
    settings = {"kubernetes": {"folder": str(mounts), **store}}
    config = load({"provider": "openai", "model": "gpt-5.4", "api_key": text, "secrets": settings})
    return config.deployments["default"].secrets["api_key"]


def refused(mounts: Path, text: str = "kubernetes:openai/api_key", **store: Any) -> ByollmError:
    with pytest.raises(ByollmError) as raised:
        reference(mounts, text, **store).resolve()
    return raised.value


def test_a_mounted_secret_is_read_without_its_line_end(mounts: Path):
    """`kubectl create secret --from-file` keeps what an editor puts at the end."""
    assert OLD == reference(mounts).resolve().reveal()


def test_a_swapped_secret_is_read_after_a_refusal(mounts: Path):
    """The provider refuses the old one; the volume has the new one."""
    found = reference(mounts)
    old = found.resolve()
    publish(mounts / "openai", 2, api_key=NEW)

    assert OLD == found.resolve().reveal()
    found.refused(old)
    assert NEW == found.resolve().reveal()


def test_swaps_under_readers_never_show_half_of_anything(mounts: Path):
    """Four threads read while the kubelet swaps 200 times."""
    done, seen = threading.Event(), set[str]()

    def read() -> None:
        found = reference(mounts)
        while not done.is_set():
            seen.add(found.resolve().reveal())
            found.refresh()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(2, 202):
        publish(mounts / "openai", version, api_key=OLD if version % 2 else NEW)
    done.set()
    for thread in threads:
        thread.join()

    assert {OLD, NEW} >= seen
    assert seen


@pytest.mark.parametrize(
    "text", ["openai", "openai/", "/api_key", "../etc/passwd", "openai/../../x", "openai/..data", "a/b/c", "./x"]
)
def test_a_name_that_climbs_is_refused(mounts: Path, text: str):
    """A secret and a key of it, nothing else."""
    assert isinstance(refused(mounts, f"kubernetes:{text}"), ConfigError)


def test_a_link_out_of_the_folder_is_not_followed(mounts: Path, tmp_path_factory: pytest.TempPathFactory):
    """What is mounted there may have been written by somebody else."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "key"
    elsewhere.write_text(OLD)
    (mounts / "openai" / "out").symlink_to(elsewhere)

    assert "leads out" in refused(mounts, "kubernetes:openai/out").message


@pytest.mark.parametrize(
    "text, told", [("openai/nothing", "No such file"), ("nobody/api_key", "No such file"), ("openai/bad", "not UTF-8")]
)
def test_what_cannot_be_read_is_told(mounts: Path, text: str, told: str):
    """With the line that mounts it."""
    (mounts / "openai" / "bad").write_bytes(b"\xff\xfe")
    error = refused(mounts, f"kubernetes:{text}")

    assert isinstance(error, AuthenticationError)
    assert told in error.message
    assert "volumeMounts" in error.hint


def test_a_file_larger_than_any_secret_is_refused(mounts: Path):
    """Kubernetes allows a megabyte."""
    (mounts / "openai" / "large").write_text("x" * (1024 * 1024 + 1))

    assert "larger than any secret" in refused(mounts, "kubernetes:openai/large").message


def test_the_folder_is_absolute(mounts: Path):
    """A relative one would depend on who starts the program where."""
    assert "absolute" in refused(mounts, folder="secrets").message
