"""The units that bioprocess files use, the spellings that are refused, and the words for their dimensions.

Factors are exact fractions to the base units g, m, s, K, mol, A, cd and the field's own bases (EU, CFU, USD_2025 ...).
SI values and non-SI units accepted with the SI: BIPM, The International System of Units, 9th edition (2019), tables 4
to 8; the bar and the standard atmosphere likewise. The pound is 0.45359237 kg exactly (international yard and pound
agreement, 1959).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

Dimension = tuple[tuple[str, int], ...]
"""Powers of base dimensions, sorted by name, without zeros; `()` is a plain number."""

PREFIXES: Final = {
    "": Fraction(1),
    "p": Fraction(1, 10**12),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "c": Fraction(1, 10**2),
    "d": Fraction(1, 10),
    "h": Fraction(10**2),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
}

_SECONDS_PER_YEAR = Fraction(31557600)  # the Julian year of 365.25 d

# Atom: (powers of base dimensions, factor to the base, prefixes that it takes).
ATOMS: Final[dict[str, tuple[dict[str, int], Fraction, str]]] = {
    "g": ({"mass": 1}, Fraction(1), "pnumk"),
    "t": ({"mass": 1}, Fraction(10**6), "k"),
    "gDCW": ({"mass": 1}, Fraction(1), "mk"),  # grams of dry cells: a mass, so gDCW/L compares with g/L
    "lb": ({"mass": 1}, Fraction("453.59237"), ""),
    "m": ({"length": 1}, Fraction(1), "numcdk"),
    "L": ({"length": 3}, Fraction(1, 1000), "pnumcdh"),
    "s": ({"time": 1}, Fraction(1), "num"),
    "min": ({"time": 1}, Fraction(60), ""),
    "h": ({"time": 1}, Fraction(3600), ""),
    "d": ({"time": 1}, Fraction(86400), ""),
    "week": ({"time": 1}, Fraction(7 * 86400), ""),
    "year": ({"time": 1}, _SECONDS_PER_YEAR, ""),
    "Hz": ({"time": -1}, Fraction(1), "kMG"),
    "rpm": ({"time": -1}, Fraction(1, 60), ""),
    "vvm": ({"aeration": 1}, Fraction(1), ""),  # gas volume per liquid volume and minute: never a plain 1/min
    "K": ({"temperature": 1}, Fraction(1), "m"),
    "degC": ({"temperature": 1}, Fraction(1), ""),
    "mol": ({"amount": 1}, Fraction(1), "pnumk"),
    "M": ({"amount": 1, "length": -3}, Fraction(1000), "pnum"),
    "Da": ({"mass": 1, "amount": -1}, Fraction(1), "kM"),  # read as a molar mass, as the field does: 1 kDa = 1 kg/mol
    "kat": ({"amount": 1, "time": -1}, Fraction(1), "pnum"),
    "N": ({"mass": 1, "length": 1, "time": -2}, Fraction(1000), "mk"),
    "g_n": ({"length": 1, "time": -2}, Fraction("9.80665"), ""),  # standard gravity: 4000 g_n in a centrifuge
    "Pa": ({"mass": 1, "length": -1, "time": -2}, Fraction(1000), "mhkMG"),
    "bar": ({"mass": 1, "length": -1, "time": -2}, Fraction(10**8), "um"),
    "atm": ({"mass": 1, "length": -1, "time": -2}, Fraction(101325000), ""),
    "P": ({"mass": 1, "length": -1, "time": -1}, Fraction(100), "mc"),
    "J": ({"mass": 1, "length": 2, "time": -2}, Fraction(1000), "mkMG"),
    "kcal": ({"mass": 1, "length": 2, "time": -2}, Fraction(4184000), ""),  # thermochemical
    "W": ({"mass": 1, "length": 2, "time": -3}, Fraction(1000), "umkMG"),
    "Wh": ({"mass": 1, "length": 2, "time": -2}, Fraction(3600000), "kMG"),
    "V": ({"mass": 1, "length": 2, "time": -3, "current": -1}, Fraction(1000), "umk"),
    "S": ({"mass": -1, "length": -2, "time": 3, "current": 2}, Fraction(1, 1000), "um"),
    "%": ({}, Fraction(1, 100), ""),
    "EU": ({"endotoxin": 1}, Fraction(1), "mkM"),
    "IU": ({"international unit": 1}, Fraction(1), "mkM"),
    "CFU": ({"colony count": 1}, Fraction(1), ""),
    "cells": ({"cell count": 1}, Fraction(1), ""),
    "copies": ({"copy number": 1}, Fraction(1), ""),
    "OD600": ({"optical density": 1}, Fraction(1), ""),
    "NTU": ({"turbidity": 1}, Fraction(1), ""),
    "bp": ({"base pairs": 1}, Fraction(1), "kM"),
    "g CO2e": ({"carbon footprint": 1}, Fraction(1), "kM"),
    "t CO2e": ({"carbon footprint": 1}, Fraction(10**6), "k"),
}

CURRENCIES: Final = ("USD", "EUR", "CNY", "GBP", "JPY", "CHF", "KRW", "SGD", "CAD", "AUD")

ALIASES: Final = {
    "l": "L",
    "ml": "mL",
    "ul": "uL",
    "percent": "%",
    "°C": "degC",
    "celsius": "degC",
    "Celsius": "degC",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "weeks": "week",
    "a": "year",
    "yr": "year",
    "years": "year",
    "cell": "cells",
    "copy": "copies",
    "USD": "USD_2025",
}

# Spelling: (why it is refused, what to write).
REFUSED: Final = {
    "U": (
        "an enzyme unit means only what its assay says, and some write U for IU",
        "Write IU for an international unit, or umol/min for an activity.",
    ),
    "kU": ("an enzyme unit means only what its assay says", "Write kIU, or umol/min for an activity."),
    "mU": ("an enzyme unit means only what its assay says", "Write mIU, or nmol/min for an activity."),
    "unit": ("it does not say what is counted", "Write IU, EU or the amount's own unit."),
    "units": ("it does not say what is counted", "Write IU, EU or the amount's own unit."),
    "enzyme_unit": ("an enzyme unit means only what its assay says", "Write umol/min."),
    "ppm": ("it hides whether masses, volumes or amounts are compared", "Write mg/kg, mg/L, uL/L or umol/mol."),
    "ppb": ("it hides whether masses, volumes or amounts are compared", "Write ug/kg, ug/L, nL/L or nmol/mol."),
    "ppt": ("it may be parts per thousand or per trillion", "Write g/kg or ng/kg."),
    "Mg": ("it may be a megagram, magnesium or a slip for mg", "Write t or mg."),
    "MM": ("it may be molar, millions or a slip for mM", "Write M or mM."),
    "OD": ("it does not say at which wavelength", "Write OD600."),
    "A": ("it may be ampere or absorbance", "Write OD600 for the absorbance at 600 nm."),
    "C": ("it may be coulomb or degree Celsius", "Write degC."),
    "F": ("it may be farad or degree Fahrenheit", "Write degC."),
    "degF": ("Fahrenheit is not used here", "Write degC."),
    "deg": ("it may be an angle or a temperature", "Write degC."),
    "degree": ("it may be an angle or a temperature", "Write degC."),
    "degrees": ("it may be an angle or a temperature", "Write degC."),
    "ton": ("it may be the short, the long or the metric ton", "Write t for 1000 kg."),
    "gal": ("US and imperial gallons differ", "Write L."),
    "gallon": ("US and imperial gallons differ", "Write L."),
    "cal": ("the small and the food calorie differ by 1000", "Write J or kcal."),
    "Cal": ("the small and the food calorie differ by 1000", "Write J or kcal."),
    "xg": ("its g reads as gram", "Write g_n, the standard gravity: 4000 g_n."),
    "rcf": ("its unit is the standard gravity", "Write g_n: 4000 g_n."),
    "barg": ("the field, not the unit, says whether a pressure is gauge or absolute", "Write bar."),
    "bara": ("the field, not the unit, says whether a pressure is gauge or absolute", "Write bar."),
    "Nm3": ("it may be newton metres or a normal cubic metre", "Write m3; the field says at which conditions."),
    "slpm": ("standard conditions differ between makers", "Write L/min; the field says at which conditions."),
    "sL": ("standard conditions differ between makers", "Write L; the field says at which conditions."),
    "CO2e": ("it needs the mass of the gas", "Write kg CO2e."),
    "CO2eq": ("it needs the mass of the gas", "Write kg CO2e."),
    "$": ("it says neither which dollar nor of which year", "Write USD, which is USD_2025."),
    "€": ("it does not say of which year", "Write EUR_2025."),
    "¥": ("it may be yuan or yen, and does not say of which year", "Write CNY_2025 or JPY_2025."),
    "RMB": ("it does not say of which year", "Write CNY_2025."),
    **{code: ("money needs the year of its prices", f"Write {code}_2025.") for code in CURRENCIES if code != "USD"},
}


def _dimension(**powers: int) -> Dimension:
    return tuple(sorted((name.replace("_", " "), power) for name, power in powers.items() if power))


WORDS: Final[dict[Dimension, str]] = {
    (): "fraction or plain number",
    _dimension(mass=1): "mass",
    _dimension(length=1): "length or volume per area",
    _dimension(length=2): "area",
    _dimension(length=3): "volume",
    _dimension(time=1): "time",
    _dimension(time=-1): "rate (1/time)",
    _dimension(temperature=1): "temperature",
    _dimension(amount=1): "amount of substance",
    _dimension(aeration=1): "aeration",
    _dimension(mass=1, length=-3): "concentration",
    _dimension(amount=1, length=-3): "molar concentration",
    _dimension(amount=1, length=-3, time=-1): "molar rate per volume",
    _dimension(mass=1, length=-3, time=-1): "productivity",
    _dimension(amount=1, mass=-1, time=-1): "specific molar rate",
    _dimension(amount=1, mass=-1): "amount per mass",
    _dimension(amount=1, time=-1): "molar flow or activity",
    _dimension(mass=1, amount=-1): "molar mass",
    _dimension(length=3, time=-1): "flow",
    _dimension(mass=1, time=-1): "mass flow",
    _dimension(length=1, time=-1): "velocity or flux",
    _dimension(length=1, time=-2): "acceleration",
    _dimension(mass=1, length=-1, time=-2): "pressure or energy per volume",
    _dimension(mass=1, length=2, time=-2): "energy",
    _dimension(mass=1, length=2, time=-3): "power",
    _dimension(mass=1, length=-1, time=-3): "power per volume",
    _dimension(mass=1, time=-3): "heat flux",
    _dimension(mass=1, time=-3, temperature=-1): "heat transfer coefficient",
    _dimension(length=2, time=-2): "energy per mass",
    _dimension(mass=1, length=-1, time=-1): "viscosity",
    _dimension(mass=1, length=-2): "mass per area",
    _dimension(mass=1, length=1, time=-2): "force",
    _dimension(endotoxin=1): "endotoxin amount",
    _dimension(endotoxin=1, mass=-1): "endotoxin per mass",
    _dimension(endotoxin=1, length=-3): "endotoxin concentration",
    _dimension(international_unit=1): "amount in international units",
    _dimension(international_unit=1, mass=-1): "specific activity in international units",
    _dimension(international_unit=1, length=-3): "concentration in international units",
    _dimension(colony_count=1): "colony count",
    _dimension(colony_count=1, mass=-1): "colony count per mass",
    _dimension(colony_count=1, length=-3): "colony count per volume",
    _dimension(cell_count=1): "cell count",
    _dimension(cell_count=1, length=-3): "cell density",
    _dimension(copy_number=1): "copy number",
    _dimension(optical_density=1): "optical density",
    _dimension(turbidity=1): "turbidity",
    _dimension(carbon_footprint=1): "carbon footprint",
    _dimension(carbon_footprint=1, mass=-1): "carbon footprint per mass",
    _dimension(base_pairs=1): "length of DNA",
}
