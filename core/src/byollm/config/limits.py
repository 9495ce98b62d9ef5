"""`limits:` of a target, a tenant or a group of targets: what may be sent in a minute, and how many calls at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import Field

from byollm.config import schema
from byollm.config.places import Document, KeyPath, name, shown
from byollm.config.words import listing, nearest
from byollm.routing.limits import LimitsConfig

GROUPS: Final = "limits: {team: {requests_per_minute: 500}}   (beside the deployments)"
Amount = Annotated[int, Field(ge=1, le=10**12)]


class LimitsModel(schema.Written):
    """Of one deployment and key. Where the provider's headers tell less, that counts."""

    requests_per_minute: Amount | None = None
    tokens_per_minute: Amount | None = None
    input_tokens_per_minute: Amount | None = None
    output_tokens_per_minute: Amount | None = None
    concurrency: Annotated[int, Field(ge=1, le=100_000)] | None = None


class SharingModel(LimitsModel):
    """Of one target: limits of its own, and the groups that count it too."""

    shared: Any = None


def read_limits(
    written: Any, document: Document, path: KeyPath, model: type[LimitsModel] = LimitsModel
) -> LimitsConfig:
    """What was written, in the routing's terms. Raises ConfigError."""
    if not isinstance(written, dict):
        raise document.error(
            path, f"`limits` is a mapping, not {shown(written)}", schema.EXAMPLES["limits"], value=True
        )
    found = schema.validated(model, written, document, path, "limits")
    return LimitsConfig(**{key.removesuffix("_per_minute"): amount for key, amount in found.items() if key != "shared"})


def read_groups(written: Any, document: Document, path: KeyPath) -> dict[str, LimitsConfig]:
    """`limits:` of the root: groups by name. Raises ConfigError."""
    found = {}
    for label, item in written.items():
        if not label.strip() or not item:
            raise document.error((*path, label), f"the group `{name(label)}` limits nothing", GROUPS)
        if not isinstance(item, dict):
            limit = label in LimitsModel.model_fields
            mend = f"limits: {{team: {{{label}: {shown(item).strip('`')}}}}}" if limit else GROUPS
            sentence = f"`limits` here names groups, and `{name(label)}` is not a mapping"
            raise document.error((*path, label), sentence, mend)
        found[label] = read_limits(item, document, (*path, label))
    return found


def read_sharing(
    written: Any, groups: Mapping[str, LimitsConfig], document: Document, path: KeyPath
) -> tuple[LimitsConfig | None, tuple[str, ...]]:
    """`limits:` of a target: its own, and the groups that it names. Raises ConfigError with the nearest."""
    if isinstance(written, str | list):
        written, at = {"shared": written}, path
    else:
        at = (*path, "shared")
    own = read_limits(written, document, path, SharingModel)
    shared = written.get("shared")
    labels = shared if isinstance(shared, list) else [] if shared is None else [shared]
    for label in labels:
        if not isinstance(label, str) or label not in groups:
            meant = nearest(label, groups) if isinstance(label, str) else None
            known = f"known: {listing(map(name, groups))}" if groups else GROUPS
            mend = f"did you mean `{name(meant)}`?" if meant else known
            raise document.error(at, f"there is no group of limits {shown(label)}", mend, value=True)
    return (own if any(getattr(own, item.name) for item in fields(own)) else None), tuple(dict.fromkeys(labels))
