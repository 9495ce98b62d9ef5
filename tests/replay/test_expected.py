"""The independent side of the replay lane holds together: every recording has an expectation, and the SDKs agree."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay import corpus, responses
from tests.replay.corpus import Exchange
from tests.replay.expected import expect, judge, unreadable
from tests.replay.framing import frames
from tests.replay.sdk import Sdk, SdkFailure, differences
from tests.replay.test_readers import CLASSES
from tests.replay.values import Expected

HERE = Path(__file__).parent
INDEPENDENT = (
    "chat",
    "corpus",
    "errors",
    "expected",
    "framing",
    "gemini",
    "messages",
    "quirks",
    "responses",
    "sdk",
    "values",
)


@pytest.fixture(scope="module")
def recorded() -> list[tuple[Exchange, Expected]]:
    return [(exchange, expect(exchange)) for exchange in corpus.exchanges()]


@pytest.fixture(scope="module")
def answers(recorded: list[tuple[Exchange, Expected]]) -> list[tuple[Exchange, Expected]]:
    return [(exchange, expected) for exchange, expected in recorded if expected.outcome == "answer"]


@pytest.fixture(scope="module")
def shortcomings() -> set[str]:
    listed = tomllib.loads((HERE / "sdk_shortcomings.toml").read_text(encoding="utf-8"))
    return {name for entry in listed["shortcoming"] for name in entry["exchanges"]}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def deltas(exchange: Exchange) -> str:
    growing = responses.Growing()
    responses.read(frames(exchange.body), True, growing)
    return "".join(growing.text)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_the_reading_is_independent(name: str) -> None:
    """Nothing here imports byollm, a plugin or the sandbox."""
    assert [] == [module for module in imports(HERE / f"{name}.py") if module.startswith("byollm")]


def test_an_absent_corpus_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder is not a corpus, and not a reason to pass."""
    monkeypatch.setenv("BYOLLM_CORPUS", str(tmp_path))
    with pytest.raises(corpus.CorpusAbsentError):
        corpus.corpus_folder.__wrapped__()


def test_the_corpus_is_whole(recorded: list[tuple[Exchange, Expected]]) -> None:
    """At least 1,200 files, each exchange with a name of its own."""
    names = Counter(exchange.id for exchange, _ in recorded)

    assert [] == [name for name, times in names.items() if times > 1]
    assert len({exchange.file for exchange, _ in recorded}) >= 1200


def test_every_exchange_has_an_expectation_or_a_reason(recorded: list[tuple[Exchange, Expected]]) -> None:
    """An answer has a finish reason, an error a class, a count a number, and everything else says why not."""

    def settled(expected: Expected) -> bool:
        said = {
            "answer": expected.finish_reason,
            "error": expected.error in CLASSES | {"StreamInterruptedError"} and expected.why,
            "count": expected.count,
        }
        return bool(said.get(expected.outcome, expected.why))

    assert [] == [exchange.id for exchange, expected in recorded if not settled(expected)]


def test_few_recordings_are_unreadable(recorded: list[tuple[Exchange, Expected]]) -> None:
    """The named exceptions exist, are told with a reason, and stay below 3 %."""
    names = {exchange.id for exchange, _ in recorded}

    assert set() == unreadable().keys() - names
    assert len(unreadable()) < 0.03 * len(names)


def test_every_doubt_is_told(recorded: list[tuple[Exchange, Expected]]) -> None:
    """A field that may have another value says why; no more than one exchange in twenty has one."""
    doubted = [expected for _, expected in recorded if expected.also]

    assert [] == [expected for expected in doubted if expected.also.keys() != expected.why_also.keys()]
    assert 0 < len(doubted) < 0.05 * len(recorded)


def test_every_rule_that_decides_is_written_down(recorded: list[tuple[Exchange, Expected]]) -> None:
    """The number of each rule that classed a recorded error stands in spec/errors.md, in the row of its class."""
    written = (HERE.parents[1] / "spec" / "errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \|.*\| `(\w+)`", written, flags=re.MULTILINE))
    decided = {
        (rule[1], expected.error)
        for _, expected in recorded
        if expected.outcome == "error" and (rule := re.match(r"rule (\d+)", expected.why))
    }

    assert len(decided) > 10
    assert [] == [(rule, error) for rule, error in decided if rows.get(rule) != error]


def test_pieces_are_the_body(recorded: list[tuple[Exchange, Expected]]) -> None:
    """The network's pieces, where they were recorded, join to the body."""
    cut = [exchange for exchange, _ in recorded if exchange.chunk_sizes]

    assert cut
    assert [] == [exchange.id for exchange in cut if b"".join(exchange.pieces()) != exchange.body]


def test_a_response_says_the_same_twice(answers: list[tuple[Exchange, Expected]]) -> None:
    """The text of a Responses stream's deltas is the text of its last event."""
    streams = [(exchange, expected) for exchange, expected in answers if exchange.dialect == "openai-responses"]

    checked = [(deltas(exchange), expected.text) for exchange, expected in streams if exchange.streamed]
    assert len(checked) > 40
    assert [] == [pair for pair in checked if pair[0] != pair[1]]


def test_the_sdks_agree(answers: list[tuple[Exchange, Expected]], shortcomings: set[str]) -> None:
    """The vendors' SDKs, at their most lenient, read every answer to the same values, but for the named ones."""
    sdk = Sdk(strict=False)
    differing = set()
    for exchange, expected in answers:
        try:
            found = differences(expected, sdk.read(exchange))
        except SdkFailure as failure:
            found = [str(failure)]
        if found:
            differing.add(exchange.id)

    assert len(answers) > 1400
    assert shortcomings == differing


def test_the_sdks_agree_after_strict_validation(
    answers: list[tuple[Exchange, Expected]], shortcomings: set[str]
) -> None:
    """What passes an SDK's strict validation (1,100 answers and more) is read to the same values."""
    sdk = Sdk(strict=True)
    passed, differing = 0, set()
    for exchange, expected in answers:
        try:
            seen = sdk.read(exchange)
        except SdkFailure:
            continue
        passed += 1
        if differences(expected, seen):
            differing.add(exchange.id)

    assert passed >= 1100
    assert set() == differing - shortcomings


def beginnings(exchange: Exchange) -> int:
    begun = ("response.created", "message_start")
    return sum(frame.value.get("type") in begun for frame in frames(exchange.body))


def whole_message_event(exchange: Exchange) -> bool:
    return ["message"] == [frame.value.get("type") for frame in frames(exchange.body)]


def doubly_wrapped(exchange: Exchange) -> bool:
    return judge(exchange).error == "ProtocolError"


def several_answers(exchange: Exchange) -> bool:
    return beginnings(exchange) > 1


def shortened(exchange: Exchange) -> bool:
    return deltas(exchange) != judge(exchange).text


def fragment(exchange: Exchange) -> bool:
    return ["delta"] == [name for name in json.loads(exchange.body)["choices"][0] if name in ("delta", "message")]


PROOFS = (whole_message_event, doubly_wrapped, several_answers, shortened, fragment)


def test_what_is_unreadable_is_proved_so(recorded: list[tuple[Exchange, Expected]]) -> None:
    """Each name in unreadable.toml shows the damage of its kind in its bytes."""
    proofs = {proof.__name__.replace("_", "-"): proof for proof in PROOFS}
    listed = [
        (exchange, expected.why.split(":")[0]) for exchange, expected in recorded if expected.outcome == "unreadable"
    ]

    assert [] == [exchange.id for exchange, kind in listed if not proofs[kind](exchange)]
