"""The runner of the lanes: what makes a lane fail, and what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.environment import ROOT

GREEN = "def test_a(): pass\ndef test_b(record_property): record_property('n', 7)\n"
MARK = "import pytest\n@pytest.mark."


def lane(
    root: Path, tests: str, *, minimum: int = 1, settings: str = "", suites: bool = True, more: str = ""
) -> tuple[int, str]:
    """Run a lane of one suite, made of one test file, and return its exit code and output."""
    made(root, tests, minimum=minimum, settings=settings, suites=suites, more=more)
    return start(root)


def made(root: Path, tests: str, *, minimum: int = 1, settings: str = "", suites: bool = True, more: str = "") -> None:
    """Write a lane of one suite, made of one test file."""
    (root / "tests" / "one").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\nxfail_strict = true\n")
    (root / "tests" / "one" / "test_one.py").write_text(tests)
    suite = f'[[suites]]\nname="one"\nlane="test"\npaths=["tests/one"]\nminimum={minimum}\n{more}'
    (root / "tests" / "lanes.toml").write_text(f"[lanes.test]\n{settings}\n{suite if suites else ''}")


def start(root: Path) -> tuple[int, str]:
    """Run the lane `test` under a root that is already there."""
    words, around = command(root), surroundings()
    done = subprocess.run(words, cwd=ROOT, env=around, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def command(root: Path) -> list[str]:
    """The words that run the lane `test` under a root."""
    return [sys.executable, "-m", "tools.lanes", "test", "--root", str(root)]


def surroundings() -> dict[str, str]:
    """Our environment without recordings and foreign plugins of pytest."""
    kept = {name: value for name, value in os.environ.items() if name != "BYOLLM_CORPUS"}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def test_green_lane_ends_with_its_numbers(tmp_path: Path):
    """A green lane exits 0 and its last line counts."""
    code, output = lane(tmp_path, GREEN, minimum=2)

    assert (0, "2 passed, 0 failed") == (code, output.splitlines()[-1])


def test_table_has_a_row_for_each_suite_and_a_total(tmp_path: Path):
    """The table counts collected, passed, skipped, failed, by suite and in all."""
    _, output = lane(tmp_path, GREEN)
    rows = [line.split()[:6] for line in output.splitlines() if line.startswith("test ")]

    assert [["test", "one", "2", "2", "0", "0"], ["test", "total", "2", "2", "0", "0"]] == rows


def test_numbers_of_a_lane_are_kept(tmp_path: Path):
    """What a test records as a property stands in the lane's JSON."""
    lane(tmp_path, GREEN)
    kept = json.loads((tmp_path / "build" / "lanes" / "test.json").read_text())

    assert {"tests.one.test_one.test_b": {"n": "7"}} == kept["suites"][0]["figures"]


@pytest.mark.parametrize(
    "tests, reason",
    [
        ("def test_a(): assert False, 'the words of the failure'\n", "the words of the failure"),
        (GREEN + MARK + "skip(reason='later')\ndef test_c(): pass\n", "one: 1 skipped or expected to fail"),
        (GREEN + MARK + "xfail()\ndef test_c(): assert False\n", "one: 1 skipped or expected to fail"),
        (GREEN + MARK + "xfail()\ndef test_c(): pass\n", "XPASS(strict)"),
        ("import pytest\npytest.skip('all', allow_module_level=True)\n", "one: 1 skipped or expected to fail"),
        ("", "one: collected nothing"),
        ("import a_module_that_is_not_there\n", "a_module_that_is_not_there"),
        ("import os\ndef test_a(): os._exit(3)\n", "one: pytest ended with exit code 3"),
    ],
)
def test_lane_fails_and_says_why(tmp_path: Path, tests: str, reason: str):
    """A failure, a skip, an expected failure, an empty suite or a dead one fails the lane by name."""
    code, output = lane(tmp_path, tests)

    assert 1 == code
    assert reason in output
    assert not output.splitlines()[-1].endswith(" 0 failed")


def test_lane_fails_below_its_minimum(tmp_path: Path):
    """Tests that vanish are noticed."""
    code, output = lane(tmp_path, GREEN, minimum=3)

    assert 1 == code
    assert "one: collected 2 tests, fewer than the 3 it must have" in output
    assert "2 passed, 1 failed" == output.splitlines()[-1]


def test_lane_fails_on_a_path_that_is_not_there(tmp_path: Path):
    """A suite that moved away is noticed."""
    lane(tmp_path, GREEN)
    (tmp_path / "tests" / "one").rename(tmp_path / "tests" / "two")
    code, output = start(tmp_path)

    assert 1 == code
    assert "one: no such path: tests/one" in output


def test_lane_stops_when_its_time_is_up(tmp_path: Path):
    """A test that hangs is ended, with its process, and fails the lane."""
    code, output = lane(tmp_path, "import time\ndef test_a(): time.sleep(600)\n", settings="limit = 1")

    assert 1 == code
    assert "one: stopped: the lane's time was up" in output


def test_an_interrupted_lane_takes_its_suites_with_it(tmp_path: Path):
    """Ctrl-C ends with one line and no traceback, and no test goes on without its lane."""
    own = f"import os, time\ndef test_a():\n    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    made(tmp_path, own + "    time.sleep(600)\n")
    running = subprocess.Popen(command(tmp_path), cwd=ROOT, env=surroundings(), stderr=subprocess.PIPE, text=True)
    pid = tmp_path / "pid"
    while running.poll() is None and not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)

    assert (130, ["", "lanes: interrupted; the suites that still ran are ended"]) == (
        running.returncode,
        told.splitlines(),
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_pending_lane_says_so(tmp_path: Path):
    """A lane without suites yet names the issue that brings them, and does not pretend to have run."""
    code, output = lane(tmp_path, GREEN, settings='pending = "issue 9"', suites=False)

    assert 0 == code
    assert "lane test: not run. It comes alive with issue 9" in output
    assert "0 passed, 0 failed" == output.splitlines()[-1]


@pytest.mark.parametrize("settings, suites", [("", False), ('pending = "issue 9"', True)])
def test_lane_cannot_be_empty_or_half_alive(tmp_path: Path, settings: str, suites: bool):
    """A lane has suites or is pending; neither, or both, is refused."""
    code, output = lane(tmp_path, GREEN, settings=settings, suites=suites)

    assert 2 == code
    assert "must have suites or be pending" in output


def test_keys_of_the_user_stay_out_of_offline_lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No test of an offline lane meets a key or a proxy of the person who runs it."""
    monkeypatch.setenv("ACME_API_KEY", "a-key")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    seen = "import os\ndef test_a(): assert not {'ACME_API_KEY', 'HTTPS_PROXY'} & set(os.environ)\n"

    assert 0 == lane(tmp_path, seen)[0]


@pytest.mark.parametrize("beside, line", [(True, "2 passed, 0 failed"), (False, "0 passed, 0 failed")])
def test_recordings_are_demanded_only_beside_the_clone(tmp_path: Path, beside: bool, line: str):
    """Suites on recordings run where the clone has a sibling `shared`, and are named as not run elsewhere."""
    root = tmp_path / "clone"
    if beside:
        (tmp_path / "shared").mkdir()
    _, output = lane(root, GREEN, more="recordings = true\n")

    assert line == output.splitlines()[-1]
    assert beside != ("not run: one; no recordings beside this clone" in output)
