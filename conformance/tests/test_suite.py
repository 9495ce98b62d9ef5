"""The suite as tests: three lines in a plugin's repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conformance_acme import CONFORMANT, Install, at_first_use

THREE_LINES = 'from byollm_conformance.suite import *\n\nplugins = ["acme"]\n'


def run(folder: Path, text: str, *arguments: str) -> tuple[int, str]:
    """pytest on one file in a folder of its own."""
    (folder / "test_conformance.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", f"--rootdir={folder}"]
    done = subprocess.run(
        [*command, *arguments, str(folder / "test_conformance.py")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_three_lines(install: Install, tmp_path: Path) -> None:
    """Each check is a test by name; what is not applicable is listed with its reason, and nothing is skipped."""
    install()
    code, out = run(tmp_path, THREE_LINES, "-k", "MET or REC", "-v")

    assert 0 == code, out
    assert "test_promise[acme-MET-01] PASSED" in out
    assert "n/a   no recorded exchanges were given" in out
    assert "skipped" not in out


def test_only_what_is_asked_for_is_run(install: Install, tmp_path: Path) -> None:
    """`-k` narrows the run itself."""
    install()
    _, out = run(tmp_path, THREE_LINES, "-k", "MET-01")

    assert re.search(r"conformance: acme: 1 pass in \d", out)


def test_a_broken_plugin(install: Install, tmp_path: Path) -> None:
    """The failing test shows the sentence, the evidence and how to run it again."""
    install(at_first_use("request = request.with_(temperature=None)"))
    code, out = run(tmp_path, THREE_LINES + "max_examples = 60\n", "-k", "CAP-05 or CAP-02")

    assert 1 == code
    assert "1 failed, 1 passed" in out
    assert "temperature was set, is not on the wire, and the caller is not told" in out
    assert "byollm conform acme --only CAP-05 --api chat" in out


def test_a_plugin_that_takes_the_process_down(install: Install, tmp_path: Path) -> None:
    """It fails its tests, and pytest goes on."""
    install("import os; os._exit(9)")
    code, out = run(tmp_path, THREE_LINES, "-k", "MET-01 or CAP-02")

    assert 1 == code
    assert "2 failed" in out
    assert "exit code 9" in out


def test_several_plugins(install: Install, tmp_path: Path) -> None:
    """In one run, each under its own name."""
    install()
    code, out = run(tmp_path, THREE_LINES.replace('"acme"', '"acme", "custom"'), "-k", "CAP-02", "-v")

    assert 0 == code, out
    assert "test_promise[acme-CAP-02] PASSED" in out
    assert "test_promise[custom-CAP-02] PASSED" in out


def test_expected_failures(install: Install, tmp_path: Path) -> None:
    """What is expected does not fail; an entry that passes does."""
    stale = 'expected_failures:\n  - {id: CAP-02, reason: "once", expires: "2999-01-01"}\n'
    install(CONFORMANT, conformance__yaml=stale)
    code, out = run(tmp_path, THREE_LINES, "-k", "CAP-02 or expectations")

    assert 1 == code
    assert "CAP-02 is expected to fail and does not" in out


def test_a_module_that_names_nobody(tmp_path: Path) -> None:
    """The error says what to write."""
    code, out = run(tmp_path, "from byollm_conformance.suite import *\n")

    assert 0 != code
    assert 'name your plugin: plugins = ["acme"]' in out


@pytest.mark.parametrize("name", ["provider", "test_promise", "test_expectations", "pytest_generate_tests"])
def test_what_a_star_brings(name: str) -> None:
    """The star import brings these names and no others."""
    from byollm_conformance import suite

    assert name in suite.__all__
    assert 4 == len(suite.__all__)
