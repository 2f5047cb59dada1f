"""What an integrated unit's scales, totalisers and laboratory find when a phase has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from seedtrain.automation._devices import Addition, Reading
from seedtrain.automation._plant._live_phase import phases_of
from seedtrain.automation._plant._unit import WEIGHT_ERROR
from seedtrain.automation._scenario import UnitScenario
from seedtrain.automation._sensors import DEFAULT_ASSAY_ERROR, assayed, generator
from seedtrain.base import InputError
from seedtrain.quantity import convert
from seedtrain.recipe import MasterRecipe, PhaseAt
from seedtrain.simulation import Culture, Plan

READ_BY: Final = {
    "biomass": "biomass",
    "glucose": "glucose",
    "volume": "broth_volume",
    "dissolved_oxygen": "dissolved_oxygen",
    "oxygen_uptake_rate": "OUR",
    "carbon_dioxide_evolution_rate": "CER",
    "temperature": "temperature",
    "pH": "pH",
}
"""The function that a transition waits for."""
SAMPLED: Final = {"biomass": "g/L", "glucose": "g/L", "volume": "L", "OUR": "mmol/L/h", "CER": "mmol/L/h"}


@dataclass(frozen=True)
class Intake:
    """What went in during a phase, L: what was charged in the whole unit procedure, fed, added as base, and cleaned
    with."""

    charged: float
    fed: float
    based: float
    cleaned: float = 0.0


@dataclass(frozen=True)
class LiveResults:
    """Results of one unit; weighing and assay errors come from seeds that depend on phase and name alone.

    - `functions`: unit of measure by tag.
    """

    recipe: MasterRecipe
    culture: Culture
    scenario: UnitScenario
    functions: Mapping[str, str]

    def additions(self, step: PhaseAt, plan: Plan, taken: Intake, drawn: tuple[str, ...]) -> tuple[Addition, ...]:
        """What scales and totalisers saw going in; `drawn`: the materials that the phase draws by itself."""
        phase = step.phase
        found: list[tuple[str, float]] = []
        if phase.do == "charge":
            found.append((phase.word("material"), taken.charged))
        elif phase.do == "induce":
            found.append((phase.word("material"), phase.number("volume", "L")))
        elif phase.do == "thaw":
            found.append((phase.word("inoculum"), phase.number("inoculum_fraction", "") * plan.volume))
        elif phase.do == "feed":
            found.append((phase.word("material"), taken.fed))
        elif phase.do == "clean":
            found.append((phase.word("material"), taken.cleaned))
        if drawn and taken.based > 0:
            found.append((drawn[0], taken.based))
        return tuple(Addition(name, self._weighed(step.path, name, amount), "L") for name, amount in found)

    def _weighed(self, path: str, material: str, amount: float) -> float:
        noise = generator(self.scenario.seed, path, material, "weight").standard_normal()
        return float(amount * (1.0 + WEIGHT_ERROR * noise))

    def outlet(self, step: PhaseAt, truth: Mapping[str, float]) -> dict[str, tuple[float, str]] | None:
        """The product in the broth when the last phase of the production is done."""
        procedure = step.unit_procedure
        product = self.culture.symbol("product")
        if procedure.name != self.recipe.production.name or step.phase is not phases_of(step)[-1]:
            return None
        if product is None or product not in truth:
            return None
        return {"product": (self._weighed(step.path, "product", truth[product] * truth["volume"]), "g")}

    def sample(
        self, path: str, attributes: Mapping[str, str], truth: Mapping[str, float], at: datetime
    ) -> tuple[Reading, ...]:
        """What the laboratory finds, at the end of the phase, of a `truth`."""
        readings = []
        for name, unit in attributes.items():
            symbol = name if name in truth else self.culture.symbol(name) or ""
            if symbol not in truth:
                raise InputError(f"{path}: nothing is known of {name!r}", remedy="Sample what the tank holds.")
            own = self.functions.get(READ_BY.get(name, ""), SAMPLED.get(name, "g/L"))
            value = truth["DO_percent"] if name == "dissolved_oxygen" else truth[symbol]
            cv = self.scenario.assay_error.get(name, DEFAULT_ASSAY_ERROR)
            draw = float(generator(self.scenario.seed, path, name, "assay").standard_normal())
            found = assayed(convert(value, own, unit), unit, cv, draw)
            readings.append(Reading(name, found, unit, at, "good", "simulated", f"laboratory.{name}"))
        return tuple(readings)
