"""The stand-in model: how it answers, follows schemas, and calls tools."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_asking import Asker, body_for
from sandbox_documents import INVOICE

from byollm.types.parts import ToolCall
from byollm.types.schema import problems_of
from byollm_sandbox import Prompt, ToolOffer
from byollm_sandbox.stand_in import INTRODUCTION, answer


def ask_stand_in(instruction: str, document: str, schema: dict[str, Any] | None = None) -> Any:
    return json.loads(answer(Prompt(system=instruction, text=document, schema=schema, json=True)).text)


def test_each_task_answers_in_its_own_shape() -> None:
    """Without a schema, JSON answers have the task's members."""
    assert {"rules", "emails", "amounts", "dates"} == ask_stand_in("Extract rules", INVOICE).keys()
    assert {"contains_pii", "findings"} == ask_stand_in("Detect PII", INVOICE).keys()
    assert "invoice" == ask_stand_in("Classify this document", INVOICE)["category"]


def test_a_schema_is_followed_by_its_names() -> None:
    """Property names say what belongs where; the caller's words are chosen from."""
    schema = {
        "type": "object",
        "properties": {
            "rules": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "rule": {"type": "string"},
                        "modality": {"enum": ["obligation", "prohibition", "other"]},
                        "deadline": {"type": ["string", "null"]},
                    },
                },
            },
            "emails": {"type": "array", "items": {"type": "string"}},
            "total_amount": {"type": "number"},
            "documentType": {"enum": ["Letter", "Invoice"]},
        },
    }

    found = ask_stand_in("Extract the rules", INVOICE, schema)

    assert ["buyer@example.com"] == found["emails"]
    assert (1250.0, "Invoice") == (found["total_amount"], found["documentType"])
    assert ["within 30 days", None] == [rule["deadline"] for rule in found["rules"] if rule["modality"] == "obligation"]


LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "format": "date"},
        {"type": "integer", "minimum": 3, "maximum": 9},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"enum": ["a", "b"]},
        {"const": 4},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        {"$ref": "#/$defs/Leaf"},
    ]
)
NAMES = st.sampled_from(
    ["rules", "email", "category", "items", "confidence", "unheard_of", "total", "dates", "text", "has_pii"]
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        st.dictionaries(NAMES, inner, min_size=1, max_size=4),
    )


SCHEMAS = objects(
    st.recursive(
        LEAVES,
        lambda inner: objects(inner) | st.builds(lambda item: {"type": "array", "items": item, "minItems": 1}, inner),
        max_leaves=8,
    )
)


@given(
    SCHEMAS, st.sampled_from([INVOICE, "", "hello"]), st.sampled_from(["Extract rules", "Detect PII", "Say something"])
)
@settings(max_examples=150, deadline=None)
def test_every_answer_fits_its_schema(schema: dict[str, Any], document: str, instruction: str) -> None:
    """Whatever the schema asks for, the answer is JSON that fits it."""
    whole = {**schema, "$defs": {"Leaf": {"type": "object", "properties": {"value": {"type": "string"}}}}}

    assert [] == problems_of(ask_stand_in(instruction, document, whole), whole)


WEATHER = ToolOffer("get_weather", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
SEARCH = ToolOffer("look_up", {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]})


def called(**prompt: Any) -> list[tuple[str, Any]]:
    reply = answer(Prompt(tools=(SEARCH, WEATHER), **prompt))
    return [(call.name, call.args) for call in reply.parts if isinstance(call, ToolCall)]


def test_tools_are_called_when_the_text_speaks_of_them() -> None:
    """auto calls a tool by the words of its name, with arguments from the text."""
    assert [("get_weather", {"city": "New York"})] == called(text="What is the weather in New York?")
    assert [] == called(text="Good morning!")


def test_tools_are_called_when_they_must_be() -> None:
    """A named choice calls that tool, `required` calls one at least, `none` none."""
    assert ["get_weather"] == [name for name, _ in called(text="Hi", choice="get_weather")]
    assert ["look_up"] == [name for name, _ in called(text="Hi", choice="required")]
    assert [] == called(text="weather", choice="none")


def test_tool_results_end_the_calling() -> None:
    """After the results came, the stand-in answers with them."""
    reply = answer(Prompt(text="What is the weather in Oslo?", tools=(WEATHER,), results=("4 degrees",)))

    assert (False, True) == (bool(reply.tool_calls), "4 degrees" in reply.text)


def test_it_says_what_it_is() -> None:
    """In plain words it introduces itself, and every reply names its model."""
    reply = answer(Prompt(text="Who are you?"))

    assert (True, "stand-in") == (reply.text.startswith(INTRODUCTION), reply.model)


def test_limits_are_kept() -> None:
    """`max_tokens` cuts and says so; a stop string ends the answer before it."""
    short = answer(Prompt(text="Who are you?", max_tokens=3))
    stopped = answer(Prompt(text="Who are you?", stop=("stand-in",)))

    assert ("length", 12) == (short.finish_reason, len(short.text))
    assert ("I am a rule-based ", "stand-in") == (stopped.text, stopped.stop_sequence)


def test_the_twins_read_prompts_alike(ask: Asker, dialect: str) -> None:
    """System text, document and format arrive at the stand-in from every dialect."""
    schema = {
        "type": "object",
        "properties": {"category": {"enum": ["invoice", "letter"]}},
        "required": ["category"],
        "additionalProperties": False,
    }
    more: dict[str, dict[str, Any]] = {
        "openai-chat": {
            "messages": [{"role": "system", "content": "Classify"}, {"role": "user", "content": INVOICE}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": schema, "strict": True}},
        },
        "openai-responses": {
            "instructions": "Classify",
            "input": INVOICE,
            "text": {"format": {"type": "json_schema", "name": "c", "schema": schema, "strict": True}},
        },
        "anthropic-messages": {
            "system": "Classify",
            "messages": [{"role": "user", "content": INVOICE}],
            "output_config": {"format": {"type": "json_schema", "schema": schema}},
        },
    }

    assert '{\\"category\\": \\"invoice\\"}' in ask.post(dialect, {**body_for(dialect), **more[dialect]}).text


def test_tool_results_reach_the_stand_in_from_every_dialect(ask: Asker, dialect: str) -> None:
    """A whole tool round trip: the call, the result, an answer with the result in it."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    turns: dict[str, dict[str, Any]] = {
        "openai-chat": {
            "messages": [
                {"role": "user", "content": "weather in Oslo?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "4 degrees"},
            ],
            "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}],
        },
        "openai-responses": {
            "input": [
                {"role": "user", "content": "weather in Oslo?"},
                {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "4 degrees"},
            ],
            "tools": [{"type": "function", "name": "get_weather", "parameters": parameters, "strict": False}],
        },
        "anthropic-messages": {
            "messages": [
                {"role": "user", "content": "weather in Oslo?"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "c1", "name": "get_weather", "input": {}}],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "4 degrees"}]},
            ],
            "tools": [{"name": "get_weather", "input_schema": parameters}],
        },
    }

    assert "4 degrees" in ask.post(dialect, body_for(dialect, **turns[dialect])).text
