"""The inventory of one batch: everything that its runs and steps used, and how long they kept what busy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from seedtrain.base import InputError
from seedtrain.development._downstream_use import downstream_uses, grouped, machines
from seedtrain.development._growth import grown, performance
from seedtrain.development._schedule import Occupancy
from seedtrain.development._upstream_use import (
    culture_equipment,
    culture_uses,
    left_over,
    medium,
    people,
    phases,
)
from seedtrain.development._use import BATCHES, Inventory, Use
from seedtrain.development._volumes import inoculum_fraction, seed_procedures
from seedtrain.recipe import ControlRecipe, MasterRecipe, UnitProcedure
from seedtrain.simulation import Run, StepResult, Vessel

CO2_MASS: Final = 44.0095
"""g/mol, from the standard atomic weights of IUPAC 2021 (abridged)."""
PLANT_VOLUME: Final = 20_000.0
"""Nominal volume, L, for which `cleanroom_area` is given; the area grows with the power 0.4 of the volume, assumed."""
AREA_EXPONENT: Final = 0.4
HOURS_PER_YEAR: Final = 8760.0
_CREWS: Final[Mapping[str, str]] = {"filling_line": "crew_filling", "freeze_dryer": "crew_drying"}


class Batch(Protocol):
    """What a batch at one scale has; `ScaleResult` is one.

    `seeds` and `seed_vessels` go from the flask up; `product` is what leaves the last step, g.
    """

    @property
    def control(self) -> ControlRecipe: ...
    @property
    def vessel(self) -> Vessel: ...
    @property
    def seed_vessels(self) -> Sequence[Vessel]: ...
    @property
    def production(self) -> Run: ...
    @property
    def seeds(self) -> Sequence[Run]: ...
    @property
    def steps(self) -> Sequence[StepResult]: ...
    @property
    def product(self) -> float: ...


def inventory(batch: Batch, *, whole: bool = True) -> Inventory:
    """Everything that one batch used, from the recipe's own materials and the amounts of its runs and steps.

    `whole`: machines in parallel count as whole ones.

    Raises `InputError` where runs and seed vessels do not match the recipe, or a step has no known equipment.
    """
    recipe = batch.control.recipe
    cultures = cultures_of(batch)
    trains = [procedure for procedure, _, _ in cultures[:-1]]
    uses: list[Use] = []
    for procedure, run, vessel in cultures:
        uses += culture_uses(recipe, procedure, run, vessel)
        uses += culture_equipment(procedure, run, vessel)
    for index, run in enumerate(batch.seeds):
        following, _, vessel = cultures[index + 1]
        taken = inoculum_fraction(following) * medium(following, vessel)
        uses += left_over(run, taken, trains[index].name)
    uses += downstream_uses(recipe, batch.steps)
    uses += machines(recipe, batch.steps, whole=whole)
    uses += _crews(recipe, batch.steps)
    uses += _release(recipe)
    uses += _building(batch.vessel.nominal_volume)
    name, made = recipe.production.name, batch.production
    growing = grown([use for use in uses if use.amount], name, made, batch.steps)
    return Inventory(
        product=batch.product,
        uses=growing,
        occupancies=occupancies(cultures, batch.steps),
        lead_time=lead_time(batch),
        biogenic_co2=sum(run.totals["carbon_dioxide"][0] for run in (*batch.seeds, batch.production)) * CO2_MASS / 1000,
        performance=performance(growing, name, made, batch.product),
    )


def cultures_of(batch: Batch) -> list[tuple[UnitProcedure, Run, Vessel]]:
    """Every culture with its unit procedure and vessel, from the flask to production; an `InputError` for a misfit."""
    recipe = batch.control.recipe
    trains = seed_procedures(recipe)
    if not len(trains) == len(batch.seeds) == len(batch.seed_vessels):
        raise InputError(
            f"the recipe has {len(trains)} seed unit procedures, with {len(batch.seeds)} runs in "
            f"{len(batch.seed_vessels)} vessels",
            remedy="Simulate the seed train of this very control recipe.",
        )
    return [
        *zip(trains, batch.seeds, batch.seed_vessels, strict=True),
        (recipe.production, batch.production, batch.vessel),
    ]


def _crews(recipe: MasterRecipe, steps: Sequence[StepResult]) -> Iterator[Use]:
    for name, group in grouped(steps).items():
        yield from people(sum(step.duration for step in group), name, crew_of(recipe, name))
        yield from people(1.0, name, "setup_hours")


def crew_of(recipe: MasterRecipe, name: str) -> str:
    """The parameter of the factor table that says how many people a downstream unit procedure takes."""
    classes = {procedure.name: procedure.unit_class for procedure in recipe.unit_procedures}
    return _CREWS.get(classes[name], "crew_downstream")


def _release(recipe: MasterRecipe) -> Iterator[Use]:
    """Tests of the specification, in-process samples of the recipe, monitoring, review."""
    yield Use("release-test", float(len(recipe.specification.lines)), "", "release")
    for place in recipe.phases():
        if place.phase.sample:
            yield Use("in-process-test", float(len(place.phase.sample)), "", place.path)
    yield Use("environmental-monitoring", 1.0, "", "release")
    yield from people(1.0, "release", "release_hours")


def _building(nominal: float) -> Iterator[Use]:
    """The classified building and its air handling, which runs the whole year, shared by the batches of the year."""
    share = (nominal / PLANT_VOLUME) ** AREA_EXPONENT
    yield Use("cleanroom", share, "m2", "building", (("cleanroom_area", 1), ("annual_charge", 1), (BATCHES, -1)))
    hours = HOURS_PER_YEAR * share
    air = (("cleanroom_area", 1), ("cleanroom_power", 1), (BATCHES, -1))
    yield Use("electricity", hours, "kWh", "building", air)


def occupancies(
    cultures: Sequence[tuple[UnitProcedure, Run, Vessel]], steps: Sequence[StepResult]
) -> tuple[Occupancy, ...]:
    """How long one batch keeps every vessel and suite busy, h; the production vessel is empty once it is harvested."""
    groups = grouped(steps)
    harvest = sum(step.duration for step in next(iter(groups.values()), []))
    found = []
    for number, (procedure, run, _) in enumerate(cultures):
        hours = run.totals["preparation"][0] + run.totals["duration"][0]
        last = number == len(cultures) - 1
        found.append(Occupancy(procedure.name, hours + (harvest if last else 0.0), "vessel_turnaround"))
    for name, group in groups.items():
        found.append(Occupancy(name, sum(step.duration for step in group), "suite_turnaround"))
    return tuple(found)


def lead_time(batch: Batch) -> float:
    """Time from the vial to the last container, h: cultures and steps in a row, vessels prepared meanwhile."""
    runs = (*batch.seeds, batch.production)
    return (
        runs[0].totals["preparation"][0]
        + sum(run.totals["duration"][0] for run in runs)
        + sum(step.duration for step in batch.steps)
    )


__all__ = ["Batch", "crew_of", "cultures_of", "inventory", "lead_time", "occupancies", "phases"]
