"""GS1 element strings: application identifiers, check digits, dates, and the separator after what has no fixed length.

Source: GS1 General Specifications, sections 3 (application identifiers), 7.9 (check digit), 7.12 (dates) and 7.8
(predefined lengths); the identifiers are those of the GS1 Barcode Syntax Dictionary.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError

GS: Final = "\x1d"
CHARACTERS: Final = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
"""GS1 character set 82, in which the values of identifiers with letters are written."""
INTERNAL: Final = "91"
"""Company internal information: what carries a lot's id where there is no GTIN that a lot number could belong to."""

_PREDEFINED: Final[Mapping[str, int]] = MappingProxyType(
    {"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "20": 2}
    | {f"{number}": 6 for number in (11, 12, 13, 14, 15, 16, 17, 18, 19)}
    | {f"{number}": 6 for number in range(31, 37)}
    | {"41": 13}
)
"""By the first two digits: how many characters follow the identifier when no separator does."""

_FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "00": r"\d{18}",
        **dict.fromkeys(("01", "02", "03"), r"\d{14}"),
        "10": r"X{1,20}",
        **dict.fromkeys(("11", "12", "13", "15", "16", "17"), r"\d{6}"),
        "20": r"\d{2}",
        "21": r"X{1,20}",
        "22": r"X{1,20}",
        "235": r"X{1,28}",
        **dict.fromkeys(("240", "241", "250", "251", "400", "401", "403"), r"X{1,30}"),
        "242": r"\d{1,6}",
        "243": r"X{1,20}",
        "253": r"\d{13}X{0,17}",
        "254": r"X{1,20}",
        "255": r"\d{13}\d{0,12}",
        **dict.fromkeys(("30", "37"), r"\d{1,8}"),
        "402": r"\d{17}",
        **dict.fromkeys(("410", "411", "412", "413", "414", "415", "416", "417"), r"\d{13}"),
        "420": r"X{1,20}",
        "421": r"\d{3}X{1,9}",
        "422": r"\d{3}",
        "7003": r"\d{10}",
        "7004": r"\d{1,4}",
        "7006": r"\d{6}",
        "7011": r"\d{6}(\d{4})?",
        "7020": r"X{1,20}",
        "8004": r"X{1,30}",
        "8006": r"\d{18}",
        "8020": r"X{1,25}",
        "90": r"X{1,30}",
        **{str(number): r"X{1,90}" for number in range(91, 100)},
    }
)
_MEASURES: Final = re.compile(r"3(?:1[0-6]|[2-4][0-9]|5[0-7]|6[0-9])[0-5]")
_CHECKED: Final = ("00", "01", "02", "03", "402", "410", "411", "412", "413", "414", "415", "416", "417")
_DATES: Final = ("11", "12", "13", "15", "16", "17")
_LENGTHS: Final = (
    (re.compile(r"23|24|25|40|41|42|71"), 3),
    (re.compile(r"31|32|33|34|35|36|39|43|70|72|80|81|82"), 4),
)


@dataclass(frozen=True)
class Element:
    """One application identifier with its value."""

    ai: str
    value: str

    def __str__(self) -> str:
        return f"({self.ai}){self.value}"


def check_digit(digits: str) -> str:
    """The modulo 10 check digit of a GS1 key given without it: weights 3, 1, 3 ... from the right (7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin14(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits as 14; `InputError` for another length or a wrong check digit."""
    digits = text.strip()
    if not re.fullmatch(r"\d{8}|\d{12,14}", digits, re.ASCII):
        raise InputError(f"{text!r} is not a GTIN", remedy="Give its 8, 12, 13 or 14 digits.")
    if check_digit(digits[:-1]) != digits[-1]:
        raise InputError(
            f"the GTIN {digits} has the check digit {digits[-1]}, and {check_digit(digits[:-1])} is right",
            remedy="Read the number again.",
        )
    return digits.zfill(14)


def yymmdd(day: date) -> str:
    """A date as GS1 writes it."""
    return day.strftime("%y%m%d")


def read_yymmdd(text: str, today: date) -> date:
    """The date of six digits; day 00 is the last of the month. The century is the nearest (General Specs, 7.12)."""
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    apart = year - today.year % 100
    century = today.year // 100 + (-1 if apart >= 51 else 1 if apart <= -50 else 0)
    full = century * 100 + year
    try:
        return date(full, month, day or calendar.monthrange(full, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        raise InputError(
            f"{text!r} is not a date in the form YYMMDD", remedy="Scan again, or check the label."
        ) from None


def element_string(elements: Iterable[Element]) -> str:
    """The elements one after the other, `GS` after each without a predefined length unless it is the last.

    Raises `InputError` for an identifier that is not known, a value that breaks its format or its check digit, one
    that stands twice, and an identifier without the GTIN that it needs.
    """
    items = tuple(elements)
    for item in items:
        check_element(item)
    names = [item.ai for item in items]
    if len(set(names)) < len(names):
        raise InputError(f"{', '.join(map(str, items))}: an identifier stands twice", remedy="Give each once.")
    needy = [name for name in names if name in ("10", "11", "17", "21", "30", "240") or _MEASURES.fullmatch(name)]
    if needy and "01" not in names:
        raise InputError(f"({needy[0]}) belongs to a GTIN, and there is no (01)", remedy="Give the GTIN.")
    ordered = sorted(items, key=lambda item: not is_predefined(item.ai))
    parts = [f"{item.ai}{item.value}{'' if is_predefined(item.ai) else GS}" for item in ordered]
    return "".join(parts).removesuffix(GS)


def is_predefined(ai: str) -> bool:
    """Whether no separator follows the value."""
    return ai[:2] in _PREDEFINED


def check_element(item: Element) -> None:
    """Raise `InputError` where the value is not one of its identifier."""
    pattern = r"\d{6}" if _MEASURES.fullmatch(item.ai) else _FORMATS.get(item.ai)
    if pattern is None:
        raise InputError(f"({item.ai}) is no application identifier that is known here", remedy="Check the label.")
    stray = sorted(set(item.value) - CHARACTERS)
    if stray:
        raise InputError(
            f"{item}: {stray[0]!r} cannot stand in a GS1 barcode",
            remedy="Use letters without accents, digits, and ! \" % & ' ( ) * + , - . / : ; < = > ? _.",
        )
    if not re.fullmatch(pattern.replace("X", "[!-z]"), item.value, re.ASCII):
        raise InputError(f"{item}: {item.value!r} does not fit this identifier", remedy=f"It takes {_words(pattern)}.")
    if item.ai in _CHECKED and check_digit(item.value[:-1]) != item.value[-1]:
        raise InputError(
            f"{item}: the check digit is {item.value[-1]}, and {check_digit(item.value[:-1])} is right",
            remedy="Read the number again.",
        )
    if item.ai in _DATES:
        read_yymmdd(item.value, date(2000, 1, 1))


def read_elements(text: str) -> tuple[Element, ...]:
    """The elements of a scanned string, `GS` between them where it is needed.

    Raises `InputError` for a string that ends early, or breaks the format of one of its identifiers.
    """
    found: list[Element] = []
    rest = text
    while rest:
        rest = rest.removeprefix(GS)  # some encoders put one after a predefined length too
        ai = rest[: _ai_length(rest)]
        if not ai.isdecimal() or not ai.isascii():
            raise InputError(
                f"{rest[:12]!r} does not begin with an application identifier",
                remedy="Scan a GS1 label; if it is one, tell the separator that the scanner sends: --separator.",
            )
        length = _PREDEFINED.get(ai[:2])
        if length is not None:
            value, rest = rest[len(ai) : len(ai) + length], rest[len(ai) + length :]
        else:
            value, _, rest = rest[len(ai) :].partition(GS)
        item = Element(ai, value)
        check_element(item)
        found.append(item)
    return tuple(found)


def _ai_length(text: str) -> int:
    for pattern, length in _LENGTHS:
        if pattern.match(text):
            return length
    return 2


def _words(pattern: str) -> str:
    return pattern.replace(r"\d", "digits ").replace("X", "characters ")
