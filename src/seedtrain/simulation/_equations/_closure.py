"""What closes each conversion, as text over the culture's parameters: species, O2, CO2, NH3, water, minerals, H+.

The same algebra as `close`, written for the engine, so that a yield or an element of a formula is a number like any
other: it varies within an ensemble, and sensitivities see what it does to oxygen, heat and base.
"""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._culture import Culture, Species
from seedtrain.simulation._elements import ATOMIC_MASS, ELEMENTS, H2O_MASS, SULPHATE_MASS
from seedtrain.simulation._equations._text import Line, own, parameter_names, total

CLOSERS: Final = ("O", "C", "N", "W", "Z", "H")
"""O2 used, CO2, NH3 made (mmol), water, minerals made (g), H+ given off (mmol)."""


def closure(culture: Culture) -> list[Line]:
    """`s{i}_{species}` and `z{i}_{closer}` of every conversion, per unit of its rate."""
    lines: list[Line] = []
    for name, item in culture.species.items():
        lines += _contents(name, item)
    for index, conversion in enumerate(culture.conversions):
        for name, amount in conversion.amounts.items():
            lines.append((f"s{index}_{name}", own(amount.code, parameter_names(culture))))
        lines += _closers(culture, index, tuple(conversion.amounts))
    return lines


def _contents(name: str, item: Species) -> list[Line]:
    """What one unit of amount (g, mmol, a cell) of a species holds.

    `k_`: atoms of its formula, `M_`: the formula's mass; `g_`: mol of it, `e_`: mol of each element, `a_`: g of ash.
    """
    if not item.formula or item.weightless or item.intensive:
        return []
    lines = [(f"k_{name}_{element}", own(text.code, text.names)) for element, text in item.formula.items()]
    lines.append((f"M_{name}", total(f"{ATOMIC_MASS[element]!r} * k_{name}_{element}" for element in item.formula)))
    grams = "1.0" if item.unit == "g/L" else repr(item.mass) if item.mass else f"M_{name} / {1000 * (1 - item.ash)!r}"
    lines.append((f"g_{name}", f"{1 - item.ash!r} / M_{name} * ({grams})"))
    lines += [(f"e_{name}_{element}", f"k_{name}_{element} * g_{name}") for element in item.formula]
    return [*lines, *([(f"a_{name}", f"{item.ash!r} * ({grams})")] if item.ash else [])]


def _closers(culture: Culture, index: int, names: tuple[str, ...]) -> list[Line]:
    known = culture.species
    bodies = [name for name in names if known[name].formula and not (known[name].weightless or known[name].intensive)]

    def net(element: str) -> str:
        holders = [name for name in bodies if element in culture.species[name].formula]
        return total(f"s{index}_{name} * e_{name}_{element}" for name in holders)

    acid = [name for name in bodies if known[name].protons]
    ashes = total(f"s{index}_{name} * a_{name}" for name in bodies if known[name].ash)
    i = f"b{index}"
    return [
        *((f"{i}_{element}", net(element)) for element in ELEMENTS),
        (f"{i}_water", f"-({i}_H - 3.0 * {i}_N - 2.0 * {i}_S) / 2.0"),
        (f"{i}_O2", f"-({i}_O - 2.0 * {i}_C + {i}_water - 4.0 * {i}_S) / 2.0"),
        (f"z{index}_O", f"-1000.0 * {i}_O2"),
        (f"z{index}_C", f"-1000.0 * {i}_C"),
        (f"z{index}_N", f"-1000.0 * {i}_N"),
        (f"z{index}_W", f"{H2O_MASS!r} * {i}_water"),
        (f"z{index}_Z", f"-({ashes}) - {SULPHATE_MASS!r} * {i}_S"),
        (
            f"z{index}_H",
            "1000.0 * ("
            + total([f"{i}_N", *(f"s{index}_{name} * {known[name].protons!r} * g_{name}" for name in acid)])
            + ")",
        ),
    ]
