"""The keys of a target in YAML that only this plugin knows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """What a target with `provider: vertex` may say besides the common keys; the location is the common key `region`.

    `project`: the id of the Google Cloud project. `include_thoughts`, `safety_settings`: as for `google`.
    `anthropic_version` and `betas`: for Claude, in the body.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: str | None = None
    include_thoughts: bool | None = None
    safety_settings: list[dict[str, Any]] = Field(default_factory=list)
    anthropic_version: Literal["vertex-2023-10-16", "2026-10-21"] = "vertex-2023-10-16"
    betas: list[str] = Field(default_factory=list)
