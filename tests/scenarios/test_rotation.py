"""Keys change while a program runs: from the Nth request on the provider refuses the old ones, and no call fails."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

import byollm
from byollm_sandbox import serve
from tests.scenarios.vault_twin import ROOT, VaultTwin, vault

TENANTS = 10
CALLS = 400
FROM = 150
"""The request from which on the old keys are refused."""


def key(generation: str, number: int) -> str:
    return f"sk-{generation}-{number:02d}-0123456789abcdef"


class Rotating(Collection[str]):
    """The keys that a provider takes. At its Nth question all of them change; `change` puts the new ones in place."""

    def __init__(self, change: Callable[[], None]) -> None:
        self.good = {key("old", number) for number in range(TENANTS)}
        self.change = change
        self.asked = 0
        self.lock = threading.Lock()

    def __iter__(self) -> Iterator[str]:
        with self.lock:
            self.asked += 1
            if self.asked == FROM:
                self.change()
                self.good = {key("new", number) for number in range(TENANTS)}
            return iter(set(self.good))

    def __len__(self) -> int:
        return TENANTS

    def __contains__(self, item: object) -> bool:
        return item in self.good


class Source:
    """One way to keep the keys: `reference(number)` for the file, `put` to write them; `reads` counts, if it can."""

    secrets: dict[str, Any] = {}

    def __init__(self, folder: Path, twin: VaultTwin) -> None:
        self.folder = folder
        self.twin = twin
        self.put("old")

    def reference(self, number: int) -> Any:
        raise NotImplementedError

    def put(self, generation: str) -> None:
        raise NotImplementedError

    def reads(self) -> int | None:
        return None


class Files(Source):
    def reference(self, number: int) -> Any:
        return f"file:{self.folder}/{number}"

    def put(self, generation: str) -> None:
        for number in range(TENANTS):
            made = self.folder / f"{number}.new"
            made.write_text(f"{key(generation, number)}\n")
            made.chmod(0o600)
            os.replace(made, self.folder / str(number))


class Volumes(Source):
    """A mounted Kubernetes secret, swapped as a whole by renaming `..data`."""

    def reference(self, number: int) -> Any:
        return f"kubernetes:keys/tenant-{number}"

    def put(self, generation: str) -> None:
        self.secrets = {"kubernetes": {"folder": str(self.folder)}}
        volume = self.folder / "keys"
        (volume / f"..{generation}").mkdir(parents=True)
        for number in range(TENANTS):
            (volume / f"..{generation}" / f"tenant-{number}").write_text(key(generation, number))
            if not (volume / f"tenant-{number}").is_symlink():
                (volume / f"tenant-{number}").symlink_to(f"..data/tenant-{number}")
        (volume / "..data_tmp").symlink_to(f"..{generation}")
        os.rename(volume / "..data_tmp", volume / "..data")


class Variables(Source):
    def reference(self, number: int) -> Any:
        return f"${{BYOLLM_ROTATING_{number}}}"

    def put(self, generation: str) -> None:
        os.environ.update({f"BYOLLM_ROTATING_{number}": key(generation, number) for number in range(TENANTS)})


class Callables(Source):
    def reference(self, number: int) -> Any:
        def ask() -> str:
            with self.lock:
                self.asked += 1
            return key(self.generation, number)

        return ask

    def put(self, generation: str) -> None:
        self.generation = generation
        self.asked = getattr(self, "asked", 0)
        self.lock = threading.Lock()

    def reads(self) -> int | None:
        return self.asked


class Vaults(Source):
    def reference(self, number: int) -> Any:
        return f"vault:llm/tenant-{number}#api_key"

    def put(self, generation: str) -> None:
        self.secrets = {"vault": {"address": self.twin.url, "credentials": {"token": lambda: ROOT}}}
        for number in range(TENANTS):
            self.twin.put(f"llm/tenant-{number}", api_key=key(generation, number))

    def reads(self) -> int | None:
        return self.twin.reads()


@pytest.fixture
def twin() -> Iterator[VaultTwin]:
    with vault() as running:
        yield running


@pytest.fixture(autouse=True)
def no_variables_stay() -> Iterator[None]:
    yield
    for number in range(TENANTS):
        os.environ.pop(f"BYOLLM_ROTATING_{number}", None)


def config(source: Source, url: str) -> dict[str, Any]:
    tenants = {f"t{number}": {"credentials": {"custom": source.reference(number)}} for number in range(TENANTS)}
    target = {"provider": "custom", "model": "any", "endpoint": url, "api_key": "literal:sk-platform-0123456789"}
    return {"deployments": {"only": target}, "default": "only", "tenants": tenants, "secrets": source.secrets}


def threads(settings: Any) -> Counter[str]:
    """Every tenant once, then eight threads share the calls; what came of them."""
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()
    with byollm.Client(settings) as client:

        def ask(place: int) -> None:
            try:
                client.complete("hi", tenant=f"t{place % TENANTS}")
                outcome = "answered"
            except byollm.errors.ByollmError as error:
                outcome = str(error)
            with lock:
                outcomes[outcome] += 1

        def work(lot: int) -> None:
            for place in range(TENANTS + lot, CALLS, 8):
                ask(place)

        for place in range(TENANTS):
            ask(place)

        crowd = [threading.Thread(target=work, args=(lot,)) for lot in range(8)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
    return outcomes


def tasks(settings: Any) -> Counter[str]:
    """The same by 32 tasks."""
    outcomes: Counter[str] = Counter()

    async def run() -> None:
        async with byollm.AsyncClient(settings) as client:

            async def ask(place: int) -> None:
                try:
                    await client.complete("hi", tenant=f"t{place % TENANTS}")
                    outcomes["answered"] += 1
                except byollm.errors.ByollmError as error:
                    outcomes[str(error)] += 1

            async def work(lot: int) -> None:
                for place in range(TENANTS + lot, CALLS, 32):
                    await ask(place)

            for place in range(TENANTS):
                await ask(place)
            await asyncio.gather(*map(work, range(32)))

    asyncio.run(run())
    return outcomes


@pytest.mark.parametrize("crowd", [threads, tasks])
@pytest.mark.parametrize("kind", [Files, Variables, Callables, Vaults, Volumes])
def test_keys_rotate_under_load_and_no_call_fails(
    kind: type[Source], crowd: Callable[[Any], Counter[str]], twin: VaultTwin, tmp_path: Path
):
    """Ten tenants, old keys refused from the middle on: each is read once more, not by all who met the old one."""
    source = kind(tmp_path, twin)
    keys = Rotating(lambda: source.put("new"))
    with serve(key=keys) as server:
        outcomes = crowd(config(source, server.url("custom")))
        refused = sum(request.status == 401 for request in server.requests)
        used = {request.key for request in server.requests if request.status == 200}

    assert {"answered": CALLS} == outcomes
    assert TENANTS <= refused < CALLS - FROM
    assert {key(generation, number) for generation in ("old", "new") for number in range(TENANTS)} == used
    assert source.reads() in (None, 2 * TENANTS)
