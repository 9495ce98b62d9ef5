"""Patterns of host names, label by label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9_*]([a-z0-9_*-]*[a-z0-9_*])?\Z")
_PRIVATE: Final = frozenset({"corp", "home", "internal", "intranet", "lan", "local", "localhost", "private", "test"})
"""Last labels that belong to nobody on the public network."""


def plain(host: str) -> str:
    """A host name as it is compared: small letters, no final dot, no brackets, no port."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, mark, port = text.rpartition(":")
    if mark and port.isdecimal() and ":" not in name:
        text = name
    return text.removesuffix(".")


def problem(pattern: str) -> str:
    """Why a text cannot be a pattern; empty when it can."""
    text = pattern.strip().lower()
    if "/" in text or "@" in text:
        return "is a URL; a pattern is a host name"
    if _is_address(text.strip("[]")):
        return ""
    if ":" in text:
        return "names a port; a pattern is a host name"
    labels = text.removesuffix(".").split(".")
    if not all(_LABEL.match(label) for label in labels):
        return "is no host name (letters of other scripts are written as `xn--…`)"
    if not any("*" not in label for label in labels):
        return "would let every host in"
    private = len(labels) == 2 and labels[0] == "*" and labels[1] in _PRIVATE
    if any("*" in label for label in labels[-2:]) and not private:
        return "leaves the owner of the name open: write its last two labels out"
    return ""


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    labels = plain(pattern).split(".")
    first = [r"(?:[^.]+\.)*[^.]+"] if labels[0] == "*" and len(labels) > 1 else []
    rest = labels[1:] if first else labels
    return re.compile(r"\.".join([*first, *(re.escape(label).replace(r"\*", "[^.]*") for label in rest)]) + r"\Z")


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Does one of the patterns let the host in?

    `*.example.com` lets in every name below `example.com`, at any depth, and not `example.com` itself; a `*` inside a
    label (`eu-*.example.com`) stays inside it. Everything else is compared letter by letter.
    """
    name = plain(host)
    return any(name == pattern or bool(_compiled(pattern).match(name)) for pattern in patterns)


def meet(first: str, second: str) -> bool:
    """Is there a host name that both patterns let in?"""
    (one, deep), (other, other_deep) = _parts(first), _parts(second)
    if not deep and not other_deep and len(one) != len(other):
        return False
    if (deep and not other_deep and len(other) <= len(one)) or (other_deep and not deep and len(one) <= len(other)):
        return False
    pairs = zip(reversed(one), reversed(other), strict=False)
    return all(_labels_meet(left, right) for left, right in pairs)


def _parts(pattern: str) -> tuple[list[str], bool]:
    """The labels of a pattern, and whether any number of others may stand in front."""
    labels = plain(pattern).split(".")
    deep = labels[0] == "*" and len(labels) > 1
    return (labels[1:] if deep else labels), deep


def _labels_meet(left: str, right: str) -> bool:
    """Is there a label that both let in, each `*` standing for any letters?"""
    if not left or not right:
        return not (left or right).strip("*")
    if left[0] == "*":
        return _labels_meet(left[1:], right) or _labels_meet(left, right[1:])
    if right[0] == "*":
        return _labels_meet(right, left)
    return left[0] == right[0] and _labels_meet(left[1:], right[1:])
