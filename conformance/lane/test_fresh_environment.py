"""Built wheels in a fresh environment: `byollm new-plugin`, `conform`, `vet` and `lock`, as an author meets them.

Third-party requirements are installed by name, from wherever pip is told to look. Everything after that is offline: a
hook of the interpreter refuses every connection, in the suite's children as well.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = ("core", "contrib/sandbox", "plugins/openai-compatible", "conformance")
KINDS = ("openai-compatible", "wire", "local")
BASE_URL = "https://llm.acme.example/v1"
OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError(f"{event} {arguments[1:]}: nothing may be asked for here")

sys.addaudithook(refuse)
"""


class Fresh:
    """An environment of its own, with byollm in it and nothing of this clone but its wheels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        private = ("PYTHON", "BYOLLM", "VIRTUAL_ENV")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(private)}

    def run(
        self, *words: str | Path, offline: bool = True, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A Python command line in it."""
        quiet = {"PYTHONPATH": str(self.folder / "offline")} if offline else {}
        return subprocess.run(
            [str(self.python), *map(str, words)],
            cwd=cwd or self.folder,
            env={**self.environment, **quiet},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def byollm(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A byollm command line in it."""
        return self.run("-m", "byollm", *words)

    def source(self, kind: str) -> Path:
        """The installed module of a plugin that tests break."""
        module = {"openai-compatible": "__init__", "wire": "translator", "local": "model"}[kind]
        where = (
            f"from importlib.util import find_spec as f; print(f('byollm_{_name(kind)}').submodule_search_locations[0])"
        )
        return Path(self.run("-c", where).stdout.strip()) / f"{module}.py"


def _name(kind: str) -> str:
    return f"acme{kind[0]}"


def done(process: subprocess.CompletedProcess[str]) -> str:
    """What it printed; it must have succeeded."""
    assert 0 == process.returncode, process.stdout + process.stderr
    return process.stdout


def built(folder: Path, wheels: Path) -> Path:
    """The wheel of a folder, made by the back end that this environment has."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(wheels)]
    before = set(wheels.glob("*.whl"))
    made = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=200, check=False)
    assert 0 == made.returncode, made.stdout + made.stderr
    (wheel,) = set(wheels.glob("*.whl")) - before
    return wheel


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """The environment, with one plugin of each kind made, built and installed in it."""
    folder = tmp_path_factory.mktemp("fresh")
    wheels = folder / "wheels"
    wheels.mkdir()
    (folder / "offline").mkdir()
    (folder / "offline" / "sitecustomize.py").write_text(OFFLINE)
    found = Fresh(folder)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=200)
    members = [built(ROOT / member, wheels) for member in MEMBERS]
    done(found.run("-m", "pip", "install", "--quiet", *members, offline=False))
    for kind in KINDS:
        address = [] if kind == "local" else ["--base-url", BASE_URL]
        repository = folder / kind
        done(found.byollm("new-plugin", _name(kind), f"--{kind}", *address, "--output", repository, "--license", "MIT"))
        done(found.run("-m", "pip", "install", "--quiet", "--no-deps", built(repository, wheels), offline=False))
    return found


@pytest.fixture
def broken(fresh: Fresh) -> Iterator[Broken]:
    """Change an installed plugin; it is as it was when the test is over."""
    changes = Broken(fresh)
    yield changes
    for path, text in changes.before.items():
        written(path, text)


class Broken:
    """Changes to installed modules."""

    def __init__(self, fresh: Fresh) -> None:
        self.fresh = fresh
        self.before: dict[Path, str] = {}

    def __call__(self, kind: str, *lines: tuple[str, str]) -> None:
        """Put something else for what stands there."""
        path = self.fresh.source(kind)
        text = self.before.setdefault(path, path.read_text())
        for old, new in lines:
            assert old in text
            text = text.replace(old, new)
        written(path, text)


def written(path: Path, text: str) -> None:
    """Write a module. Python takes bytecode for fresh by the second and the size, so the old one goes."""
    path.write_text(text)
    for stale in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        stale.unlink()


def failing(fresh: Fresh, kind: str, *ids: str) -> set[str]:
    """The checks that a plugin fails, by `byollm conform`; its exit code says the same."""
    only = [word for id in ids for word in ("--only", id)]
    process = fresh.byollm("conform", _name(kind), "--max-examples", "50", *only)
    found = set(re.findall(r"^(?:fail|untestable|error)  ([A-Z]{3}-\d\d[a-z]?)", process.stdout, re.MULTILINE))
    assert (1 if found else 0) == process.returncode, process.stdout + process.stderr
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_is_conformant(fresh: Fresh, kind: str) -> None:
    """At once, offline, without a key, at the usual effort."""
    told = done(fresh.byollm("conform", _name(kind)))

    assert f"ok  {_name(kind)} is conformant" in told
    assert "warn" not in re.findall(r"^\w+", told, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(fresh: Fresh, kind: str) -> None:
    """The three lines of tests/test_conformance.py, and what stands beside them."""
    told = done(fresh.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=fresh.folder / kind))

    assert re.search(r"^\d+ passed in", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "before", "after", "killer"),
    [
        ("openai-compatible", "https://llm.acme.example/v1", "http://llm.acme.example/v1", "MET-14"),
        ("openai-compatible", 'name="acmeo"', 'name="other"', "MET-01"),
        ("wire", '"stop": request.stop', '"stop": request.stop and request.stop[:1]', "REQ-07e"),
        ("wire", '"temperature": request.temperature', '"temperature": None', "REQ-07a"),
        ("local", '"", authentication', '"", spec=7, authentication', "MET-05"),
    ],
)
def test_one_broken_line_fails_on_the_named_check(
    fresh: Fresh, broken: Broken, kind: str, before: str, after: str, killer: str
) -> None:
    """A lost `temperature` among them."""
    broken(kind, (before, after))

    assert {killer} == failing(fresh, kind, killer)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("openai-compatible", '"tools": "full"', '"tools": "unsupported"'),
        ("wire", "metadata store", "metadata tools store"),
    ],
)
def test_tools_declared_unsupported_and_sent_fail(
    fresh: Fresh, broken: Broken, kind: str, before: str, after: str
) -> None:
    """CAP-08: what the core would refuse, the translator writes all the same."""
    broken(kind, (before, after))

    assert {"CAP-08"} == failing(fresh, kind, "CAP-08")


def test_an_end_of_file_that_becomes_success_fails(fresh: Fresh, broken: Broken) -> None:
    """STR-07: a reader that finishes with its first text makes success out of every cut behind it."""
    text = "            yield plugin.TextDelta(place, text)\n"
    broken(
        "wire",
        (text, f'{text}            self.state = "done"\n            yield plugin.Finished("stop", "eof")\n'),
        (
            '        must(self.state == "open", "the answer went on after its end")',
            '        if self.state == "done":\n            return',
        ),
        (
            '"end", null=True):\n            must(self.state == "open", "the answer ended twice")',
            '"end", null=True) if self.state == "open" else "":',
        ),
    )

    assert {"STR-07"} == failing(fresh, "wire", "STR-07")


def test_vet_has_nothing_to_say(fresh: Fresh) -> None:
    """Of the wheels that were just made, ours and theirs."""
    for wheel in sorted((fresh.folder / "wheels").glob("byollm_acme*.whl")):
        assert "ok  0 alarms" in done(fresh.byollm("vet", wheel))
    assert "ok  0 alarms" in done(fresh.byollm("vet", "byollm-openai-compatible"))


def test_a_certificate_is_about_the_wheel_it_was_made_of(fresh: Fresh) -> None:
    """What `conform` writes of the installed files, `vet` finds in the wheel; another wheel is told apart."""
    certificate = fresh.folder / "certificate.json"
    done(fresh.byollm("conform", "acmel", "--json", certificate))
    own, other = (next((fresh.folder / "wheels").glob(f"byollm_{name}-*.whl")) for name in ("acmel", "acmew"))

    assert "says conformant to spec 1" in done(fresh.byollm("vet", own, "--certificate", certificate))
    assert 1 == fresh.byollm("vet", other, "--certificate", certificate).returncode


def test_what_is_locked_is_loaded_and_nothing_else(fresh: Fresh, broken: Broken) -> None:
    """`byollm lock`, the configuration that names it, and one changed line."""
    (fresh.folder / "llm.yaml").write_text(
        "llm_config:\n  plugins: {lock: byollm.lock}\n  a: {provider: acmel, model: a-model}\n"
    )
    done(fresh.byollm("lock"))
    done(fresh.byollm("lock", "--check"))
    assert "You said: hi" in done(fresh.byollm("complete", "hi"))

    broken("local", ("You said:", "I heard:"))

    assert 1 == fresh.byollm("lock", "--check").returncode
    refused = fresh.byollm("complete", "hi")
    assert (1, "") == (refused.returncode, refused.stdout)
    assert "not imported" in refused.stderr
