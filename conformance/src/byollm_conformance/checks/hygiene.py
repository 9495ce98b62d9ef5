"""MET and SEC: what a plugin does beside translating, which is nothing."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Mapping
from typing import Any, Final

from byollm_conformance import guard
from byollm_conformance.effort import Effort
from byollm_conformance.exercise import ANSWER, PROMPT, day
from byollm_conformance.guard import GUARD
from byollm_conformance.model import Broken, Untestable, check
from byollm_conformance.subject import Subject

CLEAN: Final[Mapping[str, Any]] = {
    "milliseconds": 0.0, "touched": [], "environment": [], "changed": [], "patched": [], "heavy": [], "printed": "",
}  # fmt: skip
"""The facts of an import that did nothing but import."""


def _facts(subject: Subject) -> Mapping[str, Any]:
    if subject.facts is None:
        raise Untestable("nobody watched the import: it is watched in the child process of `byollm conform`")
    return subject.facts


@check(
    "MET-02",
    "MUST",
    "Importing the plugin touches nothing: no network, no file but its own code, no process, no thread, no signal "
    "handler, no global state, nothing of the core replaced.",
    spec="spec/security.md#1",
    layer="L0",
    plugin=True,
)
def import_touches_nothing(subject: Subject, effort: Effort) -> None:
    """By an audit hook and by comparing the process before and after."""
    facts = _facts(subject)
    for name, words in (("touched", "touched"), ("changed", "changed the process's"), ("patched", "replaced")):
        if facts[name]:
            raise Broken(f"importing the plugin {words} {', '.join(facts[name][:5])}", all=facts[name])


@check(
    "MET-03",
    "MUST",
    "Importing the plugin reads no environment variable.",
    spec="spec/security.md#2",
    layer="L0",
    plugin=True,
)
def import_reads_no_environment(subject: Subject, effort: Effort) -> None:
    """By an environment that listens."""
    names = _facts(subject)["environment"]
    if names:
        raise Broken(f"importing the plugin reads {', '.join(names[:5])}")


@check(
    "MET-04",
    "SHOULD",
    "Importing the plugin brings no vendor SDK and no heavy library.",
    spec="spec/config.md#8",
    layer="L0",
    plugin=True,
)
def import_is_light(subject: Subject, effort: Effort) -> None:
    """By the modules that are there afterwards; never by a clock."""
    heavy = _facts(subject)["heavy"]
    if heavy:
        raise Broken(f"importing the plugin imports {', '.join(heavy)}")


@check(
    "MET-10",
    "MUST",
    "No hook, reader or `fail` of the plugin opens a socket or a file, sleeps, starts a process or reads the "
    "environment.",
    spec="spec/security.md#3",
    layer="L0",
)
def hooks_are_pure(subject: Subject, effort: Effort) -> None:
    """A day's work under the audit hook."""
    if subject.local:
        return  # an in-process model may read its own files
    GUARD.install()
    start = len(GUARD.during)
    for outcome in day(subject.fresh()):
        subject.count(1 if outcome is not None else 0)
    seen = GUARD.during[start:]
    if seen:
        raise Broken(f"while translating or reading, the plugin did {seen[0]}", all=seen)


@check(
    "MET-15",
    "MUST",
    "The plugin writes nothing to standard output or standard error.",
    spec="spec/security.md#4",
    layer="L0",
)
def prints_nothing(subject: Subject, effort: Effort) -> None:
    """While it was imported, over a day's work, and during all other checks."""
    if subject.facts is not None and subject.facts["printed"]:
        raise Broken("importing the plugin prints", printed=subject.facts["printed"])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        subject.count(len(day(subject.fresh())))
    printed = out.getvalue() + err.getvalue()
    if printed:
        raise Broken("the plugin prints", printed=printed)


@check(
    "MET-16",
    "MUST",
    "The plugin replaces nothing of the core, and leaves the process as it was.",
    spec="spec/security.md#5",
    layer="L0",
)
def leaves_the_core_alone(subject: Subject, effort: Effort) -> None:
    """Functions and classes of the core before and after a day's work."""
    if subject.local:
        subject.count(len(day(subject.fresh())))  # what is imported lazily is there now, and an executor's thread
    before, was = guard.fingerprint(), guard.state()
    subject.count(len(day(subject.fresh())))
    replaced, now = guard.patched(before, guard.fingerprint()), guard.state()
    if replaced:
        raise Broken(f"the plugin replaced {', '.join(replaced[:5])}")
    changed = [name for name, value in was.items() if now[name] != value]
    if changed:
        raise Broken(f"the plugin changed the process's {', '.join(changed)}")


@check(
    "SEC-07",
    "MUST",
    "At the usual log levels (INFO and above) neither prompts nor answers are logged.",
    spec="spec/security.md#9",
)
def content_is_not_logged(subject: Subject, effort: Effort) -> None:
    """Every logger's records over a day's work."""
    with recorded_logs() as records:
        subject.count(len(day(subject.fresh())))
    for record in records:
        words = record.getMessage()
        if record.levelno >= logging.INFO and (PROMPT in words or ANSWER in words):
            raise Broken(f"logger {record.name} at {record.levelname} tells what was said", record=words)


@contextlib.contextmanager
def recorded_logs() -> Any:
    """Everything logged anywhere at any level, as records."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler, level = Keep(), logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        logging.root.removeHandler(handler)
        logging.root.setLevel(level)
