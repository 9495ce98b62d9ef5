"""What stands in a text: addresses, numbers, dates, amounts. Every value is given as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:19|20)\d{2}"
_DATE: Final = re.compile(
    rf"\b{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?=\D|$)"
    rf"|\b{_YEAR}/(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])\b"
    rf"|(?<![\d./-])\d{{1,2}}[./-]\d{{1,2}}[./-](?:{_YEAR}|\d{{2}})(?![./-]?\d)"
    rf"|\b{_DAY}(?:\s+of)?[\s-]+{_MONTH},?[\s-]+{_YEAR}\b"
    rf"|\b{_MONTH}[\s-]+{_DAY},?\s+{_YEAR}\b"
    rf"|\b{_DAY}\s+{_MONTH}(?=\W|$)"
    rf"|\b{_MONTH}\s+(?:{_YEAR}|{_DAY})\b",
    re.IGNORECASE,
)
_NUMBER: Final = r"\d{1,3}(?:[,.'’  ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_CODES: Final = r"(?:EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|NZD|CNY|INR|SGD|HKD|ZAR|BRL|MXN)"
_WORDS: Final = r"(?:euros?|dollars?|pounds?(?:\s+sterling)?|francs?|yen|cents?|kronor|zloty)"
_SCALE: Final = r"(?:\s?(?:million|billion|thousand|[kmM](?:io)?\b|bn\b))?"
_AMOUNT: Final = re.compile(
    rf"(?:(?:US|C|A|NZ)?[$€£¥₹]|\b{_CODES})\s?(?:{_NUMBER})(?:\.[–-]{{1,2}})?{_SCALE}"
    rf"|(?<![\w.,])(?:{_NUMBER}){_SCALE}\s?(?:[$€£¥₹]|{_CODES}\b|{_WORDS}\b)",
)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+'-]+@[\w-]+(?:\.[\w-]+)+", re.UNICODE)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,8}\b")
_CARD: Final = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?![\w-])")
_PHONE: Final = re.compile(
    r"(?<![\w./-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,5}\)[\s.-]?)?\d{2,5}(?:[\s./-]\d{2,8}){1,4}(?![\w-])|\+\d{8,15}\b"
)
_BIRTH: Final = re.compile(r"\b(?:born|birth|birthday|d\.?o\.?b\.?)\b[^.;\n]{0,24}$", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Found:
    """Something found: `kind`, the `value` as written, and where it starts and ends."""

    kind: str
    value: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """Everything, in order; where two readings overlap, the surer one wins.

    Kinds: email, iban, card_number, date_of_birth, date, amount, ip_address, phone.
    """
    taken: list[Found] = []
    for finder in (_emails, _ibans, _cards, _dates, _amounts, _addresses, _phones):
        for found in finder(text):
            if not any(found.start < other.end and other.start < found.end for other in taken):
                taken.append(found)
    return sorted(taken, key=lambda found: found.start)


def values(text: str, *kinds: str) -> list[str]:
    """The values of some kinds, each once, in order."""
    return list(dict.fromkeys(found.value for found in find(text) if found.kind in kinds))


def luhn(digits: str) -> bool:
    """The check digit of payment card numbers."""
    total = 0
    for place, letter in enumerate(reversed(digits)):
        doubled = int(letter) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban_valid(text: str) -> bool:
    """The check digits of an international bank account number (ISO 13616, modulo 97)."""
    plain = re.sub(r"[ -]", "", text)
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _matches(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        value = match.group().rstrip(" .,;:-'’")
        yield Found(kind, value, match.start(), match.start() + len(value))


def _emails(text: str) -> Iterator[Found]:
    return _matches("email", _EMAIL, text)


def _ibans(text: str) -> Iterator[Found]:
    for found in _matches("iban", _IBAN, text):
        # Words after the number may look like more of it: give back groups until the check digits agree.
        value = found.value
        while value:
            if iban_valid(value):
                yield Found("iban", value, found.start, found.start + len(value))
                break
            cut = max(value.rfind(" "), value.rfind("-"))
            value = value[:cut] if cut > 0 else ""


def _cards(text: str) -> Iterator[Found]:
    for found in _matches("card_number", _CARD, text):
        digits = re.sub(r"\D", "", found.value)
        if 13 <= len(digits) <= 19 and luhn(digits) and len(set(digits)) > 1:
            yield found


def _dates(text: str) -> Iterator[Found]:
    for found in _matches("date", _DATE, text):
        born = _BIRTH.search(text[max(0, found.start - 48) : found.start]) is not None
        yield Found("date_of_birth" if born else "date", found.value, found.start, found.end)


def _amounts(text: str) -> Iterator[Found]:
    return _matches("amount", _AMOUNT, text)


def _addresses(text: str) -> Iterator[Found]:
    for found in _matches("ip_address", _ADDRESS, text):
        if all(int(piece) < 256 for piece in found.value.split(".")):
            yield found


def _phones(text: str) -> Iterator[Found]:
    for found in _matches("phone", _PHONE, text):
        digits = re.sub(r"\D", "", found.value)
        marked = found.value.startswith(("+", "(", "0")) or _near_phone(text, found.start)
        if 7 <= len(digits) <= 15 and marked:
            yield found


def _near_phone(text: str, start: int) -> bool:
    before = text[max(0, start - 24) : start].lower()
    return any(word in before for word in ("phone", "tel", "mobile", "call", "fax", "cell"))
