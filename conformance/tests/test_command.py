"""`byollm conform`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance_acme import CONFORMANT, Install, at_first_use
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from byollm_conformance.certificate import files_digest
from byollm_conformance.command import conform
from byollm_conformance.schemas import schemas
from byollm_conformance.targets import find

QUICK = ["--max-examples", "5", "--only", "MET-01", "--only", "CAP-02", "--only", "REC"]
BROKEN = at_first_use("request = request.with_(temperature=None)")


def test_a_conformant_plugin(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0; the report says who was tested, with what, and how it went."""
    install()
    code, out = conform(["acme", *QUICK]), capsys.readouterr().out

    assert 0 == code
    assert out.startswith("acme: byollm-acme 1.4.0\n")
    assert "chat: model a-model, twin: openai-chat (generic)" in out
    assert "acme is as promised in what was run, which was not all: 4 checks" in out


def test_every_check_that_is_not_applicable_is_listed(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """With its reason."""
    install()
    conform(["acme", *QUICK])

    assert "no recorded exchanges were given" in capsys.readouterr().out


def test_a_broken_plugin(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; the sentence, the evidence and how to run it again are told."""
    install(BROKEN)
    code, out = conform(["acme", "--only", "CAP-05", "--max-examples", "50"]), capsys.readouterr().out

    assert 1 == code
    assert "fail  CAP-05 over chat: Every parameter that was set is on the wire" in out
    assert "temperature was set, is not on the wire, and the caller is not told" in out
    assert "example: Request([Message(role='user', parts=(Text(text=" in out
    assert "spec/capabilities.md#5; again: byollm conform acme --only CAP-05 --api chat" in out


def test_examples_are_small(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """What breaks a promise is shrunk: one parameter, no history."""
    install(BROKEN)
    conform(["acme", "--only", "CAP-05", "--max-examples", "50"])
    example = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("example:"))

    assert example.endswith("temperature=0)")


def certificate(path: Path, *arguments: str) -> Any:
    """The certificate that a run writes."""
    conform([*arguments, "--json", str(path / "certificate.json")])
    return json.loads((path / "certificate.json").read_text("utf-8"))


def test_the_certificate_fits_its_schema(install: Install, tmp_path: Path) -> None:
    """And names the plugin by its files."""
    install()
    document = certificate(tmp_path, "acme", *QUICK)

    Draft202012Validator(schemas()["certificate"]).validate(document)
    assert "partial" == document["result"]
    owner = find("acme").distribution
    assert owner is not None
    assert files_digest(owner) == document["plugin"]["files_sha256"]


def test_a_changed_file_changes_the_digest(install: Install) -> None:
    """A certificate is about these files and no others."""
    package = install()
    owner = find("acme").distribution
    assert owner is not None
    before = files_digest(owner)
    (package / "__init__.py").write_text(CONFORMANT + "\n# one more line\n", "utf-8")

    assert before != files_digest(owner)


def test_the_certificate_of_a_broken_plugin(install: Install, tmp_path: Path) -> None:
    """It says so, check by check, and fits its schema too."""
    install(BROKEN)
    document = certificate(tmp_path, "acme", "--only", "CAP-05", "--max-examples", "50")

    Draft202012Validator(schemas()["certificate"]).validate(document)
    assert "not-conformant" == document["result"]
    assert ["fail"] == [line["outcome"] for line in document["checks"]]
    assert "temperature" in document["checks"][0]["message"]


def test_a_run_is_reproducible(install: Install, tmp_path: Path) -> None:
    """The same seed gives the same outcomes, examples and evidence."""
    install(BROKEN)
    lines = [
        [{**line, "ms": 0} for line in certificate(tmp_path, "acme", "--only", "CAP", "--max-examples", "30")["checks"]]
        for _ in range(2)
    ]

    assert lines[0] == lines[1]


def test_json_on_standard_output(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """With `-` the certificate is all that stands there."""
    install()
    conform(["acme", *QUICK, "--json", "-"])

    assert "urn:byollm:conformance:1" == json.loads(capsys.readouterr().out)["schema"]


def test_expected_failures_of_the_plugin(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """The file beside the modules is read: what it expects does not fail the run, and is shown."""
    install(
        BROKEN,
        conformance__yaml='expected_failures:\n  - {id: CAP-05, reason: "ticket 1", expires: "2999-01-01"}\n',
    )
    code, out = conform(["acme", "--only", "CAP-05", "--max-examples", "50"]), capsys.readouterr().out

    assert 0 == code
    assert "(expected)" in out
    assert "acme is not conformant, and all that fails is expected" in out


def test_expected_failures_of_another_file(install: Install, tmp_path: Path) -> None:
    """`--expected` names it; an entry that passes fails the run."""
    install()
    path = tmp_path / "known.yaml"
    path.write_text('expected_failures:\n  - {id: CAP-02, reason: "once", expires: "2999-01-01"}\n', "utf-8")

    assert 1 == conform(["acme", *QUICK, "--expected", str(path)])


def test_a_layer(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """`--layer L0` runs packaging and hygiene only."""
    install()
    conform(["acme", "--layer", "L0", "--max-examples", "5"])
    out = capsys.readouterr().out

    assert "MET  packaging and hygiene" in out
    assert "CAP  " not in out


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` needs no plugin."""
    assert 0 == conform(["--list", "--only", "CAP"])
    assert "CAP-04  MUST     L1" in capsys.readouterr().out


def test_the_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    """`--explain` tells the sentence, how it is tested, when it is n/a, and where it stands."""
    assert 0 == conform(["--explain", "CAP-05"])
    out = capsys.readouterr().out

    assert "Every parameter that was set is on the wire" in out
    assert "n/a where wire is declared unsupported and CAP-04 shows it" in out
    assert "spec/capabilities.md#5" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "which plugin?"),
        (["nobody"], "no provider plugin 'nobody' is installed"),
        (["acme", "--only", "ABC-99"], "there is no check 'ABC-99'"),
        (["--explain", "ABC-99"], "there is no check 'ABC-99'"),
        (["acme", "--max-examples", "0"], "--max-examples is at least 1"),
        (["acme", "--layer", "L9"], "invalid choice"),
        (["acme", "--api", "telegraph", *QUICK], "acme has no api 'telegraph'"),
        (["acme", *QUICK, "--exchanges", "/nowhere"], "no such folder of recorded exchanges"),
        (["acme", *QUICK, "--expected", "/nowhere.yaml"], "nowhere.yaml"),
        (["acme", "--speed", "9"], "unrecognized arguments"),
        (["acme", *QUICK, "--json", "."], "cannot be written"),
        (["acme", *QUICK, "--json", "nowhere/acme.json"], "cannot be written"),
    ],
)
def test_wrong_usage(install: Install, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """Exit code 2 and one line that says what is wrong."""
    install()
    code = conform(arguments)
    told = capsys.readouterr()

    assert 2 == code, told
    assert words in told.err
    assert "" == told.out


def test_two_plugins_in_one_run(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has its report; the worst decides."""
    install()
    assert 0 == conform(["acme", "custom", *QUICK])

    assert 2 == capsys.readouterr().out.count("as promised in what was run")
