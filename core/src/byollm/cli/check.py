"""`byollm check`: read a configuration as strictly as the client does, and say what is wrong with it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

from byollm.cli import show
from byollm.cli.arguments import Parser, file_of
from byollm.cli.findings import Check, as_data, print_checks
from byollm.errors import ByollmError, ConfigError

if TYPE_CHECKING:
    from byollm.config.places import Finding
    from byollm.config.records import LlmConfig
    from byollm.providers.manifest import Manifest


FEW_HOSTS: Final = 8
"""As many fit into a sentence; more are a list of their own."""


def run(words: Sequence[str]) -> int:
    """The command; 1 when there is an error (or, with `--strict`, a warning). Raises what `main` tells."""
    options = _parser().read(words)
    from pathlib import Path

    from byollm.config.llm_config import load

    path = file_of(options)
    try:
        config = load(Path(path))
    except ConfigError as error:
        if not options.json:
            raise
        show.document({"file": path, "ok": False, "findings": [_of_error(error)], "hosts": {}, "live": {}})
        return 1
    findings, hosts = _found(config)
    live = _live(config) if options.live else {}
    bad = {"error", "warning"} if options.strict else {"error"}
    good = not any(finding.level in bad for finding in findings)
    good = good and not any(check.state == "fail" for checks in live.values() for check in checks)
    if options.json:
        data = [_as_data(finding) for finding in findings]
        told = {name: as_data(checks) for name, checks in live.items()}
        show.document({"file": path, "ok": good, "findings": data, "hosts": hosts, "live": told})
    else:
        _print(path, config, findings, hosts, live, options)
    return 0 if good else 1


def _parser() -> Parser:
    parser = Parser("check", "Read a configuration as strictly as the client does. Nothing is sent, no key is read.")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the configuration, like --config")
    parser.add_argument("--config", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--hosts", action="store_true", help="every host the file can reach, and which deployments do")
    parser.add_argument("--live", action="store_true", help="ask each deployment one tiny question with its real key")
    parser.add_argument("--strict", action="store_true", help="warnings fail, too")
    return parser


def _found(config: LlmConfig) -> tuple[list[Finding], Mapping[str, tuple[str, ...]]]:
    from byollm.config.check import check, reachable_hosts
    from byollm.providers.discovery import load_provider

    def manifest_of(provider: str) -> Manifest:
        return load_provider(provider, allowed=config.plugins, lock=config.lock).manifest

    return [*check(config, manifest_of), *_of_extensions(config)], reachable_hosts(config, manifest_of)


def _of_extensions(config: LlmConfig) -> list[Finding]:
    """Middleware and observers are made as the client makes them, and thrown away."""
    from byollm.cli.faults import mend_of
    from byollm.config.extensions import extension_of
    from byollm.config.places import Finding
    from byollm.routing.agreements import findings

    found, made = [], []
    for group, entries in (("byollm.observers", config.observers), ("byollm.middleware", config.middleware)):
        for entry in entries:
            try:
                made.append(extension_of(group, config, entry))
            except ByollmError as error:
                found.append(Finding("error", entry.where, error.message, mend_of(error)))
    return [*findings(config, made), *found]


def _live(config: LlmConfig) -> dict[str, list[Check]]:
    from byollm.cli.live import COST, ask
    from byollm.client import Client

    show.note(COST)

    with Client(config) as client:
        return {name: ask(client, name) for name in config.deployments}


def _of_error(error: ConfigError) -> dict[str, Any]:
    place = {"file": error.file, "line": error.line, "column": error.column}
    return {"level": "error", **place, "sentence": error.message, "mend": error.hint}


def _as_data(finding: Finding) -> dict[str, Any]:
    file, line, column = finding.where
    place = {"file": file, "line": line, "column": column}
    return {"level": finding.level, **place, "sentence": finding.sentence, "mend": finding.mend}


def _print(
    path: str,
    config: LlmConfig,
    findings: Sequence[Finding],
    hosts: Mapping[str, Sequence[str]],
    live: Mapping[str, Sequence[Check]],
    options: argparse.Namespace,
) -> None:
    colours = {"error": "fail", "warning": "warn", "info": "note"}
    for finding in findings:
        show.say(f"{finding.level}: {finding.where}: {finding.sentence}", colours[finding.level])
        if finding.mend:
            show.say(f"  {finding.mend}")
    for name, checks in live.items():
        show.say(f"{name}: {config.deployments[name].provider}/{config.deployments[name].model}")
        print_checks(checks)
    if options.hosts:
        rows = [(host, ", ".join(names)) for host, names in hosts.items()]
        for line in show.table(rows, ("host", "deployments")):
            show.say(line)
    show.say(_summary(path, config, findings, hosts))


def _summary(path: str, config: LlmConfig, findings: Sequence[Finding], hosts: Mapping[str, Any]) -> str:
    amounts = [(len(config.deployments), "deployment"), (len(config.tasks), "task")]
    levels = [(sum(finding.level == level for finding in findings), level) for level in ("error", "warning")]
    told = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in [*amounts, *levels])
    if len(hosts) <= FEW_HOSTS:
        return f"{path}: {told}; it can reach {', '.join(hosts) or 'no host'}"
    listed = fill(", ".join(hosts), width=100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return f"{path}: {told}; it can reach {len(hosts)} hosts:\n{listed}"
