"""Finding plugins: real distributions in a folder, found by a fresh interpreter."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Find = Callable[..., Any]

GOOD = """
from byollm.plugin import Manifest, hookimpl, Capabilities
print("imported {name}")
class Plugin:
    manifest = Manifest(name="{name}", spec={spec})
    @hookimpl
    def capabilities(self, target):
        return Capabilities(context_window=5)
provider = Plugin()
"""


def install(folder: Path, distribution: str, entries: dict[str, str], version: str = "1.0", **modules: str) -> None:
    """A distribution as pip leaves it: its metadata, its entry points and its modules."""
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[byollm.providers]\n{lines}\n")
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


def good(name: str, spec: int = 1) -> str:
    return GOOD.format(name=name, spec=spec)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path / "site"


@pytest.fixture
def find(site: Path) -> Find:
    """Run some code in a fresh interpreter that sees the folder; what it prints last is JSON."""

    def run(code: str, hook: str = "") -> Any:
        home = site.parent / "home"
        script = f"{hook}\nimport json\nfrom byollm.providers.discovery import *\n{code}"
        environment = {**os.environ, "PYTHONPATH": str(site), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]), done.stdout.splitlines()[:-1]

    return run


TRY = """
from byollm.errors import PluginError
def attempt(name):
    try:
        found = load_provider(name)
        return [found.manifest.name, found.distribution, found.version]
    except PluginError as error:
        return str(error)
"""


def test_a_plugin_is_found_by_its_entry_point(site: Path, find: Find):
    """Its distribution and version come with it, and only it was imported."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("acme"))
    install(site, "byollm-idle", {"idle": "idle_mod:provider"}, idle_mod=good("idle"))

    found, printed = find(f"{TRY}\nprint(json.dumps(attempt('acme')))")

    assert (["acme", "byollm-acme", "1.0"], ["imported acme"]) == (found, printed)


def test_listing_imports_nothing(site: Path, find: Find):
    """All names with their distributions, and no plugin's code runs."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod="raise RuntimeError")

    found, printed = find("print(json.dumps([[it.name, it.distribution] for it in listed()]))")

    assert ["acme", "byollm-acme"] in found
    assert [] == printed


@pytest.mark.parametrize("value", ["evil_mod:provider", "acme_mod:provider"])
def test_a_name_claimed_twice_is_refused_before_either_is_imported(site: Path, find: Find, value: str):
    """Both distributions are named, and neither runs: not even when both point at the same place."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("acme"))
    install(site, "evil", {"ACME": value}, evil_mod=good("acme"))

    found, printed = find(f"{TRY}\nprint(json.dumps(attempt('acme')))")

    assert "'acme' is claimed by byollm-acme and evil: neither was loaded" in found
    assert [] == printed


def test_a_broken_plugin_breaks_only_itself(site: Path, find: Find):
    """The broken one is named with its reason; its neighbour works."""
    install(site, "byollm-broken", {"broken": "broken_mod:provider"}, broken_mod="import no_such_module")
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("acme"))

    found, _ = find(f"{TRY}\nprint(json.dumps([attempt('broken'), attempt('acme'), attempt('broken')]))")

    assert "byollm-broken 1.0 cannot be imported (ModuleNotFoundError" in found[0]
    assert "reinstall it: pip install --force-reinstall byollm-broken" in found[0]
    assert ["acme", "byollm-acme", "1.0"] == found[1]
    assert found[0] == found[2]


@pytest.mark.parametrize(
    "text, words",
    [
        ("provider = 5", "has no manifest"),
        ("x = 1", "cannot be imported (AttributeError"),
        ("syntax error here", "cannot be imported (SyntaxError"),
        ("raise ValueError('oops')", "cannot be imported (ValueError: oops"),
        ("import sys; sys.exit('bye')", "cannot be imported (SystemExit: bye"),
        ("from byollm.errors import ConfigError; raise ConfigError('no quirk')", "cannot be imported (ConfigError: no"),
        ("class Odd: pass\nprovider = Odd", "brings the class Odd"),
        (
            "from byollm.plugin import Manifest\nManifest(name='odd', hosts='a.example')",
            "cannot be imported (TypeError",
        ),
    ],
)
def test_what_is_no_plugin_is_told_with_its_distribution(site: Path, find: Find, text: str, words: str):
    """Whoever installed it knows whom to ask."""
    install(site, "byollm-odd", {"odd": "odd_mod:provider"}, odd_mod=text)

    found, _ = find(f"{TRY}\nprint(json.dumps(attempt('odd')))")

    assert f"byollm-odd 1.0 {words}" in found


def test_a_plugin_of_another_spec_says_which_to_change(site: Path, find: Find):
    """The sentence names both versions and both ways out."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, "0.3", acme_mod=good("acme", 3))
    install(site, "byollm-old", {"old": "old_mod:provider"}, "0.1", old_mod=good("old", 0))

    found, _ = find(f"{TRY}\nprint(json.dumps([attempt('acme'), attempt('old')]))")

    assert (
        "byollm-acme 0.3 speaks spec 3; this byollm understands 1: upgrade byollm, or pin byollm-acme<0.3" == found[0]
    )
    assert "byollm-old 0.1 speaks spec 0; this byollm understands 1: upgrade byollm-old" == found[1]


def test_a_plugin_cannot_pass_for_another(site: Path, find: Find):
    """What it is installed as is what it says it is: opaque state and `extra` go by that name."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("openai"))

    found, _ = find(f"{TRY}\nprint(json.dumps(attempt('acme')))")

    assert "byollm-acme brings 'acme', but its manifest says 'openai': not used" == found


def test_a_name_that_is_another_word_for_a_provider_is_nobodys(site: Path, find: Find):
    """Whoever installed it is told why it is never asked."""
    install(site, "byollm-geminis", {"gemini": "geminis_mod:provider"}, geminis_mod=good("gemini"))
    hidden = "import byollm.providers.discovery as d; real = d._points; "
    code = f"{TRY}\n{hidden}d._points = lambda group: tuple(p for p in real(group) if p.name != 'google')"

    found, _ = find(f"{code}\nprint(json.dumps(attempt('gemini')))")

    assert "byollm-geminis brings 'gemini', but that is another word for 'google'" in found


def test_a_missing_plugin_names_its_package(find: Find):
    """Known providers name the package, near misses the name, others the way out."""
    catalogue = "KNOWN['vanadium'] = 'byollm-vanadium'\nALIASES['rock_v'] = 'vanadium'"
    names = "['vanadium', 'rock-v', 'opnai', 'x9q']"

    found, _ = find(f"{TRY}\n{catalogue}\nprint(json.dumps([attempt(name) for name in {names}]))")

    assert "pip install byollm-vanadium" in found[0]
    assert "pip install byollm-vanadium" in found[1]
    assert "did you mean 'openai'?" in found[2]
    assert "any OpenAI-compatible endpoint is `custom`" in found[3]


def test_a_plugin_may_load_another_while_it_is_imported(site: Path, find: Find):
    """A host of somebody else's models asks for the owner of the wire."""
    inner = "from byollm.providers.discovery import load_provider\nload_provider('acme')\n" + good("host")
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("acme"))
    install(site, "byollm-host", {"host": "host_mod:provider"}, host_mod=inner)

    found, printed = find(f"{TRY}\nprint(json.dumps(attempt('host')))")

    assert (["host", "byollm-host", "1.0"], ["imported acme", "imported host"]) == (found, printed)


def test_a_plugin_is_imported_once(site: Path, find: Find):
    """Asked for again, in any spelling, it is the same object."""
    install(site, "byollm-acme", {"my-acme": "acme_mod:provider"}, acme_mod=good("my_acme"))

    found, printed = find(
        "a, b = load_provider('my-acme'), load_provider(' My_Acme ')\nprint(json.dumps(a.plugin is b.plugin))"
    )

    assert (True, ["imported my_acme"]) == (found, printed)


HOOK = """
import os, sys
touched = []
def hook(event, arguments):
    if event in ("open", "os.mkdir", "os.scandir", "os.listdir") and str(arguments[0]).startswith(os.environ["HOME"]):
        touched.append(str(arguments[0]))
sys.addaudithook(hook)
"""


def test_stevedores_cache_is_neither_read_nor_written(site: Path, find: Find):
    """It obeys whoever can write into the home folder: an edited one made a plugin of anything."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("acme"))

    found, _ = find(f"{TRY}\nassert attempt('acme')[0] == 'acme'\nimport stevedore\nprint(json.dumps(touched))", HOOK)

    assert [] == found
    assert [] == list((site.parent / "home").iterdir())


def test_stevedore_holds_what_was_loaded(site: Path, find: Find):
    """The dependency does its part: it manages the one plugin it is handed."""
    install(site, "byollm-acme", {"acme": "acme_mod:provider"}, acme_mod=good("acme"))

    found, _ = find(
        "before = 'stevedore' in sys.modules\nload_provider('acme')\n"
        "print(json.dumps([before, 'stevedore.driver' in sys.modules]))",
        "import sys",
    )

    assert [False, True] == found
