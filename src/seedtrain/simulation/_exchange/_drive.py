"""Simulating an imported model: stretch by stretch, from one crossing or due event to the next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

import numpy as np

from seedtrain.base import InputError, Position, Progress, silent
from seedtrain.simulation._exchange._build import relations
from seedtrain.simulation._exchange._integrate import EngineIntegrator, Integrator, PlainIntegrator
from seedtrain.simulation._exchange._model import SbmlModel
from seedtrain.simulation._exchange._sbml_run import SbmlRun, assemble
from seedtrain.simulation._exchange._source import Event
from seedtrain.simulation._exchange._tree import NoValueError, Tree, call, num
from seedtrain.simulation._exchange._values import Floats, Point, Start

MOST_AT_ONCE: Final = 10_000
"""Events at one instant from which they are taken to call each other without end."""
MOST_WITHOUT_PROGRESS: Final = 200
"""Stretches in a row that last no longer than rounding, from which events are taken to pile up."""
NUDGE: Final = 1e-10
"""Relative step in time by which it is seen where a formula at zero goes next."""
CLOSE: Final = 1e-11
"""Relative: two sides of a relation this near to each other are equal."""
SAME_TIME: Final = 1e-12
"""Relative: an output time this near to an event shows what holds after it."""


def simulate_sbml(
    model: SbmlModel,
    times: Iterable[float],
    *,
    values: Mapping[str, float] | None = None,
    rtol: float = 1e-8,
    atol: float = 1e-12,
    integrator: Literal["engine", "plain"] = "engine",
    seed: int = 0,
    progress: Progress = silent,
) -> SbmlRun:
    """The trajectory of an imported model at `times` (in the model's unit of time, from 0, not decreasing).

    - `values`: initial values by id, in the meaning of the file, in place of the file's.
    - `rtol`, `atol`: of the error of a step, the second in the units of the states.
    - `integrator`: the compiled engine, or scipy's LSODA on generated Python, which needs no compiling.
    - `seed`: decides the order of events that are due together with the same priority, which SBML leaves to chance.

    Raises `InputError` for times or values that cannot be used, for a model that fails on the way (with its last good
    time), and for events that call each other without end.
    **Source** events as in SBML Level 3 Version 2 Core, section 4.11.
    """
    wanted = np.asarray(list(times), dtype=float)
    if not len(wanted) or not np.isfinite(wanted).all() or (np.diff(wanted) < 0).any() or wanted[0] < 0:
        raise InputError("the output times are not sorted, or below 0", remedy="Give times from 0 that increase.")
    kind = EngineIntegrator if integrator == "engine" else PlainIntegrator
    start = Start(model, values)
    driver = _Driver(model, wanted, start.point(), kind(model.system, rtol, atol), atol, progress)
    driver.chance = Random(seed)  # noqa: S311 - the model's own chance, no secret
    driver.run()
    for numbers in driver.numbers:
        numbers.update(start.without)
    return assemble(model, wanted, driver.rows, driver.observed, driver.legs, driver.numbers, tuple(driver.told))


@dataclass(order=True)
class _Due:
    """An event that waits for its delay to pass."""

    when: float
    order: int
    event: Event = field(compare=False)
    values: dict[str, float] | None = field(compare=False)


class _Driver:
    def __init__(
        self, model: SbmlModel, times: Floats, point: Point, integrator: Integrator, atol: float, progress: Progress
    ) -> None:
        self.model, self.times, self.point = model, times, point
        self.integrator, self.atol, self.progress = integrator, atol, progress
        self.rows: list[Floats] = []
        self.observed: list[Floats] = []
        self.legs: list[int] = []
        self.numbers: list[dict[str, float]] = []
        self.told: list[tuple[float, str]] = []
        self.due: list[_Due] = []
        self.truths = [event.initially for event in model.events]
        self.keys = {gauge.formula: at for at, gauge in enumerate(model.gauges)}
        self.atoms = {formula for event in model.events for formula in relations(event.trigger)}
        self.signs = [0] * len(model.gauges)
        self.count = 0
        self.chance: Random

    def run(self) -> None:
        """Every stretch up to the last output time."""
        end = float(self.times[-1])
        self.settle(frozenset())
        still = 0
        while len(self.rows) < len(self.times):
            now = self.point.time
            stop = min([end, *(item.when for item in self.due)])
            lasted, fired = self.stretch(max(stop - now, 0.0))
            still = 0 if lasted > SAME_TIME * max(1.0, now) else still + 1
            if still > MOST_WITHOUT_PROGRESS:
                raise self.fault("events follow each other without end", "Check the triggers.")
            # A due event stands exactly at its time, whatever the sum of the stretches rounds to.
            self.point.time = stop if fired < 0 else now + lasted
            if fired < 0 and stop >= end and not (self.due and self.due_now()):
                self.settle(frozenset())
                self.fill_last()
                break
            self.settle(frozenset() if fired < 0 else frozenset([fired]))
            self.progress(min(self.point.time / end, 1.0) if end else 1.0, self.model.id)

    def stretch(self, length: float) -> tuple[float, int]:
        """Integrates for at most `length`, keeps the rows before its end; how long it lasted, which gauge ended it."""
        system, now = self.model.system, self.point.time
        numbers = self.inputs()
        state = np.array([self.point.carried.get(name, 0.0) for name in system.states])
        ahead = self.times[len(self.rows) :]
        slack = SAME_TIME * max(1.0, now + length)
        asked = np.maximum(ahead[ahead < now + length - slack] - now, 0.0)
        leg = self.integrator.advance(state, numbers, length, asked, bool(self.model.gauges))
        if leg.failure:
            raise self.fault(f"it cannot be integrated beyond {now + leg.end:g}: {leg.failure}", "Check the model.")
        kept = asked < leg.end - SAME_TIME * max(1.0, now + leg.end)
        for row, seen in zip(leg.states[: len(kept)][kept[: len(leg.states)]], leg.observed, strict=False):
            self.keep(row, seen, numbers)
        carried = {**self.point.carried, **dict(zip(system.states, leg.final.tolist(), strict=True))}
        self.point = Point(self.model, now + leg.end, carried)
        return leg.end, leg.fired

    def keep(self, row: Floats, seen: Floats, numbers: dict[str, float]) -> None:
        """A row of output, with the numbers of its stretch."""
        if not self.numbers or self.numbers[-1] is not numbers:
            self.numbers.append(numbers)
        self.rows.append(row)
        self.observed.append(seen)
        self.legs.append(len(self.numbers) - 1)

    def fill_last(self) -> None:
        """The rows at the very end, after the events there."""
        numbers = self.inputs()
        state = np.array([self.point.carried.get(name, 0.0) for name in self.model.system.states])
        leg = self.integrator.advance(state, numbers, 0.0, np.zeros(1), False)
        while len(self.rows) < len(self.times):
            self.keep(state, leg.observed[0], numbers)

    def inputs(self) -> dict[str, float]:
        """The system's numbers for the stretch that begins now."""
        found = dict(self.point.carried)
        found[self.model.time_number] = self.point.time
        for gauge, sign in zip(self.model.gauges, self.signs, strict=True):
            value = self.point.of(gauge.formula)
            reading = abs(value) if sign == 0 else -sign * value
            found[gauge.way] = float(-sign)
            # Where the formula stands at zero still, the gauge begins a hair below: it ends the stretch when it moves.
            found[gauge.lift] = reading + max(self.atol, 1e-12 * abs(reading)) if reading >= 0 else 0.0
        return found

    def settle(self, fired: frozenset[int]) -> None:
        """What happens at this instant: triggers that turn true, events that are due, one after the other."""
        signs = self.signs_here(fired)
        for _ in range(MOST_AT_ONCE):
            self.follow(signs)
            item = self.due_now()
            if item is None:
                later = self.signs_after()
                close = [self.close(gauge.formula) for gauge in self.model.gauges]
                signs = [new if old == 0 or near else old for old, new, near in zip(signs, later, close, strict=True)]
                self.signs = signs
                self.follow(signs)
                item = self.due_now()
                if item is None:
                    return
            before = [self.point.of(gauge.formula) for gauge in self.model.gauges]
            self.execute(item)
            after = [self.point.of(gauge.formula) for gauge in self.model.gauges]
            signs = [sign if old == new else _sign(new) for sign, old, new in zip(signs, before, after, strict=True)]
        raise self.fault("events follow each other without end", "Check the triggers.")

    def signs_here(self, fired: frozenset[int]) -> list[int]:
        """The sign of every gauge's formula now; 0 for one that just crossed, or crosses within a nudge."""
        if not self.model.gauges:
            return []
        found = [_sign(self.value(gauge.formula)) for gauge in self.model.gauges]
        later = self.signs_after()
        for at, (old, new) in enumerate(zip(self.signs, later, strict=True)):
            if at in fired or (old and new and old != new):
                found[at] = 0
        return found

    def close(self, formula: Tree) -> bool:
        """Whether the two sides of a relation are one but for rounding."""
        left, right = (self.value(part) for part in formula.parts)
        return abs(left - right) <= CLOSE * (abs(left) + abs(right))

    def signs_after(self) -> list[int]:
        """The sign of every gauge's formula just after now."""
        if not self.model.gauges:
            return []
        try:
            later = self.point.after(NUDGE * max(1.0, abs(self.point.time)))
            return [_sign(later.of(gauge.formula)) for gauge in self.model.gauges]
        except NoValueError as error:
            raise self.fault(str(error), "Check the formula.") from None

    def follow(self, signs: list[int]) -> None:
        """Triggers by the signs of their relations: one that turns true calls its event, one that ends may undo it."""
        for at, event in enumerate(self.model.events):
            holds = self.truth(event.trigger, signs)
            if holds and not self.truths[at]:
                self.call_event(event)
            elif not holds and self.truths[at] and not event.persistent:
                self.due = [item for item in self.due if item.event is not event]
            self.truths[at] = holds

    def truth(self, tree: Tree, signs: list[int]) -> bool:
        """Whether a trigger holds, its relations decided by signs rather than by rounding."""

        def decided(node: Tree) -> Tree:
            if node.op in _BY_SIGN:
                return num(float(_BY_SIGN[node.op](signs[self.keys[call("-", *node.parts)]])))
            return Tree(node.op, tuple(decided(part) for part in node.parts), node.value, node.name)

        return self.value(decided(tree)) != 0

    def call_event(self, event: Event) -> None:
        """An event whose trigger just turned true."""
        delay = self.value(event.delay) if event.delay is not None else 0.0
        if not delay >= 0 or math.isinf(delay):
            raise self.fault(f"event {event.id!r}: its delay is {delay}", "Give a delay of 0 or more.", event.line)
        values = self.assignments(event) if event.values_from_trigger else None
        self.count += 1
        self.due.append(_Due(self.point.time + delay, self.count, event, values))

    def assignments(self, event: Event) -> dict[str, float]:
        """What an event would assign now."""
        return {name: self.value(formula) for name, formula in event.assignments}

    def due_now(self) -> _Due | None:
        """The event to execute now: of those whose time has come one with the highest priority."""
        ready = [item for item in self.due if item.when <= self.point.time + SAME_TIME * max(1.0, self.point.time)]
        if not ready:
            return None
        if len(ready) == 1:
            return ready[0]
        highest = max(self.priority(item.event) for item in ready)
        first = [item for item in ready if self.priority(item.event) == highest]
        return first[0] if highest == -math.inf else self.chance.choice(first)

    def priority(self, event: Event) -> float:
        """An event without priority comes after all that have one."""
        return self.value(event.priority) if event.priority is not None else -math.inf

    def execute(self, item: _Due) -> None:
        """Makes an event's assignments."""
        self.due.remove(item)
        values = item.values if item.values is not None else self.assignments(item.event)
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            raise self.fault(f"event {item.event.id!r} gives {bad[0]} no value", "Check it.", item.event.line)
        self.point = self.point.assigned(values)
        self.told.append((self.point.time, item.event.id or f"line {item.event.line}"))

    def value(self, formula: Tree) -> float:
        """The value of a formula now; none is a fault of the model."""
        try:
            return self.point.of(formula)
        except NoValueError as error:
            raise self.fault(str(error), "Check the formula.") from None

    def fault(self, what: str, remedy: str, line: int = 0) -> InputError:
        """An error of this model at this time."""
        text = f"{self.model.id}, at time {self.point.time:g}: {what}"
        return InputError(text, position=Position(self.model.file, line, 1 if line else 0), remedy=remedy)


_BY_SIGN: Final = {
    "lt": lambda s: s < 0,
    "le": lambda s: s <= 0,
    "gt": lambda s: s > 0,
    "ge": lambda s: s >= 0,
    "eq": lambda s: s == 0,
    "ne": lambda s: s != 0,
}


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
