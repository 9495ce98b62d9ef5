"""What can go wrong with the record. A required one stops the call before anything is sent."""

from __future__ import annotations

from byollm.errors import ByollmError


class AuditError(ByollmError):
    """The audit record cannot be written or read."""


class AuditKeyError(AuditError):
    """A key is missing, too short, or not the one that the record was written with."""


class AuditStoreError(AuditError):
    """The place of the record cannot be written or read: the disk is full, the database is locked or gone."""


class TamperedError(AuditError):
    """The record is not what this process left there: it was cut, replaced or changed."""
