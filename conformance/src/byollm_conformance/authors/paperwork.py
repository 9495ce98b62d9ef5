"""The metadata of what is looked into: a wheel's .dist-info, or a repository's pyproject.toml."""

from __future__ import annotations

import configparser
import email.parser
import email.policy
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm_conformance.authors.archive import Contents, Refused

MOST: Final = 1024 * 1024
"""Bytes of one metadata file."""
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")


@dataclass(frozen=True, slots=True)
class Paperwork:
    """Who it says it is. `info` is the .dist-info folder ("" for a repository), `root` what stands before modules.

    `entry_points`: group → name → object. `license` is None when none is named.
    """

    name: str
    version: str
    info: str
    root: str
    requires: tuple[str, ...]
    entry_points: Mapping[str, Mapping[str, str]]
    license: str | None


def paperwork_of(contents: Contents) -> Paperwork:
    """Read it. Raises Refused, naming the file and what is wrong with it."""
    infos = sorted({name.partition("/")[0] for name in contents.names if re.match(r"[^/]+\.dist-info/", name)})
    if contents.kind == "installed" and contents.owner is not None:
        own = str(getattr(contents.owner, "_path", "")).rpartition("/")[2]
        infos = [info for info in infos if info == own] or infos
    if len(infos) > 1:
        raise Refused(f"{contents.label}: it has {len(infos)} .dist-info folders", "a wheel has exactly one")
    if infos:
        return _of_wheel(contents, infos[0])
    if "pyproject.toml" in contents.names and contents.kind == "folder":
        return _of_repository(contents)
    raise Refused(f"{contents.label}: it has no .dist-info folder", "this is no wheel, or a broken one")


def _of_wheel(contents: Contents, info: str) -> Paperwork:
    for needed in ("METADATA", "WHEEL", "RECORD") if contents.kind == "wheel" else ("METADATA",):
        if f"{info}/{needed}" not in contents.names:
            raise Refused(f"{contents.label}: {info}/{needed} is missing", "this is no wheel, or a broken one")
    text = text_of(contents, f"{info}/METADATA")
    fields = email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)
    name, version = str(fields.get("Name", "")).strip(), str(fields.get("Version", "")).strip()
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise Refused(f"{contents.label}: {info}/METADATA names no distribution and version", "this is a broken wheel")
    points = f"{info}/entry_points.txt"
    return Paperwork(
        name,
        version,
        info,
        "",
        tuple(str(line) for line in fields.get_all("Requires-Dist") or ()),
        _entry_points(contents, points) if points in contents.names else {},
        _license(fields),
    )


def _license(fields: Any) -> str | None:
    for key in ("License-Expression", "License", "License-File"):
        value = str(fields.get(key) or "").strip()
        if value and value != "UNKNOWN":
            return value.splitlines()[0][:100]
    classifiers = [str(line) for line in fields.get_all("Classifier") or ()]
    return next((line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")), None)


def _entry_points(contents: Contents, path: str) -> dict[str, dict[str, str]]:
    reader = configparser.ConfigParser(delimiters=("=",), interpolation=None, default_section="\0")
    reader.optionxform = str  # type: ignore[assignment, method-assign]  # as importlib.metadata does: names keep their case
    try:
        reader.read_string(text_of(contents, path))
    except configparser.Error as error:
        problem = " ".join(str(error).split())[:200]
    else:
        return {group: dict(reader[group]) for group in reader.sections()}
    raise Refused(f"{contents.label}: {path}: {problem}", "this is a broken wheel")


def _of_repository(contents: Contents) -> Paperwork:
    text = text_of(contents, "pyproject.toml")
    try:
        project = tomllib.loads(text)["project"]
        points = {**project.get("entry-points", {}), "console_scripts": project.get("scripts", {}),
                  "gui_scripts": project.get("gui-scripts", {})}  # fmt: skip
        told = project.get("license")
        return Paperwork(
            str(project["name"]),
            str(project.get("version", "dynamic")),
            "",
            "src/" if any(name.startswith("src/") for name in contents.names) else "",
            tuple(str(line) for line in project.get("dependencies", ())),
            {
                str(group): {str(key): str(item) for key, item in found.items()}
                for group, found in points.items()
                if found
            },
            str(told) if told else None,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
    raise Refused(f"{contents.label}: pyproject.toml cannot be read: {problem}", "name the folder of one distribution")


def text_of(contents: Contents, name: str) -> str:
    """A file as text. Raises Refused when it is too large or no UTF-8."""
    data = contents.read(name, MOST)
    if data is None:
        raise Refused(f"{contents.label}: {name} is larger than {MOST >> 20} MiB", "do not install it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = error.reason
    raise Refused(f"{contents.label}: {name} is no UTF-8 text: {problem}", "this is a broken wheel")
