"""The drain that a product is to a metabolic model: its own amino acids, their activation and their joining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError
from seedtrain.bioinformatics._protein import ATP_PER_RESIDUE, Protein

BIGG_AMINO_ACIDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "A": "ala__L",
        "R": "arg__L",
        "N": "asn__L",
        "D": "asp__L",
        "C": "cys__L",
        "Q": "gln__L",
        "E": "glu__L",
        "G": "gly",
        "H": "his__L",
        "I": "ile__L",
        "L": "leu__L",
        "K": "lys__L",
        "M": "met__L",
        "F": "phe__L",
        "P": "pro__L",
        "S": "ser__L",
        "T": "thr__L",
        "W": "trp__L",
        "Y": "tyr__L",
        "V": "val__L",
    }
)
"""BiGG identifiers without the compartment."""

CHARGES: Final[Mapping[str, int]] = MappingProxyType({"R": 1, "K": 1, "D": -1, "E": -1})
"""Charge of the side chains at the models' pH of 7.2; BiGG counts histidine as neutral."""

DRAIN_SOURCE: Final = (
    "Drain: amino acids of the product; ATP to AMP and PPi and 2 GTP per residue (4 ATP: Stouthamer 1973, "
    "Antonie van Leeuwenhoek 39:545); one water per peptide bond returned"
)


@dataclass(frozen=True)
class Drain:
    """What one mol of product takes from the cytosol (negative) and returns (positive).

    - `stoichiometry`: mol per mol product, by BiGG identifier without compartment.
    - `elements`, `charge`: of the product as it leaves: charged as its amino acids are in the model.
    """

    stoichiometry: Mapping[str, float]
    elements: Mapping[str, int]
    charge: int
    molar_mass: float

    @property
    def formula(self) -> str:
        """Chemical formula of the product as it leaves."""
        return "".join(f"{element}{count}" for element, count in self.elements.items() if count)


def drain(protein: Protein, atp_per_residue: float = ATP_PER_RESIDUE) -> Drain:
    """The drain of `protein`, `atp_per_residue` in mol ATP per mol residue; raises `InputError` below 4.

    Activation takes ATP to AMP and pyrophosphate, the ribosome two GTP; what is asked above 4 is ATP to ADP.
    """
    if not atp_per_residue >= ATP_PER_RESIDUE:
        raise InputError(
            f"{atp_per_residue:g} mol ATP per residue is below the {ATP_PER_RESIDUE:g} of activation and elongation",
            remedy=f"Give {ATP_PER_RESIDUE:g} or more.",
        )
    residues, charge = len(protein), sum(CHARGES.get(letter, 0) for letter in protein.sequence)
    extra = (atp_per_residue - ATP_PER_RESIDUE) * residues
    taken = {BIGG_AMINO_ACIDS[letter]: -float(count) for letter, count in sorted(protein.composition.items())}
    flows = taken | {
        "atp": -residues - extra,
        "gtp": -2.0 * residues,
        "amp": float(residues),
        "ppi": float(residues),
        "gdp": 2.0 * residues,
        "adp": extra,
        "pi": 2.0 * residues + extra,
        "h": 3.0 * residues + extra,
        "h2o": (residues - 1.0) - 3.0 * residues - extra,
    }
    elements = dict(protein.elements)
    elements["H"] += charge
    return Drain({name: flow for name, flow in flows.items() if flow}, elements, charge, protein.molar_mass)
