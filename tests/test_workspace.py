"""The house itself: members, their metadata, what they depend on, and what may not stand in any file."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from byollm.providers.discovery import ALIASES, KNOWN
from tools.environment import REQUIREMENTS, ROOT, members
from tools.lock import APART, requirements, requirements_apart

IMPORT_NAMES = {member: f"byollm_{member.name}".replace("-", "_") for member in members()} | {ROOT / "core": "byollm"}
DECLARED = {
    "byollm": {"console_scripts": {"byollm": "byollm.cli.main:main"}},
    "byollm-openai-compatible": {"byollm.providers": {"custom": "byollm_openai_compatible:custom"}},
    "byollm-openai": {"byollm.providers": {"openai": "byollm_openai:provider"}},
    "byollm-anthropic": {"byollm.providers": {"anthropic": "byollm_anthropic:provider"}},
    "byollm-llamacpp": {"byollm.providers": {"llamacpp": "byollm_llamacpp:provider"}},
    "byollm-vllm": {"byollm.providers": {"vllm": "byollm_vllm:provider"}},
    "byollm-lmstudio": {"byollm.providers": {"lmstudio": "byollm_lmstudio:provider"}},
    "byollm-ollama": {"byollm.providers": {"ollama": "byollm_ollama:provider"}},
    "byollm-tgi": {"byollm.providers": {"tgi": "byollm_tgi:provider"}},
    "byollm-google": {"byollm.providers": {"google": "byollm_google:provider"}},
    "byollm-vertex": {"byollm.providers": {"vertex": "byollm_vertex:provider"}},
    "byollm-sandbox": {"byollm.commands": {"sandbox": "byollm_sandbox.command:sandbox"}},
    "byollm-examples": {"byollm.commands": {"demo": "byollm_examples.command:demo"}},
    "byollm-ledger": {
        "byollm.observers": {"ledger": "byollm_ledger:Ledger"},
        "byollm.middleware": {"budgets": "byollm_ledger:Budgets"},
        "byollm.commands": {"usage": "byollm_ledger.command:usage"},
    },
    "byollm-conformance": {
        "pytest11": {"byollm_conformance": "byollm_conformance.pytest_plugin"},
        "byollm.commands": {
            "conform": "byollm_conformance.command:conform",
            "new-plugin": "byollm_conformance.authors.new_plugin:new_plugin",
            "vet": "byollm_conformance.authors.vet:vet",
            "lock": "byollm_conformance.authors.lock:lock",
        },
    },
}
# Patterns are written so that none of them matches the line it stands on.
REGISTRY = re.compile(r"\b(?:test\.)?(?:pypi|pythonhosted|npmjs|crates|anaconda)[.](?:org|com|io)\b", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.<>${}*])/(?:work|root|home|Users)/\w")

each_member = pytest.mark.parametrize("member", members(), ids=lambda member: member.name)


def project(member: Path) -> dict[str, Any]:
    """The [project] table of a member."""
    return dict(tomllib.loads((member / "pyproject.toml").read_text("utf-8"))["project"])


def files() -> list[Path]:
    """Every file of the clone that is ours: no environments, caches, or what was built."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        hidden = {name for name in folders if name.startswith(".") and name not in (".ci", ".github")}
        environments = {name for name in folders if Path(folder, name, "pyvenv.cfg").exists()}
        folders[:] = sorted(set(folders) - hidden - environments - {"__pycache__", "build", "dist"})
        found += [Path(folder, name) for name in names if not name.endswith(".pyc") and name != "uv.lock"]
    return found


def modules_of_tests() -> list[Path]:
    """Every Python file in a folder of tests."""
    return [path for path in files() if path.suffix == ".py" and "tests" in path.relative_to(ROOT).parts]


def imported(source: Path) -> set[str]:
    """Top-level names that the modules under a folder import, anywhere in them."""
    trees = [ast.parse(path.read_text("utf-8")) for path in source.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in plain | named}


def pins(path: Path = REQUIREMENTS) -> dict[str, str]:
    """Name and version of everything in requirements-dev.txt, or in another file of pins."""
    lines = path.read_text("utf-8").splitlines()
    pinned = [Requirement(line.rstrip("\\")) for line in lines if line and line[0] not in "# "]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in pinned}


def test_members_are_known():
    """The seven distributions of the first issue are members; later ones only add to them."""
    names = {project(member)["name"] for member in members()}

    assert set(DECLARED) <= names


@each_member
def test_member_is_a_distribution_of_its_own(member: Path):
    """A member has its metadata, its README and its types, under the flat import name that belongs to it."""
    package = member / "src" / IMPORT_NAMES[member]
    build = tomllib.loads((member / "pyproject.toml").read_text("utf-8"))["build-system"]

    assert "hatchling.build" == build["build-backend"]
    assert "" != (member / "README.md").read_text("utf-8").strip()
    assert (package / "py.typed").is_file()
    assert ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8")))


@each_member
def test_member_says_what_an_installer_asks(member: Path):
    """Name, version, Python and licence of a member are stated."""
    declared = project(member)

    assert IMPORT_NAMES[member] == declared["name"].replace("-", "_")
    assert re.fullmatch(r"\d+\.\d+\.\d+", declared["version"])
    assert (">=3.11", "Apache-2.0") == (declared["requires-python"], declared["license"])


@pytest.mark.parametrize("name", DECLARED)
def test_installed_entry_points_are_the_declared_ones(name: str):
    """What an installed distribution offers to core is what its pyproject.toml says."""
    installed = {
        group: {each.name: each.value for each in entry_points(group=group) if each.dist and each.dist.name == name}
        for group in DECLARED[name]
    }

    assert DECLARED[name] == installed


def test_the_catalogue_names_who_brings_what():
    """A missing plugin is installed under the name that core tells: each is a member that declares that provider."""
    brought = {
        name: project(member)["name"]
        for member in members()
        for name in project(member).get("entry-points", {}).get("byollm.providers", {})
    }

    assert brought == {**KNOWN, **{name: brought[name] for name in brought.keys() - KNOWN.keys()}}
    assert set(ALIASES.values()) <= KNOWN.keys()


def test_core_depends_on_five_libraries():
    """Minimal core is a promise: five libraries, and nothing heavier."""
    names = {Requirement(line).name for line in project(ROOT / "core")["dependencies"]}

    assert {"pluggy", "httpx", "pydantic", "pyyaml", "stevedore"} == names


@pytest.mark.parametrize("modules", ["pluggy", "httpx h11", "pydantic pydantic_core", "yaml", "stevedore"])
def test_core_uses_what_it_depends_on(modules: str):
    """Each dependency of core is imported by shipped code; h11 comes with httpx, pydantic_core with pydantic."""
    assert imported(ROOT / "core" / "src") & set(modules.split())


@each_member
def test_member_declares_the_members_it_imports(member: Path):
    """A distribution that imports another one of ours says so in its dependencies."""
    used = {name for name in imported(member / "src") if name.partition("_")[0] == "byollm"} - {IMPORT_NAMES[member]}
    declared = {Requirement(line).name.replace("-", "_") for line in project(member).get("dependencies", [])}

    assert set() == used - declared


@pytest.mark.parametrize("path", [REQUIREMENTS, *APART.values()], ids=lambda path: path.name)
def test_everything_installed_is_pinned_and_hashed(path: Path):
    """Each line of a requirements file pins one version and carries hashes; none says where to fetch it."""
    text = path.read_text("utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n+", "", text, flags=re.MULTILINE).strip())
    block = re.compile(r"[a-z0-9-]+==\S+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")

    assert len(blocks) > 20
    assert [] == [each for each in blocks if not block.fullmatch(each)]


def test_pins_are_up_to_date():
    """Every third-party requirement of a member, and of the work itself, is pinned to a version it accepts."""
    versions = pins()
    wanted = [Requirement(line) for line in requirements()]

    assert [] == [str(each) for each in wanted if not each.specifier.contains(versions[canonicalize_name(each.name)])]


@pytest.mark.parametrize("extra", APART)
def test_an_extra_that_is_kept_apart_is_pinned_in_its_own_file(extra: str):
    """With all that core and its member need, in the versions of the development environment, which has none of it."""
    versions, ours = pins(APART[extra]), pins()
    wanted = [Requirement(line) for line in requirements_apart(extra)]
    name, _, option = extra.removesuffix("]").partition("[")
    [options] = [project(each)["optional-dependencies"] for each in members() if project(each)["name"] == name]

    assert {"httpx", "pydantic"} < {each.name for each in wanted}
    assert [] == [str(each) for each in wanted if not each.specifier.contains(versions[canonicalize_name(each.name)])]
    assert {} == {shared: ours[shared] for shared in ours.keys() & versions if ours[shared] != versions[shared]}
    assert set() == {canonicalize_name(Requirement(line).name) for line in options[option]} & ours.keys()


def test_no_file_names_a_package_index_or_a_machine():
    """No file says where packages come from, or where the tree lay on somebody's machine."""
    guilty = []
    for path in files():
        text = path.read_text("utf-8", errors="replace")
        found = REGISTRY.search(text) or MACHINE_PATH.search(text)
        if found:
            guilty.append(f"{path.relative_to(ROOT)}: {found.group()}")

    assert [] == guilty


def test_every_test_file_belongs_to_one_suite():
    """No test file is outside the lanes, and none runs twice."""
    suites = tomllib.loads((ROOT / "tests" / "lanes.toml").read_text("utf-8"))["suites"]
    declared = [path for suite in suites for pattern in suite["paths"] for path in ROOT.glob(pattern)]
    homes = Counter(file for path in declared for file in ([path] if path.is_file() else path.rglob("test_*.py")))
    files_of_tests = [path for path in modules_of_tests() if path.match("test_*.py")]

    assert [] == [str(path.relative_to(ROOT)) for path in files_of_tests if homes[path] != 1]


def test_lanes_name_only_paths_that_exist():
    """Each path of tests/lanes.toml finds something, and each suite asks for at least one test."""
    suites = tomllib.loads((ROOT / "tests" / "lanes.toml").read_text("utf-8"))["suites"]

    assert [] == [path for suite in suites for path in suite["paths"] if not any(ROOT.glob(path))]
    assert [] == [suite["name"] for suite in suites if suite["minimum"] < 1]


def test_no_test_excuses_itself():
    """Skips and expected failures fail a lane, so no test file has a mark for them."""
    excuse = re.compile(r"\b(?:pytest|mark)[.](?:skip|skipif|xfail|importorskip)\b")

    assert [] == [str(path.relative_to(ROOT)) for path in modules_of_tests() if excuse.search(path.read_text("utf-8"))]
