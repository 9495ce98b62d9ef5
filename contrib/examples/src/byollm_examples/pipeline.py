"""The guide's three tasks over any texts: what a user writes.

No provider is named here. Which model answers which task stands in the YAML file, and only there.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel

import byollm


class Rule(BaseModel):
    """One rule, in the document's own words."""

    kind: Literal["obligation", "prohibition", "permission", "deadline", "limit", "figure"]
    text: str
    deadline: str | None


class Rules(BaseModel):
    """What `rule_extraction` answers."""

    rules: list[Rule]


class Finding(BaseModel):
    """One value, as it is written in the document."""

    type: str
    value: str


class Findings(BaseModel):
    """What `pii_detection` answers."""

    findings: list[Finding]


class Label(BaseModel):
    """What `document_classification` answers."""

    category: Literal["invoice", "contract", "support_ticket", "policy", "cv", "letter", "report", "other"]
    confidence: float


TASKS: dict[str, tuple[str, type[BaseModel]]] = {
    "rule_extraction": (
        "Extract every rule of the document: obligations, prohibitions, permissions, deadlines, limits. "
        "A sentence that only states an amount, a date or an address is a figure.",
        Rules,
    ),
    "pii_detection": (
        "Find the personal data in the document: e-mail addresses, phone numbers, bank accounts, card numbers, "
        "dates of birth. Add amounts and dates, each value as it is written.",
        Findings,
    ),
    "document_classification": ("Classify the document, and say how sure you are, from 0 to 1.", Label),
}


def requests(task: str, texts: Iterable[str]) -> Iterator[byollm.Request]:
    """One request for each text."""
    instruction, shape = TASKS[task]
    for text in texts:
        yield byollm.Request(text, system=instruction, output_schema=shape, max_tokens=4000)


def ask(client: byollm.Client, task: str, texts: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """The answers of one task as they arrive, six calls at a time: `(index, reply or error)`."""
    return client.map(requests(task, texts), task=task, concurrency=6)
