"""What went wrong, on one screen that ends with the line that mends it. Never a traceback, never a key."""

from __future__ import annotations

import re
from typing import Any, Final

from byollm.errors import ByollmError, ConfigError

MOST_LINES: Final = 12
MOST_CHARACTERS: Final = 600
MOST_ATTEMPTS: Final = 6


class UsageFault(Exception):
    """The words on the command line make no sense: exit code 2. `hint` is the line that mends it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Failed(Exception):
    """A command could not do its job for a reason that is no ByollmError: exit code 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def surprise(error: Exception) -> Failed:
    """Something nobody foresaw. Its text is not shown, because nobody knows what is in it; its place is.

    The text of an ImportError holds names of modules only, and a broken installation is mended by knowing them.
    """
    place, trace = "", error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        place, trace = f" in {module}, line {trace.tb_lineno}", trace.tb_next
    hint = "this is a mistake in the program, please report it; BYOLLM_DEBUG=1 shows the traceback"
    told = f": {error}" if isinstance(error, ImportError) else ""
    return Failed(f"{type(error).__name__}{place}{told}", hint)


_HERE: Final = {
    "InvalidRequestError": "`byollm complete --dry-run …` shows the request, `byollm capabilities` the model's limits",
    "StreamInterruptedError": "what had come stands above: ask again, or list another deployment under `failover:`",
}
"""The mend of some classes in the words of the command line; everywhere else it speaks to a program."""

_MENDS: Final = {
    "UnknownParameterError": "`byollm complete --help` lists the parameters",
    "ConfigError": "`byollm check` looks at the whole configuration",
    "PluginError": "`byollm providers --load` shows what is installed, and what is broken",
    "UnsupportedFeatureError": "leave it out, or choose another model: `byollm capabilities` shows what each takes",
    "OutputInvalidError": "raise --max-tokens, simplify the schema, or ask again",
    "NoRouteError": "add a deployment that may take this call",
    "CancelledError": "ask again",
    "ByollmError": "`byollm doctor` looks at everything between here and the provider",
}
"""The mend of last resort, by class: for an error that brings none of its own."""

_SAY = re.compile(r'\bsay (task|deployment|tenant)="([^"]*)"')


def mend_of(error: ByollmError) -> str:
    """The line that mends an error: its own, else the one of its class."""
    usual = getattr(type(error), "default_hint", "")
    if error.hint and error.hint != usual:
        return _SAY.sub(r"say --\1 \2", error.hint)
    here = _HERE.get(type(error).__name__) or error.hint
    if type(error) is ConfigError and error.file is None:  # it was said on the command line, not written in a file
        here = here or "the command's --help tells what each option takes"
    names = (kind.__name__ for kind in type(error).__mro__)
    return here or next((_MENDS[name] for name in names if name in _MENDS), "")


def sentence_of(error: ByollmError) -> str:
    """What happened, without the mend."""
    text = str(error)
    return text.removesuffix(f"\n  {error.hint}") if error.hint else text


def _cut(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"


def lines_of(error: ByollmError) -> list[str]:
    """The screen: what happened, what was tried, what mends it."""
    told = [_cut(line) for line in sentence_of(error).splitlines()] or [type(error).__name__]
    lines = [*told[:MOST_LINES], *(["…"] if len(told) > MOST_LINES else [])]
    skipped = list(getattr(error, "skipped", {}).items())
    lines += [
        f"  {name} was skipped: {reason}"
        for name, reason in skipped[:MOST_ATTEMPTS]
        if _cut(f"  {name}: {reason}") not in told
    ]
    lines += [f"  {problem}" for problem in list(getattr(error, "problems", ()))[:MOST_ATTEMPTS]]
    if len(error.attempts) > 1:
        lines += [f"  tried {_cut(str(attempt))}" for attempt in error.attempts[:MOST_ATTEMPTS]]
        more = len(error.attempts) - MOST_ATTEMPTS
        lines += [f"  and {more} more"] if more > 0 else []
    wait = getattr(error, "retry_after", None)
    lines += [f"  the provider asks to wait {wait:g} s"] if wait is not None else []
    return [*lines, f"  {mend_of(error)}"]


def document_of(error: ByollmError | UsageFault | Failed) -> dict[str, Any]:
    """The error as `--json` prints it."""
    if not isinstance(error, ByollmError):
        kind = "usage" if isinstance(error, UsageFault) else "failed"
        return {"error": {"type": kind, "message": error.message, "mend": error.hint}}
    names: tuple[str, ...] = (
        "status",
        "code",
        "retry_after",
        "request_id",
        "provider",
        "model",
        "deployment",
        "sent",
        "billed",
    )
    names += ("file", "line", "column", "field")
    facts = {name: getattr(error, name) for name in names if getattr(error, name, None) not in (None, "")}
    found = {"type": type(error).__name__, "message": error.message, "mend": mend_of(error), **facts}
    if error.attempts:
        found["attempts"] = [str(attempt) for attempt in error.attempts]
    if getattr(error, "skipped", None):
        found["skipped"] = dict(error.skipped)  # type: ignore[attr-defined]  # only NoRouteError has it
    return {"error": found}
