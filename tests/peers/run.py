"""`make peers`: what goes wrong elsewhere, measured here.

Each library gets an environment of its own below build/peers and runs in a child process that can reach 127.0.0.1 only;
the twin in this process plays 13 scenarios. Facts, verdicts and versions go to build/peers.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULT = ROOT / "build" / "peers.json"
TABLE = HERE / "TABLE.md"


def measured(names: list[str]) -> dict[str, Any]:
    """Every library that can be installed and asked, and why the others could not."""
    from tests.peers.environments import LIBRARIES, NotInstalled, environment, tell
    from tests.peers.judging import broken, verdicts
    from tests.peers.measure import measure

    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for library in LIBRARIES:
        if names and library.name not in names:
            continue
        started = time.monotonic()
        try:
            place = environment(library)
            tell(f"peers: {library.name}: 13 scenarios (about 10 s) …")
            facts = measure(library, place)
        except (NotInstalled, RuntimeError) as error:
            missing[library.name] = str(error)
            tell(f"peers: {library.name} stays empty: {error}")
            continue
        failed = broken(facts)
        if failed:
            missing[library.name] = f"its adapter fails the plain calls {failed}"
            tell(f"peers: {library.name} stays empty: {missing[library.name]}")
            continue
        facts["verdicts"] = verdicts(facts)
        facts["measured_in"] = round(time.monotonic() - started, 1)
        found[library.name] = facts
    return {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "libraries": found,
        "missing": missing,
    }


def main() -> int:
    """Measure, judge, print; 1 when byollm is not right everywhere, or when there is no other to compare it with."""
    sys.path.insert(0, str(ROOT))
    from tests.peers.judging import verdicts
    from tests.peers.table import markdown, plain, versions

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="*", help="columns to measure; all of them without this")
    parser.add_argument("--json", action="store_true", help="print facts and verdicts as JSON")
    parser.add_argument("--markdown", action="store_true", help="print the README's block, and write it to TABLE.md")
    parser.add_argument("--again", action="store_true", help="judge the facts of build/peers.json, measure nothing")
    options = parser.parse_args()
    if options.again and not RESULT.exists():
        parser.error(f"{RESULT.relative_to(ROOT)} is not there yet: measure first")
    result = json.loads(RESULT.read_text("utf-8")) if options.again else measured(options.libraries)
    if not options.libraries and not options.again:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    block = markdown(result)
    if options.markdown and not options.libraries and not result["missing"]:
        TABLE.write_text(block, "utf-8")
    elif options.markdown:
        print(f"peers: {TABLE.name} is left as it is, because columns are empty", file=sys.stderr)
    if options.json:
        print(json.dumps(result, indent=1, ensure_ascii=False))
    elif options.markdown:
        print(block, end="")
    else:
        print(f"\nCPython {result['python']}, {result['date']}: {', '.join(versions(result['libraries']))}\n")
        print(plain(result["libraries"]))
        if not options.libraries:
            print(f"\nall facts: {RESULT.relative_to(ROOT)}")
    words = {name: set(verdicts(each).values()) for name, each in result["libraries"].items()}
    alone = not options.libraries and len(words) < 2
    return 1 if alone or words.get("byollm", {"right"}) != {"right"} else 0


if __name__ == "__main__":
    raise SystemExit(main())
