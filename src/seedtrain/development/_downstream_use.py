"""What the downstream steps use: materials down to what is bought, energy, water, waste and the sizes of equipment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from seedtrain.base import InputError
from seedtrain.development._use import BATCHES, Use
from seedtrain.quantity import convert
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import LARGEST_MACHINES, StepResult, Stream

YEARLY: Final = (("installation_factor", 1), ("annual_charge", 1), (BATCHES, -1))
WET_PER_DRY: Final = 4.0
"""Mass of moist solids per dry mass of cells and debris in a centrifuge's discharge; assumed, about 25 % dry."""
STEAM_PER_HEAT: Final = 1.0 / 0.75
"""kg of steam per kWh of heat: 2.7 MJ/kg."""
ROUNDS: Final = ("cycles", "rounds")
LARGEST_TANK: Final = 100_000.0
"""L; more liquid stands in several tanks, assumed as in `simulation._downstream._operation.LARGEST`."""
SHIFT: Final = 8.0
"""h; a filling line is no faster than the batch needs in one shift, assumed."""

# Kind of phase: the item of the factor table and where its size stands in `StepResult.equipment`, with its unit.
_MACHINES: Final[Mapping[str, tuple[str, str, str]]] = {
    "homogenise": ("homogeniser", "homogeniser_flow", "L/h"),
    "dilute": ("tank", "tank_volume", "L"),
    "precipitate": ("tank", "tank_volume", "L"),
    "salt_out": ("tank", "tank_volume", "L"),
    "inactivate": ("tank", "tank_volume", "L"),
    "depth_filter": ("filter-housing", "filter_area", "m2"),
    "sterile_filter": ("filter-housing", "filter_area", "m2"),
    "equilibrate": ("chromatography-skid", "column_volume", "L"),
    "concentrate": ("ultrafiltration-skid", "membrane_area", "m2"),
    "lyophilise": ("freeze-dryer", "shelf_area", "m2"),
}
# These run on a machine that an earlier phase of their unit procedure names, or on none.
_ON_ANOTHER: Final = frozenset(
    {"load", "wash", "elute", "flow_through", "clean", "diafilter", "integrity_test", "sterilise", "manual", "wait"}
    | {"calibrate"}
)


def prepared(recipe: MasterRecipe, material: str, litres: float, where: str, category: str = "") -> Iterator[Use]:
    """`litres` of a material of the formula as what it is made from; a bought material as itself (g/mL as water)."""
    composition = recipe.materials.get(material)
    if composition is None:
        raise InputError(
            f"{where}: the recipe prepares no material {material!r}",
            remedy=f"Use one of: {', '.join(recipe.materials)}.",
        )
    for constituent, concentration in composition.items():
        yield Use(constituent, litres * concentration.magnitude("g/L"), "g", where, category=category)


def downstream_uses(recipe: MasterRecipe, steps: Sequence[StepResult]) -> Iterator[Use]:
    """Materials, utilities and waste of every step."""
    for step in steps:
        rounds = next((step.equipment[name][0] for name in ROUNDS if name in step.equipment), 1.0)
        for name, (amount, unit) in step.materials.items():
            if name in recipe.materials:
                yield from prepared(recipe, name, convert(amount, unit, "L"), step.path)
            else:
                yield Use(name, amount * (rounds if _reused(step) else 1.0), unit, step.path)
        for name, (amount, unit) in step.utilities.items():
            yield _utility(name, amount, unit, step.path)
        for waste in step.wastes:
            yield from wasted(waste, step.path)


def _reused(step: StepResult) -> bool:
    """Columns and cassettes are stated once and used `rounds` times in the batch; filters are stated in all."""
    return step.kind in ("equilibrate", "concentrate")


def _utility(name: str, amount: float, unit: str, where: str) -> Use:
    if name in ("cooling", "refrigeration"):
        return Use("electricity", convert(amount, unit, "kWh"), "kWh", where, (("chiller_performance", -1),))
    if name == "heating":
        return Use("steam", convert(amount, unit, "kWh") * STEAM_PER_HEAT, "kg", where)
    if name == "water":
        return Use("water", convert(amount, unit, "L"), "kg", where, category="utilities")
    return Use(name, amount, unit, where)


def wasted(waste: Stream, where: str) -> Iterator[Use]:
    """Solids with cells are inactivated and carried off; the liquid goes to treatment, inactivated where cells were."""
    solids = sum(waste.masses.get(name, 0.0) for name in ("cells", "debris"))
    if solids > 0:
        yield Use("steam", waste.volume, "kg", where, (("kill_steam", 1),), category="waste")
    wet = solids * WET_PER_DRY / 1000.0
    if wet > 0:
        yield Use("solid-biowaste", wet, "kg", where)
    yield Use("wastewater", max(waste.volume - wet, 0.0), "L", where)


def machines(recipe: MasterRecipe, steps: Sequence[StepResult], *, whole: bool = True) -> tuple[Use, ...]:
    """What the steps run on, each machine once per unit procedure, with its tanks for product and for buffer.

    `whole`: machines in parallel count as whole ones, else the last in part, so that nothing jumps.
    """
    found: list[Use] = []
    for procedure, group in grouped(steps).items():
        sizes: dict[tuple[str, str], tuple[float, float]] = {}
        for step in group:
            machine = _machine(step)
            if machine is not None:
                item, size, unit = machine
                number = step.equipment.get("parallel", (1.0, ""))[0]
                if not whole:
                    part = _part_of_largest(step) if number > 1 else 1.0
                    number, size = number * part, size / part
                # The phase that needs the most of it decides, in number and size.
                before = sizes.get((item, unit), (1.0, 0.0))
                sizes[item, unit] = max(before, (number, size), key=lambda piece: piece[0] * piece[1])
        found += [_piece(item, size, unit, procedure, n) for (item, unit), (n, size) in sizes.items() if size > 0]
        liquids = [
            amount for step in group for name, (amount, unit) in step.materials.items() if name in recipe.materials
        ]
        holds = [step.outlet.volume for step in group if step.kind not in ("lyophilise", "fill")]
        for volume in (max(liquids, default=0.0), max(holds, default=0.0)):
            number = max(1.0, volume / LARGEST_TANK)
            if whole:
                number = math.ceil(number - 1e-9)
            if volume > 0:
                found.append(_piece("tank", volume / number, "L", procedure, number))
    return tuple(found)


def _piece(item: str, size: float, unit: str, where: str, number: float) -> Use:
    return Use(item, size, unit, where, YEARLY, pieces=number)


def _part_of_largest(step: StepResult) -> float:
    """The size of one of the machines in parallel over the largest that is made."""
    for name, (largest, unit, _) in LARGEST_MACHINES.items():
        if name in step.equipment:
            size, given = step.equipment[name]
            part = convert(size, given, unit) / largest
            return part**2 if unit == "m" else part  # a column's work goes with its cross section
    return 1.0


def _machine(step: StepResult) -> tuple[str, float, str] | None:
    """Item, size of one piece and its unit."""
    number = step.equipment.get("parallel", (1.0, ""))[0]
    if step.kind == "centrifuge":
        return "centrifuge", step.inlets[0].volume / step.duration / number, "L/h"
    if step.kind == "fill":
        count = next((amount for amount, unit in step.materials.values() if unit in ("", "1")), 0.0)
        return "filling-line", count / max(step.duration, SHIFT) / number, "1/h"
    if step.kind in _ON_ANOTHER:
        return None
    if step.kind not in _MACHINES:
        raise InputError(
            f"{step.path}: no equipment is known for a {step.kind!r} phase, so its capital cannot be counted",
            remedy=f"Use one of: {', '.join((*_MACHINES, 'centrifuge', 'fill'))}.",
        )
    item, name, unit = _MACHINES[step.kind]
    if name not in step.equipment:
        raise InputError(f"{step.path}: the step does not tell its {name}", remedy="Report it as a fault of ours.")
    amount, given = step.equipment[name]
    return item, convert(amount, given, unit), unit


def grouped(steps: Iterable[StepResult]) -> dict[str, list[StepResult]]:
    """Steps by unit procedure, in their order."""
    found: dict[str, list[StepResult]] = {}
    for step in steps:
        found.setdefault(step.path.partition("/")[0], []).append(step)
    return found
