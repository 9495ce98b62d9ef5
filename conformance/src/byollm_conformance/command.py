"""`byollm conform NAME`."""

from __future__ import annotations

from byollm_conformance import checks
from byollm_conformance.effort import Effort
from byollm_conformance.run import run
from byollm_conformance.targets import Settings, find, packaged, settings_of, subjects_of


def conform(arguments: list[str]) -> int:
    """0 conformant, 1 not, 2 usage or the suite's own error."""
    registry = checks.load()
    bad = 0
    for name in arguments:
        reference = find(name)
        path = packaged(reference)
        settings = settings_of(path) if path else Settings()
        for number, subject in enumerate(subjects_of(reference, reference.load(), settings)):
            for check in registry.values():
                if check.plugin and number:
                    continue
                result = run(check, subject, Effort())
                bad += result.bad
                print(name, subject.api, check.id, result.outcome, result.milliseconds, result.message)
                for key, value in result.evidence.items():
                    print("   ", key, value)
    return 1 if bad else 0
