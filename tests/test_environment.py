"""The maker of the environment: what it may remove, and what makes it build anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import environment


def test_folder_of_somebody_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A folder that holds no environment is refused, and nothing in it is touched."""
    (tmp_path / "thesis.txt").write_text("years of work")

    assert not environment.create(tmp_path)
    assert "years of work" == (tmp_path / "thesis.txt").read_text()
    assert "name another folder" in capsys.readouterr().err


def test_environment_without_interpreter_is_made_anew(tmp_path: Path):
    """A stamp counts only as long as the interpreter beside it exists."""
    (tmp_path / environment.STAMP).write_text(environment.digest())

    assert environment.stamp(tmp_path) is None


def test_change_of_a_member_changes_the_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The environment is built again when a pinned version or a member's metadata changes."""
    (tmp_path / "core").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["core"]\n')
    (tmp_path / "requirements.txt").write_text("a==1\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(environment, "DATA", tmp_path / "requirements.txt")
    monkeypatch.setattr(environment, "members", lambda: [tmp_path / "core"])
    digests = set()
    for version in ("1", "2", "2"):
        (tmp_path / "core" / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
        digests.add(environment.digest())

    assert 2 == len(digests)
