"""Metrics as an OTLP receiver sees them, and as Prometheus would read them."""

import socket
import urllib.request

import pytest
from otel_receiving import attributes

from byollm import Client
from byollm.errors import NoRouteError, PluginError, ServerError
from byollm_otel import NEWEST, V1_41, Telemetry
from byollm_otel.attempts import MOST_NAMES, Names
from byollm_otel.names import SECONDS, TOKENS


def named(target, name):
    """A file with one deployment and one task of that name."""
    return {"llm_config": {"deployments": {name: {**target, "model": name}}, "tasks": {"t": {"route": [name]}}}}


def test_durations_and_tokens_by_the_names_of_1_41(receiver, target):
    """One histogram for tokens, told apart by their type; the borders are those of the conventions."""
    with Client(named(target, "old"), observers=[Telemetry(conventions="1.41")]) as client:
        reply = client.complete("hi")
        with client.stream("hi") as stream:
            list(stream)
    receiver.collect()
    model = {"gen_ai.request.model": "old"}
    duration = receiver.points(V1_41.duration, **model)
    tokens = receiver.points(V1_41.token_usage, **model)

    assert (2, list(SECONDS)) == (sum(point.count for point in duration), list(duration[0].explicit_bounds))
    assert {"input", "output"} == {attributes(point.attributes)["gen_ai.token.type"] for point in tokens}
    assert list(TOKENS) == list(tokens[0].explicit_bounds)
    assert reply.usage.input_tokens in {point.min for point in tokens}
    assert 1 == sum(point.count for point in receiver.points(V1_41.first_chunk, **model))
    assert ("s", "{token}") == (receiver.metrics[V1_41.duration].unit, receiver.metrics[V1_41.token_usage].unit)


def test_durations_and_tokens_by_the_newest_names(receiver, target):
    """Counters and histograms for each kind of token; not the old histogram."""
    with Client(named(target, "new"), observers=[Telemetry(conventions="latest")]) as client:
        reply = client.complete("hi")
    receiver.collect()
    model = {"gen_ai.request.model": "new"}

    assert 1 == sum(point.count for point in receiver.points(NEWEST.duration, **model))
    assert [reply.usage.input_tokens] == [
        point.as_int for point in receiver.points(NEWEST.counters["input_tokens"], **model)
    ]
    assert [reply.usage.output_tokens] == [
        point.sum for point in receiver.points(NEWEST.histograms["output_tokens"], **model)
    ]
    assert [] == (receiver.points(V1_41.duration, **model) if V1_41.duration in receiver.metrics else [])


def test_errors_and_refusals_are_counted_by_class(receiver, target, twin):
    """No text of theirs."""
    twin.script(*[ServerError("down")] * 9)
    config = named({**target, "region": "eu"}, "ill")
    with Client(config, observers=[Telemetry()]) as client:
        with pytest.raises(ServerError):
            client.complete("hi")
        with pytest.raises(NoRouteError):
            client.complete("hi", region="us")
    receiver.collect()
    points = receiver.points(V1_41.duration, **{"gen_ai.request.model": "ill"})

    assert {"ServerError"} == {attributes(point.attributes)["error.type"] for point in points}
    assert {"NoRouteError"} == {attributes(it.attributes)["error.type"] for it in receiver.points("byollm.refused")}


def test_labels_are_bounded():
    """An answer may name any model, a caller any task: after a hundred, they are `other`."""
    names = Names()
    given = [names.bounded(f"model-{number}") for number in range(MOST_NAMES + 50)]

    assert (MOST_NAMES + 1, "other") == (len(set(given)), given[-1])
    assert "model-3" == names.bounded("model-3")
    assert "other" == Names().bounded("x" * 1000)


def scraped(telemetry):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"http://127.0.0.1:{telemetry.port}/metrics", timeout=10
    ) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_prometheus_reads_attempts_tokens_money_and_time(target):
    """From a port that is opened with the first call, and closed with the client."""
    telemetry = Telemetry(spans=False, metrics=False, prometheus={"port": 0})
    with Client(named(target, "m"), observers=[telemetry]) as client:
        assert telemetry.port is None
        reply = client.complete("hi")
        found, port = scraped(telemetry), telemetry.port

    assert 1 == found['byollm_attempts_total{deployment="m",model="m",outcome="answered",provider="custom",task="t"}']
    assert reply.usage.input_tokens == next(
        value for name, value in found.items() if name.startswith("byollm_tokens_total{") and 'kind="input"' in name
    )
    assert float(reply.cost or 0) == pytest.approx(
        next(value for name, value in found.items() if name.startswith("byollm_cost_total{"))
    )
    assert 0 == found['byollm_in_flight{deployment="m"}']
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port or 0), 5)


def test_two_clients_share_a_port(target):
    """Each counts there; the last one closes it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one, other = (Telemetry(spans=False, metrics=False, prometheus={"port": port}) for _ in range(2))
    with Client(named(target, "m"), observers=[one]) as first:
        first.complete("hi")
        with Client(named(target, "m"), observers=[other]) as second:
            second.complete("hi")
        found = scraped(one)

    assert 2 == sum(value for name, value in found.items() if name.startswith("byollm_attempts_total{"))
    assert (None, None) == (one.port, other.port)


def test_a_port_that_is_taken_harms_no_call(target):
    """It is logged once and counted, and tried again later."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        telemetry = Telemetry(spans=False, metrics=False, prometheus={"port": taken.getsockname()[1]})
        with Client(named(target, "m"), observers=[telemetry]) as client:
            assert client.complete("hi").text
            assert client.complete("hi").text
            assert {"Telemetry": 1} == client.observers.failures


def test_an_attempt_that_another_observer_forbade_is_under_way_no_more(receiver, target):
    """Its span ends, and says that nothing was sent."""

    class Forbidding:
        required = True

        def started(self, call, deployment):
            raise PluginError("not today")

    telemetry = Telemetry(prometheus={"port": 0})
    with Client(named(target, "m"), observers=[telemetry, Forbidding()]) as client:
        with pytest.raises(PluginError):
            client.complete("hi")
        found = scraped(telemetry)

    assert 0 == found['byollm_in_flight{deployment="m"}']
    assert ["no"] == [attributes(span.attributes)["byollm.sent"] for span in receiver.spans]
