"""Every page that byollm makes, made with things in it that are long, many and wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from byollm.cli.main import main
from byollm_ledger.page import page as usage_page
from byollm_ledger.sample import sample_report
from byollm_sandbox import Fault, serve

SAMPLES: Final = Path(__file__).parent / "samples"


def done(*words: str, code: int = 0) -> None:
    """Run a command, which ends as it should. Raises AssertionError."""
    assert code == main(list(words)), words


def policy(folder: Path) -> Path:
    """The policy report."""
    done("policy", "report", str(SAMPLES / "rules.yaml"), "--html", str(folder / "policy.html"))
    return folder / "policy.html"


def matrix(folder: Path) -> Path:
    """The capability matrix of eight models."""
    models = [
        "openai/gpt-5.4",
        "anthropic/claude-sonnet-5-5",
        "google/gemini-2.5-flash",
        "mistral/mistral-large-latest",
        "groq/llama-3.3-70b-versatile",
        "ollama/llama3.2",
        "deepseek/deepseek-chat",
        "xai/grok-4",
    ]
    done("capabilities", "--matrix", "--models", *models, "--html", str(folder / "matrix.html"))
    return folder / "matrix.html"


def demo(folder: Path) -> Path:
    """The demo's page."""
    done("demo", "--json", "--page", str(folder / "demo.html"))
    return folder / "demo.html"


def calculator(folder: Path) -> Path:
    """The cost calculator with the guide's workloads."""
    done("savings", "--example", "guide", "--html", str(folder / "calculator.html"))
    return folder / "calculator.html"


def usage_export(folder: Path) -> Path:
    """What an exported usage would have cost."""
    done("savings", "--usage", str(SAMPLES / "export.csv"), "--html", str(folder / "export.html"))
    return folder / "export.html"


COMPARED: Final = """llm_config:
  policies:
    tags: [{{tag: sox, for: [large-model-in-the-east, small, failing], evidence: e, owner: o, expires: 2099-01-01}}]
  deployments:
{entries}
  tasks: {{classify: {{route: [small], requires: [sox]}}}}
"""
PRICES: Final = {"large-model-in-the-east": (2, 10), "small": (0.1, 0.4), "failing": (1, 1), "outside": (1, 1)}


def compared(folder: Path) -> Path:
    """Four deployments compared, one of which fails, one of which may not be asked."""
    with serve() as twins:
        entries = [
            f"    {name}: {{provider: custom, model: a-model-of-{name}, api_key: k-1234567890, endpoint: "
            f'"{twins.url("openai-chat", name=name)}", pricing: {{input: {into}, output: {out}}}}}'
            for name, (into, out) in PRICES.items()
        ]
        (folder / "llm.yaml").write_text(COMPARED.format(entries="\n".join(entries)), "utf-8")
        samples = [{"prompt": f"document {at}", "expected": "invoice"} for at in range(24)]
        (folder / "samples.jsonl").write_text("".join(json.dumps(each) + "\n" for each in samples), "utf-8")
        twins.script(*["invoice"] * 24, name="large-model-in-the-east")
        twins.script(*["invoice", "letter"] * 12, name="small")
        twins.script(*["invoice"] * 3, *[Fault("status", status=500)] * 21, name="failing")
        words = ["--config", str(folder / "llm.yaml"), "--data", str(folder / "samples.jsonl")]
        done("compare", *words, "--task", "classify", "--yes", "--html", str(folder / "compare.html"))
    return folder / "compare.html"


def used(folder: Path) -> Path:
    """The ledger's report over a month of invented use."""
    (folder / "usage.html").write_text(usage_page(sample_report()), "utf-8")
    return folder / "usage.html"


MAKERS: Final[dict[str, Callable[[Path], Path]]] = {
    "policy report": policy,
    "capability matrix": matrix,
    "demo": demo,
    "calculator": calculator,
    "exported usage": usage_export,
    "comparison": compared,
    "usage": used,
}
"""Every page, by name."""
