"""Whatever stands in a file: an error that says what is wrong with it, and never a surprise."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from savings_line import Line

from byollm.config.yaml import parse_yaml
from byollm_savings.columns import shipped_columns
from byollm_savings.workload_command import guide

FILES = [parse_yaml(data).value for data in guide().values()]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**15), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just({"value": 1}), st.just({"model": "a/b", "share": 2}), st.lists(st.integers(), max_size=3),
)  # fmt: skip
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@quick
@given(data=st.data())
def test_a_workload_file_with_anything_in_it(data: st.DataObject, line: Line):
    """A number, a list, nothing or a text in any place: verdicts, or a complaint that names the file."""
    document = copy.deepcopy(data.draw(st.sampled_from(FILES)))
    path = data.draw(st.sampled_from([place for place in places(document) if place]))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    if data.draw(st.booleans()):
        del inner[path[-1]]
    else:
        inner[path[-1]] = data.draw(ODD)
    code, _, err = line("--workload", line.file("odd.yaml", yaml.safe_dump(document)), "--html", "odd.html")

    assert "mistake in the program" not in err
    assert (code == 0) or err.startswith("error:")


@quick
@given(data=st.data())
def test_an_export_with_anything_in_its_cells(data: st.DataObject, line: Line):
    """Of every shape that is known: sums, or a complaint that names file and line."""
    columns = list(data.draw(st.sampled_from(list(shipped_columns().values()))).columns.values())
    cell = st.one_of(
        st.sampled_from(
            ["", "5", "-1", "2026-11-01", "1793491200", "true", "openai", "gpt-5.4", "batch", "9e99", "NaN"]
        ),
        st.text(st.characters(codec="utf-8", exclude_characters='"'), max_size=4),
    )
    rows = data.draw(st.lists(st.lists(cell, min_size=len(columns), max_size=len(columns)), max_size=4))
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [columns, *rows])
    Path("odd.csv").write_bytes(text.encode("utf-8", "replace"))
    code, _, err = line("--usage", "odd.csv", "--baseline", "openai/gpt-5-mini")

    assert "mistake in the program" not in err
    assert (code == 0) or err.startswith("error:")
