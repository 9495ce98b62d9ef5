"""The cells of the matrix: what a model does with each feature, asked of its plugin. Nothing is sent.

Each cell is what becomes of a request that needs the feature: `fit` and the plugin's translator are run on it. It
works, it is adapted (and the caller told how), it is refused before any byte leaves, or nobody has said whether it
works and it is sent as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from byollm.cli import matrix_features as rows
from byollm.cli.matrix_features import FEATURES, Feature
from byollm.errors import ByollmError, UnsupportedFeatureError
from byollm.types.capabilities import Capabilities, Support, TokenCount
from byollm.types.completion import Adjustment
from byollm.types.request import Request

if TYPE_CHECKING:
    from byollm.providers.deployment import Deployment

STATES: Final = ("works", "adapted", "refused", "unknown")
NOWHERE: Final = "https://llm.example.com/v1"
"""The endpoint of a provider that has none of its own; nothing is sent there or elsewhere."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What becomes of a feature at a model, why, and the conformance checks that hold it."""

    state: str
    reason: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A model and its cells by feature. `problem`: why there are none."""

    provider: str
    model: str
    api: str = ""
    limits: Mapping[str, int | None] = field(default_factory=dict)
    cells: Mapping[str, Cell] = field(default_factory=dict)
    problem: str = ""

    @property
    def title(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"


def column(provider: str, target: Mapping[str, Any]) -> Column:
    """A provider's column for a target; a plugin that cannot be asked has a problem instead of cells."""
    from byollm.engine.build import line_from

    try:
        return examined(line_from(provider, target, fallback_endpoint=NOWHERE).deployment)
    except ByollmError as error:
        return Column(provider, str(target.get("model", "")), problem=error.message)


def examined(deployment: Deployment) -> Column:
    """Every cell of a deployment."""
    can, target = deployment.capabilities, deployment.target
    usual = {item.field for item in _changes(deployment, Request("hi"))}
    cells = {feature.name: cell(deployment, feature, usual) for feature in FEATURES}
    limits = {"context_window": can.context_window, "max_output_tokens": can.max_output_tokens}
    return Column(deployment.manifest.name, target.model, target.api, limits, cells)


def _changes(deployment: Deployment, request: Request) -> tuple[Adjustment, ...]:
    """What `fit` and the translator change. Raises UnsupportedFeatureError where they refuse."""
    fitted = deployment.fit(request)
    return deployment.noted(fitted, deployment.exchange(fitted.request)).adjustments


def cell(deployment: Deployment, feature: Feature, usual: set[str]) -> Cell:
    """One cell. `usual` are adjustments that any request gets there: they say nothing of the feature."""
    can = deployment.capabilities
    if feature.name == "count_tokens":
        return _counted(deployment, feature)
    request = feature.make(deployment.manifest.name, can)
    if request is None:
        return _declared(can, feature)
    try:
        changes = [item for item in _changes(deployment, request) if item.field not in usual]
    except UnsupportedFeatureError as error:
        more = rows.CONTRACT if feature.contract else ()
        return Cell("refused", _short(error.message), (*rows.REFUSED, *more))
    if changes:
        clamped = rows.CLAMPED if any(item.action == "clamped" for item in changes) else ()
        return Cell("adapted", "; ".join(map(_told, changes)), (*rows.ADAPTED, *clamped, *feature.checks[:1]))
    return _declared(can, feature)


def _declared(can: Capabilities, feature: Feature) -> Cell:
    """By the plugin's own word, where nothing stood in the way."""
    support, note = can.supports(feature.name), can.notes.get(feature.name, "")
    held = rows.WORKS if support is Support.full else rows.PARTLY
    checks = rows.DECLARED if feature.name in rows.SILENT else (*feature.checks, *held)
    if support in (Support.full, Support.partial):
        partly = "partly: taken, but not held to everywhere" if support is Support.partial else ""
        return Cell("works", "; ".join(filter(None, [partly, note])), checks)
    if support is Support.unknown:
        return Cell("unknown", note or "nobody said: it is sent as it stands", rows.UNKNOWN)
    return Cell("refused", note or "the model has none", rows.DECLARED if feature.name in rows.SILENT else rows.REFUSED)


def _counted(deployment: Deployment, feature: Feature) -> Cell:
    counted = deployment.count(Request("hi"))
    if counted is None:
        return Cell("adapted", "byollm's own bounds: a lower and an upper one", (*rows.REFUSED, *feature.checks))
    how = f"{counted.exactness}, without a request" if isinstance(counted, TokenCount) else "the provider is asked"
    return Cell("works", how, (*feature.checks, *rows.WORKS))


def _told(change: Adjustment) -> str:
    after = f" to {change.after}" if change.action in ("clamped", "mapped") and change.after is not None else ""
    reason = f": {change.reason}" if change.reason else ""
    return f"{change.field} {change.action}{after}{reason}"


def _short(message: str) -> str:
    return message.partition("; nothing was sent")[0]
