"""Elemental compositions, and the exchange of O2, CO2, NH3, H2O and sulphate that closes a conversion.

Atomic masses: IUPAC 2021 abridged values (Prohaska et al. 2022, Pure Appl. Chem. 94:573), g/mol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ATOMIC_MASS: Final = {"C": 12.011, "H": 1.0080, "O": 15.999, "N": 14.007, "S": 32.06}
ELEMENTS: Final = tuple(ATOMIC_MASS)

O2_MASS: Final = 2 * ATOMIC_MASS["O"]
CO2_MASS: Final = ATOMIC_MASS["C"] + 2 * ATOMIC_MASS["O"]
NH3_MASS: Final = ATOMIC_MASS["N"] + 3 * ATOMIC_MASS["H"]
H2O_MASS: Final = 2 * ATOMIC_MASS["H"] + ATOMIC_MASS["O"]
SULPHATE_MASS: Final = 2 * ATOMIC_MASS["H"] + ATOMIC_MASS["S"] + 4 * ATOMIC_MASS["O"]  # as H2SO4


@dataclass(frozen=True)
class Composition:
    """What one gram holds: `elements` in mol/g for C, H, O, N and S, and `ash` in g/g (minerals from the medium)."""

    elements: Mapping[str, float]
    ash: float = 0.0

    @property
    def reduction(self) -> float:
        """Electrons that full oxidation to CO2, H2O, NH3 and sulphate frees, mol/g."""
        found = self.elements
        return 4 * found["C"] + found["H"] - 2 * found["O"] - 3 * found["N"] + 6 * found["S"]


def composition(formula: Mapping[str, float], ash: float = 0.0) -> Composition:
    """The composition of `formula` (atoms by element, any common factor) with the mass fraction `ash`, g/g."""
    mass = sum(ATOMIC_MASS[element] * count for element, count in formula.items())
    assert mass > 0
    assert 0 <= ash < 1
    return Composition({element: formula.get(element, 0.0) * (1 - ash) / mass for element in ELEMENTS}, ash)


@dataclass(frozen=True)
class Exchange:
    """What closes a conversion, produced where positive: mol of each, and g of minerals."""

    O2: float
    CO2: float
    NH3: float
    H2O: float
    sulphate: float
    minerals: float

    @property
    def mass(self) -> float:
        """g in all; with the species of the conversion this sums to zero."""
        return (
            self.O2 * O2_MASS
            + self.CO2 * CO2_MASS
            + self.NH3 * NH3_MASS
            + self.H2O * H2O_MASS
            + self.sulphate * SULPHATE_MASS
            + self.minerals
        )


def close(amounts: Mapping[str, float], compositions: Mapping[str, Composition]) -> Exchange:
    """The exchange that makes C, H, O, N, S and ash of `amounts` (g, negative where consumed) balance.

    Nitrogen comes as NH3, sulphur as H2SO4 and ash as minerals of the medium; the five unknowns follow one after the
    other from the five elements.
    """
    net = {
        element: sum(mass * compositions[name].elements[element] for name, mass in amounts.items())
        for element in ELEMENTS
    }
    carbon_dioxide, ammonia, sulphate = -net["C"], -net["N"], -net["S"]
    water = -(net["H"] + 3 * ammonia + 2 * sulphate) / 2
    oxygen = -(net["O"] + 2 * carbon_dioxide + water + 4 * sulphate) / 2
    minerals = -sum(mass * compositions[name].ash for name, mass in amounts.items())
    return Exchange(oxygen, carbon_dioxide, ammonia, water, sulphate, minerals)
