"""The table of exceptions has a word for every one that the libraries can raise."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

from byollm.transports.base import Limits, Timeouts
from byollm.transports.failures import FAILURES, known, seen
from byollm.transports.progress import Progress, Stop


def exceptions_of(library: ModuleType) -> set[type[Exception]]:
    """Every exception class of a library, the exported ones and whatever derives from them."""
    found = {it for it in vars(library).values() if isinstance(it, type) and issubclass(it, Exception)}
    waiting = list(found)
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child.__module__.partition(".")[0] == library.__name__ and child not in found:
                found.add(child)
                waiting.append(child)
    return found


@pytest.mark.parametrize("name", ["httpcore", "httpcore2", "httpx", "httpx2"])
def test_none_is_forgotten(name):
    """Each exception class of the library stands in the table under its own name."""
    found = exceptions_of(import_module(name))

    assert len(found) > 10
    assert [] == sorted(it.__name__ for it in found if it.__name__ not in FAILURES)


@pytest.mark.parametrize(
    "error, kind",
    [
        (ConnectionRefusedError(), "connect"),
        (ConnectionResetError(), "reset"),
        (TimeoutError(), "timeout_idle"),
        (OSError(), "reset"),
        (ZeroDivisionError(), "protocol"),
    ],
)
def test_anything_else(error, kind):
    """An exception that no table names is known by its nearest base."""
    assert kind == known(error).kind


def test_no_text_of_the_library():
    """What an exception says stays with it: it may quote a header."""
    import httpcore

    broken = known(httpcore.LocalProtocolError("Illegal header value b'Bearer sk-CANARY'"))

    assert "CANARY" not in repr(broken)


def test_refused_certificate_is_not_sent():
    """A peer that refuses our certificate after the handshake never saw the request."""
    progress = Progress(Timeouts(), Limits(), None)
    progress.begin_sending()
    progress.begin_waiting(complete=True)

    assert "no" == seen(Stop("tls"), progress).sent
    assert "yes" == seen(Stop("reset"), progress).sent
