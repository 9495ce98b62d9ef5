"""Every promise of L0 finds a fault of its own, in a distribution as an installer leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conformance_acme import CONFORMANT, Conform, Install, at_first_use, of

from byollm.errors import PluginError
from byollm.providers.discovery import load_provider
from byollm_conformance import checks
from byollm_conformance.command import conform as command

MANIFEST = "from dataclasses import replace\nprovider.manifest = replace(provider.manifest, {})\n"
OPTIONS = (
    CONFORMANT
    + "from pydantic import BaseModel, ConfigDict\n"
    + "class Options(BaseModel):\n    model_config = ConfigDict(extra={extra!r})\n    {field}: str = ''\n"
    + MANIFEST.format("options=Options")
)
QUIRK = """
[[quirks]]
id = "acme-01"
provider = "acme"
api = "chat"
models = ["a-model"]
wire = "seed is called zz_seed"
request = {}
has = {zz_seed = 1}
"""
FAULTS: Mapping[str, dict[str, Any]] = {
    "MET-01": {"code": CONFORMANT.replace('name="acme"', 'name="other"')},
    "MET-02": {"code": f"open(__file__ + '.was-here', 'w').close()\n{CONFORMANT}"},
    "MET-03": {"code": f"import os\nKEY = os.environ.get('ACME_API_KEY')\n{CONFORMANT}"},
    "MET-04": {"code": f"import cohere\n{CONFORMANT}"},
    "MET-05": {"code": CONFORMANT + MANIFEST.format("spec=7")},
    "MET-07": {"code": OPTIONS.format(extra="forbid", field="top_kk")},
    "MET-08": {"code": OPTIONS.format(extra="forbid", field="access_token")},
    "MET-09": {"code": CONFORMANT, "without": "py.typed"},
    "MET-10": {"code": at_first_use("open('/etc/hostname').close()")},
    "MET-11": {"code": CONFORMANT, "metadata": "Metadata-Version: 2.3\nName: byollm-acme\nVersion: 1.4.0\n"},
    "MET-15": {"code": at_first_use("print('hello')")},
    "MET-16": {
        "code": at_first_use("from byollm.providers import fit\nfit.nearest_effort = lambda asked, known: asked")
    },
    "SEC-06": {"code": f"import pickle\n{CONFORMANT}"},
    "QRK-01": {"code": CONFORMANT, "quirks__toml": QUIRK},
}
"""Check → what is installed: the package's code and files, or what its distribution goes without.

MET-07: its option with a letter lost is a parameter of the call, and the option is not named.
"""


def test_a_file_that_is_no_python_is_the_plugins_fault(install: Install, conform: Conform) -> None:
    """Nobody can look into it: that is said of the file, and is no mistake of the suite."""
    install(CONFORMANT, old__py="print 'of another age'")

    found = of(conform("SEC-06"), "SEC-06")

    assert ("fail", True) == (found.outcome, "old.py is no Python" in found.message)


def installed(install: Install, *, without: str = "", metadata: str = "", **made: Any) -> None:
    """Install a fault."""
    package = install(**made)
    information = next(package.parent.glob("*.dist-info"))
    if without:
        (package / without).unlink()
        record = information / "RECORD"
        record.write_text(record.read_text("utf-8").replace(f"byollm_acme/{without},,\n", ""), "utf-8")
    if metadata:
        (information / "METADATA").write_text(metadata, "utf-8")


def test_every_promise_of_l0_has_a_fault() -> None:
    """A check that finds nothing would be no check."""
    promised = {id for id, check in checks.load().items() if check.layer == "L0"}

    assert promised == FAULTS.keys()


@pytest.mark.parametrize("id", FAULTS)
def test_the_named_check_finds_the_fault(install: Install, conform: Conform, id: str) -> None:
    """By name and with words; a SHOULD warns."""
    installed(install, **FAULTS[id])
    result = of(conform(id), id)

    assert ("fail" if checks.load()[id].keyword == "MUST" else "warn") == result.outcome, result
    assert result.message


@pytest.mark.parametrize("id", FAULTS)
def test_without_a_fault_nothing_is_said(install: Install, conform: Conform, id: str) -> None:
    """The plugin that the faults are made of is left in peace."""
    install()

    assert ("pass", "") == (of(conform(id), id).outcome, of(conform(id), id).message)


REFUSED = {
    "raises": ("MET-01", "raise RuntimeError('not today')", "not today"),
    "has no manifest": ("MET-01", "provider = object()", "cannot be asked"),
    "has another name": ("MET-01", FAULTS["MET-01"]["code"], "'other'"),
    "is of another spec": ("MET-05", FAULTS["MET-05"]["code"], "speaks spec 7"),
}


@pytest.mark.parametrize(("id", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_what_the_core_refuses_to_load_fails_by_name(
    install: Install, capsys: pytest.CaptureFixture[str], id: str, code: str, words: str
) -> None:
    """On the check that is about it, with the reason, exit code 1."""
    install(code)
    with pytest.raises(PluginError):
        load_provider("acme")

    assert 1 == command(["acme", "--only", id])
    out = capsys.readouterr().out
    assert f"fail  {id}" in out
    assert words in out


def test_a_name_that_is_claimed_twice_fails_met_01(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is imported; both claimants are named."""
    install("raise SystemExit('imported')")
    other = tmp_path / "site" / "byollm_rival-0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.3\nName: byollm-rival\nVersion: 0.1\n", "utf-8")
    (other / "entry_points.txt").write_text("[byollm.providers]\nacme = byollm_rival:provider\n", "utf-8")

    assert 1 == command(["acme"])
    out = capsys.readouterr().out
    assert "'acme' is claimed by byollm-acme and byollm-rival" in out
    assert "fail  MET-01" in out
    assert "imported" not in out


def test_a_target_that_lacks_a_key_is_told_once(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by every check; what to do about it is said."""
    body = "raise byollm.plugin.ConfigError('acme needs `workspace:`', hint='workspace: w1')"
    install(at_first_use(body))

    assert 1 == command(["acme", "--layer", "L1", "--max-examples", "3"])
    out = capsys.readouterr().out
    assert 1 == out.count("acme needs `workspace:` (`options` in conformance.yaml may say more)")
    assert "hint: workspace: w1" in out
