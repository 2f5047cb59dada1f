"""What stays the same while a batch runs: recipe, plant, ledger, people, lots; and how events of it are drafted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from seedtrain.automation._devices import Plant
from seedtrain.automation._excursion import Excursion, bound, bounds, is_within
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
class Job:
    """One batch to execute.

    - `operators`: the actor's id by role. `folder`: where telemetry segments lie. `interval`: between two readings.
    """

    control: ControlRecipe
    plant: Plant
    ledger: Ledger
    batch: str
    operators: Mapping[str, str]
    lots: tuple[Lot, ...]
    permit: Permit
    on_excursion: OnExcursion | None
    folder: Path
    interval: timedelta

    @property
    def origin(self) -> str:
        """Whether the plant measures or simulates: the production unit's own word."""
        return self.plant.unit(self.control.unit).identify().origin

    def steps(self) -> Sequence[PhaseAt]:
        """Every phase in the order of the procedure."""
        return tuple(self.control.recipe.phases())

    def draft(
        self,
        type: str,
        payload: Mapping[str, Any],
        at: datetime,
        *,
        actor: str | None = None,
        device: str | None = None,
    ) -> Draft:
        """An event of this batch; the operator is the actor unless said."""
        return Draft(type, self.batch, payload, actor or self.operators[OPERATOR], at, device)

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
