"""A run's records as lines for the terminal. Every value comes from the record; the words around them are ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from byollm_examples.record import Cut, Echo, Outage, Row, Run, Stream, Switch
from byollm_examples.screen import Screen, rule
from byollm_examples.table import cut, cut_left, padded, plain, table, wrapped


def opening(screen: Screen, source: str) -> list[str]:
    """What this is."""
    sentence = (
        "byollm asks any language model through one YAML file and gives every answer the same shape. "
        "The model in this demo is a rule-based stand-in behind twins of three providers on 127.0.0.1: "
        f"no network, no keys. {source}."
    )
    return [*wrapped(sentence, screen.width), ""]


def previews(screen: Screen, run: Run) -> list[str]:
    """Scene 1: the bodies side by side, one row for each member of a body."""
    asked = ", ".join(f"{name}={json.dumps(value)}" for name, value in run.request.items() if name != "message")
    lines = [rule(screen, "1  One request, three bodies")]
    lines += wrapped(f'client.preview("{run.request["message"]}", {asked})', screen.width, "   ")
    lines += ["", *bodies(screen, run)]
    for item in run.previews:
        for adjustment in item.adjustments:
            first, *more = wrapped(f"{item.provider}: {adjustment}", screen.width, "     ")
            lines += [screen.paint(f"   ≠ {first.strip()}", "yellow"), *(screen.paint(line, "yellow") for line in more)]
    equal = sum(item.recorded_equal for item in run.previews)
    statuses = ", ".join(str(item.status) for item in run.previews)
    sentence = f"Then sent: {equal} of {len(run.previews)} recorded bodies equal the preview; answered {statuses}."
    return [*lines, *wrapped(sentence, screen.width, "   "), ""]


def bodies(screen: Screen, run: Run) -> list[str]:
    """Three columns; a dot where a body has no such member."""
    names = list(dict.fromkeys(name for item in run.previews for name in item.body))
    names.sort(key=lambda name: -sum(name in item.body for item in run.previews))
    first = max(len(name) for name in names)
    size = (screen.width - first - 2 * len(run.previews) - 3) // len(run.previews)
    head = "".join(f"  {padded(item.provider, size)}" for item in run.previews)
    paths = "".join(f"  {padded(cut_left(item.url, size), size)}" for item in run.previews)
    lines = [screen.paint(f"   {' ' * first}{head}".rstrip(), "bold"), f"   {'POST':<{first}}{paths}".rstrip()]
    for name in names:
        cells = [_member(item.body, name, size) for item in run.previews]
        lines.append(f"   {name:<{first}}{''.join(f'  {cell}' for cell in cells)}".rstrip())
    return lines


def _member(body: Any, name: str, size: int) -> str:
    if name not in body:
        return padded("·", size)
    return padded(plain(json.dumps(body[name], ensure_ascii=False, separators=(",", ":"))), size)


def cut_streams(screen: Screen, scene: Cut) -> list[str]:
    """Scene 2."""
    lines = [rule(screen, "2  A stream that breaks"), *_stream(screen, scene.without), ""]
    lines += _diff(screen, scene.diff)
    lines += ["", *_stream(screen, scene.before_content), "", *_stream(screen, scene.after_content)]
    sentence = "After the first word nobody takes over in silence: the caller decides, with the partial text in hand."
    return [*lines, *wrapped(sentence, screen.width, "   "), ""]


def _stream(screen: Screen, stream: Stream) -> list[str]:
    lines = [f"   {stream.title}:"]
    for number, attempt in enumerate(stream.attempts, 1):
        colour = "green" if attempt.error is None else "red"
        lines += [screen.paint(line, colour) for line in wrapped(f"{number}. {attempt}", screen.width, "     ")]
    if stream.error is not None:
        lines.append(f"     {screen.paint(stream.error, 'red', 'bold')}, .partial.finish_reason {stream.finish_reason}")
    word = ".partial.text" if stream.error is not None else "reply.text"
    text = wrapped(f"{word}, {stream.pieces} pieces: “{plain(stream.text)}”", screen.width, "     ")
    shown = [*text[:2], f"{cut(text[2], screen.width - 1).rstrip('…')}…"] if len(text) > 3 else text
    return [*lines, *(screen.paint(line, "dim") for line in shown)]


def echo(screen: Screen, scene: Echo) -> list[str]:
    """Scene 3."""
    lines = [rule(screen, "3  A provider that repeats your key")]
    sent = f"sent by the provider, status {scene.status} (‹the key› stands for all {scene.key_length} characters):"
    lines += wrapped(sent, screen.width, "   ")
    lines += [screen.paint(line, "dim") for line in wrapped(plain(scene.sent), screen.width, "     ")]
    lines += ["   raised by byollm:"]
    for place, line in enumerate(scene.shown.splitlines()):
        text = f"{scene.error}: {line}" if place == 0 else line.strip()
        lines += [screen.paint(part, "red") for part in wrapped(text, screen.width, "     ")]
    searched = f"searched for any 12 characters of it: {', '.join(scene.searched)}: {scene.found} found."
    return [*lines, *wrapped(searched, screen.width, "   "), ""]


def pipeline_head(screen: Screen, count: int, tasks: Sequence[str], live: bool) -> list[str]:
    """The heading of scene 4, before anything is known."""
    title = "Your tasks" if live else "4  Three tasks, three providers"
    return [rule(screen, title), f"   {count} documents under {len(tasks)} tasks, six calls at a time"]


def results(screen: Screen, run: Run) -> list[str]:
    """The table, and what the outage did."""
    lines = ["", *row_table(screen, run.rows)]
    if run.outage is not None:
        lines += ["", *outage_lines(screen, run, run.outage)]
    return [*lines, ""]


def row_table(screen: Screen, rows: Sequence[Row]) -> list[str]:
    """One table; where the screen is narrow, the task stands above its rows instead of in a column."""
    head = ("document", "provider", "answer", "tokens", "ms")
    wide = screen.width >= 110
    cells = [(row.document, row.provider, row.short, row.tokens, f"{row.milliseconds:.0f}") for row in rows]
    if wide:
        both = [(document, row.task, *rest) for row, (document, *rest) in zip(rows, cells, strict=True)]
        made = table(("document", "task", *head[1:]), both, screen.width - 3, flexible=3, most=(24,), right=(4, 5))
        return _marked(screen, rows, made)
    made = table(head, cells, screen.width - 3, flexible=2, most=(22, 10), right=(3, 4))
    body = _marked(screen, rows, made)
    lines = [body[0]]
    for place, row in enumerate(rows):
        if place == 0 or rows[place - 1].task != row.task:
            lines.append(f"   {screen.paint(row.task, 'blue', 'bold')}")
        lines.append(body[place + 1])
    return lines


def _marked(screen: Screen, rows: Sequence[Row], made: Sequence[str]) -> list[str]:
    lines = [f"   {screen.paint(made[0], 'bold')}"]
    for row, line in zip(rows, made[1:], strict=True):
        tried = {attempt.deployment for attempt in row.attempts}
        if row.error is not None:
            lines.append(f" {screen.paint('×', 'red')} {screen.paint(line, 'red')}")
        else:
            lines.append(f" {screen.paint('↪', 'yellow') if len(tried) > 1 else ' '} {line}")
    return lines


def outage_lines(screen: Screen, run: Run, outage: Outage) -> list[str]:
    """Who answered instead, from `reply.attempts`."""
    own, moved = run.rows_in_outage()
    tried = [row for row in moved if any(item.deployment == outage.deployment for item in row.attempts)]
    total = sum(row.task == outage.task for row in run.rows)
    sentence = (
        f"{outage.deployment} ({outage.provider}) answered {len(own)} of {total}, then its server was taken down. "
        f"Its backup answered {len(moved)}, {len(moved) - len(tried)} of them without trying the primary again. "
        f"{total - len(own) - len(moved) or 'None'} missing."
    )
    lines = wrapped(sentence, screen.width, "   ")
    if tried:
        first = min(tried, key=lambda row: len(row.attempts))
        lines.append(f"   ↪ {plain(first.document)}, reply.attempts:")
        for number, attempt in enumerate(first.attempts, 1):
            colour = "green" if attempt.error is None else "red"
            lines += [screen.paint(line, colour) for line in wrapped(f"{number}. {attempt}", screen.width, "     ")]
    return lines


def switch(screen: Screen, scene: Switch) -> list[str]:
    """One line, another provider."""
    lines = [rule(screen, "5  One line moves a task"), *_diff(screen, scene.diff), ""]
    pairs = list(zip(scene.before, scene.after, strict=True))
    cells = [(new.document, old.provider, new.provider, _both(old, new)) for old, new in pairs]
    made = table(("document", "before", "after", "answer"), cells, screen.width - 3, flexible=3, most=(30,))
    lines += [f"   {screen.paint(made[0], 'bold')}", *(f"   {line}" for line in made[1:])]
    same = sum(old.answer == new.answer for old, new in pairs)
    return [*lines, f"   The same program; {same} of {len(pairs)} answers are the same.", ""]


def _both(old: Row, new: Row) -> str:
    return new.short if new.answer == old.answer else f"{old.short} → {new.short}"


def _diff(screen: Screen, lines: Sequence[str]) -> list[str]:
    return [screen.paint(cut(f"   {line}", screen.width), "red" if line[0] == "-" else "green") for line in lines]


def closing(screen: Screen, run: Run, next_commands: Sequence[tuple[str, str]]) -> list[str]:
    """Totals, where the page is, what to do next."""
    totals = run.totals
    sums = (
        f"{totals['answers']} answers, {totals['failures']} failures, {totals['attempts']} attempts, "
        f"{totals['input_tokens']:,} + {totals['output_tokens']:,} tokens, {run.seconds:.1f} s in all."
    )
    lines = [rule(screen, "Done" if not run.problems else "Not as it should be"), *wrapped(sums, screen.width, "   ")]
    lines += [screen.paint(f"   ! {problem}", "red") for problem in run.problems]
    if run.page is not None:
        lines.append(f"   the same as a page: {run.page}")
    for command, words in next_commands:
        lines += ["", f"   {words}:", f"     {screen.paint(command, 'bold')}"]
    return lines


def left_out(screen: Screen, reasons: Sequence[str]) -> list[str]:
    """The files that were not taken."""
    if not reasons:
        return []
    shown = [f"   {plain(reason)}" for reason in reasons[:8]]
    more = [f"   and {len(reasons) - 8} more"] if len(reasons) > 8 else []
    return ["left out:", *(cut(line, screen.width) for line in shown), *more, ""]
