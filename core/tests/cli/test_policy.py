"""`byollm policy report`, `byollm diff`, and what `byollm check` says of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from byollm.config.rules import SENTENCE


def file(ends: date | None = None, changed: Mapping[str, str] | None = None) -> str:
    """Two clouds and a model of one's own; the agreement with Azure ends on the day given."""
    text = """\
policies:
  approved_providers: [azure, custom]
  residency:
    eu: {regions: [westeurope], hosts: ["*.openai.azure.com"]}
  data_classes:
    phi: {requires: [hipaa-baa]}
    public: {}
  tags:
    - {tag: hipaa-baa, for: azure, evidence: "BAA <4711>", owner: legal, expires: ENDS}
deployments:
  cloud: {provider: azure, model: gpt-5.4, endpoint: "https://acme.openai.azure.com", region: westeurope,
          api_key: "${AZ}"}
  own: {provider: custom, model: m, endpoint: "https://llm.example.com", api_key: "${OWN}",
        pricing: {input: 1, output: 2}}
claims: {route: [cloud], data_class: phi}
chat: {route: [own, cloud]}
default: chat
tenants:
  praxis: {credentials: {azure: "${PRAXIS}"}, residency: eu}
"""
    for old, new in (changed or {}).items():
        text = text.replace(old, new)
    return text.replace("ENDS", str(ends or today() + timedelta(days=90)))


def today() -> date:
    return datetime.now(UTC).date()


def test_the_report_says_what_may_go_where(run, yaml):
    """As text: who may answer, at which hosts, who may not and why, the evidence and its end, and the sentence."""
    yaml(file())

    told = run("policy", "report")

    assert 0 == told.code
    assert "──▶ cloud  acme.openai.azure.com" in told.out
    assert "─✕  own  nobody attests `hipaa-baa`, which data class `phi` requires" in told.out
    assert f"{today() + timedelta(days=90)}" in told.out
    assert "BAA <4711>" in told.out
    assert "chat: cloud" in told.out
    assert SENTENCE in told.out


def test_the_report_says_what_a_vendor_may_keep(run, yaml):
    """A batch lies with its vendor: whoever audits a file is told which task allows it."""
    yaml(file(None, {"chat: {route: [own, cloud]}": "chat: {route: [own, cloud], batch: true}"}))

    assert "batch: a vendor may keep requests and answers until they are read" in run("policy", "report").out
    assert "may keep" in " ".join(run("policy", "report", "--json").json["tasks"]["chat"])


def test_the_report_as_data(run, yaml):
    """With --json: every task, class and deployment with a reason and the tags it rests on."""
    yaml(file())

    found = run("policy", "report", "--json").json
    flows = {(it["task"], it["data_class"], it["deployment"]): it for it in found["flows"]}

    assert flows["claims", "phi", "cloud"]["rests_on"] == ["hipaa-baa"]
    assert not flows["chat", "phi", "own"]["allowed"]
    assert flows["deployment=…", None, "own"]["allowed"]
    assert SENTENCE == found["sentence"]
    assert {"chat": ["cloud"], "claims": ["cloud"]} == found["tenants"][0]["tasks"]


@pytest.mark.parametrize(
    ("days", "code", "level"), [(31, 0, None), (30, 0, "warning"), (0, 0, "warning"), (-1, 1, "error")]
)
def test_evidence_that_ends(run, yaml, days, code, level):
    """`check` warns thirty days before an attestation ends and fails after; so does the report."""
    yaml(file(today() + timedelta(days=days)))

    checked = run("check", "--json").json
    found = [it for it in checked["findings"] if "attestation of `hipaa-baa`" in it["sentence"]]

    assert code == run("policy", "report").code
    assert [level] * (level is not None) == [it["level"] for it in found]
    assert all(9 == it["line"] and "legal" in it["mend"] for it in found)
    assert checked["ok"] is (code == 0)


def test_renewed_evidence_is_not_warned_about(run, yaml):
    """An old attestation beside a longer one is history."""
    again = (
        f"    - {{tag: hipaa-baa, for: cloud, evidence: new, owner: legal, expires: {today() + timedelta(days=400)}}}\n"
    )
    yaml(file(today() - timedelta(days=3), {"deployments:\n": f"{again}deployments:\n"}))

    assert run("check").code == 0


def test_hosts_that_only_the_plugin_knows_are_checked(run, yaml):
    """`check` asks the plugin: a target that may reach more than its residency set lets in will never be asked."""
    yaml("""\
policies: {residency: {eu: {regions: [eu], hosts: [eu.api.openai.com]}}}
t: {provider: openai, model: gpt-5.4, region: eu, residency: eu}
""")

    told = run("check")

    assert 1 == told.code
    assert "task `t` will never send to `t`: it may reach" in told.out


def test_tenants_and_classes_that_nobody_serves(run, yaml):
    """Rules that leave nobody for a task or a class are warned about: the calls would be refused."""
    changed = {"public: {}": "ledgers: {requires: sox}", '{azure: "${PRAXIS}"}, residency: eu': "{}, requires: il4"}
    yaml(file(None, changed))

    told = run("check")

    assert 0 == told.code
    assert "no deployment of this file may see data of class `ledgers`" in told.out
    assert "the rules of tenant `praxis` leave no deployment for task `claims`" in told.out


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("src", "href", "action", "data", "xlink:href")]

    def handle_data(self, data):
        self.words += data


def test_the_page_is_whole_and_loads_nothing(run, yaml, tmp_path):
    """One file with a drawing: no script, link or image; what others wrote is text in it; the sentence stands there."""
    yaml(file())

    told = run("policy", "report", "--html", "audit.html")
    text = (tmp_path / "audit.html").read_text("utf-8")
    page = Page(text)

    assert 0 == told.code
    assert {"script", "img", "link", "iframe", "object", "form", "a"}.isdisjoint(page.tags)
    assert [] == page.links
    assert "url(" not in text
    assert "svg" in page.tags
    assert "BAA <4711>" in page.words
    assert SENTENCE in page.words
    assert "default-src 'none'" in text


def test_a_page_that_cannot_be_written(run, yaml):
    """A folder that is not there is said."""
    yaml(file())

    assert run("policy", "report", "--html", "nowhere/audit.html").code == 1


def test_a_report_without_rules(run, yaml):
    """Without rules everything may go everywhere, and the report says so."""
    yaml("provider: custom\nmodel: m\nendpoint: https://llm.example.com\napi_key: ${K}\n")

    found = run("policy", "report", "--json").json

    assert [("default", True), ("deployment=…", True)] == [(it["task"], it["allowed"]) for it in found["flows"]]


@pytest.mark.parametrize("words", [[], ["list"], ["report", "--htm"]])
def test_wrong_words(run, yaml, words):
    """Only `report` is there, and options are spelled out."""
    yaml(file())

    assert run("policy", *words).code == 2


def test_diff_tells_what_has_to_be_agreed_to(run, tmp_path):
    """Hosts, keys by reference, rules, regions, models and prices that change, each on a line."""
    (tmp_path / "old.yaml").write_text(file())
    changed = {
        "gpt-5.4": "gpt-5.5",
        "${AZ}": "${AZ2}",
        "llm.example.com": "llm.example.org",
        "input: 1": "input: 3",
        "[azure, custom]": "[azure, custom, openai]",
        "residency: eu": "requires: hipaa-baa",
        "chat: {route: [own, cloud]}": "chat: {route: [own, cloud], defer: 8h, batch: true}",
    }
    (tmp_path / "new.yaml").write_text(file(None, changed))

    told = run("diff", "old.yaml", "new.yaml", "--exit-code")

    assert 1 == told.code
    for line in (
        "- hosts: llm.example.com: from own",
        "+ hosts: llm.example.org: from own",
        "~ keys: cloud: api_key: ${AZ} → ${AZ2}",
        "~ models: cloud: gpt-5.4 → gpt-5.5",
        "~ prices: own: input: 1 → 3",
        "~ policies: approved_providers: azure, custom → azure, custom, openai",
        "~ policies: tenant praxis: residency: eu → requires: hipaa-baa",
        "~ tasks: chat: own → cloud → own → cloud, within 28800 s, in a batch",
    ):
        assert line in told.out.splitlines()


def test_diff_never_tells_a_key(run, tmp_path):
    """A key that stands in a file is told of, not told: only that it is another one."""
    (tmp_path / "old.yaml").write_text(file(None, {"${AZ}": "literal:first-secret-key", "${OWN}": "literal:third"}))
    (tmp_path / "new.yaml").write_text(file(None, {"${AZ}": "literal:second-secret-key", "${OWN}": "literal:third"}))

    told = run("diff", "old.yaml", "new.yaml")

    assert "~ keys: cloud: api_key: a key in the file itself → another key in the file itself\n" == told.out
    assert "secret" not in run("diff", "old.yaml", "new.yaml", "--json").out


def test_diff_of_the_same(run, yaml):
    """Nothing changes, and nothing fails."""
    yaml(file())

    told = run("diff", "llm.yaml", "llm.yaml", "--exit-code")

    assert (0, []) == (told.code, run("diff", "llm.yaml", "llm.yaml", "--json").json["changes"])
    assert told.out.startswith("nothing changes")


@pytest.mark.parametrize("words", [["policy", "report"], ["capabilities", "--matrix", "--models", "openai/gpt-5.4"]])
def test_a_page_is_not_written_over_the_configuration(run, yaml, tmp_path, words):
    """`--html llm.yaml` reads like "of llm.yaml": the file stays as it is. An older page is replaced."""
    yaml("llm_config: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9', authentication: none}")
    before = (tmp_path / "llm.yaml").read_bytes()

    ran = run(*words, "--html", "llm.yaml")

    assert (2, "--html page.html writes another file") == (ran.code, ran.mend)
    assert before == (tmp_path / "llm.yaml").read_bytes()
    assert [0, 0] == [run(*words, "--html", "page.html").code for _ in "12"]
