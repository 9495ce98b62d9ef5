"""The zoo, measured whole: every fault under every check. The run prints the end of the table, and its seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byollm_conformance.zoo import __main__ as zoo
from byollm_conformance.zoo.fault import FAULTS
from byollm_conformance.zoo.matrix import CROWD

BUILD = Path(__file__).resolve().parents[2] / "build"
SWITCHED_OFF = ("swaps_neighbours", "finishes_twice", "tools_in_secret")
"""Faults that one check alone finds, of a request, of an answer, of capabilities."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> dict[str, Any]:
    """The measured matrix, as `make zoo` writes it into build/zoo.json."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print()
        code = zoo.main(["--json", str(BUILD / "zoo.json"), "--brief"])
    document: dict[str, Any] = json.loads((BUILD / "zoo.json").read_text("utf-8"))
    return {**document, "code": code}


def test_every_fault_is_found_as_it_should_be(matrix: dict[str, Any]) -> None:
    """None survives, no MUST check is idle, and nothing is said against a plugin without a fault."""
    assert ([], [], []) == (matrix["survivors"], matrix["idle"], matrix["problems"])
    assert 0 == matrix["code"]


def test_there_are_enough_over_enough_killers(matrix: dict[str, Any]) -> None:
    """At least sixty faults, found by at least thirty checks that are named for them."""
    named = {fault["named"] for fault in matrix["faults"].values() if fault["named"] in fault["killers"]}

    assert matrix["faults"].keys() == FAULTS.keys()
    assert len(matrix["faults"]) >= 60
    assert len(named) >= 30


def test_a_crowd_shows_nothing_of_its_members(matrix: dict[str, Any]) -> None:
    """A fault that more than twelve checks find is counted for its named one only."""
    crowded = {name: fault for name, fault in matrix["faults"].items() if len(fault["killers"]) > CROWD}
    counted = {(id, name) for id, names in matrix["kills"].items() for name in names if name in crowded}

    assert {(fault["named"], name) for name, fault in crowded.items()} == counted


@pytest.mark.parametrize("name", SWITCHED_OFF)
def test_with_its_sole_killer_switched_off_a_fault_survives(name: str, tmp_path: Path) -> None:
    """Nothing else finds it, and the run fails by the fault's name."""
    killer = FAULTS[name].killer
    code = zoo.main([name, "--without", killer, "--json", str(tmp_path / "zoo.json"), "--brief"])
    document = json.loads((tmp_path / "zoo.json").read_text("utf-8"))

    assert 1 == code
    assert {} == document["faults"][name]["killers"]
    assert [f"{name} survives: {killer} does not find it"] == [
        line for line in document["problems"] if "finds no fault" not in line
    ]


def test_what_one_check_alone_finds_no_other_finds(matrix: dict[str, Any]) -> None:
    """For all of them, by the measured rows: without its killer each would survive."""
    alone = {name for name, fault in FAULTS.items() if fault.alone}

    assert alone <= {name for name, fault in matrix["faults"].items() if [fault["named"]] == list(fault["killers"])}
    assert len(alone) >= 30
