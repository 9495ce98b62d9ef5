"""What is looked for: a pattern each, and a check where digits can be checked. No pattern can find people's names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from byollm_redact import checks

Span = tuple[int, int]
"""Where something begins, and where it ends."""
_SIGNS: Final = {"digit": (re.compile(r"[0-9]+|::"), 80, 64), "at": (re.compile("@"), 70, 600)}
"""What every value of a kind has in it, and how many letters around that its pattern may look at."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data. `name` stands in placeholders; `spans(text, start, end)` finds them, in order.

    `sign`: `digit` or `at`, when there is always a digit or an @ in it; then only what is near one is looked at.
    """

    name: str
    spans: Callable[[str, int, int], Iterator[Span]]
    sign: str = ""


def by_pattern(
    name: str,
    pattern: str | re.Pattern[str],
    check: Callable[[str], bool] | None = None,
    group: int | str = 0,
    sign: str = "digit",
) -> Kind:
    """A kind that is what a pattern matches (or one group of it), as far as the check agrees."""
    compiled = re.compile(pattern) if isinstance(pattern, str) else pattern

    def spans(text: str, start: int, end: int) -> Iterator[Span]:
        for match in compiled.finditer(text, start, end):
            if match.end(group) > match.start(group) >= 0 and (check is None or check(match[group])):
                yield match.span(group)

    return Kind(name, spans, sign)


def by_start(name: str, pattern: str, measure: Callable[[str], int], most: int) -> Kind:
    """A kind whose beginning a pattern finds, and whose length is measured."""
    compiled = re.compile(pattern)

    def spans(text: str, start: int, end: int) -> Iterator[Span]:
        at = start
        while match := compiled.search(text, at, end):
            size = measure(text[match.start() : match.start() + most])
            if size:
                yield match.start(), match.start() + size
            at = match.start() + (size or 1)

    return Kind(name, spans, "digit")


def _together(name: str, *kinds: Kind) -> Kind:
    def spans(text: str, start: int, end: int) -> Iterator[Span]:
        for kind in kinds:
            yield from kind.spans(text, start, end)

    return Kind(name, spans, "digit")


def windows(text: str, sign: str) -> list[Span]:
    """The stretches of a text in which a kind with this sign can be."""
    if not sign:
        return [(0, len(text))]
    pattern, before, after = _SIGNS[sign]
    merged: list[Span] = []
    for match in pattern.finditer(text):
        start, end = max(0, match.start() - before), min(len(text), match.end() + after)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return text != "::"


def _is_phone(text: str) -> bool:
    return 7 <= len(checks.digits_of(text)) <= 15 and not checks.is_date(text) and len(set(checks.digits_of(text))) > 1


def _is_email(text: str) -> bool:
    return ".." not in text and not text.startswith(".")


def _is_national_phone(text: str) -> bool:
    return 8 <= len(checks.digits_of(text)) <= 13 and _is_phone(text)


_EMAIL: Final = by_pattern(
    "EMAIL",
    r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}"
    r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w-])",
    _is_email,
    sign="at",
)
_IBAN: Final = by_start("IBAN", r"(?<![^\W_])[A-Za-z]{2}[0-9]{2}(?=[ -]?[A-Za-z0-9])", checks.iban, 48)
_CARD: Final = by_start("CARD", r"(?<![0-9.,-])(?<![0-9] )[2-6](?:[ -]?[0-9]){12}", checks.card, 38)
_IP: Final = _together(
    "IP",
    by_pattern("IP", r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,6}(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9])", _is_ip),
    by_pattern("IP", r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9])", _is_ip),
    by_pattern("IP", r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?<=::))(?![\w:.])", _is_ip),
)
_SSN: Final = by_pattern("SSN", r"(?<![0-9-])(?!000|666|9)[0-9]{3}([- ])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9-])")
_TAX: Final = _together(
    "TAXID",
    # ITIN (United States)
    by_pattern(
        "TAXID",
        r"(?<![0-9-])9[0-9]{2}([- ])(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-2]|9[4-9])\1[0-9]{4}(?![0-9-])",
    ),
    # EIN (United States): only where the text calls it one
    by_pattern(
        "TAXID",
        r"(?i:\bEIN|\bemployer (?:id|identification)[a-z ]{0,20}|\btax (?:id|number|identification)[a-z ]{0,20})"
        r"[^0-9\n]{0,12}([0-9]{2}-[0-9]{7})(?![0-9-])",
        group=1,
    ),
    by_pattern("TAXID", r"(?<![0-9])[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}(?![0-9])", checks.german_tax_id),
    # National Insurance number (United Kingdom)
    by_pattern(
        "TAXID",
        r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:[0-9]{2} ?){3}[A-D](?!\w)",
    ),
    by_pattern("TAXID", r"(?<!\w)(?:[0-9]{8}|[XYZxyz]-?[0-9]{7})-?[A-Za-z](?!\w)", checks.spanish_id),
    by_pattern(
        "TAXID",
        r"(?<!\w)[A-Za-z]{6}[0-9]{2}[A-EHLMPRSTa-ehlmprst][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z](?!\w)",
        checks.italian_code,
    ),
    by_pattern(
        "TAXID",
        r"(?<![0-9])[12](?:[ .]?[0-9]{2}){2}[ .]?(?:[0-9]{2}|2[AB])(?:[ .]?[0-9]{3}){2}[ .-]?[0-9]{2}(?![0-9])",
        checks.french_nir,
    ),
    by_pattern("TAXID", r"(?<![0-9])[0-9]{11}(?![0-9])", checks.polish_pesel),
)
_MONTH: Final = (
    r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|janv|févr|avr|juin|juil|août|déc|ene|abr|ago"
    r"|dic)[^\W\d_]{0,7}\.?"
)
_DAY: Final = (
    r"(?:[0-9]{1,2}[./ -][0-9]{1,2}[./ -][0-9]{2,4}|[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?\.? (?:of |de )?{_MONTH},? (?:de )?[0-9]{{4}}"
    rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}})"
)
_BIRTH: Final = by_pattern(
    "BIRTHDATE",
    re.compile(
        r"\b(?:d\.?o\.?b\.?|born|birth ?date|birthday|date of birth|geboren|geb\.|geburtsdatum|né|née"
        r"|date de naissance|nacid[oa]|fecha de nacimiento|nat[oa] il)"
        r"(?:[^\w\n]{1,4}(?:is|was|on|am|le|el|den))?[^\w\n]{0,4}"
        rf"({_DAY})(?![0-9])",
        re.IGNORECASE,
    ),
    group=1,
)
_PHONE: Final = _together(
    "PHONE",
    by_pattern(
        "PHONE",
        r"(?<![\w+.,])(?:\+|00)[1-9][0-9]{0,2}(?:[ ./-]?\([0-9]{1,5}\))?(?:[ ./-]{0,2}[0-9]){5,13}(?![0-9])",
        _is_phone,
    ),
    by_pattern(
        "PHONE",
        r"(?<![\w.+-])(?:1[-. ])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[2-9][0-9]{2}[-. ][0-9]{4}(?![\w-]|\.[0-9])",
        _is_phone,
    ),
    by_pattern(
        "PHONE",
        r"(?<![\w.,+/-])\(?0[1-9][0-9]{0,4}\)?(?:[ /.-][0-9]{2,8}){1,5}(?!\w|[.,:-][0-9])",
        _is_national_phone,
    ),
    by_pattern(
        "PHONE",
        r"(?i:\b(?:tel|telephone|phone|mobile|cell|call|fax|handy|telefon|mobil|tél|móvil|whatsapp)\b"
        r"[^\w\n]{1,4}(?:(?:number|no|nr|is|me at|at|under)[^\w\n]{1,3}){0,2})"
        r"([0-9(][0-9 ()./-]{5,17}[0-9])(?!\w)",
        _is_phone,
        group=1,
    ),
)

KINDS: Final[dict[str, Kind]] = {
    "email": _EMAIL,
    "iban": _IBAN,
    "card": _CARD,
    "ip": _IP,
    "ssn": _SSN,
    "tax_id": _TAX,
    "birth_date": _BIRTH,
    "phone": _PHONE,
}
"""By the word in the file, in the order in which they are believed where two claim the same letters."""


def found(text: str, kinds: list[Kind]) -> list[tuple[int, int, str]]:
    """What is in a text: begin, end and kind, in order, no two of them over each other; the earlier kind wins."""
    taken: list[tuple[int, int, str]] = []
    near = {sign: windows(text, sign) for sign in {kind.sign for kind in kinds}}
    claimed = bytearray(len(text))
    for kind in kinds:
        for first, last in near[kind.sign]:
            for start, end in kind.spans(text, first, last):
                if 1 not in claimed[start:end]:
                    claimed[start:end] = b"\1" * (end - start)
                    taken.append((start, end, kind.name))
    return sorted(taken)
