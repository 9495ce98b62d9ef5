"""The stand-in model: what it finds, how it classifies, how it follows schemas, when it calls tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_asking import Asker, body_for

from byollm.types.parts import ToolCall
from byollm.types.schema import problems_of
from byollm_sandbox import Prompt, ToolOffer
from byollm_sandbox.stand_in import INTRODUCTION, answer
from byollm_sandbox.stand_in.classify import classify
from byollm_sandbox.stand_in.find import find, iban_valid, luhn, values
from byollm_sandbox.stand_in.rules import rules, sentences

INVOICE = """INVOICE No. 2026/17
Date: 3 March 2026
Bill to: The Buyer, buyer@example.com

The amount of EUR 1,250.00 must be paid within 30 days. Late payers shall pay interest.
Customers may not deduct bank fees. IBAN DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111.
Total: EUR 1,250.00
"""
CONTRACT = """SERVICE AGREEMENT
This agreement is made between the parties, the Supplier and the Customer, who hereby agree as follows.
Termination: either party may terminate this contract with notice. The governing law is that of Norway."""
TICKET = """Ticket #5501
Priority: high. Status: open
The app crashes with an error when I log in. Steps to reproduce: open the app. Reported to customer support."""
POLICY = """TRAVEL POLICY
Scope: this policy applies to all employees. Violations of these guidelines are reported. Approval is needed."""
CV = """CURRICULUM VITAE
Work experience: engineer, 2019 to 2025. Education: MSc. Skills: Python. Languages: Norwegian, English."""
LETTER = """Dear Customer,
I am writing to thank you for your order. We look forward to your next visit.
Kind regards, The Shop"""
REPORT = """QUARTERLY REPORT
Executive summary. Revenue grew in Q3 compared with Q2. Findings and recommendations follow in the conclusion."""
DOCUMENTS = {
    "invoice": INVOICE,
    "contract": CONTRACT,
    "support_ticket": TICKET,
    "policy": POLICY,
    "cv": CV,
    "letter": LETTER,
    "report": REPORT,
}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "ops+x@sub.example.org"),
        ("date", "2026-03-14"),
        ("date", "21 November 2026"),
        ("date", "Nov 3, 2026"),
        ("date", "21.11.2026"),
        ("date", "11/21/2026"),
        ("date", "3rd of May 2026"),
        ("amount", "EUR 1,234.56"),
        ("amount", "$99"),
        ("amount", "1.234,56 €"),
        ("amount", "12 000 euros"),
        ("amount", "USD 3.5 million"),
        ("amount", "£12.50"),
        ("amount", "CHF 12'345.00"),
        ("phone", "+49 30 1234567"),
        ("phone", "(030) 123 4567"),
        ("iban", "GB82 WEST 1234 5698 7654 32"),
        ("card_number", "4242-4242-4242-4242"),
        ("ip_address", "192.0.2.10"),
    ],
)
def test_what_is_found_is_found_as_written(kind: str, text: str) -> None:
    """Each kind of value is found whole, in the middle of a sentence."""
    sentence = f"Please note {text}, as we said."

    assert [(kind, text)] == [(found.kind, found.value) for found in find(sentence)]


def test_what_only_looks_alike_is_left_out() -> None:
    """Numbers without their check digits, plain counts and years are nothing."""
    text = "Order 4111 1111 1111 1112, IBAN DE00 3704 0044 0532 0130 00, 30 days, 12 people, chapter 7, since 2019."

    assert [] == [found for found in find(text) if found.kind in ("card_number", "iban", "amount", "date")]


def test_dates_of_birth_are_told_apart() -> None:
    """A date after a word of birth is a date of birth."""
    assert ["3 May 1985"] == values("Born on 3 May 1985, hired on 1 June 2010.", "date_of_birth")


@given(st.text(alphabet="0123456789", min_size=12, max_size=18))
def test_luhn_accepts_exactly_one_check_digit(digits: str) -> None:
    """Of the ten digits one could add, exactly one makes a valid number."""
    assert 1 == sum(luhn(digits + str(last)) for last in range(10))


@given(st.integers(0, 10**18 - 1))
def test_an_iban_with_computed_check_digits_is_valid(account: int) -> None:
    """Check digits computed as the standard says are accepted; the next ones are not."""
    body = f"{account:018d}"
    check = 98 - int(body + str(int("D", 36)) + str(int("E", 36)) + "00") % 97

    assert iban_valid(f"DE{check:02d}{body}")
    assert not iban_valid(f"DE{(check + 1) % 100:02d}{body}")


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
AMOUNTS = st.builds(
    lambda code, whole, cents: f"{code} {whole:,}.{cents:02d}",
    st.sampled_from(["EUR", "USD", "GBP"]),
    st.integers(1, 9_999_999),
    st.integers(0, 99),
)
DATES = st.builds(
    lambda day, month, year, style: f"{year}-{month:02d}-{day:02d}" if style else f"{day} {MONTHS[month - 1]} {year}",
    st.integers(1, 28),
    st.integers(1, 12),
    st.integers(1950, 2049),
    st.booleans(),
)
EMAILS = st.builds(
    lambda name, host: f"{name}@{host}.example.com",
    st.from_regex(r"[a-z][a-z0-9]{1,8}(\.[a-z0-9]{1,6})?", fullmatch=True),
    st.from_regex(r"[a-z]{2,8}", fullmatch=True),
)


@given(
    AMOUNTS, DATES, EMAILS, st.sampled_from(["Extract the rules of this document.", "Find all personal data (PII)."])
)
@settings(max_examples=60, deadline=None)
def test_planted_values_appear_in_the_answers(amount: str, date: str, email: str, instruction: str) -> None:
    """Random amounts, dates and addresses in a fresh document are in the answer, in words and in JSON."""
    document = f"Notice\n\nThe fee of {amount} was agreed on {date}.\nQuestions go to {email}. Nobody must wait.\n"

    for asked in (instruction, f"{instruction} Answer in JSON."):
        text = answer(Prompt(system=asked, text=document)).text
        assert [] == [value for value in (amount, date, email) if value not in text]


@pytest.mark.parametrize("label", list(DOCUMENTS))
def test_documents_are_classified(label: str) -> None:
    """Each kind of document is known by its words."""
    assert label == classify(DOCUMENTS[label])[0]


def test_labels_are_used_as_the_caller_spells_them() -> None:
    """Offered labels win, in their own spelling; one of them is chosen even when none fits."""
    labels = ["Legal Agreement", "Bill", "Something else"]

    assert ["Legal Agreement", "Bill"] == [classify(text, labels)[0] for text in (CONTRACT, INVOICE)]
    assert classify("nothing at all", ["a", "other"])[0] == "other"


def test_rules_are_sentences_that_bind() -> None:
    """Obligations, prohibitions and deadlines are told apart; figures come along."""
    found = {rule.text: rule for rule in rules(INVOICE)}

    paid = found["The amount of EUR 1,250.00 must be paid within 30 days."]
    assert ("obligation", "within 30 days", ("EUR 1,250.00",)) == (paid.kind, paid.deadline, paid.amounts)
    assert "prohibition" == found["Customers may not deduct bank fees."].kind
    assert "figure" == found["Total: EUR 1,250.00"].kind


def test_sentences_survive_abbreviations_lists_and_wrapping() -> None:
    """No. 5 is no end; bullets and headings are sentences of their own; a wrapped line is not."""
    text = (
        "Terms\n- First, see No. 5 of the list.\n- Second.\n\n"
        "A long line of prose that goes on and on and on, and that\nwraps here. Done."
    )

    assert [
        "Terms",
        "First, see No. 5 of the list.",
        "Second.",
        "A long line of prose that goes on and on and on, and that wraps here.",
        "Done.",
    ] == sentences(text)


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
