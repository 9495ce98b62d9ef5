"""Model ids: what geography, vendor and name an id or an ARN tells of, and how it stands in a path.

`us.anthropic.claude-opus-5`, `arn:aws:bedrock:eu-west-1:…:inference-profile/eu.amazon.nova-pro-v1:0`. The ARNs of
application inference profiles, provisioned, imported and custom models tell nothing of the model behind them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

GEOGRAPHIES: Final = ("us-gov", "us", "eu", "apac", "jp", "au", "ca", "in", "kr", "global")
"""Prefixes of inference profiles (pydantic-ai 2.68.0 and litellm 1.109.1, read 2026-11-21)."""
_ARN: Final = re.compile(r"arn:[^:]+:[a-z]+:([a-z0-9-]*):\d*:([a-z-]+)/(.+)")
_TELLING: Final = ("inference-profile", "foundation-model")


@dataclass(frozen=True, slots=True)
class ModelId:
    """`base` is the foundation model's own id without geography, "" where nothing tells; `region` an ARN's."""

    given: str
    geography: str = ""
    base: str = ""
    region: str | None = None
    arn: bool = False

    @property
    def vendor(self) -> str:
        """`anthropic`, `amazon`, `meta`, …"""
        return self.base.partition(".")[0] if "." in self.base else ""


@lru_cache(maxsize=256)
def read_id(given: str, base_model: str | None = None) -> ModelId:
    """What an id tells. `base_model` says which model is behind one that tells nothing."""
    found = _ARN.fullmatch(given)
    geography, base = _split(found[3] if found and found[2] in _TELLING else "" if found else given)
    if base_model:
        base = _split(base_model)[1]
    region = found[1] or None if found else None
    return ModelId(given, geography, base, region, found is not None)


def _split(text: str) -> tuple[str, str]:
    for geography in GEOGRAPHIES:
        if text.startswith(f"{geography}."):
            return geography, text.removeprefix(f"{geography}.")
    return "", text
