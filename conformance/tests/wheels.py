"""Wheels that nobody should install, and one that is fine."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

INFO = "byollm_acme-1.0.dist-info"
PLUGIN = """
from byollm_openai_compatible import OpenAICompatible

provider = OpenAICompatible(name="acme", base_url="https://llm.acme.example/v1")
"""
NOISE = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(40_000))
"""Two and a half megabytes of one line that hardly compress."""
GOOD: Mapping[str, str | bytes] = {
    "byollm_acme/__init__.py": PLUGIN,
    f"{INFO}/METADATA": "Metadata-Version: 2.4\nName: byollm-acme\nVersion: 1.0\nLicense-Expression: MIT\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": "[byollm.providers]\nacme = byollm_acme:provider\n",
}


def wheel(folder: Path, more: Mapping[str, str | bytes | None] | None = None, *, record: str | None = None) -> Path:
    """A wheel of the good files, with `more` beside or instead of them; None takes one out. RECORD is made."""
    files = {name: data for name, data in {**GOOD, **(more or {})}.items() if data is not None}
    path = folder / "byollm_acme-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        archive.writestr(f"{INFO}/RECORD", record_of(files) if record is None else record)
    return path


def record_of(files: Mapping[str, str | bytes]) -> str:
    """RECORD as an installer wants it."""
    lines = [f"{name},sha256={_digest(data)}," for name, data in files.items()]
    return "\n".join([*lines, f"{INFO}/RECORD,,", ""])


def _digest(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
