"""Run a lane of suites and say what it proved: `python -m tools.lanes test`.

tests/lanes.toml declares lanes and suites. A lane fails on a failed test, on any skipped or expected failure, on a
suite that collected nothing or fewer tests than its `minimum`, on a path that does not exist, and when its time is up.
What pytest says is read from its junit file, and shown in full for a suite that failed or asks for it (`show = true`).
The last line is always `N passed, N failed`; a rule of the lane that was broken counts as one failure.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
DECLARED = Path("tests/lanes.toml")
RESULTS = Path("build/lanes")
# No test of an offline lane may meet the user's own keys or proxies: a proxy would be asked for 127.0.0.1.
PRIVATE = ("_API_KEY", "_API_TOKEN", "_AUTH_TOKEN", "_PROXY", "AWS_", "AZURE_", "GOOGLE_", "OPENAI_", "ANTHROPIC_")


class LaneError(Exception):
    """tests/lanes.toml does not say what this program can run."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Some paths that pytest runs together, in a process of their own."""

    name: str
    lane: str
    paths: list[str]
    minimum: int
    """Fewest tests that may pass for the suite to count; 0 is refused."""
    alone: bool = False
    """Run when no other suite runs: its tests watch the clock."""
    show: bool = False
    """Show what it printed although it passed: its numbers are wanted."""
    recordings: bool = False
    """Needs the recorded traffic, which is no part of the clone; see `has_recordings`."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A make target: its suites, or the issue that will bring them."""

    name: str
    limit: float
    """Seconds after which what still runs is stopped and counted as failed."""
    offline: bool
    pending: str | None
    suites: list[Suite]


@dataclass(kw_only=True)
class Result:
    """What one suite did; `faults` are broken rules, one sentence each."""

    suite: str
    passed: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, str]] = field(default_factory=dict)
    """What tests recorded with pytest's `record_property`, by test."""

    @property
    def collected(self) -> int:
        """All tests that were found, whatever became of them."""
        return self.passed + self.skipped + self.failed


def load(root: Path, name: str) -> Lane:
    """The lane of that name; raises LaneError when the file is missing, unreadable or contradicts itself."""
    try:
        declared = tomllib.loads((root / DECLARED).read_text("utf-8"))
        settings = dict(declared["lanes"][name])
        suites = [Suite(**entry) for entry in declared.get("suites", [])]
    except KeyError as missing:
        raise LaneError(f"{DECLARED} declares no {missing}") from None
    except (OSError, TypeError, tomllib.TOMLDecodeError) as wrong:
        raise LaneError(f"{DECLARED}: {wrong}") from None
    for suite in suites:
        if suite.minimum < 1 or not suite.paths or suite.lane not in declared["lanes"]:
            raise LaneError(f"{DECLARED}: suite {suite.name} needs a known lane, a path and a minimum of at least 1")
    mine = [suite for suite in suites if suite.lane == name]
    pending = settings.get("pending")
    if bool(mine) == bool(pending):
        raise LaneError(f"{DECLARED}: lane {name} must have suites or be pending, and not both")
    return Lane(
        name=name,
        limit=float(settings.get("limit", 3600)),
        offline=bool(settings.get("offline", True)),
        pending=pending,
        suites=mine,
    )


class Runner:
    """Runs a lane's suites under `root`, two at a time, and stops them all when the lane's time is up."""

    def __init__(self, root: Path, lane: Lane, *, scale: float, jobs: int) -> None:
        self.root, self.lane, self.jobs = root, lane, jobs
        self.deadline = time.monotonic() + lane.limit
        self.processes: set[subprocess.Popen[bytes]] = set()
        self.stopped = threading.Event()
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not (lane.offline and any(word in name.upper() for word in PRIVATE))
        }
        self.environment["BYOLLM_SCALE"] = str(scale)

    def run(self) -> Iterator[tuple[Result, str]]:
        """Each suite's result with pytest's words, as they finish; the suites marked `alone` come last."""
        together = [suite for suite in self.lane.suites if not suite.alone]
        with ThreadPoolExecutor(self.jobs) as pool:
            try:
                for future in as_completed([pool.submit(self.suite, suite) for suite in together]):
                    yield future.result()
                for suite in self.lane.suites:
                    if suite.alone:
                        yield self.suite(suite)
            finally:
                self.stop()

    def stop(self) -> None:
        """End the suites that still run, with everything they started."""
        self.stopped.set()
        for process in list(self.processes):
            kill(process)

    def suite(self, suite: Suite) -> tuple[Result, str]:
        """Run one suite; never raises for what a test does."""
        paths = [found for path in suite.paths for found in sorted(self.root.glob(path))]
        missing = [path for path in suite.paths if not any(self.root.glob(path))]
        if missing:
            result = Result(suite=suite.name, faults=[f"no such path: {path}" for path in missing])
            return result, ""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="byollm-lane-") as folder:
            junit = Path(folder) / "junit.xml"
            code, words = self.pytest(paths, junit)
            result = read(suite.name, junit)
        result.seconds = time.monotonic() - started
        result.faults = faults(suite, result, code)
        return result, words

    def pytest(self, paths: list[Path], junit: Path) -> tuple[int | None, str]:
        """Exit code (None when the time was up) and output of one pytest process."""
        if self.stopped.is_set():
            return None, ""
        command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]
        command += ["-c", str(self.root / "pyproject.toml"), "--rootdir", str(self.root), f"--junitxml={junit}"]
        command += ["-o", "junit_family=xunit1"]  # the one in which tests may record figures
        command += [str(path.relative_to(self.root)) for path in paths]
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.processes.add(process)
        try:
            output, _ = process.communicate(timeout=max(0.0, self.deadline - time.monotonic()))
            return process.returncode, output.decode(errors="replace")
        except subprocess.TimeoutExpired:
            kill(process)
            output, _ = process.communicate()
            return None, output.decode(errors="replace")
        finally:
            self.processes.discard(process)


def has_recordings(root: Path) -> bool:
    """Whether suites on recorded traffic run here.

    They do where BYOLLM_CORPUS is set, where a folder above the clone holds `shared/corpus`, and wherever the clone has
    a sibling `shared`: if that has lost its corpus, the suites run and fail. A clone anywhere else cannot run them.
    """
    beside = any((folder / "shared" / "corpus").is_dir() for folder in root.parents)
    return bool(os.environ.get("BYOLLM_CORPUS")) or beside or (root.parent / "shared").is_dir()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a suite's whole process group; one that is already gone is fine."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def read(name: str, junit: Path) -> Result:
    """Counts and figures of one suite from pytest's junit file; a missing or cut file counts nothing."""
    result = Result(suite=name)
    try:
        cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return result
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        elif case.find("skipped") is not None:
            result.skipped += 1
        else:
            result.passed += 1
        recorded = {each.get("name", ""): each.get("value", "") for each in case.iter("property")}
        if recorded:
            result.figures[f"{case.get('classname')}.{case.get('name')}"] = recorded
    return result


def faults(suite: Suite, result: Result, code: int | None) -> list[str]:
    """The lane's rules that this result breaks, beside tests that failed."""
    broken = []
    if code is None:
        broken.append("stopped: the lane's time was up")
    elif code not in (0, 1, 5) or (code == 1 and not result.failed):
        broken.append(f"pytest ended with exit code {code}")
    if result.skipped:
        broken.append(f"{result.skipped} skipped or expected to fail; a lane knows neither")
    if not result.collected:
        broken.append("collected nothing")
    elif result.collected < suite.minimum:
        broken.append(f"collected {result.collected} tests, fewer than the {suite.minimum} it must have")
    return broken


def table(lane: Lane, results: list[Result], seconds: float) -> str:
    """One row a suite and a total; seconds of the total are the wall's, so less than the sum."""
    heads = ("lane", "suite", "collected", "passed", "skipped", "failed", "seconds")
    rows = [
        (lane.name, each.suite, each.collected, each.passed, each.skipped, each.failed, f"{each.seconds:.1f}")
        for each in results
    ]
    sums = [sum(getattr(each, head) for each in results) for head in heads[2:6]]
    lines = [heads, *rows, (lane.name, "total", *sums, f"{seconds:.1f}")]
    cells = [[str(cell) for cell in line] for line in lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    drawn = [
        "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in cells)
    ]
    rule = "-" * len(drawn[0])
    above = [*drawn[1:-1], rule] if rows else []
    return "\n".join([drawn[0], rule, *above, drawn[-1]])


def run(root: Path, lane: Lane, *, scale: float, jobs: int) -> bool:
    """Run a lane, print everything, write build/lanes/<lane>.json; True when the lane is green."""
    started = time.monotonic()
    absent = [suite.name for suite in lane.suites if suite.recordings and not has_recordings(root)]
    lane = replace(lane, suites=[suite for suite in lane.suites if suite.name not in absent])
    names = ", ".join(suite.name for suite in lane.suites)
    print(f"lane {lane.name}: {names}; whatever still runs after {lane.limit / 60:g} minutes is stopped")
    print(f"{jobs} at a time, and a line for each as it ends: a large one takes a minute or two", flush=True)
    shown = {suite.name for suite in lane.suites if suite.show}
    results: list[Result] = []
    for result, words in Runner(root, lane, scale=scale, jobs=jobs).run():
        bad = bool(result.failed or result.faults)
        if bad or result.suite in shown:
            print(f"\n===== {result.suite} =====\n{words.rstrip()}")
        print(f"{'FAILED' if bad else 'passed'}  {result.suite}  {result.seconds:.1f} s", flush=True)
        results.append(result)
    order = [suite.name for suite in lane.suites]
    results.sort(key=lambda result: order.index(result.suite))
    seconds = time.monotonic() - started
    broken = [f"{result.suite}: {fault}" for result in results for fault in result.faults]
    write(root, lane, results, scale, seconds)
    notes = [f"FAILED {line}" for line in broken]
    notes += [f"not run: {name}; no recordings beside this clone, and BYOLLM_CORPUS names none" for name in absent]
    print("\n" + "\n".join([*notes, table(lane, results, seconds)]) + "\n")
    failed = sum(result.failed for result in results) + len(broken)
    print(f"{sum(result.passed for result in results)} passed, {failed} failed", flush=True)
    return failed == 0


def write(root: Path, lane: Lane, results: list[Result], scale: float, seconds: float) -> None:
    """Keep the numbers of the last run, with what tests recorded, as build/lanes/<lane>.json."""
    (root / RESULTS).mkdir(parents=True, exist_ok=True)
    suites = [{**asdict(result), "collected": result.collected} for result in results]
    document = {"lane": lane.name, "scale": scale, "seconds": round(seconds, 3), "suites": suites}
    (root / RESULTS / f"{lane.name}.json").write_text(json.dumps(document, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when the lane is green or not yet alive, 1 when it failed, 2 when it cannot be run."""
    parser = argparse.ArgumentParser(prog="python -m tools.lanes", description="Run one lane of tests/lanes.toml.")
    parser.add_argument("lane")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size, for lanes that have one")
    parser.add_argument("--jobs", type=int, default=2, help="suites at a time (2)")
    options = parser.parse_args(arguments)
    # A killed lane takes its suites with it: they run in sessions of their own, where the signal does not reach them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        lane = load(options.root, options.lane)
    except LaneError as wrong:
        print(f"lanes: {wrong}", file=sys.stderr)
        return 2
    if lane.pending:
        print(f"lane {lane.name}: not run. It comes alive with {lane.pending}\n\n{table(lane, [], 0.0)}\n")
        print("0 passed, 0 failed")
        return 0
    try:
        return 0 if run(options.root, lane, scale=options.scale, jobs=options.jobs) else 1
    except KeyboardInterrupt:
        print("\nlanes: interrupted; the suites that still ran are ended", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
