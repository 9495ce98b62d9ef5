"""Built wheels: `byollm[all]` in a fresh environment, and each plugin alone with nothing but what it declares."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
CONTRIB = [folder for folder in sorted((ROOT / "contrib").iterdir()) if folder.name not in ("examples", "sandbox")]
MEMBERS = [ROOT / "core", *CONTRIB, *sorted((ROOT / "plugins").iterdir())]
ASK = """
import sys
from byollm import testing
from byollm.providers.discovery import listed, load_provider
for item in listed():
    manifest = load_provider(item.name).manifest
    endpoint = {"azure": "https://acme.openai.azure.com"}.get(manifest.name, "https://llm.example.com")
    endpoint = manifest.default_endpoint or endpoint
    options = {"project": "p", "region": "us-central1"} if manifest.name == "vertex" else {}
    made = testing.translate(item.name, "hi", model="m", endpoint=endpoint, **options)
    assert b"hi" in str(made.body).encode(), item.name
print(*[item.name for item in listed()])
print(*sorted({name.partition(".")[0] for name in sys.modules if name.startswith("byollm_")}))
"""


class Wheels(NamedTuple):
    """Every distribution of ours, built, by its name; and a Python that has the third-party packages only."""

    files: dict[str, Path]
    python: Path

    def closure(self, name: str) -> set[str]:
        """A distribution of ours and all of ours that it requires."""
        found = {name}
        for requirement in requirements(self.files[name]):
            if requirement.name in self.files and not requirement.marker:
                found |= self.closure(requirement.name)
        return found


def requirements(wheel: Path) -> list[Requirement]:
    """What a wheel says that it needs."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        message = email.message_from_bytes(archive.read(metadata))
    return [Requirement(line) for line in message.get_all("Requires-Dist", [])]


def run(*words: str | Path, **settings: object) -> str:
    """What a command prints; it must succeed."""
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=600, check=False, **settings)  # type: ignore[call-overload]  # cwd and env
    assert 0 == made.returncode, made.stdout + made.stderr
    return str(made.stdout)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Built by the back end that this environment has, as `pip wheel` does it."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip"]
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, *MEMBERS)
    files = {path.name.split("-")[0].replace("_", "-"): path for path in folder.glob("*.whl")}
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", venv)
    python = venv / "bin" / "python"
    needed = {
        str(it) for wheel in files.values() for it in requirements(wheel) if it.name not in files and not it.marker
    }
    run(python, "-m", "pip", "install", "--quiet", *sorted(needed))
    return Wheels(files, python)


def test_everything_together(wheels: Wheels) -> None:
    """`byollm[all]` finds every plugin among the wheels, each loads and translates, and no two quarrel."""
    pip = [wheels.python, "-m", "pip"]
    core = wheels.files["byollm"]
    run(*pip, "install", "--quiet", "--no-index", "--find-links", core.parent, f"{core}[all]")
    named = {it.name for it in requirements(core) if it.marker and it.marker.evaluate({"extra": "all"})}
    plugins = {f"byollm-{member.name}" for member in MEMBERS if member.parent.name == "plugins"}

    try:
        providers, modules = run(wheels.python, "-c", ASK, cwd=core.parent).splitlines()
        run(*pip, "check")
    finally:
        run(*pip, "uninstall", "--quiet", "--yes", *wheels.files)

    assert plugins | {f"byollm-{member.name}" for member in CONTRIB if member.name != "prices"} <= named
    assert {name.replace("-", "_") for name in plugins} <= set(modules.split())
    assert len(providers.split()) >= len(plugins)


@pytest.mark.parametrize("name", [member.name for member in MEMBERS if member.parent.name == "plugins"])
def test_each_plugin_alone(name: str, wheels: Wheels, tmp_path: Path) -> None:
    """With core and what it declares, and nothing else of ours, it loads and translates."""
    closure = wheels.closure(f"byollm-{name}")
    for distribution in closure:
        with zipfile.ZipFile(wheels.files[distribution]) as archive:
            archive.extractall(tmp_path)

    providers, modules = run(wheels.python, "-c", ASK, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}).splitlines()

    assert providers.split()
    assert f"byollm_{name.replace('-', '_')}" in modules.split()
    assert set(modules.split()) <= {distribution.replace("-", "_") for distribution in closure}
