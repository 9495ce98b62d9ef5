"""`limits:` of a target: what may be sent in a minute, and how many calls at a time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from byollm.config import schema
from byollm.config.places import Document, KeyPath
from byollm.routing.limits import LimitsConfig

Amount = Annotated[int, Field(ge=1, le=10**12)]


class LimitsModel(schema.Written):
    """Of one deployment and key. Where the provider's headers tell less, that counts."""

    requests_per_minute: Amount | None = None
    tokens_per_minute: Amount | None = None
    input_tokens_per_minute: Amount | None = None
    output_tokens_per_minute: Amount | None = None
    concurrency: Annotated[int, Field(ge=1, le=100_000)] | None = None


def read_limits(written: Any, document: Document, path: KeyPath) -> LimitsConfig:
    """What was written, in the routing's terms. Raises ConfigError."""
    found = schema.validated(LimitsModel, written, document, path, "limits")
    return LimitsConfig(**{key.removesuffix("_per_minute"): amount for key, amount in found.items()})
