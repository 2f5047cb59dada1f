"""Reading a unit's text into its dimension and exact factor; the only place that does."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.quantity._table import ALIASES, ATOMS, CURRENCIES, PREFIXES, REFUSED, WORDS, Dimension

_KELVIN_AT_ZERO_CELSIUS: Final = Fraction("273.15")  # BIPM SI brochure, 9th edition, section 2.3.1
_MONEY: Final = re.compile(rf"({'|'.join(CURRENCIES)})_(\d{{4}})")
_CARBON: Final = re.compile(r"((?:[kM]?g)|k?t) ?CO2(?:e|eq|-eq)(?![A-Za-z0-9])")
_TOKEN: Final = re.compile(r" *(?:(?P<op>[/*()])|(?P<atom>[^\s/*()]+))")
_ATOM: Final = re.compile(r"(?P<name>.*?[^\d^+-]|%)(?:\^?(?P<power>[+-]?\d+))?")
_MINUS_AND_DOTS: Final = str.maketrans({"−": "-", "·": "*", "⋅": "*", "×": "*"})


class QuantityError(InputError, ValueError):
    """A number, a unit or a dimension that cannot be taken."""


@dataclass(frozen=True)
class Unit:
    """A unit: `spelling` in its one normal form, powers of base dimensions, exact factor and offset to the base."""

    spelling: str
    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)


def normal_text(text: str) -> str:
    """`text` with look-alike characters folded: full-width forms, superscripts, micro, minus and multiplication."""
    folded = unicodedata.normalize("NFKC", text.translate(_MINUS_AND_DOTS)).translate(_MINUS_AND_DOTS)
    return " ".join(folded.replace("μ", "u").split())


@lru_cache(maxsize=4096)
def read_unit(text: str) -> Unit:
    """The unit that `text` names; raises `QuantityError` for an unknown or ambiguous one. `""` is a plain number."""
    plain = normal_text(text)
    if plain in ("", "1"):
        return Unit("", (), Fraction(1))
    if plain in REFUSED:
        raise _refusal(plain)
    marked = _CARBON.sub(lambda found: f"{found[1]}~CO2e", plain)
    factors = _Reader(plain, marked).read()
    offset = Fraction(0)
    powers: dict[str, int] = {}
    factor = Fraction(1)
    for name, power in factors:
        if name == "degC":
            if len(factors) > 1 or power != 1:
                raise QuantityError(
                    f"{plain!r} calculates with degC, whose zero is arbitrary",
                    remedy="Write K for a difference of temperatures.",
                )
            offset = _KELVIN_AT_ZERO_CELSIUS
        dimension, size = _atom(name, plain)
        factor *= size**power
        for base, exponent in dimension:
            powers[base] = powers.get(base, 0) + exponent * power
    found = tuple(sorted((base, exponent) for base, exponent in powers.items() if exponent))
    return Unit(_spell(factors), found, factor, offset)


class _Reader:
    """Splits a unit's text into (atom, power) pairs, refusing what reads two ways."""

    def __init__(self, shown: str, text: str) -> None:
        self.shown = shown
        self.factors: list[tuple[str, int]] = []
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._fault("it is not a unit")
            self.tokens.append(("op", found["op"]) if found["op"] else ("atom", found["atom"]))
            at = found.end()

    def read(self) -> list[tuple[str, int]]:
        sign, after, depth, below = 1, "start", 0, False
        for kind, part in self.tokens:
            if kind == "atom":
                if after == "atom" and below and not depth:
                    raise self._fault("what stands after '/' reads two ways", "Write one '/' before each: L/m2/h.")
                self._add(part, sign)
                after = "atom"
            elif part == "/":
                if depth or after not in ("atom", "start"):
                    raise self._fault("the '/' stands at a wrong place")
                sign, after, below = -1, "/", True
            elif part == "*":
                if after != "atom" or (below and not depth):
                    raise self._fault("the product reads two ways", "Write one '/' before each: L/m2/h.")
                after = "*"
            elif part == "(":
                if after == "atom" or depth:
                    raise self._fault("the brackets stand at a wrong place")
                depth, after = 1, "("
            else:
                if after != "atom" or not depth:
                    raise self._fault("the brackets stand at a wrong place")
                depth = 0
        if after != "atom" or depth:
            raise self._fault("it is not finished")
        return self.factors

    def _add(self, part: str, sign: int) -> None:
        if part == "1" and not self.factors:
            self.factors.append(("", 0))
            return
        part = part.replace("~", " ")
        name, power = part, 1
        if not _known(part):
            found = _ATOM.fullmatch(part)
            if found is None:
                raise self._fault(f"{part!r} is not a unit")
            name, power = found["name"], int(found["power"] or 1)
        if power == 0 or abs(power) > 6:
            raise self._fault(f"the power {power} is out of 1 .. 6")
        self.factors = [pair for pair in self.factors if pair[1]]
        self.factors.append((ALIASES.get(name, name), sign * power))

    def _fault(self, why: str, remedy: str = "Write a unit such as g/L, L/m2/h or W/m2/K.") -> QuantityError:
        return QuantityError(f"{self.shown!r} cannot be read as a unit: {why}", remedy=remedy)


def _spell(factors: list[tuple[str, int]]) -> str:
    above = [name + (str(power) if power > 1 else "") for name, power in factors if power > 0]
    below = [name + (str(-power) if power < -1 else "") for name, power in factors if power < 0]
    return "/".join(["*".join(above) or "1", *below])


def _known(name: str) -> bool:
    return name in ALIASES or name in REFUSED or _own(name) is not None


@cache
def _own(name: str) -> tuple[Dimension, Fraction] | None:
    if _MONEY.fullmatch(name):
        return ((name, 1),), Fraction(1)
    for prefix, size in PREFIXES.items():
        base = name.removeprefix(prefix)
        entry = ATOMS.get(base)
        if entry and name.startswith(prefix) and (not prefix or prefix in entry[2]):
            return tuple(sorted(entry[0].items())), entry[1] * size
    return None


def _atom(name: str, shown: str) -> tuple[Dimension, Fraction]:
    if not name:
        return (), Fraction(1)
    if name in REFUSED:
        raise _refusal(name, shown)
    found = _own(name) or _from_pint(name)
    if found is None:
        near = _nearest(name)
        raise QuantityError(
            f"there is no unit {name!r}" + (f" (in {shown!r})" if shown != name else ""),
            remedy=f"Did you mean {near!r}?" if near else "Write a unit such as g/L, 1/h, mL or degC.",
        )
    return found


def _refusal(name: str, shown: str = "") -> QuantityError:
    why, remedy = REFUSED[name]
    where = f" (in {shown!r})" if shown and shown != name else ""
    return QuantityError(f"the unit {name!r}{where} is ambiguous: {why}", remedy=remedy)


def _nearest(name: str) -> str:
    spellings = [prefix + base for base, entry in ATOMS.items() for prefix in ("", *entry[2])]
    same = [known for known in spellings if known.lower() == name.lower()]
    found = same or difflib.get_close_matches(name, spellings, n=1, cutoff=0.75)
    return str(found[0]) if found else ""


_PINT_BASES: Final = {
    "[mass]": ("mass", Fraction(1000)),  # pint counts in kg, we in g
    "[length]": ("length", Fraction(1)),
    "[time]": ("time", Fraction(1)),
    "[temperature]": ("temperature", Fraction(1)),
    "[substance]": ("amount", Fraction(1)),
    "[current]": ("current", Fraction(1)),
}


@cache
def _from_pint(name: str) -> tuple[Dimension, Fraction] | None:
    """A unit that our table lacks, from pint: only whole words that pint lists, never a prefix that it guesses."""
    if len(name) < 3 or not name.isidentifier():
        return None
    registry = _registry()
    if name not in registry._units:
        return None
    base = registry.Quantity(1, name).to_base_units()
    powers = {str(base_name): power for base_name, power in base.dimensionality.items()}
    if not powers or not set(powers) <= set(_PINT_BASES) or not registry._units[name].is_multiplicative:
        return None
    if any(int(power) != power for power in powers.values()):
        return None
    factor = Fraction(str(base.magnitude))
    for base_name, power in powers.items():
        factor *= _PINT_BASES[base_name][1] ** int(power)
    return tuple(sorted((_PINT_BASES[item][0], int(power)) for item, power in powers.items())), factor


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def dimension_words(unit: str) -> str:
    """What `unit` measures, in words: "concentration" for g/L."""
    dimension = read_unit(unit).dimension
    if dimension in WORDS:
        return WORDS[dimension]
    money = [name for name, power in dimension if _MONEY.fullmatch(name) and power == 1]
    if money and len(dimension) == 1:
        return f"amount of money of {money[0][4:]}"
    if money and dict(dimension) == {money[0]: 1, "mass": -1}:
        return f"price per mass in money of {money[0][4:]}"
    above = "*".join(name + (str(power) if power > 1 else "") for name, power in dimension if power > 0)
    below = "".join(f"/{name}" + (str(-power) if power < -1 else "") for name, power in dimension if power < 0)
    return f"quantity of dimension {above or '1'}{below}"


def same_dimension(a: str, b: str) -> bool:
    """Whether `a` and `b` measure the same and convert into each other."""
    return read_unit(a).dimension == read_unit(b).dimension


@lru_cache(maxsize=16384)
def _ratio(unit: str, to: str) -> tuple[float, float, float]:
    a, b = read_unit(unit), read_unit(to)
    if a.dimension != b.dimension:
        raise dimension_error(unit, to)
    ratio = a.factor / b.factor
    return float(ratio.numerator), float(ratio.denominator), float((a.offset - b.offset) / b.factor)


def dimension_error(unit: str, like: str) -> QuantityError:
    """The error for a `unit` that does not measure what `like` does."""
    a, b = dimension_words(unit), dimension_words(like)
    years = [_MONEY.fullmatch(name) for item in (unit, like) for name, _ in read_unit(item).dimension]
    if a.replace("of", "") == b.replace("of", "") or len([year for year in years if year]) == 2:
        return QuantityError(
            f"{read_unit(unit).spelling!r} and {read_unit(like).spelling!r} are money of different currencies or years",
            remedy="Convert it with a price index or an exchange rate first, and write the unit of the result.",
        )
    shown = read_unit(like).spelling or "1"
    return QuantityError(
        f"{read_unit(unit).spelling or 'a bare number'!r} is {article(a)}, not {article(b)} (like {shown})",
        remedy=f"Write a value in {shown} or a unit that converts to it.",
    )


def article(words: str) -> str:
    """`words` with its indefinite article."""
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def convert(value: float, unit: str, to: str) -> float:
    """`value` in `unit` as a number in `to`; exact factors, one rounding. Raises `QuantityError` across dimensions."""
    above, below, shift = _ratio(unit, to)
    scaled = value / below if above == 1.0 else value * above / below
    return scaled + shift if shift else scaled
