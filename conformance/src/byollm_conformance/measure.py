"""Work, counted: calls made and bytes asked for. Never by a clock, so that a busy machine changes nothing."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any, Final

CLOCKS: Final = frozenset(
    {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime", "ctime",
     "strftime", "now", "utcnow", "today"}
)  # fmt: skip
CHANCE: Final = frozenset({"urandom", "getrandom", "random", "getrandbits", "randbytes"})
"""Functions of C, by their names, that answer otherwise each time."""


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


def asked(function: Callable[[], Any], wanted: Callable[[], bool]) -> list[str]:
    """Clocks and sources of chance that are asked during a call, while `wanted` says yes."""
    found: list[str] = []

    def seen(frame: Any, event: str, argument: Any) -> None:
        if event == "c_call" and argument.__name__ in _NAMES and wanted() and not _ours(frame):
            owner = getattr(argument, "__module__", None) or type(getattr(argument, "__self__", None)).__name__
            found.append(f"{owner}.{argument.__name__}")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        function()
    finally:
        sys.setprofile(before)
    return sorted(set(found))


def _ours(frame: Any) -> bool:
    """hypothesis times the garbage collector, which runs whenever it likes."""
    return str(frame.f_globals.get("__name__", "")).startswith("hypothesis")


_NAMES: Final = CLOCKS | CHANCE
