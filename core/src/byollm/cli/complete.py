"""`byollm complete`: ask, and print the answer. The text goes to stdout, everything about it to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from byollm.cli import show
from byollm.cli.arguments import Parser, add_choice, choice_of, client_for, text_of
from byollm.cli.faults import Failed, UsageFault

if TYPE_CHECKING:
    import argparse

    from byollm.client import Client
    from byollm.previewing import Preview
    from byollm.types.completion import Completion

_PARAMETERS: Final = (
    "system", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "reasoning_effort", "verbosity",
    "timeout", "tenant", "data_class", "region",
)  # fmt: skip
INTERRUPTED: Final = 130


def run(words: Sequence[str]) -> int:
    """The command. Raises what `main` tells."""
    options = _parser().read(words)
    client = client_for(options)
    parameters = parameters_of(options)
    text = text_of(options.text, "complete")
    with client:
        if options.dry_run:
            return _preview(client.preview(text, stream=options.stream, **parameters), options.json)
        if options.stream:
            return _stream(client, text, parameters, options)
        started = time.monotonic()
        reply = client.complete(text, **parameters)
        milliseconds = (time.monotonic() - started) * 1000
        if options.json:
            show.document(facts_of(reply, milliseconds))
        else:
            print(_printable(reply.text), flush=True)
        _tell(reply, milliseconds, options)
        _hold_to_schema(reply)
    return 0


def _parser() -> Parser:
    parser = Parser("complete", "Ask, and print the answer: the text on stdout, what is to know about it on stderr.")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the prompt; - or nothing reads stdin")
    add_choice(parser)
    parser.add_argument("--stream", action="store_true", help="print the answer as it arrives")
    parser.add_argument("--dry-run", action="store_true", help="show the request; nothing is sent, no key is read")
    parser.add_argument("--quiet", "-q", action="store_true", help="nothing about the answer on stderr")
    asked = parser.add_argument_group("what to ask for")
    asked.add_argument("--system", metavar="TEXT", help="text put before the prompt")
    asked.add_argument("--temperature", type=float, metavar="X")
    asked.add_argument("--top-p", type=float, metavar="X")
    asked.add_argument("--top-k", type=int, metavar="N")
    asked.add_argument("--max-tokens", type=int, metavar="N", help="the most tokens the answer may have")
    asked.add_argument("--stop", action="append", metavar="TEXT", help="ends the answer; may be given more than once")
    asked.add_argument("--seed", type=int, metavar="N")
    asked.add_argument("--reasoning-effort", metavar="WORD", help="none, minimal, low, medium, high, xhigh, max")
    asked.add_argument("--verbosity", metavar="WORD", help="low, medium, high")
    asked.add_argument("--output-schema", metavar="FILE", help="a JSON schema; the answer is printed as checked JSON")
    called = parser.add_argument_group("how to call")
    called.add_argument("--timeout", type=float, metavar="SECONDS", help="for the whole call, retries included")
    called.add_argument("--tenant", metavar="NAME")
    called.add_argument("--data-class", metavar="NAME")
    called.add_argument("--region", metavar="NAME")
    called.add_argument("--label", action="append", metavar="NAME=VALUE", help="for your own records")
    return parser


def parameters_of(options: argparse.Namespace) -> dict[str, Any]:
    """What was given, as the client takes it. Raises UsageFault and Failed."""
    given = {name: getattr(options, name) for name in _PARAMETERS if getattr(options, name) is not None}
    if options.output_schema:
        given["output_schema"] = _schema(options.output_schema)
    if options.label:
        pairs = [label.partition("=") for label in options.label]
        if not all(name and mark for name, mark, _ in pairs):
            raise UsageFault("--label is NAME=VALUE", "for example: --label team=search")
        given["labels"] = {name: value for name, _, value in pairs}
    return given | choice_of(options)


def _schema(path: str) -> Any:
    import json

    problem, found = "", None
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}"
    except ValueError as error:
        problem = f"{path} is not JSON: {error}"
    if problem:
        raise Failed(problem, "--output-schema names a file with a JSON schema")
    if not isinstance(found, dict):
        raise Failed(f"{path} holds no JSON schema: it is no object", '{"type": "object", "properties": {…}}')
    return found


def _printable(text: str) -> str:
    """An answer may hold a terminal's control sequences; a pipe gets it as it is."""
    return show.clean(text) if sys.stdout.isatty() else text


def _preview(preview: Preview, as_json: bool) -> int:
    if as_json:
        show.document(preview)
        return 0
    show.say(str(preview))
    show.say()
    show.say(f"adjustments: {'none' if not preview.adjustments else ''}".rstrip())
    for adjustment in preview.adjustments:
        show.say(f"  {adjustment}")
    show.note(f"{preview.deployment}: {preview.provider}/{preview.model}. Nothing was sent, no key was read.")
    return 0


def _stream(client: Client, text: str, parameters: dict[str, Any], options: argparse.Namespace) -> int:
    from byollm.types.events import TextDelta

    started = time.monotonic()
    stream = client.stream(text, **parameters)
    ended_with_newline = True
    try:
        with stream:
            for event in stream:
                if options.json:
                    show.document({"event": type(event).__name__, **show.plain(event)}, compact=True)
                elif type(event) is TextDelta and event.text:
                    ended_with_newline = event.text.endswith("\n")
                    print(_printable(event.text), end="", flush=True)
    except KeyboardInterrupt:
        _end_line(ended_with_newline, options)
        characters = len(stream.partial.text)
        show.note(f"interrupted after {characters} characters; the connection is closed")
        return INTERRUPTED
    except BaseException:
        _end_line(ended_with_newline, options)
        raise
    _end_line(ended_with_newline, options)
    milliseconds = (time.monotonic() - started) * 1000
    if options.json:
        show.document({"event": "completion", **facts_of(stream.completion, milliseconds)}, compact=True)
    _tell(stream.completion, milliseconds, options)
    _hold_to_schema(stream.completion)
    return 0


def _end_line(ended_with_newline: bool, options: argparse.Namespace) -> None:
    if not ended_with_newline and not options.json:
        print(flush=True)


def facts_of(reply: Completion, milliseconds: float) -> dict[str, Any]:
    """The answer as JSON data."""
    usage = show.plain(reply.usage)
    found = {
        "text": reply.text,
        "provider": reply.provider,
        "model": reply.model,
        "deployment": reply.deployment,
        "finish_reason": reply.finish_reason,
        "raw_finish_reason": reply.raw_finish_reason,
        "usage": usage,
        "cost": show.plain(reply.cost),
        "cost_currency": reply.cost_currency,
        "cost_source": reply.cost_source,
        "request_id": reply.request_id,
        "milliseconds": round(milliseconds, 1),
        "adjustments": show.plain(reply.adjustments),
        "attempts": [_attempt(attempt) for attempt in reply.attempts],
    }
    if reply.reasoning:
        found["reasoning"] = reply.reasoning
    if reply.output_schema is not None:
        found["parsed"] = show.plain(reply.parsed)
    return found


def _attempt(attempt: Any) -> dict[str, Any]:
    error = attempt.error
    names = ("deployment", "provider", "model", "number", "status", "request_id", "sent", "billed")
    told = {name: getattr(attempt, name) for name in names}
    failed = None if error is None else {"type": type(error).__name__, "message": error.message}
    return {**told, "milliseconds": round(attempt.milliseconds, 1), "error": failed}


def _tell(reply: Completion, milliseconds: float, options: argparse.Namespace) -> None:
    """Provider, model, tokens, time; then what was changed and who failed before."""
    if options.quiet or options.json:
        return
    usage = reply.usage
    tokens = f"{_known(usage.input_tokens)} in, {_known(usage.output_tokens)} out"
    more = [
        f"{value} {word}"
        for value, word in ((usage.cached_tokens, "cached"), (usage.reasoning_tokens, "reasoning"))
        if value
    ]
    facts = [
        f"{reply.provider}/{reply.model}",
        f"tokens {tokens}" + (f" ({', '.join(more)})" if more else ""),
        f"{milliseconds:.0f} ms",
        *([f"cost {reply.cost:f} {reply.cost_currency or ''}".rstrip()] if reply.cost is not None else []),
        *([f"ended with {reply.finish_reason}"] if reply.finish_reason != "stop" else []),
    ]
    show.note(" · ".join(facts))
    for adjustment in reply.adjustments:
        show.note(f"adjusted: {adjustment}")
    if len(reply.attempts) > 1:
        for attempt in reply.attempts:
            show.note(f"attempt: {attempt}")


def _hold_to_schema(reply: Completion) -> None:
    """Raises OutputInvalidError for an answer that does not fit the schema that was asked for."""
    if reply.output_schema is not None:
        _ = reply.parsed


def _known(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)
