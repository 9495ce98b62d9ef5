"""`byollm demo`: what the words on the command line start."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import byollm
from byollm.cli.pages import is_page
from byollm_examples import scenes, show, work
from byollm_examples.files import written
from byollm_examples.folder import Documents, FolderError, own_documents, read_folder
from byollm_examples.live import LiveError, configuration, confirm, live, shares
from byollm_examples.page import page
from byollm_examples.pipeline import TASKS
from byollm_examples.record import Run
from byollm_examples.screen import Screen
from byollm_sandbox import serve

DONE, FAILED, USAGE = 0, 1, 2
MARK = "# byollm demo: a file for twins that listened while it ran\n"
"""The first line of the configuration beside a page: what has it may be written over."""


def demo(arguments: Sequence[str], screen: Screen | None = None) -> int:
    """Run the demo. 0: everything went as it says; 1: something did not; 2: wrong words, folder or file.

    `screen`: where it is shown; None is stdout.
    """
    started = time.monotonic()
    words = _words(arguments)
    try:
        documents = own_documents() if words.data is None else read_folder(words.data)
    except FolderError as error:
        return _refuse(f"--data: {error}", "byollm demo --data FOLDER, where FOLDER holds text files")
    taken = _taken(Path(words.page)) if words.page else None
    if taken is not None:
        return _refuse(f"--page: {taken} is there, is not of this demo, and stays as it is", "--page demo.html")
    run = Run(documents.source, live=words.live, left_out=documents.left_out)
    screen = screen or Screen()
    quiet = bool(words.json)
    try:
        if words.live:
            _live(run, words, documents, screen, quiet)
        else:
            _sandbox(run, documents, screen, quiet)
    except LiveError as error:
        return _refuse(str(error), "")
    run.seconds = round(time.monotonic() - started, 2)
    _keep(run, words.page)
    if quiet:
        print(json.dumps(run.to_json(), indent=2, ensure_ascii=False))
    else:
        screen.lines(show.closing(screen, run, next_commands(run)))
    return FAILED if run.problems else DONE


def _sandbox(run: Run, documents: Documents, screen: Screen, quiet: bool) -> None:
    def tell(lines: Sequence[str]) -> None:
        if not quiet:
            screen.lines(lines)

    progress = work.Silent() if quiet else screen
    tell(show.opening(screen, run.source))
    tell(show.left_out(screen, run.left_out))
    with serve() as twins, tempfile.TemporaryDirectory(prefix="byollm-demo-") as made:
        folder = Path(made)
        (folder / "llm.yaml").write_text(written(twins), "utf-8")
        with byollm.Client.from_yaml(folder / "llm.yaml") as client:
            scenes.three_previews(run, twins, client)
        tell(show.previews(screen, run))
        scenes.cut_streams(run, twins, folder)
        if run.cut is not None:
            tell(show.cut_streams(screen, run.cut))
        scenes.echoed_key(run, twins)
        if run.echo is not None:
            tell(show.echo(screen, run.echo))
        tell(show.pipeline_head(screen, len(documents.items), list(TASKS), live=False))
        work.pipeline(run, twins, folder, documents, progress)
        tell(show.results(screen, run))
        work.switched(run, twins, folder, documents)
        if run.switch is not None:
            tell(show.switch(screen, run.switch))


def _live(run: Run, words: argparse.Namespace, documents: Documents, screen: Screen, quiet: bool) -> None:
    with byollm.Client.from_yaml(configuration(words.config)) as client:
        listed = shares(client, documents)
        confirm(listed, words.yes, lambda sentence: print(sentence, file=sys.stderr))
        if not quiet:
            screen.lines(show.pipeline_head(screen, len(documents.items), list(TASKS), live=True))
        live(run, client, listed, documents, work.Silent() if quiet else screen)
    if not quiet:
        screen.lines(show.results(screen, run))


def _taken(page: Path) -> Path | None:
    """What stands where the page or its configuration would be written, and is neither."""
    if page.is_file() and not is_page(str(page)):
        return page
    beside = page.with_suffix(".yaml")
    ours = beside != page and (not beside.is_file() or beside.read_text("utf-8", "replace").startswith(MARK))
    return None if ours else beside


def _keep(run: Run, named: str | None) -> None:
    """Write the page, and the file beside it: where `--page` says, in build/, or in a folder for such things."""
    places = [Path(named)] if named else [Path("build") / "demo.html", Path(tempfile.gettempdir()) / "byollm-demo.html"]
    for place in places:
        run.page = str(place)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(page(run), "utf-8")
            if run.configuration:
                place.with_suffix(".yaml").write_text(MARK + run.configuration, "utf-8")
        except OSError as error:
            run.page = None
            problem = f"the page cannot be written to {place}: {error.strerror}"
        else:
            return
    run.problems.append(problem)


def next_commands(run: Run) -> list[tuple[str, str]]:
    """Three things to do next. Where `make` started this, the commands are those of the clone's environment."""
    by_make = "MAKELEVEL" in os.environ and Path("Makefile").is_file()
    byollm_word = os.path.relpath(Path(sys.prefix) / "bin" / "byollm") if by_make else "byollm"
    dry = f"{byollm_word} complete --dry-run"
    if run.page is not None and run.configuration:
        dry += f" --config {Path(run.page).with_suffix('.yaml')} --deployment claude"
    return [
        ("make demo DATA=folder" if by_make else "byollm demo --data folder", "the same over your own texts"),
        (f"{byollm_word} init", "write an llm.yaml for your keys"),
        (f'{dry} "hi"', "see a request, send nothing"),
    ]


def _words(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="byollm demo",
        description="byollm's main job on the sandbox, without a key: three scenes, then a pipeline of documents.",
        allow_abbrev=False,
    )
    parser.add_argument("--data", metavar="FOLDER", help="your own text files instead of the fourteen documents")
    parser.add_argument("--live", action="store_true", help="your own file and keys; asks before sending")
    parser.add_argument("--config", metavar="FILE", help="with --live: default $BYOLLM_CONFIG, else llm.yaml")
    parser.add_argument("--yes", action="store_true", help="with --live: do not ask")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--page", metavar="FILE", help="where to write the page (default: build/demo.html)")
    words = parser.parse_args(list(arguments))
    if not words.live and (words.config is not None or words.yes):
        parser.error("--config and --yes belong to --live")
    return words


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(_refuse(message, "byollm demo --help"))


def _refuse(sentence: str, hint: str) -> int:
    print(f"error: {sentence}", *([f"  {hint}"] if hint else []), sep="\n", file=sys.stderr)
    return USAGE
