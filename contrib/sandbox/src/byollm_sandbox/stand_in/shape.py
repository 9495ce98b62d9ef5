"""A value that fits a JSON schema, made of what was found: property names say what belongs where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MAX_DEPTH: Final = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What the stand-in knows about a text, by topic.

    `lists` are values by topic ("emails", "amounts"), `records` lists of objects by topic ("rules", "findings"),
    `single` one value by topic ("category", "summary"), `fallback` the text for a string nobody can name.
    """

    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    records: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    single: Mapping[str, Any] = field(default_factory=dict)
    fallback: str = ""
    main: str = ""


TOPICS: Final[tuple[tuple[str, str], ...]] = (
    # A property's words → topic; the first that fits wins.
    (r"e?mails?(?: address(?:es)?)?", "emails"),
    (r"amounts?|prices?|sums?|totals? due|fees?|money|monetary.*", "amounts"),
    (r"dates? of birth|dob|birth ?dates?|birthdays?", "birth_dates"),
    (r"dates?|deadlines?", "dates"),
    (r"(?:tele)?phones?(?: numbers?)?|mobiles?|tel", "phones"),
    (r"ibans?|bank accounts?|account numbers?", "ibans"),
    (r"(?:credit |payment )?cards?(?: numbers?)?", "cards"),
    (r"ip(?: address(?:es)?)?", "ip_addresses"),
    (r"rules?|obligations?|requirements?|clauses?|constraints?|extracted rules", "rules"),
    (
        r"pii|findings?|entities|items?|matches|detections?|results?|personal data|pii (?:items|entities|found)|data",
        "findings",
    ),
    (r"category|class|classification|label|document (?:type|class|category)|doc type|kind|type", "category"),
    (r"confidence|score|probability|certainty", "confidence"),
    (r"evidence|keywords?|signals?|indicators?", "evidence"),
    (r"reason(?:ing)?|rationale|explanation|justification|why", "reason"),
    (r"summary|description|abstract|overview", "summary"),
    (r"(?:contains|has|includes|found) (?:any )?(?:pii|personal data).*|pii (?:found|present|detected)", "has_pii"),
    (r"count|total|number of .*|n", "count"),
    (r"sentences?|statements?", "sentences"),
    (r"title|subject|heading", "title"),
    (r"city|location|place|town|destination", "place"),
    (r"query|question|text|input|prompt|message|content|q", "text"),
    (r"answer|response|reply|output", "answer"),
)
_TOPICS: Final = tuple((re.compile(pattern), topic) for pattern, topic in TOPICS)
_FORMATS: Final = {
    "date": "2026-11-21", "date-time": "2026-11-21T00:00:00Z", "time": "00:00:00Z", "email": "nobody@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "hostname": "example.com", "uri": "https://example.com", "duration": "P1D",
}  # fmt: skip


def topic_of(name: str) -> str | None:
    """The topic a property name stands for; None when it is nothing we know."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = re.sub(r"[\s_-]+", " ", words).strip().lower()
    return next((topic for pattern, topic in _TOPICS if pattern.fullmatch(words)), None)


def fill(schema: Any, facts: Facts) -> Any:
    """A value for `schema`. Every property is filled, required or not, so that strict readers are content."""
    return _fill(schema, schema, facts, "", None, 0)


def _fill(schema: Any, root: Any, facts: Facts, name: str, record: Mapping[str, Any] | None, depth: int) -> Any:
    schema = _resolved(schema, root)
    if depth > MAX_DEPTH:
        return None
    if "const" in schema:
        return schema["const"]
    if record is not None and _nullable(schema, root) and _from_record(name, topic_of(name), record) is None:
        return None
    if schema.get("enum"):
        return _chosen(schema["enum"], name, facts, record)
    inner = _alternative(schema, root)
    if inner is not None:
        return _fill(inner, root, facts, name, record, depth + 1)
    match _kind(schema):
        case "object":
            return _object(schema, root, facts, record, depth)
        case "array":
            return _array(schema, root, facts, name, record, depth)
        case "integer" | "number" as kind:
            return _number(schema, kind, name, facts, record)
        case "boolean":
            return _boolean(name, facts, record)
        case "null":
            return None
        case _:
            return _string(schema, name, facts, record)


def _alternative(schema: Mapping[str, Any], root: Any) -> Any:
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            options = [option for option in schema[word] if _resolved(option, root).get("type") != "null"]
            return (options or schema[word])[0]
    return _merged(schema, root) if schema.get("allOf") else None


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type") or ("object" if "properties" in schema else "array" if "items" in schema else "string")
    return next((item for item in kind if item != "null"), "null") if isinstance(kind, list) else str(kind)


def _object(
    schema: Mapping[str, Any], root: Any, facts: Facts, record: Mapping[str, Any] | None, depth: int
) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    known = set(schema.get("required") or properties)
    filled = {}
    for name, inner in properties.items():
        if name in known or depth < 3:
            filled[name] = _fill(inner, root, facts, name, record, depth + 1)
    for name in known - properties.keys():
        filled[name] = _string({}, name, facts, record)
    return filled


def _array(
    schema: Mapping[str, Any], root: Any, facts: Facts, name: str, record: Mapping[str, Any] | None, depth: int
) -> list[Any]:
    items = _resolved(schema.get("items") or {}, root)
    values = _members(items, root, facts, name, record, depth)
    least = int(schema.get("minItems") or 0)
    while len(values) < least:
        values.append(_fill(items, root, facts, name, None, depth + 1))
    return values[: int(schema["maxItems"])] if "maxItems" in schema else values


def _members(
    items: Mapping[str, Any], root: Any, facts: Facts, name: str, record: Mapping[str, Any] | None, depth: int
) -> list[Any]:
    topic = topic_of(name)
    plain = items.get("type", "string") == "string" and not {"enum", "const", "anyOf", "oneOf", "allOf"} & items.keys()
    inner = record.get(topic or "", record.get(name)) if record else None
    if plain and isinstance(inner, list | tuple):
        return [str(value) for value in inner]
    if plain and topic is not None and topic in facts.lists:
        return list(facts.lists[topic])
    listed = facts.records.get(topic or "") or facts.records.get(facts.main) or ()
    if plain:
        return [str(entry.get("text") or entry.get("value") or "") for entry in listed]
    is_object = "properties" in items or items.get("type") == "object"
    return [_fill(items, root, facts, "", entry, depth + 1) for entry in listed] if is_object else []


def _string(schema: Mapping[str, Any], name: str, facts: Facts, record: Mapping[str, Any] | None) -> str:
    topic = topic_of(name)
    value = _from_record(name, topic, record)
    if value is None and record is None and topic is not None:
        listed = facts.lists.get(topic) or ()
        value = facts.single.get(topic, ", ".join(listed) if listed else None)
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    text = (
        str(value) if value is not None else _FORMATS.get(str(schema.get("format")), "" if record else facts.fallback)
    )
    text = text.ljust(int(schema.get("minLength") or 0), ".")
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text


def _from_record(name: str, topic: str | None, record: Mapping[str, Any] | None) -> Any:
    if record is None:
        return None
    for word in (name, topic or "", *_SAME.get(name.lower(), ()), *_SAME.get(topic or "", ())):
        if word in record and record[word] not in (None, []):
            return record[word]
    return None


_SAME: Final[dict[str, tuple[str, ...]]] = {
    # What a record's member may be called by others.
    "category": ("kind", "type"), "text": ("value",), "value": ("text",), "rule": ("text",), "rules": ("text",),
    "quote": ("text", "value"), "sentence": ("text",), "sentences": ("text",), "match": ("value",),
    "entity": ("value",), "summary": ("text",), "title": ("kind",), "modality": ("kind",), "severity": ("kind",),
    "findings": ("value",), "name": ("kind",), "statement": ("text",), "condition": ("deadline",),
    "dates": ("deadline",), "pii": ("value",), "evidence": ("text", "value"), "label": ("kind",),
    "answer": ("text", "value"),
}  # fmt: skip


def _number(
    schema: Mapping[str, Any], kind: str, name: str, facts: Facts, record: Mapping[str, Any] | None
) -> float | int:
    topic = topic_of(name)
    value = _from_record(name, topic, record)
    if value is None and re.search(r"amount|total|price|sum|fee|cost|value", name.lower()) and topic != "count":
        value = max((_amount(text) for text in facts.lists.get("amounts") or ()), default=None)
    if value is None:
        value = facts.single.get(topic or "", facts.single.get("number", 0))
    if isinstance(value, bool) or not isinstance(value, int | float):
        digits = re.search(r"-?\d+(?:\.\d+)?", str(value).replace(",", ""))
        value = float(digits.group()) if digits else 0
    if kind == "integer":
        value = round(value)
    low, high = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if low is None and above is not None:
        low = above + 1
    number: float | int = value if low is None else max(value, low)
    return number if high is None else min(number, high)


def _amount(text: str) -> float:
    """The number in an amount, whichever of comma and point parts its decimals."""
    digits = re.sub(r"[^\d.,]", "", text).strip(".,")
    cents = re.search(r"[.,](\d{1,2})$", digits)
    whole = re.sub(r"\D", "", digits[: cents.start()] if cents else digits)
    return float(f"{whole or 0}.{cents.group(1) if cents else 0}")


def _nullable(schema: Mapping[str, Any], root: Any) -> bool:
    kinds = [schema.get("type"), *[_resolved(option, root).get("type") for option in schema.get("anyOf") or ()]]
    return any(kind == "null" or (isinstance(kind, list) and "null" in kind) for kind in kinds)


def _boolean(name: str, facts: Facts, record: Mapping[str, Any] | None) -> bool:
    value = _from_record(name, topic_of(name), record)
    if isinstance(value, bool):
        return value
    return bool(facts.single.get(topic_of(name) or "", False)) or any(
        name.lower().endswith(topic.rstrip("s")) and bool(listed) for topic, listed in facts.lists.items()
    )


def _chosen(options: Sequence[Any], name: str, facts: Facts, record: Mapping[str, Any] | None) -> Any:
    words = [option for option in options if isinstance(option, str)]
    wanted = _from_record(name, topic_of(name), record) if record else None
    for candidate in (wanted, record.get("kind") if record else None):
        fitting = _similar(str(candidate), words) if candidate else None
        if fitting is not None:
            return fitting
    if record is None:
        picked = facts.single.get("choose")
        if callable(picked) and words:
            return picked(words)
    fallback = next((word for word in words if word.lower() in ("other", "unknown", "none")), None)
    return fallback if fallback is not None else options[0]


def _similar(wanted: str, options: Sequence[str]) -> str | None:
    def plain(text: str) -> str:
        return re.sub(r"[^a-z]", "", text.lower())

    target = plain(wanted)
    exact = next((option for option in options if plain(option) == target), None)
    if exact is not None:
        return exact
    return next((option for option in options if target and (plain(option) in target or target in plain(option))), None)


def _resolved(schema: Any, root: Any, depth: int = 0) -> Mapping[str, Any]:
    if not isinstance(schema, Mapping):
        return {}
    reference = schema.get("$ref")
    if not isinstance(reference, str) or depth > MAX_DEPTH:
        return schema
    target: Any = root
    for piece in reference.lstrip("#/").split("/") if reference != "#" else ():
        target = target.get(piece, {}) if isinstance(target, Mapping) else {}
    return _resolved(target, root, depth + 1)


def _merged(schema: Mapping[str, Any], root: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for piece in schema["allOf"]:
        inner = dict(_resolved(piece, root))
        merged["properties"] = {**merged.get("properties", {}), **inner.pop("properties", {})}
        merged["required"] = [*merged.get("required", []), *inner.pop("required", [])]
        merged = {**inner, **merged}
    if not merged["properties"]:
        del merged["properties"], merged["required"]
    return merged
