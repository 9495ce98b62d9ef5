"""Every code block of the guides is run, in order, in one folder a guide, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
GUIDES = [*sorted((ROOT / "spec" / "guides").glob("*.md")), ROOT / "spec" / "rollout.md"]
_BLOCK = re.compile(r"^```(.*?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, the file it is taken from if it names one, its text."""

    language: str
    file: str
    text: str


def blocks(guide: Path) -> list[Block]:
    """All blocks of a guide."""
    found = _BLOCK.findall(guide.read_text("utf-8"))
    return [Block(info.partition(" ")[0], info.partition(" ")[2], text) for info, text in found]


class Reader:
    """Somebody who does what a guide says, in an empty folder. pip installs into it, without an index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = ""
        own = {"PIP_TARGET": "site", "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0",
               "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": str(folder / "site")}  # fmt: skip
        programs = Path(sys.executable).parent
        self.environment = {**os.environ, **own, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str) -> str:
        """What a command prints; it must succeed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert 0 == done.returncode, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def do(self, block: Block) -> None:
        """Do what a block says. Raises AssertionError when it does not hold, and for a language nobody runs."""
        if block.file:
            (source,) = self.folder.glob(f"byollm-acme/src/byollm_acme/{block.file}")
            assert block.text in source.read_text("utf-8")
        elif block.language == "sh":
            self.run("sh", "-e", "-c", block.text)
        elif block.language == "python":
            self.program += block.text
            (self.folder / "guide.py").write_text(self.program, "utf-8")
            self.run(sys.executable, "-W", "error", "guide.py")
        elif block.language == "yaml":
            (self.folder / "llm.yaml").write_text(block.text, "utf-8")
            self.run(sys.executable, "-m", "byollm", "check", "--strict", "llm.yaml")
        else:
            assert "toml" == block.language, f"nobody runs {block.language!r}"
            project = tomllib.loads((self.folder / "byollm-acme" / "pyproject.toml").read_text("utf-8"))
            assert _within(tomllib.loads(block.text), project)


def _within(part: object, whole: object) -> bool:
    if not isinstance(part, dict) or not isinstance(whole, dict):
        return part == whole
    return all(name in whole and _within(value, whole[name]) for name, value in part.items())


def test_the_five_guides_are_there() -> None:
    """One a question."""
    names = ["a-foreign-wire-in-150", "a-vendor-in-15-lines", "do-i-need-a-plugin", "not-http", "trust"]

    assert set(names) <= {guide.stem for guide in GUIDES}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_block_of_a_guide_runs(guide: Path, tmp_path: Path) -> None:
    """Commands, programs, configurations; an excerpt stands in the file it is taken from."""
    found = blocks(guide)
    reader = Reader(tmp_path)
    for block in found:
        reader.do(block)

    assert found
    assert guide.read_text("utf-8").count("```") == 2 * len(found)


def test_four_of_five_questions_end_in_yaml() -> None:
    """As the guide says; and a vendor has 15 lines."""
    (question,) = [guide for guide in GUIDES if guide.stem == "do-i-need-a-plugin"]
    (vendor,) = [guide for guide in GUIDES if guide.stem == "a-vendor-in-15-lines"]
    first = next(block for block in blocks(vendor) if block.language == "python")

    assert 5 == len(re.findall(r"^## \d\.", question.read_text("utf-8"), re.MULTILINE))
    assert ["yaml"] * 4 == [block.language for block in blocks(question)]
    assert 15 >= len([line for line in first.text.splitlines() if line.strip()])


def test_links_lead_somewhere() -> None:
    """Between the guides."""
    for guide in GUIDES:
        for link in re.findall(r"\]\(([^)#]+)\)", guide.read_text("utf-8")):
            assert (guide.parent / link).is_file(), f"{guide.name}: {link}"
