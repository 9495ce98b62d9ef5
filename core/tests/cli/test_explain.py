"""`byollm explain`: who would be asked, and why."""

from __future__ import annotations

TARGET = 'provider: custom, endpoint: "http://127.0.0.1:9"'
ROUTED = f"""llm_config:
  deployments:
    dear: {{{TARGET}, model: m, authentication: none, pricing: {{input: 9, output: 9}}}}
    cheap: {{{TARGET}, model: n, authentication: none, pricing: {{input: 1, output: 1}}}}
    keyless: {{{TARGET}, model: o, api_key: "${{BYOLLM_NO_SUCH_KEY}}"}}
  tasks:
    sort: {{route: {{policy: cheapest, over: [dear, cheap, keyless]}}}}
"""


def test_everybody_with_a_reason(run, yaml):
    """In the order they would be asked; nothing is sent."""
    yaml(ROUTED)

    ran = run("explain", "Which of them?", "--task", "sort")

    assert 0 == ran.code
    first, second, third = ran.out.splitlines()
    assert first.startswith("kept     cheap (custom/n): about 0.0")
    assert second.startswith("kept     dear (custom/m): about 0.0")
    assert third.startswith("dropped  keyless (custom/o):")
    assert "BYOLLM_NO_SUCH_KEY" in third


def test_as_json(run, yaml):
    """The same as documents."""
    yaml(ROUTED)

    found = run("explain", "--task", "sort", "--json").json

    assert [("cheap", True), ("dear", True), ("keyless", False)] == [(it["deployment"], it["kept"]) for it in found]


def test_nobody_is_left(run, yaml):
    """The exit code says that no call could be made."""
    yaml(ROUTED)

    ran = run("explain", "--task", "sort", "--region", "eu")

    assert 1 == ran.code
    assert 3 == ran.out.count("dropped")
    assert "`byollm doctor`" in ran.mend


def test_a_task_that_is_not_there(run, yaml):
    """The nearest is named, and nothing else is printed."""
    yaml(ROUTED)

    ran = run("explain", "--task", "srt")

    assert 1 == ran.code
    assert "say --task sort" in ran.err
