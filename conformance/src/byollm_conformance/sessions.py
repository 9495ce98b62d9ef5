"""A plugin in a pytest session: run once, asked many times."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import lru_cache

from byollm_conformance import checks, show
from byollm_conformance.effort import SEED, Effort
from byollm_conformance.expected import Expected, judge, read_expected
from byollm_conformance.model import Result
from byollm_conformance.runner import Plan, Report, Runner
from byollm_conformance.targets import FILE, Settings, find, packaged, settings_of


class Session:
    """One plugin: `want` the checks, then ask for what failed."""

    def __init__(
        self, name: str, effort: Effort, *, model: str | None, exchanges: str | None, wire: str | None
    ) -> None:
        self.name = name
        self.effort = effort
        self.model = model
        self.exchanges = exchanges
        self.wire = wire
        self._ids: tuple[str, ...] = ()
        self._report: Report | None = None
        self._expected: list[Expected] = []

    def __repr__(self) -> str:
        return f"Session({self.name!r})"

    @property
    def was_run(self) -> bool:
        """There is a report."""
        return self._report is not None

    def want(self, ids: Sequence[str]) -> None:
        """Which checks to run: all tests of the session are known before the first one runs. None: all."""
        if self._report is None:
            self._ids = tuple(dict.fromkeys(ids))

    @property
    def report(self) -> Report:
        """The results; the plugin is run when it is first asked for."""
        if self._report is None:
            reference = find(self.name)
            path = packaged(reference)
            settings = settings_of(path) if path else Settings()
            checks.load()
            self._expected = read_expected(settings.expected, settings.file or FILE)
            plan = Plan(
                reference,
                settings,
                self._ids,
                self.effort,
                model=self.model,
                exchanges=self.exchanges,
                wire=self.wire,
            )
            self._report = Runner(plan).run()
        return self._report

    @property
    def expected(self) -> list[Expected]:
        """The plugin's own expected failures."""
        _ = self.report
        return self._expected

    def results(self, id: str) -> list[Result]:
        """The results of one check, one for each API. A check without any result has not been run: that is a fail."""
        found = [result for result in self.report.results if result.id == id]
        return found or [Result(id, "untestable", message="it was not run")]

    def failures(self, id: str) -> list[str]:
        """What failed and was not expected to, as texts."""
        kept = judge(self.report.results, self.expected, datetime.date.today()).kept
        check = checks.load()[id]
        return [
            "\n".join(line for line, _ in show.result_lines(result, check, self.report, expected=False)).strip()
            for result in self.results(id)
            if result.bad and result not in kept
        ]


@lru_cache(maxsize=64)
def session_of(
    name: str,
    *,
    model: str | None = None,
    max_examples: int | None = None,
    seed: int | None = None,
    exchanges: str | None = None,
    wire: str | None = None,
) -> Session:
    """The one session of a plugin with these settings."""
    effort = Effort(max_examples or 200, SEED if seed is None else seed)
    return Session(name, effort, model=model, exchanges=exchanges, wire=wire)
