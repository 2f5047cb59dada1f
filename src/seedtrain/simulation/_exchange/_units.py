"""Units of SBML as people write them (mmol/L, 1/s), and the other way round."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
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
    "mass": "gram",
    "length": "metre",
    "time": "second",
    "temperature": "kelvin",
    "amount": "mole",
    "current": "ampere",
}


def unit_parts(text: str) -> tuple[UnitPart, ...] | None:
    """The unit `text` of Seedtrain in SBML's kinds; None where SBML has no such dimension (money, cells, activity)."""
    try:
        unit = read_unit(text)
    except QuantityError:
        return None
    powers = dict(unit.dimension)
    if unit.offset or not set(powers) <= set(_BASES):
        return None
    parts: list[UnitPart] = []
    factor = unit.factor
    if powers.get("length", 0) % 3 == 0 and powers.get("length"):
        # Litres, as bioprocesses count them: 1 m3 is 1000 L.
        cubes = powers.pop("length") // 3
        parts.append(("litre", float(cubes), 0, 1.0))
        factor *= Fraction(1000) ** cubes
    hours = powers.pop("time", 0)
    if hours:
        size = 3600 if (factor * Fraction(3600) ** -hours).denominator < factor.denominator or factor == 1 else 1
        size = 3600 if text.replace(" ", "").endswith("h") or "/h" in text or text == "h" else size
        size = size if factor != 1 or text == "h" else 1
        parts.append(("second", float(hours), 0, float(size)))
        factor *= Fraction(1, size) ** hours
    parts += [(_BASES[name], float(power), 0, 1.0) for name, power in powers.items()]
    if factor != 1:
        parts.append(("dimensionless", 1.0, 0, float(factor)))
    return tuple(parts) or (("dimensionless", 1.0, 0, 1.0),)
