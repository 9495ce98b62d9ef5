"""A certificate is compared with the files it is about; nobody signed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wheels import wheel

from byollm.cli.main import main


def certificate(digest: str, **changes: Any) -> str:
    """What `byollm conform --json` would write of the good wheel."""
    plugin = {"dist": "byollm-acme", "version": "1.0", "files_sha256": digest.removeprefix("sha256:")}
    document = {"schema": "urn:byollm:conformance:1", "spec": 1, "result": "conformant", "plugin": plugin}
    return json.dumps({**document, **changes})


def told(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what the report says of the certificate."""
    code = main(["vet", str(path), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def digest_of(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The digest of a wheel's files."""
    return str(told(path, capsys)[1]["files_digest"])


@pytest.mark.parametrize("name", ["byollm_acme-1.0-py3-none-any.whl.json", "certificate.json"])
def test_one_beside_the_wheel_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """And compared."""
    path = wheel(tmp_path)
    (tmp_path / name).write_text(certificate(digest_of(path, capsys)))

    code, document = told(path, capsys)

    assert (0, True) == (code, document["certificate"]["matches"])
    assert document["certificate"]["told"].endswith("nobody signed it")


def test_one_inside_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is about all files but itself."""
    digest = digest_of(wheel(tmp_path), capsys)

    code, document = told(wheel(tmp_path, {"byollm_acme/certificate.json": certificate(digest)}), capsys)

    assert (0, True) == (code, document["certificate"]["matches"])


@pytest.mark.parametrize(
    "changes",
    [
        {"result": "not-conformant"},
        {"result": "expected-failures"},
        {"plugin": {"dist": "byollm-acme", "version": "1.1", "files_sha256": ""}},
        {"plugin": {"dist": "byollm-other", "version": "1.0", "files_sha256": ""}},
        {"plugin": {"dist": "byollm-acme", "version": "1.0", "files_sha256": "0" * 64}},
        {"plugin": []},
        {"schema": "urn:other"},
    ],
)
def test_one_that_does_not_hold_is_an_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any]
) -> None:
    """Of other files, of another release, or of no success."""
    path = wheel(tmp_path)
    (tmp_path / "named.json").write_text(certificate(digest_of(path, capsys), **changes))

    code, document = told(path, capsys, "--certificate", str(tmp_path / "named.json"))

    assert 1 == code
    assert ["certificate"] == [item["kind"] for item in document["findings"] if item["level"] == "alarm"]


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_one_that_is_none_is_an_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Whatever stands in it."""
    path = wheel(tmp_path)
    (tmp_path / "certificate.json").write_text(text)

    assert 1 == told(path, capsys)[0]


def test_one_that_is_named_and_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert 2 == main(["vet", str(wheel(tmp_path)), "--certificate", str(tmp_path / "gone.json")])
    assert "gone.json cannot be read" in capsys.readouterr().err
