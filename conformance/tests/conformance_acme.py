"""What the tests of this folder share: a conformant plugin's source, and what fixtures make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from byollm_conformance.model import Result
from byollm_conformance.runner import Report

CONFORMANT = """
from byollm_openai_compatible import OpenAICompatible

provider = OpenAICompatible(name="acme", base_url="https://api.acme.example/v1")
"""
METADATA = "Metadata-Version: 2.3\nName: byollm-acme\nVersion: 1.4.0\nLicense-Expression: Apache-2.0\n"

Install = Callable[..., Path]
Conform = Callable[..., Report]


def of(report: Report, id: str, api: str | None = None) -> Result:
    """The result of one check."""
    return next(result for result in report.results if result.id == id and api in (None, result.api))


def at_first_use(body: str) -> str:
    """The conformant plugin, whose `complete` begins with this."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"""
import byollm.plugin
from byollm.plugin import hookimpl
from byollm_openai_compatible import OpenAICompatible

class Acme(OpenAICompatible):
    @hookimpl
    def complete(self, request, target):
{lines}
        return super().complete(request, target)

provider = Acme(name="acme", base_url="https://api.acme.example/v1")
"""
