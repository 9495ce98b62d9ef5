"""`--live`: the user's own file and keys; here the file names a sandbox, as far as byollm knows a provider like any."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from byollm_examples.command import demo
from byollm_examples.live import price
from byollm_sandbox import Twins, serve

FILE = """\
llm_config:
  default: mine
  mine:
    provider: custom
    model: my-model
    endpoint: {endpoint}
    authentication: none
    pricing: {{input: 2, output: 10}}
"""


class Person(io.StringIO):
    """Somebody at a terminal, who types this."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def twins(in_folder: Path) -> Iterator[Twins]:
    """A running sandbox, one text in the folder `mine`, and an llm.yaml for it."""
    (in_folder / "mine").mkdir()
    (in_folder / "mine" / "one.txt").write_text("The buyer must pay EUR 77.10 by 3 May 2027.", "utf-8")
    with serve() as running:
        (in_folder / "llm.yaml").write_text(FILE.format(endpoint=running.url("custom")), "utf-8")
        yield running


def test_without_a_file_it_says_what_to_write(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the command that writes one, and the shortest file."""
    code = demo(["--live"])
    told = capsys.readouterr().err

    assert 2 == code
    assert "byollm init" in told
    assert "provider: openai" in told


def test_without_a_terminal_nothing_is_sent(twins: Twins, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can be asked, and nobody said yes: exit code 2, no request."""
    code = demo(["--live", "--data", "mine"])

    assert 2 == code
    assert [] == twins.requests
    assert "nothing was sent" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["n\n", "\n", "", "yess\n"])
def test_anything_but_yes_is_no(
    typed: str, twins: Twins, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty line, an end of input and a slip of the finger send nothing."""
    monkeypatch.setattr("sys.stdin", Person(typed))
    code = demo(["--live", "--data", "mine"])

    assert 2 == code
    assert [] == twins.requests


def test_it_says_what_it_will_cost_before_it_asks(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calls, host, tokens and price of each task, then the question; yes sends exactly these calls."""
    monkeypatch.setattr("sys.stdin", Person("y\n"))
    code = demo(["--live", "--data", "mine", "--page", "page.html"])
    shown = capsys.readouterr()

    assert 0 == code
    assert 3 == shown.err.count("1 call to custom/my-model at 127.0.0.1")
    assert shown.err.count(" USD") == 3
    assert shown.err.index(" USD") < shown.err.index("Send it? [y/N]")
    assert 3 == len(twins.requests)
    assert "EUR 77.10" in shown.out


def test_yes_beforehand_asks_nothing(twins: Twins, capsys: pytest.CaptureFixture[str]) -> None:
    """--yes goes without a terminal; the rows are replies of the user's own deployment, priced by the file."""
    code = demo(["--live", "--yes", "--json", "--data", "mine", "--page", "page.html"])
    run = json.loads(capsys.readouterr().out)

    assert 0 == code
    assert {"mine"} == {row["deployment"] for row in run["rows"]}
    assert all(row["cost"] is not None for row in run["rows"])


def test_a_failing_provider_is_a_failure(twins: Twins, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; the row says which error."""
    twins.fault("status", status=404, times=None)
    code = demo(["--live", "--yes", "--json", "--data", "mine", "--page", "page.html"])
    run = json.loads(capsys.readouterr().out)

    assert 1 == code
    assert 3 == run["totals"]["failures"]
    assert all("Error" in row["error"] for row in run["rows"])


def test_the_estimate_sends_nothing_and_reads_no_key(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with a key that is not there gets as far as the question, which names the host and an unknown price."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (in_folder / "one.txt").write_text("text")
    (in_folder / "own.yaml").write_text("llm_config: {provider: openai, model: gpt-5.4}\n")
    code = demo(["--live", "--config", "own.yaml", "--data", "."])
    told = capsys.readouterr().err

    assert 2 == code
    assert "openai/gpt-5.4 at api.openai.com" in told
    assert "price unknown" in told


def test_a_price_is_a_range() -> None:
    """From the prompts alone to the longest answers allowed."""
    assert "2.0000 to 12.0000 EUR" == price({"input": 2, "output": 10, "currency": "EUR"}, 1_000_000, 1_000_000)
    assert price({}, 1, 1).startswith("price unknown")
