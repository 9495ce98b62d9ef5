"""Arrows point down: a module imports only from its own floor or below, and a distribution only what it may."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "core" / "src" / "byollm"

FLOORS = (
    ("types", "errors"),
    ("wire",),
    ("providers",),
    ("transports",),
    ("config",),
    ("engine",),
    ("client", "async_client", "streaming", "async_streaming", "setup", "quick", "cli"),
    ("__init__", "plugin", "testing"),
)
"""Lowest first. Below `types` and `errors` there is only the standard library and pydantic."""
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}

HTTP_LIBRARIES = {"httpx", "httpx2", "httpcore", "httpcore2", "pyreqwest", "h11", "requests", "aiohttp", "urllib3"}
VENDOR_SDKS = {"openai", "anthropic", "google", "boto3", "mistralai", "cohere", "groq", "litellm"}

OWNERS = {
    "byollm_openai_compatible": {"byollm.plugin"},
    "byollm_openai": {"byollm.plugin", "byollm_openai_compatible"},
    "byollm_anthropic": {"byollm.plugin"},
}
"""What each plugin may import of ours: the plugin door, and the public door of the plugin it builds on."""


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Absolute names of what a module imports, and whether only type checkers see it."""
    package = path.relative_to(path.parents[[it.name for it in path.parents].index("src")]).with_suffix("")

    def visit(node: ast.AST, checked: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            checked = True
        if isinstance(node, ast.Import):
            yield from ((alias.name, checked) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package.parts[: -node.level]) if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{name}.{alias.name}", checked) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, checked)

    return visit(ast.parse(path.read_text(encoding="utf-8")), False)


def modules(folder: Path) -> list[Path]:
    """The Python files below a folder."""
    return sorted(folder.rglob("*.py"))


def sources(*members: str) -> list[Path]:
    """The import packages of some members: patterns from the root."""
    found = [folder for pattern in members for folder in ROOT.glob(f"{pattern}/src/*") if folder.is_dir()]
    return [folder for folder in found if not folder.name.endswith((".egg-info", "__pycache__"))]


def floor_of(name: str) -> int | None:
    """The floor of a dotted name of core; None for anything else."""
    parts = name.split(".")
    if parts[0] != "byollm":
        return None
    return FLOOR[parts[1]] if len(parts) > 1 and parts[1] in FLOOR else FLOOR["__init__"]


def test_every_room_of_core_has_a_floor() -> None:
    """A new folder is a question: on which floor?"""
    rooms = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}

    assert set(FLOOR) == rooms


@pytest.mark.parametrize("path", modules(CORE), ids=lambda path: str(path.relative_to(CORE)))
def test_a_module_imports_only_from_its_floor_or_below(path: Path) -> None:
    """What only type checkers see may point anywhere; nobody inside imports the doors."""
    parts = path.relative_to(CORE).with_suffix("").parts
    own = FLOOR[parts[0]]
    upward = [name for name, checked in imports(path) if not checked and (floor_of(name) or 0) > own]

    assert [] == upward


def test_core_imports_no_plugin_and_no_vendor() -> None:
    """Plugins come by entry point; SDKs and HTTP libraries not at all, but for the transports'."""
    for path in modules(CORE):
        roots = {name.partition(".")[0] for name, _ in imports(path)}

        assert not {root for root in roots if root.startswith("byollm_")}, path
        assert not roots & VENDOR_SDKS, path
        assert not roots & HTTP_LIBRARIES or path.parent.name == "transports", path


@pytest.mark.parametrize("package", sources("plugins/*"), ids=lambda folder: folder.name)
def test_a_plugin_imports_only_the_doors_it_may(package: Path) -> None:
    """`byollm.plugin`, and the public door of what it builds on: never its rooms, nor any HTTP library."""
    allowed = OWNERS[package.name]
    for path in modules(package):
        for name, _ in imports(path):
            root = name.partition(".")[0]
            assert root not in HTTP_LIBRARIES | VENDOR_SDKS, path
            if root == package.name or not root.startswith("byollm"):
                continue
            door = name.rpartition(".")[0] if root == "byollm" else root
            assert door in allowed, f"{path}: {name}"
            if root != "byollm":
                assert name.count(".") <= 1, f"{path}: {name} is not at the door"


def test_a_plugins_door_shows_what_others_use() -> None:
    """What the one imports of the other stands in the other's `__all__`."""
    for package in sources("plugins/*"):
        for path in modules(package):
            for name, _ in imports(path):
                root, _, thing = name.partition(".")
                if root.startswith("byollm_") and root != package.name and thing:
                    shown = _all_of(ROOT / "plugins" / root.removeprefix("byollm_").replace("_", "-") / "src" / root)
                    assert thing in shown, f"{path}: {name}"


def _all_of(package: Path) -> set[str]:
    for node in ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body:
        targets = [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []
        if "__all__" in targets:
            value: list[str] = ast.literal_eval(node.value)  # type: ignore[attr-defined]  # it is an assignment
            return set(value)
    return set()


@pytest.mark.parametrize("package", sources("contrib/sandbox", "conformance"), ids=lambda folder: folder.name)
def test_the_twins_share_no_code_with_the_plugins(package: Path) -> None:
    """They judge each other: a mistake in one must not be in the other."""
    plugins = {folder.name for folder in sources("plugins/*")}

    for path in modules(package):
        assert not {name.partition(".")[0] for name, _ in imports(path)} & plugins, path


def test_the_twins_know_nobody_but_core() -> None:
    """`sandbox` → core."""
    for path in modules(ROOT / "contrib" / "sandbox" / "src" / "byollm_sandbox"):
        others = {name.partition(".")[0] for name, _ in imports(path) if name.startswith("byollm_")}

        assert others <= {"byollm_sandbox"}, path
