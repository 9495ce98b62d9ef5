"""Makes the helpers of this folder importable by their bare names, and leaves the recordings out where there are none.

Recordings are looked for where the clone has a sibling `shared`, or where BYOLLM_CORPUS says; a clone without either
runs everything else.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

_beside = any((folder / "shared").is_dir() for folder in HERE.parents)
collect_ignore = [] if _beside or os.environ.get("BYOLLM_CORPUS") else ["test_recordings.py"]
