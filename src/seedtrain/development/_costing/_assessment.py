"""Everything that is told of a batch's money and carbon: costs, price, levers, targets, timetable, electricity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.development._costing._case import UPKEEP, BatchCase
from seedtrain.development._costing._cash_flow import CashFlow, Finance, Venture, cash_flow, minimum_price
from seedtrain.development._costing._gantt import Gantt, gantt
from seedtrain.development._costing._levers import Levers, Sensitivity
from seedtrain.development._costing._plant_case import PlantCase
from seedtrain.development._costing._power import PowerMix, power_mix, supplied
from seedtrain.development._costing._required import Plane, Requirement, plane, required
from seedtrain.development._costing._timetable import Task, Timetable, timetable
from seedtrain.development._downstream_use import grouped
from seedtrain.development._economics import Economics, appraise
from seedtrain.development._factor_table import FactorTable
from seedtrain.development._inventory import Batch, crew_of, cultures_of, inventory
from seedtrain.simulation import StepResult

SHOWN_BATCHES: Final = 4
DRAWS: Final = 20_000
_PLANES: Final = (("titre_in_same_time", "recovery"), ("titre", "rate"), ("titre", "yield"))
_FIXED: Final = ("labour", "quality_control")


@dataclass(frozen=True)
class Assessment:
    """One batch, appraised.

    - `economics`: cost and carbon per kg with intervals. `sensitivities` by figure.
    - `price`: the lowest selling price by the discounted cash flow of `venture` on the terms of `finance`, with its
      `flow` year by year.
    - `requirements`: what the targets take of each lever. `planes`: cost over two levers.
    - `timetable`: the first batches at equal intervals. `gantt`: some placed one by one, where that was asked for.
    - `mix`: where the electricity comes from, where own panels are given.
    """

    name: str
    economics: Economics
    venture: Venture
    finance: Finance
    price: float
    flow: CashFlow
    levers: Levers
    sensitivities: Mapping[str, tuple[Sensitivity, ...]]
    requirements: tuple[Requirement, ...]
    planes: tuple[Plane, ...]
    timetable: Timetable
    mix: PowerMix | None
    targets: Mapping[str, float]
    simulated: bool = False
    gantt: Gantt | None = None

    @property
    def met(self) -> dict[str, bool]:
        """Whether each target is met by the central figures."""
        now = {
            "cost": self.economics.cost.total.value,
            "carbon": self.economics.carbon.total.value,
            "amount": self.economics.product_per_year,
        }
        return {
            name: now[name] >= limit if name == "amount" else now[name] <= limit for name, limit in self.targets.items()
        }

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        done = self.levers.inventory.performance
        return {
            "case": self.name,
            "simulated": self.simulated,
            "economics": self.economics.to_data(),
            "performance": None if done is None else dict(vars(done)),
            "minimum_selling_price": self.price,
            "finance": {**vars(self.finance), "loan": vars(self.finance.loan) if self.finance.loan else None},
            "cash_flow": self.flow.to_data(),
            "sensitivities": {name: [dict(vars(row)) for row in rows] for name, rows in self.sensitivities.items()},
            "requirements": [row.to_data() for row in self.requirements],
            "timetable": self.timetable.to_data(),
            "gantt": None if self.gantt is None else self.gantt.to_data(),
            "electricity": None if self.mix is None else self.mix.to_data(),
            "targets": dict(self.targets),
            "met": self.met,
        }


@dataclass(frozen=True)
class PlantAssessment:
    """A plant by its flows: the lowest selling price and where it comes from, money per kg."""

    case: PlantCase
    price: float
    flow: CashFlow
    parts: Mapping[str, float]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "case": self.case.name,
            "currency": self.case.currency,
            "minimum_selling_price": self.price,
            "parts": dict(self.parts),
            "capital": self.case.venture.capital,
            "output_kg_per_year": self.case.venture.output,
            "cash_flow": self.flow.to_data(),
        }


def assess(
    case: BatchCase, *, draws: int = DRAWS, seed: int = 0, batches: int = 0, crew: float | None = None
) -> Assessment:
    """All that can be told of a batch; raises what `appraise` raises.

    - `batches`: so many are placed one by one as well, by `gantt`, with `crew` people on duty (none counted if None).
    """
    batch, mix = case.inventory, None
    if case.own_power is not None:
        mix = power_mix(case.own_power, yearly_electricity(Levers(batch, case.table)))
        batch = supplied(batch, mix)
    found = appraise(batch, case.table, draws=draws, seed=seed)
    levers = Levers(batch, case.table)
    venture = venture_of(found, case.upkeep)
    price = minimum_price(venture, case.finance)
    known = batch.performance is not None
    return Assessment(
        name=case.name,
        economics=found,
        venture=venture,
        finance=case.finance,
        price=price,
        flow=cash_flow(venture, case.finance, price),
        levers=levers,
        sensitivities={name: levers.sensitivities(name) for name in ("cost", "carbon")} if known else {},
        requirements=tuple(
            row for name, limit in case.targets.items() for row in (required(levers, name, limit) if known else ())
        ),
        planes=tuple(plane(levers, *pair) for pair in _PLANES if known and set(pair) <= set(levers.base)),
        timetable=timetable(case.tasks, case.units, SHOWN_BATCHES),
        gantt=gantt(case.tasks, case.units, batches, crew=crew) if batches else None,
        mix=mix,
        targets=case.targets,
        simulated=case.simulated,
    )


def assess_plant(case: PlantCase) -> PlantAssessment:
    """The lowest selling price of a plant, and its parts: each flow, fixed cost, and what capital and tax take."""
    price = minimum_price(case.venture, case.finance)
    output = case.venture.output
    parts = {flow.name: flow.yearly / output for flow in case.flows}
    parts |= {name: value / output for name, value in case.fixed.items()}
    parts["capital, tax and start-up"] = price - math.fsum(parts.values())
    return PlantAssessment(case, price, cash_flow(case.venture, case.finance, price), parts)


def venture_of(found: Economics, upkeep: float = UPKEEP) -> Venture:
    """The plant behind an appraised batch: its installed capital, and what a year of whole batches costs without it.

    Labour and quality control are paid whether the plant runs or not; the yearly charge on capital is left out, because
    the cash flow pays the capital itself, and `upkeep` of it (1/year) is paid instead.
    """
    parts = {name: part.value * found.product_per_year for name, part in found.cost.parts.items()}
    fixed = sum(parts.get(name, 0.0) for name in _FIXED)
    variable = sum(value for name, value in parts.items() if name not in (*_FIXED, "facility"))
    return Venture(found.capital, fixed + upkeep * found.capital, variable, found.product_per_year)


def yearly_electricity(levers: Levers) -> float:
    """kWh that the plant uses in a year."""
    return levers.yearly("electricity")


def batch_case(
    batch: Batch,
    table: FactorTable,
    *,
    name: str,
    finance: Finance | None = None,
    targets: Mapping[str, float] | None = None,
) -> BatchCase:
    """A batch of a recipe as a case: its inventory, and the timetable of its cultures and steps."""
    tasks = tuple(tasks_of(batch, table))
    simulated = batch.production.origin == "simulated"
    terms = finance or Finance()
    return BatchCase(name, inventory(batch), table, tasks, {}, terms, UPKEEP, None, dict(targets or {}), simulated)


def tasks_of(batch: Batch, table: FactorTable) -> Sequence[Task]:
    """When each vessel and suite is busy with one batch, h; vessels are prepared while the culture before grows."""
    vessel, suite = table.factor("vessel_turnaround").value, table.factor("suite_turnaround").value
    cultures = cultures_of(batch)
    groups = grouped(batch.steps)
    harvest = sum(step.duration for step in next(iter(groups.values()), []))
    now = cultures[0][1].totals["preparation"][0]
    growing = table.factor("crew_culture").value
    found = []
    for number, (procedure, run, _) in enumerate(cultures):
        last = number == len(cultures) - 1
        begin = now - run.totals["preparation"][0]
        now += run.totals["duration"][0]
        end = now + (harvest if last else 0.0)
        found.append(Task(procedure.name, procedure.name, max(begin, 0.0), end, end + vessel, people=growing))
    # The harvest empties the vessel at once; what follows may wait as long as the recipe lets its product stand.
    wait = 0.0
    for place, group in groups.items():
        begin, now = now, now + sum(step.duration for step in group)
        people = table.factor(crew_of(batch.control.recipe, place)).value
        found.append(Task(place, place, begin, now, now + suite, people=people, wait=wait))
        wait = _hold_time(batch, group)
    return found


def _hold_time(batch: Batch, group: Sequence[StepResult]) -> float:
    """How long the product of a unit procedure may stand, h: 0 where the recipe does not say."""
    held = batch.control.recipe.phase(group[-1].path).hold_time
    return held.magnitude("h") if held is not None else 0.0
