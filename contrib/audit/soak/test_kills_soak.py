"""The same as `tests/test_kills.py`, a thousand times."""

import json
import os
import subprocess
import sys
from pathlib import Path

CYCLES = max(50, round(1000 * float(os.environ.get("BYOLLM_SCALE", "0.05"))))


def test_what_was_acknowledged_is_recorded_once_after_a_thousand_kills(record_property):
    """Lost 0, doubled 0, chain intact."""
    program = Path(__file__).parents[1] / "tests" / "killing.py"
    words = [sys.executable, str(program), str(CYCLES), "20261123", "audit"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1800, check=True)
    found = json.loads(done.stdout)
    for name, value in found.items():
        record_property(name, value)

    assert (0, 0, 0, []) == tuple(found[name] for name in ("lost", "doubled", "without_intent", "problems"))
    assert found["acknowledged"] > CYCLES / 4
