"""Sentences that oblige, forbid, allow or limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from byollm_sandbox.stand_in.find import find

_END: Final = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9(\"'“§•*-])|\n\s*\n|\n(?=\s*(?:[-*•]|\(?\d{1,2}[.)]|\(?[a-z]\))\s)")
_ABBREVIATED: Final = re.compile(r"\b(?:No|Nos|Art|Sec|e\.g|i\.e|approx|Mr|Ms|Mrs|Dr|St|Inc|Ltd|vs)\.$", re.IGNORECASE)
# A line that ends early and is followed by a capital, a digit or a bullet is a heading or a field, no wrapped prose.
_SHORT_LINE: Final = re.compile(r"^([^\n]{1,55})\n(?=\s*[A-Z0-9(\[*•#-])", re.MULTILINE)
_BULLET: Final = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}(?:\.\d+)*[.)]|\(?[a-z]\))\s+")
_KINDS: Final = (
    (
        "prohibition",
        r"\b(?:must|shall|may|can|should|will)\s?not\b|\bcannot\b|\bprohibited\b|\bforbidden\b|\bno\s+\w+\s+may\b",
    ),
    ("prohibition", r"\bnot\s+(?:permitted|allowed|entitled)\b|\bnever\b|\bunder no circumstances\b"),
    (
        "obligation",
        r"\b(?:must|shall)\b|\b(?:is|are|be)\s+(?:required|obliged|obligated)\b|\brequired to\b|\brequires?\b",
    ),
    (
        "obligation",
        r"\b(?:has|have|had)\s+to\b|\bneeds?\s+to\b|\bundertakes?\s+to\b|\bagrees?\s+to\b|\bmandatory\b|\bis due\b",
    ),
    (
        "deadline",
        r"\bwithin\s+[\w-]+\s+(?:\w+\s+)?(?:hours?|days?|weeks?|months?|years?)\b|\bno later than\b|\bat the latest\b",
    ),
    (
        "limit",
        r"\b(?:not|never)\s+exceed\w*\b|\bup to\b|\bat (?:least|most)\b|\b(?:max|min)imum\b|\blimited to\b|\bcapped\b",
    ),
    ("permission", r"\bmay\b|\bis entitled\b|\bare entitled\b|\bis permitted\b|\bare permitted\b|\bis allowed\b"),
)
_PATTERNS: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_DEADLINE: Final = re.compile(
    r"\bwithin\s+[\w-]+(?:\s+\(\w+\))?\s+(?:(?:business|working|calendar|consecutive)\s+)?(?:hours?|days?|weeks?|months?|years?)"
    r"|\bno later than\s+[^,.;]+|\bby\s+\d{1,2}\s\w+\s\d{4}|\bby\s+\d{4}-\d{2}-\d{2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence: `kind` (obligation, prohibition, permission, deadline, limit, figure), and the figures in it."""

    text: str
    kind: str
    deadline: str | None
    amounts: tuple[str, ...]
    dates: tuple[str, ...]
    emails: tuple[str, ...]


def sentences(text: str) -> list[str]:
    """The sentences, list items and short lines of a text, without bullets, spaces made single."""
    text = _SHORT_LINE.sub(r"\1\n\n", text)
    pieces: list[str] = []
    start = 0
    for match in _END.finditer(text):
        if _ABBREVIATED.search(text[start : match.start()]):
            continue
        pieces.append(text[start : match.start()])
        start = match.end()
    pieces.append(text[start:])
    cleaned = (re.sub(r"\s+", " ", _BULLET.sub("", piece)).strip() for piece in pieces)
    return [piece for piece in cleaned if len(piece) > 2]


def rules(text: str) -> list[Rule]:
    """Every rule; a sentence that only states a figure (an amount, a date, an address) is one of kind `figure`."""
    found = []
    for sentence in sentences(text):
        kind = next((kind for kind, pattern in _PATTERNS if pattern.search(sentence)), None)
        figures = find(sentence)
        named = {
            name: tuple(dict.fromkeys(item.value for item in figures if item.kind in kinds))
            for name, kinds in (("amounts", ("amount",)), ("dates", ("date", "date_of_birth")), ("emails", ("email",)))
        }
        if kind is None and not any(named.values()):
            continue
        deadline = _DEADLINE.search(sentence)
        found.append(Rule(sentence, kind or "figure", deadline.group() if deadline else None, **named))
    return found
