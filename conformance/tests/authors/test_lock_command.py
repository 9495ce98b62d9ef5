"""`byollm lock`: what is installed is written down, and compared with; nothing is imported."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
from planting import Plant

from byollm.cli.main import main
from byollm.errors import PluginError
from byollm.providers.discovery import load_provider
from byollm.providers.lock import pin, read_lock
from byollm_conformance.authors import lock as command


@pytest.fixture
def alone(planted: Plant, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One plugin from a wheel: this clone's own members are editable installs, which nothing can pin."""
    site = planted("local")
    monkeypatch.setattr(command, "distributions", lambda: Distribution.discover(path=[str(site)]))
    for name in [name for name in sys.modules if name.startswith("byollm_acme")]:
        monkeypatch.delitem(sys.modules, name)
    return site


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document."""
    code = main(["lock", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_what_is_installed_is_written(alone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Distribution, version, digest; and the core reads it."""
    path = tmp_path / "byollm.lock"

    code, document = told(capsys, "--output", str(path))

    owner = next(iter(Distribution.discover(name="byollm-acme", path=[str(alone)])))
    assert (0, True) == (code, document["written"])
    assert {"byollm-acme": pin(owner)} == read_lock(str(path))
    assert "byollm_acme" not in sys.modules


def test_the_file_is_the_same_each_time(alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be kept under version control. `byollm.lock` here is its usual name."""
    monkeypatch.chdir(tmp_path)

    assert 0 == main(["lock"])
    first = (tmp_path / "byollm.lock").read_bytes()
    assert 0 == main(["lock"])
    assert first == (tmp_path / "byollm.lock").read_bytes()
    assert ["byollm.lock"] == [name for name in os.listdir(tmp_path) if "lock" in name]


def test_check_finds_what_is_as_it_was(alone: Path, tmp_path: Path) -> None:
    """Exit code 0."""
    path = str(tmp_path / "byollm.lock")

    assert 0 == main(["lock", "--output", path])
    assert 0 == main(["lock", "--output", path, "--check"])


@pytest.mark.parametrize(
    ("change", "state", "code"),
    [
        (lambda text: text.replace("sha256:", "sha256:0")[:-2] + '"\n', "changed", 1),
        (lambda text: text.replace('version = "0.1.0"', 'version = "0.0.9"'), "changed", 1),
        (lambda text: "version = 1\n", "not pinned", 1),
        (lambda text: text.replace("byollm-acme", "byollm-other"), "not installed", 1),
        (
            lambda text: text + '[[plugin]]\ndistribution = "byollm-other"\nversion = "1"\ndigest = "sha256:1"\n',
            "not installed",
            0,
        ),
    ],
)
def test_check_tells_every_difference(
    alone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, state: str, code: int
) -> None:
    """What is pinned and not installed does no harm; everything else fails."""
    path = tmp_path / "byollm.lock"
    main(["lock", "--output", str(path)])
    capsys.readouterr()
    before = change(path.read_text())
    path.write_text(before)

    found, document = told(capsys, "--output", str(path), "--check")

    assert code == found
    assert state in {plugin["state"] for plugin in document["plugins"]}
    assert before == path.read_text()


def test_what_differs_is_refused_before_it_is_imported(alone: Path, tmp_path: Path) -> None:
    """The file that the command writes is the one that the core obeys."""
    path = tmp_path / "byollm.lock"
    main(["lock", "--output", str(path)])
    module = alone / "byollm_acme" / "model.py"
    module.write_text(module.read_text() + "\n")

    with pytest.raises(PluginError, match="not imported"):
        load_provider("acme", lock=str(path))
    assert "byollm_acme" not in sys.modules


def test_an_editable_install_is_not_pinned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has no record of its modules, so no file is written, and the old one stays."""
    path = tmp_path / "byollm.lock"
    path.write_text("version = 1\n")

    code, document = told(capsys, "--output", str(path))

    assert (1, False) == (code, document["written"])
    assert "unpinnable" in {plugin["state"] for plugin in document["plugins"]}
    assert "version = 1\n" == path.read_text()


def test_names_choose_among_what_is_installed(
    planted: Plant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be pinned beside them does not matter; a name that nobody has is wrong."""
    planted("local")
    path = str(tmp_path / "byollm.lock")

    assert 0 == main(["lock", "Byollm_Acme", "--output", path])
    assert ["byollm-acme"] == list(read_lock(path))
    assert 2 == main(["lock", "byollm-nobody", "--output", path])
    assert "byollm-nobody is not installed" in capsys.readouterr().err


def test_check_wants_a_file(alone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one, nothing is pinned."""
    assert 1 == main(["lock", "--check", "--output", str(tmp_path / "gone.lock")])
    assert "the lock file cannot be read" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(
    alone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left behind."""
    assert 1 == main(["lock", "--output", str(tmp_path / "no" / "byollm.lock")])
    assert "cannot be written" in capsys.readouterr().err


def test_the_words_for_people(alone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each plugin, and the line for the configuration."""
    path = str(tmp_path / "byollm.lock")

    assert 0 == main(["lock", "--output", path])
    written = capsys.readouterr().out
    assert 0 == main(["lock", "--output", path, "--check"])
    compared = capsys.readouterr().out

    assert "new  byollm-acme  0.1.0 sha256:" in written
    assert f"plugins: {{lock: {path}}}" in written
    assert "same  byollm-acme" in compared
