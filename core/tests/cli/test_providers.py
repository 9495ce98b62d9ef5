"""`byollm providers`: what is installed, what is broken, what could be installed."""

from __future__ import annotations

PLUGIN = """
from byollm.plugin import Manifest

class Acme:
    manifest = Manifest(
        name="acme", apis=("chat",), hosts=("api.acme.example",), credentials={"api_key": ("ACME_KEY",)}
    )

provider = Acme()
"""


def test_what_is_installed(run):
    """The table shows name, distribution, version, surfaces and hosts."""
    ran = run("providers")

    row = next(line.split() for line in ran.out.splitlines() if line.split()[:1] == ["anthropic"])
    assert row[:2] == ["anthropic", "byollm-anthropic"]
    assert row[3:5] == ["messages", "api.anthropic.com"]


def test_what_could_be(run, absent):
    """A provider that is known and not installed stands with the line that installs it."""
    assert f"pip install byollm-{absent}" in run("providers").out
    assert {"package": f"byollm-{absent}", "install": f"pip install byollm-{absent}"} == run(
        "providers", "--json"
    ).json["known"][absent]


def test_as_json(run, distribution):
    """The JSON holds the whole passport of a plugin that somebody else published."""
    distribution("acme_llm", "byollm.providers", {"acme": "acme_llm:provider"}, PLUGIN)

    found = {item["name"]: item for item in run("providers", "--json").json["installed"]}

    assert found["acme"]["distribution"] == "acme_llm"
    assert found["acme"]["hosts"] == ["api.acme.example"]
    assert found["acme"]["credentials"] == {"api_key": ["ACME_KEY"]}


def test_a_broken_plugin_breaks_only_itself(run, distribution):
    """A plugin that cannot be imported is shown as broken, with its mend; the others are shown as ever."""
    distribution("acme_broken_llm", "byollm.providers", {"acme": "acme_broken_llm:provider"}, "import no_such_module\n")

    ran = run("providers")

    assert ran.code == 0
    assert "BROKEN" in ran.out
    assert "No module named 'no_such_module'" in ran.out
    assert "pip install --force-reinstall acme_broken_llm" in ran.out
    assert "api.anthropic.com" in ran.out


def test_load_looks_at_each_alone(run, distribution):
    """With --load even a plugin that ends its process, or prints, does not end the command; it exits 1."""
    code = "print('I print when imported')\nimport os\nos._exit(7)\n"
    distribution("acme_ending", "byollm.providers", {"acme": "acme_ending:provider"}, code)

    ran = run("providers", "--load", "--json")

    found = {item["name"]: item for item in ran.json["installed"]}
    assert ran.code == 1
    assert found["acme"]["problem"] == "its import ended the process (exit code 7)"
    assert [item["problem"] for name, item in found.items() if name != "acme"] == [""] * (len(found) - 1)


def test_load_takes_what_prints(run, distribution):
    """A plugin that prints while it is imported is no worse for it."""
    distribution("acme_talking", "byollm.providers", {"acme": "acme_talking:provider"}, "print('hello')\n" + PLUGIN)

    ran = run("providers", "--load", "--json")

    assert {"acme": ""}.items() <= {item["name"]: item["problem"] for item in ran.json["installed"]}.items()


def test_a_name_claimed_twice(run, distribution):
    """Two distributions that claim one name are both named, and neither is loaded."""
    distribution("acme_one", "byollm.providers", {"acme": "acme_one:provider"}, "raise SystemExit\n")
    distribution("acme_two", "byollm.providers", {"acme": "acme_two:provider"}, "raise SystemExit\n")

    found = {item["name"]: item for item in run("providers", "--json").json["installed"]}

    assert found["acme"]["distribution"] == "acme_one and acme_two"
    assert "claimed by acme_one and acme_two" in found["acme"]["problem"]
