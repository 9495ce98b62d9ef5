"""Capability lies are caught in both directions, and so are losses that nobody is told of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from byollm.plugin import Capabilities, Exchange, Request, Target, hookimpl
from byollm_conformance import checks
from byollm_conformance.effort import Effort
from byollm_conformance.run import run
from byollm_conformance.subject import Subject
from byollm_conformance.wires import wire_for
from byollm_openai_compatible import OpenAICompatible


class Altered(OpenAICompatible):
    """A conformant plugin whose bodies lose some members, and whose capabilities say what one wants."""

    def __init__(self, without: tuple[str, ...] = (), **says: Any) -> None:
        super().__init__(name="acme", base_url="https://api.acme.example/v1")
        self.without = without
        self.says = says

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Any]:
        made = super().complete(request, target)
        body = {name: value for name, value in json.loads(made.request.body).items() if name not in self.without}
        return replace(made, request=replace(made.request, body=json.dumps(body, ensure_ascii=False).encode()))

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        return super().capabilities(target).merged(self.says, "the test")


def outcome(id: str, plugin: Any, lacks: tuple[str, ...] = ()) -> tuple[str, str]:
    """Outcome and message of one check."""
    subject = Subject(plugin, api="chat", dialect=wire_for("chat", strict=False), lacks=lacks)
    result = run(checks.load()[id], subject, Effort(max_examples=60))
    return result.outcome, result.message


def test_the_truth() -> None:
    """The plugin that nothing was taken from passes all of it."""
    found = {id: outcome(id, Altered(tools="full", seed="full"))[0] for id in ("CAP-01", "CAP-04", "CAP-05", "CAP-08")}

    assert {"pass"} == set(found.values())


@pytest.mark.parametrize("name", ["tools", "temperature", "seed", "structured_output", "stop", "streaming"])
def test_an_overstatement(name: str) -> None:
    """What is declared full and does not reach the wire fails CAP-01."""
    word = {"structured_output": "response_format", "streaming": "stream"}.get(name, name)
    also = ("stream_options",) if name == "streaming" else ()
    says: dict[str, Any] = {name: "full"}
    state, words = outcome("CAP-01", Altered((word, *also), **says))

    assert "fail" == state
    assert name in words


def test_an_overstatement_that_is_refused() -> None:
    """What is declared full and refused by the provider's rules fails CAP-01."""
    state, words = outcome("CAP-01", Altered(parallel_tool_calls_off="full", tools="unsupported"))

    assert ("fail", "parallel_tool_calls_off is declared full and refused") == (state, words.partition(":")[0])


@pytest.mark.parametrize("name", ["tools", "structured_output", "images", "audio"])
def test_an_understatement(name: str) -> None:
    """What is declared unsupported, and the translator writes it, fails CAP-08."""
    says: dict[str, Any] = {name: "unsupported"}
    state, words = outcome("CAP-08", Altered(**says))

    assert "fail" == state
    assert words.startswith(f"{name} is declared unsupported")


def test_a_server_that_takes_less() -> None:
    """A vendor whose server knows no tools says so, and its translator may know the words: both must agree."""
    assert "pass" == outcome("CAP-08", Altered(tools="unsupported"), lacks=("tools",))[0]
    assert "fail" == outcome("CAP-01", Altered(tools="full"), lacks=("tools",))[0]


@pytest.mark.parametrize("name", ["temperature", "top_p", "seed", "max_tokens", "reasoning_effort", "user"])
def test_a_loss_in_silence(name: str) -> None:
    """A parameter that is neither sent nor told of fails CAP-05."""
    state, words = outcome("CAP-05", Altered((name,)))

    assert "fail" == state
    assert "the caller is not told" in words


def test_an_invented_number() -> None:
    """A window for a model that nobody knows fails CAP-03."""
    assert "fail" == outcome("CAP-03", Altered(context_window=128_000))[0]


@pytest.mark.parametrize(
    "says",
    [
        {"context_window": -1},
        {"max_output_tokens": 1.5},
        {"temperature_range": (2.0, 0.0)},
        {"reasoning_efforts": ("high", "low")},
        {"reasoning_efforts": ("enormous",)},
    ],
    ids=str,
)
def test_capabilities_that_make_no_sense(says: dict[str, Any]) -> None:
    """Limits and words that cannot be fail MET-06."""
    assert "fail" == outcome("MET-06", Altered(**says))[0]


def test_a_value_beyond_its_range() -> None:
    """CAP-06 sees a temperature that the plugin puts back where the core had clamped it."""

    class Hot(Altered):
        @hookimpl
        def complete(self, request: Request, target: Target) -> Exchange[Any]:
            made = super().complete(request, target)
            body = {**json.loads(made.request.body), "temperature": 9}
            return replace(made, request=replace(made.request, body=json.dumps(body).encode()))

    assert "fail" == outcome("CAP-06", Hot(temperature_range=(0.0, 1.0)))[0]
