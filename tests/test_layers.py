"""Arrows point down: a module imports only from its own floor or below, and a distribution only what it may."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "core" / "src" / "byollm"

FLOORS = (
    ("types", "errors"),
    ("wire",),
    ("providers",),
    ("transports",),
    ("config", "routing"),
    ("engine",),
    (
        "client",
        "async_client",
        "streaming",
        "async_streaming",
        "setup",
        "choosing",
        "deferring",
        "previewing",
        "quick",
        "cli",
    ),
    ("__init__", "__main__", "plugin", "testing"),
)
"""Lowest first. Below `types` and `errors` there is only the standard library and pydantic."""
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}

HTTP_LIBRARIES = {
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "httptools",
    "pyreqwest",
    "h11",
    "requests",
    "aiohttp",
    "urllib3",
}
VENDOR_SDKS = {"openai", "anthropic", "vertexai", "boto3", "botocore", "mistralai", "cohere", "groq", "litellm"}
GOOGLE_SDKS = ("google.genai", "google.generativeai", "google.cloud", "google.auth.transport")
"""Google shares one name; `google.auth`'s signatures are no SDK, its transports are an HTTP client."""

BASE = "byollm_openai_compatible"
"""Both OpenAI dialects: any plugin may build on it."""
HOSTS = {f"byollm_{name}" for name in ("azure", "vertex", "bedrock", "ollama", "vllm", "llamacpp", "lmstudio")}
"""Clouds and local servers: they serve other people's wires, and may use the owner's door."""


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Absolute names of what a module imports, and whether only type checkers see it."""
    source = next(it for it in path.parents if it.name == "src")
    package = path.relative_to(source).with_suffix("").parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guards = [it for it in ast.walk(tree) if isinstance(it, ast.If) and "TYPE_CHECKING" in ast.unparse(it.test)]
    checked = {id(node) for guard in guards for statement in guard.body for node in ast.walk(statement)}
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in checked) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: -node.level], *filter(None, [node.module])] if node.level else [node.module or ""]
            found += [(".".join([*base, alias.name]), id(node) in checked) for alias in node.names]
    return tuple(found)


def modules(folder: Path) -> list[Path]:
    """The Python files below a folder."""
    return sorted(folder.rglob("*.py"))


def sources(*members: str) -> list[Path]:
    """The import packages of some members: patterns from the root."""
    found = [folder for pattern in members for folder in ROOT.glob(f"{pattern}/src/*") if folder.is_dir()]
    return sorted(folder for folder in found if (folder / "__init__.py").exists())


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
    """`byollm.plugin`, and names at the doors of what it builds on: no rooms, no HTTP library, no SDK."""
    for path in modules(package):
        for name, _ in imports(path):
            root, _, rest = name.partition(".")
            assert root not in HTTP_LIBRARIES | VENDOR_SDKS, path
            assert not name.startswith(GOOGLE_SDKS), path
            if root == "byollm":
                assert rest.startswith("plugin"), f"{path}: {name}"
            elif root.startswith("byollm_") and root != package.name:
                assert root == BASE or package.name in HOSTS, f"{path}: {name}"
                assert root not in HOSTS, f"{path}: {name}"
                assert name in doors_of(root), f"{path}: {name} is not at a door"


@cache
def doors_of(plugin: str) -> set[str]:
    """What a plugin shows: `byollm_<name>` itself, and `byollm_<name>.dialect`."""
    folder = ROOT / "plugins" / plugin.removeprefix("byollm_").replace("_", "-") / "src" / plugin
    own = {f"{plugin}.{name}" for name in _all_of(folder / "__init__.py")}
    dialect = {f"{plugin}.dialect.{name}" for name in _all_of(folder / "dialect.py")}
    return own | dialect | ({f"{plugin}.dialect"} if dialect else set())


def _all_of(path: Path) -> set[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else ():
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
