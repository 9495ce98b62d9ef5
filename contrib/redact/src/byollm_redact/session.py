"""One call's placeholders: `[EMAIL_1]` for the first address, the same again wherever it stands, and the way back.

A placeholder is never one that the texts hold already: what looks like one there takes its number away. So putting the
values back gives exactly the text that there was, whatever stood in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from byollm_redact.kinds import Kind, found

LONGEST: Final = 48
"""Characters that a placeholder has at most, in any of the forms that models write."""
_SHAPE: Final = re.compile(
    r"\\\[([A-Za-z][A-Za-z0-9]{0,23})\\?[_ -]([1-9][0-9]{0,8})\\\]"
    r"|\[([A-Za-z][A-Za-z0-9]{0,23})\\?[_ -]([1-9][0-9]{0,8})\]"
)
"""A placeholder as it is made, and as models write it back: in other letters, or escaped for Markdown."""
_BEGUN: Final = re.compile(r"\\?\[(?:([A-Za-z][A-Za-z0-9]{0,23})(?:\\?(?:[_ -](?:[1-9][0-9]{0,8}\\?)?)?)?)?\Z|\\\Z")
"""The end of a text that may be the beginning of one."""


class Session:
    """What was replaced in one call. `kinds` in the order in which they are believed."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = list(kinds)
        self._by_value: dict[tuple[str, str], str] = {}
        self._values: dict[tuple[str, int], str] = {}
        self._numbers: dict[str, int] = {}
        self._reserved: set[tuple[str, int]] = set()
        self._known: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._values)

    def __repr__(self) -> str:
        return f"Session({len(self._values)} values)"

    @property
    def counts(self) -> dict[str, int]:
        """How many different values of each kind were replaced."""
        return dict(self._numbers_used())

    def _numbers_used(self) -> dict[str, int]:
        used: dict[str, int] = {}
        for kind, _ in self._values:
            used[kind] = used.get(kind, 0) + 1
        return used

    def reserve(self, text: str) -> None:
        """Keep away from what looks like a placeholder in a text. Every text is shown here before any is redacted."""
        if "[" in text:
            self._reserved.update(_key(match) for match in _SHAPE.finditer(text))

    def redact(self, text: str) -> str:
        """The text with placeholders in it."""
        spans = found(text, self._kinds)
        if not spans:
            return text
        pieces: list[str] = []
        at = 0
        for start, end, kind in spans:
            pieces += (text[at:start], self._placeholder(kind, text[start:end]))
            at = end
        return "".join([*pieces, text[at:]])

    def redact_known(self, text: str) -> str:
        """Only values that have a placeholder already: for thoughts, whose signature is over what the model wrote."""
        if not self._values:
            return text
        if self._known is None:
            values = sorted({value for _, value in self._by_value}, key=len, reverse=True)
            self._known = re.compile("|".join(map(re.escape, values)))
        by_text = {value: placeholder for (_, value), placeholder in reversed(self._by_value.items())}
        return self._known.sub(lambda match: by_text[match[0]], text)

    def redact_json(self, text: str) -> str:
        """A JSON text with placeholders in its strings; numbers that are personal data become strings."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self.redact(text)
        changed = self._walk(value)
        return text if changed == value else json.dumps(changed, ensure_ascii=False)

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """The text with the values back in it; `in_json`: as they stand between the quotes of a JSON string."""
        if "[" not in text:
            return text

        def value(match: re.Match[str]) -> str:
            found = self._values.get(_key(match))
            if found is None:
                return match[0]
            return json.dumps(found, ensure_ascii=False)[1:-1] if in_json else found

        return _SHAPE.sub(value, text)

    def held(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a placeholder."""
        match = _BEGUN.search(text, max(0, len(text) - LONGEST))
        if match is None:
            return 0
        word = (match[1] or "").upper()
        return len(text) - match.start() if any(kind.startswith(word) for kind, _ in self._values) else 0

    def _placeholder(self, kind: str, value: str) -> str:
        made = self._by_value.get((kind, value))
        if made is None:
            number = self._numbers.get(kind, 0) + 1
            while (kind, number) in self._reserved:
                number += 1
            self._numbers[kind] = number
            self._values[kind, number] = value
            made = self._by_value[kind, value] = f"[{kind}_{number}]"
            self._known = None
        return made

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self.redact(name): self._walk(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._walk(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            changed = self.redact(str(value))
            return value if changed == str(value) else changed
        return value


def _key(match: re.Match[str]) -> tuple[str, int]:
    return (match[1] or match[3]).upper(), int(match[2] or match[4])
