"""`--live`: the pipeline on the user's own file and keys. Nothing leaves before a yes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import byollm
from byollm.errors import ByollmError
from byollm_examples.folder import Documents
from byollm_examples.pipeline import TASKS, requests
from byollm_examples.record import Run
from byollm_examples.work import Progress, answers

BYTES_PER_TOKEN = 4
"""For the estimate only: English text has about four bytes to a token."""


class LiveError(Exception):
    """Nothing was sent: the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one task will ask of its first deployment, and at most."""

    task: str
    route: str | None
    deployment: str
    provider: str
    model: str
    host: str
    failover: tuple[str, ...]
    calls: int
    input_tokens: int
    most_output_tokens: int
    price: str

    def __str__(self) -> str:
        backups = f", else {', '.join(self.failover)}" if self.failover else ""
        calls = "1 call" if self.calls == 1 else f"{self.calls} calls"
        return (
            f"{self.task}: {calls} to {self.provider}/{self.model} at {self.host}{backups}; about "
            f"{self.input_tokens:,} input tokens, at most {self.most_output_tokens:,} output tokens; {self.price}"
        )


def configuration(named: str | None) -> Path:
    """The file: named, or `BYOLLM_CONFIG`, or llm.yaml. Raises LiveError telling what to write."""
    path = Path(named or os.environ.get("BYOLLM_CONFIG") or "llm.yaml")
    if not path.is_file():
        raise LiveError(
            f"there is no file {str(path)!r}. `byollm init` writes one; the shortest is\n\n"
            "  llm_config:\n    provider: openai\n    model: gpt-5.4\n\n"
            "with OPENAI_API_KEY in the environment. --config FILE names another file."
        )
    return path


def shares(client: byollm.Client, documents: Documents) -> list[Share]:
    """What would be sent: read from previews, so no key is read and nothing leaves. Raises ByollmError."""
    found = []
    for task in TASKS:
        route = task if task in client.config.tasks else None
        asked = list(requests(task, documents.texts))
        bodies = [client.preview(request, task=route) for request in asked]
        first = bodies[0]
        tokens = sum(len(json.dumps(body.body)) for body in bodies) // BYTES_PER_TOKEN
        most = sum(request.max_tokens or 0 for request in asked)
        pricing = client.config.deployments[first.deployment].pricing
        found.append(
            Share(
                task,
                route,
                first.deployment,
                first.provider,
                first.model,
                urlsplit(first.url).hostname or first.url,
                tuple(_backups(client, route, first.deployment)),
                len(asked),
                tokens,
                most,
                price(pricing, tokens, most),
            )
        )
    return found


def _backups(client: byollm.Client, route: str | None, first: str) -> Iterator[str]:
    task = client.config.tasks.get(route or client.config.default or "")
    for name in task.candidates if task is not None else ():
        if name != first:
            yield f"{name} at {urlsplit(client.preview('.', deployment=name).url).hostname}"


def price(pricing: Mapping[str, Any], tokens: int, most: int) -> str:
    """What it will cost by the file's `pricing:`; without one, that nobody knows."""
    try:
        input_price, output_price = Decimal(str(pricing["input"])), Decimal(str(pricing["output"]))
    except (KeyError, InvalidOperation):
        return "price unknown (the file has no `pricing:` for it)"
    million = Decimal(1_000_000)
    low, high = tokens * input_price / million, (tokens * input_price + most * output_price) / million
    return f"{low:.4f} to {high:.4f} {pricing.get('currency', 'USD')}"


def confirm(listed: list[Share], yes: bool, say: Any) -> None:
    """Tell all of it, then ask. Raises LiveError when the answer is no, or when nobody can be asked."""
    say("This will be sent, with your own keys:")
    for share in listed:
        say(f"  {share}")
    say("Retries and failovers may add calls.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise LiveError("nothing was sent: there is no terminal to ask on. --yes says yes beforehand.")
    sys.stderr.write("Send it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise LiveError("nothing was sent.")


def live(run: Run, client: byollm.Client, listed: list[Share], documents: Documents, progress: Progress) -> None:
    """The pipeline over the user's own deployments."""
    for share in listed:

        def asked(client: byollm.Client, task: str, texts: Iterator[str], share: Share = share) -> Iterator[Any]:
            return client.map(requests(task, texts), task=share.route, concurrency=6)

        run.rows += answers(client, share.task, documents, iter(documents.texts), progress, asked)
    failed = sum(row.error is not None for row in run.rows)
    run.check(not failed, f"{failed} answers are missing or do not fit")


__all__ = ["ByollmError", "LiveError", "Share", "configuration", "confirm", "live", "price", "shares"]
