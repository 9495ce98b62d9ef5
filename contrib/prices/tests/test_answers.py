"""Installed beside byollm, the package fills `reply.cost`, behind the file's own `pricing` and before "unknown"."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import byollm_prices
from byollm.plugin import Cost, Sale, Target, Usage
from byollm.testing import replay
from byollm_prices import PriceBook, PriceFileError, prices, read_table
from byollm_prices.table import Table

CHAT = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5.4-2026-03-05",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}  # fmt: skip
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
AMERICAN = Usage(10**6, 0, details={"inference_geo": "us"})
NOW = 1_795_300_000.0
"""In November 2026."""


def answer(answered: str = "gpt-5.4-2026-03-05", **target: Any) -> Any:
    body = json.dumps({**CHAT, "model": answered}).encode()
    return replay("openai", headers={"content-type": "application/json"}, body=body, api="chat", **target)


def sale(
    provider: str, model: str, endpoint: str, *, answered: str | None = None, usage: Usage | None = None, **more: Any
) -> Sale:
    target = Target(provider=provider, model=model, endpoint=endpoint, **more)
    return Sale(target=target, usage=usage or Usage(1_000_000, 0), at=NOW, answered=answered)


def test_an_answer_has_a_cost_that_says_where_its_price_is_from():
    """1000 tokens at 2.50 and 100 at 15 dollars a million."""
    reply = answer(model="gpt-5.4")

    assert (Decimal("0.004"), "USD") == (reply.cost, reply.cost_currency)
    assert reply.cost_source.startswith("genai-prices 0.2.3 (MIT)")


def test_the_files_own_price_goes_first():
    """What the customer negotiated is what the customer pays."""
    reply = answer(model="gpt-5.4", pricing={"input": 1, "output": 1, "currency": "EUR"})

    assert (Decimal("0.0011"), "EUR", "configuration") == (reply.cost, reply.cost_currency, reply.cost_source)


def test_an_unknown_price_is_unknown():
    """Not zero, and not that of a model with a similar name."""
    reply = answer(model="gpt-99-quux", answered="gpt-99-quux")

    assert (None, None, None) == (reply.cost, reply.cost_currency, reply.cost_source)


@pytest.mark.parametrize(
    "bought, price",
    [
        (sale("openai", "gpt-5.4", "https://api.openai.com/v1"), "5"),
        (sale("openai", "gpt-5.4", "https://eu.api.openai.com/v1"), "5.5"),
        (sale("openai", "gpt-5.4", "https://jp.api.openai.com/v1"), None),
        (sale("openai", "gpt-5.4", "https://gateway.example.com/v1"), None),
        (sale("openai", "gpt-5.4", "http://127.0.0.1:8080/v1"), None),
        (sale("custom", "gpt-5.4", "https://api.openai.com/v1"), "5"),
        (sale("custom", "gpt-oss-120b", "https://api.cerebras.ai/v1"), "0.35"),
        (sale("custom", "gpt-5.4", "https://llm.example.com/v1"), None),
        (sale("custom", "gpt-5.4", "https://api.openai.com.example.com/v1"), None),
        (sale("ollama", "llama3.2", "http://localhost:11434"), None),
        (sale("anthropic", "claude-opus-5-5", "https://api.anthropic.com"), "4"),
        (sale("anthropic", "claude-opus-5-5", "https://api.anthropic.com", usage=AMERICAN), "4.4"),
        (sale("google", "gemini-3.8-flash", "https://generativelanguage.googleapis.com"), "0.75"),
        (sale("vertex", "gemini-3.8-flash", "https://aiplatform.googleapis.com", region="global"), "0.75"),
        (sale("vertex", "gemini-3.8-flash", "https://eu-aiplatform.googleapis.com", region="europe-west4"), "0.825"),
        (sale("bedrock", "global.anthropic.claude-opus-5-5", BEDROCK), "4"),
        (sale("bedrock", "us.anthropic.claude-opus-5-5", BEDROCK), "4.4"),
        (sale("bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/x", BEDROCK), None),
        (sale("azure", "ours", "https://x.openai.azure.com", answered="gpt-5.4-2026-03-05"), "5"),
        (sale("azure", "gpt-4o", "https://x.openai.azure.com", options={"base_model": "gpt-5.4"}), "5"),
        (sale("azure", "ours", "https://x.openai.azure.com"), None),
        (sale("baseten", "deepseek-ai/DeepSeek-V3.1", "https://model-abc.api.baseten.co/v1"), None),
        (sale("openrouter", "openrouter/auto", "https://openrouter.ai/api/v1", answered="openai/gpt-5.4"), "5"),
    ],
)  # fmt: skip
def test_a_million_tokens_of_input_cost(bought: Sale, price: str | None):
    """The seller is who answers at the endpoint; the place and the model's real name decide; else nobody knows."""
    found = prices.cost(bought)

    assert (None if price is None else Decimal(price)) == (found and found.amount)


def test_a_usage_that_contradicts_itself_has_no_cost():
    """More cached than read: whatever the vendor bills, we do not know it."""
    usage = Usage(10, 10, cached_tokens=11)

    assert prices.cost(sale("openai", "gpt-5.4", "https://api.openai.com/v1", usage=usage)) is None


def test_a_price_in_another_currency_stays_in_it():
    """Nothing is converted behind anybody's back."""
    told = {
        "format": 1,
        "seller": "acme",
        "taken": "2026-11-22",
        "currency": "CNY",
        "sources": ["a page"],
        "hosts": ["acme.cn"],
    }
    rows = [{"rates": {"input": "7", "output": "7"}, "source": 0}]
    book = PriceBook(lambda seller: read_table({**told, "models": [{"model": "m", "match": ["=m"], "rows": rows}]}))

    assert Cost(Decimal(7), "CNY", "a page") == book.cost(sale("acme", "m", "https://acme.cn/v1"))


def test_a_broken_file_costs_nobody_an_answer(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """The price is unknown, the log says why, once, and the answer is there."""

    def broken(seller: str) -> Table | None:
        raise PriceFileError(f"{seller}.json: a hole")

    monkeypatch.setattr(byollm_prices.prices, "cost", PriceBook(broken).cost)
    replies = [answer(model="gpt-5.4") for _ in range(2)]

    assert [("hi", None)] * 2 == [(reply.text, reply.cost) for reply in replies]
    assert 1 >= sum("openai.json: a hole" in record.getMessage() for record in caplog.records)


def test_the_readme_shows_what_happens(capsys: pytest.CaptureFixture[str]):
    """Its program prints what stands below it."""
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    program, printed = (readme.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("python", "text"))

    exec(compile(program, "README.md", "exec"), {})

    assert printed == capsys.readouterr().out
