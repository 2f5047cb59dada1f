"""What a culture run uses: medium, feed and base down to what is bought, energy, steam, cleaning, people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from seedtrain.development._downstream_use import YEARLY, prepared
from seedtrain.development._feed import within
from seedtrain.development._use import Use
from seedtrain.recipe import MasterRecipe, Phase, UnitProcedure
from seedtrain.simulation import Airlift, Run, ShakeFlask, Vessel, WaveBag, Well

BASE: Final = "ammonia-water"
TANK: Final = "stirred-tank"
OXYGEN_DENSITY: Final = 31.998 / 22.413969  # kg of O2 in a m3 at 0 degC and 1 atm
INCUBATOR: Final = 20.0
"""Volume of an incubator shaker, L: one is bought whole, however small the flask."""


def culture_uses(recipe: MasterRecipe, procedure: UnitProcedure, run: Run, vessel: Vessel) -> Iterator[Use]:
    """Everything that one culture run takes, from its unit procedure (amounts of the control recipe) and its totals."""
    sterile = 0.0
    for path, phase in phases(procedure):
        if phase.do == "charge":
            litres = charged(phase, vessel)
        elif phase.do == "feed":
            litres = fed(run, path)
        elif phase.do == "induce":
            litres = phase.number("volume", "L")
        else:
            litres = 0.0
        if phase.do == "thaw":
            inoculum = phase.number("inoculum_fraction", "") * medium(procedure, vessel)
            yield Use(phase.word("inoculum"), inoculum * 1000.0, "mL", path)
        if litres > 0:
            sterile += litres
            yield from prepared(recipe, phase.word("material"), litres, path)
    name = procedure.name
    base = next((item for item, content in recipe.materials.items() if BASE in content), None)
    if base is not None and run.totals["base"][0] > 0:
        yield from prepared(recipe, base, run.totals["base"][0], name)
    yield Use("steam", sterile, "kg", name, (("medium_steam", 1),))
    hours = run.totals["duration"][0] + run.totals["preparation"][0]
    yield from people(hours, name, "crew_culture")
    yield from people(1.0, name, "setup_hours")
    if isinstance(vessel, ShakeFlask | Well | WaveBag):
        yield Use("electricity", run.totals["duration"][0], "kWh", name, (("incubator_power", 1),))
    if isinstance(vessel, WaveBag):
        # A bag comes sterile and is thrown away: no steam, no cleaning.
        yield Use("culture-bag", vessel.nominal_volume, "L", name)
    elif not isinstance(vessel, ShakeFlask | Well):
        yield from _tank(procedure, run, vessel.nominal_volume)


def _tank(procedure: UnitProcedure, run: Run, nominal: float) -> Iterator[Use]:
    name = procedure.name
    yield Use("electricity", run.totals["stirrer_energy"][0], "kWh", name)
    yield Use("electricity", run.totals["air"][0], "kWh", name, (("air_electricity", 1),))
    if "pure_oxygen" in run.totals:
        yield Use("oxygen", run.totals["pure_oxygen"][0] * OXYGEN_DENSITY, "kg", name)
    heat = max(run.totals["cooling"][0], 0.0)
    yield Use("electricity", heat, "kWh", name, (("chiller_performance", -1),))
    for path, phase in phases(procedure):
        if phase.do == "sterilise":
            yield Use("steam", nominal, "kg", path, (("sip_steam", 1),))
    yield from cleaned(nominal, name)


def cleaned(nominal: float, where: str) -> Iterator[Use]:
    """Cleaning in place of one vessel of `nominal` L: water, alkali, and what leaves."""
    yield Use("purified-water", nominal, "L", where, (("cip_water", 1),))
    yield Use("wastewater", nominal, "L", where, (("cip_water", 1),))
    yield Use("sodium-hydroxide", nominal, "g", where, (("cip_alkali", 1),), category="utilities")


def people(hours: float, where: str, crew: str) -> Iterator[Use]:
    """`hours` times a number of people, or of hours, from the table; and what people wear and use up."""
    yield Use("operator", hours, "h", where, ((crew, 1),))
    yield Use("sundries", hours, "h", where, ((crew, 1),))


def culture_equipment(procedure: UnitProcedure, run: Run, vessel: Vessel) -> Iterator[Use]:
    """The vessel with its medium and feed tanks; an incubator for a flask, a rocker for a bag."""
    if isinstance(vessel, ShakeFlask | Well):
        yield Use("shake-flask-incubator", INCUBATOR, "L", procedure.name, YEARLY)
        return
    kind = "rocking-platform" if isinstance(vessel, WaveBag) else "airlift" if isinstance(vessel, Airlift) else TANK
    yield Use(kind, vessel.nominal_volume, "L", procedure.name, YEARLY)
    for litres in (medium(procedure, vessel), run.totals["feed"][0], run.totals["base"][0]):
        if litres > 0:
            yield Use("tank", litres, "L", procedure.name, YEARLY)


def left_over(run: Run, taken: float, where: str) -> Iterator[Use]:
    """Seed culture that is not transferred (`taken` L is): inactivated and sent to treatment."""
    rest = max(run.totals["harvest"][0] - taken, 0.0)
    yield Use("steam", rest, "kg", where, (("kill_steam", 1),), category="waste")
    yield Use("wastewater", rest, "L", where)


def phases(procedure: UnitProcedure) -> Iterator[tuple[str, Phase]]:
    """Every phase of a unit procedure with its path."""
    for operation in procedure.operations:
        for phase in operation.phases:
            yield f"{procedure.name}/{operation.name}/{phase.name}", phase


def medium(procedure: UnitProcedure, vessel: Vessel) -> float:
    """Medium charged before inoculation, L."""
    return sum(charged(phase, vessel) for _, phase in phases(procedure) if phase.do == "charge")


def charged(phase: Phase, vessel: Vessel) -> float:
    """Medium that a charge phase brings, L."""
    if phase.quantity("volume") is not None:
        return phase.number("volume", "L")
    return phase.number("fill", "") * vessel.working_volume[1]


def fed(run: Run, path: str) -> float:
    """Volume that the feed phase at `path` delivered, L: its share of the run's feed by the integral of the rate."""
    span = next((span for span in run.phases if span.path == path), None)
    whole = float(np.trapezoid(run["F"], run.time))
    if span is None or whole <= 0:
        return 0.0
    inside = within(run, span)
    return run.totals["feed"][0] * float(np.trapezoid(run["F"][inside], run.time[inside])) / whole
