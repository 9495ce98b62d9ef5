"""Plugins that know prices: real distributions in a folder, found by a fresh interpreter, each on its own."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from byollm.engine.line import Line
from byollm.plugin import Cost, Sale, Target, Usage
from byollm.providers.prices import Prices
from byollm.providers.pricing import Price
from byollm.types.completion import Completion

SALE = Sale(target=Target(provider="acme", model="m", endpoint="https://acme.test"), usage=Usage(1, 1), at=0.0)
COST = Cost(Decimal("0.5"), "EUR", "acme's page")

KNOWS = """
from decimal import Decimal
from byollm.plugin import Cost
class Knows:
    def cost(self, sale):
        return Cost(Decimal({amount!r})) if sale.target.model == {model!r} else None
prices = Knows()
"""
ASK = """
import json, logging, sys
from byollm.providers.prices import Prices
from byollm.plugin import Sale, Target, Usage
logging.basicConfig(format="%(message)s")
found = Prices(ALLOWED)
sale = Sale(target=Target(provider="p", model="m", endpoint="https://p.test"), usage=Usage(1, 1), at=0.0)
costs = [found.cost(sale) for _ in range(2)]
told = {name: str(error) for name, error in found.problems.items()}
print(json.dumps([[cost and str(cost.amount) for cost in costs], told, sorted(found.sources)]))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path


def install(site: Path, name: str, text: str) -> None:
    """A distribution `name` that brings an entry point of the same name, as pip leaves it."""
    module = name.replace("-", "_")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[byollm.prices]\n{name} = {module}:prices\n")
    (site / f"{module}.py").write_text(text)


def ask(site: Path, allowed: str = "None") -> tuple[Any, str]:
    """What a fresh interpreter that sees the folder answers, and what it logs. Our own prices are left out of it."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    code = ASK.replace("ALLOWED", allowed).replace("import json,", HIDE + "import json,")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


HIDE = """
import byollm.providers.discovery as discovery
listed, points = discovery.listed, discovery._points
discovery._points = lambda group: tuple(p for p in points(group) if p.name != "byollm-prices")
"""


def test_the_first_plugin_that_knows_is_believed(site: Path):
    """In the order of their names; one that does not know is no answer."""
    install(site, "a-prices", KNOWS.format(amount="1", model="other"))
    install(site, "b-prices", KNOWS.format(amount="2", model="m"))
    install(site, "c-prices", KNOWS.format(amount="3", model="m"))

    assert [["2", "2"], {}, ["a-prices", "b-prices", "c-prices"]] == ask(site)[0]


@pytest.mark.parametrize(
    "text, problem",
    [
        ("import no_such_module", "cannot be imported (ModuleNotFoundError"),
        ("prices = 3", "has no `cost`"),
        ("class P:\n    def cost(self, sale):\n        raise RuntimeError('boom')\nprices = P()", "RuntimeError: boom"),
        ("class P:\n    def cost(self, sale):\n        return 0.5\nprices = P()", "answered float, not a Cost"),
        (KNOWS.format(amount="NaN", model="m"), "answered an amount of NaN"),
        (KNOWS.format(amount="-1", model="m"), "answered an amount of -1"),
    ],
    ids=["import", "shape", "question", "answer", "not a number", "below nothing"],
)
def test_a_broken_plugin_breaks_only_itself(site: Path, text: str, problem: str):
    """The others are asked, the log says what is wrong, once, and no call fails."""
    install(site, "a-broken", text)
    install(site, "b-prices", KNOWS.format(amount="2", model="m"))

    (costs, problems, _), logged = ask(site)

    assert ["2", "2"] == costs
    assert problem in problems["a-broken"]
    assert 1 == logged.count("prices of a-broken are not used")


def test_a_name_claimed_twice_is_not_used(site: Path):
    """Neither of two distributions of one name is imported."""
    install(site, "a-prices", KNOWS.format(amount="1", model="m"))
    twin = site / "z_twin-1.0.dist-info"
    twin.mkdir()
    (twin / "METADATA").write_text("Metadata-Version: 2.1\nName: z-twin\nVersion: 1.0\n")
    (twin / "entry_points.txt").write_text("[byollm.prices]\na-prices = elsewhere:prices\n")

    (costs, problems, sources), _ = ask(site)

    assert ([None, None], []) == (costs, sources)
    assert "claimed by a-prices and z-twin" in problems["a-prices"]


def test_the_files_list_of_plugins_holds_for_prices_too(site: Path):
    """What is not in `plugins:` is not imported: it says so."""
    install(site, "a-prices", "raise SystemExit('imported')")

    (costs, problems, _), _ = ask(site, "('byollm-openai',)")

    assert [None, None] == costs
    assert "not in `plugins:`" in problems["a-prices"]


class Known(Prices):
    """Prices that know one thing."""

    def cost(self, sale: Sale) -> Cost | None:
        return COST if sale.target.model == "m" else None


def line(**more: Any) -> Line:
    from types import SimpleNamespace

    sold = SimpleNamespace(target=SALE.target, manifest=SimpleNamespace(name="acme"))
    return Line(sold, SimpleNamespace(), SimpleNamespace(), **more)  # type: ignore[arg-type]  # only its prices are looked at


def test_the_files_price_then_the_plugins_then_unknown():
    """The same order everywhere, and unknown is None."""
    answer = Completion(usage=Usage(1_000_000, 0))
    price = Price.from_config({"input": 2, "output": 2, "currency": "EUR"})

    assert Cost(Decimal(2), "EUR", "configuration") == line(pricing=price, prices=Known()).cost(answer, 0.0)
    assert COST == line(prices=Known()).cost(answer, 0.0)
    assert line().cost(answer, 0.0) is None


def test_a_file_price_without_a_usage_is_unknown_and_asks_nobody_else():
    """The file has spoken: what it cannot reckon, no list price replaces."""
    price = Price.from_config({"input": 2, "output": 2})

    assert line(pricing=price, prices=Known()).cost(Completion(), 0.0) is None
