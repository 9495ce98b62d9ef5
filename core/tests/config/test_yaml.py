"""Strict YAML: what two readers could understand in two ways is an error with file, line and column."""

from __future__ import annotations

import math
import tracemalloc

import pytest

from byollm.config.places import MAX_NODES
from byollm.config.yaml import MAX_BYTES, parse_yaml
from byollm.errors import ConfigError


def problem(text: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        parse_yaml(text, "llm.yaml")
    return raised.value


@pytest.mark.parametrize(
    "text, line, column, told",
    [
        ("a: 1\nb: 2\na: 3", 3, 1, "`a` stands twice: first on line 1"),
        ("a: {b: 1, c: 2, b: 3}", 1, 17, "`b` stands twice"),
        ("region: no", 1, 9, "`no` is true or false to some"),
        ("a: [Yes]", 1, 5, "`Yes` is true or false to some"),
        ("on: x", 1, 1, "`on` is true or false to some"),
        ("a: 010", 1, 4, "`010` is octal or binary to some"),
        ("a: 0o17", 1, 4, "`0o17` is octal or binary to some"),
        ("a: 089", 1, 4, "`089` is octal or binary to some"),
        ("a: 1:30", 1, 4, "`1:30` is a number to base 60"),
        ("a: 12:30:45.5", 1, 4, "`12:30:45.5` is a number to base 60"),
        ("a: 1_000", 1, 4, "`1_000` is a number to some"),
        ("a: 2024-10-21", 1, 4, "`2024-10-21` is a date to some"),
        ("a: 2024-10-21T10:00:00Z", 1, 4, "is a date to some"),
        ("a: {<<: {b: 1}}", 1, 5, "merge keys"),
        ("a:\n\tb: 1", 2, 1, "a tab stands where spaces indent"),
        ("a: 1\n---\nb: 1", 2, 1, "a second document"),
        ("- a", 1, 1, "is a list, not a mapping"),
        ("openai/gpt-4", 1, 1, "is one text, not a mapping"),
        ("", 1, 1, "the file is empty"),
        ("# only a comment\n", 1, 1, "the file is empty"),
        ("1: a", 1, 1, "a key is a text; this one was read as a number"),
        ("null: a", 1, 1, "a key is a text; this one was read as nothing"),
        ("true: a", 1, 1, "a key is a text; this one was read as true or false"),
        ("? [a]\n: b", 1, 3, "a key is a text; this one is a mapping or a list"),
        ("a: &x b\n*x : c", 2, 1, "a key is a text; this one is an alias"),
        ("a: !!python/object:os.system x", 1, 4, "tags"),
        ("a: !mine [1]", 1, 4, "tags"),
        ("a: *b", 1, 4, "this alias has no anchor"),
        ("a: &a [*a]", 1, 8, "this alias contains itself"),
        ("a: &x 1\nb: &x 2", 2, 4, "the anchor `&x` stands twice"),
        ("a: 'x", 1, 4, "what begins here is never closed"),
        ("a: {b: 1", 1, 4, "what begins here is never closed"),
        ("a: {b: ${KEY}}", 1, 9, "inside { } and [ ] a reference needs quotes"),
        ("a: b: c", 1, 5, "a second `: `"),
        ("a: @b", 1, 4, "a value cannot begin with @"),
        ("a: b\x07", 1, 5, "has no place in YAML"),
        ("a: 1\nb: \ud800", 2, 4, "has no place in YAML"),
        (b"a: 1\nb: \xff", 2, 4, "not UTF-8"),
        ("a: " + "9" * 5000, 1, 4, "more than 40 digits"),
    ],
)
def test_what_could_be_misread_is_refused_with_its_place(text, line, column, told):
    """File, line and column count from 1, and the last line says what to write."""
    error = problem(text)

    assert told in error.message
    assert ("llm.yaml", line, column) == (error.file, error.line, error.column)
    assert str(error).startswith(f"llm.yaml:{line}:{column}: ")
    assert str(error).endswith(error.hint)
    assert error.hint


@pytest.mark.parametrize(
    "text, value",
    [
        ("a: 'no'", "no"),
        ('a: "010"', "010"),
        ("a: !!str 1:30", "1:30"),
        ("a: |\n  2024-10-21", "2024-10-21"),
        ("a: 2024-10-21-preview", "2024-10-21-preview"),
        ("a: gpt-4", "gpt-4"),
        ("a: y", "y"),
        ("a: ${NAME}", "${NAME}"),
        ("a: 5", 5),
        ("a: -5", -5),
        ("a: 0x1F", 31),
        ("a: 1e3", 1000.0),
        ("a: .5", 0.5),
        ("a: 1.10", 1.1),
        ("a: true", True),
        ("a: ~", None),
        ("a:", None),
        ("a: [1, b]", [1, "b"]),
        ("\ufeffa: 1", 1),
    ],
)
def test_plain_things_are_read_by_the_core_schema(text, value):
    """YAML 1.2, and quotes always mean a text."""
    assert {"a": value} == parse_yaml(text).value


def test_infinity_is_a_number():
    """`.inf` is read, for whoever checks the value to refuse."""
    assert math.isinf(parse_yaml("a: .inf").value["a"])


def test_aliases_repeat_their_value():
    """Anchors and aliases are read; a place behind an alias is that of the anchor, where the text stands."""
    document = parse_yaml("a: &x {b: 1}\nc: *x\nd: [*x]\n", "f")

    assert {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]} == document.value
    assert ("f", 1, 8) == document.where(("c", "b"))


def test_every_key_and_value_has_a_place():
    """Line and column of keys and of values, also inside lists; what has none gets the nearest above."""
    document = parse_yaml("a:\n  - b: 1\n    c: [x, y]\n", "f")

    assert ("f", 3, 5) == document.where(("a", 0, "c"))
    assert ("f", 3, 12) == document.where(("a", 0, "c", 1))
    assert ("f", 3, 8) == document.where(("a", 0, "c"), value=True)
    assert ("f", 3, 5) == document.where(("a", 0, "c", "nothing"))


def test_an_alias_bomb_is_refused_before_it_is_expanded():
    """Ten levels of ten aliases are billions of values in 300 bytes: refused, and next to no memory is used."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    tracemalloc.start()
    error = problem("\n".join(lines))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert f"more than {MAX_NODES} values, aliases written out" == error.message
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 200_000, "a: " + "{b: " * 200_000, "a:\n" + "- " * 200_000, "a: " + "[" * 40 + "]" * 40]
)
def test_deep_nesting_is_refused(text):
    """No depth of brackets exhausts the stack."""
    assert "more than 32 levels" == problem(text).message


def test_many_aliases_are_refused():
    """There is a limit on aliases too."""
    assert "more than 200 aliases" == problem("a: &a 1\nb: [" + "*a, " * 500 + "]").message


def test_a_huge_file_is_refused_unparsed():
    """One mebibyte is enough for a configuration."""
    assert "at most 1 MiB" in problem(b"a: " + b"x" * MAX_BYTES).message
    assert "x" * 1000 == parse_yaml("a: " + "x" * 1000).value["a"]


def test_an_unreadable_file_is_a_config_error(tmp_path):
    """A folder is no file."""
    from byollm.config.yaml import read_yaml

    with pytest.raises(ConfigError, match="the file cannot be read"):
        read_yaml(tmp_path)


def test_no_library_exception_hangs_in_ours():
    """The parser's exception would hold the text: it is gone before ours is raised."""
    error = problem("a: 'x")

    assert error.__cause__ is None
    assert error.__context__ is None
