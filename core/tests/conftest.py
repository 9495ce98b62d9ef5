"""Makes the helpers of this folder importable by their bare names."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
