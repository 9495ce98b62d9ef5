"""Repositories made by `byollm new-plugin`, put where Python finds them, as an installer would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from byollm_conformance.authors.new_plugin import Plan, rendered

BASE_URL = "https://llm.acme.example/v1"
PLANS = {
    "openai-compatible": Plan("acme", "openai-compatible", BASE_URL, "MIT"),
    "wire": Plan("acme", "wire", BASE_URL, "MIT"),
    "local": Plan("acme", "local", "", "MIT"),
}
Plant = Callable[..., Path]


def plant(site: Path, kind: str, **broken: tuple[str, str]) -> Path:
    """Install the repository of a kind into a folder. `broken`: module → (what stands there, what is put instead)."""
    files = rendered(PLANS[kind])
    texts = {path.removeprefix("src/"): text for path, text in files.items() if path.startswith("src/")}
    for module, (before, after) in broken.items():
        path = f"byollm_acme/{module}.py"
        assert before in texts[path]
        texts[path] = texts[path].replace(before, after)
    info = "byollm_acme-0.1.0.dist-info"
    texts[f"{info}/METADATA"] = "Metadata-Version: 2.4\nName: byollm-acme\nVersion: 0.1.0\nLicense-Expression: MIT\n"
    points = {"byollm.providers": "byollm_acme:provider"}
    if kind == "wire":
        points["byollm.dialects"] = "byollm_acme.dialect:AcmeWire"
    texts[f"{info}/entry_points.txt"] = "".join(f"[{group}]\nacme = {value}\n" for group, value in points.items())
    texts[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*texts, f"{info}/RECORD"])
    for path, text in texts.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, "utf-8")
    return site
