"""Check digits: what tells an account, a card or a tax number from any other row of digits."""

from __future__ import annotations

import re
from typing import Final

IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip
"""Characters of an account number by country (ISO 13616)."""


def digits_of(text: str) -> str:
    """The digits of a text, in order."""
    return "".join(letter for letter in text if "0" <= letter <= "9")


def luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(text: str) -> int:
    """How much of the text, from its start, is a card number; 0 when none of it is."""
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    for count in range(min(19, len(places)), 12, -1):
        end = places[count - 1] + 1
        if end < len(text) and text[end].isdigit():
            continue
        digits = digits_of(text[:end])
        if digits[0] in "23456" and len(set(digits)) > 1 and luhn(digits):
            return end
    return 0


def iban(text: str) -> int:
    """How much of the text, from its start, is an IBAN; 0 when none of it is."""
    length = IBAN_LENGTHS.get(text[:2].upper(), 0)
    plain, at = "", 0
    while at < len(text) and len(plain) < length:
        if text[at].isascii() and text[at].isalnum():
            plain += text[at].upper()
        elif not (text[at] in " -" and at and text[at - 1] not in " -"):
            return 0
        at += 1
    if len(plain) != length or not length or (at < len(text) and text[at].isalnum()):
        return 0
    number = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return at if int(number) % 97 == 1 else 0


def german_tax_id(text: str) -> bool:
    """The check digit of a Steuer-Identifikationsnummer (ISO 7064, mod 11,10), and its rule about repeated digits."""
    digits = digits_of(text)
    counts = sorted((digits[:10].count(digit) for digit in set(digits[:10])), reverse=True)
    if len(digits) != 11 or digits[0] == "0" or counts[0] not in (2, 3) or counts[1:2] not in ([1], []):
        return False
    product = 10
    for digit in digits[:10]:
        product = (((int(digit) + product) % 10 or 10) * 2) % 11
    return (11 - product) % 10 == int(digits[10])


def spanish_id(text: str) -> bool:
    """The letter of a DNI or NIE."""
    plain = text.replace("-", "").replace(" ", "").upper()
    number = {"X": "0", "Y": "1", "Z": "2"}.get(plain[0], plain[0]) + plain[1:-1]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


def french_nir(text: str) -> bool:
    """The key of a numéro de sécurité sociale; Corsican departments count as 19 and 18."""
    plain = re.sub(r"[ .-]", "", text).upper()
    number = plain[:13].replace("2A", "19").replace("2B", "18")
    return len(plain) == 15 and number.isdigit() and plain[13:].isdigit() and 97 - int(number) % 97 == int(plain[13:])


def polish_pesel(text: str) -> bool:
    """The check digit of a PESEL, and a month that it can have."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    total = sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))
    return (10 - total % 10) % 10 == int(text[10]) and 1 <= int(text[2:4]) % 20 <= 12 and 1 <= int(text[4:6]) <= 31


_FIRST_TEN: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [*_FIRST_TEN, *_FIRST_TEN, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
        strict=True,
    )
)


def italian_code(text: str) -> bool:
    """The last letter of a codice fiscale."""
    plain = text.upper()
    total = sum(
        _ODD[letter] if at % 2 == 0 else (int(letter) if letter.isdigit() else ord(letter) - 65)
        for at, letter in enumerate(plain[:15])
    )
    return chr(65 + total % 26) == plain[15]


def is_date(text: str) -> bool:
    """A day, month and year in numbers, in whichever order, or a part of an instant."""
    return bool(re.fullmatch(r"\d{1,2}([./ -])\d{1,2}\1(\d{2}|\d{4})|\d{4}([./ -])\d{1,2}\3\d{1,2}", text.strip()))
