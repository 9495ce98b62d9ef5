"""What is generated from the code and kept in `spec/`: check table, requirement set, schemas, tables in the documents.

`python -m byollm_conformance.spec FOLDER` writes it all; a test holds the files equal to what would be written.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from byollm.providers.manifest import SPEC
from byollm_conformance import checks
from byollm_conformance.model import Check
from byollm_conformance.quirks import bundled

SET: Final = Path(__file__).parent / f"requirements-{SPEC}.json"
"""The set that is shipped; `spec/` has the same."""
MARK: Final = "<!-- generated: the checks of this page -->"
DOCUMENTS: Final = (
    "messages.md", "events.md", "capabilities.md", "quirks.md", "errors.md", "counting.md", "config.md", "security.md",
    "batches.md",
)  # fmt: skip
_SENTENCE: Final = re.compile(r"^(\d+)\. (.*(?:\n {3,}\S.*)*)", re.MULTILINE)
_ROW: Final = re.compile(r"^\| (\d+) \|(.*)$", re.MULTILINE)


def requirement_set(registry: Mapping[str, Check], *, freeze: bool = False) -> dict[str, Any]:
    """What a certificate of this spec version is about. Once it is frozen it never changes: later checks are run and
    not scored, until the next version of the spec.
    """
    if SET.is_file():
        known: dict[str, Any] = json.loads(SET.read_text("utf-8"))
        if known.get("frozen"):
            return known
    mine = {id: check.keyword for id, check in sorted(registry.items()) if int(check.since) <= SPEC}
    return {"spec": SPEC, "frozen": freeze, "checks": mine}


def check_table(registry: Mapping[str, Check]) -> str:
    """All checks as TOML."""
    lines = ["# Generated from the checks by `python -m byollm_conformance.spec spec`: do not edit.", ""]
    for id, check in sorted(registry.items()):
        lines += [
            "[[checks]]",
            f'id = "{id}"',
            f'keyword = "{check.keyword}"',
            f"sentence = {json.dumps(check.sentence, ensure_ascii=False)}",
            f'layer = "{check.layer}"',
            f'since = "{check.since}"',
            f'spec = "{check.spec}"',
            f"needs = {json.dumps(list(check.needs))}",
            *([f'mirror = "{check.mirror}"'] if check.mirror else []),
            "",
        ]
    return "\n".join(lines)


def sentences(text: str) -> dict[int, str]:
    """The numbered sentences of a document, and the numbered rows of its tables."""
    head = text.partition(MARK)[0]
    found = {int(number): " ".join(words.split()) for number, words in _SENTENCE.findall(head)}
    found |= {int(number): " ".join(words.split()) for number, words in _ROW.findall(head)}
    return found


def with_table(text: str, document: str, registry: Mapping[str, Check]) -> str:
    """A document with the table of its checks at the end."""
    head = text.partition(MARK)[0].rstrip("\n")
    mine = [check for check in registry.values() if check.spec.partition("#")[0] == f"spec/{document}"]
    mine.sort(key=lambda check: (int(check.spec.partition("#")[2]), check.id))
    rows = [
        f"| {check.spec.partition('#')[2]} | {check.id} | {check.keyword} | {_cell(check.sentence)} |" for check in mine
    ]
    if not rows:
        return head + "\n"
    table = ["| sentence | check | keyword | what is checked |", "|--:|---|---|---|", *rows]
    return "\n".join([head, "", MARK, "## The checks of this page", "", *table, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def generated(folder: Path, *, freeze: bool = False) -> Iterator[tuple[Path, str]]:
    """Every generated file and its content."""
    from byollm_conformance.schemas import schemas

    registry = checks.load()
    frozen = json.dumps(requirement_set(registry, freeze=freeze), indent=1) + "\n"
    yield folder / f"requirements-{SPEC}.json", frozen
    yield SET, frozen
    yield folder / "checks.toml", check_table(registry)
    yield folder / "quirks.toml", bundled()
    for name, schema in schemas().items():
        yield folder / "schemas" / f"{name}.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    for document in DOCUMENTS:
        path = folder / document
        if path.is_file():
            yield path, with_table(path.read_text("utf-8"), document, registry)


def main(arguments: list[str]) -> int:
    """Write what is generated; `--check` only tells what would change (exit code 1), `--freeze` closes the set."""
    folder = Path(next((word for word in arguments if not word.startswith("-")), "spec"))
    stale = [
        (path, text)
        for path, text in generated(folder, freeze="--freeze" in arguments)
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path, text in stale:
        print(path)
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
