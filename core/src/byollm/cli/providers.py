"""`byollm providers`: the provider plugins that are installed, and those that could be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from byollm.cli import show
from byollm.cli.arguments import Parser
from byollm.errors import ByollmError

SECONDS = 60.0
"""How long a plugin may take to load in a process of its own."""


def run(words: Sequence[str]) -> int:
    """The command; 1 when `--load` finds a broken plugin. Raises what `main` tells."""
    parser = Parser("providers", "The provider plugins that are installed, and those that could be.")
    parser.add_argument(
        "--load", action="store_true", help="load each alone, in a fresh process, and say what is broken"
    )
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.read(words)
    if options.one:
        show.document(_guarded(options.one), compact=True)
        return 0
    found = [_alone(name) if options.load else _guarded(name) for name in _names()]
    missing = _missing()
    broken = [item for item in found if item["problem"]]
    if options.json:
        show.document({"installed": found, "known": missing})
    else:
        _print(found, missing)
    return 1 if options.load and broken else 0


def _names() -> list[str]:
    from byollm.providers.discovery import listed

    return sorted({item.name for item in listed()})


def _missing() -> dict[str, dict[str, Any]]:
    from byollm.providers.discovery import KNOWN

    installed = set(_names())
    return {name: {"package": package, "install": install_line(package)} for name, package in KNOWN.items()
            if name not in installed}  # fmt: skip


def install_line(package: str) -> str:
    """What installs a plugin."""
    return f"pip install {package}"


def _empty(name: str, problem: str, mend: str) -> dict[str, Any]:
    from byollm.providers.discovery import listed

    owners = [item for item in listed() if item.name == name]
    told = {key: " and ".join(sorted({getattr(item, key) for item in owners})) for key in ("distribution", "version")}
    return {"name": name, **told, "spec": None, "apis": [], "hosts": [], "endpoint": None, "credentials": {},
            "docs": "", "problem": problem, "mend": mend}  # fmt: skip


def _loaded(name: str) -> dict[str, Any]:
    """One plugin's passport. Raises PluginError."""
    from byollm.providers.discovery import load_provider

    loaded = load_provider(name)
    manifest = loaded.manifest
    return {
        "name": manifest.name,
        "distribution": loaded.distribution,
        "version": loaded.version,
        "spec": manifest.spec,
        "apis": list(manifest.apis),
        "hosts": list(manifest.hosts),
        "endpoint": manifest.default_endpoint,
        "credentials": {key: list(value) for key, value in manifest.credentials.items()},
        "docs": manifest.docs,
        "problem": "",
        "mend": "",
    }


def _guarded(name: str) -> dict[str, Any]:
    try:
        return _loaded(name)
    except ByollmError as error:
        return _empty(name, error.message, error.hint)


def _alone(name: str) -> dict[str, Any]:
    """Loaded in a process of its own: a plugin that ends the process, hangs or prints breaks only itself."""
    import json
    import subprocess

    command = [sys.executable, "-m", "byollm", "providers", "--json", "--one", name]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        found = json.loads((done.stdout.splitlines() or [b""])[-1])
    except subprocess.TimeoutExpired:
        return _empty(name, f"did not load within {SECONDS:.0f} s", "")
    except ValueError:
        found = None
    if isinstance(found, dict) and "name" in found:
        return found
    return _empty(name, f"its import ended the process (exit code {done.returncode})", "")


def _few(hosts: Sequence[str]) -> str:
    """The first of them, and how many more; `--json` has them all."""
    more = f" and {len(hosts) - 3} more" if len(hosts) > 4 else ""
    return " ".join(hosts[:3] if more else hosts) + more


def _reach(endpoint: str | None) -> str:
    return "nowhere: the model runs in this process" if endpoint == "" else "any endpoint you name"


def _print(found: list[dict[str, Any]], missing: dict[str, dict[str, Any]]) -> None:
    rows = [
        (
            item["name"],
            item["distribution"],
            item["version"],
            "BROKEN" if item["problem"] else " ".join(item["apis"]),
            item["problem"] or _few(item["hosts"]) or _reach(item["endpoint"]),
        )
        for item in found
    ]
    show.say("installed")
    header = ("name", "distribution", "version", "apis", "hosts")
    for line in show.table(rows, header, indent="  ") or ["  none"]:
        show.say(line)
    for item in found:
        if item["problem"] and item["mend"]:
            show.say(f"  {item['name']}: {item['mend']}")
    show.say()
    if missing:
        show.say("known, not installed")
        for line in show.table([(name, item["install"]) for name, item in missing.items()], indent="  "):
            show.say(line)
        show.say()
    show.say("Any other OpenAI-compatible endpoint is `provider: custom`. In a clone: pip install ./plugins/NAME.")
