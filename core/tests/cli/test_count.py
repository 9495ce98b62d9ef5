"""`byollm count`: the tokens of a prompt."""

from __future__ import annotations

from byollm.cli.count import told
from byollm.types.capabilities import TokenCount


def test_by_the_provider(run, twin, yaml):
    """A provider that can count is asked, and its count is what is shown."""
    endpoint = twin.url("anthropic-messages")
    key = "'${CUSTOM_API_KEY}'"
    yaml(f"llm_config: {{provider: anthropic, model: claude-sonnet-5-5, api_key: {key}, endpoint: '{endpoint}'}}")

    ran = run("count", "How many tokens are these?")

    assert ran.code == 0
    assert "by Anthropic's count_tokens" in ran.out
    assert [request.operation for request in twin.requests] == ["count"]


def test_offline(run, twin, yaml, monkeypatch):
    """--offline needs no key and sends nothing; the count is an estimate with its bounds."""
    monkeypatch.delenv("CUSTOM_API_KEY")
    endpoint = twin.url("anthropic-messages")
    key = "'${CUSTOM_API_KEY}'"
    yaml(f"llm_config: {{provider: anthropic, model: claude-sonnet-5-5, api_key: {key}, endpoint: '{endpoint}'}}")

    ran = run("count", "How many tokens are these?", "--offline", "--json")

    found = ran.json
    assert found["exactness"] == "estimate"
    assert found["lower"] <= found["tokens"] <= found["upper"]
    assert twin.requests == []


def test_system_counts(run, config):
    """The system text is part of what is counted."""
    config("http://127.0.0.1:9")
    plain = run("count", "hi", "--offline", "--json").json["tokens"]

    more = run("count", "hi", "--system", "You are a very careful reader.", "--offline", "--json").json["tokens"]

    assert more > plain


def test_from_a_pipe(run, config):
    """The prompt may come from stdin."""
    config("http://127.0.0.1:9")

    assert run("count", "-", "--offline", stdin=b"hello there").code == 0


def test_the_share_of_the_window(run, config):
    """Where the window is known, the count's share of it is told."""
    config("http://127.0.0.1:9", capabilities={"context_window": 1000})

    assert "of the window of 1000" in run("count", "hi", "--offline").out


def test_words():
    """How a count is worded: exact, bounded, unbounded."""
    assert told(TokenCount(12, "exact"), None) == "12 tokens (exact)"
    assert told(TokenCount(12, "estimate", 5, 18, "bounds"), 200) == (
        "12 tokens (estimate, 5 to 18 by bounds), 6.0 % of the window of 200"
    )
    assert told(TokenCount(12, "estimate", 5), None) == "12 tokens (estimate, at least 5)"


def test_words_behind_two_dashes_are_no_options(run, config):
    """What stands behind `--` is text, whatever it looks like; before it, text may stand behind an option."""
    config("http://127.0.0.1:9")
    plain = run("count", "--offline", "--json", "a system").json["tokens"]

    assert plain == run("count", "--offline", "--json", "--", "a system").json["tokens"]
    assert 0 == run("count", "--offline", "--", "--system").code
