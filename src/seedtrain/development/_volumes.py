"""How much to charge into a vessel and its seeds, so that nothing overfills and every inoculum is large enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import PRODUCTION, MasterRecipe, SeedUnit, UnitProcedure, fillings
from seedtrain.simulation import Airlift, ShakeFlask, StirredTank, Vessel, WaveBag, Well

BASE_ALLOWANCE: Final = 1.04
"""Volume for ammonia and antifoam over what the recipe states, assumed: 40 g/L of cells take about 0.03 L of 25 %
ammonia water a litre."""
INOCULUM_ALLOWANCE: Final = 1.05
"""Seed culture over the inoculum that is transferred: samples, evaporation and what stays in the lines; assumed."""
SEED_CLASSES: Final[Mapping[type[Any], str]] = {
    ShakeFlask: "shake_flask",
    Well: "shake_flask",
    StirredTank: "seed_tank",
    Airlift: "seed_tank",
    WaveBag: "seed_tank",
}


@dataclass(frozen=True)
class Plan:
    """The volume charged in production, L, and the medium in each seed vessel, from the flask up."""

    volume: float
    seeds: tuple[SeedUnit, ...]


def plan(master: MasterRecipe, tank: Vessel, vessels: Mapping[str, Vessel]) -> Plan:
    """What to charge in `tank` and its seeds.

    - `vessels`: every vessel of the plant by name, in which `tank.seeds` are found.

    The basis vessel keeps the recipe's own volume. Any other is charged so that with every phase at its longest, and an
    allowance for base, the broth ends at the highest working volume. Raises `InputError` for an unknown seed vessel,
    one that is too small for the inoculum, and a charge below the vessel's lowest working volume.
    """
    if tank.name == master.basis_unit:
        volume = master.basis_volume.magnitude("L")
    else:
        volume = _rounded_down(tank.working_volume[1] / growth(master))
    if not tank.working_volume[0] * (1 - 1e-9) <= volume <= tank.working_volume[1] * (1 + 1e-9):
        low, high = tank.working_volume
        raise InputError(
            f"{tank.name}: a charge of {volume:g} L is outside its working volume of {low:g} .. {high:g} L",
            remedy="Feed less over the batch, or choose a vessel with a wider working volume.",
        )
    return Plan(volume, _seeds(master, tank, vessels, volume))


def growth(master: MasterRecipe) -> float:
    """The largest volume that the recipe can reach in production over the volume charged first."""
    largest = max(filling.volume for filling in fillings(master))
    return largest / master.basis_volume.magnitude("L") * BASE_ALLOWANCE


def _seeds(master: MasterRecipe, tank: Vessel, vessels: Mapping[str, Vessel], volume: float) -> tuple[SeedUnit, ...]:
    names = _known(tank, vessels)
    stages = _stages(master, [vessels[name] for name in names])
    needed = inoculum_fraction(master.production) * volume
    found: list[SeedUnit] = []
    for name, procedure in zip(reversed(names), reversed(stages), strict=True):
        vessel = vessels[name]
        own = 1.0 + inoculum_fraction(procedure)
        low, high = vessel.working_volume
        charge = max(low, needed * INOCULUM_ALLOWANCE / own)
        if charge * own > high * (1 + 1e-9):
            raise InputError(
                f"{name}: {needed:.3g} L of inoculum need {charge * own:.3g} L of culture, above its {high:g} L",
                remedy=f"Put a larger seed vessel between {name} and the next one, or lower inoculum_fraction.",
            )
        charge = _rounded_up(charge)
        found.append(SeedUnit(name, SEED_CLASSES[type(vessel)], Quantity(charge, "L")))
        needed = inoculum_fraction(procedure) * charge
    return tuple(reversed(found))


def _known(tank: Vessel, vessels: Mapping[str, Vessel]) -> Sequence[str]:
    unknown = [name for name in tank.seeds if name not in vessels]
    if unknown:
        raise InputError(
            f"{tank.name}: there is no seed vessel {unknown[0]!r}", remedy=f"Use one of: {', '.join(vessels)}."
        )
    return tank.seeds


def _stages(master: MasterRecipe, seeds: Sequence[Vessel]) -> list[UnitProcedure]:
    """The unit procedure that runs in each seed vessel, in the order in which `at_scale` gives them out."""
    found: list[UnitProcedure] = []
    waiting = list(seeds)
    for procedure in master.unit_procedures:
        fitting = [vessel for vessel in waiting if SEED_CLASSES[type(vessel)] == procedure.unit_class]
        taken = fitting if procedure.repeat else fitting[:1]
        found += [procedure] * len(taken)
        for vessel in taken:
            waiting.remove(vessel)
    if waiting:
        raise InputError(
            f"the recipe {master.name} has no unit procedure left for the seed vessel {waiting[0].name}",
            position=master.position(""),
            remedy="Remove the vessel from 'seeds', or let the seed tank's unit procedure repeat.",
        )
    return found


def inoculum_fraction(procedure: UnitProcedure) -> float:
    """Inoculum over medium charged in a unit procedure; 0 where it takes none."""
    phases = [phase for operation in procedure.operations for phase in operation.phases]
    return next((phase.number("inoculum_fraction", "") for phase in phases if "inoculum_fraction" in phase.set), 0.0)


def seed_procedures(recipe: MasterRecipe) -> tuple[UnitProcedure, ...]:
    """The unit procedures before production that grow an inoculum."""
    names = [procedure.unit_class for procedure in recipe.unit_procedures]
    before = recipe.unit_procedures[: names.index(PRODUCTION)]
    return tuple(
        procedure
        for procedure in before
        if any(phase.do == "grow" for operation in procedure.operations for phase in operation.phases)
    )


def _rounded_down(litres: float) -> float:
    """Three significant digits: a volume that people can read off."""
    return _significant(litres, down=True)


def _rounded_up(litres: float) -> float:
    return _significant(litres, down=False)


def _significant(value: float, *, down: bool) -> float:
    from math import ceil, floor, log10

    unit = 10.0 ** (floor(log10(value)) - 2)
    steps = value / unit
    whole = floor(steps + 1e-9) if down else ceil(steps - 1e-9)
    return float(f"{whole * unit:.6g}")
