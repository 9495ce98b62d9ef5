"""The allow-list and the lock: what may be loaded is decided by metadata and files, before anything is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from byollm.client import Client
from byollm.config.check import check
from byollm.config.llm_config import load
from byollm.errors import ByollmError, ConfigError, PluginError
from byollm.providers.discovery import load_provider
from byollm.providers.lock import pin, read_lock, require_pinned

PLUGIN = """
from byollm.plugin import Manifest, NoAuth

class Plugin:
    manifest = Manifest(name="locked", default_endpoint="https://llm.example.com", authentication={"none": NoAuth()})

provider = Plugin()
"""
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution into a folder of its own, as an installer would; answers with the folder."""

    def installed(name: str = "locked", requires: str = "", group: str = "byollm.providers") -> Path:
        site, module = tmp_path / f"site-{name}", f"byollm_{name}"
        info = f"{module}-1.0.dist-info"
        written = {
            f"{module}/__init__.py": PLUGIN.replace('"locked"', f'"{name}"'),
            f"{info}/METADATA": f"Metadata-Version: 2.4\nName: byollm-{name}\nVersion: 1.0\n"
            + (f"Requires-Dist: {requires}\n" if requires else ""),
            f"{info}/entry_points.txt": f"[{group}]\n{name} = {module}:provider\n",
            f"{info}/INSTALLER": "by hand\n",
        }
        written[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*written, f"{info}/RECORD"])
        for path, text in written.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)
        monkeypatch.syspath_prepend(str(site))
        return site

    return installed


@pytest.fixture(autouse=True)
def forgotten() -> object:
    """No test finds what another one imported."""
    from byollm.providers import discovery

    def forget() -> None:
        for name in [name for name in sys.modules if name.startswith(("byollm_locked", "byollm_below"))]:
            del sys.modules[name]
        for key in [key for key in discovery._loaded if key[1].startswith(("byollm_locked", "byollm_below"))]:
            del discovery._loaded[key]

    forget()
    yield
    forget()


def lock(folder: Path, *names: str) -> str:
    """A lock file over what is installed now."""
    lines = ["version = 1"]
    for found in [pin(distribution(name)) for name in names]:
        lines += ["[[plugin]]", *(f'{key} = "{value}"' for key, value in found._asdict().items())]
    path = folder / "byollm.lock"
    path.write_text("\n".join(lines))
    return str(path)


def refusal(**rules: object) -> str:
    """Why the plugin `locked` is refused; it was not imported."""
    with pytest.raises(PluginError) as raised:
        load_provider("locked", **rules)  # type: ignore[arg-type]  # what a test passes is right
    assert "byollm_locked" not in sys.modules
    return str(raised.value)


def test_a_listed_distribution_is_loaded(install: Install) -> None:
    """`plugins:` names distributions, in any spelling of theirs."""
    install()

    assert "locked" == load_provider("locked", allowed=["Byollm_Locked"]).manifest.name


def test_another_distribution_is_not_imported(install: Install) -> None:
    """What `plugins:` does not name stays on the disk, and the mend names it instead of the provider."""
    install()

    told = refusal(allowed=["byollm-openai", "locked"])

    assert "byollm-locked brings 'locked' and is not in `plugins:`: not loaded" in told
    assert told.endswith("plugins: [byollm-openai, byollm-locked]")


def test_an_untouched_distribution_is_loaded(install: Install, tmp_path: Path) -> None:
    """What is installed as it was pinned may be loaded."""
    install()

    assert "1.0" == load_provider("locked", lock=lock(tmp_path, "byollm-locked")).version


def test_the_digest_leaves_out_what_the_machine_made(install: Install) -> None:
    """Bytecode and the installer's notes differ from machine to machine; the digest does not."""
    site = install()
    before = pin(distribution("byollm-locked"))
    (site / "byollm_locked-1.0.dist-info" / "INSTALLER").write_text("another\n")
    record = site / "byollm_locked-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "../../bin/locked,,\nbyollm_locked/__pycache__/__init__.cpython-311.pyc,,\n")

    assert before == pin(distribution("byollm-locked"))


@pytest.mark.parametrize("path", ["byollm_locked/__init__.py", "byollm_locked-1.0.dist-info/entry_points.txt"])
def test_one_changed_byte_is_refused(install: Install, tmp_path: Path, path: str) -> None:
    """Both digests are named, and nothing was imported."""
    site = install()
    pinned = lock(tmp_path, "byollm-locked")
    before = pin(distribution("byollm-locked")).digest
    (site / path).write_text((site / path).read_text() + "\n")

    told = refusal(lock=pinned)

    assert before in told
    assert pin(distribution("byollm-locked")).digest in told


def test_a_missing_file_is_refused(install: Install, tmp_path: Path) -> None:
    """A file that the record lists and the disk has not is a difference."""
    site = install()
    (site / "byollm_locked" / "data.txt").write_text("1")
    record = site / "byollm_locked-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "byollm_locked/data.txt,,\n")
    pinned = lock(tmp_path, "byollm-locked")
    (site / "byollm_locked" / "data.txt").unlink()

    assert "it pins 1.0" in refusal(lock=pinned)


def test_what_is_not_pinned_is_refused(install: Install, tmp_path: Path) -> None:
    """A lock file lists all that may be loaded."""
    install()

    assert "it does not pin it" in refusal(lock=lock(tmp_path))


def test_what_a_plugin_stands_on_is_compared_too(install: Install, tmp_path: Path) -> None:
    """A pinned distribution that the plugin requires may not differ either."""
    below = install("below")
    install("locked", requires="byollm-below>=1; python_version > '3'")
    pinned = lock(tmp_path, "byollm-locked", "byollm-below")
    (below / "byollm_below" / "__init__.py").write_text("")

    assert "byollm-below 1.0" in refusal(lock=pinned)


def test_an_editable_install_cannot_be_pinned(install: Install, tmp_path: Path) -> None:
    """Its record lists no module, so a digest of it would promise what it does not know."""
    site = install()
    pinned = lock(tmp_path, "byollm-locked")
    record = site / "byollm_locked-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("byollm_locked/__init__.py,,\n", ""))

    assert "cannot be pinned: its record lists no byollm_locked" in refusal(lock=pinned)


def test_a_module_that_stands_before_the_pinned_one_is_refused(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right files are worth nothing when Python imports others of the same name."""
    install()
    pinned = lock(tmp_path, "byollm-locked")
    (tmp_path / "first" / "byollm_locked").mkdir(parents=True)
    (tmp_path / "first" / "byollm_locked" / "__init__.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path / "first"))

    assert f"Python imports byollm_locked from {tmp_path}/first" in refusal(lock=pinned)


@pytest.mark.parametrize(
    "text",
    ["", "version = 2\nplugin = []", "version = 1\nplugin = [1]", "not toml", "version = 1\nplugin = 7",
     'version = 1\nplugin = [{distribution = "a", version = "1"}]',
     'version = 1\nplugin = [{distribution = "A", version = "1", digest = "x"}, {distribution = "a", version = "1", '
     'digest = "x"}]'],
)  # fmt: skip
def test_a_broken_lock_file_lets_nothing_in(tmp_path: Path, text: str) -> None:
    """It is named, with the command that writes a good one."""
    path = tmp_path / "byollm.lock"
    path.write_text(text)

    with pytest.raises(ConfigError, match="no lock file") as raised:
        read_lock(str(path))
    assert str(raised.value).endswith(f"byollm lock --output {path}")


def test_a_lock_file_that_is_not_there_lets_nothing_in(tmp_path: Path) -> None:
    """Naming one and not having it is an error, not a wish."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        require_pinned(distribution("pytest"), str(tmp_path / "byollm.lock"))


def client(folder: Path, rules: str) -> Client:
    """A client over a file in that folder."""
    (folder / "llm.yaml").write_text(f"llm_config:\n  plugins: {rules}\n  a: {{provider: locked, model: m}}\n")
    return Client.from_yaml(folder / "llm.yaml")


def test_the_file_names_its_lock_beside_itself(install: Install, tmp_path: Path) -> None:
    """`plugins: {lock: byollm.lock}` is a path from the configuration's folder, and holds for a client's first call."""
    site = install()
    lock(tmp_path, "byollm-locked")
    (site / "byollm_locked" / "__init__.py").write_text("import nowhere")

    with client(tmp_path, "{lock: byollm.lock}") as asked, pytest.raises(PluginError, match="not imported"):
        asked.capabilities()
    assert "byollm_locked" not in sys.modules


@pytest.mark.parametrize(("rules", "levels"), [("[byollm-locked]", []), ("[byollm-openai]", ["error"])])
def test_check_agrees_with_the_client(install: Install, tmp_path: Path, rules: str, levels: list[str]) -> None:
    """What `byollm check` refuses, a client refuses, and the other way round."""
    install()
    with client(tmp_path, rules) as asked:
        config = load(tmp_path / "llm.yaml")
        found = check(config, lambda name: load_provider(name, config.plugins, config.lock).manifest)
        told: list[str] = []
        try:
            asked.capabilities()
        except ByollmError as error:
            told = [error.message]

    assert told == [finding.sentence for finding in found]
    assert levels == [finding.level for finding in found]


@pytest.mark.parametrize("key", ["middleware", "observers"])
def test_it_holds_for_what_stands_around_a_call(install: Install, key: str) -> None:
    """Middleware and observers are plugins, too: they would see every prompt."""
    install(group=f"byollm.{key}")

    with pytest.raises(PluginError, match="byollm-locked brings 'locked' and is not in `plugins:`"):
        Client({"provider": "custom", "model": "m", key: ["locked"], "plugins": ["byollm-openai-compatible"]})
    assert "byollm_locked" not in sys.modules
