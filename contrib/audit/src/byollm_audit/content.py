"""Prompts and answers, encrypted with the customer's own key; each with a data key of its own, which can be destroyed.

`wrapped data key (60 bytes) | nonce (12) | ciphertext`, AES-256-GCM both times, bound to the operation and the
kind of record. The chain holds the digests of the wrapped key and of the rest, so a content whose key was overwritten
still verifies, and one whose key was spoilt in secret does not.
"""

from __future__ import annotations

import os
from typing import Any, Final

from byollm.errors import PluginError
from byollm_audit.errors import AuditKeyError
from byollm_audit.keys import Key

WRAPPED: Final = 60
_NONCE: Final = 12


class Vault:
    """Encrypts and decrypts. Raises PluginError where `cryptography` is not installed, AuditKeyError for a bad key."""

    def __init__(self, key: Key) -> None:
        self._cipher = _aes()
        self._wrapping = self._cipher(key.derive("content"))

    def seal(self, data: bytes, bound: str) -> bytes:
        """Encrypted, with its wrapped key in front."""
        data_key, nonce, about = os.urandom(32), os.urandom(_NONCE), bound.encode()
        wrap = os.urandom(_NONCE)
        sealed: bytes = self._cipher(data_key).encrypt(nonce, data, about)
        return wrap + bytes(self._wrapping.encrypt(wrap, data_key, about)) + nonce + sealed

    def open(self, content: bytes, bound: str) -> bytes | None:
        """Decrypted; None when its key was destroyed. Raises AuditKeyError when the key does not fit."""
        if not any(content[:WRAPPED]):
            return None
        about, start = bound.encode(), WRAPPED + _NONCE
        try:
            data_key = self._wrapping.decrypt(content[:_NONCE], content[_NONCE:WRAPPED], about)
            data: bytes = self._cipher(data_key).decrypt(content[WRAPPED:start], content[start:], about)
        except Exception as error:  # InvalidTag, and what cryptography says of bytes that are too short
            problem = type(error).__name__
        else:
            return data
        raise AuditKeyError(f"a content cannot be decrypted ({problem}): another key, or it was changed")


def _aes() -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        pass
    else:
        return AESGCM
    raise PluginError("encrypted content needs `cryptography`", hint="pip install byollm-audit[encrypt]")
