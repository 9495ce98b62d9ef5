"""The keys of a target in YAML that only this plugin knows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:/._-]+$")]
"""What may stand in a header."""


class Guardrail(BaseModel):
    """A guardrail of your account: `identifier` (id or ARN), `version` (a number or DRAFT), `trace`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identifier: _Word
    version: _Word
    trace: Literal["enabled", "disabled", "enabled_full"] | None = None


class Options(BaseModel):
    """What a target with `provider: bedrock` may say besides the common keys; `region` is one of those.

    `base_model`: the model behind an ARN that hides it (an application inference profile, a provisioned or imported
    model), e.g. `anthropic.claude-sonnet-5`: its limits and habits hold. `guardrail`: checked with every request.
    `latency`: `optimized` where the model has it. `betas`: Anthropic's, in the body. `service`: which host answers
    `api: chat` and `api: responses` (chat: runtime, responses: mantle unless said otherwise). `profile`: of the AWS
    configuration, for `authentication: chain`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_model: str | None = None
    guardrail: Guardrail | None = None
    latency: Literal["standard", "optimized"] | None = None
    betas: list[_Word] = Field(default_factory=list)
    service: Literal["runtime", "mantle"] | None = None
    profile: str | None = None
