"""Goods as somebody writes them down, cell by cell: each field read and refused with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.gmp._lots._amounts import plain_text, read_amount
from seedtrain.gmp._lots._gs1 import gtin14
from seedtrain.gmp._lots._particulars import Particulars
from seedtrain.quality import ORIGINS, Constituent, Lot
from seedtrain.quantity import Quantity

NO_EXPIRY: Final = date(9999, 12, 31)
"""The expiry of a material that has a retest date only."""

REQUIRED: Final = ("lot", "material", "quantity", "supplier")
_NUMBER_WITH_UNIT: Final = re.compile(r"([+-]?[\d.,eE+-]*\d)\s*(\D.*)?")
_DIGITS: Final = 15  # what a float holds of a decimal without changing it
_LONGEST: Final = 200


@dataclass(frozen=True)
class Goods:
    """One delivery as it was stated: the lot in quarantine, and what is known of it beside."""

    lot: Lot
    particulars: Particulars


class Fields:
    """Reads named texts into goods; `faulty(name, error)` is called for each field that cannot be taken."""

    def __init__(self, texts: Mapping[str, str], faulty: Callable[[str, InputError], None], dates: str) -> None:
        self._texts, self._faulty, self._dates = texts, faulty, dates

    def goods(self) -> Goods | None:
        """The goods; None where a field was faulty."""
        failed: list[str] = []

        def take(name: str, reader: Callable[[str], Any], otherwise: Any) -> Any:
            text = self._texts.get(name, "")
            try:
                if not text and name in REQUIRED:
                    raise InputError(f"{name} is missing", remedy=f"Give the {name}.")
                return reader(text) if text else otherwise
            except InputError as error:
                failed.append(name)
                self._faulty(name, error)
                return otherwise

        take("unit", lambda text: read_amount("1", text), None)
        quantity: Any = None if failed else take("quantity", self._quantity, None)
        expiry = take("expiry", self._date, None)
        retest = take("retest", self._date, None)
        origin = take("origin", _origin, "")
        texts = {name: take(name, _printable, "") for name in ("lot", "material", "supplier", *_TEXTS)}
        contains = take("contains", _constituents, ())
        containers = take("containers", _count, None)
        gtin = take("gtin", gtin14, "")
        certificates = take("certificates", _several, ())
        if failed or not self._has_dates(expiry, retest):
            return None
        lot = Lot(
            texts["lot"], texts["material"], texts["supplier"], quantity, expiry or NO_EXPIRY, "quarantined", contains
        )
        more = {name: texts[name] for name in _TEXTS}
        return Goods(
            lot,
            Particulars(
                **more, retest=retest, containers=containers, certificates=certificates, gtin=gtin, origin=origin
            ),
        )

    def _has_dates(self, expiry: date | None, retest: date | None) -> bool:
        if expiry is None and retest is None:
            error = InputError(
                "neither expiry nor retest date is given", remedy="Give one of them (21 CFR 211.137, 211.87)."
            )
        elif expiry is not None and retest is not None and retest > expiry:
            error = InputError(
                f"the retest date {retest.isoformat()} is after the expiry {expiry.isoformat()}",
                remedy="Check both dates.",
            )
        else:
            return True
        self._faulty("retest" if retest else "expiry", error)
        return False

    def _quantity(self, text: str) -> Quantity:
        unit = self._texts.get("unit", "")
        number, written = split_amount(text)
        if written and unit and written != unit:
            raise InputError(f"the quantity says {written}, the column unit says {unit}", remedy="Give one unit.")
        return Quantity(float(read_amount(number, written or unit)), written or unit)

    def _date(self, text: str) -> date:
        return read_date(text, self._dates)


def read_one(texts: Mapping[str, str], dates: str = "YYYY-MM-DD") -> Goods:
    """Goods from texts by field; raises `InputError` with every fault at once, and for a field that there is not."""
    stray = [name for name in texts if name not in NAMES]
    if stray:
        raise InputError(f"there is no field {stray[0]!r}", remedy=f"Use one of: {', '.join(NAMES)}.")
    errors: list[SeedtrainError] = []

    def faulty(name: str, error: InputError) -> None:
        errors.append(InputError(f"{name}: {error.message}", remedy=error.remedy))

    goods = Fields(texts, faulty, dates).goods()
    collect(errors)
    assert goods is not None
    return goods


_TEXTS: Final = ("supplier_lot", "manufacturer", "storage", "location", "order", "patient")
NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lot": "our own id of the lot",
        "material": "what it is, as recipes name it",
        "quantity": "12.5 kg, or 12.5 with the unit beside",
        "unit": "kg, g, L, m2; nothing for pieces",
        "supplier": "who delivered it",
        "supplier_lot": "the supplier's number",
        "manufacturer": "who made it, if another",
        "expiry": "last day of use",
        "retest": "to be tested again from this day",
        "contains": "name=origin; name=origin",
        "certificates": "references, ; between them",
        "storage": "2 to 8 degC",
        "location": "where it stands",
        "containers": "how many",
        "order": "the purchase order",
        "gtin": "the GS1 number of the item",
        "patient": "an opaque token, for autologous material",
        "origin": "simulated, for what does not exist",
    }
)
"""The fields by name, and what stands in them."""


def split_amount(text: str) -> tuple[str, str]:
    """`12.5 kg` as its number, written plainly, and its unit as written; raises `InputError` for anything else."""
    found = _NUMBER_WITH_UNIT.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{text!r} is not a number with a unit", remedy="Write it like 12.5 kg.")
    if "," in found[1]:
        raise InputError(
            f"the comma in {text!r} may be a decimal sign or part thousands",
            remedy="Write a decimal point and no thousands separator: 1234.5.",
        )
    try:
        amount = Decimal(found[1])
    except InvalidOperation:
        raise InputError(f"{text!r} is not a number", remedy="Write digits and a decimal point.") from None
    if len(amount.as_tuple().digits) > _DIGITS:
        raise InputError(f"{text!r} has more than {_DIGITS} digits", remedy="Round it to what the scale shows.")
    return plain_text(amount), (found[2] or "").strip()


def read_date(text: str, form: str = "YYYY-MM-DD") -> date:
    """A date in a form such as `DD.MM.YYYY`; raises `InputError` for another form, or a day that is none."""
    pattern = form.replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")
    if sorted(re.findall("%.", pattern)) != ["%Y", "%d", "%m"]:
        raise InputError(f"{form!r} is no form of a date", remedy="Write it with YYYY, MM and DD: DD.MM.YYYY.")
    shape = re.escape(form).replace("YYYY", r"\d{4}").replace("MM", r"\d{2}").replace("DD", r"\d{2}")
    if not re.fullmatch(shape, text, re.ASCII):
        raise InputError(f"{text!r} is not a date in the form {form}", remedy="Write it so, or tell the form: --dates.")
    try:
        return datetime.strptime(text, pattern).date()  # a day has no zone
    except ValueError:
        raise InputError(f"{text!r} is not a day of the calendar", remedy="Check day and month.") from None


def _printable(text: str) -> str:
    if not text.isprintable() or len(text) > _LONGEST:
        raise InputError(
            f"{text[:20]!r} has {len(text)} characters or some that cannot be printed",
            remedy=f"Write at most {_LONGEST} printable characters on one line.",
        )
    return text


def _origin(text: str) -> str:
    if text not in ("measured", "simulated"):
        raise InputError(f"{text!r} is neither measured nor simulated", remedy="Leave it empty for what exists.")
    return text


def _several(text: str) -> tuple[str, ...]:
    return tuple(_printable(part.strip()) for part in text.split(";") if part.strip())


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,6}", text, re.ASCII):
        raise InputError(f"{text!r} is no number of containers", remedy="Write a whole number of 1 or more.")
    return int(text)


def _constituents(text: str) -> tuple[Constituent, ...]:
    return tuple(_parts(text))


def _parts(text: str) -> Iterator[Constituent]:
    for part in _several(text):
        name, _, origin = (item.strip() for item in part.partition("="))
        if not name or origin not in ("", "animal", *ORIGINS):
            raise InputError(
                f"{part!r} does not name a constituent and its origin",
                remedy=f"Write name=origin with one of: {', '.join(ORIGINS)}, animal; or no origin, if not declared.",
            )
        yield Constituent(name, origin or None)
