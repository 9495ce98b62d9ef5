"""What a right reader must see in each recorded exchange, found without byollm.

`expect(exchange)` answers for one; `python -m tests.replay.expected` prints what the corpus holds.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tests.replay import bedrock, chat, cohere, corpus, gemini, messages, ollama, responses
from tests.replay.corpus import Exchange
from tests.replay.errors import classify
from tests.replay.framing import BrokenFrameError, frames
from tests.replay.quirks import settle
from tests.replay.values import AnswerError, Expected

UNREADABLE = Path(__file__).with_name("unreadable.toml")
READERS: dict[str, Any] = {
    "openai-chat": chat,
    "openai-responses": responses,
    "anthropic-messages": messages,
    "gemini": gemini,
    "ollama-api-chat": ollama,
    "bedrock-converse": bedrock,
    "bedrock-invoke": bedrock,
    "cohere-v2-chat": cohere,
}
COUNTED = {"gemini": "totalTokens", "bedrock-converse": "inputTokens"}
"""Where a count stands in its document, if not under `input_tokens`."""


@cache
def unreadable() -> dict[str, str]:
    """Exchanges no reader can be held to, with the reason of each, from `unreadable.toml`."""
    listed = tomllib.loads(UNREADABLE.read_text(encoding="utf-8"))
    return {entry["id"]: f"{entry['kind']}: {entry['reason']}" for entry in listed["exchange"]}


def expect(exchange: Exchange) -> Expected:
    """What reading `exchange` must come to."""
    if exchange.id in unreadable():
        return Expected(outcome="unreadable", why=unreadable()[exchange.id])
    if exchange.kind == "elsewhere":
        return Expected(outcome="elsewhere", why=f"{exchange.method} {exchange.url} is no question byollm asks")
    return judge(exchange)


def judge(exchange: Exchange) -> Expected:
    """The same without the list of exceptions: what the bytes say."""
    if not 200 <= exchange.status < 300:
        error, rule = classify(exchange.status, document(exchange), exchange.headers)
        return Expected(outcome="error", error=error, why=f"rule {rule}")
    if exchange.kind == "count":
        return Expected(outcome="count", count=document(exchange)[COUNTED.get(exchange.dialect, "input_tokens")])
    reader = READERS[exchange.dialect]
    growing = reader.Growing()
    try:
        answer: Expected = reader.read(frames(exchange.body), exchange.streamed, growing)
    except AnswerError as error:
        return Expected(outcome="error", error=error.error, why=error.why, text="".join(growing.text))
    except BrokenFrameError as error:
        return Expected(outcome="error", error="ProtocolError", why=str(error), text="".join(growing.text))
    return settle(exchange, answer)


def document(exchange: Exchange) -> Any:
    """The body as JSON, or as text where it is none."""
    try:
        return json.loads(exchange.body)
    except ValueError:
        return exchange.body.decode("utf-8", errors="replace")


def main() -> None:
    """Print exchanges by dialect and provider, how they came out, and every exception and doubt by reason."""
    read = [(exchange, expect(exchange)) for exchange in corpus.exchanges()]
    outcomes: dict[tuple[str, str], Counter[str]] = {}
    for exchange, expected in read:
        place = exchange.dialect or "(elsewhere)", exchange.provider
        outcomes.setdefault(place, Counter())[expected.outcome] += 1
    columns = ("answer", "error", "count", "unreadable", "elsewhere")
    print(f"{'dialect':<20}{'provider':<28}" + "".join(f"{column:>12}" for column in columns))
    for (dialect, provider), counted in sorted(outcomes.items()):
        print(f"{dialect:<20}{provider:<28}" + "".join(f"{counted[column]:>12}" for column in columns))
    total = sum(outcomes.values(), Counter[str]())
    files = f"{len({exchange.file for exchange, _ in read})} files"
    print(f"{'all':<20}{files:<28}" + "".join(f"{total[column]:>12}" for column in columns))
    _print_counted("errors by class", (expected.error or "" for _, expected in read if expected.outcome == "error"))
    _print_counted("more than one right value", (why for _, expected in read for why in expected.why_also.values()))
    print("\nunreadable, by name")
    for name, why in unreadable().items():
        print(f"  {name}\n      {why}")


def _print_counted(title: str, values: Iterable[str]) -> None:
    print(f"\n{title}")
    for value, times in Counter(values).most_common():
        print(f"{times:>6}  {value}")


if __name__ == "__main__":
    main()
