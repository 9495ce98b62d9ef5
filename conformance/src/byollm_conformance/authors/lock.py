"""`byollm lock`: pin the plugins that are installed, or compare them with what was pinned. Nothing is imported."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

from byollm.cli import show
from byollm.cli.arguments import Parser
from byollm.cli.faults import Failed, UsageFault
from byollm.errors import PluginError
from byollm.providers.lock import VERSION, Pin, normalized, pin, read_lock

FILE: Final = "byollm.lock"
_HEAD: Final = (
    "# The plugins that may be loaded, as they were when `byollm lock` was run: `plugins: {lock: byollm.lock}` in the\n"
    "# configuration lets in nothing else. The digest covers every file of the distribution.\n"
)
_KINDS: Final = {"same": "ok", "changed": "fail", "not pinned": "fail", "not installed": "note", "unpinnable": "fail"}


def lock(arguments: list[str]) -> int:
    """Write the lock file, or compare with it. 0 done, 1 a plugin cannot be pinned or differs, 2 wrong words."""
    parser = Parser("lock", "Pin the plugins that are installed: distribution, version, digest of their files.")
    parser.add_argument("names", nargs="*", metavar="DISTRIBUTION", help="pin these alone (default: all with a plugin)")
    parser.add_argument("--output", metavar="FILE", default=FILE, help=f"the lock file (default: {FILE} here)")
    parser.add_argument("--check", action="store_true", help="write nothing: compare what is installed with the file")
    options = parser.read(arguments)
    names = {normalized(name) for name in options.names}
    pins, problems = installed(names)
    before = read_lock(options.output) if options.check or os.path.exists(options.output) else {}
    if options.check and names:
        before = {name: entry for name, entry in before.items() if name in names}
    rows = _compared(before, pins, problems)
    good = not problems
    if options.check:
        good = all(state in ("same", "not installed") for _, state, _ in rows)
    elif good:
        _write(Path(options.output), written(pins))
    _tell(options, rows, good)
    return 0 if good else 1


def installed(names: Collection[str] = ()) -> tuple[dict[str, Pin], dict[str, str]]:
    """Distributions with an entry point of byollm, by normalized name: their pins, and why others have none.

    `names`: these alone. Raises UsageFault for one that is not installed, or brings no plugin.
    """
    pins: dict[str, Pin] = {}
    problems: dict[str, str] = {}
    for owner in distributions():
        name = normalized(owner.name or "")
        if name in pins or name in problems or not _is_plugin(owner) or (names and name not in names):
            continue  # the first on the path is the one that is loaded
        try:
            pins[name] = pin(owner)
        except PluginError as error:
            problems[name] = error.message
    missing = sorted(set(names) - pins.keys() - problems.keys())
    if missing:
        raise UsageFault(f"{missing[0]} is not installed, or brings no plugin", "byollm providers lists what there is")
    return dict(sorted(pins.items())), dict(sorted(problems.items()))


def _is_plugin(owner: Distribution) -> bool:
    return any(point.group.startswith("byollm.") for point in owner.entry_points)


def written(pins: Mapping[str, Pin]) -> str:
    """The lock file's text."""
    blocks = [f"{_HEAD}version = {VERSION}\n"]
    for entry in pins.values():
        lines = [f'{key} = "{value}"' for key, value in entry._asdict().items()]
        blocks.append("\n".join(["[[plugin]]", *lines, ""]))
    return "\n".join(blocks)


def _write(path: Path, text: str) -> None:
    """The whole file or none of it: who reads it meanwhile gets the old one."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        return
    except OSError as error:
        problem = error.strerror
    with suppress(OSError):
        os.unlink(temporary)
    raise Failed(f"{path} cannot be written: {problem}", "--output FILE names another")


def _compared(
    before: Mapping[str, Pin], pins: Mapping[str, Pin], problems: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Name, state and what there is to say of each, pinned or installed."""
    rows = [(name, "unpinnable", told) for name, told in problems.items()]
    for name, now in pins.items():
        old = before.get(name)
        if old is None:
            rows.append((name, "not pinned", f"{now.version} {now.digest}"))
        elif old == now:
            rows.append((name, "same", f"{now.version} {now.digest}"))
        else:
            told = f"pinned {old.version} {old.digest}, installed {now.version} {now.digest}"
            rows.append((name, "changed", told))
    gone = sorted(before.keys() - pins.keys() - problems.keys())
    rows += [(name, "not installed", f"pinned {before[name].version} {before[name].digest}") for name in gone]
    return sorted(rows)


def _tell(options: Any, rows: list[tuple[str, str, str]], good: bool) -> None:
    if options.json:
        found = [{"distribution": name, "state": state, "told": told} for name, state, told in rows]
        show.document({"file": options.output, "written": good and not options.check, "ok": good, "plugins": found})
        return
    words = {"not pinned": "new", "not installed": "gone"} if not options.check else {}
    for line, (_, state, _) in zip(
        show.table([(words.get(state, state), name, told) for name, state, told in rows]), rows, strict=True
    ):
        show.say(line, _KINDS[state] if options.check or state == "unpinnable" else "ok")
    if options.check:
        show.say(
            f"{options.output}: {'what is installed is pinned' if good else 'what is installed is not what is pinned'}"
        )
    elif good:
        show.say(f"{options.output}: {len([row for row in rows if row[1] != 'not installed'])} plugins pinned")
        show.say("  in the configuration: plugins: {lock: " + options.output + "}")
    else:
        show.say(f"{options.output} was not written: what cannot be pinned cannot be locked")
