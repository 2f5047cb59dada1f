"""What stays the same while a batch runs: recipe, plant, ledger, people, lots; and how events of it are drafted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from seedtrain.automation._devices import FunctionalUnit, Origin, Plant
from seedtrain.automation._excursion import Excursion, bound, bounds, is_within
from seedtrain.automation._observed import WatchedPlant
from seedtrain.automation._recorder import Recorder
from seedtrain.base import InputError, SeedtrainError, collect, decimal_text
from seedtrain.quality import Lot
from seedtrain.quantity import Range
from seedtrain.recipe import ControlRecipe, Permit, PhaseAt
from seedtrain.record import Draft, Ledger

OPERATOR: Final = "operator"
CHECKER: Final = "checker"
SHIFT_LEADER: Final = "shift_leader"

SYSTEM: Final = "system"
"""The actor of what no person does (readings, calculated values, stored telemetry), as the ledger calls it."""

OnExcursion = Callable[[Excursion], object]


@dataclass(frozen=True)
class Live:
    """What is different where people act in the batch from other processes, and the record says what they did.

    - `executor`: the id of this run of the executor; another one that takes the batch over ends this one.
    - `people`: units that people run by hand. `trial`: everything is marked simulated, whatever the plant says.
    - `recorder`: given every reading as it comes, for telemetry and alarms; None: readings come at the end of a phase.
    - `tell`: told what happens, for the screen. `look_s`: s between two looks at the record while it waits.
    """

    executor: str
    plant: WatchedPlant
    people: frozenset[str]
    trial: bool
    tell: Callable[[str], object]
    look_s: float = 0.5
    recorder: Recorder | None = None


@dataclass(frozen=True)
class Job:
    """One batch to execute.

    - `operators`: the actor's id by role. `folder`: where telemetry segments lie. `interval`: between two readings.
    - `stock`: what the store holds now. `live`: None where scripted people answer at once (`execute`).
    - `recorder`: given the readings of each phase as it ends (`execute`; a live batch has its own).
    """

    control: ControlRecipe
    plant: Plant
    ledger: Ledger
    batch: str
    operators: Mapping[str, str]
    stock: Callable[[], Sequence[Lot]]
    permit: Permit
    on_excursion: OnExcursion | None
    folder: Path
    interval: timedelta
    live: Live | None = None
    recorder: Recorder | None = None

    @property
    def origin(self) -> str:
        """Whether the plant measures or simulates: the production unit's own word."""
        if self.live is not None and self.live.trial:
            return "simulated"
        if self.live is not None and self.control.unit in self.live.people:
            return "measured"
        return self.plant.unit(self.control.unit).identify().origin

    @property
    def parallel(self) -> bool:
        """Whether the recipe lets unit procedures run beside each other."""
        return self.control.recipe.is_parallel

    def steps(self) -> Sequence[PhaseAt]:
        """Every phase in the order of the procedure."""
        return tuple(self.control.recipe.phases())

    def origin_of(self, unit: FunctionalUnit) -> Origin:
        """Of what a unit gives; a trial is simulated whatever the unit says."""
        return "simulated" if self.live is not None and self.live.trial else unit.identify().origin

    def draft(
        self,
        type: str,
        payload: Mapping[str, Any],
        at: datetime,
        *,
        actor: str | None = None,
        device: str | None = None,
        reason: str | None = None,
    ) -> Draft:
        """An event of this batch; the operator is the actor unless said."""
        return Draft(type, self.batch, payload, actor or self.operators[OPERATOR], at, device, reason=reason)

    def value(
        self,
        phase: str,
        tag: str,
        value: float | str,
        unit: str,
        at: datetime,
        *,
        limits: Range | None = None,
        kind: str,
        origin: str,
        actor: str | None = None,
        device: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Draft:
        """A `step.value_recorded`; `limits` become numbers in `unit`, and a word has none."""
        low, high = bounds(limits, unit)
        number = isinstance(value, (int, float))
        payload = {
            "phase": phase,
            "tag": tag,
            "value": decimal_text(value) if isinstance(value, (int, float)) else value,
            "unit": unit,
            "low": bound(low),
            "high": bound(high),
            "within": is_within(float(value), low, high) if number else True,
            "kind": kind,
            "origin": origin,
            **(more or {}),
        }
        return self.draft("step.value_recorded", payload, at, actor=actor or SYSTEM, device=device)


def unit_name(step: PhaseAt) -> str:
    """The unit on which a phase runs: the one the control recipe names, else the class of unit that it needs."""
    return step.unit_procedure.unit or step.unit_procedure.unit_class


def by_people(step: PhaseAt, people: Collection[str]) -> bool:
    """Whether people run the whole phase: on a unit of theirs, by hand, or until one of them signs."""
    until = step.phase.until
    return unit_name(step) in people or step.phase.do == "manual" or (until is not None and until.is_signature)


def completed_by_people(step: PhaseAt) -> bool:
    """Whether a person completes the phase once its equipment is done: the recipe asks them for something in it."""
    return bool(set(step.phase.manual.to_data()) - {"course", "equipment", "clear"})


def check_operators(steps: Sequence[PhaseAt], operators: Mapping[str, str]) -> None:
    """Refuse a crew that lacks a role, or in which one person would check their own work; all faults at once."""
    wanted = {OPERATOR: "to run phases"}
    for step in steps:
        if step.phase.second_person:
            wanted[CHECKER] = f"to check {step.path} (`second_person`)"
        if step.phase.hold_point:
            wanted[SHIFT_LEADER] = f"to sign the hold point of {step.path}"
        if step.phase.until is not None and step.phase.until.is_signature:
            wanted[str(step.phase.until.value)] = f"to sign {step.path}"
    errors: list[SeedtrainError] = [
        InputError(f"nobody has the role {role!r}, {why}", remedy=f"Name a person for the role {role}.")
        for role, why in wanted.items()
        if not operators.get(role)
    ]
    if CHECKER in wanted and operators.get(CHECKER) and operators.get(CHECKER) == operators.get(OPERATOR):
        errors.append(
            InputError(
                f"the operator and the checker are one person, {operators[OPERATOR]}",
                remedy="Name another person as checker: nobody checks their own work (21 CFR 211.101(c)-(d)).",
            )
        )
    collect(errors)
