"""The page of the file's keys has every key there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from byollm.config import limits, policies, routes, schema
from byollm.providers import pricing

PAGE = Path(__file__).parent.parent / "spec" / "guides" / "the-file.md"
TABLES = dict(re.findall(r"<!-- keys: (\w+) -->\n\|.*\n\|[-|: ]+\n((?:\|.*\n)+)", PAGE.read_text("utf-8")))
MODELS = {
    model.__name__: model
    for module in (schema, limits, routes, policies)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, schema.Written) and model is not schema.Written
}
WITHIN = {"DefaultsModel", "LimitsModel", "PluginsModel", "AllowedModel"}
"""Models whose keys stand in another table, or in a line of one."""


def written(name: str) -> list[str]:
    """The first words of a table's rows."""
    return [row.split("|")[1].strip().strip("`") for row in TABLES[name].splitlines()]


@pytest.mark.parametrize("name", sorted(MODELS.keys() - WITHIN))
def test_a_table_has_each_key_of_its_model_once(name: str) -> None:
    """As the file has it."""
    known = [field.alias or key for key, field in MODELS[name].model_fields.items()]

    assert sorted(written(name)) == sorted(known)


def test_prices_have_a_table_too() -> None:
    """They are checked by what reckons with them."""
    assert sorted(written("FIELDS")) == sorted(pricing.FIELDS)


def test_no_table_stands_for_nothing() -> None:
    """Each is held to something."""
    assert MODELS.keys() - WITHIN | {"FIELDS"} == TABLES.keys()


def test_the_page_says_what_may_stand_in_defaults() -> None:
    """A third column, for targets."""
    rows = [row.split("|") for row in TABLES["TargetModel"].splitlines()]
    marked = {row[1].strip().strip("`") for row in rows if row[3].strip() == "yes"}

    assert marked == schema.DefaultsModel.model_fields.keys()
