"""The door for hosts of Claude."""

import json

from anthropic_driving import document, say, target

from byollm.plugin import Bearer, Exchange, Frame, Head, HttpRequest, Opaque, Reasoning, Request, dump_json
from byollm_anthropic.dialect import Host, build_body, capabilities_of, fail, reader_for

HOST = Host(
    provider="acme",
    transport="claude",
    version_in_body="acme-2026-01-01",
    model_in_body=False,
    stream_in_body=False,
    betas=("a",),
    betas_in_body=True,
    geo=False,
)


def test_a_host_says_version_and_betas_in_the_body():
    """Model and stream are in its URL, and the region too."""
    made = build_body(Request("hi", stream=True, extra={"acme": {"x": 1}}), "claude-opus-5", HOST, region="eu").body

    expected = {
        "anthropic_version": "acme-2026-01-01", "anthropic_beta": ["a"], "max_tokens": 21333,
        "messages": [{"role": "user", "content": "hi"}], "x": 1,
    }  # fmt: skip
    assert expected == made


def test_a_hosts_state_is_its_own():
    """What Anthropic signed does not go to the host, and what it reads is tagged with its name."""
    reader = reader_for(HOST, {})(Head(200, {}))
    content = [{"type": "thinking", "thinking": "so", "signature": "s"}]
    found = [event.state for event in reader(Frame("", json.loads(document(content)))) if hasattr(event, "state")]
    thoughts = [Reasoning("theirs", Opaque("anthropic", "messages", {"signature": "s"})), Reasoning("own", found[0])]
    history = [say("user", "a"), say("assistant", tuple(thoughts)), say("user", "b")]

    assert found == [Opaque("acme", "claude", {"signature": "s"})]
    made = build_body(Request(history), "claude-opus-5", HOST).body["messages"][1]["content"]
    assert made == [{"type": "thinking", "thinking": "own", "signature": "s"}]


def test_a_host_is_a_few_lines():
    """Body, reader and errors are enough for an exchange."""
    built = build_body(Request("hi"), "claude-opus-5", HOST)
    asked = Exchange(
        request=HttpRequest("POST", f"{target().endpoint}/acme", (), dump_json(built.body)),
        reader=reader_for(HOST, built.names),
        framing="json",
        auth=Bearer(),
        fail=fail,
    )

    assert asked.reader(Head(200, {}))(Frame("", json.loads(document())))
    assert capabilities_of("claude-opus-5", HOST).context_window == 1_000_000
