"""spec/ and the suite say the same: sentences, checks, schemas, the frozen set, the study."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from byollm.plugin import (
    Document,
    Image,
    Message,
    Opaque,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from byollm.types.completion import Adjustment, Completion
from byollm.types.messages import user
from byollm.types.serialize import dump_messages
from byollm.wire.assemble import events_of
from byollm_anthropic import provider as anthropic
from byollm_conformance import checks, spec
from byollm_conformance.mirror import PDF, PNG
from byollm_conformance.model import REGISTRY, check
from byollm_conformance.schemas import as_data, schemas
from byollm_conformance.subject import Subject
from byollm_openai import provider as openai

checks.load()
KEYWORD = re.compile(r"\b(MUST|SHOULD|MAY)\b")


def documents(repository: Path) -> dict[str, dict[int, str]]:
    """Every document's numbered sentences."""
    return {name: spec.sentences((repository / "spec" / name).read_text("utf-8")) for name in spec.DOCUMENTS}


def test_what_is_generated_is_there(repository: Path) -> None:
    """Check table, tables in the documents, requirement set, quirks and schemas are what the code would write."""
    stale = [
        path.name
        for path, text in spec.generated(repository / "spec")
        if not path.is_file() or path.read_text("utf-8") != text
    ]

    assert [] == stale, "python -m byollm_conformance.spec spec"


def test_every_sentence_that_binds_has_a_check(repository: Path) -> None:
    """A MUST that nobody checks is a wish."""
    bound = {item.spec for item in REGISTRY.values()}
    unchecked = [
        f"spec/{name}#{number}"
        for name, found in documents(repository).items()
        for number, sentence in found.items()
        if "MUST" in sentence and name != "errors.md" and f"spec/{name}#{number}" not in bound
    ]

    assert [] == unchecked


def test_the_rules_of_errors_are_checked(repository: Path) -> None:
    """The table of errors.md is one law, judged as a whole; the sentences below it have checks of their own."""
    bound = {item.spec for item in REGISTRY.values()}
    own = [number for number in documents(repository)["errors.md"] if number >= 40]

    assert [] == [number for number in own if f"spec/errors.md#{number}" not in bound]
    assert any(anchor.startswith("spec/errors.md#") and int(anchor.partition("#")[2]) < 40 for anchor in bound)


@pytest.mark.parametrize("id", REGISTRY)
def test_every_check_has_its_sentence(repository: Path, id: str) -> None:
    """A check stands on a sentence that binds as much as the check does."""
    item = REGISTRY[id]
    name, _, number = item.spec.removeprefix("spec/").partition("#")
    sentence = documents(repository)[name][int(number)]
    words = set(KEYWORD.findall(sentence))

    assert item.keyword in words or (item.keyword == "MUST" and name == "errors.md")


def test_numbers_are_given_once(repository: Path) -> None:
    """No document has two sentences of one number."""
    for name in spec.DOCUMENTS:
        head = (repository / "spec" / name).read_text("utf-8").partition(spec.MARK)[0]
        numbers = re.findall(r"^(\d+)\. ", head, re.MULTILINE)

        assert len(numbers) == len(set(numbers)), name


def test_ids_and_sentences_are_required() -> None:
    """A check without a sentence, with a bad id, or with an id that is taken cannot be registered."""
    for arguments in (("CAP-02", "MUST", "Twice."), ("cap-1", "MUST", "No."), ("XXX-01", "MUST", " ")):
        with pytest.raises(ValueError, match=arguments[0]):
            check(*arguments, spec="spec/events.md#1")


def test_checks_of_the_frozen_set_exist(repository: Path) -> None:
    """No check of a frozen set may go: an id is never reused, and its keyword never changes."""
    held = json.loads((repository / "spec" / "requirements-1.json").read_text("utf-8"))
    frozen = held["checks"]

    assert (1, True) == (held["spec"], held["frozen"])
    assert frozen == {id: REGISTRY[id].keyword for id in frozen}


def test_the_check_table_is_data(repository: Path) -> None:
    """The table reads as TOML, and has every check."""
    table = tomllib.loads((repository / "spec" / "checks.toml").read_text("utf-8"))["checks"]

    assert set(REGISTRY) == {entry["id"] for entry in table}
    assert all(entry["sentence"] == REGISTRY[entry["id"]].sentence for entry in table)


def test_the_study_is_accounted_for(repository: Path) -> None:
    """Each of the 142 ids of the study has checks that exist, or the layer and issue that will bring it."""
    study = tomllib.loads((repository / "spec" / "study.toml").read_text("utf-8"))
    held, later = study["held"], study["later"]

    assert 142 == len({*held, *later}) == len(held) + len(later)
    assert [] == [(id, name) for id, names in held.items() for name in names or [""] if name not in REGISTRY]
    assert all(entry["layer"][0] == "L" and entry["issue"] > 3 and entry["why"] for entry in later.values())


def test_mirrors_exist() -> None:
    """The check that shows a refusal is a check."""
    assert {item.mirror for item in REGISTRY.values()} - {None} <= set(REGISTRY)


# schemas


def fits(name: str, value: Any) -> None:
    Draft202012Validator(schemas()[name]).validate(value)


@pytest.mark.parametrize("name", schemas())
def test_schemas_are_schemas(name: str) -> None:
    """Each is a legal JSON schema."""
    Draft202012Validator.check_schema(schemas()[name])


CONVERSATION = [
    Message("system", (Text("be brief", cache="5m"),)),
    user("hi", Image(PNG), Document(PDF, name="a.pdf")),
    Message("assistant", (Reasoning("hm", Opaque("p", "chat", {"a": 1})), Text("x"), ToolCall("c", "f", "{}"))),
    Message("tool", (ToolResult("c", (Text("r"),), is_error=True),)),
]


def test_requests_fit_their_schema() -> None:
    """With every kind of part, and parameters."""
    fits("request", as_data(Request(CONVERSATION, tools=[Tool("f")], temperature=0, stop=["x"], metadata={"a": "b"})))


def test_dumped_messages_fit_the_schema_of_a_request() -> None:
    """What `byollm.dump_messages` writes is how a message looks everywhere."""
    fits("request", {"messages": dump_messages(CONVERSATION)["messages"]})


def test_completions_and_events_fit_their_schemas() -> None:
    """An answer, and the events it could have been made of."""
    completion = Completion(
        parts=CONVERSATION[2].parts,
        finish_reason="tool_calls",
        usage=Usage(3, 2, details={"x": 1}),
        adjustments=(Adjustment("seed", "dropped", 7),),
        raw={"any": ["thing"]},
    )
    fits("completion", as_data(completion))
    for event in events_of(completion):
        fits("event", as_data(event))


@pytest.mark.parametrize("plugin", [openai, anthropic], ids=["openai", "anthropic"])
def test_capabilities_and_manifests_fit_their_schemas(plugin: Any) -> None:
    """Of our own plugins."""
    fits("capabilities", as_data(Subject(plugin).capabilities))
    fits("manifest", as_data(plugin.manifest))


def test_a_wrong_document_does_not_fit() -> None:
    """The schemas refuse: an unknown member, a part without its type, a state that is none of the five."""
    for name, value in (
        ("request", {"messages": [], "temprature": 1}),
        ("request", {"messages": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        ("capabilities", {"tools": "perhaps"}),
    ):
        assert list(Draft202012Validator(schemas()[name]).iter_errors(value)), value
