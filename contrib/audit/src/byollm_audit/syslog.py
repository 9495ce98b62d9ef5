"""Lines to a syslog daemon, in the form of RFC 5424, over a unix socket, UDP or TCP (octet counting, RFC 6587)."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from byollm.errors import ConfigError

SECONDS: Final = 5.0
NOTICE: Final = 5


class SyslogSink:
    """A connection to `unix:/path`, `udp://host:port` or `tcp://host:port`, made at first use.

    A unix socket is tried as datagrams, then as a stream. Raises ConfigError for another address.
    """

    def __init__(self, address: str, facility: int) -> None:
        self._address = address
        self._priority = facility * 8 + NOTICE
        self._socket: socket.socket | None = None
        self._stream = False
        self._host = _plain(socket.gethostname(), 255)
        kind, _, rest = address.partition(":")
        port = _port(address) if kind in ("udp", "tcp") else None
        if not (kind == "unix" and rest) and port is None:
            raise ConfigError(
                "audit: this is no address of a syslog", hint="unix:/dev/log, udp://host:514 or tcp://host:514"
            )

    def send(self, line: bytes, kind: str, operation: str | None, at: float) -> None:
        """Send one line. Raises OSError."""
        message = self.message(line, kind, at)
        connection = self._socket or self._connect()
        connection.sendall(b"%d %b" % (len(message), message) if self._stream else message)

    def message(self, line: bytes, kind: str, at: float) -> bytes:
        """The line as RFC 5424 has it; its instant is the record's."""
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        head = f"<{self._priority}>1 {when} {self._host} byollm-audit {os.getpid()} {kind} - "
        return head.encode() + line

    def close(self) -> None:
        """Let the connection go."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _connect(self) -> socket.socket:
        kind, _, rest = self._address.partition(":")
        if kind == "unix":
            made = self._unix(rest)
        else:
            parts = urlsplit(self._address)
            where = (parts.hostname or "", parts.port or 514)
            if kind == "tcp":
                made = socket.create_connection(where, SECONDS)
            else:
                family, type_, proto, _, found = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
                made = socket.socket(family, type_, proto)
                made.connect(found)
            self._stream = kind == "tcp"
        made.settimeout(SECONDS)
        self._socket = made
        return made

    def _unix(self, path: str) -> socket.socket:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            made = socket.socket(socket.AF_UNIX, kind)
            try:
                made.connect(path)
            except OSError:
                made.close()
                if kind == socket.SOCK_STREAM:
                    raise
            else:
                self._stream = kind == socket.SOCK_STREAM
                return made
        raise OSError("unreachable")  # the loop returns or raises


def _port(address: str) -> int | None:
    try:
        parts = urlsplit(address)
        return (parts.port or 514) if parts.hostname else None
    except ValueError:
        return None


def _plain(text: str, most: int) -> str:
    return "".join(letter for letter in text if "!" <= letter <= "~")[:most] or "-"
