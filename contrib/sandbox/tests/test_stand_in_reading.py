"""The stand-in model: what it finds in a text, and how it classifies it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_documents import CONTRACT, DOCUMENTS, INVOICE

from byollm_sandbox import Prompt
from byollm_sandbox.stand_in import answer
from byollm_sandbox.stand_in.classify import classify
from byollm_sandbox.stand_in.find import find, iban_valid, luhn, values
from byollm_sandbox.stand_in.rules import rules, sentences


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
