"""`byollm new-plugin`: it asks, it refuses, it never overwrites, and invents nothing."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from planting import BASE_URL, PLANS

from byollm.cli.main import main
from byollm_conformance.authors.new_plugin import Plan, rendered, write

KINDS = list(PLANS)
each_kind = pytest.mark.parametrize("kind", KINDS)


def words(kind: str, folder: Path, *more: str) -> list[str]:
    """The command line for a plugin of that kind."""
    address = [] if kind == "local" else ["--base-url", BASE_URL]
    return ["new-plugin", "acme", f"--{kind}", "--output", str(folder), *address, *more]


def files_of(folder: Path) -> dict[str, str]:
    """Everything that was written."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@each_kind
def test_a_repository_is_written(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it, and what to do next."""
    assert 0 == main(words(kind, tmp_path / "acme"))

    assert rendered(Plan(*_without_license(kind))) == files_of(tmp_path / "acme")
    assert "byollm conform acme" in capsys.readouterr().out


def _without_license(kind: str) -> tuple[str, str, str]:
    plan = PLANS[kind]
    return plan.name, plan.kind, plan.base_url


@each_kind
def test_nothing_is_left_to_fill_in_but_what_is_the_authors(kind: str) -> None:
    """No placeholder stays, and no address but the one that was given."""
    texts = "\n".join(rendered(PLANS[kind]).values())

    assert [] == re.findall(r"@[A-Z_]+@", texts)
    assert set(re.findall(r"https?://([^/\s\"'`)]+)", texts)) <= {"llm.acme.example"}


@each_kind
def test_the_test_of_conformance_has_three_lines(kind: str) -> None:
    """An import and a name."""
    text = rendered(PLANS[kind])["tests/test_conformance.py"]

    assert ["from byollm_conformance.suite import *  # noqa: F403", "", 'plugins = ["acme"]'] == text.splitlines()


def test_a_translator_has_at_most_150_lines() -> None:
    """As the guide promises."""
    assert 150 >= len(rendered(PLANS["wire"])["src/byollm_acme/translator.py"].splitlines())


def test_the_licence_is_the_authors_choice(tmp_path: Path) -> None:
    """None is chosen, and one that is named stands in the metadata."""
    project = tomllib.loads(rendered(Plan("acme", "local"))["pyproject.toml"])["project"]
    named = tomllib.loads(rendered(PLANS["local"])["pyproject.toml"])["project"]

    assert "license" not in project
    assert "MIT" == named["license"]


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with anything in it stays as it is."""
    (tmp_path / "mine.txt").write_text("mine")

    assert 1 == main(words("local", tmp_path))
    assert {"mine.txt": "mine"} == files_of(tmp_path)
    assert "nothing is ever overwritten" in capsys.readouterr().err


def test_without_a_terminal_an_address_is_not_invented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag is named instead."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(BASE_URL))

    assert 2 == main(["new-plugin", "acme", "--wire", "--output", str(tmp_path / "acme")])
    assert "needs --base-url" in capsys.readouterr().err
    assert not (tmp_path / "acme").exists()


def test_on_a_terminal_the_address_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And used as it was typed."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(f"{BASE_URL}/\n"))

    assert 0 == main(["new-plugin", "acme", "--wire", "--output", str(tmp_path / "acme")])
    assert f'default_endpoint="{BASE_URL}"' in (tmp_path / "acme/src/byollm_acme/translator.py").read_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Acme", "lower-case letters"),
        ("9lives", "lower-case letters"),
        ("a--b", "lower-case letters"),
        ("acme-", "lower-case letters"),
        ("../evil", "lower-case letters"),
        ("a" * 51, "lower-case letters"),
        ("", "lower-case letters"),
        ("openai", "is there already: byollm-openai brings it"),
        ("groq", "is there already: byollm-groq brings it"),
        ("gemini", "byollm-google brings it"),
        ("azure-openai", "byollm-azure brings it"),
        ("local", "byollm-openai-compatible brings it"),
        ("sandbox", "byollm-sandbox is another package's name"),
        ("openai-compatible", "byollm-openai-compatible is another package's name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written."""
    assert 2 == main(["new-plugin", name, "--local", "--output", str(tmp_path / "x")])
    assert told in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "url",
    ["llm.acme.example", "ftp://llm.acme.example", "https://", "https://a b", 'https://a/"+evil+"', "https://u:p@a.example",
     "https://a.example/?x=1", "https://a.example:0/v1", "https://a.example:99999", "https://a.example/{x}"],
)  # fmt: skip
def test_an_address_that_cannot_be_is_refused(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would become source code."""
    assert 2 == main(["new-plugin", "acme", "--wire", "--output", str(tmp_path / "x"), "--base-url", url])
    assert "--base-url is a whole URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more", [[], ["--wire", "--local"], ["--local", "--base-url", BASE_URL], ["--local", "--license", 'MIT"\nx = "']]
)
def test_words_that_do_not_go_together_are_refused(more: list[str], tmp_path: Path) -> None:
    """Exit code 2, and nothing is written."""
    assert 2 == main(["new-plugin", "acme", "--output", str(tmp_path / "x"), *more])
    assert not (tmp_path / "x").exists()


def test_json_tells_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts."""
    assert 0 == main(words("local", tmp_path / "acme", "--json"))

    assert sorted(files_of(tmp_path / "acme")) == json.loads(capsys.readouterr().out)["files"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands in the way."""
    (tmp_path / "file").write_text("")

    assert 1 == main(words("local", tmp_path / "file" / "acme"))
    assert "cannot be written" in capsys.readouterr().err


def test_what_is_written_is_clean(tmp_path: Path) -> None:
    """ruff and mypy --strict have nothing to say."""
    for kind, plan in PLANS.items():
        write(plan, tmp_path / kind)
    ruff = ["--isolated", "--line-length", "120", "."]
    runs = [
        ["ruff", "check", "--select", "E,W,F,B,UP,C90,RET,D1", "--ignore", "D100,D107", *ruff],
        ["ruff", "format", "--check", *ruff],
        *[["mypy", "--strict", f"{kind}/src"] for kind in KINDS],
    ]

    for run in runs:
        done = subprocess.run([sys.executable, "-m", *run], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout + done.stderr
