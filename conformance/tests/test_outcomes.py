"""Six outcomes, and which of them a check has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from byollm.errors import ServerError
from byollm.plugin import Capabilities, LocalCall, Support, Target, TextDelta, hookimpl
from byollm.types.events import Finished, Started
from byollm_conformance import checks
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, Check, Result, Untestable, Warned
from byollm_conformance.profiles import profiles
from byollm_conformance.run import run
from byollm_conformance.subject import Subject
from byollm_conformance.targets import describe
from byollm_conformance.wires import wire_for
from byollm_openai_compatible import OpenAICompatible

EFFORT = Effort(max_examples=10)


def subject(**capabilities: str) -> Subject:
    """A conformant plugin that declares these capabilities."""
    plugin = OpenAICompatible(name="acme", base_url="https://api.acme.example/v1", capabilities=capabilities)
    return Subject(plugin, api="chat", dialect=wire_for("chat", strict=False))


def check(function: Callable[[Subject, Effort], Any], keyword: Any = "MUST", needs: tuple[str, ...] = ()) -> Check:
    """A check outside the registry."""
    return Check("TST-01", keyword, "It holds.", "spec/events.md#1", "L1", "1", needs, "CAP-04", function)


def raising(error: BaseException) -> Callable[[Subject, Effort], None]:
    def function(subject: Subject, effort: Effort) -> None:
        raise error

    return function


def held(subject: Subject, effort: Effort) -> None:
    subject.count(3)


def test_a_promise_that_holds() -> None:
    """A check that returns is a pass, with the examples it counted."""
    result = run(check(held), subject(), EFFORT)

    assert ("pass", 3) == (result.outcome, result.examples)


@pytest.mark.parametrize(
    ("error", "keyword", "outcome"),
    [
        (Broken("no"), "MUST", "fail"),
        (Broken("no"), "SHOULD", "warn"),
        (Broken("no"), "MAY", "warn"),
        (Warned("well"), "MUST", "warn"),
        (Untestable("where?"), "MUST", "untestable"),
        (Untestable("where?"), "SHOULD", "untestable"),
        (ServerError("stray"), "MUST", "fail"),
        (MemoryError(), "MUST", "fail"),
        (SystemExit(3), "MUST", "fail"),
        (KeyError("a mistake of the suite"), "MUST", "error"),
    ],
)
def test_outcomes(error: BaseException, keyword: str, outcome: str) -> None:
    """What a check raises decides, with its keyword; a mistake of the suite's own is never the plugin's."""
    assert outcome == run(check(raising(error), keyword), subject(), EFFORT).outcome


def test_no_outcome_is_a_skip() -> None:
    """`untestable` and `error` are bad, as `fail` is; `warn` and `n/a` are not."""
    bad = {outcome for outcome in ("pass", "fail", "warn", "n/a", "untestable", "error") if Result("X", outcome).bad}

    assert {"fail", "untestable", "error"} == bad


def test_evidence_is_kept() -> None:
    """Bytes are shown as they are printed, long values are cut."""
    result = run(check(raising(Broken("no", body=b"\x00ab", long="x" * 9000))), subject(), EFFORT)

    assert "\\x00ab" == result.evidence["body"]
    assert 2000 == len(result.evidence["long"])


def test_unsupported_and_refused_is_not_applicable() -> None:
    """A check whose capability is declared unsupported is n/a, with its reason, when the refusal was shown."""
    result = run(check(raising(Broken("never asked")), needs=("tools",)), subject(tools="unsupported"), EFFORT)

    assert "n/a" == result.outcome
    assert "tools declared unsupported; shown by CAP-04" in result.reason


@pytest.mark.parametrize("state", ["unknown", "partial", "full"])
def test_unknown_is_never_not_applicable(state: str) -> None:
    """Every state but `unsupported` is asked."""
    result = run(check(raising(Broken("asked")), needs=("tools",)), subject(tools=state), EFFORT)

    assert ("fail", "asked") == (result.outcome, result.message)


def test_not_implemented_is_untestable() -> None:
    """What is not built yet cannot be conformant: it belongs among the expected failures."""
    assert "untestable" == run(check(held, needs=("audio",)), subject(audio="not_implemented"), EFFORT).outcome


class Lying(OpenAICompatible):
    """Says at first that it cannot, and then that it can."""

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        known = super().capabilities(target)
        self.asked = getattr(self, "asked", 0) + 1
        return known.merged({"tools": "unsupported" if self.asked == 1 else "full"}, "a lie")


def test_a_lie_is_not_a_reason() -> None:
    """A capability that is declared unsupported, and sent all the same, is a fail and no n/a."""
    plugin = Lying(name="acme", base_url="https://api.acme.example/v1")
    lying = Subject(plugin, api="chat", dialect=wire_for("chat", strict=False))
    declared = lying.capabilities
    lying.line.deployment.refine(Capabilities())
    assert declared.tools is Support.unsupported

    lying.__dict__["line"].deployment._capabilities = Capabilities()
    lying.support = declared.supports  # type: ignore[method-assign]  # the first answer, kept

    result = run(check(held, needs=("tools",)), lying, EFFORT)

    assert "fail" == result.outcome
    assert "a request that needs it was sent" in result.message


class Echo:
    """An in-process model."""

    manifest = dataclasses.replace(
        OpenAICompatible(name="echo", base_url=None).manifest,
        apis=(),
        default_endpoint="http://127.0.0.1",
        options=None,
    )

    @hookimpl
    def complete(self, request: Any, target: Target) -> LocalCall:
        return LocalCall(lambda request, call: iter([Started(), TextDelta(0, "hi"), Finished("stop")]))

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        return Capabilities(streaming=Support.full)


def test_an_in_process_model_has_no_wire() -> None:
    """Checks of bytes are n/a for a plugin that answers with a LocalCall, because it always does."""
    result = run(check(raising(Broken("asked")), needs=("wire",)), Subject(Echo()), EFFORT)

    assert "n/a" == result.outcome
    assert "no wire" in result.reason


@pytest.mark.parametrize("id", ["LOC-01", "LOC-02", "LOC-03", "CAP-02", "CAP-04", "MET-06"])
def test_in_process_models_have_checks_of_their_own(id: str) -> None:
    """A model in this process is held to the order of events, to being cancelled, and to its capabilities."""
    assert "pass" == run(checks.load()[id], Subject(Echo()), EFFORT).outcome


def test_nothing_declared_is_no_profile() -> None:
    """A plugin that declares everything unknown has no profile, however much of it holds."""
    everything = [Result(id, "pass", "chat") for id in checks.load()]
    known = describe(subject())
    told = {**known, "capabilities": dict.fromkeys(known["capabilities"], "unknown")}

    assert {"unknown"} == set(profiles(told, everything, checks.load()).values())


def test_profiles_are_computed() -> None:
    """A profile is passed when its capability is declared and every MUST of it was run and held."""
    told = {**describe(subject(tools="full", audio="unsupported")), "api": "chat"}
    good = [Result(id, "pass", "chat") for id in checks.load()]
    bad = [Result(id, "fail" if id == "TOL-04" else "pass", "chat") for id in checks.load()]

    held, broken = profiles(told, good, checks.load()), profiles(told, bad, checks.load())
    assert ("pass", "pass", "unsupported", "unknown") == tuple(
        held[name] for name in ("core", "tools", "audio", "vision")
    )
    assert ("pass", "fail") == (broken["core"], broken["tools"])


def test_a_check_that_was_not_run_has_not_held() -> None:
    """No profile is passed by a run that left its checks out."""
    told = {**describe(subject(tools="full")), "api": "chat"}
    some = [Result(id, "pass", "chat") for id in checks.load() if id != "CAP-02"]

    assert "fail" == profiles(told, some, checks.load())["core"]
