"""`byollm check`: what is wrong with a file, and how to mend it."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from byollm.config.extensions import BROUGHT
from byollm.transports import choose
from byollm_sandbox import serve

GUIDE = {
    "one": """
llm_config: {provider: "openai", model: "gpt-4", api_key: "your-openai-key", endpoint: "https://api.openai.com"}
""",
    "tasks": """
llm_config:
  rule_extraction: {provider: "anthropic", model: "claude-3-opus"}
  pii_detection: {provider: "openai", model: "gpt-3.5-turbo"}
  document_classification: {provider: "vanadium", model: "m"}
""",
    "on-premise": """
llm_config: {provider: "custom", model: "your-fine-tuned-model",
  endpoint: "https://internal-ai.yourcompany.com", authentication: "bearer-token"}
""",
}


def test_a_placeholder(run, yaml):
    """The guide's `your-openai-key` is found, with place and mend, and fails the check."""
    yaml(GUIDE["one"])

    ran = run("check")

    assert ran.code == 1
    assert "llm.yaml:2:59: the api_key is a placeholder" in ran.out
    assert "api_key: ${OPENAI_API_KEY}" in ran.out


def test_retired_models_and_a_missing_plugin(run, yaml, absent):
    """Retired models are named with what replaced them, a missing plugin with the line that installs it."""
    yaml(GUIDE["tasks"])

    found = run("check", "--json").json["findings"]

    told = {(item["level"], item["line"]): item for item in found}
    assert told["warning", 3]["mend"].startswith('model: "claude-')
    assert "retired on" in told["warning", 4]["sentence"]
    assert f"pip install byollm-{absent}" in told["error", 5]["mend"]


def test_a_good_file(run, yaml):
    """A file that is right says so, names the hosts it can reach, and exits 0."""
    yaml(GUIDE["on-premise"])

    ran = run("check", "--strict")

    assert ran.code == 0
    assert "1 deployment, 1 task, 0 errors, 0 warnings; it can reach internal-ai.yourcompany.com" in ran.out


def test_hosts(run, yaml):
    """--hosts lists every host with the deployments that can reach it."""
    yaml(
        "llm_config:\n"
        "  a: {provider: anthropic, model: claude-sonnet-5-5}\n"
        "  b: {provider: custom, model: m, endpoint: 'https://llm.example.com/v1', proxy: 'http://proxy.example.com:1'}\n"
    )

    ran = run("check", "--hosts")

    rows = [line.split() for line in ran.out.splitlines()]
    assert ["api.anthropic.com", "a"] in rows
    assert ["llm.example.com", "b"] in rows
    assert ["proxy.example.com", "b"] in rows


def test_a_literal_key(run, yaml):
    """A key written out works and is warned about; --strict makes that a failure; the key is not shown."""
    yaml("llm_config: {provider: openai, model: gpt-5.4, api_key: 'sk-proj-0123456789abcdefghij'}")

    ran, strict = run("check"), run("check", "--strict")

    assert (ran.code, strict.code) == (0, 1)
    assert "the api_key itself is written here" in ran.out
    assert "sk-proj" not in ran.out + ran.err


def test_an_unknown_option(run, yaml):
    """A key that neither byollm nor the plugin knows is an error with the nearest."""
    yaml("llm_config: {provider: anthropic, model: claude-sonnet-5-5, anthropic_versoin: '2023-06-01'}")

    ran = run("check")

    assert ran.code == 1
    assert "anthropic_versoin" in ran.out


def test_a_deployment_nobody_uses(run, yaml):
    """A deployment that no task reaches is pointed out."""
    target = "{provider: custom, model: m, endpoint: 'http://127.0.0.1:9'}"
    yaml(f"llm_config:\n  deployments:\n    used: {target}\n    idle: {target}\n  tasks: {{ask: used}}\n")

    ran = run("check")

    assert "no task uses the deployment `idle`" in ran.out


@pytest.mark.parametrize(
    "text, place",
    [
        ("llm_config: {provider: openai\n", "llm.yaml:1:13"),
        ("llm_config:\n\tprovider: openai\n", "llm.yaml:2:1"),
        ("llm_config: {provider: openai, provider: openai}\n", "llm.yaml:1:32"),
        ("llm_config: {provider: openai, model: gpt-4, base_url: x}\n", "llm.yaml:1:46"),
        ("", "llm.yaml:1:1"),
    ],
)
def test_what_cannot_be_loaded(run, yaml, text, place):
    """A file that cannot be loaded is told on stderr with file, line and column, and the mend comes last."""
    yaml(text)

    ran = run("check")

    assert (ran.code, ran.out) == (1, "")
    assert place in ran.err
    assert ran.mend != ""


def test_what_cannot_be_loaded_as_json(run, yaml):
    """As JSON it is a finding like every other."""
    yaml("llm_config: {provider: openai, provider: openai}\n")

    ran = run("check", "--json")

    assert (ran.code, ran.json["ok"], ran.json["findings"][0]["line"]) == (1, False, 1)


def test_nothing_is_sent(run, twin, config, monkeypatch):
    """Without --live no key is read and no request is made."""
    monkeypatch.delenv("CUSTOM_API_KEY")
    config(twin.url())

    assert run("check").code == 0
    assert twin.requests == []


def test_live(run, twin, config):
    """--live asks each deployment one tiny question: the key is accepted, the model is known."""
    config(twin.url())

    ran = run("check", "--live", "--json")

    assert ran.code == 0
    assert [check["state"] for check in ran.json["live"]["default"]] == ["ok", "ok"]
    assert twin.requests[0].json.keys() & {"max_tokens", "max_completion_tokens"}


def test_live_with_the_wrong_model(run, twin, config):
    """A model that the provider does not know fails, and the key counts as accepted."""
    config(twin.url(), model="gpt-0")

    ran = run("check", "--live")

    assert ran.code == 1
    assert "ok      accepted" in ran.out
    assert "fail    model" in ran.out


def test_in_a_process_of_its_own(fresh, yaml):
    """The exit codes hold in a fresh process."""
    yaml(GUIDE["on-premise"])
    assert fresh("check", "llm.yaml").code == 0
    yaml(GUIDE["one"])
    assert fresh("check", "llm.yaml").code == 1


def test_many_hosts_are_a_list(run, yaml):
    """Every host the file can reach is named, in lines that a terminal can show."""
    yaml("llm_config: {provider: bedrock, model: amazon.nova-lite-v1:0, region: us-east-1}")

    ran = run("check")

    assert "hosts:" in ran.out
    assert "bedrock-runtime.us-east-1.amazonaws.com" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 120


WATCHER = """
from byollm.errors import ConfigError

class Watcher:
    def __init__(self, path, *, colour="red"):
        if colour != "red":
            raise ConfigError("watcher: `colour` is red", hint="colour: red")

    def finished(self, call, attempt):
        pass
"""
WATCHED = """
llm_config:
  default: {{provider: custom, model: m, endpoint: "https://ai.example.com", api_key: "${{KEY}}"}}
  observers: [{}]
"""


@pytest.mark.parametrize(
    "entry, sentence, mend",
    [
        ("{name: wacher}", "no plugin brings 'wacher'", "write `watcher`"),
        ("{name: watcher, pth: x}", "watcher has no option `pth`", "write `path`"),
        ("{name: watcher, path: x, size: 5}", "watcher has no option `size`", "it takes colour and path"),
        ("watcher", "watcher needs the option `path`", "- watcher: {path: …}"),
        ("{watcher: {path: x, colour: blue}}", "watcher: `colour` is red", "colour: red"),
    ],
)
def test_middleware_and_observers_are_checked_as_the_client_does(run, yaml, distribution, entry, sentence, mend):
    """Who does not exist, and options that nobody takes: with the place in the file."""
    distribution("acme_watcher", "byollm.observers", {"watcher": "acme_watcher:Watcher"}, WATCHER)
    yaml(WATCHED.format(entry))

    ran, asked = run("check"), run("complete", "--dry-run", "hi")

    assert f"error: llm.yaml:4:15: {sentence}" in ran.out
    assert (1, True) == (ran.code, mend in ran.out)
    assert (1, True, True) == (asked.code, sentence in asked.err, mend in asked.err)


def test_an_observer_that_can_be_made_is_right(run, yaml, distribution):
    """It is made and thrown away; nothing is asked of it."""
    distribution("acme_watcher", "byollm.observers", {"watcher": "acme_watcher:Watcher"}, WATCHER)
    yaml(WATCHED.format("{watcher: {path: x}}"))

    assert 0 == run("check").code


AGREED = """
llm_config:
  deployments:
    a: {provider: custom, model: m, endpoint: "https://a.test", authentication: none, pricing: {input: 1, output: 1}}
    b: {provider: custom, model: n, endpoint: "https://b.test", authentication: none}
  tasks:
    t: {route: {policy: prefer, over: [a, b], first: a, amount: 5, currency: EUR}}
"""


def test_an_agreement_without_books(run, yaml):
    """What one process counts is warned about, with the line that counts all; a price in another currency too."""
    yaml(AGREED)

    alone = run("check").out
    yaml(AGREED + "  observers: [{name: ledger, path: usage.db}]\n")
    booked = run("check").out

    assert "the agreement of `t` counts what one process spent, from its start" in alone
    assert "observers: [{name: ledger, path: usage.db}]" in alone
    assert "counts what one process" not in booked
    assert "is in EUR, and never used up: `a` is priced in USD" in booked


def test_two_files_are_one_too_many(run, yaml):
    """FILE and --config may not name two files: neither is passed over in silence."""
    yaml("llm_config: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9', authentication: none}")

    ran = run("check", "llm.yaml", "--config", "other.yaml")

    assert (2, "name one of them") == (ran.code, ran.mend)
    assert 0 == run("check", "llm.yaml", "--config", "llm.yaml").code


@pytest.mark.parametrize("command", [["check"], ["doctor"], ["policy", "report"]])
def test_without_a_file_no_option_is_named_that_is_not_there(run, command):
    """`--model` needs no file, and these commands do not have it."""
    ran = run(*command)

    assert (1, "`byollm init` writes one; --config FILE names another") == (ran.code, ran.mend)
    assert f"byollm {command[0]} --help" == run(*command, "--model", "a/b").mend


def test_a_provider_that_asks_for_no_key(run, yaml):
    """With `authentication: none` an answer says nothing of a key."""
    with serve() as twin:
        yaml(f"llm_config: {{provider: custom, model: m, endpoint: '{twin.url('custom')}', authentication: none}}")
        ran = run("check", "--live")

    assert "ok      accepted  the provider asks for no key" in ran.out


@pytest.mark.parametrize("path", ["/chat/completions", "/chat/completions/", "/responses"])
def test_an_address_copied_with_its_path(run, yaml, path):
    """A vendor's page shows host and operation in one; every request would name the operation twice."""
    yaml(
        f"llm_config: {{provider: custom, model: m, endpoint: 'https://x.example.com/v1{path}', authentication: none}}"
    )

    ran = run("check")

    assert "every request adds to it again" in ran.out
    assert "endpoint: https://x.example.com/v1\n" in ran.out
    assert 1 == run("check", "--strict").code


@pytest.mark.parametrize(
    "where", ["llm_config: {{transport: pyreqwest, {0}}}", "llm_config: {{a: {{{0}, transport: pyreqwest}}}}"]
)
def test_a_transport_that_is_not_installed(run, yaml, monkeypatch, where):
    """The library behind a transport is looked for when the file is checked, not at the first call."""
    monkeypatch.setitem(choose._NEEDED, "pyreqwest", "a_library_that_is_not_there")
    yaml(where.format("provider: local, model: m, endpoint: 'http://127.0.0.1:9'"))

    ran = run("check")

    assert 1 == ran.code
    assert "transport 'pyreqwest' is not installed" in ran.out
    assert "byollm[fast]" in ran.out


@pytest.mark.parametrize(
    ("word", "mend"), [("tracer", "pip install byollm-tracer   (from a clone"), ("trcer", "write `tracer`")]
)
def test_what_is_not_installed_names_its_package(run, yaml, monkeypatch, word, mend):
    """Our own observers and middleware are known where they are missing, and so are their misspellings."""
    monkeypatch.setitem(BROUGHT["byollm.observers"], "tracer", "tracer")
    yaml(f"llm_config: {{observers: [{word}], a: {{provider: local, model: m, endpoint: 'http://127.0.0.1:9'}}}}")

    assert f"\n  {mend}" in run("check").out


@pytest.mark.parametrize(("group", "word"), [(group, word) for group, words in BROUGHT.items() for word in words])
def test_the_package_that_is_named_brings_it(group, word):
    """What is said to be installed is what has that entry point."""
    (point,) = entry_points(group=group, name=word)

    assert point.dist is not None
    assert f"byollm-{BROUGHT[group][word]}" == point.dist.name


@pytest.mark.parametrize(
    "more",
    [
        "credentials: {api_kee: env:K}}",
        "api_key: env:K}, t: {deployment: a}, tenants: {acme: {credentials: {custom: {api_kee: env:K}}}}",
    ],
)
def test_a_misspelt_credential(run, yaml, more):
    """Nobody would ask for it, and the call would say that there is no key: the nearest is named here."""
    yaml("llm_config: {a: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9', " + more + "}")

    ran = run("check")

    assert "`api_kee` is no credential of `custom`\n  did you mean `api_key:`?" in ran.out
