"""The production of a batch as it was measured: the same `Run` as a prediction, built from the record alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import numpy as np

from seedtrain.automation._excursion import Floats, in_unit
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import Job
from seedtrain.automation._telemetry import Segment, read_segment
from seedtrain.base import InputError
from seedtrain.quantity import convert
from seedtrain.recipe import PhaseAt
from seedtrain.simulation import PhaseSpan, Run, RunEvent, Variable

SYMBOLS: Final[Mapping[str, tuple[str, str]]] = {
    "temperature": ("T", "degC"),
    "pH": ("pH", ""),
    "dissolved_oxygen": ("DO_percent", "%"),
    "stirrer_speed": ("N", "1/min"),
    "broth_volume": ("V", "L"),
    "feed_rate": ("F", "L/h"),
    "OUR": ("OUR", "mmol/L/h"),
    "CER": ("CER", "mmol/L/h"),
    "biomass": ("DCW", "g/L"),
    "glucose": ("S", "g/L"),
    "mu": ("mu_estimate", "1/h"),
    "RQ": ("RQ_estimate", ""),
}
"""The symbol and unit that a tag has in a run of a culture; other tags keep their own name.

What the culture's own model had a part in is no measurement: it is never compared with what that model predicts.
"""

TIME_DIGITS: Final = 6
"""Of an hour, 3.6 ms: telemetry holds nine significant digits."""

CULTURE_PHASES: Final = ("grow", "feed", "induce")


def batch_run(job: Job, state: BatchState) -> Run:
    """The production unit's readings, from the telemetry segments that the record names.

    Time is h since the first phase that grows the culture began, as in a prediction. What only samples tell (product,
    acetate) stands in `totals` as `sample/<phase>/<attribute>`, materials as `consumed/<material>`.
    """
    production = job.control.recipe.production
    steps = [step for step in job.steps() if step.unit_procedure is production and step.phase.do in CULTURE_PHASES]
    segments = [read_segment(job.folder, state.segments[step.path]) for step in steps if step.path in state.segments]
    if not segments or state.begun is None:
        raise InputError(
            f"batch {job.batch} has no readings of {production.name}", remedy="Let the unit report its functions."
        )
    zero = min(state.started[step.path].time for step in steps)
    offset = (zero - state.begun).total_seconds() / 3600.0
    origins = {segment.origin for segment in segments}
    origin: Literal["simulated", "measured"] = "measured" if origins == {"measured"} else "simulated"
    return Run(
        origin=origin,
        recipe_digest=job.control.digest,
        culture=job.control.recipe.culture,
        vessel=job.control.unit,
        unit_procedure=production.name,
        time=np.round(np.concatenate([segment.time for segment in segments]) - offset, TIME_DIGITS),
        variables=_variables(segments),
        phases=tuple(_span(state, step, zero) for step in steps),
        events=_events(state, steps, zero),
        totals=_totals(state, {step.path for step in job.steps() if step.unit_procedure is production}),
    )


def _variables(segments: list[Segment]) -> dict[str, Variable]:
    """Every tag that all phases report, under its symbol."""
    tags = [tag for tag in segments[0].columns if all(tag in segment.columns for segment in segments)]
    found = {}
    for tag in tags:
        symbol, unit = SYMBOLS.get(tag, (tag, segments[0].units[tag]))
        parts = [_converted(segment, tag, unit) for segment in segments]
        found[symbol] = Variable(symbol, unit, np.concatenate(parts), tag)
    return found


def _converted(segment: Segment, tag: str, unit: str) -> Floats:
    return in_unit(segment.columns[tag], segment.units[tag], unit)


def _span(state: BatchState, step: PhaseAt, zero: datetime) -> PhaseSpan:
    start, end = state.started[step.path].time, state.completed[step.path].time
    return PhaseSpan(step.path, _hours(start, zero), _hours(end, zero))


def _hours(time: datetime, zero: datetime) -> float:
    return (time - zero).total_seconds() / 3600.0


def _events(state: BatchState, steps: list[PhaseAt], zero: datetime) -> tuple[RunEvent, ...]:
    """Readings out of limits, at their time in the run."""
    started = {step.path: _hours(state.started[step.path].time, zero) for step in steps}
    found = []
    for _, item in state.values:
        if item["phase"] in started and item["kind"] == "reading" and not item["within"]:
            words = f"{item['tag']} {item['value']} {item['unit']}".rstrip()
            found.append(RunEvent(started[item["phase"]] + float(item["time_h"]), "out_of_limits", words))
    return tuple(sorted(found, key=lambda item: item.time))


def _totals(state: BatchState, paths: set[str]) -> dict[str, tuple[float, str]]:
    """What the production unit took, by material, and what its samples told."""
    amounts: dict[str, float] = defaultdict(float)
    units: dict[str, str] = {}
    for item in state.consumed:
        if item["phase"] in paths:
            unit = units.setdefault(f"consumed/{item['material']}", str(item["unit"]))
            amounts[f"consumed/{item['material']}"] += convert(float(item["amount"]), str(item["unit"]), unit)
    found = {name: (amount, units[name]) for name, amount in amounts.items()}
    for _, item in state.values:
        if item["phase"] in paths and item["kind"] == "sample":
            found[f"sample/{item['phase']}/{item['tag']}"] = (float(item["value"]), str(item["unit"]))
    return found
