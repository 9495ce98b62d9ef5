"""`byollm new-plugin NAME`: a repository that passes the suite as it is, with nothing invented in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.cli import show
from byollm.cli.arguments import Parser
from byollm.cli.catalog import ELSEWHERE
from byollm.cli.faults import Failed, UsageFault
from byollm.providers.discovery import KNOWN, canonical, listed

KINDS: Final = ("openai-compatible", "wire", "local")
_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9])*")
_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~%-]+)*/?")
_LICENSE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+() -]*")
_PLACEHOLDER: Final = re.compile(r"@([A-Z_]+)@")

COMMON: Final[Mapping[str, str]] = {
    "pyproject.toml": "common/pyproject.toml.in",
    "README.md": "common/README.md.in",
    ".gitignore": "common/gitignore.in",
    "tests/test_conformance.py": "common/test_conformance.py.in",
}
"""Path in the repository → template."""
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "openai-compatible": (),
    "wire": ("translator.py", "dialect.py"),
    "local": ("model.py",),
}
"""Modules of each kind beside `__init__.py`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for: a name, one of KINDS, the API's base URL (empty for a local model), a licence or nothing."""

    name: str
    kind: str
    base_url: str = ""
    license: str | None = None

    @property
    def package(self) -> str:
        """The import name."""
        return f"byollm_{self.name.replace('-', '_')}"


def new_plugin(arguments: list[str]) -> int:
    """Write a repository. 0 done, 1 the folder is in use, 2 wrong words. Raises UsageFault and Failed."""
    options = _parser().read(arguments)
    plan = _plan(options)
    folder = Path(options.output or f"byollm-{plan.name}")
    written = write(plan, folder)
    if options.json:
        show.document({"name": plan.name, "kind": plan.kind, "folder": str(folder), "files": written})
    else:
        show.say(f"{folder}: a plugin for `provider: {plan.name}`, {len(written)} files. Next:")
        for line in (f"cd {folder}", "pip install -e '.[test]'", "python -m pytest", f"byollm conform {plan.name}"):
            show.say(f"  {line}")
    return 0


def _parser() -> Parser:
    parser = Parser("new-plugin", "Begin a provider plugin that passes the conformance suite as it is.")
    parser.add_argument("name", metavar="NAME", help="the provider's name: lower-case letters, digits and hyphens")
    kinds = parser.add_mutually_exclusive_group(required=True)
    words = ("an OpenAI-compatible API: data", "a wire of its own: a translator", "a model inside the process")
    for kind, meaning in zip(KINDS, words, strict=True):
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=meaning)
    parser.add_argument("--output", metavar="DIR", help="the folder to make (default: byollm-NAME)")
    parser.add_argument(
        "--base-url", metavar="URL", help="where the API answers, with its path; asked for when missing"
    )
    parser.add_argument("--license", metavar="SPDX", help="e.g. MIT; without it the choice is left to you")
    return parser


def _plan(options: Any) -> Plan:
    name = checked_name(options.name)
    if options.license is not None and not _LICENSE.fullmatch(options.license):
        raise UsageFault("--license is an SPDX expression", "for example: --license MIT")
    if options.kind == "local":
        if options.base_url is not None:
            raise UsageFault("--local has no address", "leave --base-url out, or choose --wire")
        return Plan(name, options.kind, "", options.license)
    return Plan(name, options.kind, checked_url(options.base_url or _asked(options)), options.license)


def checked_name(name: str) -> str:
    """The name. Raises UsageFault for one that cannot be a provider's, or that is somebody else's already."""
    if not _NAME.fullmatch(name) or len(name) > 50:
        hint = f"for example: {re.sub('[^a-z0-9]+', '-', name.lower()).strip('-0123456789') or 'acme'}"
        raise UsageFault(
            "a provider's name is lower-case letters, digits and single hyphens, a letter first", hint[:80]
        )
    taken = {canonical(known): f"{package} brings it" for known, package in KNOWN.items()}
    taken |= {canonical(item.name): f"{item.distribution} brings it" for item in listed()}
    if canonical(name) in taken:
        raise UsageFault(f"the provider {name!r} is there already: {taken[canonical(name)]}", "choose another name")
    package = f"byollm-{name}"
    if package in {*KNOWN.values(), *(home.package for home in ELSEWHERE.values()), *_installed(package)}:
        raise UsageFault(f"{package} is another package's name", "choose another name")
    return name


def _installed(package: str) -> Sequence[str]:
    try:
        distribution(package)
    except PackageNotFoundError:
        return ()
    return (package,)


def checked_url(url: str) -> str:
    """The URL without a slash at its end. Raises UsageFault for what is no plain http(s) URL."""
    text = url.strip()
    problem = "--base-url is a whole URL: https://, a host, perhaps a path; no query, no user"
    if not _URL.fullmatch(text):
        raise UsageFault(problem, "copy it from the provider's documents")
    try:
        port = urlsplit(text).port
    except ValueError:
        port = 0
    if port == 0:
        raise UsageFault(problem, "its port is none")
    return text.rstrip("/")


def _asked(options: Any) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        kind = f"--{options.kind}"
        raise UsageFault(f"{kind} needs --base-url, and there is no terminal to ask at", "--base-url URL")
    try:
        return input("Where does the API answer? Its base URL, with the path: ")
    except EOFError:
        pass
    raise UsageFault("there was no answer", "--base-url URL")


def write(plan: Plan, folder: Path) -> list[str]:
    """Write the repository; the paths below `folder`. Raises Failed when something is there already."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Failed(f"{folder} is there already, and nothing is ever overwritten", "--output DIR names another")
        texts = rendered(plan)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / path, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        return sorted(texts)
    except OSError as error:
        problem = f"{error.filename or folder} cannot be written: {error.strerror}"
    raise Failed(problem, "--output DIR names another folder")


def rendered(plan: Plan) -> dict[str, str]:
    """All files of the repository: path → text."""
    source = f"src/{plan.package}"
    sources = {f"{source}/{name}": f"{plan.kind}/{name}.in" for name in ("__init__.py", *SOURCES[plan.kind])}
    sources[f"{source}/conformance.yaml"] = f"{plan.kind}/conformance.yaml.in"
    sources[f"tests/test_{plan.name.replace('-', '_')}.py"] = f"{plan.kind}/test_plugin.py.in"
    words = _words(plan)
    texts = {path: _filled(template, words) for path, template in {**COMMON, **sources}.items()}
    return {**texts, f"{source}/py.typed": ""}


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = files("byollm_conformance.authors").joinpath("templates", *template.split("/")).read_text("utf-8")
    return _PLACEHOLDER.sub(lambda found: words[found[1]], text)


def _words(plan: Plan) -> dict[str, str]:
    variable = f"{plan.name.upper().replace('-', '_')}_API_KEY"
    needs = ["byollm>=0.1", *(["byollm-openai-compatible>=0.1"] if plan.kind == "openai-compatible" else [])]
    dialect = f'\n[project.entry-points."byollm.dialects"]\n{plan.name} = "{plan.package}.dialect:{_class(plan)}Wire"\n'
    target = f"llm_config: {{provider: {plan.name}, model: a-model}}"
    key = f"The key is `api_key:` in the file, else the environment variable `{variable}`."
    choose = '# license = "…": yours to choose, an SPDX expression; put its text beside this file as LICENSE'
    return {
        "NAME": plan.name,
        "PACKAGE": plan.package,
        "CLASS": _class(plan),
        "BASE_URL": plan.base_url,
        "HOST": urlsplit(plan.base_url).hostname or "",
        "VARIABLE": variable,
        "DEPENDENCIES": ", ".join(f'"{need}"' for need in needs),
        "DIALECT_ENTRY": dialect if plan.kind == "wire" else "",
        "YAML": target,
        "CREDENTIALS": "There is no key: the model runs in the caller's process." if plan.kind == "local" else key,
        "LICENSE_LINE": f'license = "{plan.license}"' if plan.license else choose,
        "LICENSE_TODO": "put the licence's text into the file LICENSE" if plan.license else "choose a licence",
    }


def _class(plan: Plan) -> str:
    return "".join(word.capitalize() for word in plan.name.split("-"))
