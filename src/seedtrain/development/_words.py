"""The words and numbers that people read for this room's results, in the language in use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from seedtrain.base import translate as _
from seedtrain.development._factor_words import factor_words

_WORDS: Final[Mapping[str, Callable[[], str]]] = {
    "raw_materials": lambda: _("raw materials"),
    "consumables": lambda: _("consumables"),
    "utilities": lambda: _("utilities"),
    "labour": lambda: _("labour"),
    "quality_control": lambda: _("quality control"),
    "facility": lambda: _("facility"),
    "waste": lambda: _("waste"),
    "power_per_volume": lambda: _("power per volume"),
    "tip_speed": lambda: _("tip speed"),
    "mixing_time": lambda: _("mixing time"),
    "gas_velocity": lambda: _("gas velocity"),
    "kLa": lambda: _("kLa"),
    "oxygen_transfer": lambda: _("oxygen transfer"),
    "carbon_dioxide": lambda: _("carbon dioxide in the broth"),
    "oxygen": lambda: _("oxygen transfer"),
    "cooling": lambda: _("cooling"),
    "cost": lambda: _("cost"),
    "carbon": lambda: _("carbon"),
    "amount": lambda: _("amount a year"),
    "titre": lambda: _("titre"),
    "titre_in_same_time": lambda: _("titre in the same time"),
    "rate": lambda: _("rate"),
    "yield": lambda: _("yield"),
    "recovery": lambda: _("recovery"),
    "none": lambda: _("nothing"),
}


_ATTRIBUTES: Final[Mapping[str, Callable[[], str]]] = {
    "purity": lambda: _("purity"),
    "content": lambda: _("content"),
    "endotoxin": lambda: _("endotoxin"),
    "host_protein": lambda: _("host_protein"),
    "dna": lambda: _("dna"),
    "detergent": lambda: _("detergent"),
    "iptg": lambda: _("iptg"),
    "residual_moisture": lambda: _("residual_moisture"),
    "bioburden": lambda: _("bioburden"),
    "titre": lambda: _("titre"),
    "product": lambda: _("product"),
    "duration": lambda: _("duration"),
    "oxygen_margin": lambda: _("oxygen_margin"),
}


def attribute_words(name: str) -> str:
    """An attribute as people read it; English keeps the name by which a limit is given, others stay as they are."""
    found = _ATTRIBUTES.get(name)
    return found() if found else name


def words(key: str) -> str:
    """`key` of a part, a criterion or a limit as people read it; any other key with its underscores as spaces."""
    found = _WORDS.get(key)
    return found() if found else factor_words(key).replace("_", " ")


def number(value: float | None, digits: int = 3) -> str:
    """`value` to so many significant digits, without an exponent between 0.001 and 10 million; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 7:
        return f"{value:.{digits - 1}e}"
    rounded = round(value, digits - 1 - size)
    decimals = max(digits - 1 - math.floor(math.log10(abs(rounded))), 0) if rounded else 0
    return f"{rounded:,.{decimals}f}".replace(",", "\u202f")


def percent(fraction: float, digits: int = 3) -> str:
    """A fraction as a percentage."""
    return f"{number(100.0 * fraction, digits)} %"
