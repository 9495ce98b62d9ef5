"""A headless Chromium of Debian, told what to do through a pipe (the DevTools protocol): no port, no library.

Every request that is not for a file is stopped before it leaves, and counted.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.servers.build import BuildError, alone, cache, run

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE: Final = 60.0
_OPTIONS: Final = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--metrics-recording-only",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


class BrowserError(Exception):
    """The browser ended, did not answer, or answered that it cannot."""


def installed() -> str:
    """The browser's program; installed by apt-get where it is missing. Raises BuildError where it may not be."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is not None:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise BuildError("looking at pages needs Chromium: install Debian's package `chromium` and run this again")
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "chromium.lock"):
        if not shutil.which("chromium"):
            run(["apt-get", "update", "-q"], folder / "apt.log", check=False)
            run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"], folder / "apt.log")
    return shutil.which("chromium") or "chromium"


class Browser:
    """One process, several pages one after the other."""

    def __init__(self, home: str) -> None:
        there, self._out = os.pipe()
        self._in, back = os.pipe()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own sandbox refuses the superuser
        words = [installed(), *_OPTIONS, *sandbox, f"--user-data-dir={home}", "about:blank"]
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (there, back)]
        silent = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, theirs[0], 3), (os.POSIX_SPAWN_DUP2, theirs[1], 4)]
        actions += [(os.POSIX_SPAWN_DUP2, silent, number) for number in (0, 1, 2)]
        self._pid: int | None = os.posix_spawn(words[0], words, os.environ, file_actions=actions, setpgroup=0)
        for end in (there, back, silent, *theirs):
            os.close(end)
        self._data = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        self.version = self.send("Browser.getVersion")["product"]

    def close(self) -> None:
        """End it, and whatever it started."""
        pid, self._pid = self._pid, None
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command, and its answer. What the browser tells in between is kept in `events`. Raises BrowserError."""
        number = self._sent(method, parameters, session)
        while True:
            message = self._message()
            if message.get("id") != number:
                self._noticed(message)
            elif "error" in message:
                raise BrowserError(f"{method}: {message['error'].get('message')}")
            else:
                return dict(message["result"])

    def _sent(self, method: str, parameters: dict[str, Any], session: str | None) -> int:
        self._number += 1
        told = {"id": self._number, "method": method, "params": parameters}
        os.write(self._out, json.dumps({**told, "sessionId": session} if session else told).encode() + b"\0")
        return self._number

    def until(self, method: str, session: str) -> dict[str, Any]:
        """Wait for an event of a page that has not been taken yet. Raises BrowserError."""
        while True:
            for at, event in enumerate(self.events):
                if event["method"] == method and event.get("sessionId") == session:
                    return dict(self.events.pop(at).get("params", {}))
            self._noticed(self._message())

    def _noticed(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Fetch.requestPaused":
            self._judge(message["params"], message["sessionId"])
        if "method" in message:
            self.events.append(message)

    def _judge(self, request: dict[str, Any], session: str) -> None:
        """Files of ours may be read; everything else is stopped. The answer to this is nobody's business."""
        local = request["request"]["url"].startswith(("file:", "data:", "about:"))
        verdict = {"requestId": request["requestId"], **({} if local else {"errorReason": "BlockedByClient"})}
        method = "Fetch.continueRequest" if local else "Fetch.failRequest"
        self._sent(method, verdict, session)

    def _message(self) -> dict[str, Any]:
        end = time.monotonic() + _PATIENCE
        while b"\0" not in self._data:
            if not select.select([self._in], [], [], max(0.0, end - time.monotonic()))[0]:
                raise BrowserError(f"no word from the browser for {_PATIENCE:.0f} s")
            more = os.read(self._in, 1 << 20)
            if not more:
                raise BrowserError("the browser ended")
            self._data += more
        message, _, self._data = self._data.partition(b"\0")
        return dict(json.loads(message))


@dataclass
class Page:
    """A page that is open, as a reader has it: so wide, light or dark. `requests`: addresses that were stopped."""

    browser: Browser
    session: str
    target: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def run(self, script: str) -> Any:
        """The value of an expression. Raises BrowserError when it throws."""
        found = self.browser.send(
            "Runtime.evaluate", self.session, expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise BrowserError(str(found["exceptionDetails"].get("exception", {}).get("description")))
        self._note()
        return found["result"].get("value")

    def picture(self, path: Path) -> None:
        """All of it, as a PNG."""
        size = self.run("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], 12_000), "scale": 1}
        found = self.browser.send("Page.captureScreenshot", self.session, captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))

    def _note(self) -> None:
        """What happened on this page meanwhile."""
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        self.browser.events[:] = [event for event in self.browser.events if event.get("sessionId") != self.session]
        for event in mine:
            told = event.get("params", {})
            if event["method"] == "Fetch.requestPaused" and not told["request"]["url"].startswith(("file:", "data:")):
                self.requests.append(told["request"]["url"])
            elif event["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"].get("exception", {}).get("description")))
            elif event["method"] == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(told["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
                self.complaints.append(str([each.get("value") for each in told["args"]]))


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    """A file as a page, closed at the end. Raises BrowserError."""
    target = browser.send("Target.createTarget", url="about:blank")["targetId"]
    session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    page = Page(browser, session, target)
    phone = width < 700
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.send(f"{domain}.enable", session)
    browser.send("Fetch.enable", session, patterns=[{"urlPattern": "*"}])
    browser.send(
        "Emulation.setDeviceMetricsOverride", session, width=width, height=844 if phone else 900, mobile=phone,
        deviceScaleFactor=1,
    )  # fmt: skip
    features: Sequence[dict[str, str]] = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.send("Emulation.setEmulatedMedia", session, media="screen", features=features)
    browser.send("Page.navigate", session, url=file.resolve().as_uri())
    browser.until("Page.loadEventFired", session)
    page.run("document.fonts.ready.then(() => true)")
    try:
        yield page
    finally:
        browser.send("Target.closeTarget", targetId=target)
        page._note()


@contextmanager
def running() -> Iterator[Browser]:
    """A browser with a home of its own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="byollm-browser-", ignore_cleanup_errors=True) as home:
        browser = Browser(home)
        try:
            yield browser
        finally:
            browser.close()


def version() -> str:
    """What is installed, in its own words."""
    return subprocess.run([installed(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
