"""What each scenario's right answer is, and how the recorded facts are judged. Pure: no library, no twin, no socket."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.peers.scenarios import CALLS, TEXT, UNICODE, USAGE, WAIT

WORDS: Final[Mapping[str, str]] = {
    "right": "the right answer",
    "silent": "returned as if it were whole",
    "invented": "the provider never said it",
    "corrupted": "what the provider said is changed",
    "dropped": "lost without a word",
    "passed on": "the provider's fault reaches the program",
    "sent": "the mistake goes out",
    "untold": "the library has no word for it",
    "if asked": "right when an option asks for it",
    "header only": "waits; the seconds stand in the response's headers only",
    "no wait": "asks again before the time, or never",
    "no hint": "refused, without the right name",
    "no partial": "raised, without what had arrived",
    "typed wrong": "an own error of another class",
    "untyped": "one own class for everything",
    "raw error": "the error of a library below",
    "crash": "an exception that was not written for the caller",
    "markup": "the page's HTML in the message",
    "leaks key": "the key can be read in the error",
    "hangs": "no answer and no error in 40 s",
}
"""Every verdict, and what it means."""

BELOW: Final = frozenset({"openai", "httpx", "httpcore", "httpx2", "httpcore2"})
"""Packages whose errors are about the call, and belong to a library below the one that was called."""

CATEGORIES: Final[Mapping[str, str]] = {
    "interrupted": r"Interrupted|MidStream|Incomplete|Truncated",
    "quota": r"Quota|Billing|Payment",
    "rate limit": r"RateLimit",
    "context length": r"Context(Length|Window|Overflow)",
    "server": r"Server|BadGateway|Unavailable|Overloaded",
    "authentication": r"Authentication",
    "request": r"BadRequest|InvalidRequest|RequestRejected",
}
"""What the name of an error's class, or of one of its bases, says that it is about."""

KNOWN_FINISHES: Final = frozenset({"stop", "length", "tool_calls", "tool_call", "function_call", "content_filter"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was recorded of one scenario, as the rules read it. `own`: the library's packages."""

    own: tuple[str, ...] = ()
    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    deltas: tuple[Mapping[str, Any], ...] = ()
    finish: str | None = None
    raw_finish: str | None = None
    finish_exposed: bool = True
    usage: tuple[int | None, int | None] | None = None
    usage_asked: tuple[int | None, int | None] | None = None
    error: Mapping[str, Any] | None = None
    bodies: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[float, ...] = ()
    leaks: tuple[str, ...] = ()
    hung: bool = False
    died: bool = False

    @property
    def raised(self) -> bool:
        """It ended with an exception."""
        return self.error is not None

    @property
    def classes(self) -> list[str]:
        """The exception's class and its bases, with their modules."""
        return list(self.error["classes"]) if self.error else []

    @property
    def message(self) -> str:
        """The exception's text."""
        return str(self.error["text"]) if self.error else ""

    @property
    def owned(self) -> bool:
        """The exception's class is the library's own."""
        return bool(self.classes) and self.classes[0].partition(".")[0] in self.own

    @property
    def below(self) -> bool:
        """The exception's class is that of a library below, made for callers to catch."""
        return bool(self.classes) and self.classes[0].partition(".")[0] in BELOW

    @property
    def categories(self) -> set[str]:
        """What the exception is about, by the names of its classes."""
        names = " ".join(name.rpartition(".")[2] for name in self.classes)
        return {category for category, pattern in CATEGORIES.items() if re.search(pattern, names)}

    def attribute(self, *names: str) -> Any:
        """The first of these attributes that the exception has."""
        attributes = self.error["attributes"] if self.error else {}
        return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def read(recorded: Mapping[str, Any], own: tuple[str, ...]) -> Facts:
    """Recorded facts, as the JSON file has them, for the rules."""
    usage, again = recorded.get("usage"), recorded.get("asked", {}).get("usage")
    return Facts(
        own=tuple(own),
        text=recorded.get("text", ""),
        calls=tuple((call["name"], _arguments(call["arguments"])) for call in recorded.get("calls", ())),
        deltas=tuple(recorded.get("deltas", ())),
        finish=recorded.get("finish"),
        raw_finish=recorded.get("raw_finish"),
        finish_exposed=recorded.get("finish_exposed", True),
        usage=(usage[0], usage[1]) if usage else None,
        usage_asked=(again[0], again[1]) if again else None,
        error=recorded.get("error"),
        bodies=tuple(request["body"] or {} for request in recorded.get("requests", ())),
        gaps=tuple(recorded.get("gaps", ())),
        leaks=tuple(recorded.get("leaks", ())),
        hung="hung" in recorded,
        died="died" in recorded,
    )


def _arguments(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


Condition = Callable[[Facts], bool]
Rule = tuple[str, Condition]


def about(category: str) -> Condition:
    """The error's class says that it is about this."""
    return lambda facts: category in facts.categories


def _returned(facts: Facts) -> bool:
    return not facts.raised


def _crashed(facts: Facts) -> bool:
    return facts.raised and not facts.owned and not facts.below


def _always(facts: Facts) -> bool:
    return True


def _waited(facts: Facts) -> bool:
    # The clock of the measurement has steps of 10 ms.
    return bool(facts.gaps) and min(facts.gaps) >= 0.9 * WAIT


def _told_to_wait(facts: Facts) -> bool:
    return str(facts.attribute("retry_after")) in (str(WAIT), str(float(WAIT)))


def _in_header(facts: Facts) -> bool:
    return facts.error is not None and facts.error["retry_after_header"] == str(WAIT)


def _clean_server_error(facts: Facts) -> bool:
    return "server" in facts.categories and facts.attribute("status", "status_code") == 502


def _kept_unknown(facts: Facts) -> bool:
    return facts.finish_exposed and facts.finish in (None, "other", "unknown") and facts.raw_finish == "galaxy_brain"


def _misspelt_sent(facts: Facts) -> bool:
    return any("temprature" in body for body in facts.bodies)


WRONG_ERROR: Final[tuple[Rule, ...]] = (
    ("crash", _crashed),
    ("raw error", lambda facts: facts.below),
    ("untyped", lambda facts: facts.raised and not facts.categories),
    ("typed wrong", lambda facts: facts.raised),
)
"""How an error that is not the right one is called. None of these fits an answer that was returned."""

ANYWHERE: Final[tuple[Rule, ...]] = (("hangs", lambda facts: facts.hung), ("crash", lambda facts: facts.died))

RULES: Final[Mapping[int, tuple[Rule, ...]]] = {
    1: (
        ("right", lambda facts: about("interrupted")(facts) and bool(facts.error and facts.error["partial_in"])),
        ("no partial", about("interrupted")),
        ("invented", lambda facts: _returned(facts) and facts.finish is not None),
        ("silent", _returned),
        *WRONG_ERROR,
    ),
    2: (("right", about("quota")), ("silent", _returned), *WRONG_ERROR),
    3: (
        ("right", lambda facts: _returned(facts) and facts.calls == CALLS),
        *WRONG_ERROR,
        ("passed on", lambda facts: any(delta["index"] is None for delta in facts.deltas)),
        ("corrupted", _always),
    ),
    4: (
        ("right", lambda facts: facts.finish in ("tool_calls", "tool_call") and facts.calls == CALLS[:1]),
        *WRONG_ERROR,
        ("corrupted", lambda facts: facts.calls != CALLS[:1]),
        ("untold", lambda facts: not facts.finish_exposed),
        ("passed on", lambda facts: facts.finish == "stop"),
        ("invented", _always),
    ),
    5: (
        ("right", lambda facts: facts.usage == USAGE),
        *WRONG_ERROR,
        ("if asked", lambda facts: facts.usage is None and facts.usage_asked == USAGE),
        ("dropped", lambda facts: facts.usage is None),
        ("invented", _always),
    ),
    6: (
        ("silent", _returned),
        ("no wait", lambda facts: not _waited(facts)),
        ("right", lambda facts: about("rate limit")(facts) and _told_to_wait(facts)),
        ("header only", lambda facts: about("rate limit")(facts) and _in_header(facts)),
        ("untold", about("rate limit")),
        *WRONG_ERROR,
    ),
    7: (
        ("silent", _returned),
        ("leaks key", lambda facts: bool(facts.leaks)),
        ("right", about("authentication")),
        *WRONG_ERROR,
    ),
    8: (
        ("silent", _returned),
        ("markup", lambda facts: "<" in facts.message),
        ("right", _clean_server_error),
        *WRONG_ERROR,
    ),
    9: (("right", lambda facts: _returned(facts) and facts.text == UNICODE), *WRONG_ERROR, ("corrupted", _always)),
    10: (("right", about("context length")), ("silent", _returned), *WRONG_ERROR),
    11: (
        ("right", lambda facts: _returned(facts) and (facts.text, facts.finish) == ("", "content_filter")),
        *WRONG_ERROR,
        ("untold", lambda facts: not facts.finish_exposed),
        ("dropped", lambda facts: facts.finish is None),
        ("invented", _always),
    ),
    12: (
        ("right", lambda facts: _returned(facts) and facts.text == TEXT and _kept_unknown(facts)),
        *WRONG_ERROR,
        ("untold", lambda facts: not facts.finish_exposed),
        ("invented", lambda facts: facts.finish in KNOWN_FINISHES),
        ("passed on", lambda facts: facts.finish == "galaxy_brain"),
        ("dropped", _always),
    ),
    13: (
        ("sent", _misspelt_sent),
        ("dropped", lambda facts: _returned(facts) or bool(facts.bodies)),
        ("right", lambda facts: "temperature" in facts.message),
        ("no hint", _always),
    ),
}
"""For each scenario, the rules in order: the first that fits is the verdict."""

PLAIN_RULES: Final[Mapping[int, Condition]] = {
    -1: lambda facts: _returned(facts) and facts.text == TEXT,
    -2: lambda facts: _returned(facts) and facts.text == TEXT,
    -3: lambda facts: _returned(facts) and facts.calls == CALLS,
}
"""What an adapter must be able to do before it is believed."""


def verdict(number: int, facts: Facts) -> str:
    """The word for one scenario. Raises LookupError when no rule fits, which is a mistake in the rules."""
    for word, fits in (*ANYWHERE, *RULES[number]):
        if fits(facts):
            return word
    raise LookupError(f"no rule of scenario {number} fits {facts}")


def verdicts(measured: Mapping[str, Any]) -> dict[int, str]:
    """Every scenario's word for one library."""
    own = tuple(measured["own"])
    return {number: verdict(number, read(measured["scenarios"][str(number)], own)) for number in RULES}


def broken(measured: Mapping[str, Any]) -> list[int]:
    """The plain calls that an adapter fails."""
    own = tuple(measured["own"])
    return [number for number, fits in PLAIN_RULES.items() if not fits(read(measured["scenarios"][str(number)], own))]


__all__ = ["RULES", "WORDS", "Facts", "broken", "read", "verdict", "verdicts"]
