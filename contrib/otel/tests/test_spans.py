"""Spans as an OTLP receiver sees them."""

import asyncio

import pytest
from opentelemetry import trace
from otel_receiving import attributes

from byollm import AsyncClient, Client
from byollm.errors import ConfigError, ServerError
from byollm_otel import NEWEST, V1_41, Telemetry, conventions

SECRET = "my mother's maiden name"


def seen(receiver):
    return [(span, attributes(span.attributes)) for span in receiver.spans]


def test_a_call_is_a_client_span_by_the_conventions(receiver, target):
    """Name, kind, parameters, server, usage, cost, and what finished it."""
    with Client(target, observers=[Telemetry()]) as client:
        reply = client.complete(SECRET, temperature=0.5, max_tokens=50, seed=7, reasoning_effort=None)
    [(span, told)] = seen(receiver)

    assert ("chat sandbox-1", 3) == (span.name, span.kind)
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "sandbox-1",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.seed": 7,
        "gen_ai.response.id": reply.id,
        "gen_ai.response.model": reply.model,
        "gen_ai.response.finish_reasons": [reply.finish_reason],
        "gen_ai.usage.input_tokens": reply.usage.input_tokens,
        "gen_ai.usage.output_tokens": reply.usage.output_tokens,
        "server.address": "127.0.0.1",
        "byollm.deployment": "default",
        "byollm.cost.currency": "EUR",
        "http.response.status_code": 200,
    }.items() <= told.items()
    assert "gen_ai.request.stream" not in told
    assert told["server.port"] > 0
    assert span.end_time_unix_nano > span.start_time_unix_nano


def test_nothing_of_prompt_answer_or_key_is_exported(receiver, target):
    """Not in spans, and not in metrics."""
    with Client(target, observers=[Telemetry()]) as client:
        reply = client.complete(SECRET, system="you are a bank", stop=["maiden"], labels={"who": "bob"})
    receiver.collect()

    for word in (SECRET, "maiden", "bank", reply.text[:30], "k-1234567890", "bob"):
        assert word.encode() not in receiver.bytes


def test_a_stream_says_so_and_when_its_first_content_came(receiver, target):
    """In seconds."""
    with Client(target, observers=[Telemetry()]) as client, client.stream("hi") as stream:
        list(stream)
    [(_, told)] = seen(receiver)

    assert told["gen_ai.request.stream"] is True
    assert 0 < told["gen_ai.response.time_to_first_chunk"] < 5


def test_every_attempt_is_a_span_and_errors_have_their_class(receiver, target, twin):
    """All of one operation, below the span that was current."""
    twin.script(*[ServerError("about " + SECRET)] * 9)
    tracer = trace.get_tracer("test")
    with (
        Client(target, observers=[Telemetry()]) as client,
        tracer.start_as_current_span("page") as parent,
        pytest.raises(ServerError) as caught,
    ):
        client.complete("hi")
    spans = [pair for pair in seen(receiver) if pair[0].name != "page"]

    assert len(caught.value.attempts) == len(spans) > 1
    assert {"ServerError"} == {told["error.type"] for _, told in spans}
    assert {2} == {span.status.code for span, _ in spans}
    assert 1 == len({told["byollm.operation"] for _, told in spans})
    assert {parent.get_span_context().span_id.to_bytes(8, "big")} == {span.parent_span_id for span, _ in spans}
    assert SECRET.encode() not in receiver.bytes


def test_async_calls_have_the_parent_of_their_task(receiver, target):
    """Many at once, each below its own."""

    async def one(client, number):
        with trace.get_tracer("test").start_as_current_span(f"page {number}"):
            await client.complete("hi")

    async def run():
        async with AsyncClient(target, observers=[Telemetry()]) as client:
            await asyncio.gather(*[one(client, number) for number in range(5)])

    asyncio.run(run())
    spans = [span for span, _ in seen(receiver)]
    pages = {span.span_id for span in spans if span.name.startswith("page")}

    assert pages == {span.parent_span_id for span in spans if span.name.startswith("chat")}
    assert 10 == len(spans)


@pytest.mark.parametrize(
    "provider, name",
    [("openai", "openai"), ("anthropic", "anthropic"), ("google", "gcp.gemini"), ("mistral", "mistral_ai")],
)
def test_providers_go_by_their_well_known_names(receiver, twin, provider, name):
    """Where the conventions have one."""
    models = {"mistral": "mistral-small-latest"}
    dialect = {
        "openai": "openai-responses",
        "anthropic": "anthropic-messages",
        "google": "gemini",
        "mistral": "mistral-chat",
    }
    target = {
        "provider": provider,
        "model": models.get(provider, "m-1"),
        "endpoint": twin.url(dialect[provider]),
        "api_key": "k-1234567890",
    }
    with Client(target, observers=[Telemetry()]) as client:
        client.complete("hi")

    assert [name] == [told["gen_ai.provider.name"] for _, told in seen(receiver)]


def test_the_newest_names_come_by_the_environment_or_the_file(monkeypatch):
    """The list may hold other words, too; the file goes before it."""
    assert V1_41 == conventions()
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http, gen_ai_latest_experimental")
    assert NEWEST == conventions()
    assert V1_41 == conventions("1.41")
    assert NEWEST == conventions("latest")


def test_spans_can_be_left_out(receiver, target):
    """`spans: false`."""
    with Client(target, observers=[Telemetry(spans=False)]) as client:
        client.complete("hi")

    assert [] == receiver.spans


@pytest.mark.parametrize(
    "options, told",
    [
        ({"conventions": "2"}, "`conventions` is 1.41 or latest"),
        ({"span": True}, "`span` is no option; did you mean `spans`?"),
        ({"spans": "perhaps"}, "`spans` must be true or false"),
        ({"prometheus": {"port": 70000}}, "`prometheus.port` must be at most 65535"),
        ({"prometheus": {"port": "http"}}, "`prometheus.port` must be a whole number"),
        ({"prometheus": {"hots": "x"}}, "`prometheus.hots` is no option"),
    ],
)
def test_bad_options_are_a_config_error(options, told):
    """With the option's name, and what it takes, in our words."""
    with pytest.raises(ConfigError) as raised:
        Telemetry(**options)

    assert f"otel: {told}" == raised.value.message
