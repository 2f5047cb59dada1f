"""What biomass and exchanged substances are made of by the model's formulas: uncharged matter of C, H, N, O and S."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError
from seedtrain.simulation._metabolism._network import MASSES, Network

COUNTED: Final = ("C", "H", "O", "N", "S")
_ATOM: Final = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")
MASS_TOLERANCE: Final = 0.05
"""g: how far one unit of growth may be from one gram."""


@dataclass(frozen=True)
class Matter:
    """Atoms by element of one formula (for biomass: mmol in 1 g), `protons` that its acid gives off, `ash` in g/g."""

    atoms: Mapping[str, float]
    protons: float = 0.0
    ash: float = 0.0

    @property
    def electrons(self) -> float:
        """What full oxidation to CO2, H2O, NH3 and sulphate frees."""
        found = self.atoms
        return 4 * found["C"] + found["H"] - 2 * found["O"] - 3 * found["N"] + 6 * found["S"]

    @property
    def grams(self) -> float:
        """Mass of the atoms, g/mol (for biomass mg), without ash."""
        return sum(MASSES[name] * count for name, count in self.atoms.items())


def substance(network: Network, exchange: str) -> Matter | None:
    """The substance that crosses by `exchange`, as its uncharged acid; nothing where it holds no carbon of its own.

    Raises `InputError` for one whose formula is missing or holds other elements.
    """
    metabolite = next(iter(network.takes(exchange)))
    row = network.metabolites.index(metabolite)
    atoms, charge = _atoms(network.formulas[row]), float(network.charges[row])
    other = sorted(set(atoms) - set(COUNTED))
    if not atoms or other or math.isnan(charge):
        words = f"holds {', '.join(other)}" if other else "has no formula or charge"
        raise InputError(f"{metabolite} of {exchange} {words}", remedy="Do not follow this exchange.")
    if not atoms.get("C") or set(atoms) == {"C", "O"}:
        return None
    full = {name: atoms.get(name, 0.0) for name in COUNTED}
    full["H"] -= charge
    return Matter(full, protons=max(-charge, 0.0))


def biomass(network: Network) -> Matter:
    """1 g of biomass: what the growth reaction takes up and does not give back; phosphorus and metals are ash.

    Phosphorus counts as phosphoric acid, which neither gives nor takes electrons. Raises `InputError` where the model's
    formulas do not add up to a gram.
    """
    if not abs(network.growth_mass - 1.0) < MASS_TOLERANCE:
        raise InputError(
            f"one unit of {network.growth} weighs {network.growth_mass:.3g} g by its formulas, and should 1 g",
            position=network.place(network.growth),
            remedy="Use a model whose biomass is consistent, such as iJO1366.",
        )
    atoms, charge = dict.fromkeys((*COUNTED, "P"), 0.0), 0.0
    column = network.stoichiometry[:, [network.column(network.growth)]].tocoo()
    for row, value in zip(column.row, column.data, strict=True):
        own = _atoms(network.formulas[row])
        if not set(own) & set(atoms):
            continue  # a metal
        charge -= float(value) * float(network.charges[row])
        for name in atoms:
            atoms[name] -= float(value) * own.get(name, 0.0)
    phosphorus = atoms.pop("P")
    atoms["H"] -= charge + 3 * phosphorus
    atoms["O"] -= 4 * phosphorus
    found = Matter(atoms)
    ash = 1.0 - found.grams / 1000
    if not (0 <= ash < 0.3 and min(atoms.values()) >= 0) or math.isnan(charge):
        message = f"the formulas and charges of {network.growth} give no composition of biomass (ash {ash:.2f} g/g)"
        raise InputError(message, position=network.place(network.growth), remedy="Correct them in the model.")
    return Matter(atoms, ash=ash)


def _atoms(formula: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, count in _ATOM.findall(formula):
        found[name] = found.get(name, 0.0) + float(count or 1)
    return found
