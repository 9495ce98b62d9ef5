"""A plugin may do what it likes: it fails by name, and takes nothing down."""

from __future__ import annotations

import os

import pytest
from conformance_acme import CONFORMANT, Conform, Install, at_first_use, of

from byollm_conformance.runner import DEATHS

AFTERWARDS = "CAP-02"
"""A check that is run behind the one that goes wrong."""


def test_a_conformant_plugin(install: Install, conform: Conform) -> None:
    """A plugin without faults passes all of the checks that look at its distribution."""
    install()
    report = conform("MET-01", "MET-02", "MET-03", "MET-09", "MET-11", "MET-15", "MET-16", AFTERWARDS)

    assert {"pass"} == {result.outcome for result in report.results}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('not today')", "RuntimeError: not today"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("provider = 42", "cannot be asked"),
    ],
    ids=["raises", "misses a module", "is no Python", "exits", "leaves", "crashes", "is something else"],
)
def test_an_import_that_fails(install: Install, conform: Conform, code: str, words: str) -> None:
    """A plugin that cannot be imported fails MET-01 with the reason, and nothing else is called a pass."""
    install(code)
    report = conform("MET-01", AFTERWARDS)

    assert "fail" == of(report, "MET-01").outcome
    assert words in of(report, "MET-01").message
    assert "untestable" == of(report, AFTERWARDS).outcome


def test_an_import_that_hangs(install: Install, conform: Conform) -> None:
    """A plugin whose import never ends is stopped, and fails."""
    install("while True: pass")
    report = conform("MET-01", patience=4)

    assert "still at it after 4 s" in of(report, "MET-01").message


def test_an_import_that_takes_all_memory(install: Install, conform: Conform) -> None:
    """A plugin that allocates without end while it is imported meets its limit."""
    install("held = []\nwhile True: held.append(bytearray(16_000_000))")
    report = conform("MET-01")

    assert "MemoryError" in of(report, "MET-01").message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os; os._exit(7)", "exit code 7"),
        ("import sys; sys.exit(7)", "SystemExit 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", "SIGABRT"),
        ("while True: pass", "still at it"),
        ("held = []\nwhile True: held.append(bytearray(16_000_000))", "MemoryError"),
    ],
    ids=["leaves", "exits", "aborts", "hangs", "allocates"],
)
def test_a_call_that_goes_wrong(install: Install, conform: Conform, body: str, words: str) -> None:
    """A plugin that goes wrong when it is first used fails that check by name; the next check is run all the same."""
    install(at_first_use(body))
    report = conform("MET-12", AFTERWARDS, patience=5)

    assert "fail" == of(report, "MET-12").outcome
    assert words in of(report, "MET-12").message
    assert "pass" == of(report, AFTERWARDS).outcome


def test_a_plugin_that_prints(install: Install, conform: Conform) -> None:
    """What is printed during any check is told under MET-15, and never mixes with the report."""
    install(at_first_use("print('hello'); import os; os.write(1, b'raw')"))
    report = conform("MET-15", "MET-12")

    assert "fail" == of(report, "MET-15").outcome
    assert "hello" in str(of(report, "MET-15").evidence)
    assert "raw" in of(report, "MET-12").printed


def test_an_import_that_prints(install: Install, conform: Conform) -> None:
    """A plugin that greets while it is imported fails MET-15."""
    install("print('welcome to acme')\n" + CONFORMANT)

    assert "importing the plugin prints" == of(conform("MET-15"), "MET-15").message


def test_a_plugin_that_patches_the_core(install: Install, conform: Conform) -> None:
    """A function of the core that is replaced at the first call fails the check that saw it; the next starts anew."""
    body = "from byollm.providers import fit\nfit.nearest_effort = lambda asked, accepted: asked"
    install(at_first_use(body))
    report = conform("MET-12", AFTERWARDS)

    assert "byollm.providers.fit.nearest_effort" in of(report, "MET-12").message
    assert "pass" == of(report, AFTERWARDS).outcome


def test_an_import_that_patches_the_core(install: Install, conform: Conform) -> None:
    """A function of the core that is replaced by the import fails MET-02."""
    install("import byollm.engine.attempt as room\nroom.attempt = lambda *a: None\n" + CONFORMANT)

    assert "byollm.engine.attempt.attempt" in of(conform("MET-02"), "MET-02").message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError: pass",
            "socket.getaddrinfo",
        ),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", "subprocess.Popen"),
        ("open(__file__ + '.was-here', 'w').close()", "open"),
        ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()", "threads"),
        ("import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)", "signal handlers"),
        ("import random\nrandom.seed(1)", "random state"),
        ("import logging\nlogging.basicConfig()", "root logger"),
    ],
    ids=["network", "process", "file", "thread", "signal", "chance", "logging"],
)
def test_an_import_that_touches_something(install: Install, conform: Conform, code: str, words: str) -> None:
    """An import that does anything but import fails MET-02, and says what it did."""
    install(f"{code}\n{CONFORMANT}")
    result = of(conform("MET-02"), "MET-02")

    assert "fail" == result.outcome
    assert words in result.message


def test_an_import_that_reads_the_environment(install: Install, conform: Conform) -> None:
    """An import that looks for a key in the environment fails MET-03 and names the variable."""
    install(f"import os\nKEY = os.environ.get('ACME_API_KEY')\n{CONFORMANT}")

    assert "ACME_API_KEY" in of(conform("MET-03"), "MET-03").message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("open('/etc/hostname').close()", "open"),
        ("import time; time.sleep(0.001)", "time.sleep"),
        ("import os; os.getenv('ACME_REGION')", "ACME_REGION"),
        ("import subprocess; subprocess.Popen(['true']).wait()", "subprocess.Popen"),
    ],
    ids=["file", "sleep", "environment", "process"],
)
def test_a_hook_that_does_more(install: Install, conform: Conform, body: str, words: str) -> None:
    """A hook that does anything but translate fails MET-10, and says what it did."""
    install(at_first_use(body))

    assert words in of(conform("MET-10"), "MET-10").message


def test_a_plugin_that_calls_home(install: Install, conform: Conform) -> None:
    """A connection to anywhere is refused, and fails the check during which it was tried."""
    body = "import socket\ntry: socket.create_connection(('192.0.2.1', 443), 1)\nexcept OSError: pass"
    install(at_first_use(body))

    assert "192.0.2.1" in of(conform("MET-12"), "MET-12").message


def test_too_many_deaths(install: Install, conform: Conform) -> None:
    """A plugin that ends one process after another is given up, and every check still has a result."""
    install(at_first_use("import os; os._exit(1)"))
    ids = ("MET-12", "MET-13", "MET-14", "MET-15", "MET-16", "SEC-01", "SEC-02", "SEC-07", "CAP-01", "CAP-08")
    report = conform(*ids)

    assert sorted(ids) == sorted(result.id for result in report.results)
    assert DEATHS == sum("exit code 1" in result.message for result in report.results)
    assert {"fail", "untestable"} == {result.outcome for result in report.results}


def test_nothing_is_left_behind(install: Install, conform: Conform) -> None:
    """After a run with a child that hung, no descriptor of ours is open that was not before."""
    install(at_first_use("while True: pass"))
    before = len(os.listdir("/proc/self/fd"))
    conform("MET-12", patience=3)

    assert before == len(os.listdir("/proc/self/fd"))
