"""The guide's three configurations load exactly as they are written there, and are called through against twins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import byollm
from byollm.providers import discovery
from byollm_sandbox import Twins
from tests.scenarios.conftest import KEY, Asker

SINGLE = """\
llm_config:
  provider: "openai"
  model: "gpt-4"
  api_key: "your-openai-key"
  endpoint: "https://api.openai.com"
"""
TASKS = """\
llm_config:
  rule_extraction:
    provider: "anthropic"    # Best for complex analysis
    model: "claude-3-opus"

  pii_detection:
    provider: "openai"       # Fast and cost-effective
    model: "gpt-3.5-turbo"

  document_classification:
    provider: "google"       # Excellent classification
    model: "gemini-pro"
"""
ON_PREMISE = """\
llm_config:
  provider: "custom"
  model: "your-fine-tuned-model"
  endpoint: "https://internal-ai.yourcompany.com"
  authentication: "bearer-token"
"""


@pytest.mark.parametrize("text", [SINGLE, TASKS, ON_PREMISE])
def test_it_loads_as_it_is_written(tmp_path: Path, text: str) -> None:
    """No key is read and no plugin is needed to load it."""
    file = tmp_path / "llm.yaml"
    file.write_text(text)

    client = byollm.Client.from_yaml(file)

    assert len(yaml.safe_load(text)["llm_config"].get("rule_extraction", {})) in (0, 2)
    assert client.config.deployments


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (SINGLE, "https://api.openai.com/v1/responses"),
        (ON_PREMISE, "https://internal-ai.yourcompany.com/v1/chat/completions"),
    ],
)
def test_its_requests_go_where_the_guide_says(tmp_path: Path, text: str, url: str) -> None:
    """An endpoint with an empty path gets the dialect's base path; the preview sends nothing and reads no key."""
    file = tmp_path / "llm.yaml"
    file.write_text(text)

    preview = byollm.Client.from_yaml(file).preview("hi")

    assert url == preview.url
    assert "[redacted]" == preview.headers["authorization"]


def moved(text: str, twin: Twins) -> dict[str, Any]:
    """The configuration with endpoints on this machine and our key: all that a test may change."""
    config: dict[str, Any] = yaml.safe_load(text)["llm_config"]
    dialects = {"openai": "openai-responses", "anthropic": "anthropic-messages", "custom": "openai-chat"}
    for target in [config] if "provider" in config else config.values():
        if target["provider"] in dialects:
            target.update(endpoint=twin.url(dialects[target["provider"]]), api_key=KEY)
    return config


@pytest.mark.parametrize("text", [SINGLE, ON_PREMISE])
def test_a_single_target_answers(twin: Twins, ask: Asker, text: str) -> None:
    """One question, one answer."""
    twin.script("an answer")

    assert "an answer" == ask.complete(moved(text, twin)).text


@pytest.mark.parametrize("task", ["rule_extraction", "pii_detection"])
def test_each_task_is_answered_by_its_own_provider(twin: Twins, ask: Asker, task: str) -> None:
    """The program names the task; the file names the provider."""
    twin.script("an answer")

    reply = ask.complete(moved(TASKS, twin), task=task)

    assert ("an answer", task) == (reply.text, reply.deployment)


def test_a_task_whose_plugin_is_missing_names_the_package(
    twin: Twins, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider whose plugin is not installed breaks only its own task, and says what to install."""
    installed = discovery._points
    without = {
        group: tuple(point for point in installed(group) if point.name != "google") for group in (discovery.GROUP,)
    }
    monkeypatch.setattr(discovery, "_points", lambda group: without.get(group) or installed(group))
    twin.script("an answer")

    assert "an answer" == ask.complete(moved(TASKS, twin), task="pii_detection").text
    with pytest.raises(byollm.errors.PluginError, match="pip install byollm-google"):
        ask.complete(moved(TASKS, twin), task="document_classification")


def test_a_call_without_a_task_lists_them(twin: Twins, ask: Asker) -> None:
    """With several tasks and no default, the call must say which."""
    with pytest.raises(byollm.errors.ConfigError, match="rule_extraction"):
        ask.complete(moved(TASKS, twin))


def test_an_unknown_task_names_the_nearest(twin: Twins, ask: Asker) -> None:
    """A slip of the pen is answered with the right word."""
    with pytest.raises(byollm.errors.ConfigError, match="pii_detection"):
        ask.complete(moved(TASKS, twin), task="pii_detectoin")


def test_data_goes_only_where_its_class_may_go(twin: Twins, ask: Asker) -> None:
    """A call that names its data class reaches a target that lists it, and otherwise sends nothing."""
    twin.script("kept inside")
    config = moved(ON_PREMISE, twin)

    with pytest.raises(byollm.errors.NoRouteError, match="health"):
        ask.complete(config, data_class="health")
    reply = ask.complete({**config, "data_classes": ["health"]}, data_class="health")

    assert ("kept inside", 1) == (reply.text, len(twin.requests))
