"""The suite as tests. A plugin's whole `tests/test_conformance.py`::

    from byollm_conformance.suite import *

    plugins = ["acme"]

Each check is one test of each plugin, by name: `test_promise[acme-STR-07]`. All checks run in child processes as under
`byollm conform`; what fails shows the sentence, the evidence and how to run it again. `plugins` may hold several names.
`model`, `max_examples`, `seed`, `exchanges` (a folder) and `wire` (`module:object`) may stand beside it.
"""

from __future__ import annotations

import datetime
import warnings
from typing import Any

import pytest

from byollm_conformance import checks
from byollm_conformance.certificate import requirements
from byollm_conformance.expected import judge
from byollm_conformance.sessions import Session, session_of

__all__ = ["provider", "pytest_generate_tests", "test_expectations", "test_promise"]


def pytest_generate_tests(metafunc: Any) -> None:
    """One test for each check of each plugin that the module names."""
    module = metafunc.module
    names = list(getattr(module, "plugins", ()))
    if "provider" not in metafunc.fixturenames:
        return
    if not names:
        raise pytest.UsageError(f'{module.__name__}: name your plugin: plugins = ["acme"]')
    settings = {name: getattr(module, name, None) for name in ("model", "max_examples", "seed", "exchanges", "wire")}
    wanted = [session_of(name, **settings) for name in names]
    if "promise" not in metafunc.fixturenames:
        metafunc.parametrize("provider", wanted, ids=names, indirect=True, scope="session")
        return
    pairs = [(session, id) for session in wanted for id in checks.load()]
    metafunc.parametrize(
        ("provider", "promise"),
        pairs,
        ids=[f"{session.name}-{id}" for session, id in pairs],
        indirect=["provider"],
        scope="session",
    )


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest) -> Session:
    """The plugin under test: its checks are run once, when the first result is asked for."""
    session: Session = request.param
    wanted = [
        item.callspec.params["promise"]
        for item in request.session.items
        if hasattr(item, "callspec") and item.callspec.params.get("provider") is session
        if "promise" in item.callspec.params
    ]
    session.want(wanted)
    return session


def test_promise(provider: Session, promise: str) -> None:
    """A promise of the spec is kept by the plugin, on each of its APIs."""
    broken = provider.failures(promise)

    if promise not in requirements()["checks"]:  # of the next spec: told, and not scored
        for words in broken:
            warnings.warn(words, stacklevel=1)
        return
    assert not broken, "\n" + "\n\n".join(broken)


def test_expectations(provider: Session) -> None:
    """No expected failure has expired, and none passes."""
    judged = judge(provider.report.results, provider.expected, datetime.date.today())

    assert [] == judged.problems
