"""All that is found in a plugin's files, put together: who it says it is, what it brings, what it reaches for."""

from __future__ import annotations

import base64
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import packages_distributions
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from byollm.providers.discovery import KNOWN, canonical
from byollm.providers.lock import digest, made_here, normalized
from byollm_conformance.authors.archive import Contents
from byollm_conformance.authors.paperwork import Paperwork, paperwork_of, text_of
from byollm_conformance.authors.passport import Passport, passports
from byollm_conformance.authors.scan import LONGEST, Finding, Source, scan, source_of

MOST_SOURCE: Final = 8 * 1024 * 1024
"""Bytes of all modules together that are looked into."""
NATIVE: Final = frozenset({".so", ".pyd", ".dylib", ".dll", ".a", ".o", ".exe", ".wasm", ".node"})
MAGIC: Final = {b"\x7fELF": "ELF", b"MZ": "Windows", b"\xcf\xfa\xed\xfe": "macOS", b"\xca\xfe\xba\xbe": "macOS"}
TEXTS: Final = frozenset({".py", ".pyi", ".md", ".rst", ".txt", ".yaml", ".yml", ".json", ".toml", ".typed", ".cfg"})
BYTECODE: Final = frozenset({".pyc", ".pyo"})
STARTUP: Final = frozenset({"sitecustomize", "usercustomize"})
SENDERS: Final = frozenset(
    {"requests", "httpx", "httpx2", "aiohttp", "urllib3", "websockets", "grpcio", "openai", "anthropic", "boto3",
     "google-genai", "litellm", "cohere", "mistralai", "groq", "pyreqwest"}
)  # fmt: skip
_VARIABLE: Final = re.compile(r"([A-Z][A-Z0-9_]*?)_(?:API_)?(?:KEY|TOKEN)")


@dataclass(frozen=True, slots=True)
class Look:
    """`tops` are the top-level modules; `digest` is what byollm.lock would pin, None for a folder."""

    contents: Contents
    paperwork: Paperwork
    tops: tuple[str, ...]
    passports: tuple[Passport, ...]
    findings: tuple[Finding, ...]
    digest: str | None
    files: Mapping[str, str]


def look_into(contents: Contents) -> Look:
    """Everything. Raises Refused for what cannot be read."""
    paper = paperwork_of(contents)
    shipped = _shipped(contents, paper)
    found, reached = _of_sources(contents, shipped)
    files = {} if contents.kind == "folder" else _digests(contents, paper)
    findings = [
        *[Finding("alarm", "archive", name, sentence) for name, sentence in contents.oddities],
        *_of_files(contents, shipped, paper),
        *_of_record(contents, paper),
        *_of_entry_points(paper, set(shipped.values())),
        *_of_names(paper, _tops(shipped)),
        *_of_requirements(paper),
        *_of_passports(paper, found),
        *reached,
    ]
    order = {"alarm": 0, "note": 1}
    return Look(
        contents, paper, _tops(shipped), found, tuple(sorted(findings, key=lambda item: order[item.level])),
        digest(files) if files else None, files,
    )  # fmt: skip


def _of_sources(contents: Contents, shipped: Mapping[str, str]) -> tuple[tuple[Passport, ...], list[Finding]]:
    """Manifests, and what modules reach for. One module is held at a time: its tree is far larger than its text."""
    found: list[Passport] = []
    findings: list[Finding] = []
    left = MOST_SOURCE
    for name, path in shipped.items():
        if not path.endswith(".py"):
            continue
        data = contents.read(name, min(LONGEST, left))
        if data is None:
            findings.append(Finding("alarm", "source", path, "is too large to look into"))
            continue
        left -= len(data)
        read = source_of(path, data)
        if isinstance(read, Source):
            found += passports(read)
            findings += scan(read)
        else:
            findings.append(read)
    return tuple(found), findings


def _shipped(contents: Contents, paper: Paperwork) -> dict[str, str]:
    """Path here → path in the folder for modules, of everything that an installer would put there."""
    found: dict[str, str] = {}
    for name in contents.names:
        path = _installed_path(name) if contents.kind == "wheel" else name
        if contents.kind == "folder" and not paper.info:
            path = name.removeprefix(paper.root) if name.startswith(paper.root) and "/" in name else ""
        if path and not path.startswith("../") and not (paper.info and path.startswith(f"{paper.info}/")):
            found[name] = path
    return found


def _installed_path(name: str) -> str:
    """Where an installer puts a member of a wheel; "" outside of the folder for modules (PEP 427)."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    kind, _, inner = rest.partition("/")
    return inner if kind in ("purelib", "platlib") else ""


def _digests(contents: Contents, paper: Paperwork) -> dict[str, str]:
    """Path in the folder for modules → SHA-256: what the lock and a certificate cover."""
    placed = {name: _installed_path(name) if contents.kind == "wheel" else name for name in contents.names}
    return {
        path: contents.digest_of(name) for name, path in placed.items() if path and not made_here(PurePosixPath(path))
    }


def _tops(shipped: Mapping[str, str]) -> tuple[str, ...]:
    tops = {path.partition("/")[0].partition(".")[0] for path in shipped.values() if path.endswith(".py")}
    return tuple(sorted(top for top in tops if top.isidentifier()))


def _of_files(contents: Contents, shipped: Mapping[str, str], paper: Paperwork) -> Iterator[Finding]:
    programs = {name for group in ("console_scripts", "gui_scripts") for name in paper.entry_points.get(group, {})}
    for name in contents.names:
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        start = b"" if suffix in TEXTS else contents.start_of(name)
        native = next((system for magic, system in MAGIC.items() if start.startswith(magic)), None)
        if suffix == ".pth":
            yield Finding("alarm", "startup", name, "runs at every start of Python")
        elif suffix in NATIVE or native:
            yield Finding("alarm", "native", name, f"is native code{f' for {native}' if native else ''}")
        elif suffix in BYTECODE and name in shipped:
            yield Finding("alarm", "native", name, "is bytecode: it has no source to read")
        elif path.parts[0].endswith(".data") and name not in shipped:
            yield Finding("alarm", "script", name, "is installed outside of the folder for modules")
        elif path.parts[0] == ".." and path.stem not in programs:
            yield Finding("alarm", "script", name, "stands outside of the folder for modules")
    twice = [path for path, count in Counter(shipped.values()).items() if count > 1]
    yield from (Finding("alarm", "archive", path, "two members are installed as this file") for path in twice)


def _of_record(contents: Contents, paper: Paperwork) -> Iterator[Finding]:
    """A wheel's RECORD lists every file with its digest; so does an installed distribution's, but for what was made."""
    record = f"{paper.info}/RECORD"
    if record not in contents.names:
        return
    try:
        listed = {row[0]: row[1] for row in csv.reader(text_of(contents, record).splitlines()) if len(row) > 1}
    except csv.Error as error:
        yield Finding("alarm", "record", record, f"cannot be read: {error}")
        return
    for name in contents.names:
        told = listed.get(name)
        if told is None and contents.kind == "wheel" and not name.startswith(f"{record}."):
            yield Finding("alarm", "record", name, "is not listed in RECORD")
        elif told:
            kind, _, expected = told.partition("=")
            raw = bytes.fromhex(contents.digest_of(name)) if kind == "sha256" else b""
            if kind != "sha256" or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != expected.rstrip("="):
                yield Finding("alarm", "record", name, "is not what RECORD says it is")
    for name in sorted(listed.keys() - set(contents.names)) if contents.kind == "wheel" else ():
        yield Finding("alarm", "record", name, "is listed in RECORD and not there")


def _of_entry_points(paper: Paperwork, modules: set[str]) -> Iterator[Finding]:
    where = f"{paper.info}/entry_points.txt" if paper.info else "pyproject.toml"
    for group, points in paper.entry_points.items():
        for name, value in points.items():
            if group in ("console_scripts", "gui_scripts"):
                yield Finding("note", "script", where, f"installs the command {name}")
            elif not group.startswith("byollm."):
                yield Finding("alarm", "entry point", where, f"{group}: other programs load {value}, unasked")
            path = value.partition(":")[0].strip().replace(".", "/")
            if not {f"{path}.py", f"{path}/__init__.py"} & modules:
                yield Finding("alarm", "entry point", where, f"{name} = {value}: there is no such module here")
            owner = KNOWN.get(canonical(name)) if group == "byollm.providers" else None
            if owner and normalized(owner) != normalized(paper.name):
                yield Finding("alarm", "entry point", where, f"claims the provider {name!r} of {owner}")
    if not any(group.startswith("byollm.") for group in paper.entry_points):
        yield Finding("note", "entry point", where, "it brings no plugin: no entry point of a byollm group")


def _of_names(paper: Paperwork, tops: tuple[str, ...]) -> Iterator[Finding]:
    own = normalized(paper.name)
    for top in tops:
        others = [name for name in _owners().get(top, ()) if normalized(name) != own]
        if top in STARTUP:
            yield Finding("alarm", "startup", top, "runs at every start of Python")
        elif top in sys.stdlib_module_names:
            yield Finding("alarm", "modules", top, "has the name of a module of Python itself")
        elif others:
            yield Finding("alarm", "modules", top, f"has the name of a module of {others[0]}")
        elif normalized(top) != own:
            yield Finding("note", "modules", top, f"is not called like {paper.name}")


@lru_cache(maxsize=1)
def _owners() -> Mapping[str, list[str]]:
    return packages_distributions()


def _of_requirements(paper: Paperwork) -> Iterator[Finding]:
    where = f"{paper.info}/METADATA" if paper.info else "pyproject.toml"
    for line in paper.requires:
        name = normalized(re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0])
        if "@" in line.partition(";")[0]:
            yield Finding("alarm", "requires", where, f"{line}: fetched from an address of its own")
        elif name in SENDERS and "extra ==" not in line:
            yield Finding("note", "requires", where, f"{name}: a translator has no use for what sends")
    if paper.license is None:
        yield Finding("note", "licence", where, "no licence is named")


def _of_passports(paper: Paperwork, found: tuple[Passport, ...]) -> Iterator[Finding]:
    providers = paper.entry_points.get("byollm.providers", {})
    if providers and not found:
        yield Finding("note", "manifest", "", "it cannot be read without running the plugin")
    for passport in found:
        where = passport.where
        for name in passport.unreadable:
            yield Finding("note", "manifest", where, f"{name} is computed when the plugin runs: unknown here")
        if passport.name is not None and providers and passport.name not in providers:
            yield Finding("alarm", "manifest", where, f"is of {passport.name!r}, and no entry point is called so")
        if any(host.strip("*.") == "" or host in ("*.com", "*.net", "*.ai", "*.io") for host in passport.hosts):
            yield Finding("alarm", "manifest", where, "a key from the environment may go to any host")
        yield from _of_endpoint(passport)
        for words in passport.credentials.values():
            yield from (
                Finding("alarm", "manifest", where, told) for word in words if (told := _foreign(word, passport))
            )


def _of_endpoint(passport: Passport) -> Iterator[Finding]:
    try:
        parts = urlsplit(passport.endpoint or "")
        host = parts.hostname or ""
    except ValueError:
        yield Finding("alarm", "manifest", passport.where, f"its endpoint {passport.endpoint!r} is no URL")
        return
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        yield Finding("alarm", "manifest", passport.where, f"its endpoint {passport.endpoint} speaks plain http")
    if host and passport.credentials and passport.hosts and host not in passport.hosts:
        yield Finding("note", "manifest", passport.where, f"its endpoint's host {host} is not among its hosts")


def _foreign(variable: str, passport: Passport) -> str:
    """A plugin that asks for another provider's usual key."""
    match = _VARIABLE.fullmatch(variable)
    owner = canonical(match[1]) if match else ""
    own = {canonical(name) for name in (passport.name or "", *passport.aliases)}
    return f"asks for {variable}, the usual variable of {owner}" if owner in KNOWN and owner not in own else ""
