"""`byollm vet`: what a plugin brings and reaches for is told, and nothing of it is imported."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
from planting import Plant
from wheels import GOOD, INFO, NOISE, wheel

from byollm.cli.main import main
from byollm.providers.lock import pin
from byollm_conformance.authors.new_plugin import Plan, write

Told = tuple[int, dict[str, Any]]


@pytest.fixture
def vet(capsys: pytest.CaptureFixture[str]) -> Any:
    """Exit code and report of a target."""

    def run(target: object, *more: str) -> Told:
        code = main(["vet", str(target), "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    return run


def alarms(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Kind and place of each alarm."""
    return {(item["kind"], item["where"]) for item in document["findings"] if item["level"] == "alarm"}


def test_a_plain_plugin_raises_no_alarm(vet: Any, tmp_path: Path) -> None:
    """Everything it is told about itself, out of its files."""
    path = wheel(tmp_path)

    code, told = vet(path)

    assert (0, 0) == (code, told["alarms"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert ("byollm-acme", "1.0", "MIT", ["byollm_acme"]) == tuple(
        told[name] for name in ("distribution", "version", "license", "top_level")
    )
    assert {"byollm.providers": {"acme": "byollm_acme:provider"}} == told["entry_points"]
    (manifest,) = told["manifests"]
    assert ("https://llm.acme.example/v1", ["llm.acme.example"]) == (manifest["endpoint"], manifest["hosts"])
    assert {"api_key": ["ACME_API_KEY"]} == manifest["credentials"]


def test_nothing_is_imported(vet: Any, tmp_path: Path) -> None:
    """Code that runs when it is imported does not run."""
    code, _ = vet(wheel(tmp_path, {"byollm_acme/__init__.py": f"{_crash()}\n"}))

    assert 1 == code
    assert "byollm_acme" not in sys.modules


def _crash() -> str:
    return "import os; os._exit(66)"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import socket", "network"),
        ("from urllib import request", "network"),
        ("import urllib.request as u", "network"),
        ("import httpx", "network"),
        ("import subprocess", "process"),
        ("import os as o\no.system('id')", "process"),
        ("from os import popen as p\np('id')", "process"),
        ("import os\nos.execv('/bin/sh', [])", "process"),
        ("import ctypes", "native"),
        ("import pickle", "code"),
        ("from marshal import loads", "code"),
        ("eval('1')", "code"),
        ("import builtins\nbuiltins.exec('1')", "code"),
        ("__import__('socket')", "code"),
        ("import importlib\nimportlib.import_module('socket')", "code"),
        ("import yaml\nyaml.load('')", "code"),
        ("import os\ngetattr(os, 'sys' + 'tem')('id')", "code"),
        ("x = ().__class__.__base__.__subclasses__()", "code"),
        ("import os\nos.environ['OPENAI_API_KEY']", "environment"),
        ("from os import environ as e\ne.get('HOME')", "environment"),
        ("import os\nos.getenv('HOME')", "environment"),
        ("import byollm.client\nbyollm.client.Client.complete = print", "patch"),
        ("import byollm\nsetattr(byollm, 'Client', print)", "patch"),
        ("import sys\nsys.modules['json'] = None", "patch"),
        ("def broken(:", "source"),
        ("x = '\0'", "source"),
        ("# coding: no-such-coding\n", "source"),
        ("(" * 5000, "source"),
        ("-" * 200_000 + "1", "source"),
    ],
)
def test_what_source_reaches_for_is_an_alarm(vet: Any, tmp_path: Path, source: str, kind: str) -> None:
    """By the syntax tree, through other names, with the line."""
    code, told = vet(wheel(tmp_path, {"byollm_acme/inner.py": source}))

    assert 1 == code
    found = {(found_kind, where.partition(":")[0]) for found_kind, where in alarms(told)}
    assert (kind, "byollm_acme/inner.py") in found


@pytest.mark.parametrize(
    ("more", "alarm"),
    [
        ({"evil.pth": "import os\n"}, ("startup", "evil.pth")),
        ({"sitecustomize.py": ""}, ("startup", "sitecustomize")),
        ({"byollm_acme/fast.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"}, ("native", None)),
        ({"byollm_acme/data.bin": b"\x7fELF\2\1"}, ("native", "byollm_acme/data.bin")),
        ({"byollm_acme/hidden.pyc": b"\0"}, ("native", "byollm_acme/hidden.pyc")),
        ({"byollm_acme-1.0.data/scripts/run": "#!python\n"}, ("script", "byollm_acme-1.0.data/scripts/run")),
        ({"byollm_acme-1.0.data/data/etc/x": "1"}, ("script", "byollm_acme-1.0.data/data/etc/x")),
        ({"json.py": ""}, ("modules", "json")),
        ({"pytest/__init__.py": ""}, ("modules", "pytest")),
        ({"byollm_acme-1.0.data/purelib/byollm_acme/__init__.py": ""}, ("archive", "byollm_acme/__init__.py")),
        ({"byollm_acme/A.py": "", "byollm_acme/a.py": ""}, ("archive", "byollm_acme/a.py")),
        ({"byollm_acme/big.py": f"# {NOISE}"}, ("source", "byollm_acme/big.py")),
        ({f"{INFO}/entry_points.txt": "[pytest11]\nx = byollm_acme\n"}, ("entry point", f"{INFO}/entry_points.txt")),
        ({f"{INFO}/entry_points.txt": "[byollm.providers]\nacme = nowhere:x\n"}, ("entry point", None)),
        ({f"{INFO}/entry_points.txt": "[byollm.providers]\nopenai = byollm_acme:provider\n"}, ("entry point", None)),
        ({f"{INFO}/METADATA": "Name: byollm-acme\nVersion: 1.0\nRequires-Dist: x @ https://e.example/x.whl\n"},
         ("requires", f"{INFO}/METADATA")),
    ],
)  # fmt: skip
def test_what_a_wheel_brings_is_an_alarm(
    vet: Any, tmp_path: Path, more: dict[str, str | bytes], alarm: tuple[str, str | None]
) -> None:
    """Beside its modules, and by its metadata."""
    code, told = vet(wheel(tmp_path, more))

    assert 1 == code
    assert [kind for kind, where in alarms(told) if kind == alarm[0] and alarm[1] in (None, where)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ('name="acme", hosts=("*",)', "a key from the environment may go to any host"),
        ('name="acme", default_endpoint="http://llm.acme.example"', "speaks plain http"),
        ('name="acme", default_endpoint="http://["', "is no URL"),
        ('name="acme", credentials={"api_key": ("OPENAI_API_KEY",)}', "the usual variable of openai"),
        ('name="other"', "no entry point is called so"),
    ],
)
def test_what_a_manifest_asks_for_is_an_alarm(vet: Any, tmp_path: Path, words: str, sentence: str) -> None:
    """As far as it can be read."""
    source = f"from byollm.plugin import Manifest\nclass P:\n    manifest = Manifest({words})\nprovider = P()\n"

    code, told = vet(wheel(tmp_path, {"byollm_acme/__init__.py": source}))

    assert 1 == code
    assert [item for item in told["findings"] if item["kind"] == "manifest" and sentence in item["sentence"]]


def test_a_computed_manifest_is_said_to_be_unknown(vet: Any, tmp_path: Path) -> None:
    """What cannot be read is not guessed; a constant of the module can be."""
    source = (
        "from byollm import plugin as p\nNAME = 'acme'\n"
        "provider = p.Manifest(name=NAME, hosts=tuple(x for x in y), default_endpoint=f'https://{z}')\n"
    )

    _, told = vet(wheel(tmp_path, {"byollm_acme/__init__.py": source}))

    (manifest,) = told["manifests"]
    assert ("acme", ["hosts", "default_endpoint"]) == (manifest["name"], manifest["unreadable"])


@pytest.mark.parametrize("record", ["", "byollm_acme/__init__.py,sha256=AAAA,\n", "\0", "gone.py,sha256=AAAA,3\n"])
def test_a_record_that_lies_is_an_alarm(vet: Any, tmp_path: Path, record: str) -> None:
    """Every file must be listed, with the digest it has."""
    code, told = vet(wheel(tmp_path, record=record))

    assert 1 == code
    assert {"record"} == {kind for kind, _ in alarms(told)}


def test_bytes_before_the_archive_are_an_alarm(vet: Any, tmp_path: Path) -> None:
    """A file can be a program and a wheel at once."""
    path = wheel(tmp_path)
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())

    code, told = vet(path)

    assert (1, {("archive", "")}) == (code, alarms(told))


@pytest.mark.parametrize("kind", ["openai-compatible", "wire", "local"])
def test_every_template_is_free_of_alarms(vet: Any, tmp_path: Path, kind: str) -> None:
    """A repository is looked into by its pyproject.toml."""
    write(Plan("acme", kind, "" if kind == "local" else "https://llm.acme.example", "MIT"), tmp_path / "acme")

    code, told = vet(tmp_path / "acme")

    assert (0, "byollm-acme", ["byollm_acme"]) == (code, told["distribution"], told["top_level"])
    assert ["acme"] == [manifest["name"] for manifest in told["manifests"]]


@pytest.mark.parametrize("name", ["openai", "openai-compatible", "anthropic"])
def test_our_own_plugins_are_free_of_alarms(vet: Any, repository: Path, name: str) -> None:
    """What is promised of others holds for us."""
    code, told = vet(repository / "plugins" / name)

    assert (0, set()) == (code, alarms(told))


def test_an_installed_distribution_has_the_digest_of_its_lock(vet: Any, planted: Plant) -> None:
    """And so has its wheel: what was vetted is what is pinned."""
    site = planted("wire")

    _, told = vet("byollm-acme")

    owner = next(iter(Distribution.discover(name="byollm-acme", path=[str(site)])))
    assert pin(owner).digest == told["files_digest"]


def test_a_wheel_has_the_digest_of_what_it_installs(vet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacked by hand, as an installer would, with the installer's notes beside it."""
    for name, data in GOOD.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(data))
    (tmp_path / "site" / INFO / "RECORD").write_text("".join(f"{name},,\n" for name in [*GOOD, f"{INFO}/INSTALLER"]))
    (tmp_path / "site" / INFO / "INSTALLER").write_text("pip\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    _, told = vet(wheel(tmp_path))

    owner = next(iter(Distribution.discover(name="byollm-acme", path=[str(tmp_path / "site")])))
    assert pin(owner).digest == told["files_digest"]


def test_the_table_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people, ending with what all of it is worth."""
    assert 1 == main(["vet", str(wheel(tmp_path, {"byollm_acme/inner.py": "import socket"}))])

    lines = capsys.readouterr().out.splitlines()
    assert "alarm  network" in "\n".join(lines)
    assert lines[-2].startswith("fail  1 alarm, 1 note; nothing of it was imported")
    assert "its code run as you" in lines[-1]
