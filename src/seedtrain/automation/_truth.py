"""What really happens in a simulated plant, phase by phase, put together from what the simulator computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.automation._devices import Addition
from seedtrain.automation._job import unit_name
from seedtrain.automation._materials import target
from seedtrain.automation._sensors import CULTURE_SENSORS, FLASK_SENSORS, GAS_SENSORS, SKID_SENSORS, Sensor
from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.quantity import convert, same_dimension
from seedtrain.recipe import CALIBRATE, PHASE_KINDS, PROBES, ControlRecipe, Phase, PhaseAt, references
from seedtrain.simulation import PhaseSpan, Run, StepResult

Floats = NDArray[np.float64]

SYMBOL_OF: Final[Mapping[str, str]] = {
    "biomass": "DCW",
    "glucose": "S",
    "acetate": "A",
    "product": "P",
    "volume": "V",
    "dissolved_oxygen": "DO_percent",
    "oxygen_uptake_rate": "OUR",
    "carbon_dioxide_evolution_rate": "CER",
    "temperature": "T",
    "pH": "pH",
}
"""The variable of a run for each quantity that a transition or a sample names."""

CULTURE: Final = ("grow", "feed", "induce", "wait", "ramp")
NOT_WEIGHED: Final = ("equilibrate", "load", "wash", "clean", "integrity_test", "manual", "wait", "calibrate")
"""Phases after which nobody weighs the product: it is on the column, or stands where it stood."""


@dataclass(frozen=True)
class Trace:
    """The true value of a tag over a phase: `values` in `unit` at `times` (h of the phase)."""

    times: Floats
    values: Floats
    unit: str

    @staticmethod
    def constant(value: float, unit: str, hours: float) -> Trace:
        """A value that does not change."""
        return Trace(np.array([0.0, hours]), np.array([value, value]), unit)

    def to(self, unit: str) -> Trace:
        """The same in another unit."""
        values = np.array([convert(float(value), self.unit, unit) for value in self.values])
        return self if unit == self.unit else Trace(self.times, values, unit)


@dataclass(frozen=True)
class PhaseTruth:
    """One phase as it happens: how long, by what it ends, what its sensors could see, and what goes in and out.

    - `hours`: h. `attributes`: what a sample at its end holds, each value with its unit.
    - `additions`: what goes in by the recipe's material name; `product`: g of product that leave, or None.
    """

    path: str
    unit: str
    phase: Phase
    hours: float
    reached: bool
    sensors: Mapping[str, Sensor]
    traces: Mapping[str, Trace]
    attributes: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    additions: tuple[Addition, ...] = ()
    product: float | None = None


def truths(
    control: ControlRecipe, production: Run, seeds: Sequence[Run], steps: Sequence[StepResult]
) -> dict[str, PhaseTruth]:
    """Every phase of the control recipe by path.

    Raises `InputErrors` naming each phase of which the simulation says too little: no duration, or nothing about a
    value that the recipe limits or samples.
    """
    runs = {run.unit_procedure: run for run in (*seeds, production)}
    results = {step.path: step for step in steps}
    errors: list[SeedtrainError] = []
    found: dict[str, PhaseTruth] = {}
    for step in control.recipe.phases():
        run = runs.get(step.unit_procedure.name)
        try:
            if step.path in results:
                truth = _purification(step, results[step.path])
            else:
                truth = _vessel(control, step, run)
            _require(control, step, truth)
            found[step.path] = truth
        except InputError as error:
            errors += error.parts
    collect(errors)
    return found


def _require(control: ControlRecipe, step: PhaseAt, truth: PhaseTruth) -> None:
    """Refuse a phase whose limits or samples nothing in the simulation answers."""
    errors: list[SeedtrainError] = []
    for kind, names, known in (
        ("limits", step.phase.watched, truth.traces),
        ("sample", step.phase.sample, truth.attributes),
    ):
        for name, limits in names.items():
            if name not in known:
                errors.append(
                    control.recipe.error(
                        step.path,
                        name,
                        f"the simulated plant knows no {name!r} here ({kind})",
                        remedy=f"Use one of: {', '.join(sorted(known)) or 'none'}; or remove it.",
                    )
                )
            else:
                item = known[name]
                unit = item.unit if isinstance(item, Trace) else item[1]
                if not same_dimension(unit, limits.unit):
                    words = (
                        f"the simulated plant has {name!r} in {unit or 'no unit'}, not in {limits.unit or 'no unit'}"
                    )
                    errors.append(control.recipe.error(step.path, name, words, remedy="Write the limit in that unit."))
    collect(errors)


def _purification(step: PhaseAt, result: StepResult) -> PhaseTruth:
    """A phase of the downstream train."""
    phase = step.phase
    figures = {name: (float(value), unit) for name, (value, unit) in result.performance.items()}
    sensors = _skid_sensors(phase)
    traces: dict[str, Trace] = {}
    for tag, sensor in sensors.items():
        trace = _skid_trace(phase, result, figures, tag)
        if trace is not None and same_dimension(trace.unit, sensor.unit):
            traces[tag] = trace.to(sensor.unit)
    product = None if phase.do in NOT_WEIGHED else result.outlet.masses.get("product", 0.0) or None
    return PhaseTruth(
        path=step.path,
        unit=unit_name(step),
        phase=phase,
        hours=result.duration,
        reached=True,
        sensors={tag: sensors[tag] for tag in traces},
        traces=traces,
        attributes=figures,
        additions=tuple(Addition(name, amount, unit) for name, (amount, unit) in result.materials.items()),
        product=product,
    )


def _skid_sensors(phase: Phase) -> dict[str, Sensor]:
    """The instruments of a phase: for what it limits, sets as a number, or what its equipment reports.

    A name can mean two things (the flux of a membrane and that of a centrifuge): its unit tells which.
    """
    known = PHASE_KINDS[phase.do].limited()
    wanted = [*phase.limits, *(name for name, unit in known.items() if _measures(name, unit))]
    return {
        tag: SKID_SENSORS.get(tag) or Sensor(tag, phase.limits[tag].unit, 0.0, relative=0.005)
        for tag in dict.fromkeys(wanted)
    }


def _measures(name: str, unit: str) -> bool:
    return name in SKID_SENSORS and SKID_SENSORS[name].unit == unit


def _skid_trace(phase: Phase, result: StepResult, figures: Mapping[str, tuple[float, str]], tag: str) -> Trace | None:
    """A tag's true course: computed over time, else as it was set, else the phase's one figure."""
    if tag in result.trajectory and "time" in result.trajectory:
        unit = PHASE_KINDS[phase.do].limited().get(tag, "")
        return Trace(np.array(result.trajectory["time"]), np.array(result.trajectory[tag]), unit)
    setting = phase.quantity(tag)
    if setting is not None:
        return Trace.constant(setting.value, setting.unit, result.duration)
    if tag in figures:
        return Trace.constant(*figures[tag], result.duration)
    return None


def _vessel(control: ControlRecipe, step: PhaseAt, run: Run | None) -> PhaseTruth:
    """A phase in a flask or a tank, or one that people do by hand."""
    phase = step.phase
    span = next((item for item in run.phases if item.path == step.path), None) if run else None
    hours = _hours(control, step, None if span is None else span.end - span.start)
    in_culture = run is not None and span is not None and phase.do in CULTURE
    sensors = _vessel_sensors(step) if in_culture or phase.do in ("sterilise", CALIBRATE) else {}
    traces: dict[str, Trace] = {}
    attributes: dict[str, tuple[float, str]] = {}
    for tag, sensor in sensors.items():
        setting = phase.quantity(tag)
        if phase.do == CALIBRATE:
            traces[tag] = _of_references(phase, hours)
        elif run is not None and span is not None and in_culture and sensor.symbol in run.variables:
            traces[tag] = _slice(run, sensor.symbol, span.start, span.end, hours).to(sensor.unit)
        elif setting is not None and same_dimension(setting.unit, sensor.unit):
            traces[tag] = Trace.constant(setting.magnitude(sensor.unit), sensor.unit, hours)
            if tag == "aeration" and run is not None and span is not None and in_culture and "vvm" in run.variables:
                followed = _slice(run, "vvm", span.start, span.end, hours).to(sensor.unit)
                # What is set stands, also where the run cuts the gas to what the impeller disperses.
                traces[tag] = replace(followed, values=np.maximum(followed.values, traces[tag].values[0]))
        elif tag.endswith("_share"):  # what the vessel has no line for
            traces[tag] = Trace.constant(0.0, sensor.unit, hours)
    if run is not None and span is not None and in_culture:
        for name, symbol in SYMBOL_OF.items():
            if symbol in run.variables:
                trace = _slice(run, symbol, span.start, span.end, hours)
                attributes[name] = (float(trace.values[-1]), run.variables[symbol].unit)
    return PhaseTruth(
        path=step.path,
        unit=unit_name(step),
        phase=phase,
        hours=hours,
        reached=run is None or span is None or _reached(run, span),
        sensors={tag: sensors[tag] for tag in traces},
        traces=traces,
        attributes=attributes,
        additions=(*_vessel_additions(control, step, traces, hours), *_base(control, run, span, hours)),
        product=_harvested(control, step, run),
    )


def _hours(control: ControlRecipe, step: PhaseAt, simulated: float | None) -> float:
    """How long a phase takes, h: a culture as long as it was simulated, the others as the recipe says."""
    phase = step.phase
    if phase.do in ("grow", "feed") and simulated is not None:
        return simulated
    if phase.duration is not None:
        return phase.duration.magnitude("h")
    if simulated is not None:
        return simulated
    if phase.do == "clean":
        return phase.number("contact_time", "h")
    if phase.until is not None and phase.until.is_signature:
        return 0.0  # it ends when somebody signs, and a scripted person signs at once
    raise control.recipe.error(
        step.path,
        "",
        f"the simulated plant does not know how long {phase.do!r} takes here",
        remedy="Give the phase a `duration`, or simulate it.",
    )


def _vessel_sensors(step: PhaseAt) -> dict[str, Sensor]:
    if step.phase.do == "sterilise":
        return {tag: SKID_SENSORS[tag] for tag in ("temperature",)}
    if step.phase.do == CALIBRATE:
        return {tag: CULTURE_SENSORS[tag] for tag in references(step.phase)[:1]}
    flask = step.unit_procedure.unit_class == "shake_flask"
    asked = {tag: GAS_SENSORS[tag] for tag in step.phase.watched if tag in GAS_SENSORS}
    return {**(FLASK_SENSORS if flask else CULTURE_SENSORS), **asked}


def _of_references(phase: Phase, hours: float) -> Trace:
    """What a probe is put into: each reference for an equal part of the phase."""
    tag, values = references(phase)
    edges = np.linspace(0.0, hours, len(values) + 1)
    inner = np.repeat(edges[1:-1], 2) + np.tile([0.0, 1e-9], len(values) - 1)
    return Trace(np.concatenate([edges[:1], inner, edges[-1:]]), np.repeat(np.array(values), 2), PROBES[tag])


def _slice(run: Run, symbol: str, start: float, end: float, hours: float) -> Trace:
    """A variable from `start` to `end`, h of the run, stretched over `hours` where the run took no time for it."""
    times, values = run.time, run[symbol]
    # At a boundary two phases share a time: a phase takes the later point of its start and the earlier of its end.
    low = max(int(np.searchsorted(times, start, side="right")) - 1, 0)
    high = min(int(np.searchsorted(times, end, side="left")), len(times) - 1)
    if high <= low or end <= start:
        return Trace.constant(float(values[low]), run.variables[symbol].unit, hours)
    own, seen = times[low : high + 1], values[low : high + 1]
    inside = np.unique(np.concatenate([[start], own[(own > start) & (own < end)], [end]]))
    return Trace(inside - start, np.interp(inside, own, seen), run.variables[symbol].unit)


def _reached(run: Run, span: PhaseSpan) -> bool:
    """Whether the phase ended by its transition; the simulator notes where it ran into `at_most`."""
    return not any(event.kind == "at_most" and span.start < event.time <= span.end for event in run.events)


def _vessel_additions(
    control: ControlRecipe, step: PhaseAt, traces: Mapping[str, Trace], hours: float
) -> tuple[Addition, ...]:
    """What goes into the vessel: what the recipe states, the feed as it was pumped."""
    phase = step.phase
    if phase.do == "feed" and "feed_rate" in traces:
        fed = traces["feed_rate"].to("L/h")
        return (Addition(phase.word("material"), float(np.trapezoid(fed.values, fed.times)), "L"),)
    name = {"thaw": "inoculum"}.get(phase.do, "material")
    material = phase.set.get(name)
    wanted = target(control.recipe, step, str(material), hours) if material else None
    return () if wanted is None else (Addition(str(material), wanted.value, wanted.unit),)


def _base(control: ControlRecipe, run: Run | None, span: PhaseSpan | None, hours: float) -> tuple[Addition, ...]:
    """The base that held the pH: what the simulator calls `B`, L/h, of the recipe's material with ammonia water."""
    name = next((key for key, parts in control.recipe.materials.items() if "ammonia-water" in parts), None)
    if run is None or span is None or name is None or "B" not in run.variables or span.start < 0:
        return ()  # before time 0 there is no culture
    trace = _slice(run, "B", span.start, span.end, hours)
    volume = float(np.trapezoid(trace.values, trace.times))
    return (Addition(name, volume, "L"),) if volume > 0 else ()


def _harvested(control: ControlRecipe, step: PhaseAt, run: Run | None) -> float | None:
    """g of product in the broth when the production vessel is done; None in every other phase."""
    if run is None or step.unit_procedure is not control.recipe.production:
        return None
    last = [phase for operation in step.unit_procedure.operations for phase in operation.phases][-1]
    if step.phase is not last or not {"P", "V"} <= set(run.variables):
        return None
    return run.final("P") * run.final("V") or None
