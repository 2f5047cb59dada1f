"""One unit of the virtual plant whose tank is integrated while it is driven."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from seedtrain.automation._control import VesselControl
from seedtrain.automation._devices import EndedBy, Ending, Reading
from seedtrain.automation._faults import Fault
from seedtrain.automation._plant._actuation import actuation_of
from seedtrain.automation._plant._base import PlantUnit, Program, Signal, Value
from seedtrain.automation._plant._filling import Filling
from seedtrain.automation._plant._fittings import base_of, scheme_of
from seedtrain.automation._plant._instruments import Instruments, sensors_of
from seedtrain.automation._plant._live_phase import (
    RESTS,
    STANDS,
    Running,
    by_hand,
    duration_of,
    set_points_of,
    template_of,
)
from seedtrain.automation._plant._live_results import READ_BY, Intake, LiveResults
from seedtrain.automation._plant._live_tank import TICK, DrivenTank
from seedtrain.automation._plant._soft import SOFT_SENSORS, warm
from seedtrain.automation._plant._state import UnitState
from seedtrain.automation._plant._tuning import Tuning, tune, tuning_of
from seedtrain.automation._ramp import CONTROL_INTERVAL
from seedtrain.automation._scenario import UnitScenario
from seedtrain.base import InputError
from seedtrain.quantity import Quantity, parse
from seedtrain.recipe import CALIBRATE, Phase, State, parse_recipe
from seedtrain.simulation import (
    LiveTank,
    Plan,
    StirredTank,
    VesselEntry,
    plan_of,
    read_culture,
)

CONTROLLED: Final = ("temperature", "pH", "dissolved_oxygen", "stirrer_speed", "aeration", "head_pressure")
"""Functions with a target: what a client writes there holds from the next tick on."""


class LiveUnit(PlantUnit):
    """A stirred tank that answers to its controllers, its pumps and its faults.

    - `source`: gives the unit whose broth inoculates this one.
    """

    def __init__(
        self, scenario: UnitScenario, interval: timedelta, source: Callable[[str], LiveUnit] | None = None
    ) -> None:
        live = scenario.live
        assert live is not None
        self.recipe = parse_recipe(live.recipe, "the recipe of the virtual plant")
        named = Path(live.culture)
        given = {name: (value, "derived", "the plant's scenario") for name, value in live.parameters.items()}
        culture = read_culture(named if named.is_file() else live.culture)
        self.culture = culture.with_parameters(given) if given else culture
        entry = VesselEntry.model_validate(live.vessel)
        vessel, scheme = entry.vessel(scenario.name), scheme_of(entry)
        assert isinstance(vessel, StirredTank)
        sensors = sensors_of(scheme.oxygen_share > 0, scheme.carbon_dioxide_share > 0)
        base = base_of(self.culture, self.recipe)
        steps = {step.path: step for step in self.recipe.phases() if step.unit_procedure.name in live.procedures}
        self._plans = {name: plan_of(self.culture, vessel, self.recipe, name, 1.0) for name in live.procedures}
        functions = {tag: sensor.unit for tag, sensor in sensors.items()}
        if self.culture.biomass:  # enzymes neither grow nor breathe
            functions |= dict(SOFT_SENSORS)
            warm(self.culture, vessel)
        templates = {
            path: template_of(self._plans[step.unit_procedure.name], step, functions, base.material)
            for path, step in steps.items()
        }
        super().__init__(scenario.name, functions, CONTROLLED, templates)
        self.interval = interval
        self._scenario = scenario
        self._steps = steps
        self._unit = UnitState(scenario.name, steps)
        self._driven = DrivenTank(
            LiveTank(self.culture, vessel),
            VesselControl(vessel, scheme=scheme),
            Instruments(scenario.name, scenario.seed, sensors),
            base.liquid,
            base.strong,
            actuation=actuation_of(vessel, entry.number("actuator_dead_band", "", 0.0)),
        )
        self._running: Running | None = None
        self._at: datetime | None = None
        self._filling = Filling(
            self._driven, self.recipe, live.inocula, None if source is None else lambda name: source(name)._driven
        )
        self._ramped = False
        self._given: dict[str, float] = {}
        self._truths: dict[str, dict[str, float]] = {}
        self._results = LiveResults(self.recipe, self.culture, scenario, self.functions)

    @property
    def state(self) -> State:
        """The unit's ISA-88 state."""
        return self._unit.state

    def ready(self, path: str, at: datetime) -> datetime:
        """When the unit can take the phase."""
        self._unit.check(path)
        return at + timedelta(hours=self._scenario.changeover.get(path, 0.0))

    def start(self, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run the phase from `at`; its set points stand in the targets and in `properties`."""
        self._unit.check(path)
        step = self._steps[path]
        phase = replace(step.phase, set=self._settings(step.phase, properties))
        again = self._unit.running == (path, at) and self._unit.state in (State.RUNNING, State.COMPLETE)
        if again:
            return
        if self.resumes(path, at):
            self._resume(phase)
            return
        self._filling.check(step)
        self._unit.command(path)
        self._unit.start(path, at)
        self._rest(at)
        self._forget(at)
        self._driven.begin()
        plan = self._plans[step.unit_procedure.name]
        segment = next((item for item in plan.segments if item.path == path), None)
        self._filling.begin(step, phase, plan, segment)
        self._want(phase, plan)
        self._estimate(path)
        before = dict(plan.before).get(path, 0.0)
        longest = segment.longest if segment is not None and segment.longest else before or duration_of(phase)
        if phase.do == "ramp":
            longest = duration_of(phase)  # of all its steps
        self._ramped = phase.do == "ramp"
        self._running = Running(step, segment, at, longest, at)
        self.program = Program(path, at)

    def draws_from(self, path: str) -> tuple[str, ...]:
        """The integrated units whose broth a phase takes."""
        return self._filling.draws_from(self._steps[path]) if path in self._steps else ()

    def resumes(self, path: str, at: datetime) -> bool:
        """Whether this start takes up the held phase where it stands."""
        held = self._running is not None and self._unit.state is State.HELD
        return held and self._unit.running == (path, at)

    def _resume(self, phase: Phase) -> None:
        """What is in the tank stays as it is, totals go on, and the feed follows from where it stood."""
        running = self._running
        assert running is not None
        path, began = running.step.path, running.began
        self._unit.start(path, began)
        if running.held_at is not None:
            running.held += (self._at or running.held_at) - running.held_at
        self._driven.feeding, running.feeding, running.held_at = running.feeding, None, None
        if phase.do in ("grow", "feed"):
            self.retarget(self.targets)
        elif phase.do in STANDS:
            self._stand(phase)

    def _settings(self, phase: Phase, properties: Mapping[str, str]) -> dict[str, Quantity | str]:
        """Every parameter of the phase as it was told: a target of a function, else a property."""
        found: dict[str, Quantity | str] = {}
        for name, value in phase.set.items():
            target = self.targets.get(name, math.nan)
            if isinstance(value, Quantity) and name in self.targets and math.isfinite(target):
                found[name] = Quantity(target, self.functions[name])
            elif name in properties:
                found[name] = (
                    parse(properties[name], like=value.unit) if isinstance(value, Quantity) else properties[name]
                )
            else:
                raise InputError(f"{self.name} is not told {name}", remedy=f"State it, for instance {name}={value}.")
        return found

    def _estimate(self, path: str) -> None:
        """Soft sensors begin with the first phase of a culture, and anew after an inoculum."""
        if self._steps[path].phase.do in ("charge", "thaw", "inoculate"):
            self._driven.soft = None
        elif set(SOFT_SENSORS) <= set(self.templates[path].functions):
            self._driven.estimate()

    def _want(self, phase: Phase, plan: Plan) -> None:
        """The controllers' set points follow the phase, and then the targets; before it, medium is kept warm."""
        recipe = self._recipe_gives()
        if phase.do in ("grow", "feed"):
            self._given = recipe
            for name, value in {name: phase.quantity(name) for name in CONTROLLED}.items():
                self.targets[name] = math.nan if value is None else value.magnitude(self.functions[name])
            self.retarget(self.targets)
        elif phase.do in STANDS:
            self._given = {**self._given, **recipe}  # where a ramp leads
            self._stand(phase)
        elif phase.do in ("charge", "thaw", "inoculate"):
            self.targets.update(dict.fromkeys(self.targets, math.nan))
            self.retarget({"temperature": plan.segments[0].temperature})

    def _recipe_gives(self) -> dict[str, float]:
        """The targets that the recipe gives the phase that starts, whatever the client has told by now."""
        assert self._unit.running is not None
        known = self._steps[self._unit.running[0]].phase
        values = {name: known.quantity(name) for name in CONTROLLED}
        return {name: item.magnitude(self.functions[name]) for name, item in values.items() if item is not None}

    def _stand(self, phase: Phase) -> None:
        """The set points of the controllers stay; where a ramp begins is what the client wrote."""
        now = self._driven.control.set_points
        for name in CONTROLLED:
            value = getattr(now, name)
            factor = 100.0 if name == "dissolved_oxygen" else 1.0
            if name not in phase.set:
                self.targets[name] = math.nan if value is None else value * factor
        self.retarget({})

    @property
    def follows(self) -> bool:
        """Whether what a client writes holds at once: while a phase runs or is held, and for a ramp's last step."""
        held = self._running is not None and self.state is State.HELD
        return bool(self.active) or held or (self._ramped and self.state is State.COMPLETE)

    def retarget(self, targets: Mapping[str, float]) -> None:
        """Targets as a client wrote them."""
        self.targets.update(targets)
        phase = self._steps[self._unit.running[0]].phase if self._unit.running is not None else None
        found = set_points_of(self.targets, phase, by_hand(self.targets, self._given, phase))
        if found != self._driven.control.set_points:
            self._driven.control.want(found)

    def tunings(self) -> Mapping[str, Tuning]:
        """How its loops are tuned, by what each controls."""
        return {tag: tuning_of(loop) for tag, loop in self._driven.control.loops.items()}

    def tune(self, tag: str, tuning: Tuning) -> None:
        """Tune a loop from now on, without a bump."""
        tune(self._driven.control.loops[tag], tuning)

    def hold(self, path: str) -> None:
        """The safe state: no feed; temperature, pH, air and stirrer go on, so that the cells live."""
        running = self._running
        if running is not None and self._unit.state is State.RUNNING:
            running.feeding, running.held_at = self._driven.feeding, self._at or running.began
        self._unit.hold(path)
        self._driven.feeding = None

    def abort(self, path: str) -> None:
        """Stop for good: no pump runs."""
        self._unit.abort(path)
        self._driven.begin()

    def reset(self) -> None:
        """Be ready for another program; no pump runs of one that had not ended."""
        if self._unit.state is not State.COMPLETE:
            self._driven.begin()
        self._unit.reset()

    def play(self, until: datetime, tell: Callable[[Signal], None]) -> bool:
        """Integrate up to `until`, which is at most a tick away while a phase runs; says whether the phase ended."""
        running = self._running
        if running is None or self.state is not State.RUNNING:
            self._rest(until, tell)
            return False
        at = self._at or running.began
        while True:
            hours = running.hours(at)
            if at >= running.next_show:
                self._show(at, tell)
                running.next_show += self.interval if running.step.phase.do != CALIBRATE else CONTROL_INTERVAL
            ended = running.ended(hours, self._awaited)
            if ended is not None:
                self._end(running, at, ended, tell)
                return True
            if at >= until:
                return False
            step = min(until, at + TICK)
            self._tick((step - at).total_seconds() / 3600.0, hours)
            at = self._at = step

    def _tick(self, dt: float, hours: float) -> None:
        driven, faults = self._driven, self._faults(hours)
        assert self._running is not None
        driven.references = self._running.reference(hours + dt)
        if driven.references or not driven.tank.empty:
            driven.look(dt, faults)
        if not driven.tank.empty:
            driven.move(hours, dt, faults)

    def _rest(self, until: datetime, tell: Callable[[Signal], None] | None = None) -> None:
        """Between phases, and in hold, cells go on living in a tank that is kept; in hold its instruments are read."""
        at, held = self._at, self._running if self.state is State.HELD else None
        self._at = until if at is None else max(at, until)
        if at is None or self._driven.tank.empty:
            return
        while at < until:
            step = min(until, at + 4 * TICK)
            dt = (step - at).total_seconds() / 3600.0
            self._driven.look(dt, ())
            self._driven.move(0.0, dt, ())
            at = step
            if held is not None and tell is not None and at >= held.next_show:
                self._show(at, tell)
                held.next_show += self.interval

    def _faults(self, hours: float) -> list[tuple[Fault, float]]:
        assert self._running is not None
        path = self._running.step.path
        return [
            (fault, hours - fault.start)
            for fault in self._scenario.faults
            if fault.path == path and fault.start <= hours < fault.end
        ]

    def _show(self, at: datetime, tell: Callable[[Signal], None]) -> None:
        assert self._running is not None
        template = self.templates[self._running.step.path]
        if not self._driven.seen:
            self._driven.look(0.0, ())
        seen = self._driven.seen
        if self._running.step.phase.do in RESTS:
            setting = self._running.step.phase.quantity("temperature")
            seen = {"temperature": setting.magnitude("degC")} if setting is not None else {}
        for tag in template.functions:
            value = seen.get(tag, math.nan)
            if math.isfinite(value):
                quality = self._driven.quality(tag)
                self.history[tag].append(Value(at, value, quality))
                tell(Signal(self.name, tag, at, value, quality))

    def _awaited(self, quantity: str) -> Quantity:
        """What a transition waits for, as the instruments show it; else as it is."""
        tag = READ_BY.get(quantity)
        if tag:
            return Quantity(self._driven.seen.get(tag, math.nan), self.functions[tag])
        return Quantity(self._driven.truth().get(self.culture.symbol(quantity) or "", math.nan), "g/L")

    def _end(self, running: Running, at: datetime, ended: EndedBy, tell: Callable[[Signal], None]) -> None:
        path = running.step.path
        if not self._has_shown(at):
            self._show(at, tell)
        if running.step.phase.do == CALIBRATE:
            (tag,) = running.reference(0.0)
            self._driven.instruments.probes.adopt(running.step.phase, self.past(tag, running.began, at))
            self._driven.references = {}  # the probe goes back to the broth
        self._unit.end()
        assert self.program is not None
        truth = self._driven.truth() if not self._driven.tank.empty else {}
        self._truths[path] = truth
        step, driven = running.step, self._driven
        cleaned = step.phase.number("volumes", "", 0.0) * driven.vessel.working_volume[1]
        taken = Intake(self._filling.charged, driven.fed, driven.based, cleaned)
        plan, drawn = self._plans[step.unit_procedure.name], self.templates[path].materials
        ending = Ending(at, ended, self._results.additions(step, plan, taken, drawn), self._results.outlet(step, truth))
        if ending.outlet:
            self._driven.tank.empty_out()  # the broth goes to the harvest
        self.program = replace(self.program, ending=ending)
        self.results[path] = (running.began, ending)
        self._running = None
        tell(Signal(self.name))

    def _has_shown(self, at: datetime) -> bool:
        """Whether values of this very time are there."""
        return any(past and past[-1][0] == at for past in self.history.values())

    def sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the laboratory finds at the end of the phase."""
        ending = self.results.get(path)
        if ending is None:
            raise InputError(f"{self.name} has not ended {path}", remedy="Wait until the phase has ended.")
        return self._results.sample(path, attributes, self._truths[path], ending[1].time)

    def to_data(self) -> dict[str, Any]:
        """What a restarted plant needs to go on from before the phase that starts, JSON-ready."""
        targets = {name: value for name, value in self.targets.items() if math.isfinite(value)}
        at = None if self._at is None else self._at.isoformat()
        known = {"at": at, "charged": self._filling.charged, "targets": targets, "given": self._given}
        return {**known, "driven": self._driven.to_data()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`."""
        self._at = None if data["at"] is None else datetime.fromisoformat(data["at"])
        self._filling.charged = float(data["charged"])
        self.targets.update(data["targets"])
        self._given = dict(data.get("given", {}))
        self._driven.restore(data["driven"])

    @property
    def due(self) -> datetime | None:
        """Nobody knows when the phase will end; the next tick is the next time to look."""
        return self._next() if self._running is not None and self.state is State.RUNNING else None

    @property
    def next_event(self) -> datetime | None:
        """When something happens next, or None."""
        return self.due

    def _next(self) -> datetime:
        assert self._running is not None
        return (self._at or self._running.began) + TICK
