"""The recommended configurations as `byollm init --preset` writes them, with their endpoints on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import yaml

from byollm.cli.main import main
from byollm_sandbox import Twins


class Stand(NamedTuple):
    """A deployment of a preset: its twin's dialect, the variable of its key, and the name of this machine it is under.

    The two names stand for what a residency set tells apart: a set lets in one of them.
    """

    dialect: str
    variable: str
    host: str = "localhost"

    def url(self, twin: Twins, name: str) -> str:
        """Where the twin of this deployment listens."""
        return twin.url(self.dialect, name).replace("127.0.0.1", self.host)


STANDS: Final[Mapping[str, Stand]] = {
    "gemini": Stand("gemini", "GEMINI_API_KEY"),
    "gpt": Stand("openai-responses", "OPENAI_API_KEY"),
    "claude": Stand("anthropic-messages", "ANTHROPIC_API_KEY"),
    "azure": Stand("azure-responses", "AZURE_OPENAI_API_KEY", "127.0.0.1"),
    "bedrock": Stand("bedrock-converse", "AWS_BEARER_TOKEN_BEDROCK", "127.0.0.1"),
    "house": Stand("custom", "CUSTOM_API_KEY"),
    "americas": Stand("openai-responses", "OPENAI_API_KEY"),
    "europe": Stand("azure-responses", "AZURE_OPENAI_API_KEY", "127.0.0.1"),
    "europe-2": Stand("azure-responses", "AZURE_OPENAI_API_KEY_2", "127.0.0.1"),
    "asia-pacific": Stand("gemini", "GEMINI_API_KEY"),
}
"""By the name that the preset gives the deployment."""


def key_of(name: str) -> str:
    """The key that only this deployment's twin takes."""
    return f"key-of-{name}-0123456789abcdef"


def environment(preset: Mapping[str, Any]) -> dict[str, str]:
    """The variables that a preset's keys are read from."""
    return {STANDS[name].variable: key_of(name) for name in preset["llm_config"]["deployments"]}


@cache
def written(preset: str) -> str:
    """What the command writes, without a question."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "llm.yaml"
        assert 0 == main(["init", "--yes", "--preset", preset, "--output", str(path)])
        return path.read_text()


def pointed(text: str, twin: Twins) -> dict[str, Any]:
    """The file with each endpoint at its own twin, and each residency set made of the hosts of its own regions."""
    preset: dict[str, Any] = yaml.safe_load(text)
    deployments = preset["llm_config"]["deployments"]
    for name, deployment in deployments.items():
        deployment["endpoint"] = STANDS[name].url(twin, name)
    for residency in preset["llm_config"].get("policies", {}).get("residency", {}).values():
        inside = [item["endpoint"] for item in deployments.values() if item.get("region") in residency["regions"]]
        residency["hosts"] = sorted({str(urlsplit(endpoint).hostname) for endpoint in inside})
    return preset
