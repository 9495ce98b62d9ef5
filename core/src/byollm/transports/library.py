"""httpcore or httpcore2, imported at the first send and kept from writing what it sees into a log."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

Library = Any
"""The module `httpcore`, or its continuation `httpcore2`: the same names, the same shapes."""

LibraryName = Literal["httpcore", "httpcore2"]


def _is_not_ours(record: logging.LogRecord) -> bool:
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(__package__ or "byollm.transports"):
            return False
        frame = frame.f_back  # type: ignore[assignment]  # None at the bottom of the stack
    return True


@lru_cache(maxsize=2)
def load(name: LibraryName) -> Library:
    """The library.

    At DEBUG it logs the headers of every response, and a provider may echo a key in one. What it would log of byollm's
    calls is dropped; of everybody else's it is not, and nothing is asked when DEBUG is off.
    """
    library: Library
    if name == "httpcore":
        import httpcore as library  # comes with httpx
    else:
        library = import_module(name)
    for part in ("connection", "http11"):
        logging.getLogger(f"{name}.{part}").addFilter(_is_not_ours)
    return library
