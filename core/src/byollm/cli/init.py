"""`byollm init`: a few questions, or flags, and a small llm.yaml."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from byollm.cli import show
from byollm.cli.arguments import Parser
from byollm.cli.faults import Failed, UsageFault
from byollm.cli.presets import LOCAL, SHAPES, STARTERS, TASKS, Answers, quoted, variable_of, written
from byollm.config.places import shown
from byollm.errors import ByollmError

if TYPE_CHECKING:
    import argparse

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")


def run(words: Sequence[str]) -> int:
    """The command. Raises what `main` tells."""
    options = _parser().read(words)
    if options.output != "-" and os.path.lexists(options.output) and not options.force:
        raise Failed(
            f"{options.output} exists and stays as it is", "--force overwrites it, --output NAME writes another"
        )
    if _asks(options) and not (options.preset or options.shape or options.tasks):
        from byollm.cli.configurations import PRESETS

        titles = {name: preset.title for name, preset in PRESETS.items()}
        chosen = _choose("What is it for?", {**SHAPES, **titles})
        options.preset, options.shape = (chosen, None) if chosen in PRESETS else (None, chosen)
    if options.preset:
        return _preset(options)
    for flag, given in (("--azure-endpoint", options.azure_endpoint), ("--azure-region", options.azure_region)):
        if given:
            raise UsageFault(f"{flag} belongs to --preset", "--preset security, or --preset global")
    answers = _answers(options)
    text = written(answers)
    findings = _checked(text, options.output)
    if options.output == "-":
        show.document({"text": text, "findings": findings}) if options.json else print(text, end="")
        return 0
    _write(options.output, text, options.force)
    if options.json:
        show.document({"file": options.output, "shape": answers.shape, "next": _next(options.output, answers),
                       "findings": findings})  # fmt: skip
        return 0
    show.say(f"{options.output} is written: {SHAPES[answers.shape]}.")
    for finding in findings:
        show.say(f"{finding['level']}: {finding['sentence']}\n  {finding['mend']}")
    show.say("Next:")
    for line in _next(options.output, answers):
        show.say(f"  {line}")
    return 0


def _preset(options: argparse.Namespace) -> int:
    """One of the guide's configurations, with the addresses that it needs."""
    from byollm.cli.configurations import PRESETS, configuration, variables

    for flag in ("shape", "provider", "model", "tasks", "no_key"):
        if getattr(options, flag):
            raise UsageFault(f"--{flag.replace('_', '-')} does not belong to --preset", "edit the file that it writes")
    places = _places(options)
    text = configuration(options.preset, places)
    findings = _checked(text, options.output)
    if options.output == "-":
        show.document({"text": text, "findings": findings}) if options.json else print(text, end="")
        return 0
    _write(options.output, text, options.force)
    file = "" if options.output == "llm.yaml" else f" --config {options.output}"
    keys = [f"export {name}=…" for name in variables(text)]
    after = [*keys, f"byollm check{file}", f"byollm policy report{file}", f"byollm explain{file}"]
    if options.json:
        show.document({"file": options.output, "preset": options.preset, "next": after, "findings": findings})
        return 0
    show.say(f"{options.output} is written: {PRESETS[options.preset].title}.")
    for finding in findings:
        show.say(f"{finding['level']}: {finding['sentence']}\n  {finding['mend']}")
    show.say("Next:")
    for line in after:
        show.say(f"  {line}")
    return 0


def _places(options: argparse.Namespace) -> dict[str, str]:
    """The addresses and regions of a preset: those of the flags, then those that are asked for. Raises UsageFault."""
    from byollm.cli.configurations import PRESETS

    said = {
        "--azure-endpoint": list(options.azure_endpoint),
        "--azure-region": list(options.azure_region),
        "--endpoint": [options.endpoint] if options.endpoint else [],
    }
    found: dict[str, str] = {}
    for word, place in PRESETS[options.preset].places.items():
        given = said[place.flag].pop(0) if said[place.flag] else ""
        if given:
            place.check(given)
        found[word] = given or (_ask(place.question, place.default, place.check) if _asks(options) else "")
    for flag, rest in said.items():
        if rest:
            told = f"{flag} {quoted(rest[0])} has no place in --preset {options.preset}"
            raise UsageFault(told, f"byollm init --preset {options.preset}")
    return found


def _asks(options: argparse.Namespace) -> bool:
    return not options.yes and sys.stdin is not None and sys.stdin.isatty()


def _parser() -> Parser:
    parser = Parser("init", "Write a small llm.yaml. Asks on a terminal, unless --yes is given.")
    parser.add_argument(
        "--shape", choices=list(SHAPES), help="; ".join(f"{key}: {told}" for key, told in SHAPES.items())
    )
    parser.add_argument("--preset", choices=["cost", "security", "global"], help="a recommended configuration instead")
    twice: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument(
        "--azure-endpoint", metavar="URL", **twice, help="with --preset: your Azure resource; global has two of them"
    )
    parser.add_argument("--azure-region", metavar="NAME", **twice, help="with --preset: the region it was made in")
    parser.add_argument("--provider", metavar="NAME", help="e.g. openai, anthropic, custom")
    parser.add_argument("--model", metavar="NAME")
    parser.add_argument("--endpoint", metavar="URL", help="where it answers, when it is not the provider's own address")
    parser.add_argument("--tasks", metavar="LIST", help="a,b or a=provider/model,b=provider/model")
    parser.add_argument("--no-key", action="store_true", help="the endpoint wants no key")
    parser.add_argument("--output", "-o", default="llm.yaml", metavar="FILE", help="default llm.yaml; - is stdout")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.add_argument("--yes", "-y", action="store_true", help="ask nothing: flags and defaults")
    return parser


def _answers(options: argparse.Namespace) -> Answers:
    asking = _asks(options)
    if options.endpoint:
        from byollm.cli.configurations import OWN

        OWN.check(options.endpoint)
    shape = options.shape or ("tasks" if options.tasks else None)
    shape = shape or _guess(options)
    given = _split_tasks(options.tasks)
    default = "custom" if shape == "on-premise" else "openai"
    provider = options.provider or (_ask("Provider", default, _check_provider) if asking else default)
    _check_provider(provider)
    endpoint = options.endpoint or ""
    if shape == "on-premise" and not endpoint:
        if not asking and provider == "custom":
            raise UsageFault("an on-premise model needs --endpoint", "--endpoint https://internal-ai.example.com")
        from byollm.cli.configurations import OWN

        endpoint = _ask("Endpoint", OWN.default, OWN.check) if asking else ""
    model = options.model or _model(provider, asking, needed=not given or None in given.values())
    tasks = _tasks(shape, given, (provider, model), asking)
    providers = {provider, *(target[0] for target in tasks.values())}
    variables = {name: "" if options.no_key else _variable(name) for name in providers}
    return Answers(shape, provider, model, endpoint, tasks, variables)


def _guess(options: argparse.Namespace) -> str:
    return "on-premise" if options.endpoint and options.provider in (None, "custom") else "single"


def _check_provider(provider: str) -> None:
    from difflib import get_close_matches

    from byollm.providers.discovery import ALIASES, KNOWN, canonical, listed

    known = sorted({*KNOWN, *ALIASES, *(item.name for item in listed())})
    if canonical(provider) in known:
        return
    close = get_close_matches(provider.lower(), known, n=1, cutoff=0.65)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}; any OpenAI-compatible one is custom"
    raise UsageFault(f"there is no provider {shown(provider)}", hint)


def _model(provider: str, asking: bool, *, needed: bool) -> str:
    starter = STARTERS.get(provider, "")
    if asking and needed:
        return _ask("Model", starter)
    if needed and not starter:
        raise UsageFault(f"--model is needed for provider {provider}", "--model your-model")
    return starter


def _split_tasks(text: str | None) -> dict[str, tuple[str, str] | None]:
    """`a,b=openai/gpt-5.4` by name. Raises UsageFault."""
    from byollm.config.targets import split_model

    found: dict[str, tuple[str, str] | None] = {}
    for entry in [part.strip() for part in (text or "").split(",") if part.strip()]:
        name, mark, target = entry.partition("=")
        split = split_model(target.strip()) if mark else None
        if not _NAME.match(name.strip()) or (mark and split is None):
            raise UsageFault(
                "--tasks is a list of names", "--tasks rules,pii or --tasks rules=anthropic/claude-sonnet-5-5"
            )
        found[name.strip()] = split
        if split is not None:
            _check_provider(split[0])
    if text and not found:
        raise UsageFault("--tasks names no task", "--tasks rules,pii")
    return found


def _tasks(
    shape: str, given: Mapping[str, tuple[str, str] | None], usual: tuple[str, str], asking: bool
) -> dict[str, tuple[str, str]]:
    if shape != "tasks":
        if given:
            raise UsageFault(f"--tasks belongs to --shape tasks, not {shape}", "--shape tasks")
        return {}
    if not given:
        names = _ask("Tasks, separated by commas", ",".join(TASKS), _split_tasks) if asking else ",".join(TASKS)
        given = _split_tasks(names)
    return {name: target or usual for name, target in given.items()}


def _choose(question: str, choices: Mapping[str, str]) -> str:
    names = list(choices)
    print(question, file=sys.stderr)
    for number, name in enumerate(names, 1):
        print(f"  {number}  {name}: {choices[name]}", file=sys.stderr)
    numbers = {str(number): name for number, name in enumerate(names, 1)}

    def known(answer: str) -> str:
        found = numbers.get(answer, answer.lower())
        if found not in choices:
            raise UsageFault(f"there is no {quoted(answer)}", f"1 to {len(names)}, or one of the names")
        return found

    return known(_ask("Number or name", names[0], known))


def _ask(question: str, default: str, check: Callable[[str], object] = str) -> str:
    """One line from the terminal that `check` does not refuse; an empty one is the default.

    Raises UsageFault when the terminal is closed.
    """
    while True:
        print(f"{question} [{default}]: " if default else f"{question}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=sys.stderr)
            raise UsageFault("the questions were not answered", "byollm init --yes writes a file without questions")
        answer = line.strip() or default
        try:
            check(answer)
        except UsageFault as fault:
            print(f"{fault.message}: {fault.hint}" if fault.hint else fault.message, file=sys.stderr)
            continue
        if answer:
            return answer


def _variable(provider: str) -> str:
    """The usual variable of a provider's key, from its plugin when that is installed; empty for local servers."""
    from byollm.providers.discovery import load_provider

    if provider in LOCAL:
        return ""
    try:
        variables = load_provider(provider).manifest.credentials.get("api_key", ())
    except ByollmError:
        variables = ()
    return variables[0] if variables else variable_of(provider)


def _write(path: str, text: str, force: bool) -> None:
    problem = ""
    try:
        # "x" and not a look beforehand: two of us at once, and the second one finds the first one's file.
        with open(path, "w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise Failed(f"{path} exists and stays as it is", "--force overwrites it") from None
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
    if problem:
        raise Failed(problem, "--output names another file")


def _checked(text: str, path: str) -> list[dict[str, Any]]:
    """What `byollm check` will say of the file: a plugin that is not installed yet. Raises ConfigError."""
    from byollm.config.check import check
    from byollm.config.reading import read
    from byollm.config.yaml import parse_yaml
    from byollm.providers.discovery import load_provider

    findings = check(read(parse_yaml(text, path)), lambda provider: load_provider(provider).manifest)
    return [{"level": item.level, "sentence": item.sentence, "mend": item.mend} for item in findings]


def _next(path: str, answers: Answers) -> list[str]:
    file = "" if path == "llm.yaml" else f" --config {path}"
    used = {target[0] for target in answers.tasks.values()} or {answers.provider}
    keys = [f"export {answers.variables[name]}=…" for name in sorted(used) if answers.variables[name]]
    task = f" --task {next(iter(answers.tasks))}" if answers.tasks else ""
    return [*keys, f"byollm doctor{file}", f'byollm complete{file}{task} "hi"']
