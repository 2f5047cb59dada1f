"""What inoculates a tank where no other integrated tank does: a simulated broth, or washed cells."""

from __future__ import annotations

from typing import Final

from seedtrain.automation._live_scenario import Inoculum
from seedtrain.simulation import Broth, Culture, Liquid, Plan

CELL_WATER: Final = 980.0  # g/L in a suspension of washed cells, assumed
GROWN: Final = (0.1, 1.0, 30.0, 7.0)
"""O2, inorganic carbon, phosphate (mmol/L) and pH of a grown inoculum of which nothing else is known, assumed: half of
air saturation, CO2 of respiration, half of a medium's phosphate."""


def grown_broth(source: Inoculum, culture: Culture, plan: Plan) -> Broth:
    """The broth of an inoculum of which the contents are known, else the cells that the recipe expects, in water."""
    found = dict(source.contents or {})
    species = {name: found[name] for name in culture.species if name in found}
    if not species and culture.biomass:
        species = {culture.biomass: plan.seed / culture.masses[culture.biomass]}
    more = (found.get("water", CELL_WATER), found.get("minerals", 0.0), found.get("NH", 0.0), found.get("I", 0.0))
    return Broth(Liquid(species, *more), *GROWN, found.get("T", 37.0))
