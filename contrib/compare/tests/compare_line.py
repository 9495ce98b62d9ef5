"""A sandbox with three deployments, and the command line that compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byollm.cli.main import main
from byollm_sandbox import Twins

CONFIG = """llm_config:
  policies:
    tags: [{{tag: hipaa-baa, for: [big, small, wild], evidence: contract 5, owner: legal, expires: "2099-12-31"}}]
  deployments:
    big: {{provider: openai, model: gpt-5.4, api: chat, endpoint: "{big}", api_key: k-1234567890, pricing: {dear}}}
    small:
      {{provider: anthropic, model: claude-haiku-4-5, endpoint: "{small}", api_key: k-1234567890, pricing: {cheap}}}
    wild: {{provider: custom, model: our-own, endpoint: "{wild}", api_key: k-1234567890}}
    outside: {{provider: custom, model: elsewhere, endpoint: "{outside}", api_key: k-1234567890}}
  tasks:
    classify: {{route: [big, small], requires: [hipaa-baa]}}
    free: {{route: [big, small]}}
"""
DIALECTS = {"big": "openai-chat", "small": "anthropic-messages", "wild": "openai-chat", "outside": "openai-chat"}


class Shop:
    """Twins, a configuration, a sample, and `byollm compare`."""

    def __init__(self, twins: Twins, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.twins, self.folder, self._capsys = twins, folder, capsys
        urls = {name: twins.url(dialect, name=name) for name, dialect in DIALECTS.items()}
        prices = {"dear": "{input: 2, output: 10}", "cheap": "{input: 1, output: 2}"}
        (folder / "llm.yaml").write_text(CONFIG.format(**urls, **prices), "utf-8")

    def sample(self, *lines: Any) -> None:
        """Write `samples.jsonl`: mappings, or lines as they are."""
        told = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (self.folder / "samples.jsonl").write_text("\n".join(told) + "\n", "utf-8")

    def labels(self, count: int, expected: str = "invoice") -> None:
        """So many questions with one expected label."""
        self.sample(*({"prompt": f"what is document {at}?", "expected": expected} for at in range(count)))

    def answers(self, name: str, *texts: str, times: int = 1) -> None:
        """What a deployment answers, one after the other."""
        self.twins.script(*(list(texts) * times), name=name)

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of `byollm compare --data samples.jsonl …`."""
        self._capsys.readouterr()
        given = () if "--data" in words else ("--data", "samples.jsonl")
        code = main(["compare", *given, *words])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    def json(self, *words: str) -> Any:
        """What `--json` prints."""
        code, out, err = self(*words, "--json")
        assert out, err
        return {**json.loads(out), "code": code}

    def summaries(self, *words: str) -> dict[str, Any]:
        """By deployment."""
        return {it["deployment"]: it for it in self.json(*words)["summaries"]}

    def asked(self, name: str) -> int:
        """How many requests a deployment got."""
        return sum(1 for it in self.twins.requests if it.name == name)
