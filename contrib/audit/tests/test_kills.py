"""A process is killed with -9 in the middle of what it does: nothing is lost that was acknowledged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CYCLES = {"audit": 40, "audit.db": 15}


@pytest.mark.parametrize("name", CYCLES)
def test_what_was_acknowledged_is_recorded_once(name, record_property):
    """At times drawn over the whole call: lost 0, doubled 0, the chain whole over all its segments."""
    program = Path(__file__).parent / "killing.py"
    words = [sys.executable, str(program), str(CYCLES[name]), "20261122", name]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(done.stdout)
    for figure in ("cycles", "longest_ms", "acknowledged", "records", "open", "repaired"):
        record_property(figure, found[figure])

    assert (0, 0, 0, []) == tuple(found[figure] for figure in ("lost", "doubled", "without_intent", "problems"))
    assert found["acknowledged"] > CYCLES[name] / 4
