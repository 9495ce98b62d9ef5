"""The files that `byollm init` writes: the guide's three shapes, each with references to keys and no key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

SHAPES: Final[Mapping[str, str]] = {
    "single": "one model for everything",
    "tasks": "a model for each task",
    "on-premise": "a model of your own, behind an OpenAI-compatible endpoint",
}
"""The shapes of the guide, in its order."""

TASKS: Final = ("rule_extraction", "pii_detection", "document_classification")
"""The guide's tasks."""

STARTERS: Final[Mapping[str, str]] = {
    "openai": "gpt-5.4",
    "anthropic": "claude-sonnet-5-5",
    "google": "gemini-3.8-flash",
}
"""A current model to begin with, by provider (vendors' lists read 2026-11-21). For every other the user is asked."""

LOCAL: Final = frozenset({"local", "llamacpp", "lmstudio", "ollama", "tgi", "vllm"})
"""Servers of one's own that usually want no key."""


class Answers(NamedTuple):
    """What the file is made of. `tasks`: name → (provider, model). `endpoint` belongs to `provider`.

    `variables`: provider → the environment variable of its key; empty for one that wants no key.
    """

    shape: str
    provider: str
    model: str
    endpoint: str = ""
    tasks: Mapping[str, tuple[str, str]] = {}
    variables: Mapping[str, str] = {}


def variable_of(provider: str) -> str:
    """The environment variable that usually holds a provider's key, when its plugin does not say."""
    return re.sub("[^A-Z0-9]", "_", provider.upper()) + "_API_KEY"


def quoted(text: str) -> str:
    """A YAML text that no reader takes for anything else."""
    import json

    return json.dumps(text, ensure_ascii=False)


def written(answers: Answers) -> str:
    """The file."""
    writer = {"single": _single, "tasks": _tasks, "on-premise": _on_premise}[answers.shape]
    return "\n".join([*_HEAD, *writer(answers), ""])


_HEAD: Final = (
    "# byollm: which model answers. Programs name tasks; this file names providers.",
    "# Keys are references, read when they are first needed: put none of them here.",
    "#   byollm check    is everything in here right, and which hosts can it reach?",
    "#   byollm doctor   is everything between here and there right?",
)


def _target(provider: str, model: str, answers: Answers) -> list[str]:
    lines = [f"provider: {quoted(provider)}", f"model: {quoted(model)}"]
    lines += [f"endpoint: {quoted(answers.endpoint)}"] if answers.endpoint and provider == answers.provider else []
    variable = answers.variables.get(provider, variable_of(provider))
    return [*lines, f"api_key: ${{{variable}}}" if variable else "authentication: none"]


def _key(text: str) -> str:
    """A name as a YAML key: in quotes only where YAML 1.1 reads it as something else."""
    return quoted(text) if text.lower() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null") else text


def _indented(lines: Sequence[str], depth: int) -> list[str]:
    return [f"{'  ' * depth}{line}" if line else "" for line in lines]


def _single(answers: Answers) -> list[str]:
    target = _target(answers.provider, answers.model, answers)
    return ["llm_config:", *_indented([*target, *_COMMENTS], 1)]


_COMMENTS: Final = (
    "# timeout: {total: 60}             # seconds for a whole call, retries included",
    "# retries: {attempts: 3}",
    "# failover:                        # who answers when this one cannot",
    '#   - {provider: "anthropic", model: "claude-sonnet-5-5", api_key: "${ANTHROPIC_API_KEY}"}',
)


def _tasks(answers: Answers) -> list[str]:
    lines = ["llm_config:", f"  default: {_key(next(iter(answers.tasks)))}   # for calls that name no task", ""]
    for name, (provider, model) in answers.tasks.items():
        lines.append(f"  {_key(name)}:")
        lines += _indented(_target(provider, model, answers), 2)
        lines.append("")
    first = next(iter(answers.tasks))
    lines += [
        f'  # A program asks with client.complete(…, task="{first}"). To move a task to another provider,',
        "  # change its `provider:`, `model:` and `api_key:`; no program changes. Below a task may stand, too:",
        *_indented(_COMMENTS, 2),
    ]
    return lines


def _on_premise(answers: Answers) -> list[str]:
    target = _target(answers.provider, answers.model, answers)
    keyed = target[-1].startswith("api_key")
    lines = [*target[:-1], 'authentication: "bearer-token"', target[-1]] if keyed else target
    return [
        "llm_config:",
        *_indented(lines, 1),
        "  # api: responses                   # the other OpenAI dialect; chat is the default",
        "  # tls: {ca: company.pem}           # an authority of your own; cert and key for mutual TLS",
        "  # proxy: none                      # whatever the environment says",
        "  # capabilities: {context_window: 32768, tools: true}   # what your model takes",
        "  # pricing: {input: 0.10, output: 0.40}                 # per million tokens, for reply.cost",
    ]
