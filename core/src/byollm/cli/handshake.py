"""A TLS handshake on which nothing is sent, and what its certificate says, in words."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

from byollm.cli.findings import Check

SOON: Final = 14
"""Days before its end from which on a certificate is worth a warning."""


class Pipe(Protocol):
    """A byte stream."""

    def recv(self, size: int, /) -> bytes:
        """The next bytes; b"" at the end."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""
        ...

    def close(self) -> None:
        """Close the socket below."""
        ...


class Dead(Exception):
    """A step failed: everything after it is skipped."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self.check = check


class Tls:
    """TLS over any pipe, and so also inside the TLS of a proxy."""

    def __init__(self, below: Pipe, context: ssl.SSLContext, name: str) -> None:
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def shake(self) -> None:
        """Raises OSError, ssl.SSLError among them."""
        self._until_done(self.session.do_handshake)

    def recv(self, size: int, /) -> bytes:
        """See `Pipe`."""
        found: bytes = self._until_done(lambda: self.session.read(size))
        return found

    def sendall(self, data: bytes, /) -> None:
        """See `Pipe`."""
        self.session.write(data)
        self._flush()

    def close(self) -> None:
        """See `Pipe`."""
        self._below.close()

    def _until_done(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                found = step()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._below.recv(65536)
                self._incoming.write(data) if data else self._incoming.write_eof()
                continue
            except ssl.SSLError:
                with suppress(OSError):  # the alert that tells the peer why
                    self._flush()
                raise
            self._flush()
            return found

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._below.sendall(data)


def shaken(context: ssl.SSLContext, pipe: Pipe, name: str, step: str, prefix: str = "") -> Tls:
    """The pipe after a handshake. Raises Dead, for the check called `step`, with the line that mends it."""
    layer = Tls(pipe, context, name)
    problem: tuple[str, str] | None = None
    try:
        layer.shake()
    except ssl.SSLCertVerificationError as error:
        problem = error.verify_message, _trust_mend(error.verify_message, name)
    except ssl.SSLError as error:
        words = (error.reason or "the handshake failed").replace("_", " ").lower()
        plain = "wrong version number" in words or "packet length" in words or "http request" in words
        mend = "the server speaks plain http on this port: write http://, or name its TLS port" if plain else ""
        problem = words, mend or "check host and port in `endpoint:`, and what `tls:` says"
    except OSError as error:
        told = "no answer in time" if isinstance(error, TimeoutError) else "the connection was closed"
        problem = (
            f"the handshake failed: {told}",
            "check host and port in `endpoint:`: does it speak http only, or does a firewall cut TLS?",
        )
    if problem is None:
        return layer
    raise Dead(Check(step, "fail", f"{prefix}{problem[0]}", problem[1]))


def _trust_mend(message: str, name: str) -> str:
    lower = message.lower()
    if "expired" in lower:
        return "the certificate is past its end: whoever runs the server must renew it (or this clock is wrong)"
    if "not valid for" in lower or "mismatch" in lower:
        return f"write the name of the certificate in `endpoint:`, or have the certificate name {name}"
    return "if you trust who issued it, name its authority: `tls: {ca: company.pem}`"


def judged(session: ssl.SSLObject) -> Check:
    """The check that a trusted certificate makes."""
    certificate: Any = session.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    days = int((ends - time.time()) // 86400)
    day = time.strftime("%Y-%m-%d", time.gmtime(ends))
    told = f"{session.version()}, {named(certificate, 'subject')} issued by {named(certificate, 'issuer')}, until {day}"
    if days < SOON:
        return Check("tls", "warn", f"{told}: {days} days left", "have whoever runs the server renew its certificate")
    return Check("tls", "ok", told)


def named(certificate: dict[str, Any], part: str) -> str:
    """Whom a certificate speaks of: `subject` or `issuer`."""
    found = {key: value for pairs in certificate.get(part, ()) for key, value in pairs}
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    alternative = names[0] if names and part == "subject" else "an unnamed authority"
    return str(found.get("commonName") or found.get("organizationName") or alternative)
