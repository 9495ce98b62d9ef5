"""What a plugin sees of a deployment. No secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Provider, model and place of one deployment.

    `endpoint` is what the file says, or the manifest's default. `api` names the surface (`responses`, `chat`, …),
    already resolved to the plugin's default when the file is silent. `options` are the plugin's own keys, validated.
    """

    provider: str
    model: str
    endpoint: str
    api: str = ""
    region: str | None = None
    deployment: str = ""
    authentication: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
