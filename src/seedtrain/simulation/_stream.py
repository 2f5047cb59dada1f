"""What flows between the steps of a downstream train, and what a step returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.simulation._run import Balance

COMPONENTS: Final = (
    "water",
    "product",  # soluble or releasable product; inside cells before disruption
    "denatured_product",
    "cells",  # residual dry cell mass without product
    "debris",
    "host_protein",
    "dna",
    "salts",
    "acetate",
    "glucose",
    "detergent",
    "iptg",
    "antifoam",
    "acid",
)
"""Components of a stream, each in g; `endotoxin` is counted apart in EU."""


@dataclass(frozen=True)
class Stream:
    """An amount of liquid or solid: `masses` in g by component, `endotoxin` in EU, `volume` in L.

    - `in_solids`: the part of `masses` (g) and of `endotoxin` (EU, under that name) that sits in or on particles;
      `cells` and `debris` are particles in any case. Left out, a stream with cells holds its product in the cells.
    - `particle_size`: median diameter of the particles, um.
    """

    name: str
    volume: float
    masses: Mapping[str, float]
    endotoxin: float = 0.0
    temperature: float = 20.0
    pH: float = 7.0
    in_solids: Mapping[str, float] = field(default_factory=dict)
    particle_size: float = 1.0

    def concentration(self, component: str) -> float:
        """g/L of `component`; 0 in an empty stream."""
        return self.masses.get(component, 0.0) / self.volume if self.volume > 0 else 0.0

    @property
    def mass(self) -> float:
        """All components together, g."""
        return sum(self.masses.values())

    @property
    def endotoxin_per_product(self) -> float:
        """EU per mg of product; infinite where there is endotoxin and no product."""
        product = self.masses.get("product", 0.0) * 1000.0
        return self.endotoxin / product if product > 0 else (0.0 if self.endotoxin == 0 else float("inf"))


@dataclass(frozen=True)
class StepResult:
    """One downstream phase or group of phases: what came in, what was added, what left, and what it took.

    - `path`: path of the recipe's phase; `kind`: its `do`.
    - `inlets`: the stream from the step before and every addition; `outlet`; `wastes`.
    - `duration`: h. `materials`: amounts used by the recipe's material name, in L, g or m2 as the unit says.
    - `utilities`: by name, for instance `electricity` kWh, `cooling` kWh, `water` L.
    - `step_yield`: product out / product in. `endotoxin_lrv`: decimal logarithm of endotoxin in / out.
    - `performance`: named figures with unit (in-process samples take their true values from here).
    - `trajectory`: named columns over time (h) for a plot, or empty.
    - `equipment`: size of what it ran on by name (`column_volume` L, `membrane_area` m2 ...).
    - `sources`: where its model and figures come from; `status` sourced or assumed for each figure.
    - `converted`: g made (+) or used up (-) by component where one turns into another; these add up to 0.
    - `inactivated`: endotoxin destroyed, EU.
    """

    path: str
    kind: str
    inlets: tuple[Stream, ...]
    outlet: Stream
    wastes: tuple[Stream, ...]
    duration: float
    step_yield: float
    endotoxin_lrv: float
    materials: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    utilities: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    performance: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    equipment: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    trajectory: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    converted: Mapping[str, float] = field(default_factory=dict)
    inactivated: float = 0.0

    def balances(self) -> tuple[Balance, ...]:
        """Closure of every component (g) and of endotoxin (EU), with inactivation counted as an outlet."""
        found = []
        for component in COMPONENTS:
            came = sum(stream.masses.get(component, 0.0) for stream in self.inlets)
            left = sum(stream.masses.get(component, 0.0) for stream in (self.outlet, *self.wastes))
            made = self.converted.get(component, 0.0)
            if came or left or made:
                found.append(Balance(component, "g", came + max(made, 0.0), left + max(-made, 0.0), 0.0))
        came = sum(stream.endotoxin for stream in self.inlets)
        left = sum(stream.endotoxin for stream in (self.outlet, *self.wastes)) + self.inactivated
        if came or left:
            found.append(Balance("endotoxin", "EU", came, left, 0.0))
        return tuple(found)


def step_to_data(step: StepResult) -> dict[str, Any]:
    """A step as JSON-ready data."""
    import dataclasses

    return dataclasses.asdict(step)
