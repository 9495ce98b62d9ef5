"""A conformance certificate, if there is one: whose files it is about, and what it says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from byollm.providers.lock import digest, normalized
from byollm_conformance.authors.archive import Refused
from byollm_conformance.authors.look import Look
from byollm_conformance.authors.scan import Finding
from byollm_conformance.certificate import SCHEMA

FILE: Final = "certificate.json"
"""Its name beside the modules, in .dist-info, or beside the wheel (there also `NAME.whl.json`)."""
MOST: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Badge:
    """`told` is for the report: its sentence under `told`, and what the certificate says of itself."""

    told: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()


def badge_of(look: Look, named: str | None = None) -> Badge:
    """The certificate at `named`, else inside, else beside. Raises Refused when `named` is not there."""
    for where, data, own in _found(look, named):
        document = _document(data)
        if document is None:
            sentence = "is no certificate of `byollm conform`"
            return Badge({"told": f"{where} {sentence}"}, (Finding("alarm", "certificate", where, sentence),))
        return _judged(look, document, where, own)
    return Badge({"told": "none"}, (Finding("note", "certificate", "", "there is none"),))


def _found(look: Look, named: str | None) -> Iterator[tuple[str, bytes, str]]:
    """Where it is, its bytes, and its path among the plugin's own files ("" when it is none of them)."""
    if named is not None:
        yield named, _bytes(Path(named)), ""
        return
    contents = look.contents
    for name in contents.names:
        if name.rpartition("/")[2] == FILE and "/tests/" not in f"/{name}":
            yield name, contents.read(name, MOST) or b"", name
    place = contents.place
    if place is not None:
        beside = [place / FILE] if place.is_dir() else [place.with_name(f"{place.name}.json"), place.with_name(FILE)]
        for path in beside:
            if path.is_file():
                yield path.name, _bytes(path), ""


def _bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST)
    except OSError as error:
        problem = error.strerror
    raise Refused(f"{path} cannot be read: {problem}", "byollm conform NAME --json FILE writes one")


def _document(data: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(document, dict) and document.get("schema") == SCHEMA and isinstance(document.get("plugin"), dict)
    return document if whole else None


def _judged(look: Look, document: Mapping[str, Any], where: str, own: str) -> Badge:
    plugin, paper = document["plugin"], look.paperwork
    files = {path: found for path, found in look.files.items() if path != own}
    problems = []
    if (normalized(str(plugin.get("dist"))), plugin.get("version")) != (normalized(paper.name), paper.version):
        problems.append(f"is about {plugin.get('dist')} {plugin.get('version')}")
    elif look.files and f"sha256:{plugin.get('files_sha256')}" != digest(files):
        problems.append(f"is about other files: sha256:{plugin.get('files_sha256')}, not {digest(files)}")
    if document.get("result") != "conformant":
        problems.append(f"says {document.get('result')!r}, not 'conformant'")
    about = "" if look.files else "; whether it is about these files is not known of a folder"
    words = " and ".join(problems) or f"says conformant to spec {document.get('spec')}, of these files{about}"
    told = {"told": f"{where} {words}; nobody signed it", "where": where, "result": document.get("result"),
            "matches": not problems and bool(look.files), "issued": document.get("issued"),
            "suite": document.get("suite")}  # fmt: skip
    return Badge(told, tuple(Finding("alarm", "certificate", where, problem) for problem in problems))
