"""`byollm capabilities --matrix`: features × providers, asked of the installed plugins themselves. Nothing is sent."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from byollm.cli import matrix_features as rows
from byollm.cli import show
from byollm.cli.matrix_cells import Column, column, examined
from byollm.cli.matrix_features import FEATURES
from byollm.cli.pages import write_page


def run(options: argparse.Namespace) -> int:
    """The command; 1 when no plugin could be asked. Raises what `main` tells."""
    columns = list(_columns(options))
    if options.html:
        from byollm.cli.matrix_html import page

        _write(options.html, page(columns))
    elif options.json:
        show.document(as_data(columns))
    else:
        from byollm.cli.matrix_text import lines

        for line in lines(columns):
            show.say(line)
    return 0 if any(column.cells for column in columns) else 1


def _write(path: str, text: str) -> None:
    if path == "-":
        show.say(text)
        return
    write_page(path, text)
    show.note(f"written to {path}")


def _columns(options: argparse.Namespace) -> Iterator[Column]:
    from byollm.cli.arguments import choice_of, client_for, target_of

    if options.models:
        for name in options.models:
            target = target_of(name, flag="--models")
            provider = target.pop("provider")
            yield column(provider, {**_extras(provider), **target})
    elif options.model or options.config or choice_of(options):
        with client_for(options) as client:
            chosen = choice_of(options)
            names = list(client.config.deployments)
            if chosen:
                names = [client.lines(chosen.get("task"), chosen.get("deployment"), None)[0].name]
            for name in names:
                yield examined(client.line(name).deployment)
    else:
        for provider in installed():
            yield column(provider, rows.DEFAULTS.get(provider, rows.A_MODEL))


def _extras(provider: str) -> dict[str, Any]:
    from byollm.providers.discovery import canonical

    return {key: value for key, value in rows.DEFAULTS.get(canonical(provider), {}).items() if key != "model"}


def installed() -> list[str]:
    """The installed providers: first those of KNOWN, in its order, then others by name."""
    from byollm.providers.discovery import KNOWN, listed

    names = {item.name for item in listed()}
    return [*(name for name in KNOWN if name in names), *sorted(names - KNOWN.keys())]


def as_data(columns: Sequence[Column]) -> dict[str, Any]:
    """The matrix as JSON."""
    return {
        "features": [{"name": item.name, "title": item.title, "group": item.group} for item in FEATURES],
        "columns": [
            {
                "provider": item.provider,
                "model": item.model,
                "api": item.api,
                **item.limits,
                "problem": item.problem or None,
                "cells": {
                    name: {"state": found.state, "reason": found.reason, "checks": list(found.checks)}
                    for name, found in item.cells.items()
                },
            }
            for item in columns
        ],
    }
