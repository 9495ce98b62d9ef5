"""What can be wrong with a comparison.

ByollmError
├── SampleError     a line of the sample file that cannot be asked
└── ResultsError    a file of earlier results that belongs to something else, or cannot be read or written
"""

from __future__ import annotations

from byollm.errors import ByollmError


class SampleError(ByollmError):
    """A line of the sample file that cannot be asked: the message names file and line."""

    def __init__(self, message: str, hint: str = "") -> None:
        usual = 'a line is {"prompt": "…", "expected": "…"} or {"messages": […], "expected": {…}}'
        super().__init__(message, hint=hint or usual)


class ResultsError(ByollmError):
    """A file of results that cannot be used."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint or "--out names another file")
