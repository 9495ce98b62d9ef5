"""The zoo: every fault is small and is found by its named check; a clean plugin is left in peace."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from byollm.wire.framing import DECODERS
from byollm_conformance import checks, elsewhere
from byollm_conformance.effort import Effort
from byollm_conformance.run import run
from byollm_conformance.zoo import __main__ as command
from byollm_conformance.zoo import specimens
from byollm_conformance.zoo.fault import FAULTS, Fault
from byollm_conformance.zoo.matrix import Matrix, Row, measured_checks, subject_for

assert specimens.MODULES
REGISTRY = checks.load()
SLOW = "LAW-07"  # starts processes: asked of one fault only
QUICK = [fault for fault in FAULTS.values() if fault.killer != SLOW]


def row(name: str, *killers: str, errors: tuple[str, ...] = ()) -> Row:
    return Row(name, dict.fromkeys(killers, "said why"), dict.fromkeys(errors, "failed"), [], 0.1)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_a_small_patch(fault: Fault) -> None:
    """At most fifteen lines, with a sentence that says what is wrong."""
    lines = inspect.getsource(fault.plugin).strip().splitlines()

    assert len(lines) <= 15
    assert fault.sentence.endswith(".")


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
def test_the_named_check_finds_the_fault(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that is there to find it says so, in words."""
    monkeypatch.setitem(DECODERS, "sse", DECODERS["sse"])  # some faults reach into the core
    check = REGISTRY[fault.killer]

    result = run(check, subject_for(fault.name), Effort(max_examples=12, shrink=False))

    assert ("fail" if check.keyword == "MUST" else "warn") == result.outcome
    assert result.message


def test_another_process_shows_what_this_one_cannot() -> None:
    """A plugin that writes in the order of a set is told by its hash seed."""
    result = run(REGISTRY[SLOW], subject_for("order_of_a_set"), Effort(max_examples=1))

    assert "fail" == result.outcome
    assert "PYTHONHASHSEED" in result.message


def test_nothing_is_said_against_a_plugin_without_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """No check of L1 finds anything in the two that the faults are made of."""
    entry = "byollm_conformance.zoo.reference:reference"
    monkeypatch.setitem(elsewhere.KNOWN, entry, {"here": ["1"], "elsewhere": ["1"]})
    subject = subject_for("reference")

    results = [run(check, subject, Effort(max_examples=10, shrink=False)) for check in measured_checks()]

    assert [] == [(result.id, result.message) for result in results if result.outcome not in ("pass", "n/a")]


def test_there_are_enough() -> None:
    """At least forty faults over thirty named checks; those that the issue names are among them."""
    assert len(FAULTS) >= 40
    assert len({fault.killer for fault in FAULTS.values()}) >= 30
    assert {"drops_temperature", "end_is_success", "tools_in_secret"} <= FAULTS.keys()


def test_every_promise_of_l1_has_a_fault_named_for_it() -> None:
    """A MUST check that finds nothing would be no check."""
    named = {fault.killer for fault in FAULTS.values()}

    assert [] == [check.id for check in measured_checks() if check.keyword == "MUST" and check.id not in named]


def test_a_fault_that_is_not_found_is_a_problem() -> None:
    """By its name and the check's."""
    matrix = Matrix([row("drops_temperature", "LAW-01")])

    assert ["drops_temperature"] == matrix.survivors
    assert ["drops_temperature survives: REQ-07a does not find it"] == matrix.problems


def test_with_its_only_killer_switched_off_a_fault_survives() -> None:
    """Another check that finds it too is a problem: the table would be wrong."""
    alone, shared = row("swaps_neighbours", "REQ-02"), row("drops_empty_turns", "REQ-04", "LAW-01")
    matrix = Matrix([alone, shared])

    assert [] == matrix.others(FAULTS["swaps_neighbours"])
    assert {"drops_empty_turns": ["LAW-01"]} == matrix.shared


def test_a_crowd_counts_for_the_named_check_only() -> None:
    """A plugin that answers nothing is found by all checks, and shows none of them to be good."""
    crowd = [check.id for check in measured_checks()][:20]
    matrix = Matrix([row("end_is_success", "STR-07", *[id for id in crowd if id != "STR-07"])], must=["STR-07", *crowd])

    assert {"STR-07": ["end_is_success"]} == matrix.kills
    assert [id for id in crowd if id != "STR-07"] == matrix.idle


def test_the_suites_own_mistakes_are_problems() -> None:
    """An error of a check is no kill; neither may the plugin without a fault be found at."""
    matrix = Matrix([row("reference", "REQ-01"), row("drops_temperature", "REQ-07a", errors=("STR-01",))])

    assert {"reference": ["REQ-01"], "drops_temperature": ["STR-01"]} == matrix.unclean


def test_the_command_measures_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few faults; exit code 0 when all are found, each in a process of its own."""
    path = tmp_path / "deep" / "zoo.json"
    before = DECODERS["sse"]

    code = command.main(["drops_temperature", "line_feeds_only", "--json", str(path), "--max-examples", "5"])

    document = json.loads(path.read_text("utf-8"))
    assert 0 == code
    assert "REQ-07a" in document["faults"]["drops_temperature"]["killers"]
    assert "2 faults, 2 found by the check named for them" in capsys.readouterr().out
    assert before is DECODERS["sse"]
