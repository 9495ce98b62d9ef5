"""TLS over any byte stream: one context per set of files, and a session that does no I/O itself.

A session on memory buffers, and not `SSLSocket`, because the socket below then stays a plain one: it can be shut down
from another thread, bounded by one clock in sync and async code, and carry TLS inside TLS through an https proxy.
"""

from __future__ import annotations

import ssl

from byollm.transports.base import BrokenKind, TlsFiles
from byollm.transports.progress import Stop

_NO_FILES = TlsFiles()
_contexts: dict[TlsFiles, ssl.SSLContext] = {}

# A peer that will not have our certificate says so only after the handshake is over for us (RFC 8446, 4.4.2.4).
_REFUSALS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")


def context_for(files: TlsFiles | None) -> ssl.SSLContext:
    """The process's one context for these files; building one takes some 25 ms.

    Without a `ca`, trust is what OpenSSL trusts by default (SSL_CERT_FILE and SSL_CERT_DIR count). Raises Stop("tls").
    """
    files = files or _NO_FILES
    found = _contexts.get(files)
    if found is None:
        # Two threads may both build it; the first one stored serves them all. A lock here could be held over a fork.
        found = _contexts.setdefault(files, _build(files))
    return found


def without_identity(files: TlsFiles | None) -> TlsFiles:
    """The same trust, for a proxy: it is not the one that the client certificate is for."""
    return TlsFiles(ca=files.ca) if files is not None else _NO_FILES


def _build(files: TlsFiles) -> ssl.SSLContext:
    problem = "the CA bundle (tls.ca) cannot be read"
    try:
        context = ssl.create_default_context(cafile=files.ca)
        problem = "the client certificate (tls.cert, tls.key) cannot be loaded"
        if files.cert is not None:
            # With an empty password OpenSSL fails on an encrypted key; with none it would ask on the terminal.
            context.load_cert_chain(files.cert, files.key, files.key_password or "")
    except (OSError, ssl.SSLError, ValueError, TypeError):
        context = None
    if context is None:
        raise Stop("tls", problem)
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsSession:
    """One TLS connection as a pair of buffers: `feed` what came, send what `take` gives."""

    __slots__ = ("_incoming", "_object", "_outgoing")

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def take(self) -> bytes:
        """What has to be sent now; b"" for nothing."""
        return self._outgoing.read()

    def feed(self, data: bytes) -> None:
        """What has come; b"" when the peer closed."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    @property
    def pending(self) -> bool:
        """True when something was fed that nobody has read."""
        return bool(self._incoming.pending or self._object.pending())

    def shake(self) -> bool:
        """Go on with the handshake. True when it is done. Raises Stop: "tls", or "closed" where nobody said why."""
        kind: BrokenKind = "tls"
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLCertVerificationError as error:
            detail = error.verify_message
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # a server that restarts does so: no trust is missing
            kind, detail = "closed", "in the TLS handshake"
        except ssl.SSLError as error:
            detail = _words(error)
        else:
            return True
        raise Stop(kind, detail)

    def read(self, size: int) -> bytes | None:
        """Decrypted bytes, b"" at the end, None when more has to be fed. Raises Stop."""
        try:
            return self._object.read(size)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            # Many servers close without a close_notify. HTTP's own framing tells whether the answer was complete.
            return b""
        except ssl.SSLError as error:
            reason = error.reason or ""
            detail = _words(error)
        if any(word in reason for word in _REFUSALS):
            raise Stop("tls", detail)
        raise Stop("protocol", detail)

    def write(self, data: bytes | memoryview) -> bytes:
        """Encrypt. Returns what has to be sent. Raises Stop."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            detail = _words(error)
        else:
            return self.take()
        raise Stop("reset", detail)


def _words(error: ssl.SSLError) -> str:
    return (error.reason or "TLS failed").replace("_", " ").lower()
