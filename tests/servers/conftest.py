"""The server, built and started once for all tests of this folder; at the end the run says what it took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import byollm
from tests.servers.build import VERSION, llama_server
from tests.servers.llama import KEY, MODEL, Server, running

SAID: list[str] = []


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The llama-server of llama.cpp with a model of random weights."""
    built = llama_server()
    how = f"{'built now' if built.fresh else 'was there, built earlier'} in {built.seconds:.0f} s"
    SAID.append(f"llama-server of llama-cpp-python {VERSION}: {how}, {built.path.stat().st_size / 1e6:.1f} MB")
    with running(built.path, tmp_path_factory.mktemp("llama")) as found:
        SAID.append(f"model of random weights written and served after {found.seconds:.1f} s at {found.url}")
        yield found
    SAID.append("the server was ended")


@pytest.fixture(scope="session")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same server, choosing among models by name."""
    with running(llama_server().path, tmp_path_factory.mktemp("router"), router=True) as found:
        yield found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was built, how long it took, and that nothing is left."""
    for line in SAID:
        terminalreporter.write_line(line)


WIRES: dict[str, dict[str, Any]] = {
    "custom": {"provider": "custom"},
    "custom-responses": {"provider": "custom", "api": "responses"},
    "openai-responses": {"provider": "openai", "api": "responses"},
    "openai-chat": {"provider": "openai", "api": "chat"},
    "anthropic": {"provider": "anthropic"},
    "llamacpp-chat": {"provider": "llamacpp", "api": "chat"},
    "llamacpp-responses": {"provider": "llamacpp", "api": "responses"},
    "llamacpp-messages": {"provider": "llamacpp", "api": "messages"},
}
"""Every provider and surface that this server can be asked through."""


@pytest.fixture(params=list(WIRES))
def wire(request: pytest.FixtureRequest) -> str:
    """The name of a provider and its surface."""
    return str(request.param)


@pytest.fixture
def target(server: Server, wire: str) -> dict[str, Any]:
    """The configuration of one wire towards the server."""
    return {**WIRES[wire], "model": MODEL, "endpoint": server.url, "api_key": KEY, "proxy": "none"}


@pytest.fixture
def client(target: dict[str, Any]) -> Iterator[byollm.Client]:
    """A client for one wire."""
    with byollm.Client(target) as made:
        yield made
