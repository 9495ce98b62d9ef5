"""What a configuration and a ledger tell about the questions of the decision framework: only what they really say."""

from __future__ import annotations

import os
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from byollm.cli.arguments import FILES, VARIABLE
from byollm_savings.decide import Fact

if TYPE_CHECKING:
    from byollm.config.records import DeploymentConfig, LlmConfig, TaskConfig

CLOUDS: Final = {"azure": "Azure", "bedrock": "AWS", "vertex": "Google Cloud"}
_MONTH: Final = Decimal("30.4375")
_LEAST_DAYS: Final = 7
"""Fewer days of a ledger are no month's measure."""


def from_config(path: str | None) -> dict[str, Fact]:
    """What a configuration says; none: nothing. Raises ConfigError when it is wrong."""
    from byollm.config.llm_config import load_file

    found = path or os.environ.get(VARIABLE) or next((name for name in FILES if os.path.isfile(name)), None)
    return {} if found is None else _facts(load_file(found), found)


def _facts(config: LlmConfig, source: str) -> dict[str, Fact]:
    facts = {}
    rules = _rules(config)
    if rules:
        facts["regulated"] = Fact(True, f"{source} asks for {', '.join(rules[:4])}")
    clouds = sorted({CLOUDS[it.provider] for it in config.deployments.values() if it.provider in CLOUDS})
    if len(clouds) > 1:
        facts["several_clouds"] = Fact(True, f"{source} has deployments at {' and '.join(clouds)}")
    models = {name: {f"{it.provider}/{it.model}" for it in _first(config, task)} for name, task in config.tasks.items()}
    different = sorted(set().union(*models.values())) if models else []
    if len(models) > 1 and len(different) > 1:
        facts["capabilities"] = Fact(True, f"{source} gives its tasks different models: {', '.join(different[:4])}")
    return facts


def _first(config: LlmConfig, task: TaskConfig) -> list[DeploymentConfig]:
    return [config.deployments[name] for name in task.candidates[:1]]


def _rules(config: LlmConfig) -> list[str]:
    policies = config.policies
    if policies is None:
        return []
    asked: list[str] = []
    if policies.approved is not None:
        asked.append("approved providers only")
    asked += [f"residency {name}" for name in policies.residency]
    asked += [f"rules for {name} data" for name in policies.data_classes]
    return asked


def from_ledger(path: str) -> dict[str, Fact]:
    """Operations a month, out of a ledger of at least a week. Raises like `byollm_savings.ledger.rows`."""
    from byollm_savings.ledger import rows

    return operations((int(row.at // 86_400) for row in rows(path) if row.ordinal == 0), path)


def operations(days: Iterable[int], source: str) -> dict[str, Fact]:
    """Operations a month from the day of each; less than a week tells nothing."""
    first, last, count = None, None, 0
    for day in days:
        first, last, count = min(first or day, day), max(last or day, day), count + 1
    if first is None or last is None or last - first + 1 < _LEAST_DAYS:
        return {}
    span = last - first + 1
    return {"operations": Fact(int(count * _MONTH / span), f"{source} holds {count:,} in {span} days")}
