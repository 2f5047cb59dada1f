"""Units as laboratories write them for genomes and particles, and limits in the unit of what was measured."""

from __future__ import annotations

import re
from typing import Final

from seedtrain.base import InputError
from seedtrain.quality import Limit
from seedtrain.quantity import QuantityError

_COPIES: Final = re.compile(r"(?<![A-Za-z])(?:vg|gc|VG|GC|TU)(?![A-Za-z])")


def known_units(text: str) -> str:
    """`text` with vg, GC (genomes) and TU (integrated copies) as copies, the unit of counted sequences."""
    return _COPIES.sub("copies", text)


def read_limit(text: str, unit: str) -> Limit:
    """A limit of numbers such as `>= 1e12`, for what is measured in `unit`; the unit may stand behind the number.

    Raises `InputError` for a limit that cannot be read, is a word, or is of another unit.
    """
    words = text.strip()
    if unit not in ("", "%"):
        words = known_units(words.removesuffix(unit))
    try:
        limit = Limit.parse(words)
        bounds_of(limit, unit)
    except QuantityError as error:
        raise InputError(
            f"the limit {text!r}: {error.message}",
            remedy=f"Write a limit such as >= {_EXAMPLES.get(unit, '1e6')} {unit}".rstrip() + ".",
        ) from None
    return Limit(" ".join(text.split()), limit.range, limit.word, limit.places)


_EXAMPLES: Final = {"%": "80", "": "0.8"}


def bounds_of(limit: Limit, unit: str) -> tuple[float, float]:
    """Both ends of a limit in `unit`, infinite where open; a bare number is in `unit`, save for shares in %.

    A share without its % may be meant as a fraction: `>= 0.8` would let anything above 0.8 % pass.
    """
    if limit.range is None:
        raise InputError(f"the limit {limit.text!r} is a word", remedy="Write a limit of numbers, such as >= 1e12.")
    if not limit.unit and unit == "%":
        raise InputError(f"the limit {limit.text!r} has no unit", remedy="Write %, such as >= 80 %.")
    return limit.range.bounds(unit if limit.unit else "")
