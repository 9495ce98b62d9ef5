"""Copies of every line for other places: syslog in each of its ways, and OpenTelemetry."""

import re
import socket
import threading

import pytest

from byollm import Client
from byollm.errors import ConfigError
from byollm_audit import Audit
from byollm_audit.chain import split
from byollm_audit.forward import Forward
from byollm_audit.syslog import SyslogSink

HEAD = re.compile(
    rb"<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ byollm-audit \d+ (intent|outcome) - (\{.*\})", re.DOTALL
)


class Listener:
    """A syslog daemon's ear: collects what comes, as it comes."""

    def __init__(self, family, kind, address):
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.kind = kind
        self.data = []
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        if self.kind == socket.SOCK_DGRAM:
            self.socket.settimeout(5)
            while len(self.data) < 2:
                self.data.append(self.socket.recv(65536))
        else:
            opened, _ = self.socket.accept()
            with opened:
                while piece := opened.recv(65536):
                    self.data.append(piece)

    def messages(self):
        self.thread.join(10)
        self.socket.close()
        if self.kind == socket.SOCK_DGRAM:
            return self.data
        data, found = b"".join(self.data), []
        while data:
            size, _, data = data.partition(b" ")
            found.append(data[: int(size)])
            data = data[int(size) :]
        return found


@pytest.mark.parametrize("way", ["udp", "tcp", "unix-datagram", "unix-stream"])
def test_a_syslog_gets_every_line_with_its_mac(way, tmp_path, key, target):
    """RFC 5424 heads; octets counted where messages have no border of their own (RFC 6587)."""
    kind = socket.SOCK_DGRAM if way in ("udp", "unix-datagram") else socket.SOCK_STREAM
    unix = way.startswith("unix")
    family, where = (socket.AF_UNIX, str(tmp_path / "log")) if unix else (socket.AF_INET, ("127.0.0.1", 0))
    ear = Listener(family, kind, where)
    address = f"unix:{where}" if unix else f"{way}://127.0.0.1:{ear.socket.getsockname()[1]}"
    audit = Audit(path=tmp_path / "audit", key=key, forward=[{"syslog": {"address": address}}])
    with Client(target, observers=[audit]) as client:
        client.complete("hi")
    found = [match for message in ear.messages() if (match := HEAD.fullmatch(message))]

    assert ["intent", "outcome"] == [match[1].decode() for match in found]
    assert list(audit.store.lines())[1:] == [match[2] for match in found]
    assert all(split(match[2]) for match in found)


def test_a_syslog_that_is_gone_holds_up_nobody(tmp_path, key, target, caplog):
    """The call is answered, the chain has it, and the log says so once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    audit = Audit(path=tmp_path / "audit", key=key, forward=[{"syslog": {"address": address}}], required=True)
    with Client(target, observers=[audit]) as client:
        assert client.complete("hi").text

    assert 2 == audit._forwards[0].dropped
    assert 1 == caplog.text.count("was not forwarded to syslog")
    assert 3 == len(list(audit.store.lines()))


def test_a_queue_that_is_full_drops_and_counts():
    """Bounded: a place that hangs costs no memory."""

    class Hanging:
        def __init__(self):
            self.go = threading.Event()

        def send(self, line, kind, operation, at):
            self.go.wait(10)

        def close(self):
            self.go.set()

    sink = Hanging()
    forward = Forward("hanging", sink)
    for _ in range(10_050):
        forward.send(b"line\n", {"kind": "note", "at": 0.0})
    sink.go.set()
    forward.close()

    assert 49 <= forward.dropped <= 50


@pytest.mark.parametrize("address", ["", "/dev/log", "http://127.0.0.1", "udp:127.0.0.1", "tcp://h:99999", "unix:"])
def test_another_address_is_a_config_error(address):
    """With the three forms there are."""
    with pytest.raises(ConfigError):
        SyslogSink(address, 13)


def test_opentelemetry_gets_every_line(tmp_path, key, target):
    """As log records, through the provider that the program set up."""
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

    exporter, provider = InMemoryLogRecordExporter(), LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    _logs.set_logger_provider(provider)
    audit = Audit(path=tmp_path / "audit", key=key, forward=["otel"])
    with Client(target, observers=[audit]) as client:
        client.complete("hi")
    found = [entry.log_record for entry in exporter.get_finished_logs()]

    assert [line.decode() for line in audit.store.lines()][1:] == [record.body for record in found]
    assert ["intent", "outcome"] == [(record.attributes or {})["byollm.audit.kind"] for record in found]
    provider.shutdown()
