"""Running a check on a subject, in this process. The runner does it in a child; the zoo does it here."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from byollm.errors import ByollmError, ConfigError
from byollm.types.capabilities import Support
from byollm_conformance.effort import Effort
from byollm_conformance.mirror import HINTS, prove
from byollm_conformance.model import Broken, Check, Outcome, Result, Unsaid, Untestable, Warned
from byollm_conformance.profiles import IN_PROCESS
from byollm_conformance.recorded import LEAST, Unsayable
from byollm_conformance.subject import Subject

EXCERPT: Final = 2_000
"""How many characters of one piece of evidence are kept."""


_KINDS: Final[Mapping[str, str]] = {
    "wire": IN_PROCESS,
    "local": "an API over a wire is no in-process model: it was asked in every way, and something was to be sent",
    "batch": "the plugin has no batches: its hook, asked again and again, always said so, or is not there",
    "recordings": "no recorded exchanges were given (--exchanges), and the wire can be rendered without",
}


def run(check: Check, subject: Subject, effort: Effort) -> Result:
    """The outcome of one check. Nothing escapes but KeyboardInterrupt."""
    subject.examples = 0
    start = time.perf_counter()
    result = Result(check.id, "pass", "" if check.plugin else subject.api)
    try:
        if not _not_applicable(check, subject, result):
            check.function(subject, effort)
    except Unsayable as unsayable:
        _unsayable(subject, result, unsayable)
    except Unsaid as unsaid:
        result.outcome, result.reason = "n/a", f"{unsaid.sentence}, as the other end's own bytes show"
    except Broken as broken:
        result.outcome, result.message = _outcome(check, broken), broken.sentence
        result.evidence = {name: excerpt(value) for name, value in broken.evidence.items()}
    except SystemExit as error:
        result.outcome, result.message = "fail", f"the plugin tried to end the process (SystemExit {error.code})"
    except MemoryError:
        result.outcome, result.message = "fail", "the plugin used up all the memory it may have"
    except ConfigError as error:
        result.outcome, result.message = "fail", unaskable(error)
        result.evidence = {"hint": error.hint} if error.hint else {}
    except ByollmError as error:
        result.outcome = "fail"
        result.message = f"{type(error).__name__} where none was due: {error.message}"
        result.evidence = {"where": _tail(error)}
    except Exception as error:
        result.outcome = "error"
        result.message = f"the suite itself failed: {type(error).__name__}: {error}"
        result.evidence = {"where": _tail(error)}
    result.examples = max(1, subject.examples) if result.outcome != "n/a" else 0
    result.milliseconds = round((time.perf_counter() - start) * 1e3, 1)
    return result


def _outcome(check: Check, broken: Broken) -> Outcome:
    if isinstance(broken, Untestable):
        return "untestable"
    return "fail" if check.keyword == "MUST" and not isinstance(broken, Warned) else "warn"


def _not_applicable(check: Check, subject: Subject, result: Result) -> bool:
    """Whether a declared `unsupported`, proven, takes the check out. A lie raises Broken."""
    refused = [name for name in check.needs if subject.support(name).refused]
    if not refused:
        return False
    for name in refused:
        if subject.support(name) is Support.not_implemented:
            raise Untestable(f"{name} is declared not_implemented: what is not built yet cannot be conformant")
        prove(subject, name)
    known = [_KINDS[name] for name in refused if name in _KINDS]
    asked = ", ".join(name for name in refused if name not in _KINDS)
    how = "left out, and the caller told" if set(refused) <= HINTS.keys() else "refused before any byte left"
    proof = f"{asked} declared unsupported; shown by {check.mirror}: {how}"
    result.outcome = "n/a"
    result.reason = known[0] if known else proof
    return True


def _unsayable(subject: Subject, result: Result, unsayable: Unsayable) -> None:
    """A recorded wire cannot show this. Enough recordings of enough kinds stand in for it; fewer do not."""
    recordings = subject.recordings
    kinds = {("error" in item.expect, item.stream) for item in recordings}
    missing = [
        words
        for words, held in (
            (f"{LEAST} recordings (there are {len(recordings)})", len(recordings) >= LEAST),
            ("a whole answer", (False, False) in kinds),
            ("a stream", (False, True) in kinds or subject.support("streaming").refused),
            ("a refusal", any(error for error, _ in kinds)),
        )
        if not held
    ]
    if missing:
        result.outcome = "untestable"
        result.message = (
            f"{unsayable.sentence}, and too little was recorded to stand in: wanted are {', '.join(missing)}"
        )
    else:
        result.outcome = "n/a"
        result.reason = f"{unsayable.sentence}; {len(recordings)} recordings stand in (REC-01, REC-02)"


def unaskable(error: ConfigError) -> str:
    """A target that the plugin refuses: often its own keys are missing."""
    return f"its target is refused: {error.message} (`options` in conformance.yaml may say more)"


def _tail(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)[-3:])[-EXCERPT:]


def excerpt(value: Any) -> str:
    """A piece of evidence as text: bytes as they are printed, a request by what differs from its defaults."""
    if isinstance(value, bytes):
        text = repr(value)[2:-1]
    elif isinstance(value, str):
        text = value
    elif type(value).__name__ == "Request":
        text = f"Request({_said(value)})"
    else:
        text = _plain(value)
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"


def _said(request: Any) -> str:
    values = [repr(list(request.messages))]
    values += [
        f"{item.name}={getattr(request, item.name)!r}"
        for item in fields(request)
        if item.name != "messages" and getattr(request, item.name) is not item.default
    ]
    return ", ".join(values)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping | list) and not is_dataclass(value):
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):
            return repr(value)
    return repr(value)
