"""Who asked what, where it went and why: an append-only record that shows every change made to it.

An observer for the file's `observers:`, and `byollm audit verify | show | export | anchor | erase | new-key`.
"""

from byollm_audit.errors import AuditError, AuditKeyError, AuditStoreError, TamperedError
from byollm_audit.observer import Audit

__all__ = ["Audit", "AuditError", "AuditKeyError", "AuditStoreError", "TamperedError"]
