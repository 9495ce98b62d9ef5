"""`python -m byollm_conformance.zoo`: measure the kill matrix. Exit code 0: every fault is found as it should be."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from byollm_conformance.effort import SEED
from byollm_conformance.zoo.fault import FAULTS
from byollm_conformance.zoo.matrix import Matrix, measure


def main(arguments: list[str]) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m byollm_conformance.zoo", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults (all by default)")
    parser.add_argument("--json", type=Path, default=Path("build/zoo.json"), help="where the matrix goes")
    parser.add_argument("--max-examples", type=int, default=12)
    parser.add_argument("--brief", action="store_true", help="without a line for each fault")
    parser.add_argument("--without", action="append", default=[], metavar="ID", help="switch a check off")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    effort = {"examples": given.max_examples, "seed": given.seed, "processes": given.processes}
    matrix = measure(given.names, without=given.without, **effort)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(matrix.document(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    problems = (
        matrix.problems if not given.names else [line for line in matrix.problems if "finds no fault" not in line]
    )
    show(matrix, problems, given.json, brief=given.brief)
    return 1 if problems else 0


def show(matrix: Matrix, problems: list[str], path: Path, *, brief: bool = False) -> None:
    """The table, unless it is to be brief, then what is wrong."""
    width = max(map(len, FAULTS), default=0)
    for fault in [] if brief else matrix.measured:
        killers = list(matrix.row(fault.name).killers)
        state = "SURVIVED" if fault.killer not in killers else "alone" if len(killers) == 1 else f"of {len(killers)}"
        print(f"{fault.name:<{width}}  {fault.killer:<8} {state:<9} {fault.sentence}")
    named = {fault.killer for fault in matrix.measured}
    alone = sum(not matrix.others(fault) for fault in matrix.measured)
    print(
        f"\n{len(matrix.measured)} faults, {len(matrix.measured) - len(matrix.survivors)} found by the check named for "
        f"them, {len(named)} named checks, {alone} faults found by one check only"
    )
    print(f"{len(matrix.must)} MUST checks of L1, {len(matrix.idle)} find no fault; {matrix.seconds:.0f} s; {path}")
    for line in problems:
        print(f"PROBLEM  {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
