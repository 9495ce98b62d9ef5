"""Which commands there are, and who brings them. Nothing here imports anything that takes time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

GROUP: Final = "byollm.commands"
"""The entry point group of commands that other distributions bring: a callable(arguments) -> exit code."""

CORE: Final[Mapping[str, str]] = {
    "init": "write a small llm.yaml",
    "check": "read a configuration as strictly as the client does, and say what is wrong with it",
    "providers": "the provider plugins that are installed, and those that could be",
    "capabilities": "what a model takes, and how we know",
    "complete": "ask, and print the answer",
    "count": "count the tokens of a prompt",
    "explain": "who would be asked now, in which order, and why",
    "policy": "what may go where, on which evidence, until when",
    "diff": "what a change of the configuration changes",
    "doctor": "look at everything between here and each provider, and say how to mend it",
}
"""Commands of core, each the module of its name in this package."""


class Home(NamedTuple):
    """The distribution that brings a command. `folder` is where it stands in a clone; empty while nobody wrote it."""

    package: str
    folder: str
    summary: str


ELSEWHERE: Final[Mapping[str, Home]] = {
    "demo": Home("byollm-examples", "contrib/examples", "the main job, end to end, without a key"),
    "sandbox": Home("byollm-sandbox", "contrib/sandbox", "twins of the providers on this machine"),
    "conform": Home("byollm-conformance", "conformance", "hold a plugin to the rules"),
    "new-plugin": Home("byollm-conformance", "conformance", "begin a plugin that passes the rules"),
    "vet": Home("byollm-conformance", "conformance", "look into a plugin's wheel without importing it"),
    "lock": Home("byollm-conformance", "conformance", "pin the plugins that may be loaded"),
    "usage": Home("byollm-ledger", "contrib/ledger", "what was used, by task, provider and tenant"),
    "savings": Home("byollm-savings", "contrib/savings", "what another provider would have cost"),
    "compare": Home("byollm-compare", "contrib/compare", "one sample through several deployments"),
    "audit": Home("byollm-audit", "contrib/audit", "verify the record of who asked what"),
    "prices": Home("byollm-prices", "contrib/prices", "the bundled price list"),
    "simulate": Home("byollm-policy", "", "where calls would go"),
    "plan-switch": Home("byollm-policy", "", "what moving to another provider takes"),
    "serve": Home("byollm-serve", "", "byollm as a service"),
    "batch": Home("byollm-batch", "", "many requests at the provider's leisure"),
}
"""Commands with a name already, and their homes: only to say what to install when one is missing."""
