"""All checks. Every module of this package is imported by `load()`; each registers its checks where it defines them."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from byollm_conformance.model import REGISTRY, Check

FIRST: Final = ("packaging", "hygiene", "imports", "capabilities", "limits", "secrets")
"""Modules whose checks come first, in this order; then the others by name."""


def load() -> dict[str, Check]:
    """The registry, filled."""
    found = [module.name for module in iter_modules(__path__)]
    for name in sorted(found, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)):
        import_module(f"{__name__}.{name}")
    return REGISTRY
