"""`byollm savings --example guide` and `--workload FILE`: figures out of workload files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

from byollm.cli import show
from byollm.cli.faults import Failed, UsageFault
from byollm.cli.pages import write_page
from byollm_savings import text
from byollm_savings.cost import Costing
from byollm_savings.judge import judge
from byollm_savings.quotes import quotes_of
from byollm_savings.reading import parse_workload, read_workload
from byollm_savings.workload import Workload


def guide() -> dict[str, bytes]:
    """The workload files of the guide's example, by name."""
    folder = files("byollm_savings") / "guide"
    found = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".yaml")}
    return dict(sorted(found.items()))


def run(options: argparse.Namespace) -> int:
    """The command. Raises what `main` tells."""
    if options.write:
        return _write(Path(options.write), as_json=options.json)
    workloads = with_changes(_workloads(options), options.set)
    costing = Costing(quotes_of(options.prices))
    told = [(workload, text.bills(workload, costing), judge(workload, costing)) for workload in workloads]
    if options.html:
        from byollm_savings.calculator import page

        write_page(options.html, page(workloads, costing))
    everything = [judgement for _, _, found in told for judgement in found]
    if options.json:
        shown = {"file": options.html} if options.html else {}
        show.document(
            {
                **shown,
                "workloads": [text.data(*one) for one in told],
                "prices": text.prices(costing),
                "summary": text.summary(everything),
            }
        )
        return 0
    if options.html:
        show.say(f"{options.html} is written: a calculator with every number of these files.")
        return 0
    for one in told:
        for line in text.report(*one):
            show.say(line)
    for line in [*text.assumptions(workloads), *text.price_lines(costing)]:
        show.say(line)
    show.say(text.summary(everything))
    return 0


def _workloads(options: argparse.Namespace) -> list[Workload]:
    if options.example:
        return [parse_workload(data, name) for name, data in guide().items()]
    return [read_workload(file) for file in options.workload]


def with_changes(workloads: list[Workload], changes: Sequence[str]) -> list[Workload]:
    """The workloads with numbers changed by `NAME=NUMBER`. Raises UsageFault for a name that none of them has."""
    for change in changes:
        name, _, written = change.partition("=")
        if not any(name in workload.values for workload in workloads):
            raise UsageFault(f"no workload has a number called {name!r}", _nearest(name, workloads))
        value = _number(name, written)
        workloads = [workload.changed({name: value}) if name in workload.values else workload for workload in workloads]
    return workloads


def _number(name: str, written: str) -> Fraction:
    try:
        value = Fraction(written.replace(",", ""))
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    if value < 0:
        raise UsageFault(f"--set {name}: {written!r} is no number of at least 0", f"for example: --set {name}=1000")
    return value


def _nearest(name: str, workloads: Sequence[Workload]) -> str:
    from difflib import get_close_matches

    known = sorted({known for workload in workloads for known in workload.values})
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    return f"did you mean {close[0]}?" if close else f"numbers are {', '.join(known[:8])}, …"


def _write(folder: Path, *, as_json: bool) -> int:
    written = []
    for name in guide():
        if (folder / name).exists():
            raise Failed(f"{folder / name} is there already", "--write names an empty folder")
    problem = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in guide().items():
            (folder / name).write_bytes(data)
            written.append(str(folder / name))
    except OSError as error:
        problem = f"{folder} cannot be written: {error.strerror}"
    if problem:
        raise Failed(problem, "--write names another folder")
    if as_json:
        show.document({"written": written})
    else:
        show.say(f"{len(written)} files are written: change them, then byollm savings --workload {written[0]}")
    return 0
