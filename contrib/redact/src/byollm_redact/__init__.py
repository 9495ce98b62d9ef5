"""Personal data stays here: placeholders are sent in its place, and answers and streams get it back.

A middleware for the file's `middleware:`; `Redact().kinds` and `Session` do the same to any text.
"""

from byollm_redact.kinds import KINDS, Kind
from byollm_redact.middleware import Redact
from byollm_redact.session import Session

__all__ = ["KINDS", "Kind", "Redact", "Session"]
