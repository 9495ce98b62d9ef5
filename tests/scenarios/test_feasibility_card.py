"""The feasibility card (F3), point by point: customers bring their keys, providers their quirks, a switch is one line.

The card asks for OpenAI, Anthropic and local models. The two clouds are the sandbox's twins, strict about what the
vendors reject. Here the sandbox's custom twin stands in for the local server, because nothing has to be built for it;
`tests/servers/test_feasibility_card.py` (make test-servers) runs the same program against llama.cpp's own server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import byollm
from byollm_sandbox import Answer, Twins, serve
from tests.scenarios import card_program
from tests.scenarios.card import CHOICES, FILE, KEYS, PLATFORM, TOLD, switched

DIGEST = "ac152180513923b973fc605d4aed4c3a28ec460097a70ff6d5b1b4b5d72fd29e"
"""SHA-256 of the program's file: whoever changes the program to please a provider changes this line, too."""
OWN = {"cloud": KEYS["ACME_OPENAI"], "rival": KEYS["ACME_ANTHROPIC"], "cellar": KEYS["ACME_LOCAL"]}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Twins]:
    """Twins that take the customers' keys and the platform's: a key that strays is seen, not refused."""
    for name, value in {**KEYS, **PLATFORM}.items():
        monkeypatch.setenv(name, value)
    with serve(key={*KEYS.values(), *PLATFORM.values()}) as server:
        yield server


def configuration(twin: Twins, folder: Path, choice: str) -> Path:
    """The customer's file on disk."""
    urls = {"openai": twin.url("openai-responses"), "anthropic": twin.url("anthropic-messages")}
    path = folder / "llm.yaml"
    path.write_text(switched(FILE.format(**urls, local=twin.url("custom"), model="our-own-model"), choice))
    return path


def ran(twin: Twins, folder: Path, choice: str, tenant: str = "acme") -> dict[str, Any]:
    """The program's own account of one run."""
    twin.clear()
    twin.script("red", Answer(parts=("red, and blue",), finish_reason="length"), "red")
    with byollm.Client.from_yaml(configuration(twin, folder, choice)) as client:
        return card_program.program(client, tenant)


def test_a_switch_is_one_line_and_the_program_stays(twin: Twins, tmp_path: Path) -> None:
    """Three providers, one program of one digest, equal results but for what was told."""
    results = {choice: ran(twin, tmp_path, choice) for choice in CHOICES}

    assert DIGEST == hashlib.sha256(Path(card_program.__file__).read_bytes()).hexdigest()
    assert TOLD == {choice: result.pop("told") for choice, result in results.items()}
    assert [results["cloud"]] * 3 == list(results.values())
    assert ["red", "red, and blue", "red"] == results["cloud"]["answers"]


@pytest.mark.parametrize("choice", CHOICES)
def test_values_beyond_a_limit_are_brought_inside_it(twin: Twins, tmp_path: Path, choice: str) -> None:
    """On the wire stands what was told, and the provider takes it."""
    ran(twin, tmp_path, choice)
    sent = [request.json for request in twin.requests]
    limits = [{name: body[name] for name in body if name in LIMITS} for body in sent]

    assert TOLD[choice]["temperature"][1] == sent[0]["temperature"]
    assert [20, TOLD[choice]["max_tokens"][1], 20] == [next(iter(found.values())) for found in limits]


LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


@pytest.mark.parametrize("choice", CHOICES)
def test_a_prompt_beyond_the_window_never_leaves(twin: Twins, tmp_path: Path, choice: str) -> None:
    """The program sees ContextLengthError, and three requests, not four, were made."""
    result = ran(twin, tmp_path, choice)

    assert "ContextLengthError, sent: no" == result["too long"]
    assert 3 == len(twin.requests)


@pytest.mark.parametrize("choice", CHOICES)
def test_no_request_carries_any_key_but_the_customers(twin: Twins, tmp_path: Path, choice: str) -> None:
    """Its own for that provider, once; no other key of its own, of another customer's or of the platform's."""
    ran(twin, tmp_path, choice)
    others = {*KEYS.values(), *PLATFORM.values()} - {OWN[choice]}

    assert twin.requests
    for request in twin.requests:
        shown = f"{request.path} {dict(request.headers)} {request.body!r}"
        assert OWN[choice] == request.key
        assert 1 == shown.count(OWN[choice])
        assert [] == [key for key in others if key in shown]


@pytest.mark.parametrize("choice", ["rival", "cellar"])
def test_a_tenant_without_a_key_sends_nothing(twin: Twins, tmp_path: Path, choice: str) -> None:
    """AuthenticationError, although the platform has a key for that provider."""
    with pytest.raises(byollm.errors.AuthenticationError) as caught:
        ran(twin, tmp_path, choice, tenant="bravo")

    assert "no" == caught.value.sent
    assert [] == twin.requests


def test_another_tenant_pays_with_its_own(twin: Twins, tmp_path: Path) -> None:
    """The same file and the same program; the key is bravo's."""
    ran(twin, tmp_path, "cloud", tenant="bravo")

    assert {KEYS["BRAVO_OPENAI"]} == {request.key for request in twin.requests}
