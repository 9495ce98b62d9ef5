"""The audit's copies in a real rsyslog: over UDP, TCP and a unix socket, each line as it stands in the chain."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from byollm import Client
from byollm_audit import Audit
from byollm_audit.chain import Chain, split
from byollm_audit.keys import Key, Mac, new_key
from byollm_sandbox import serve
from tests.servers.debian import environment, unpacked

CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="{modules}/imudp") module(load="{modules}/imtcp") module(load="{modules}/imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{folder}/tcp.port")
input(type="imuxsock" Socket="{folder}/log" useSpecialParser="off" parseHostname="on")
template(name="parsed" type="string" string="%syslogfacility-text%.%syslogseverity-text% %app-name% %msgid% %msg%\\n")
action(type="omfile" file="{folder}/received" template="parsed")
"""


def free_port() -> int:
    """A port for datagrams that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Debian's rsyslogd with a configuration of its own, and the address of each way."""
    root = unpacked("rsyslog", "libestr0", "libfastjson4")
    folder = tmp_path_factory.mktemp("rsyslog")
    modules = next(root.glob("usr/lib/*/rsyslog"))
    udp = free_port()
    (folder / "conf").write_text(CONFIGURATION.format(folder=folder, modules=modules, udp=udp))
    program = [root / "usr/sbin/rsyslogd", "-n", "-f", folder / "conf", "-i", folder / "pid", "-M", str(modules)]
    with (folder / "words").open("w") as words:
        running = subprocess.Popen([str(it) for it in program], env=environment(root), stdout=words, stderr=words)
    try:
        wait(lambda: (folder / "tcp.port").exists() and (folder / "log").exists(), (folder / "words"))
        tcp = (folder / "tcp.port").read_text().strip()
        ways = {"udp": f"udp://127.0.0.1:{udp}", "tcp": f"tcp://127.0.0.1:{tcp}", "unix": f"unix:{folder / 'log'}"}
        yield folder, ways
    finally:
        running.terminate()
        running.wait(20)


def wait(done: object, words: Path) -> None:
    """Until it is so; with the program's own words when it never is."""
    until = time.monotonic() + 20
    while not done():  # type: ignore[operator]  # a function without arguments
        assert time.monotonic() < until, words.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["udp", "tcp", "unix"])
def test_rsyslog_receives_every_line_of_the_chain(rsyslog: tuple[Path, dict[str, str]], way: str, tmp_path: Path):
    """With facility, name and kind as RFC 5424 has them, and the line byte for byte: its mac can be proved there."""
    folder, ways = rsyslog
    new_key(tmp_path / "key")
    key = f"file:{tmp_path / 'key'}"
    audit = Audit(path=tmp_path / "audit", key=key, forward=[{"syslog": {"address": ways[way]}}], required=True)
    with serve() as twin:
        target = {"provider": "custom", "model": "m", "endpoint": twin.url("openai-chat"), "api_key": "k-1234567890"}
        with Client(target, observers=[audit]) as client:
            client.complete("hi", labels={"says": "ü ☃ \n %s"})
            client.complete("hi again")
    first, *sent = list(audit.store.lines())

    def received() -> list[bytes]:
        file = folder / "received"
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [line for line in lines if any(line.endswith(each) for each in sent)]

    wait(lambda: len(received()) == len(sent), folder / "words")
    chain = Chain(Mac(Key(key).derive("chain")))
    chain.follow(first)
    for line, kind in zip(received(), ["intent", "outcome"] * 2, strict=True):
        head, _, body = line.partition(b" {")
        assert f"audit.notice byollm-audit {kind}" == " ".join(head.decode().split())
        found = split(b"{" + body)
        assert found is not None
        assert chain.vouches(found)
        chain.took(found.mac)
