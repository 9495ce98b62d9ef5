"""The pytest side: a line at the end that says what each plugin may call itself, and how long it took."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each plugin that was run, and every n/a with its reason."""
    from byollm_conformance import show

    for session in sessions(terminalreporter.config):
        report = session.report
        counted: dict[str, int] = {}
        for result in report.results:
            counted[result.outcome] = counted.get(result.outcome, 0) + 1
        told = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
        terminalreporter.write_line(f"conformance: {session.name}: {told} in {report.seconds:.1f} s")
        for result in report.results:
            if result.outcome == "warn":
                terminalreporter.write_line(f"  warn {result.id} {result.api}: {result.message}")
        for line, _ in show.not_applicable(report):
            terminalreporter.write_line(f"  {line}".rstrip())


def sessions(config: Any) -> list[Any]:
    """The plugins that were run in this session."""
    found = getattr(config, "_byollm_sessions", [])
    return [session for session in found if session.was_run]


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Remember the plugins under test."""
    from byollm_conformance.sessions import Session

    known: list[Session] = []
    for item in items:
        session = getattr(getattr(item, "callspec", None), "params", {}).get("provider")
        if isinstance(session, Session) and session not in known:
            known.append(session)
    config._byollm_sessions = known
