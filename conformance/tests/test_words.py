"""What a dialect has words for, what a server reserves, and the made-up keys: the suite's own ground."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from byollm.errors import (
    AuthenticationError,
    ConfigError,
    InvalidRequestError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
)
from byollm.plugin import Bearer, Exchange, HeaderKey, HttpRequest, Manifest, NoAuth, Request, Target, Text, hookimpl
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


def acme(words: dict[str, str] | None = None, lacks: tuple[str, ...] = (), **quirks: Any) -> Subject:
    """A vendor with habits, and what its `conformance.yaml` says of them."""
    plugin = OpenAICompatible(name="acme", base_url="https://api.acme.example/v1", **quirks)
    return Subject(plugin, api="chat", dialect=wire_for("chat", strict=False, words=words), lacks=lacks)


HABITS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "REQ-07d": ({"random_seed": "seed"}, {"seed_field": "random_seed"}),
    "LAW-01": ({"client_ref": "user"}, {"end_user_field": "client_ref"}),
    "CAP-05": ({"cache_id": "prompt_cache_key"}, {"cache_key_field": "cache_id"}),
    "RSN-03": ({"reasoning.effort": "reasoning_effort"}, {"effort_field": "reasoning.effort"}),
}
"""Check → the server's words, and the quirk that writes them."""


@pytest.mark.parametrize("id", HABITS)
def test_a_server_with_words_of_its_own_is_known_by_them(id: str) -> None:
    """The guide's vendor is conformant once its file says what it calls otherwise, and not before."""
    words, quirks = HABITS[id]

    assert "pass" == run(CHECKS[id], acme(words, **quirks), EFFORT).outcome
    assert "fail" == run(CHECKS[id], acme(**quirks), EFFORT).outcome


def test_words_are_for_dialects_that_are_there() -> None:
    """A wire of somebody's own has words of its own."""
    with pytest.raises(ConfigError, match="wire of its own"):
        wire_for("chat", "byollm_conformance.zoo.reference:ZooWire", words={"a": "b"})


def test_counts_that_cannot_be_asked_for_are_not_asked_for() -> None:
    """`stream_usage` is what such a server lacks."""
    quiet = acme(stream_usage=False)

    assert "fail" == run(CHECKS["STR-17"], quiet, EFFORT).outcome
    assert "pass" == run(CHECKS["STR-17"], acme(lacks=("stream_usage",), stream_usage=False), EFFORT).outcome


def test_system_prompts_may_be_joined_into_one() -> None:
    """Where the server takes exactly one."""
    assert "pass" == run(CHECKS["REQ-03"], acme(merge_systems=True), EFFORT).outcome


class Coded(OpenAICompatible):
    """Its texts are written in base64: the other end reads them so."""

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        coded = [{**turn, "content": base64.b64encode(turn["content"].encode()).decode()} for turn in body["messages"]]
        return {**body, "messages": coded}


def test_a_text_that_is_not_its_own_bytes_is_no_escape() -> None:
    """A wire of base64 has no characters that could be escaped, and none that could be broken."""
    subject = Subject(Coded(name="acme", base_url="https://api.acme.example/v1"), api="chat", dialect=wire_for("chat"))

    with pytest.raises(Unsaid, match="its own bytes"):
        CHECKS["REQ-06"].function(subject, EFFORT)


class Entities(OpenAICompatible):
    """Its texts are written for a page: plain letters as they are, all others as entities."""

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        written = [turn["content"].encode("ascii", "xmlcharrefreplace").decode() for turn in body["messages"]]
        turns = zip(body["messages"], written, strict=True)
        return {**body, "messages": [{**turn, "content": text} for turn, text in turns]}


def test_escapes_of_any_kind_are_escapes() -> None:
    """Where plain letters are their own bytes, others are."""
    subject = Subject(
        Entities(name="acme", base_url="https://api.acme.example/v1"), api="chat", dialect=wire_for("chat")
    )

    assert "warn" == run(CHECKS["REQ-06"], subject, EFFORT).outcome


class Fetching:
    """A scheme that gets a ticket with its secret, at the host that answers, too."""

    name, refreshes = "ticket", True

    def flow(self, request: Any, context: Any) -> Any:
        answer = yield HttpRequest("POST", "https://api.acme.example/token", (), context.secret("api_key").encode())
        if answer.status != 200:
            raise AuthenticationError("the ticket office refused", status=answer.status)
        return {"x-ticket": "t"}


@pytest.mark.parametrize("id", ["SEC-01", "SEC-02", "ERR-07"])
def test_a_request_for_a_token_is_no_request_for_an_answer(id: str) -> None:
    """It may hold the secret, and its refusal is not the provider's."""
    plugin = OpenAICompatible(
        name="acme", base_url="https://api.acme.example/v1", authentication={"ticket": Fetching()}
    )

    outcome = run(CHECKS[id], Subject(plugin, api="chat", dialect=wire_for("chat", strict=False)), EFFORT)

    assert ("pass", "") == (outcome.outcome, outcome.message)
