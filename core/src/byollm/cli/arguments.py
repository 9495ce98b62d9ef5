"""The options that commands share, and a parser whose complaints fit on two lines and hold no value."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from byollm.cli.faults import Failed, UsageFault

if TYPE_CHECKING:
    from byollm.client import Client

FILES: Final = ("llm.yaml", "llm.yml", "byollm.yaml", "byollm.yml")
"""The names that are looked for in the current folder, in this order."""
VARIABLE: Final = "BYOLLM_CONFIG"
"""The environment variable that names the configuration when `--config` does not."""

_OTHER_WORDS: Final = {
    "--api-key": "no key on a command line: write `api_key: ${NAME}` in the file, or export the usual variable",
    "--response-format": "--output-schema",
    "--max-completion-tokens": "--max-tokens",
    "--max-output-tokens": "--max-tokens",
    "--base-url": "--endpoint",
    "--api-base": "--endpoint",
    "--provider": "--model provider/model",
    "--effort": "--reasoning-effort",
    "--dryrun": "--dry-run",
    "--file": "--config",
    "--verbose": "--json tells everything",
}


class Parser(argparse.ArgumentParser):
    """argparse, but complaints are raised as UsageFault, name the nearest option, and repeat no value."""

    def __init__(self, command: str, description: str, **options: Any) -> None:
        super().__init__(prog=f"byollm {command}", description=description, allow_abbrev=False, **options)
        self.command = command
        self.add_argument("--json", action="store_true", help="print JSON")

    def error(self, message: str) -> NoReturn:
        """Raises UsageFault."""
        raise UsageFault(message, f"byollm {self.command} --help")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The options. Raises UsageFault."""
        problem: UsageFault | None = None
        try:
            # Intermixed reading lets a file stand behind an option; in CPython 3.11 it does not understand `--`.
            parse = self.parse_known_args if "--" in words else self.parse_known_intermixed_args
            found, extra = parse(list(words))
        except UsageFault as fault:
            problem = UsageFault(_without_values(fault.message, words), fault.hint)
        if problem is not None:
            raise problem
        if extra:
            raise self._unknown(extra)
        return found

    def _unknown(self, extra: list[str]) -> UsageFault:
        flag = next((word.partition("=")[0] for word in extra if word.startswith("-")), None)
        if flag is None:
            texts = any(action.dest == "text" for action in self._actions)
            mend = "put a text of several words in quotes" if texts else f"byollm {self.command} --help"
            return UsageFault("too many words", mend)
        return UsageFault(f"`byollm {self.command}` has no option {_named(flag)}", self._mend(flag))

    def _mend(self, flag: str) -> str:
        from difflib import get_close_matches

        plain = flag.lower().replace("_", "-")
        known = [text for text in self._option_string_actions if text.startswith("--")]
        other = _OTHER_WORDS.get(plain)
        if other is not None and (" " in other or other in known):
            return other if " " in other and not other.startswith("--") else f"did you mean {other}?"
        words = [text[2:] for text in known if text != "--help"]
        close = get_close_matches(plain.lstrip("-"), words, n=1, cutoff=0.6)
        return f"did you mean --{close[0]}?" if close else f"byollm {self.command} --help"


def _named(flag: str) -> str:
    from byollm.config.places import name

    return name(flag)


def _without_values(message: str, words: Sequence[str]) -> str:
    from byollm.config.places import looks_like_key

    for word in sorted(words, key=len, reverse=True):
        for part in (word, word.partition("=")[2]):
            if part and looks_like_key(part):
                message = message.replace(part, "<hidden>")
    return message


def add_config(parser: Parser) -> None:
    """`--config FILE`."""
    parser.add_argument("--config", metavar="FILE", help=f"the file (default: ${VARIABLE}, else {FILES[0]} here)")


def add_choice(parser: Parser) -> None:
    """Which deployment is meant: by task, by name, or one model without a file."""
    add_config(parser)
    parser.add_argument("--task", metavar="NAME", help="a task of the file")
    parser.add_argument("--deployment", metavar="NAME", help="a deployment of the file")
    parser.add_argument("--model", metavar="PROVIDER/MODEL", help="a model without a file, e.g. openai/gpt-5.4")
    parser.add_argument("--endpoint", metavar="URL", help="with --model: where it answers")
    parser.add_argument("--api", metavar="NAME", help="with --model: the surface, e.g. chat or responses")


def config_path(named: str | None, *, without: str = "") -> str:
    """The file to read; `without` says how the command does without one. Raises Failed when none is named or there."""
    if named:
        return named
    variable = os.environ.get(VARIABLE)
    if variable:
        return variable
    found = next((name for name in FILES if os.path.isfile(name)), None)
    if found is None:
        raise Failed(
            f"there is no {FILES[0]} in this folder",
            f"`byollm init` writes one; --config FILE names another{without}",
        )
    return found


def file_of(options: argparse.Namespace) -> str:
    """The file of a command that takes it as a word or as `--config`. Raises UsageFault for two, Failed for none."""
    if options.file and options.config and options.file != options.config:
        raise UsageFault("FILE and --config name two files", "name one of them")
    return config_path(options.file or options.config)


def client_for(options: argparse.Namespace) -> Client:
    """The client that the options describe. Raises UsageFault, Failed and ConfigError."""
    from pathlib import Path

    _refuse_mixture(options)
    config: Any
    if options.model is None:
        config = Path(config_path(options.config, without="; --model provider/model needs none"))
    else:
        config = target_of(options.model, options.endpoint, options.api)
    from byollm.client import Client

    return Client(config)


def _refuse_mixture(options: argparse.Namespace) -> None:
    if options.model is None:
        for flag in ("endpoint", "api"):
            if getattr(options, flag) is not None:
                raise UsageFault(f"--{flag} belongs to --model", f"in a file, write `{flag}:` in the target")
        return
    for flag in ("config", "task", "deployment"):
        if getattr(options, flag) is not None:
            raise UsageFault(f"--model and --{flag} exclude each other", "the file names its models itself")


def target_of(model: str, endpoint: str | None = None, api: str | None = None, flag: str = "--model") -> dict[str, Any]:
    """A target given as words. Raises UsageFault for a model without its provider."""
    from byollm.config.targets import split_model

    split = split_model(model.strip())
    if split is None:
        raise UsageFault(f"{flag} is a provider and its model", f"for example: {flag} openai/gpt-5.4")
    given = {"provider": split[0], "model": split[1], "endpoint": endpoint, "api": api}
    return {key: value for key, value in given.items() if value is not None}


def choice_of(options: argparse.Namespace) -> dict[str, Any]:
    """The words of the call that name a task or a deployment."""
    return {key: getattr(options, key) for key in ("task", "deployment") if getattr(options, key) is not None}


def text_of(text: str | None, command: str) -> str:
    """The prompt: the word itself, or stdin for `-` and when a pipe is there. Raises UsageFault when there is none."""
    if text is None and sys.stdin is not None and sys.stdin.isatty():
        raise UsageFault("there is no text", f'for example: byollm {command} "hi", or a pipe: … | byollm {command} -')
    if text in (None, "-"):
        text = _standard_input()
    if not text.strip():
        raise UsageFault("the text is empty", f'for example: byollm {command} "hi"')
    return text


def _standard_input() -> str:
    if sys.stdin is None:
        return ""
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise UsageFault("what came on stdin is not UTF-8 text", "convert it first, e.g. with iconv -t utf-8")
