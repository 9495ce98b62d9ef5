"""What a dialect has words for, what a server reserves, and the made-up keys: the suite's own ground."""

from __future__ import annotations

from typing import Any

import pytest

from byollm.errors import InvalidRequestError, QuotaExhaustedError, RateLimitError, ServerError
from byollm.plugin import Bearer, Exchange, HeaderKey, Manifest, NoAuth, Request, Target, Text, hookimpl
from byollm_conformance import checks
from byollm_conformance.canary import KEY, canaries, usual_scheme
from byollm_conformance.effort import Effort
from byollm_conformance.generate import some_answers, spared
from byollm_conformance.model import Unsaid
from byollm_conformance.run import run
from byollm_conformance.subject import Subject
from byollm_conformance.wires import wire_for
from byollm_conformance.words import classed, kin, says
from byollm_ollama import provider as ollama
from byollm_openai_compatible import OpenAICompatible
from byollm_sandbox import Answer
from byollm_vertex import provider as vertex

CHECKS = checks.load()
EFFORT = Effort(max_examples=20, shrink=False)


def chat(**changes: Any) -> Subject:
    plugin = OpenAICompatible(name="acme", base_url="https://api.acme.example/v1")
    return Subject(plugin, api="chat", dialect=wire_for("chat", strict=False), **changes)


def native() -> Subject:
    return Subject(ollama, api="native", model="qwen3:8b", dialect=wire_for("ollama", model="qwen3:8b"))


def claude(**changes: Any) -> Subject:
    model, keys = "claude-haiku-4-5", {"project": "p1", "region": "us-east5"}
    return Subject(vertex, api="anthropic", model=model, dialect=wire_for("vertex-anthropic", model=model), keys=keys)


def test_a_dialect_says_what_it_writes_otherwise() -> None:
    """A refusal has words in Chat Completions, and is any other text in Ollama's wire."""
    answer, plain = Answer(refusal="I will not."), Answer(parts=("I will not.",))

    assert says(chat(), answer, plain)
    assert not says(native(), answer, plain)


def test_errors_that_are_written_alike_are_kin() -> None:
    """Ollama has no word for an exhausted quota; OpenAI has one."""
    assert [QuotaExhaustedError] == kin(chat(), QuotaExhaustedError)
    assert ServerError in kin(native(), QuotaExhaustedError)
    assert [RateLimitError] == kin(native(), RateLimitError)


def test_a_body_may_tell_no_class() -> None:
    """Ollama's errors are words and a status; OpenAI's have a type beside them."""
    assert classed(chat(), InvalidRequestError)
    assert not classed(native(), InvalidRequestError)


@pytest.mark.parametrize("id", ["RSP-11", "STC-02", "ERR-06", "TOL-07", "RSN-02"])
def test_what_nobody_can_say_is_not_applicable(id: str) -> None:
    """n/a, with the reason; never a pass without an example."""
    result = run(CHECKS[id], native(), EFFORT)

    assert ("n/a", 0) == (result.outcome, result.examples)
    assert result.reason.endswith("as the other end's own bytes show")


@pytest.mark.parametrize("id", ["RSP-11", "STC-02", "ERR-06", "TOL-07", "RSN-02"])
def test_what_can_be_said_is_held_to(id: str) -> None:
    """The same checks over a dialect that has the words."""
    assert ("pass", "") == (run(CHECKS[id], chat(), EFFORT).outcome, run(CHECKS[id], chat(), EFFORT).message)


def test_unsaid_is_no_way_out_for_a_plugin() -> None:
    """What its hooks raise is a fault of its own, whatever its name."""

    class Sly(OpenAICompatible):
        @hookimpl
        def complete(self, request: Request, target: Target) -> Exchange[Any]:
            raise Unsaid("the dialect has no words")

    subject = Subject(Sly(name="acme", base_url="https://api.acme.example/v1"), api="chat", dialect=wire_for("chat"))

    assert "fail" == run(CHECKS["REQ-01"], subject, EFFORT).outcome


def test_reserved_texts_are_in_no_answer() -> None:
    """A server that reads thoughts out of its text is not asked to say `<think>`."""
    held, free = chat(reserved=("<think>", "</think>")), chat()
    said = [part.text for answer in some_answers(held, Effort(), 1) for part in answer.parts if isinstance(part, Text)]
    usual = [part.text for answer in some_answers(free, Effort(), 1) for part in answer.parts if isinstance(part, Text)]

    assert any("<think>" in text for text in usual)
    assert not any("<think>" in text or "</think>" in text for text in said)
    assert spared(free, Answer(parts=("<think>",))).parts == Answer(parts=("<think>",)).parts


class Odd:
    """A scheme that makes something of its secret."""

    name, refreshes, secret = "odd", False, "certificate"

    def flow(self, request: Any, context: Any) -> Any:
        return {"x-odd": context.secret("certificate")[::-1]}
        yield


def manifest(**schemes: Any) -> Manifest:
    credentials = {"api_key": ("ACME_API_KEY",), "certificate": ("ACME_CERTIFICATE",)}
    words = {name.replace("_", "-"): scheme for name, scheme in schemes.items()}
    return Manifest(name="acme", credentials=credentials, authentication=words)


def test_a_scheme_that_reads_its_secret_is_not_the_usual_one() -> None:
    """A made-up key would be refused by it, and nothing would be sent: a plain one is taken where there is one."""
    assert usual_scheme(manifest(bearer_token=Bearer(), odd=Odd())) is None
    assert "api-key" == usual_scheme(manifest(odd=Odd(), api_key=HeaderKey()))
    assert usual_scheme(manifest(odd=Odd())) is None


def test_each_scheme_gets_its_own_made_up_credentials() -> None:
    """The one that it names, or all; none for no authentication."""
    schemes = manifest(odd=Odd(), bearer_token=Bearer(), none=NoAuth())

    assert {"api_key": KEY} == canaries(schemes, "bearer-token")
    assert {"api_key", "certificate"} == canaries(schemes, "odd")["credentials"].keys()
    assert {} == canaries(schemes, "none")


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("m:rawPredict", b'{"model": "m", "anthropic_version": "vertex-2023-10-16"}', "model"),
        ("m:predict", b"{}", "no request to a model"),
        ("m:rawPredict", b"[]", "no request to a model"),
    ],
)
def test_what_the_host_of_a_dialect_would_refuse(path: str, body: bytes, words: str) -> None:
    """Claude under Google's roof: the model stands in the path, and in the path only."""
    url = f"https://h.example.com/v1/projects/p/locations/l/publishers/anthropic/models/{path}"

    with pytest.raises(ValueError, match=words):
        claude().dialect.read_request("POST", url, {}, body)


def test_a_host_of_a_dialect_is_held_to_its_owners_rules() -> None:
    """Version and model are put where the owner has them; without a version the owner refuses."""
    subject = claude()
    made = subject.translate(Request("hi", max_tokens=50))
    url, plain = made.url, made.body.replace(b'"anthropic_version":"vertex-2023-10-16",', b"")

    assert subject.rejected(made) is None
    assert ("claude-haiku-4-5", False) == (subject.seen(made).model, subject.seen(made).stream)
    refused = subject.dialect.validate_request("POST", url, {}, plain)  # type: ignore[attr-defined]  # generic wires have it
    assert "anthropic-version" in refused.message
