"""The certificate's own schema; a test validates real certificates by it."""

from __future__ import annotations

from typing import Any, Final

from byollm.types.capabilities import Support

_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_STATES: Final = {"type": "object", "additionalProperties": {"enum": ["pass", "fail", "unknown", "unsupported",
                                                                     "not_implemented"]}}  # fmt: skip

_CHECK: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "api", "keyword", "layer", "outcome", "expected", "scored", "examples", "ms", "spec"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}[a-z]?$"},
        "api": _TEXT,
        "keyword": {"enum": ["MUST", "SHOULD", "MAY"]},
        "layer": {"enum": ["L0", "L1"]},
        "outcome": {"enum": ["pass", "fail", "warn", "n/a", "untestable", "error"]},
        "expected": {"type": "boolean"},
        "scored": {"type": "boolean"},
        "examples": _WHOLE,
        "ms": {"type": "number"},
        "spec": _TEXT,
        "message": _TEXT,
        "reason": _TEXT,
        "evidence": {"type": "object", "additionalProperties": _TEXT},
    },
    "additionalProperties": False,
}

_API: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["api", "model", "twin", "profiles", "capabilities_declared"],
    "properties": {
        "api": _TEXT,
        "model": _TEXT,
        "twin": {
            "type": "object",
            "required": ["dialect", "source", "lacks", "reserved"],
            "properties": {
                "lacks": {"type": "array", "items": _TEXT},
                "reserved": {"type": "array", "items": _TEXT},
                "dialect": _TEXT,
                "source": {"enum": ["generic", "self-supplied", "recorded", "none"]},
            },
            "additionalProperties": False,
        },
        "profiles": _STATES,
        "capabilities_declared": {
            "type": "object",
            "additionalProperties": {"enum": [item.value for item in Support]},
        },
    },
    "additionalProperties": False,
}

CERTIFICATE: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:byollm:schema:certificate:1",
    "title": "What `byollm conform` found",
    "type": "object",
    "required": [
        "schema", "spec", "requirements_sha256", "suite", "core", "python", "platform", "seed", "max_examples",
        "plugin", "apis", "profiles", "checks", "totals", "expected_failures", "problems", "seconds", "result",
        "issued",
    ],
    "properties": {
        "schema": {"const": "urn:byollm:conformance:1"},
        "spec": _WHOLE,
        "requirements_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "suite": _TEXT,
        "core": _TEXT,
        "python": _TEXT,
        "platform": _TEXT,
        "seed": {"type": "integer"},
        "max_examples": {"type": "integer", "minimum": 1},
        "plugin": {
            "type": "object",
            "required": ["dist", "version", "files_sha256", "entry_point"],
            "properties": {
                "dist": {"type": ["string", "null"]},
                "version": {"type": ["string", "null"]},
                "files_sha256": {"type": ["string", "null"]},
                "entry_point": _TEXT,
            },
            "additionalProperties": False,
        },
        "apis": {"type": "array", "items": _API},
        "profiles": _STATES,
        "checks": {"type": "array", "items": _CHECK},
        "totals": {
            "type": "object",
            "required": ["examples"],
            "properties": {
                "examples": _WHOLE,
                **{name: {"type": "object", "additionalProperties": _WHOLE} for name in ("must", "should", "may")},
            },
            "additionalProperties": False,
        },
        "expected_failures": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "api", "reason", "expires"],
                "properties": {
                    "id": _TEXT,
                    "api": {"type": ["string", "null"]},
                    "reason": _TEXT,
                    "expires": {"type": "string", "format": "date"},
                },
                "additionalProperties": False,
            },
        },
        "problems": {"type": "array", "items": _TEXT},
        "seconds": {"type": "number"},
        "result": {"enum": ["conformant", "partial", "expected-failures", "not-conformant", "suite-error"]},
        "issued": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": False,
}  # fmt: skip
"""What `certificate.certificate` writes."""
