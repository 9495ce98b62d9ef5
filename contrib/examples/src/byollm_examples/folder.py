"""The texts to work on: the fourteen documents of this package, or any folder of yours."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

MOST_BYTES = 64 * 1024
"""A longer file is left out: the demo shows a pipeline, it does not cut documents."""
MOST_FILES = 200
"""More files than this are left out, in the order of their names."""


class FolderError(Exception):
    """A folder that holds nothing to work on; the message says why."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text and the name it goes by."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Documents:
    """What will be worked on, where it came from, and what was left out: a sentence for each file."""

    source: str
    items: tuple[Document, ...]
    left_out: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [item.text for item in self.items]


def own_documents() -> Documents:
    """The documents written for this demo. People are roles; addresses, cards and accounts are published examples."""
    folder = files("byollm_examples") / "documents"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".txt")), key=lambda entry: entry.name)
    items = tuple(Document(entry.name.removesuffix(".txt"), entry.read_text("utf-8")) for entry in found)
    return Documents(f"{len(items)} documents written for this demo", items)


def read_folder(path: str) -> Documents:
    """Every text file directly in a folder. Raises FolderError when there is none.

    Bytes that are not UTF-8 become U+FFFD. Left out, each with a reason: binary, empty, too long, and too many files.
    """
    folder = Path(path)
    if not folder.exists():
        raise FolderError(f"there is no folder {path!r}")
    if not folder.is_dir():
        raise FolderError(f"{path!r} is a file; name the folder it is in")
    items: list[Document] = []
    left_out: list[str] = []
    try:
        names = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    except OSError as error:
        raise FolderError(f"the folder {path!r} cannot be read: {error.strerror}") from None
    for entry in names:
        if len(items) == MOST_FILES:
            left_out.append(f"{len(names) - names.index(entry)} more files: the demo takes {MOST_FILES}")
            break
        document, reason = _read(entry)
        if document is not None:
            items.append(document)
        else:
            left_out.append(f"{entry.name}: {reason}")
    if not items:
        why = f" ({'; '.join(left_out[:3])})" if left_out else ""
        raise FolderError(f"the folder {path!r} holds no text file{why}")
    return Documents(f"{len(items)} of your texts, from {path}", tuple(items), tuple(left_out))


def _read(entry: Path) -> tuple[Document | None, str]:
    try:
        with entry.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        return None, f"cannot be read ({error.strerror})"
    if len(data) > MOST_BYTES:
        return None, f"longer than {MOST_BYTES // 1024} KiB"
    if b"\x00" in data:
        return None, "not a text (it holds zero bytes)"
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        return None, "empty"
    if text.count("\ufffd") > len(text) // 10:
        return None, "not a text (over a tenth of it is no UTF-8)"
    return Document(entry.name, text), ""
