"""`byollm capabilities --matrix`: what becomes of each feature at each provider, and which check holds it."""

from __future__ import annotations

import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from byollm.cli import matrix, matrix_cells
from byollm.cli.matrix_features import DECLARED, FEATURES, SILENT
from byollm.cli.matrix_text import PLAIN, lines
from byollm.errors import UnsupportedFeatureError
from byollm.types.capabilities import FEATURES as CAPABILITIES
from byollm.types.capabilities import Support

SPEC = Path(__file__).parents[3] / "spec" / "checks.toml"
CHECKS = {check["id"]: check for check in tomllib.loads(SPEC.read_text("utf-8"))["checks"]}
OPENAI = matrix_cells.column("openai", {"model": "gpt-4.1", "api": "chat"})


def target(provider: str, **more: Any) -> matrix_cells.Column:
    return matrix_cells.column(provider, {"model": "m", **more})


def test_every_feature_of_a_model_is_a_row():
    """A new capability is a question: which request needs it, and which check holds it?"""
    assert sorted(CAPABILITIES) == sorted(feature.name for feature in FEATURES)


def test_rows_of_a_group_stand_together():
    """Each group has one heading."""
    groups = [feature.group for feature in FEATURES]

    assert sorted(set(groups)) == sorted(group for at, group in enumerate(groups) if at == 0 or groups[at - 1] != group)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_row_names_the_checks_that_need_its_feature(feature: Any):
    """Core imports no conformance suite; the names it holds are those of the generated table, all of them."""
    needing = {name for name, check in CHECKS.items() if feature.name in check["needs"]}

    assert set(feature.checks) <= CHECKS.keys()
    assert needing <= set(feature.checks)


@pytest.mark.parametrize("state", matrix_cells.STATES)
def test_every_cell_names_checks_that_exist(state: str):
    """Whatever becomes of a feature, some check holds it to that."""
    named = {name for cell in OPENAI.cells.values() for name in cell.checks}
    named |= {name for cell in target("custom").cells.values() if cell.state == state for name in cell.checks}

    assert all(cell.checks for cell in OPENAI.cells.values())
    assert named <= CHECKS.keys()


@pytest.mark.parametrize("name", matrix.installed())
def test_a_cell_is_what_happens_to_the_request(name: str):
    """Asked again by hand: refused where `fit` or the translator refuses, adapted where either changes something."""
    from byollm.cli.matrix_features import A_MODEL, DEFAULTS
    from byollm.engine.build import line_from

    deployment = line_from(name, DEFAULTS.get(name, A_MODEL), fallback_endpoint=matrix_cells.NOWHERE).deployment
    column = matrix_cells.examined(deployment)
    for feature in FEATURES:
        request = feature.make(deployment.manifest.name, deployment.capabilities)
        if request is None:
            continue
        try:
            fitted = deployment.fit(request)
            changed = deployment.noted(fitted, deployment.exchange(fitted.request)).adjustments
        except UnsupportedFeatureError:
            happened = "refused"
        else:
            support = deployment.capabilities.supports(feature.name)
            happened = "adapted" if changed else "unknown" if support is Support.unknown else "works"
        assert happened == column.cells[feature.name].state, feature.name


def test_the_states_of_a_model_that_is_known():
    """One of each: taken, left out and told, refused; and on a server that nobody knows, unknown."""
    states = {name: OPENAI.cells[name].state for name in ("temperature", "top_k", "document_urls", "tools")}

    assert {"temperature": "works", "top_k": "adapted", "document_urls": "refused", "tools": "works"} == states
    assert "top_k dropped" in OPENAI.cells["top_k"].reason
    assert "CAP-08" in OPENAI.cells["document_urls"].checks
    assert "unknown" == target("custom").cells["temperature"].state


def test_the_files_word_on_a_capability_counts(run, yaml):
    """What the user overrides is what the matrix shows."""
    path = yaml(
        "llm_config: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9', capabilities: {tools: false}}"
    )

    ran = run("capabilities", "--matrix", "--config", str(path), "--json")

    assert ["refused"] == [column["cells"]["tools"]["state"] for column in ran.json["columns"]]


def test_what_cannot_be_asked_for_is_the_plugins_word_alone():
    """A declaration is checked as one, and as nothing more."""
    cells = [OPENAI.cells[name] for name in SILENT]

    assert all(cell.state == "unknown" or cell.checks == DECLARED for cell in cells)


def test_a_plugin_that_cannot_be_asked_is_named_with_its_problem(run):
    """The others are shown all the same."""
    ran = run("capabilities", "--matrix", "--models", "nobody/m", "openai/gpt-4.1")

    assert 0 == ran.code
    assert "nobody/m: no plugin for provider 'nobody' is installed" in ran.out
    assert "openai/gpt-4.1 (responses)" in ran.out
    assert 1 == run("capabilities", "--matrix", "--models", "nobody/m").code


def test_all_installed_providers_are_columns(run):
    """Without a word of choice, each with a model of its own."""
    columns = run("capabilities", "--matrix", "--json").json["columns"]

    assert matrix.installed() == [column["provider"] for column in columns]
    assert [] == [column["problem"] for column in columns if column["problem"]]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_the_table_fits_the_terminal(width: int):
    """As many columns a block as there is room for; the legend may wrap."""
    columns = [OPENAI] * 21
    table = [line for line in lines(columns, width) if line.endswith("checks") or re.search(r"  [A-Z]{3}-\d\d", line)]

    assert max(map(len, table)) <= width
    assert sum(line.endswith("checks") for line in table) * len(FEATURES) == sum(
        not line.endswith("checks") for line in table
    )


def test_where_circles_cannot_be_shown_there_are_other_marks(monkeypatch: pytest.MonkeyPatch):
    """An ASCII terminal gets ASCII."""
    monkeypatch.setattr("byollm.cli.matrix_text._marks", lambda: PLAIN)

    assert all(line.isascii() for line in lines([OPENAI], 80))


class Page(HTMLParser):
    """What a page holds: its ids, its links, its elements, and whatever reaches out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.reaching: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "srcset", "action", "data", "poster") or name.startswith("on"):
                self.reaching.append(f"{tag} {name}")


@pytest.fixture
def page(run, tmp_path: Path) -> str:
    run("capabilities", "--matrix", "--html", "--models", "openai/gpt-4.1", "custom/m", "nobody/m")
    return (tmp_path / "matrix.html").read_text("utf-8")


def test_the_page_asks_nobody_for_anything(page: str):
    """No script, no picture, no font, no link but into itself; a policy says so to the browser, too."""
    found = Page(page)

    assert [] == found.reaching
    assert {"script", "img", "link", "iframe", "object", "form"}.isdisjoint(found.tags)
    assert all(link.startswith("#") for link in found.links)
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_every_cell_of_the_page_leads_to_its_reason(page: str):
    """Two models and every feature: each cell's link has its place, and each place its checks."""
    found = Page(page)

    assert 2 * len(FEATURES) == len(found.links)
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    shown = matrix_cells.column("openai", {"model": "gpt-4.1"})
    assert all(check in page for cell in shown.cells.values() for check in cell.checks)


def test_the_page_is_for_day_and_night_and_for_small_screens(page: str):
    """Both schemes and a narrow layout are in its style."""
    for words in ("color-scheme: light dark", "prefers-color-scheme: dark", "max-width", "width=device-width"):
        assert words in page


def test_what_others_wrote_is_text_on_the_page():
    """A model's name or a plugin's words are no markup."""
    from byollm.cli.matrix_html import page

    evil = matrix_cells.Column("<script>", '"><img src=x>', "", {}, OPENAI.cells)

    assert {"script", "img"}.isdisjoint(Page(page([evil, matrix_cells.Column("x", "y", problem="<img>")])).tags)


@pytest.mark.parametrize("words", [("--html",), ("--models", "openai/gpt-4.1")])
def test_its_options_belong_to_it(run, words: tuple[str, ...]):
    """Without --matrix they say so."""
    ran = run("capabilities", *words)

    assert 2 == ran.code
    assert "belongs to --matrix" in ran.err


def test_a_file_that_cannot_be_written_is_named(run, tmp_path: Path):
    """Not a traceback."""
    ran = run("capabilities", "--matrix", "--models", "openai/gpt-4.1", "--html", str(tmp_path))

    assert 1 == ran.code
    assert "cannot be written" in ran.err
