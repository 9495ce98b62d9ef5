"""The keys of a target in YAML that only this plugin knows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """What a target with `provider: google` may say besides the common keys.

    `include_thoughts`: ask for summaries of the model's thoughts; none are sent unless asked for. `safety_settings`:
    a list of `{category, threshold}`, sent with every request as it is; without it the model's own thresholds hold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    include_thoughts: bool | None = None
    safety_settings: list[dict[str, Any]] = Field(default_factory=list)
