"""Any `System` with its schedule as SBML: rate rules, assignment rules, events between stretches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seedtrain.base import InputError
from seedtrain.simulation._engine import END_STRETCH, END_TRAJECTORY, Schedule, System
from seedtrain.simulation._engine._schedule import checked_schedule
from seedtrain.simulation._exchange._source import Event, Parameter, Rule, Source
from seedtrain.simulation._exchange._tree import Tree, call, num, read_expression, substituted, sym

HOUR = {"hour": (("second", 1.0, 0, 3600.0),)}


@dataclass(frozen=True)
class _Plan:
    """A system with one trajectory's schedule; own symbols of the export that the system does not use."""

    system: System
    schedule: Schedule
    start: str  # when the stretch began
    stage: str  # which stretch it is
    held_stage: str  # for which stretch the held symbols hold

    @property
    def several(self) -> bool:
        return self.schedule.stretches > 1


def source_of_system(system: System, schedule: Schedule, *, name: str = "", trajectory: int = 0) -> Source:
    """A system and one trajectory of its schedule as an SBML model, whose time is in hours from the schedule's start.

    States, held symbols, lines and numbers are parameters of the same names, without units, as the system has none.
    Stretches begin by events, at their end or when a gauge rises that ends them.

    Raises `InputError` for a gauge that ends the trajectory, which SBML cannot say.
    """
    plan = _Plan(system, _single(checked_schedule(system, schedule), trajectory), *_free_names(system))
    if (plan.schedule.actions == END_TRAJECTORY).any():
        raise InputError(
            f"system {system.name!r}: a gauge ends the trajectory, which SBML cannot say",
            remedy="Let it end a stretch, or ignore it in the exported schedule.",
        )
    return Source(
        id=_identifier(system.name),
        file="",
        name=name or system.name,
        units=HOUR,
        time_unit="hour",
        parameters=tuple(_parameters(plan)),
        rules=tuple(_rules(plan)),
        events=tuple(_events(plan)),
    )


def _single(schedule: Schedule, trajectory: int) -> Schedule:
    def one(part: np.ndarray) -> np.ndarray:
        at = trajectory if part.shape[0] > 1 else 0
        return part[at : at + 1]

    parts = ("initial", "numbers", "jumps", "lengths", "actions")
    return Schedule(**{name: one(getattr(schedule, name)) for name in parts})


def _free_names(system: System) -> tuple[str, str, str]:
    taken = {*system.states, *system.numbers, *(name for name, _ in (*system.held, *system.lines))}
    found = []
    for wanted in ("stretch_start", "stretch", "stretch_held"):
        name = wanted
        while name in taken:
            name += "_"
        found.append(name)
    return found[0], found[1], found[2]


def _identifier(name: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_")
    return plain if plain[:1].isalpha() else f"model_{plain}"


def _formula(plan: _Plan, text: str) -> Tree:
    """An expression with the time of the stretch written out."""
    since = call("-", Tree("time"), sym(plan.start)) if plan.several else Tree("time")
    return substituted(read_expression(text), {"t": since})


def _parameters(plan: _Plan) -> Iterator[Parameter]:
    system, schedule = plan.system, plan.schedule
    first = schedule.initial[0] + schedule.jumps[0, 0]
    for name, value in zip(system.states, first.tolist(), strict=True):
        yield Parameter(name, value, constant=False)
    for at, name in enumerate(system.numbers):
        values = schedule.numbers[0, :, at]
        yield Parameter(name, float(values[0]), constant=bool((values == values[0]).all()))
    for name, _ in system.held:
        yield Parameter(name, None, constant=not plan.several)
    for name, _ in system.lines:
        yield Parameter(name, None, constant=False)
    if plan.several:
        yield Parameter(plan.start, 0.0, "start of the stretch", constant=False)
        yield Parameter(plan.stage, 0.0, "which stretch it is", constant=False)
        if system.held:
            yield Parameter(plan.held_stage, 0.0, "for which stretch held symbols hold", constant=False)


def _rules(plan: _Plan) -> Iterator[Rule]:
    system = plan.system
    for name, text in system.held:
        # Evaluated at the start of a stretch, where its time is 0.
        yield Rule("initial", name, read_expression(text))
    for name, text in system.lines:
        yield Rule("assignment", name, _formula(plan, text))
    for name, text in zip(system.states, system.rates, strict=True):
        yield Rule("rate", name, _formula(plan, text))


def _events(plan: _Plan) -> Iterator[Event]:
    """One event for the start of each later stretch, then one for each held symbol, in order by their priority."""
    if not plan.several:
        return
    system, schedule = plan.system, plan.schedule
    held = len(system.held)
    for at in range(1, schedule.stretches):
        over = call("ge", call("-", Tree("time"), sym(plan.start)), num(float(schedule.lengths[0, at - 1])))
        ends = [over]
        for gauge, (_, text) in enumerate(system.gauges):
            if schedule.actions[0, at - 1, gauge] == END_STRETCH:
                ends.append(call("ge", _formula(plan, text), num(0.0)))
        ended = ends[0] if len(ends) == 1 else call("or", *ends)
        trigger = call("and", call("eq", sym(plan.stage), num(at - 1.0)), ended)
        changes = tuple(_changes(plan, at))
        yield Event(f"stretch_{at}_begins", trigger, changes, priority=num(held + 1.0), values_from_trigger=False)
    for at, (name, text) in enumerate(system.held):
        last = at == held - 1
        done = ((plan.held_stage, sym(plan.stage)),) if last else ()
        trigger = call("gt", sym(plan.stage), sym(plan.held_stage))
        assignments = ((name, read_expression(text)), *done)
        yield Event(f"hold_{name}", trigger, assignments, priority=num(float(held - at)), values_from_trigger=False)


def _changes(plan: _Plan, at: int) -> Iterator[tuple[str, Tree]]:
    schedule, system = plan.schedule, plan.system
    yield plan.stage, num(float(at))
    yield plan.start, Tree("time")
    for which, name in enumerate(system.numbers):
        values = schedule.numbers[0, :, which]
        if values[at] != values[at - 1] or not (values == values[0]).all():
            yield name, num(float(values[at]))
    for which, name in enumerate(system.states):
        if schedule.jumps[0, at, which]:
            yield name, call("+", sym(name), num(float(schedule.jumps[0, at, which])))
