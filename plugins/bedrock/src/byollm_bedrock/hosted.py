"""Placeholder for surfaces."""

from __future__ import annotations

from typing import Any


class Hosted:
    """The dialects of OpenAI and Anthropic as Bedrock serves them."""

    def __init__(self, manifest: Any, fail: Any) -> None:
        self.manifest = manifest
