"""What kind of document a text is, by weighted words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

WORDS: Final[dict[str, dict[str, float]]] = {
    "invoice": {
        r"\binvoice\b": 4, r"\bbill to\b": 3, r"\bamount due\b": 3, r"\bdue date\b": 1.5, r"\bsubtotal\b": 3,
        r"\bvat\b": 1.5, r"\bpayment terms\b": 1.5, r"\bremit\b": 2, r"\bqty\b|\bquantity\b": 1.5, r"\bunit price\b": 2,
        r"\btotal\b": 1, r"\biban\b": 1, r"\bpurchase order\b": 1,
    },
    "contract": {
        r"\bagreement\b": 2.5, r"\bcontract\b": 2, r"\bthe part(?:y|ies)\b": 2.5, r"\bhereby\b": 2,
        r"\bhereinafter\b": 3, r"\btermination\b": 1.5, r"\bgoverning law\b": 3, r"\bclause\b": 1.5,
        r"\bliabilit\w+\b": 1.5, r"\bindemnif\w+\b": 2.5, r"\bwitness whereof\b": 3, r"\bshall\b": 0.5,
        r"\bsupplier\b|\bcustomer\b|\blicensee\b|\blessee\b|\btenant\b": 0.5,
    },
    "support_ticket": {
        r"\bticket\b": 4, r"\bpriority\b": 2, r"\bsteps to reproduce\b": 4, r"\berror\b": 1, r"\bissue\b": 1,
        r"\bcrash\w*\b": 1.5, r"\bcannot log in\b|\bcan't log in\b|\bunable to\b": 1.5,
        r"\bseverity\b": 2, r"\breported\b": 1, r"\bworkaround\b": 2, r"\bhelp ?desk\b": 3,
        r"\bcustomer support\b": 2, r"\bstatus: (?:open|new|pending)\b": 3,
        r"\bassigned to\b": 1.5, r"\bapp version\b|\bbrowser\b": 1,
    },
    "policy": {
        r"\bpolicy\b": 4, r"\bemployees?\b": 1, r"\bmust\b": 0.5, r"\bcompliance\b": 1.5, r"\bprocedure\b": 1.5,
        r"\bguidelines?\b": 2, r"\bscope\b": 1, r"\bapplies to\b": 1.5, r"\bviolations?\b": 1.5, r"\bretention\b": 1,
        r"\bapproval\b": 1, r"\beffective date\b": 1, r"\breimburs\w+\b": 1.5, r"\bstaff\b": 1,
    },
    "cv": {
        r"\bcurriculum vitae\b|\brésumé\b|\bresume\b": 5, r"\bwork experience\b|\bprofessional experience\b": 4,
        r"\beducation\b": 2.5, r"\bskills\b": 2.5, r"\bdegree\b|\bb\.?sc\b|\bm\.?sc\b|\bbachelor\b|\bmaster of\b": 1.5,
        r"\blanguages\b": 1.5, r"\breferences\b": 1, r"\bcertificat\w+\b": 1, r"\bemployment history\b": 4,
    },
    "letter": {
        r"\bdear\b": 3, r"\bsincerely\b": 3, r"\bkind regards\b|\bbest regards\b|\byours\b": 2.5, r"\bre:": 1,
        r"\bi am writing\b|\bwe are writing\b": 3, r"\bthank you for your\b": 1, r"\benclosed\b": 1.5,
        r"\blook forward to\b": 1.5,
    },
    "report": {
        r"\breport\b": 3, r"\bexecutive summary\b": 4, r"\bfindings\b": 2, r"\brecommendations?\b": 2,
        r"\bquarter\w*\b": 1.5, r"\bq[1-4]\b": 1.5, r"\bcompared (?:to|with)\b": 1.5,
        r"\bincreased\b|\bdecreased\b|\bgrew\b|\bfell\b": 1,
        r"\bconclusions?\b": 2, r"\bmethodology\b": 2.5, r"\brevenue\b": 1, r"\baudit\b": 1, r"\bminutes\b": 1,
    },
}  # fmt: skip
"""Label → pattern → weight."""

SYNONYMS: Final[dict[str, str]] = {
    "bill": "invoice", "receipt": "invoice", "agreement": "contract", "legal": "contract", "lease": "contract",
    "ticket": "support_ticket", "support": "support_ticket", "incident": "support_ticket",
    "complaint": "support_ticket", "helpdesk": "support_ticket",
    "regulation": "policy", "guideline": "policy", "handbook": "policy", "rules": "policy",
    "resume": "cv", "résumé": "cv", "curriculum": "cv", "vitae": "cv", "application": "cv", "hr": "cv",
    "email": "letter", "correspondence": "letter", "mail": "letter", "memo": "letter",
    "analysis": "report", "summary": "report", "statement": "report", "minutes": "report", "financial": "report",
}  # fmt: skip
"""Other words for a label."""


def scores(text: str) -> dict[str, float]:
    """How much each label's words weigh in a text; a word counts three times at most, and more in the first lines."""
    lowered = text.lower()
    opening = "\n".join(lowered.strip().split("\n")[:3])[:240]
    result = {}
    for label, patterns in WORDS.items():
        total = 0.0
        for pattern, weight in patterns.items():
            total += weight * min(3, len(re.findall(pattern, lowered)))
            total += 1.5 * weight if re.search(pattern, opening) else 0.0
        result[label] = total
    return result


def classify(text: str, labels: Sequence[str] = ()) -> tuple[str, float, list[str]]:
    """The best label (of `labels` when given, as they spell it), how sure (0 to 1), and the words that speak for it."""
    weighed = scores(text)
    if not labels:
        label = max(weighed, key=lambda name: weighed[name])
        if weighed[label] == 0:
            return "other", 0.2, []
        return label, _sure(weighed, label), evidence(text, label)
    meant = {offered: label_of(offered) for offered in labels}
    known = {offered: weighed[own] for offered, own in meant.items() if own is not None}
    for offered, own in meant.items():
        if own is None:
            # A label we know nothing about: its own words are all there is.
            known[offered] = sum(2.0 * text.lower().count(word) for word in _words(offered) if len(word) > 3)
    best = max(labels, key=lambda name: known[name])
    if known[best] == 0:
        best = next((name for name in labels if name.lower() in ("other", "unknown", "none")), labels[0])
        return best, 0.2, []
    own_label = meant[best]
    return best, _sure(known, best), evidence(text, own_label) if own_label else []


def evidence(text: str, label: str) -> list[str]:
    """The words in the text that speak for a label."""
    found = (re.search(pattern, text, re.IGNORECASE) for pattern in WORDS[label])
    return list(dict.fromkeys(match.group() for match in found if match))[:5]


def label_of(word: str) -> str | None:
    """Our label for somebody else's word; None when there is none."""
    pieces = _words(word)
    joined = "_".join(pieces)
    if joined in WORDS:
        return joined
    for piece in pieces:
        singular = piece.removesuffix("s")
        for candidate in (piece, singular):
            if candidate in WORDS:
                return candidate
            if candidate in SYNONYMS:
                return SYNONYMS[candidate]
    return None


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^\w]+|_", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()) if word]


def _sure(weighed: dict[str, float], label: str) -> float:
    total = sum(weighed.values())
    return round(min(0.99, weighed[label] / total), 2) if total else 0.2
