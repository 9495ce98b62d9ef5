"""The guide's implementation scenarios as companies live them: two clouds with failover, and patients' data."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import byollm
from byollm.cli.main import main
from byollm.config.rules import SENTENCE
from byollm.errors import ConfigError, NoRouteError, OverloadedError, ProviderConnectionError, ServerError
from byollm_sandbox import Answer, Fault, Twins, serve
from tests.scenarios.conftest import Asker, Session

AZURE_KEY = "azure-key-0123456789abcdef0123456789abcdef"
BEDROCK_KEY = "bedrock-key-0123456789abcdef0123456789"

TWO_CLOUDS = """\
llm_config:
  provider: azure                      # primary
  api: chat
  api_version: "2024-10-21"
  model: gpt-4.1
  endpoint: "{azure}"
  api_key: ${{SCENARIO_AZURE_KEY}}
  failover:
    - provider: bedrock
      model: us.anthropic.claude-sonnet-4-5-20250929-v1:0
      region: us-east-1
      endpoint: "{bedrock}"
      authentication: bearer-token
      api_key: ${{SCENARIO_BEDROCK_KEY}}
"""


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Twins]:
    """Azure OpenAI and Amazon Bedrock on this machine, each with a key that only it takes.

    Afterwards: neither key was seen by the other.
    """
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    keys = {"azure": AZURE_KEY, "bedrock": BEDROCK_KEY, "house": "house-key-0123456789abcdef"}
    for name, key in keys.items():
        monkeypatch.setenv(f"SCENARIO_{name.upper()}_KEY", key)
    with serve(key=keys) as twin:
        yield twin
        assert [] == [request for request in twin.requests if request.key != keys[request.name]]


def written(text: str, twin: Twins, folder: Path) -> Path:
    """The file, with the addresses of the twins in it."""
    path = folder / "llm.yaml"
    path.write_text(
        text.format(
            azure=twin.url("azure-chat", "azure"),
            bedrock=twin.url("bedrock-converse", "bedrock"),
            house=twin.url("custom", "house"),
        )
    )
    return path


# Scenario 1: Azure OpenAI primary, AWS Bedrock failover.


def program(session: Session) -> list[Any]:
    """What a user wrote once: a question with a tool, its result, a stream, a follow-up, a schema."""
    weather = byollm.Tool(
        "weather", "Weather of a city", {"type": "object", "properties": {"city": {"type": "string"}}}
    )
    first = session.complete("What is the weather in Oslo?", system="Be brief.", tools=[weather], max_tokens=200)
    history = [byollm.user("What is the weather in Oslo?"), first.message]
    history += [byollm.tool_results(byollm.ToolResult(first.tool_calls[0].id, "4 degrees"))]
    second = session.complete(history, system="Be brief.", tools=[weather], max_tokens=200)
    history += [second.message, byollm.user("And in Bergen?")]
    third = session.stream(history, system="Be brief.", tools=[weather], max_tokens=200)
    history += [third.message]
    history += [byollm.tool_results(byollm.ToolResult(third.tool_calls[0].id, "7 degrees, rain"))]
    fourth = session.stream(history, system="Be brief.", tools=[weather], max_tokens=200)
    return [
        [(call.name, call.args) for call in first.tool_calls],
        first.finish_reason,
        second.text,
        [(call.name, call.args) for call in third.tool_calls],
        third.finish_reason,
        fourth.text,
        fourth.finish_reason,
    ]


DIGEST = hashlib.sha256(inspect.getsource(program).encode()).hexdigest()
SCRIPT = (
    [byollm.ToolCall("call_oslo01", "weather", '{"city": "Oslo"}')],
    "It is cold in Oslo.",
    [byollm.ToolCall("call_bergen1", "weather", '{"city": "Bergen"}')],
    "It rains in Bergen.",
)
EXPECTED = [
    [("weather", {"city": "Oslo"})], "tool_calls", "It is cold in Oslo.",
    [("weather", {"city": "Bergen"})], "tool_calls", "It rains in Bergen.", "stop",
]  # fmt: skip
FAULTS = {
    "overloaded": Fault("status"),
    "reset": Fault("reset"),
    "gone": Fault("disconnect"),
    "cut": Fault("cut", after=0, unit="tokens", how="reset"),
    "page": Fault("html"),
}


def test_azure_answers_while_it_is_up(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """The whole conversation; Bedrock never hears of it."""
    clouds.script(*SCRIPT)

    with ask.session(written(TWO_CLOUDS, clouds, tmp_path), clock=ask.clock) as session:
        assert EXPECTED == program(session)

    assert [("azure", "azure-chat")] * 4 == [(request.name, request.dialect) for request in clouds.requests]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("turn", range(4))
def test_an_outage_in_the_middle_of_a_conversation(
    clouds: Twins, ask: Asker, tmp_path: Path, turn: int, fault: str
) -> None:
    """Whatever breaks at whichever turn, the unchanged program ends in the same values: Bedrock goes on with the tools'
    calls and results that Azure began, and Azure with Bedrock's when it is well again."""
    clouds.script(*SCRIPT[:turn])
    clouds.script(*[FAULTS[fault]] * 3, name="azure")
    clouds.script(SCRIPT[turn], name="bedrock")
    with ask.session(written(TWO_CLOUDS, clouds, tmp_path), clock=ask.clock) as session:
        clouds.script(*SCRIPT[turn + 1 :])

        assert EXPECTED == program(session)

    assert DIGEST == hashlib.sha256(inspect.getsource(program).encode()).hexdigest()
    assert {("azure", "azure-chat"), ("bedrock", "bedrock-converse")} == {
        (request.name, request.dialect) for request in clouds.requests
    }
    assert [] == clouds.failures
    assert {200} == {request.status for request in clouds.requests if request.name == "bedrock"}


def test_bedrock_takes_over_for_good(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """Nobody listens at Azure from the first call on: the whole conversation is Bedrock's."""
    path = written(TWO_CLOUDS, clouds, tmp_path)
    clouds.down("azure")
    clouds.script(*SCRIPT)

    with ask.session(path, clock=ask.clock) as session:
        assert EXPECTED == program(session)

    assert [("bedrock", "bedrock-converse")] * 4 == [(request.name, request.dialect) for request in clouds.requests]


def test_a_stream_cut_before_content_is_one_answer(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """The caller sees one beginning and one end; the attempts say that there was another."""
    clouds.script(Answer(parts=("never shown",), fault=FAULTS["cut"]), name="azure")
    clouds.script("from Bedrock", name="bedrock")

    reply = ask.stream(written(TWO_CLOUDS, clouds, tmp_path), clock=ask.clock)

    assert ("from Bedrock", "bedrock") == (reply.text, reply.provider)
    assert ["azure", "bedrock"] == [attempt.provider for attempt in reply.attempts]
    assert reply.attempts[0].error is not None
    assert "unknown" == reply.attempts[0].billed


def test_an_outage_of_both_is_told_as_one_error(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """The class that the program already catches, with everybody who was tried."""
    path = written(TWO_CLOUDS, clouds, tmp_path)
    clouds.down("azure")
    clouds.down("bedrock")

    with pytest.raises(ProviderConnectionError) as caught:
        ask.complete(path, clock=ask.clock)

    assert ["azure", "bedrock"] == list(dict.fromkeys(attempt.provider for attempt in caught.value.attempts))


# Scenario 3: a healthcare system with its agreement with Microsoft.

HIPAA = """\
llm_config:
  default: letters
  policies:
    approved_providers: [azure, bedrock, custom]
    data_classes:
      phi: {{requires: [hipaa-baa]}}
      public: {{}}
    default_data_class: public
    tags:
      - {{tag: hipaa-baa, for: azure, evidence: "BAA of the existing agreement, 4711", owner: "privacy@clinic.example",
         expires: EXPIRES}}
  deployments:
    azure:
      provider: azure
      api: chat
      model: gpt-4.1
      endpoint: "{azure}"
      api_key: ${{SCENARIO_AZURE_KEY}}
    bedrock:
      provider: bedrock
      model: us.anthropic.claude-sonnet-4-5-20250929-v1:0
      endpoint: "{bedrock}"
      authentication: bearer-token
      api_key: ${{SCENARIO_BEDROCK_KEY}}
    house:
      provider: custom
      model: our-model
      endpoint: "{house}"
      api_key: ${{SCENARIO_HOUSE_KEY}}
  tasks:
    records: {{route: [azure], data_class: phi}}
    letters: {{route: [bedrock, house, azure]}}
"""
TODAY = datetime.now(UTC).date()
ENDS = TODAY + timedelta(days=200)
AGREEMENT_WITH_AWS = """\
      - {{tag: hipaa-baa, for: bedrock, evidence: "BAA with AWS, 12", owner: legal, expires: EXPIRES}}
"""
FAILOVER = HIPAA.replace("records: {{route: [azure]", "records: {{route: [azure, bedrock]")


def clinic(twin: Twins, folder: Path, text: str = HIPAA, ends: date = ENDS) -> Path:
    """The clinic's file."""
    return written(text.replace("EXPIRES", str(ends)), twin, folder)


def line_of(path: Path, words: str) -> int:
    """The number of the line in which the words stand."""
    return 1 + next(number for number, line in enumerate(path.read_text().splitlines()) if words in line)


@pytest.mark.parametrize(
    "words", [{"task": "records"}, {"data_class": "phi"}, {"task": "letters", "data_class": "phi"}]
)
def test_patients_data_goes_to_the_attested_only(clouds: Twins, ask: Asker, tmp_path: Path, words: Any) -> None:
    """By the task's class or the call's, whole and streamed, though others stand first in the route."""
    clouds.script("noted", "noted", name="azure")

    with ask.session(clinic(clouds, tmp_path), clock=ask.clock) as session:
        assert ["noted", "noted"] == [session.complete("…", **words).text, session.stream("…", **words).text]

    assert ["azure", "azure"] == [request.name for request in clouds.requests]


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("words", [{"task": "records"}, {"data_class": "phi"}])
def test_an_outage_of_the_attested_opens_no_other_way(
    clouds: Twins, ask: Asker, tmp_path: Path, words: Any, down: bool
) -> None:
    """The call fails; what everybody else has of patients is nothing: not a request, not a connection."""
    path = clinic(clouds, tmp_path)
    clouds.down("azure") if down else clouds.fault("status", times=None, name="azure")

    with ask.session(path, clock=ask.clock) as session:
        for way in [session.complete, session.stream] * 4:
            with pytest.raises((ProviderConnectionError, ServerError, OverloadedError)):
                way("…", **words)

    assert (set() if down else {"azure"}) == {request.name for request in clouds.requests}
    assert not down or 0 == clouds.connections


def test_other_data_goes_its_usual_way(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """The rules of patients' data are no rules for the rest: Bedrock first, the house's own model behind it."""
    path = clinic(clouds, tmp_path)

    assert "bedrock" == ask.complete(path, "a menu").deployment
    clouds.down("bedrock")
    assert "house" == ask.complete(path, "a menu", clock=ask.clock).deployment


def test_an_attestation_ends_while_the_program_runs(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """On its last day it counts, to the last second; then nobody is asked, and the reason names tag and day.

    Turning the wall clock back revives nothing. Other data is not concerned.
    """
    midnight = datetime(ENDS.year, ENDS.month, ENDS.day, tzinfo=UTC).timestamp() + 86_400
    with ask.session(clinic(clouds, tmp_path), clock=ask.clock) as session:
        ask.clock.now = midnight - 1
        assert "azure" == session.complete("…", task="records").deployment
        ask.clock.now = midnight
        for words in ({"task": "records"}, {"data_class": "phi"}):
            with pytest.raises(NoRouteError) as caught:
                session.complete("…", **words)
            assert f"its attestation of `hipaa-baa` expired on {ENDS}" in caught.value.skipped["azure"]
        assert "bedrock" == session.complete("a menu").deployment

    assert ["azure", "bedrock"] == [request.name for request in clouds.requests]


def test_an_expired_attestation_is_an_error_of_the_file(
    clouds: Twins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`byollm check` and `byollm policy report` fail, and name the line, the day, and whom to ask."""
    path = clinic(clouds, tmp_path, ends=TODAY - timedelta(days=1))

    assert (1, 1) == (main(["policy", "report", str(path)]), main(["check", "--json", str(path)]))
    told = capsys.readouterr().out
    (finding,) = [it for it in json.loads(told[told.index("\n{") :])["findings"] if it["level"] == "error"]
    assert line_of(path, "tag: hipaa-baa") == finding["line"]
    assert str(TODAY - timedelta(days=1)) in finding["sentence"]
    assert "privacy@clinic.example" in finding["mend"]


@pytest.mark.parametrize(
    "text",
    [FAILOVER, HIPAA.replace('endpoint: "{azure}"\n', 'endpoint: "{azure}"\n      failover: [bedrock]\n')],
    ids=["in the route", "behind a deployment"],
)
def test_an_unattested_backup_is_refused_at_load(clouds: Twins, tmp_path: Path, text: str) -> None:
    """By whichever way it can be reached: the error names task, way, tag and both lines, and nothing is contacted."""
    path = clinic(clouds, tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        byollm.Client(path)

    told = str(caught.value)
    assert line_of(path, "requires: [hipaa-baa]") == caught.value.line
    assert f"deployment `bedrock` ({path}:{line_of(path, '    bedrock:')}" in told
    assert "by records → " in told
    assert "nobody attests `hipaa-baa`, which data class `phi` requires" in told
    assert 0 == clouds.connections


def test_an_agreement_with_the_backup_makes_it_lawful(clouds: Twins, ask: Asker, tmp_path: Path) -> None:
    """One attested line more, and patients' data fails over to Bedrock; the house still sees none."""
    text = FAILOVER.replace("  deployments:\n", f"{AGREEMENT_WITH_AWS}  deployments:\n")
    path = clinic(clouds, tmp_path, text)
    clouds.down("azure")
    clouds.script("noted", name="bedrock")

    reply = ask.stream(path, "…", task="records", clock=ask.clock)

    assert ("noted", "bedrock") == (reply.text, reply.deployment)
    assert ["bedrock"] == [request.name for request in clouds.requests]


def test_the_auditor_is_told(clouds: Twins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`byollm policy report`: who may see patients' data and on which evidence until when, who may not and why, and
    that byollm certifies nobody; as text, as data and as a page."""
    path = clinic(clouds, tmp_path)

    assert 0 == main(["policy", "report", str(path)])
    text = capsys.readouterr().out
    assert 0 == main(["policy", "report", "--json", str(path)])
    report = json.loads(capsys.readouterr().out)
    assert 0 == main(["policy", "report", "--html", str(tmp_path / "audit.html"), "--config", str(path)])
    page = (tmp_path / "audit.html").read_text()
    flows = {(it["task"], it["deployment"]): it for it in report["flows"] if it["data_class"] == "phi"}

    assert {("records", "azure"), ("letters", "azure")} <= {place for place, flow in flows.items() if flow["allowed"]}
    assert {"azure"} == {deployment for (_, deployment), flow in flows.items() if flow["allowed"]}
    assert (["hipaa-baa"], str(ENDS)) == (flows["records", "azure"]["rests_on"], flows["records", "azure"]["until"])
    assert "nobody attests `hipaa-baa`" in flows["letters", "bedrock"]["reason"]
    for told in (text, page):
        assert all(word in told for word in ("BAA of the existing agreement, 4711", str(ENDS), SENTENCE))
    assert 0 == clouds.connections
