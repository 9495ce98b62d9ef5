"""The guide's recommended configurations: each is written, passes `check`, and does what the guide says of it."""

from __future__ import annotations

import pytest
from core_law import Watched

from byollm.cli.configurations import PRESETS, configuration
from byollm.config.reading import read
from byollm.config.yaml import parse_yaml
from byollm.errors import ByollmError, NoRouteError

HOSTS = {
    "gemini": "generativelanguage.googleapis.com",
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "azure": "your-resource.openai.azure.com",
    "second": "your-second-resource.openai.azure.com",
    "bedrock": "bedrock-runtime.us-east-1.amazonaws.com",
    "house": "internal-ai.example.com",
}
VARIABLES = (
    "GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_API_KEY_2",
    "AWS_BEARER_TOKEN_BEDROCK", "CUSTOM_API_KEY",
)  # fmt: skip


@pytest.fixture
def client(monkeypatch):
    """`client("cost", down=["gemini"])`: a preset with keys at hand; who is down refuses connections."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "k")

    def make(name: str, down: tuple[str, ...] = ()) -> Watched:
        ill = {HOSTS[label] for label in down}
        # Who is up says 400, which ends a call: who was asked last is who would have answered.
        return Watched(
            read(parse_yaml(configuration(name, {}))), behave=lambda host: "refused" if host in ill else "400"
        )

    return make


def asked(client: Watched, **words) -> list[str]:
    """Who was asked, each once, in order."""
    client.contacted.clear()
    with pytest.raises(ByollmError):
        client.complete("hi", timeout=1000, **words)
    names = {host: label for label, host in HOSTS.items()}
    return list(dict.fromkeys(names[host] for host in client.contacted))


@pytest.mark.parametrize("name", list(PRESETS))
def test_each_preset_passes_check(run, name):
    """Written without a question; no key is in it, and of addresses that nobody gave it says so."""
    written = run("init", "--yes", "--preset", name)

    assert 0 == written.code
    assert "byollm policy report" in written.out
    findings = run("check", "--json").json["findings"]
    assert {"cost": 0, "security": 1, "global": 2}[name] == len(findings)
    assert all(it["sentence"].startswith("the address `") and it["level"] == "warning" for it in findings)
    assert 0 == run("policy", "report").code


def test_cost(client):
    """Primary, backup when it is down, premium for complex analysis only."""
    assert ["gemini"] == asked(client("cost"))
    assert ["gemini", "openai"] == asked(client("cost", ("gemini",)))
    assert ["anthropic"] == asked(client("cost", ("anthropic",)), task="analysis")


def test_security(client):
    """Azure, Bedrock when it is down; sensitive data goes to the house's own machines or nowhere."""
    assert ["azure"] == asked(client("security"))
    assert ["azure", "bedrock"] == asked(client("security", ("azure",)))
    assert ["house"] == asked(client("security", ("house",)), task="sensitive")
    with pytest.raises(NoRouteError):
        client("security").complete("hi", data_class="sensitive")


@pytest.mark.parametrize(
    ("region", "down", "order"),
    [
        ("americas", (), ["openai"]),
        ("europe", (), ["azure"]),
        ("asia-pacific", (), ["gemini"]),
        ("americas", ("openai",), ["openai", "azure"]),
        ("europe", ("azure",), ["azure", "second"]),
        ("europe", ("azure", "second"), ["azure", "second"]),
        ("asia-pacific", ("gemini",), ["gemini", "openai"]),
    ],
)
def test_global(client, region, down, order):
    """Each region by its provider, and by the next lawful one when that is down; Europe's calls never leave Europe."""
    assert order == asked(client("global", down), region=region)


def test_addresses_are_asked_for(run, tmp_path):
    """On a terminal a preset may be chosen like a shape, and asks for the addresses it needs, each until it can be."""
    ran = run(
        "init",
        stdin=b"security\nacme\nhttps://acme.openai.azure.com\nWest US\nwestus\nhttps://llm.acme.example\n",
        terminal=True,
    )

    text = (tmp_path / "llm.yaml").read_text()
    assert 0 == ran.code
    assert "an address is a whole URL" in ran.err
    assert "a region is one word" in ran.err
    assert 'endpoint: "https://acme.openai.azure.com"' in text
    assert 'hosts: ["acme.openai.azure.com"' in text
    assert 'hosts: ["llm.acme.example"]' in text
    assert "region: westus" in text
    assert run("check", "--strict").code == 0


def test_both_resources_of_europe_as_flags(run):
    """Endpoint and region twice: the first of each is the first one's; the residency set is made of both."""
    words = ("--azure-endpoint", "https://paris.openai.azure.com", "--azure-region", "francecentral")
    again = ("--azure-endpoint", "https://milan.openai.azure.com", "--azure-region", "italynorth")

    text = run("init", "--yes", "--preset", "global", *words, *again, "--output", "-").out

    assert 'hosts: ["paris.openai.azure.com", "milan.openai.azure.com"]' in text
    assert "regions: [francecentral, italynorth]" in text
    assert text.index("region: francecentral") < text.index('"https://milan') < text.index("region: italynorth")


def test_addresses_as_flags(run):
    """Without a terminal the addresses are flags; --output - prints the file."""
    words = (
        "--preset",
        "security",
        "--azure-endpoint",
        "https://acme.openai.azure.com",
        "--endpoint",
        "http://10.0.0.5:8000",
    )

    text = run("init", "--yes", *words, "--output", "-").out

    assert 'endpoint: "http://10.0.0.5:8000"' in text
    assert 'hosts: ["10.0.0.5"]' in text


@pytest.mark.parametrize(
    "words",
    [
        ["--preset", "cost", "--model", "m"],
        ["--preset", "cost", "--endpoint", "https://a.example"],
        ["--preset", "cost", "--azure-endpoint", "https://a.example"],
        ["--azure-endpoint", "https://a.example"],
        ["--azure-region", "eastus"],
        ["--preset", "security", "--azure-endpoint", "acme"],
        ["--preset", "security", "--azure-endpoint", 'https://a.example/"'],
        ["--preset", "security", "--azure-endpoint", "https://[::"],
        ["--preset", "security", "--azure-region", "East US"],
        ["--preset", "security", "--azure-endpoint", "https://a.example", "--azure-endpoint", "https://b.example"],
        ["--preset", "cheap"],
    ],
)
def test_flags_that_do_not_go_together(run, tmp_path, words):
    """What a preset does not take is wrong usage, and no file is written."""
    assert 2 == run("init", "--yes", *words).code
    assert [] == list(tmp_path.iterdir())


def test_a_preset_as_data(run):
    """With --json the file, the preset and the next commands are told."""
    found = run("init", "--yes", "--preset", "global", "--json").json

    assert ("llm.yaml", "global") == (found["file"], found["preset"])
    assert ["is a placeholder"] * 2 == [it["sentence"].partition("` ")[2] for it in found["findings"]]
    assert [f"export {name}=…" for name in (
        "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_API_KEY_2", "GEMINI_API_KEY"
    )] == found["next"][:4]  # fmt: skip
