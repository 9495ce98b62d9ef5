"""The three tasks the stand-in knows: which one a prompt means, and what it finds."""

from __future__ import annotations

import re
from typing import Any, Final

from byollm_sandbox.dialects.base import Prompt
from byollm_sandbox.stand_in.classify import classify
from byollm_sandbox.stand_in.find import Found, find
from byollm_sandbox.stand_in.rules import rules, sentences
from byollm_sandbox.stand_in.shape import Facts

NAME: Final = "stand-in"
"""What the stand-in calls itself where a reply names its model."""

_KINDS: Final = (
    (
        "classification",
        r"classif\w*|categori[sz]e|\bcategory\b|document type|type of document|kind of document|which label",
    ),
    ("pii", r"\bpii\b|personal(?:ly)?[ -](?:data|identif\w+|information)|sensitive data|\bprivacy\b|data protection"),
    ("rules", r"\brules?\b|\bobligations?\b|\brequirements?\b|\bclauses?\b"),
)
_PATTERNS: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_MARK: Final = re.compile(
    r"^\s*(?:-{3,}|={3,}|`{3,}\w*|\"{3}|<document[^>]*>|<text>|(?:the )?(?:document|text|content|input)\s*:)\s*",
    re.I | re.M,
)
_CLOSING: Final = re.compile(r"\s*(?:-{3,}|={3,}|`{3,}|\"{3}|</document>|</text>)\s*$", re.IGNORECASE)
_OFFERED: Final = re.compile(
    r"(?:one of|categories|labels|classes|types)(?:\s+are)?\s*:?\s+([^.\n]{3,200})", re.IGNORECASE
)


_TOPICS: Final = (
    ("emails", ("email",)),
    ("amounts", ("amount",)),
    ("dates", ("date", "date_of_birth")),
    ("birth_dates", ("date_of_birth",)),
    ("phones", ("phone",)),
    ("ibans", ("iban",)),
    ("cards", ("card_number",)),
    ("ip_addresses", ("ip_address",)),
)


def split(prompt: Prompt) -> tuple[str, str]:
    """Instruction and document: the system text, else what stands before a mark, else the first paragraph."""
    text = prompt.text
    mark = _MARK.search(text)
    if mark is not None and (mark.start() > 0 or prompt.system):
        return f"{prompt.system}\n{text[: mark.start()]}".strip(), _CLOSING.sub("", text[mark.end() :]).strip()
    if prompt.system:
        return prompt.system, text
    head, _, tail = text.strip().partition("\n\n")
    if tail and task_in(head):
        return head, tail
    head, colon, tail = text.partition(":")
    if colon and len(head) < 300 and task_in(head) and len(tail) > len(head):
        return head, tail.strip()
    return text, text


def task_in(instruction: str) -> str | None:
    """rules, pii or classification; None when the words mean none of them. The task named most often wins."""
    counted = {kind: len(pattern.findall(instruction)) for kind, pattern in _PATTERNS}
    best = max(counted, key=lambda kind: counted[kind])
    return best if counted[best] else None


def task_of(prompt: Prompt, instruction: str) -> str | None:
    """The task, from the instruction's words or else from the schema's property names."""
    named = task_in(instruction)
    if named is None and prompt.schema is not None:
        named = task_in(" ".join(_names(prompt.schema)).replace("_", " "))
    return named


def facts_of(task: str | None, instruction: str, document: str) -> Facts:
    """Everything the stand-in can tell about a document."""
    found = find(document)
    extracted = rules(document)
    offered = labels_in(instruction)
    label, confidence, words = classify(document, offered)
    records: dict[str, list[dict[str, Any]]] = {
        "rules": [
            {
                "text": rule.text,
                "kind": rule.kind,
                "deadline": rule.deadline,
                "amounts": list(rule.amounts),
                "dates": list(rule.dates),
                "emails": list(rule.emails),
            }
            for rule in extracted
        ],
        "findings": [{"type": item.kind, "kind": item.kind, "value": item.value} for item in _once(found)],
    }
    main = {"rules": "rules", "pii": "findings"}.get(task or "", "findings")
    personal = [item for item in found if item.kind not in ("amount", "date")]
    opening = (sentences(document) or [""])[0][:200]
    reason = f"Words that speak for it: {', '.join(words)}." if words else "No word in it speaks for a kind."
    lists = {topic: _values(found, kinds) for topic, kinds in _TOPICS}
    lists["sentences"] = sentences(document)
    lists["evidence"] = words
    single = {
        "category": label,
        "confidence": confidence,
        "reason": reason,
        "summary": opening,
        "title": opening[:80],
        "has_pii": bool(personal),
        "count": len(records[main]),
        "text": document.strip(),
        "place": place_in(document),
        "answer": f"I am a rule-based stand-in. {opening}".strip(),
        "number": _first_number(document),
        "choose": lambda options: classify(document, options)[0],
    }
    return Facts(lists, records, {key: value for key, value in single.items() if value is not None}, opening, main)


def labels_in(instruction: str) -> list[str]:
    """The labels an instruction offers, as in "one of: invoice, contract or other"; empty when it offers none."""
    match = _OFFERED.search(instruction)
    if match is None:
        return []
    pieces = [piece.strip(" '\"`*()[]") for piece in re.split(r",|;|\||\bor\b|\band\b", match.group(1))]
    labels = [piece for piece in pieces if 1 < len(piece) < 30 and len(piece.split()) < 4]
    return labels if len(labels) > 1 else []


def place_in(text: str) -> str | None:
    """The last place a text speaks of: capitalised words after in, at, for, to or from."""
    found = re.findall(r"\b(?:in|at|for|to|from|of)\s+((?:[A-Z][\w'-]+)(?:\s+[A-Z][\w'-]+)*)", text)
    return found[-1] if found else None


def _first_number(text: str) -> float | None:
    match = re.search(r"(?<!\w)-?\d+(?:\.\d+)?", text)
    if match is None:
        return None
    number = float(match.group())
    return int(number) if number.is_integer() else number


def _values(found: list[Found], kinds: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(item.value for item in found if item.kind in kinds))


def _once(found: list[Any]) -> list[Any]:
    return list({(item.kind, item.value): item for item in found}.values())


def _names(schema: Any, depth: int = 0) -> list[str]:
    if depth > 6 or not isinstance(schema, dict):
        return []
    properties = schema.get("properties")
    names = list(properties) if isinstance(properties, dict) else []
    inner = [*(properties or {}).values(), schema.get("items"), *(schema.get("$defs") or {}).values()]
    return names + [name for piece in inner for name in _names(piece, depth + 1)]
