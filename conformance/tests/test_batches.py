"""Batches and fixed schemes: what a plugin without them is told, what the other ends are, what is not scored yet."""

from __future__ import annotations

import base64
import gc
import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import pytest

import byollm.plugin as b
from byollm_anthropic import provider as anthropic
from byollm_conformance import checks, suite
from byollm_conformance.batching import Post, plain_items, read_item
from byollm_conformance.certificate import certificate, requirements
from byollm_conformance.effort import Effort
from byollm_conformance.expected import Judged
from byollm_conformance.model import Result
from byollm_conformance.run import run
from byollm_conformance.runner import Report
from byollm_conformance.show import report_lines
from byollm_conformance.subject import Subject
from byollm_conformance.targets import Reference as Named
from byollm_conformance.targets import describe
from byollm_conformance.wire import Answer, BatchPlan, batch_end
from byollm_conformance.wires import wire_for
from byollm_conformance.zoo.batching import batch_reference
from byollm_conformance.zoo.reference import Reference, subject_of
from byollm_google import provider as google
from byollm_groq import provider as groq
from byollm_mistral import provider as mistral
from byollm_openai import provider as openai

REGISTRY = checks.load()
EFFORT = Effort(max_examples=20)
BATCHES = [id for id in REGISTRY if id.startswith("BAT")]
LATER = [id for id in REGISTRY if id not in requirements()["checks"]]
ENDS = [
    ("chat", openai, "gpt-4.1", True),
    ("responses", openai, "gpt-4.1", True),
    ("messages", anthropic, "claude-haiku-4-5", True),
    ("chat", groq, "openai/gpt-oss-120b", False),
    ("gemini", google, "gemini-3.8-flash", True),
    ("mistral-chat", mistral, "mistral-medium-latest", True),
]
NAMES = ["chat", "responses", "messages", "groq", "gemini", "mistral"]


def subject(api: str, plugin: Any, model: str, strict: bool = True) -> Subject:
    surface = plugin.manifest.apis[0] if api not in plugin.manifest.apis else api
    return Subject(plugin, api=surface, model=model, dialect=wire_for(api, model=model, strict=strict))


@pytest.mark.parametrize(("api", "plugin", "model", "strict"), ENDS, ids=NAMES)
def test_the_twins_have_the_endpoints(api: str, plugin: Any, model: str, strict: bool) -> None:
    """A batch goes in and comes out, is seen as it was sent, and nothing stays."""
    one = subject(api, plugin, model, strict)
    items = plain_items(one, 3)
    post = Post(one, BatchPlan(answers={item.key: Answer(parts=(item.key,)) for item in items}))
    job = post.ended(post.submit(items))

    texts = {answer.key: getattr(read_item(one, answer), "text", None) for answer in post.answers(job)}
    assert {item.key: item.key for item in items} == texts == dict.fromkeys(post.end.batches[0].items) | texts
    assert post.end.kept
    assert post.forget(job)
    assert not post.end.kept


@pytest.mark.parametrize("dialect", ["cohere-chat", "ollama", "vertex-anthropic"])
def test_other_dialects_have_none(dialect: str) -> None:
    """Where the sandbox has no batches, or another house hosts the dialect."""
    wire = wire_for("", dialect)

    assert wire is not None
    assert batch_end(wire) is None


def test_without_the_hook_batches_are_not_applicable() -> None:
    """Each check but the first, and each says so."""
    results = [run(REGISTRY[id], subject_of(Reference()), EFFORT) for id in BATCHES]

    assert ["pass", *["n/a"] * (len(BATCHES) - 1)] == [result.outcome for result in results]
    assert all("no batches" in result.reason for result in results[1:])


def test_a_hook_that_comes_and_goes_is_no_reason() -> None:
    """What is not there now and was there before takes no check out."""

    class Now(type(batch_reference)):  # type: ignore[misc]  # its class has no name of its own
        asked = 0

        @b.hookimpl
        def batch(self, target: b.Target) -> Any:
            self.asked += 1
            return super().batch(target) if self.asked % 2 == 0 else None

    assert "fail" == run(REGISTRY["BAT-02"], subject_of(Now()), EFFORT).outcome


def test_batches_without_another_end_are_untestable() -> None:
    """A plugin that has them over a wire that has none: it is told what is missing."""
    one = subject("messages", anthropic, "claude-haiku-4-5")
    other = one.fresh(dialect=wire_for("", "vertex-anthropic"))

    result = run(REGISTRY["BAT-07"], other, EFFORT)
    assert "untestable" == result.outcome
    assert "batches(plan)" in result.message


@pytest.mark.parametrize("id", BATCHES)
def test_nothing_is_said_against_batches_without_a_fault(id: str) -> None:
    """The plugin that the faults are made of is left in peace."""
    result = run(REGISTRY[id], subject_of(batch_reference), EFFORT)

    assert ("pass", "") == (result.outcome, result.message)


@dataclass(frozen=True)
class Basic:
    """User and password, as they are sent by all."""

    name: str = "basic"
    secret: str = "api_key"
    refreshes: bool = False
    fixed: bool = True

    def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
        pair = f"{context.secret('api_key')}:x".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        yield


class Strict(Basic):
    def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
        raise b.AuthenticationError("the key has another form")
        yield


def fixed(scheme: Any) -> tuple[str, str]:
    plugin = Reference()
    plugin.manifest = replace(Reference.manifest, authentication={"basic": scheme, "bearer-token": b.Bearer()})
    result = run(REGISTRY["AUT-01"], subject_of(plugin), EFFORT)
    return result.outcome, result.message


def test_a_scheme_of_an_authors_own_may_be_fixed() -> None:
    """It makes something of the key, always the same."""
    assert ("pass", "") == fixed(Basic())


def test_the_clock_of_a_collector_is_not_the_schemes() -> None:
    """Somebody who times the collection of garbage is called in the middle of anything."""
    threshold = gc.get_threshold()

    def clock(phase: str, info: Any) -> None:
        time.perf_counter()

    gc.callbacks.append(clock)
    gc.set_threshold(1)
    try:
        assert ("pass", "") == fixed(Basic())
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(clock)


def test_a_scheme_that_is_not_fixed_may_answer_as_it_likes() -> None:
    """It is asked each time."""
    assert ("pass", "") == fixed(replace(Basic(), fixed=False))


def test_a_fixed_scheme_that_refuses_is_untestable() -> None:
    """Nothing was shown."""
    outcome, message = fixed(Strict())

    assert "untestable" == outcome
    assert "another form" in message


def test_what_came_after_the_set_was_frozen_is_new() -> None:
    """Its spec is the next one, and no check of the set is among it."""
    assert {"AUT-01", *BATCHES} == set(LATER)
    assert {"2"} == {REGISTRY[id].since for id in LATER}


def report_of(broken: str) -> Report:
    described = {**describe(subject_of(batch_reference)), "api": "chat"}
    results = [Result(id, "fail" if id == broken else "pass", "chat", "broken") for id in REGISTRY]
    return Report(Named("acme", "acme:provider"), results, [described])


@pytest.mark.parametrize(("broken", "result"), [("BAT-07", "conformant"), ("REQ-01", "not-conformant")])
def test_what_is_not_scored_is_told(broken: str, result: str) -> None:
    """It takes away neither the verdict nor a profile, and the report says that it was not scored."""
    report = report_of(broken)
    document = certificate(report, Judged(), [], REGISTRY, EFFORT)
    told = "\n".join(line for line, _ in report_lines(report, document, REGISTRY, EFFORT))

    assert result == document["result"]
    assert ("pass" if broken in LATER else "fail") == document["profiles"]["core"]
    assert f"fail  {broken}" in told
    assert ("(not scored before spec 2)" in told) == (broken in LATER)


class Fails:
    def failures(self, id: str) -> list[str]:
        return [f"{id} is broken"]


def test_in_a_suite_of_tests_it_warns() -> None:
    """A promise of the next spec fails nobody's tests, and does not go unsaid."""
    with pytest.warns(UserWarning, match="BAT-07 is broken"):
        suite.test_promise(Fails(), "BAT-07")  # type: ignore[arg-type]  # what it asks of a session
    with warnings.catch_warnings(), pytest.raises(AssertionError, match="STR-07 is broken"):
        suite.test_promise(Fails(), "STR-07")  # type: ignore[arg-type]  # what it asks of a session
