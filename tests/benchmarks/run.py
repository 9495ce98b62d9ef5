"""`make bench`: the table of the README, measured beside a hand-written caller in one run.

Every contender is a process of its own; every round visits all of them, in random order, one at a time; ratios are
taken per round and the median is shown. CPU seconds of the caller, not wall time, except for the first event.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PARTS = {"sync": 60, "async": 60, "async64": 640, "stream": 3000, "first": 5}
WORDS = {
    "sync": "sync call",
    "async": "async call",
    "async64": "async, 64 in flight (÷ hand-written httpx2)",
    "stream": "stream, an event",
    "first": "time to first event of a paced stream (wall)",
}
GOALS = {
    "byollm": {"sync": 0.65, "async": 0.60, "async64": 0.75, "stream": 0.95, "first": 1.1},
    "byollm[fast]": {"sync": 0.15, "async": 0.15, "async64": 0.10, "stream": 0.70, "first": 1.1},
}
IMPORTS = (("import byollm", 0.35), ("import and a client ready", 2.0))
CORE_GOAL = 45
CHOOSING_GOAL = 30
SHARING_GOAL = 0.9
BINARY_GOAL = 2.0
PLUGIN_GOAL = 30
CONTENDERS = ("byollm", "byollm[fast]", "openai SDK", "litellm")


class Worker:
    """A contender's process."""

    def __init__(self, name: str, base: str, python: str) -> None:
        environment = {key: value for key, value in os.environ.items() if "PROXY" not in key.upper()}
        environment["HAND_WRITTEN"] = "httpx2" if "httpx2" in name else "httpx"
        self.process = subprocess.Popen(
            [python, str(HERE / "worker.py"), name, base],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, part: str, times: int) -> float:
        """CPU seconds a unit (wall seconds for the first event)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"part": part, "times": times}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a contender stopped: {self.process.args!r}")
        cpu: float = json.loads(line)["cpu"]
        return cpu if part == "first" else cpu / times

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


def environment_of_litellm() -> str | None:
    """Its own environment below build/, made once; None when it cannot be installed."""
    home = ROOT / "build" / "bench-litellm"
    python = home / "bin" / "python"
    if not python.exists():
        print("making an environment for litellm (about 60 s) …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        made = subprocess.run([str(python), "-m", "pip", "install", "-q", "litellm==1.109.1"], check=False)
        if made.returncode:
            print("litellm cannot be installed here: its column stays empty")
            return None
    return str(python)


def measure(rounds: int, with_litellm: bool) -> dict[str, Any]:
    """Ratios by contender and part: the median over rounds, and their spread."""
    server = subprocess.Popen([sys.executable, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    litellm = environment_of_litellm() if with_litellm else None
    names = [name for name in CONTENDERS if name != "litellm" or litellm]
    workers = {
        name: Worker(name, base, litellm if name == "litellm" and litellm else sys.executable)
        for name in ("hand-written", "hand-written httpx2", *names)
    }
    ratios: dict[str, dict[str, list[float]]] = {name: {part: [] for part in PARTS} for name in names}
    try:
        for part, times in PARTS.items():
            yardstick = "hand-written httpx2" if part == "async64" else "hand-written"
            share = {"litellm": 5, "openai SDK": 2}
            for name in (yardstick, *names):
                workers[name].run(part, max(64 if part == "async64" else 1, times // 4) if part != "stream" else 500)
            for _ in range(rounds):
                order = [yardstick, *names]
                random.shuffle(order)
                seen = {}
                for name in order:
                    units = times if part in ("stream", "first", "async64") else times // share.get(name, 1)
                    seen[name] = workers[name].run(
                        part, units if part != "stream" else units // share.get(name, 1) // 500 * 500
                    )
                for name in names:
                    ratios[name][part].append(seen[name] / seen[yardstick])
            print(f"  {WORDS[part]}: done", flush=True)
    finally:
        for worker in workers.values():
            worker.close()
        server.terminate()
        server.wait(10)
    return {
        name: {
            part: {"median": statistics.median(values), "min": min(values), "max": max(values)}
            for part, values in parts.items()
        }
        for name, parts in ratios.items()
    }


def rows_of(table: dict[str, Any], imports: dict[str, float], core: float) -> list[list[str]]:
    """The table as text: what, then a cell a contender; a goal that is missed says so."""
    names = list(table)
    rows = [["CPU ÷ hand-written httpx", *names]]
    for part, words in WORDS.items():
        rows.append([words, *(_cell(table[name][part]["median"], GOALS.get(name, {}).get(part)) for name in names)])
    blank = [""] * (len(names) - 1)
    rows.append(["core alone, a call with JSON", _cell(core, CORE_GOAL, " µs"), *blank])
    rows += [[f"{name} (÷ import httpx, make a client)", _cell(imports[name], goal), *blank] for name, goal in IMPORTS]
    return rows


def _cell(value: float, goal: float | None, unit: str = "") -> str:
    shown = f"{value:.2f}" if not unit else f"{value:.0f}{unit}"
    if goal is None:
        return shown
    return f"{shown} (≤ {goal:g})" if value <= goal else f"{shown} (misses {goal:g})"


def show(rows: list[list[str]]) -> None:
    """Print the table."""
    machine = f"CPython {platform.python_version()}, {os.cpu_count()} cores, loopback, no TLS"
    print(f"\nMedians of interleaved rounds; {machine}")
    for first, *cells in rows:
        print(f"{first:<60}" + "".join(f"{cell:>20}" for cell in cells))


def markdown(rows: list[list[str]]) -> str:
    """The table as the README shows it."""
    head, *body = rows
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---", *["--:"] * (len(head) - 1)], *body)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print, write build/bench.json; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--without-litellm", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.benchmarks.cost import core_alone, import_ratios, plugin_imports
    from tests.benchmarks.frames import binary_stream
    from tests.benchmarks.ledger import READING_GOAL, reading
    from tests.benchmarks.records import RECORDS_GOAL, added
    from tests.benchmarks.routing import choosing, sharing

    table = measure(options.rounds, not options.without_litellm)
    imports, core = import_ratios(options.rounds), core_alone()
    chosen, shared, binary = choosing(), sharing(), binary_stream()
    plugins, records, read = plugin_imports(options.rounds), added(), reading()
    heaviest = max(plugins, key=lambda name: plugins[name])
    rows = rows_of(table, imports, core)
    blank = [""] * (len(table) - 1)
    slowest = max(chosen, key=lambda name: chosen[name])
    rows.append([f"choosing among 20 deployments ({slowest})", _cell(chosen[slowest], CHOOSING_GOAL, " µs"), *blank])
    good = f"{shared:.2f} (≥ {SHARING_GOAL})" if shared >= SHARING_GOAL else f"{shared:.2f} (misses {SHARING_GOAL})"
    rows.append(["64 tasks that share limits (throughput ÷ without)", good, *blank])
    rows.append(["an event of Bedrock's stream (÷ server-sent event)", _cell(binary, BINARY_GOAL), *blank])
    rows.append([f"importing one plugin, over core ({heaviest})", _cell(plugins[heaviest], PLUGIN_GOAL, " ms"), *blank])
    both = _cell(records["ledger and audit"], RECORDS_GOAL, " µs")
    rows.append([f"ledger and audit, over core ({records['calls a second']:.0f} calls/s)", both, *blank])
    rows.append(["`byollm usage` over 10,000,000 attempts (seconds, wall)", _cell(read, READING_GOAL), *blank])
    show(rows)
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(
        json.dumps(
            {
                "ratios": table,
                "imports": imports,
                "core_alone_us": core,
                "choosing_us": chosen,
                "sharing": shared,
                "binary_stream": binary,
                "plugin_import_ms": plugins,
                "records_us": records,
                "usage_of_a_year_s": read,
            },
            indent=2,
        )
    )
    target.with_suffix(".md").write_text(markdown(rows))
    print(f"\nwritten to {target.relative_to(ROOT)} and bench.md")
    return 1 if any("misses" in cell for row in rows for cell in row) else 0


if __name__ == "__main__":
    raise SystemExit(main())
