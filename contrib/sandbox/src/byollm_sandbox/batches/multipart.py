"""Reading `multipart/form-data`, as far as an upload needs it (RFC 7578)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_PARAMETER: Final = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FormPart:
    """One field of a form; `filename` is None for a plain value."""

    filename: str | None
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", "replace")


def form_of(content_type: str, body: bytes) -> dict[str, FormPart] | None:
    """The fields by name, the last of a name wins; None when the body is no such form."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/form-data"):
        return None
    # A line end before the first delimiter makes all of them alike.
    sections = (b"\r\n" + body).split(b"\r\n--" + (found[1] or found[2]).encode())
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        return None
    fields: dict[str, FormPart] = {}
    for section in sections[1:-1]:
        head, gap, content = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        parameters = _disposition(head.decode("utf-8", "replace"))
        if not gap or "name" not in parameters:
            return None
        fields[parameters["name"]] = FormPart(parameters.get("filename"), content)
    return fields


def _disposition(head: str) -> dict[str, str]:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return {key.lower(): text.replace('\\"', '"') for key, text in _PARAMETER.findall(value)}
    return {}
