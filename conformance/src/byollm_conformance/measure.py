"""Work, counted: calls made and bytes asked for. Never by a clock, so that a busy machine changes nothing."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any


def calls(function: Callable[[], Any]) -> int:
    """How many calls of Python and C functions a call makes."""
    count = 0

    def seen(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def memory(steps: Iterable[Callable[[], Any]]) -> int:
    """How many bytes steps ask for at their peaks, added up: what is copied again in each step counts each time."""
    total = 0
    running = tracemalloc.is_tracing()
    gc.disable()
    if not running:
        tracemalloc.start()
    try:
        for step in steps:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            step()
            total += tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
        gc.enable()
    return total
