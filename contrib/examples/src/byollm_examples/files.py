"""The YAML files of the demo: written for the twins of one run, loaded as any file is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from byollm_sandbox import Twins


@dataclass(frozen=True, slots=True)
class Twin:
    """A deployment of the demo: provider and model as in a file of yours, and the dialect its twin speaks."""

    provider: str
    model: str
    dialect: str


TWINS: Final[Mapping[str, Twin]] = {
    "claude": Twin("anthropic", "claude-sonnet-5-5", "anthropic-messages"),
    "gpt": Twin("openai", "gpt-5.4", "openai-responses"),
    "own": Twin("custom", "your-fine-tuned-model", "custom"),
}
"""Deployment → twin; each listens on a port of its own."""

TASKS: Final[Mapping[str, str]] = {
    "rule_extraction": "{deployment: claude}",
    "pii_detection": "{deployment: gpt, failover: claude}",
    "document_classification": "{deployment: own}",
}
"""Task → what the file says about it."""

OUTAGE: Final = ("pii_detection", "gpt")
"""The task whose primary is taken down, and that primary."""
SWITCH: Final = ("document_classification", "{deployment: claude}")
"""The task that moves, and the line that moves it."""


def written(twin: Twins, tasks: Mapping[str, str] = TASKS) -> str:
    """A configuration for a running sandbox: no keys, only addresses of this machine."""
    lines = ["llm_config:", "  deployments:"]
    for name, one in TWINS.items():
        lines += [
            f"    {name}:",
            f"      provider: {one.provider}",
            f"      model: {one.model}",
            f"      endpoint: {twin.url(one.dialect, name)}",
            "      authentication: none",
        ]
    lines += [f"  {task}: {route}" for task, route in tasks.items()]
    return "\n".join(lines) + "\n"


def changed_lines(before: str, after: str) -> tuple[str, ...]:
    """The lines that differ, with their sign."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return tuple(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))
