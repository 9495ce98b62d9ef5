"""`byollm sandbox`: twins on a port of this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from byollm_sandbox.dialects import dialects
from byollm_sandbox.faults import KINDS, Fault
from byollm_sandbox.server import Twins, serve

PORT = 8765
"""Where the twins listen when nothing else is said: always the same, so that a file can name it."""
DONE, FAILED, USAGE = 0, 1, 2
_TICK = 0.1
_KEY = "${SANDBOX_KEY}"


def sandbox(arguments: Sequence[str]) -> int:
    """Run the twins. 0: ended as asked; 1: the port is taken; 2: wrong words."""
    try:
        words = _parser().parse_args(list(arguments))
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        faults = [Fault(kind) for kind in words.fault]
    except ValueError as error:
        return _refuse(str(error), "byollm sandbox --help")
    twin = serve(port=words.port, key=words.key)
    try:
        twin.start()
    except OSError as error:
        return _refuse(f"port {words.port}: {error.strerror}", "--port 0 takes a free one", FAILED)
    with twin:
        for fault in faults:
            twin.fault(*fault.kinds, times=None)
        twin.batch(times=None, seconds=words.batch_seconds)
        print(_announcement(twin, words), flush=True)
        _wait(twin, words)
    return DONE


def _refuse(sentence: str, mend: str, code: int = USAGE) -> int:
    print(f"error: {sentence}\n  {mend}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(_refuse(message, f"{self.prog} --help"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="byollm sandbox",
        description="Twins of the providers on this machine: no keys, no spend. Ctrl-C ends them.",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, help=f"where to listen (default {PORT}; 0 takes a free port)"
    )
    parser.add_argument("--key", help="the only key that is good (default: any, and none)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND", help=f"break every answer: {', '.join(KINDS)}"
    )
    parser.add_argument(
        "--batch-seconds", type=_seconds, default=0.0, metavar="N", help="how long a batch works (default: no time)"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="end by itself after N seconds")
    parser.add_argument("--json", action="store_true", help="tell the addresses as JSON, and nothing else")
    return parser


def _seconds(word: str) -> float:
    with suppress(ValueError):
        if 0 <= (seconds := float(word)) < float("inf"):
            return seconds
    raise argparse.ArgumentTypeError("a number of seconds, at least 0")


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(word)


def configuration(twin: Twins, *, key: bool) -> str:
    """A file for the three dialects, one task each. With `key`, it names SANDBOX_KEY; the key itself is not shown."""
    credential = f'api_key: "{_KEY}"' if key else "authentication: none"
    rows = (
        ("rule_extraction", "openai", "gpt-5.4", twin.url("openai-responses")),
        ("pii_detection", "anthropic", "claude-sonnet-5", twin.url("anthropic-messages")),
        ("document_classification", "custom", "any-model", twin.url("custom")),
    )
    lines = [
        f'  {task}: {{provider: {provider}, model: {model}, endpoint: "{url}", {credential}}}'
        for task, provider, model, url in rows
    ]
    return "\n".join(["llm_config:", *lines])


def _announcement(twin: Twins, words: argparse.Namespace) -> str:
    urls = {name: twin.url(name) for name in [*dialects(), "custom"]}
    if words.json:
        return json.dumps({"port": twin.port, "urls": urls, "config": configuration(twin, key=words.key is not None)})
    lines = ["Twins of the providers are listening. Answers come from a rule-based stand-in. Ctrl-C ends them.", ""]
    lines += [f"  {name:<20} {url}" for name, url in urls.items()]
    lines += ["", "A file for them (save as llm.yaml):", "", configuration(twin, key=words.key is not None), ""]
    if words.key is not None:
        lines.append("Put the key you gave into the environment variable SANDBOX_KEY.")
    lines.append('Try it: byollm complete --config llm.yaml --task pii_detection "Write to ops@example.com"')
    return "\n".join(lines)


def _wait(twin: Twins, words: argparse.Namespace) -> None:
    ends = None if words.seconds is None else time.monotonic() + words.seconds
    told = 0
    try:
        while ends is None or time.monotonic() < ends:
            time.sleep(_TICK if ends is None else max(0.0, min(_TICK, ends - time.monotonic())))
            requests = twin.requests
            for request in requests[told:] if not words.json else ():
                print(f"  {request.method} {request.path} → {request.status}", flush=True)
            told = len(requests)
    except KeyboardInterrupt:
        if not words.json:
            print()
