"""The feasibility card's program against a local server that nobody here wrote: llama.cpp's `llama-server`.

`tests/scenarios/test_feasibility_card.py` runs the same program over the two clouds and says what the card asks for.
The weights are random, so that answers are looked at for their shape only.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import byollm
from byollm_sandbox import serve
from tests.scenarios import card_program
from tests.scenarios.card import FILE, KEYS, PLATFORM, TOLD, switched
from tests.servers.llama import KEY, MODEL, Server


@pytest.fixture
def file(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The customer's file: both clouds where nobody listens, the local one at the server; the server knows one key."""
    for name, value in {**KEYS, **PLATFORM, "ACME_LOCAL": KEY}.items():
        monkeypatch.setenv(name, value)
    nowhere = {"openai": "http://127.0.0.1:9/v1", "anthropic": "http://127.0.0.1:9"}
    path = tmp_path / "llm.yaml"
    path.write_text(switched(FILE.format(**nowhere, local=server.url, model=MODEL), "cellar"))
    return path


def test_the_cards_program_runs_on_the_local_server(file: Path) -> None:
    """The customer's key is the one that the server takes; limits are kept as the file tells them."""
    with byollm.Client.from_yaml(file) as client:
        result = card_program.program(client, "acme")

    assert TOLD["cellar"] == result["told"]
    assert "ContextLengthError, sent: no" == result["too long"]
    assert {"stop", "length"} >= set(result["finished"])


def test_no_other_key_opens_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the platform's key in its place the server refuses: it was the customer's before."""
    monkeypatch.setenv("ACME_LOCAL", PLATFORM["LLM_API_KEY"])

    with byollm.Client.from_yaml(file) as client, pytest.raises(byollm.errors.AuthenticationError) as caught:
        card_program.program(client, "acme")
    assert 401 == caught.value.status


def test_a_tenant_without_a_key_does_not_reach_it(file: Path) -> None:
    """Asked on a twin that counts: zero requests."""
    with serve(key=KEY) as twin:
        local = twin.url("custom")
        file.write_text(switched(FILE.format(openai=local, anthropic=local, local=local, model=MODEL), "cellar"))
        with byollm.Client.from_yaml(file) as client, pytest.raises(byollm.errors.AuthenticationError) as caught:
            card_program.program(client, "bravo")
        assert ([], "no") == (twin.requests, caught.value.sent)
