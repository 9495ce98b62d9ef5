"""`policies:` and the rules of tasks and tenants: their words, and what is refused at load with its place."""

from __future__ import annotations

from datetime import date

import pytest

from byollm.config.llm_config import load

HEAD = """\
policies:
  approved_providers: [azure_openai, custom]
  residency:
    eu: {regions: [westeurope], hosts: ["*.eu.example"]}
    us: {regions: [eastus], hosts: ["*.us.example"]}
  data_classes:
    phi: {requires: [hipaa-baa], residency: us}
    public: {}
  own_tags: {works-council: agreed}
  tags:
    - {tag: hipaa-baa, for: custom, evidence: a letter, owner: legal, expires: 2027-01-31}
deployments:
  us: {provider: custom, model: m, endpoint: "https://a.us.example", region: eastus}
  eu: {provider: custom, model: m, endpoint: "https://a.eu.example", region: westeurope, failover: [us]}
"""
LINES = HEAD.count("\n")


def test_all_of_it(read) -> None:
    """Aliases, single texts and lists are read; a date needs no quotes where a date is asked for."""
    config = read(HEAD + "claims: {route: [us], data_class: phi, requires: hipaa-baa, residency: [us, eu]}\n")

    policies, rules = config.policies, config.tasks["claims"].rules
    assert ("azure", "custom") == policies.approved
    assert ("westeurope",) == policies.residency["eu"].regions
    assert date(2027, 1, 31) == policies.attestations[0].expires
    assert ("phi", ("hipaa-baa",), ("us", "eu")) == (rules.data_class, rules.requires, rules.residency)


def test_rules_stand_beside_provider_too(read) -> None:
    """A task with a target of its own, and the one target of a small file, have rules as well."""
    target = "provider: custom, model: m, endpoint: 'https://a.us.example', region: eastus"
    config = read(HEAD + f"own: {{{target}, residency: us}}\n")
    single = read("provider: custom\nmodel: m\nendpoint: https://a.example\ndata_classes: [x]\ndata_class: x\n")

    assert ("us",) == config.tasks["own"].rules.residency
    assert {} == config.deployments["own"].options
    assert "x" == single.tasks["default"].rules.data_class


def test_nothing_declared_is_no_law(read) -> None:
    """Without any rule there are no policies, and plain labels are what they were."""
    assert read("provider: custom\nmodel: m\nendpoint: https://a.example\ntags: [fast, eu]\n").policies is None
    assert load({"provider": "custom", "model": "m", "policies": {}}).policies is None


@pytest.mark.parametrize(
    ("line", "column", "told", "mend"),
    [
        ("t: {route: [us], requires: [hippa-baa]}", 29, "no tag `hippa-baa`", "did you mean `hipaa-baa`?"),
        ("t: {route: [us], requires: soc2}", 28, "no tag `soc2`", "own_tags"),
        ("t: {route: [us], requires: []}", 18, "`requires` is empty", "remove it"),
        ("t: {route: [us], residency: uss}", 29, "no residency set `uss`", "did you mean `us`?"),
        ("t: {route: [us], data_class: phy}", 30, "no data class `phy`", "did you mean `phi`?"),
        ("t: {route: [us], data_class: [phi]}", 30, "`data_class` is a text", "data_class: phi"),
        ("t: {route: [us], requirs: sox}", 18, "`requirs` is not a key of a task", "requires"),
        ("t: {route: [us], residency: eu}", 18, "t → us", "take `us` out"),
        ("t: {route: [eu], residency: eu}", 18, "t → eu → us", "take `us` out"),
        ("t: {route: [us], residency: eu, data_class: phi}", 18, "nobody can obey both", "change one of the two"),
        ("tenants: {a: {credentials: {us: k}, residency: eu}}", 37, "has a key for `us`", "remove the key"),
        ("tenants: {a: {credentials: {}, providers: [openai]}}", 32, "`approved_providers`", "only take away"),
        ("tenants: {a: {credentials: {}, requires: il44}}", 42, "no tag `il44`", "did you mean `il4`?"),
        ("t: {provider: openai, model: m}", None, "provider openai is not among `approved_providers`", "remove the"),
    ],
)  # fmt: skip
def test_what_a_rule_cannot_be(refused, line: str, column: int | None, told: str, mend: str) -> None:
    """Refused at load: the rule's line, what is wrong, the line of the other side, and the mend."""
    error = refused(f"{HEAD}{line}\n")

    assert told in error.message
    assert mend in error.hint
    assert ("llm.yaml", LINES + 1 if column else 2) == (error.file, error.line)
    assert column is None or column == error.column


def test_a_counter_example_names_both_lines(refused) -> None:
    """The task's rule is where the error stands; the deployment's line is in its words."""
    error = refused(f"{HEAD}t: {{route: [eu], residency: eu}}\n")

    assert LINES + 1 == error.line
    assert "deployment `us` (" in error.message
    assert "llm.yaml:13:70) by t → eu → us, and `residency: eu` forbids it: its region is eastus" in error.message


def test_a_contradiction_names_both_lines(refused) -> None:
    """Two rules that nobody can obey both: here a task's and its class's."""
    error = refused(f"{HEAD}t: {{route: [us], residency: eu, data_class: phi}}\n")

    assert "task `t` says `residency: eu`, and data class `phi` says `residency: us` (" in error.message
    assert "llm.yaml:7:34)" in error.message


def test_sets_that_share_a_region_and_no_host_contradict_each_other(refused) -> None:
    """Nobody stands in both, whatever deployments there are."""
    shared = HEAD.replace("regions: [westeurope]", "regions: [westeurope, eastus]")
    error = refused(f"{shared}t: {{route: [us], residency: eu, data_class: phi}}\n")

    assert "nobody can obey both" in error.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tag: hipaa-baa,", "tag: hippa,", "there is no tag `hippa`"),
        ("for: custom", "for: custm", "no deployment and no provider of this file"),
        ("expires: 2027-01-31", "expires: soon", "`expires` is a date"),
        ("expires: 2027-01-31", "expires: 2027-02-30", "`expires` is a date"),
        (", expires: 2027-01-31", "", "needs `expires:`"),
        (", owner: legal", "", "needs `owner:`"),
        ("evidence: a letter", "evidence: ''", "`evidence` must be a text"),
        ("{works-council: agreed}", "[sox]", "`sox` is a tag already"),
        ("{works-council: agreed}", "[Works Council]", "cannot be a tag"),
        (', hosts: ["*.eu.example"]', "", "needs `hosts:`"),
        ('hosts: ["*.eu.example"]', 'hosts: ["*"]', "would let every host in"),
        ("regions: [westeurope]", "regions: []", "`regions` must be"),
        ("{requires: [hipaa-baa], residency: us}", "{require: [hipaa-baa]}", "`require` is not a key"),
        ("{requires: [hipaa-baa], residency: us}", "[hipaa-baa]", "is a mapping"),
        ("approved_providers: [azure_openai, custom]", "approved_providers: []", "would let nobody in"),
        ("approved_providers", "approved_provider", "`approved_provider` is not a key"),
        ("approved_providers: [azure_openai, custom]", "default_data_class: phy", "no data class `phy`"),
        ("region: eastus}", "region: eastus, data_classes: [phy]}", "no data class `phy`"),
        ("region: westeurope, f", "region: westeurope, data_classes: [phi], f", "says it may see `phi`"),
        ("region: eastus}", "region: eastus, tags: [hippa-baa]}", "there is no tag `hippa-baa`"),
        ("region: eastus}", "region: eastus, tags: [HIPAA_BAA]}", "there is no tag `HIPAA_BAA`"),
        ("region: eastus}", "region: eastus, tags: [sox]}", "is tagged `sox`, and nobody attests it"),
        ("region: eastus}", "region: eastus, residency: us}", "is a rule of a task, not of a deployment"),
    ],
)
def test_what_policies_cannot_be(refused, old: str, new: str, told: str) -> None:
    """Every half-said word is refused: a rule that is not understood would be a rule that is not kept."""
    assert old in HEAD

    assert told in refused(HEAD.replace(old, new, 1)).message


def test_a_label_needs_no_attestation(read) -> None:
    """Plain labels stay what they are: they allow nothing and forbid nothing. An attested tag may stand among them."""
    config = read(HEAD.replace("region: eastus}", "region: eastus, tags: [fast, il5, hipaa-baa]}", 1))

    assert ("fast", "il5", "hipaa-baa") == config.deployments["us"].tags


def test_one_name_for_deployment_and_provider_is_the_deployment() -> None:
    """`for: azure` means the deployment of that name when there is one: the narrower of two readings."""
    tags = [{"tag": "sox", "for": "custom", "evidence": "e", "owner": "o", "expires": "2027-01-31"}]
    target = {"provider": "custom", "model": "m", "endpoint": "https://a.example"}
    config = {"policies": {"tags": tags}, "deployments": {"custom": target, "other": target}}

    load({**config, "t": {"deployment": "custom", "requires": "sox"}})
    with pytest.raises(Exception, match=r"t → other.*nobody attests `sox`"):
        load({**config, "t": {"deployment": "other", "requires": "sox"}})
