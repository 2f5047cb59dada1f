"""Isotherms: what is bound at equilibrium with the liquid in the pores, and how fast it gets there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.simulation._run import Floats

LINEAR: Final = 0
LANGMUIR: Final = 1
STERIC_MASS_ACTION: Final = 2
"""What the kernel calls them."""


@dataclass(frozen=True)
class Linear:
    """q_i = H_i c_i, per volume of solid.

    - `henry`: H by component, 0 for one that does not bind.
    - `desorption`: k_d, 1/s, by component, with k_a = H k_d; empty for equilibrium at every moment.
    """

    henry: tuple[float, ...]
    desorption: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check("Linear", {"henry": self.henry}, self.desorption)

    @property
    def components(self) -> int:
        """How many components it speaks of."""
        return len(self.henry)

    def bound(self, liquid: Floats) -> Floats:
        """q at equilibrium with `liquid` (shape "component")."""
        return np.array(self.henry) * liquid

    def table(self) -> Floats:
        """The parameters as the kernel reads them."""
        rates = self.desorption or (0.0,) * self.components
        return np.array([[h, h * k, k] for h, k in zip(self.henry, rates, strict=True)])


@dataclass(frozen=True)
class Langmuir:
    """Components that compete for one kind of site: q_i = q_max_i b_i c_i / (1 + sum b_j c_j).

    - `capacity`: q_max, mol/m3 of solid; `affinity`: b, m3/mol; 0 in either for a component that does not bind.
    - `desorption`: k_d, 1/s, with dq_i/dt = b_i k_d c_i q_max_i (1 - sum q_j/q_max_j) - k_d q_i; empty for equilibrium.

    **Source** Langmuir 1916, J. Am. Chem. Soc. 38:2221-2295.
    """

    capacity: tuple[float, ...]
    affinity: tuple[float, ...]
    desorption: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check("Langmuir", {"capacity": self.capacity, "affinity": self.affinity}, self.desorption)

    @property
    def components(self) -> int:
        """How many components it speaks of."""
        return len(self.capacity)

    def bound(self, liquid: Floats) -> Floats:
        """q at equilibrium with `liquid` (shape "component")."""
        affinity = np.array(self.affinity)
        bound = np.array(self.capacity) * affinity * liquid / (1.0 + float(affinity @ liquid))
        return np.asarray(bound, dtype=np.float64)

    def table(self) -> Floats:
        """The parameters as the kernel reads them."""
        rates = self.desorption or (0.0,) * self.components
        rows = zip(self.capacity, self.affinity, rates, strict=True)
        return np.array([[q, b, b * k, k] for q, b, k in rows])


@dataclass(frozen=True)
class StericMassAction:
    """Ion exchange with shielded sites; component 0 is the counter-ion, the others are proteins.

    With free sites s = Lambda - sum (nu_j + sigma_j) q_j: q_i = K_i (s / c_0)^nu_i c_i, and q_0 = Lambda - sum nu_j q_j
    by electroneutrality.

    - `sites`: Lambda, mol/m3 of solid.
    - `charge` nu, `shielding` sigma, `equilibrium` K: by protein, one entry fewer than components.
    - `desorption`: k_d by protein, (mol/m3)^-nu/s, with dq_i/dt = K_i k_d c_i s^nu_i - k_d q_i c_0^nu_i; empty for
      equilibrium at every moment.

    **Source** Brooks & Cramer 1992, AIChE J. 38:1969-1978, doi:10.1002/aic.690381212.
    """

    sites: float
    charge: tuple[float, ...]
    shielding: tuple[float, ...]
    equilibrium: tuple[float, ...]
    desorption: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        named = {"charge": self.charge, "shielding": self.shielding, "equilibrium": self.equilibrium}
        _check("StericMassAction", {"sites": (self.sites,)}, ())
        _check("StericMassAction", named, self.desorption)
        if not self.sites > 0:
            raise InputError("StericMassAction: sites 0 binds nothing", remedy="Give Lambda above 0.")

    @property
    def components(self) -> int:
        """How many components it speaks of, the counter-ion included."""
        return 1 + len(self.charge)

    def bound(self, liquid: Floats) -> Floats:
        """q at equilibrium with `liquid` (shape "component"), salt above 0."""
        charge, shielding = np.array(self.charge), np.array(self.shielding)
        strength = np.array(self.equilibrium) * liquid[1:]

        def surplus(ratio: float) -> float:  # falls with the ratio of free sites over salt
            return self.sites - float((charge + shielding) @ (strength * ratio**charge)) - ratio * float(liquid[0])

        from scipy.optimize import brentq

        ratio = float(brentq(surplus, 0.0, self.sites / float(liquid[0]) * (1.0 + 1e-9), xtol=1e-300, rtol=1e-15))
        proteins = strength * ratio**charge
        return np.concatenate(([self.sites - float(charge @ proteins)], proteins))

    def table(self) -> Floats:
        """The parameters as the kernel reads them."""
        rates = self.desorption or (0.0,) * len(self.charge)
        rows = [[self.sites, 0.0, 0.0, 0.0, 0.0]]
        for nu, sigma, k, off in zip(self.charge, self.shielding, self.equilibrium, rates, strict=True):
            rows.append([nu, sigma, k, k * off, off])
        return np.array(rows)


Isotherm = Linear | Langmuir | StericMassAction


def _check(kind: str, named: dict[str, tuple[float, ...]], desorption: tuple[float, ...]) -> None:
    count = len(next(iter(named.values())))
    if count == 0:
        raise InputError(f"{kind} without components", remedy="Give one value for each component.")
    for name, values in {**named, **({"desorption": desorption} if desorption else {})}.items():
        if len(values) != count:
            raise InputError(
                f"{kind}: {name} has {len(values)} values, the first parameter {count}",
                remedy="Give one value for each component that binds.",
            )
        for value in values:
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{kind}: {name} holds {value!r}, which is below 0 or no number", remedy="Correct it.")
