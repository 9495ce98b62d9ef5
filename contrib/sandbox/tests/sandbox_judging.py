"""Help for the two judges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def unknown_members(value: Any, path: str = "") -> set[str]:
    """The members of a parsed answer that the SDK's models do not name, as paths."""
    if isinstance(value, BaseModel):
        own = {_joined(path, name) for name in value.model_extra or {}}
        inner = [unknown_members(getattr(value, name, None), _joined(path, name)) for name in type(value).model_fields]
        return own.union(*inner)
    if isinstance(value, list):
        return set().union(*[unknown_members(item, f"{path}[]") for item in value])
    return set()


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def corpus() -> Path:
    """The folder of recordings: BYOLLM_CORPUS, or `shared/corpus` beside the clone. StopIteration without one."""
    named = os.environ.get("BYOLLM_CORPUS")
    if named:
        return Path(named)
    candidates: Iterator[Path] = (folder / "shared" / "corpus" for folder in Path(__file__).resolve().parents)
    return next(folder for folder in candidates if folder.is_dir())
