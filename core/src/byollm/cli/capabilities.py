"""`byollm capabilities`: what a model takes, and how we know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from byollm.cli import show
from byollm.cli.arguments import Parser, add_choice, choice_of, client_for
from byollm.cli.faults import UsageFault

if TYPE_CHECKING:
    from byollm.client import Client
    from byollm.types.capabilities import Capabilities


def run(words: Sequence[str]) -> int:
    """The command. Raises what `main` tells."""
    parser = Parser("capabilities", "What each deployment's model takes, and how we know. Nothing is sent.")
    add_choice(parser)
    parser.add_argument("--all", action="store_true", help="what is not known, too")
    parser.add_argument("--refine", action="store_true", help="ask the provider too, where it can tell (needs the key)")
    parser.add_argument("--matrix", action="store_true", help="features × providers: what becomes of each")
    parser.add_argument("--html", metavar="FILE", nargs="?", const="matrix.html", help="with --matrix: a page of it")
    parser.add_argument(
        "--models", metavar="PROVIDER/MODEL", nargs="+", help="with --matrix: these instead of the installed ones"
    )
    options = parser.read(words)
    if options.matrix:
        from byollm.cli import matrix

        return matrix.run(options)
    for flag in ("html", "models"):
        if getattr(options, flag):
            raise UsageFault(f"--{flag} belongs to --matrix", f"byollm capabilities --matrix --{flag} …")
    with client_for(options) as client:
        found = {name: _of(client, name, options.refine) for name in _names(client, choice_of(options))}
        if options.json:
            show.document({name: {**told, "capabilities": as_data(can)} for name, (told, can) in found.items()})
            return 0
        for at, (name, (told, can)) in enumerate(found.items()):
            if at:
                show.say()
            show.say(f"{name}: {told['provider']}/{told['model']}")
            for line in table_of(can, everything=options.all):
                show.say(line)
    return 0


def _names(client: Client, choice: dict[str, Any]) -> list[str]:
    """The deployment that was chosen, else all of them."""
    if choice:
        return [client.lines(choice.get("task"), choice.get("deployment"), None)[0].name]
    return list(client.config.deployments)


def _of(client: Client, name: str, refine: bool) -> tuple[dict[str, str], Capabilities]:
    line = client.line(name)
    return {"provider": line.provider, "model": line.model}, client.capabilities(deployment=name, refine=refine)


def as_data(can: Capabilities) -> dict[str, Any]:
    """Every field: value, source, note."""
    from byollm.types.capabilities import FIELDS

    told = {field: (can.sources.get(field), can.notes.get(field)) for field in ordered(FIELDS)}
    return {
        field: {"value": show.plain(getattr(can, field)), "source": source, "note": note}
        for field, (source, note) in told.items()
    }


def ordered(names: frozenset[str]) -> list[str]:
    """Limits first, then features, as the class lists them."""
    from dataclasses import fields

    from byollm.types.capabilities import Capabilities

    return [item.name for item in fields(Capabilities) if item.name in names]


def table_of(can: Capabilities, *, everything: bool) -> list[str]:
    """Name, value, source and note, aligned. What is unknown is counted unless `everything` is asked for."""
    from byollm.types.capabilities import FIELDS

    names = ordered(FIELDS)
    shown = [name for name in names if everything or _is_known(getattr(can, name))]
    rows = [(name, value_of(getattr(can, name)), can.sources.get(name), can.notes.get(name)) for name in shown]
    lines = show.table(rows, ("name", "value", "source", "note"), indent="  ")
    unknown = len(names) - len(shown)
    return [*lines, *([f"  {unknown} more are unknown: --all lists them"] if unknown else [])]


def _is_known(value: Any) -> bool:
    return value is not None and value is not False and getattr(value, "value", "") != "unknown"


def value_of(value: Any) -> str:
    """A capability's value in words."""
    plain = show.plain(value)
    if plain is None:
        return "unknown"
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    if isinstance(plain, list):
        numbers = len(plain) == 2 and all(isinstance(item, int | float) for item in plain)
        return f"{plain[0]:g} to {plain[1]:g}" if numbers else " ".join(map(str, plain))
    return str(plain).replace("_", " ")
