"""Units of SBML as people write them (mmol/L, 1/s), and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from typing import Final

from seedtrain.quantity import QuantityError, read_unit
from seedtrain.simulation._exchange._source import Source, UnitPart

_SYMBOLS: Final = {
    "ampere": "A",
    "avogadro": "6.02214179e23",
    "becquerel": "Bq",
    "candela": "cd",
    "coulomb": "C",
    "dimensionless": "",
    "farad": "F",
    "gram": "g",
    "gray": "Gy",
    "henry": "H",
    "hertz": "Hz",
    "item": "items",
    "joule": "J",
    "katal": "kat",
    "kelvin": "K",
    "kilogram": "kg",
    "litre": "L",
    "lumen": "lm",
    "lux": "lx",
    "metre": "m",
    "mole": "mol",
    "newton": "N",
    "ohm": "ohm",
    "pascal": "Pa",
    "radian": "rad",
    "second": "s",
    "siemens": "S",
    "sievert": "Sv",
    "steradian": "sr",
    "tesla": "T",
    "volt": "V",
    "watt": "W",
    "weber": "Wb",
}
_PREFIXES: Final = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", -2: "c", -1: "d", 0: "", 3: "k", 6: "M", 9: "G"}
_TIMES: Final = {("second", 60.0): "min", ("second", 3600.0): "h", ("second", 86400.0): "d"}
_DEFAULTS: Final = {"substance": "mole", "volume": "litre", "time": "second", "area": "", "length": "metre"}


def unit_text(source: Source, unit: str, *, per: str = "") -> str:
    """The unit with the id `unit` as text, over that of `per` where it is given; empty where the file has none."""
    if not unit or (per and not _parts(source, per)):
        return ""
    parts = list(_parts(source, unit))
    parts += [(kind, -exponent, scale, multiplier) for kind, exponent, scale, multiplier in _parts(source, per)]
    return _text(parts)


def _parts(source: Source, unit: str) -> tuple[UnitPart, ...]:
    if unit in source.units:
        return source.units[unit]
    kind = {**_DEFAULTS, "liter": "litre", "meter": "metre"}.get(unit, unit)
    return ((kind, 1.0, 0, 1.0),) if kind else ()


def _text(parts: Iterable[UnitPart]) -> str:
    above: list[str] = []
    below: list[str] = []
    plain = 1.0
    for kind, exponent, scale, multiplier in parts:
        if exponent == 0:
            continue
        symbol = _SYMBOLS.get(kind, kind)
        named = _TIMES.get((kind, multiplier * 10.0**scale))
        if named:
            symbol = named
        elif multiplier == 1 and scale in _PREFIXES and symbol and kind not in ("avogadro", "item"):
            symbol = _PREFIXES[scale] + symbol if kind != "kilogram" or scale == 0 else f"1e{scale} kg"
        else:
            plain *= (multiplier * 10.0**scale) ** exponent
        if symbol:
            power = f"{abs(exponent):g}" if abs(exponent) != 1 else ""
            (above if exponent > 0 else below).append(symbol + power)
    head = "*".join(above) or ("1" if below else "")
    text = "/".join([head, *below])
    return text if plain == 1.0 else f"{plain:g} {text}".strip()


_BASES: Final = {
    "mass": ("gram", (0, -3, 3, -6, -9)),
    "length": ("metre", (0, -2, -3, -1)),
    "volume": ("litre", (0, -3, -6, 3)),
    "temperature": ("kelvin", (0,)),
    "amount": ("mole", (0, -3, -6, -9)),
    "current": ("ampere", (0,)),
    "cell count": ("item", (0,)),
    "copy number": ("item", (0,)),
    "colony count": ("item", (0,)),
    "base pairs": ("item", (0,)),
}
"""SBML's kind of each dimension, and the powers of ten that people use with it."""
_SECONDS: Final = (3600, 1, 60, 86400)
_SCALED: Final = re.compile(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s+(?=[A-Za-z])(.*)")


def unit_parts(text: str) -> tuple[UnitPart, ...] | None:
    """A unit as Seedtrain writes it in SBML's kinds; None where SBML lacks the dimension (money) or it is degC.

    What remains of the factor beside kinds, powers of ten and seconds stands with a dimensionless part.
    """
    scaled = _SCALED.fullmatch(text.strip())
    try:
        unit = read_unit(scaled[2] if scaled else text)
    except QuantityError:
        return None
    powers = dict(unit.dimension)
    factor = unit.factor * (Fraction(scaled[1]) if scaled else 1)
    hours = powers.pop("time", 0)
    if powers.get("length", 0) % 3 == 0 and "length" in powers:
        powers["volume"] = powers.pop("length") // 3
        factor *= Fraction(1000) ** powers["volume"]  # 1 m3 is 1000 L
    if unit.offset or not set(powers) <= set(_BASES):
        return None
    seconds, scales = _split(factor, hours, powers)
    rest = factor / Fraction(seconds) ** hours
    parts: list[UnitPart] = []
    for (name, power), scale in zip(powers.items(), scales, strict=True):
        parts.append((_BASES[name][0], float(power), scale, 1.0))
        rest /= Fraction(10) ** (scale * power)
    if hours:
        parts.append(("second", float(hours), 0, float(seconds)))
    if rest != 1:
        parts.append(("dimensionless", 1.0, 0, float(rest)))
    return tuple(parts) or (("dimensionless", 1.0, 0, 1.0),)


def _split(factor: Fraction, hours: int, powers: Mapping[str, int]) -> tuple[int, tuple[int, ...]]:
    """Seconds of the unit of time, and a power of ten for each other dimension, that leave no factor where they can."""
    choices = [_BASES[name][1] for name in powers]
    # The usual first: mmol/L before mol/kL.
    ranked = sorted(product(*(range(len(items)) for items in choices)), key=sum)
    for seconds in _SECONDS if hours else (1,):
        for ranks in ranked:
            scales = tuple(items[at] for items, at in zip(choices, ranks, strict=True))
            size = Fraction(seconds) ** hours
            for power, scale in zip(powers.values(), scales, strict=True):
                size *= Fraction(10) ** (scale * power)
            if size == factor:
                return seconds, scales
    return 1, (0,) * len(powers)


def unit_id(text: str) -> str:
    """An SBML identifier for a unit: `g_per_L_per_h`."""
    plain = text.replace("%", "percent").replace("*", "_").replace("^", "").replace(".", "_").replace("+", "")
    words = re.sub(r"[^A-Za-z0-9_]+", "_", plain.replace("/", "_per_")).strip("_")
    return words if words[:1].isalpha() else f"unit_{words}".rstrip("_")
