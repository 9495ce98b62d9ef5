"""The keys of a target in YAML that only this plugin knows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Header = Annotated[str, StringConstraints(pattern="^[ -~]*$")]
"""A text that fits into a header."""


class Options(BaseModel):
    """What a target with `provider: anthropic` may say besides the common keys.

    `version`: the `anthropic-version` header; 2026-10-21 knows no sampling parameters and no documents in assistant
    turns (platform.claude.com/docs/en/api/versioning, read 2026-11-21). It is also called
    `anthropic_version`, for files of one target, where `version` is the file's own. `betas`: words for
    `anthropic-beta`; none is ever sent by default, because a stale one is refused. `workspace_id`: for a key that may
    act in more than one workspace. `thinking_display`: newer models show no reasoning text unless asked with
    `summarized`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    version: Literal["2023-06-01", "2026-10-21"] = Field(default="2023-06-01", alias="anthropic_version")
    betas: list[_Header] = Field(default_factory=list)
    workspace_id: _Header | None = None
    thinking_display: Literal["summarized", "omitted"] | None = None
