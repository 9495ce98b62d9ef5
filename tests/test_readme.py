"""Every example of the README works as it is shown, in a fresh process against the sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import byollm
from byollm import testing
from byollm_sandbox import Twins, serve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEY = "sk-readme-0123456789abcdef"
DIALECTS = {"anthropic": "anthropic-messages", "openai": "openai-responses", "custom": "openai-chat"}


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def moved(text: str, twin: Twins) -> str:
    """The README's YAML with endpoints on this machine: the only thing a test may change."""
    config = yaml.safe_load(text)
    root = config["llm_config"]
    targets = [value for value in root.values() if isinstance(value, dict) and "provider" in value]
    for target in [*targets, *root.get("deployments", {}).values()]:
        target.update(endpoint=twin.url(DIALECTS[target["provider"]]), api_key=KEY)
    return yaml.safe_dump(config)


def run(folder: Path, yaml_text: str) -> str:
    """The README's program in a fresh process, in a folder with that file."""
    (folder / "llm.yaml").write_text(yaml_text)
    (folder / "program.py").write_text(blocks("python")[0])
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ},
    )
    assert "" == done.stderr
    return done.stdout


def test_it_is_short() -> None:
    """At most 150 lines, six of Python and twelve of YAML in the first example."""
    assert len(README.splitlines()) <= 150
    assert len([line for line in blocks("python")[0].splitlines() if line]) <= 6
    assert len(blocks("yaml")[0].splitlines()) <= 12


def test_the_first_example_prints_what_is_shown(tmp_path: Path) -> None:
    """The program and the file of the README, against twins."""
    with serve(key=KEY) as twin:
        printed = run(tmp_path, moved(blocks("yaml")[0], twin))

    assert blocks("text")[0] == printed


def test_the_one_changed_line_switches_the_provider(tmp_path: Path) -> None:
    """The same program, the line of the diff changed: another provider, the same answer."""
    before, after = (line[1:] for line in blocks("diff")[0].splitlines())
    assert before in blocks("yaml")[0]

    with serve(key=KEY) as twin:
        printed = run(tmp_path, moved(blocks("yaml")[0].replace(before, after), twin))

    shown = blocks("text")[0].splitlines()
    assert shown[:-1] == printed.splitlines()[:-1]
    assert printed.splitlines()[-1].startswith("openai stop ")


def test_the_file_loads_as_it_stands(tmp_path: Path) -> None:
    """No key and no network are needed to load it."""
    file = tmp_path / "llm.yaml"
    file.write_text(blocks("yaml")[0])

    assert {"rule_extraction", "pii_detection", "document_classification"} == set(byollm.Client(file).config.tasks)


def test_a_provider_in_fifteen_lines_is_one() -> None:
    """The block is at most 15 lines, and what it makes translates."""
    text = blocks("python")[1]
    scope: dict[str, Any] = {}
    exec(compile(text, "README.md", "exec"), scope)

    sent = testing.translate(scope["provider"], byollm.Request("hi", max_tokens=9, seed=7), model="acme-large")

    assert len(text.splitlines()) <= 15
    assert "https://api.acme.example/v1/chat/completions" == sent.url
    assert (9, 7) == (sent.body["max_completion_tokens"], sent.body["random_seed"])


WORDS = re.findall(r"^\| `(\w+)[^|]*\| `?(?:client\.)?(\w+)", README.partition("## Words")[2], re.MULTILINE)


@pytest.mark.parametrize("word", ["stream", "response_format", "api_base", "base_url", "drop_params", "fallbacks"])
def test_a_word_of_another_library_gets_the_right_one(word: str) -> None:
    """What the table says is what the error says."""
    right = {"stream": "client.stream", "response_format": "output_schema", "drop_params": "on_unsupported"}
    right |= {"api_base": "endpoint", "base_url": "endpoint", "fallbacks": "failover"}

    with pytest.raises(byollm.errors.UnknownParameterError, match=right[word]):
        testing.scripted("hi").complete("hi", **{word: True})

    assert word in dict(WORDS) or f"`{word}`" in README


def test_every_file_it_points_to_is_there() -> None:
    """No dead link."""
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [] == [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]


def test_every_command_it_names_exists() -> None:
    """Each `make` target and each `byollm` command."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"make ([a-z-]+)", README))

    assert [] == [target for target in targets if f"\n{target}:" not in makefile]
    for command in set(re.findall(r"`byollm ([a-z-]+)", README)):
        done = subprocess.run(
            [sys.executable, "-m", "byollm", command, "--help"], capture_output=True, timeout=60, check=False
        )
        assert 0 == done.returncode, command
