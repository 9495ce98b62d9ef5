"""The documents of the demo name nobody, and no number in them is anybody's."""

from __future__ import annotations

import re

import pytest

from byollm_examples.folder import Document, own_documents

PUBLISHED = {
    "4111111111111111",  # Visa's and MasterCard's numbers for tests, as Stripe and PayPal publish them
    "5555555555554444",
    "DE89370400440532013000",  # IBAN examples of the registry (ISO 13616) and of the central banks
    "GB82WEST12345698765432",
    "GB33BUKB20201555555555",
    "FR1420041010050500013M02606",
}
DOCUMENTS = own_documents().items


def test_there_are_at_least_twelve() -> None:
    """Twelve or more, no two alike."""
    assert len({document.text for document in DOCUMENTS}) >= 12


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document.name for document in DOCUMENTS])
def test_addresses_are_examples(document: Document) -> None:
    """Every address is of a domain that is reserved for examples (RFC 2606)."""
    domains = set(re.findall(r"@([\w.-]+\w)", document.text))

    assert domains <= {"example.com", "example.org", "example.net"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document.name for document in DOCUMENTS])
def test_cards_and_accounts_are_published_examples(document: Document) -> None:
    """Every long number with a bank's or a card's shape is one that is printed in documentation."""
    accounts = re.findall(r"\b[A-Z]{2}\d{2}(?: [A-Z0-9]{2,4}){3,7}\b", document.text)
    cards = re.findall(r"\b(?:\d{4} ){3}\d{4}\b", re.sub(r"\b[A-Z]{2}\d{2}[A-Z0-9 ]+", "", document.text))

    assert {re.sub(r"\s", "", number) for number in [*accounts, *cards]} <= PUBLISHED
