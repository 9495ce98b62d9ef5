"""`byollm WORD …`: find the command, run it, and say what went wrong in one place.

Only what a command needs is imported: `byollm --help` reads no configuration, no plugin and no library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Final

from byollm.cli.catalog import CORE, ELSEWHERE, GROUP

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit code. Never raises."""
    words = [_text(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    _steady()
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more at exit, into the same pipe.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE if end.code is None else FAILED
    except Exception as error:
        return _failed(error, words)


def _steady() -> None:
    """A terminal that cannot show a letter gets another one, and a closed output takes what it is given."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long-lived as the process
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # absent where output is captured


def _text(word: str) -> str:
    """A word as it was typed. In an ASCII locale Python hides the bytes of other letters in surrogates."""
    try:
        return os.fsencode(word).decode("utf-8") if not word.isascii() else word
    except UnicodeError:
        return word


def _dispatch(words: list[str]) -> int:
    word, rest = (words[0], words[1:]) if words else ("--help", [])
    if word in ("-h", "--help", "help"):
        if rest and not rest[0].startswith("-"):
            return _dispatch([rest[0], "--help"])
        print(overview())
        return DONE
    if word in ("-V", "--version", "version"):
        from byollm.types.version import VERSION

        print(f"byollm {VERSION}")
        return DONE
    if word in CORE:
        code: int = import_module(f"byollm.cli.{word}").run(rest)
        return code
    return _elsewhere(word, rest)


def overview() -> str:
    """What `byollm --help` prints."""
    width = max(map(len, CORE)) + 2
    lines = ["usage: byollm COMMAND [options]", "", "commands:"]
    lines += [f"  {name:<{width}}{summary}" for name, summary in CORE.items()]
    lines += ["", "commands of other packages:"]
    lines += [f"  {name:<{width}}{home.summary}  ({home.package})" for name, home in ELSEWHERE.items() if home.folder]
    lines += ["", "byollm COMMAND --help tells more. Each takes --json. Exit codes: 0 done, 1 failed, 2 wrong usage."]
    return "\n".join(lines)


def _elsewhere(word: str, rest: list[str]) -> int:
    """A command of another distribution. Raises UsageFault when it is not installed, PluginError when it is broken."""
    from byollm.cli.faults import UsageFault

    if word.startswith("-"):
        raise UsageFault("options follow the command", "for example: byollm complete --json 'hi'")
    from byollm.providers.discovery import load, pick

    point = pick(GROUP, word)
    if point is not None:
        command = load(GROUP, point)
        code = command(rest)
        return code if isinstance(code, int) else DONE
    home = ELSEWHERE.get(word)
    if home is not None:
        raise UsageFault(*_missing(word, home.package, home.folder))
    raise UsageFault(f"there is no command {_shown(word)}", _nearest(word))


def _missing(word: str, package: str, folder: str) -> tuple[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(package)
    except PackageNotFoundError:
        found = ""
    if found:
        return f"{package} {found} is installed and has no command `{word}`", f"pip install --upgrade {package}"
    if not folder:
        return (
            f"`byollm {word}` will come with {package}, which does not exist yet",
            "byollm --help lists what there is",
        )
    message = f"`byollm {word}` comes with {package}, which is not installed"
    return message, f"pip install {package}   (from a clone: pip install ./{folder})"


def _shown(word: str) -> str:
    from byollm.config.places import name

    return f"`{name(word)}`"


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    from byollm.providers.discovery import listed

    known = {*CORE, *ELSEWHERE, *(item.name for item in listed(GROUP))}
    close = get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.5)
    return f"did you mean `byollm {close[0]}`?" if close else "byollm --help lists the commands"


def _failed(error: Exception, words: list[str]) -> int:
    from byollm.cli import show
    from byollm.cli.faults import Failed, UsageFault, document_of, lines_of, surprise
    from byollm.errors import ByollmError

    if os.environ.get("BYOLLM_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, ByollmError):
        known: ByollmError | UsageFault | Failed = error
        lines = lines_of(error)
    else:
        known = error if isinstance(error, UsageFault | Failed) else surprise(error)
        lines = [known.message, *([f"  {known.hint}"] if known.hint else [])]
    if "--json" in words:
        show.document(document_of(known), compact="--stream" in words)
    show.complain(lines)
    return USAGE if isinstance(known, UsageFault) else FAILED
