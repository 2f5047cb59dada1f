"""Good batches of the record as a table for a model: phase by phase, aligned on the phase's own clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import numpy as np

from seedtrain.automation._fold import BatchState
from seedtrain.automation._monitoring._file import GoldenBatches, GoldenPhase
from seedtrain.automation._monitoring._fit import FALSE_ALARMS, FEWEST, LEVEL, SHARE, fit_golden
from seedtrain.automation._monitoring._latent import Floats
from seedtrain.automation._monitoring._model import Golden
from seedtrain.automation._monitoring._profile import HOUR_US, PhaseTime, own_tags, phase_times, profile
from seedtrain.base import InputError, Progress, SeedtrainError, collect, silent
from seedtrain.base import translate as _
from seedtrain.recipe import State
from seedtrain.record import Ledger, Telemetry, Trend, batch_time, time_of

EVERY: Final = timedelta(minutes=6)
"""Between two points of a profile if not given; assumed."""
SHORTEST: Final = 10
"""Points that a phase must have to be modelled."""


@dataclass(frozen=True)
class _Batch:
    """One batch: its phases, and the trends of each phase's unit by phase and tag."""

    name: str
    state: BatchState
    phases: dict[str, PhaseTime]
    trends: dict[str, dict[str, list[Trend]]]


def learn_golden(
    ledger: Ledger,
    telemetry: Telemetry,
    batches: Sequence[str],
    *,
    phases: Sequence[str] = (),
    tags: Sequence[str] = (),
    every: timedelta = EVERY,
    components: int | None = None,
    level: float = LEVEL,
    false_alarms: float = FALSE_ALARMS,
    towards_amount: bool = False,
    progress: Progress = silent,
) -> GoldenBatches:
    """Learn what good batches are like from the record and telemetry of `batches` that have run.

    - `phases`: paths; those that lasted long enough if none. `tags`: every one that was read often enough if none.
    - `every`: of the phase's own clock between two points. `towards_amount`: by PLS towards the amount of product.

    Raises `InputErrors` for batches that are not there, not complete, of several recipes, or of simulated and measured
    origin, and `InputError` where nothing is left to model.
    """
    if every <= timedelta(0):
        raise InputError(f"a point every {every}", remedy="Give a positive time, such as 6 min.")
    names = tuple(dict.fromkeys(batches))
    if len(names) < FEWEST:
        raise InputError(f"{len(names)} batches are too few for a model", remedy=f"Give {FEWEST} good batches or more.")
    states = _checked(ledger, names)
    step = every.total_seconds()
    read = []
    for number, state in enumerate(states):
        progress(number / len(states) / 2, state.batch)
        read.append(_read(ledger, telemetry, state, phases, tags))
    outcome = _amounts(read) if towards_amount else None
    found: dict[str, GoldenPhase] = {}
    chosen = _phases(read, phases, step)
    for number, path in enumerate(chosen):
        progress(0.5 + number / len(chosen) / 2, _("model of {phase}").format(phase=path))
        aligned = _aligned(read, path, tags, step, outcome)
        if aligned is None and path not in phases:
            continue  # one thermometer has nothing to be compared with
        if aligned is None:
            raise InputError(
                f"fewer than two tags: not read often enough in {path} for a model",
                remedy="Give other tags, or a longer --every.",
            )
        units, golden = aligned
        model = fit_golden(
            golden, components=components, level=level, false_alarms=false_alarms, towards_outcome=towards_amount
        )
        found[path] = GoldenPhase(path, units, model)
    if not found:
        raise InputError("no phase has two tags that are read", remedy="Learn from batches with more telemetry.")
    first = states[0].created or {}
    origin: Literal["measured", "simulated"] = "measured" if first.get("origin") == "measured" else "simulated"
    made = GoldenBatches(
        str(first.get("recipe", "")), origin, step, names, found, false_alarms, "g" if towards_amount else ""
    )
    progress(1.0, _("model of {count} phases").format(count=len(found)))
    return made.with_factor()


def _checked(ledger: Ledger, names: Sequence[str]) -> list[BatchState]:
    """Every batch is there, complete, and like the others."""
    errors: list[SeedtrainError] = []
    states = []
    for name in names:
        state = BatchState(name)
        for event in ledger.events(subject=name):
            state.apply(event)
        if state.created is None:
            errors.append(InputError(f"the ledger has no batch {name!r}", remedy="See: seedtrain batch list."))
        elif state.state() is not State.COMPLETE:
            message = f"batch {name} is {state.state().value}, not complete"
            errors.append(InputError(message, remedy="Learn from batches that ran to their end."))
        else:
            states.append(state)
    for key, what in (("recipe", "recipes"), ("origin", "origins")):
        known = {str((item.created or {}).get(key, "")): item.batch for item in states}
        if len(known) > 1:
            words = ", ".join(f"{value or 'nothing'} ({batch})" for value, batch in sorted(known.items()))
            errors.append(InputError(f"the batches have several {what}: {words}", remedy="Learn from one kind."))
    collect(errors)
    return states


def _read(
    ledger: Ledger, telemetry: Telemetry, state: BatchState, phases: Sequence[str], tags: Sequence[str]
) -> _Batch:
    times = phase_times(batch_time(ledger, state.batch), ledger.events(subject=state.batch))
    ended = {path: item for path, item in times.items() if item.end is not None and (not phases or path in phases)}
    known = tags or telemetry.tags()
    trends: dict[str, dict[str, list[Trend]]] = {}
    for path, item in ended.items():
        assert item.end is not None
        if item.end > item.start and known:
            end = time_of(item.end) + timedelta(microseconds=1)
            trends[path] = own_tags(telemetry.trends(known, time_of(item.start), end), item.unit)
    return _Batch(state.batch, state, ended, trends)


def _length(phase: PhaseTime, every: float) -> int:
    """Whole points that a phase has on its own clock."""
    assert phase.end is not None
    held = sum((end or phase.end) - begin for begin, end in phase.still)
    return int((phase.end - phase.start - held) / HOUR_US * 3600.0 / every + 1e-6)


def _points(batches: Sequence[_Batch], path: str, every: float) -> int:
    """To how many points a phase is modelled: as far as three quarters of the batches go, and enough for a model."""
    lengths = sorted((_length(item.phases[path], every) for item in batches if item.trends.get(path)), reverse=True)
    needed = max(math.ceil(SHARE * len(batches)), FEWEST)
    return lengths[needed - 1] if len(lengths) >= needed else 0


def _phases(batches: Sequence[_Batch], wanted: Sequence[str], every: float) -> list[str]:
    paths = wanted or list(dict.fromkeys(path for item in batches for path in item.phases))
    found = [path for path in paths if _points(batches, path, every) >= SHORTEST]
    missing = [path for path in wanted if path not in found]
    if missing or not found:
        what = ", ".join(missing) or "no phase"
        lacks = "is" if len(missing) == 1 else "are" if missing else "is"
        raise InputError(
            f"{what} {lacks} read over {SHORTEST} points of {every:g} s in three quarters of the batches",
            remedy="Give a shorter --every, other phases, or batches with telemetry.",
        )
    return found


def _aligned(
    batches: Sequence[_Batch], path: str, wanted: Sequence[str], every: float, outcome: Floats | None
) -> tuple[tuple[str, ...], Golden] | None:
    """Units of the tags, and the batches side by side over one phase; None where fewer than two tags are read."""
    count = _points(batches, path, every)
    units: dict[str, str] = {}
    for item in batches:
        for tag, trends in item.trends.get(path, {}).items():
            units.setdefault(tag, trends[0].unit)
    values = np.array(
        [
            profile(item.trends[path], item.phases[path], units, every, count)
            if item.trends.get(path)
            else np.full((count, len(units)), np.nan)
            for item in batches
        ]
    )
    often = [
        number
        for number in range(len(units))
        if (np.isfinite(values[:, :, number]).sum(axis=0) >= SHARE * len(batches)).mean() >= SHARE
    ]
    tags = tuple(units)
    missing = [tag for tag in wanted if tag not in {tags[number] for number in often}]
    if missing:
        raise InputError(
            f"{', '.join(missing)}: not read often enough in {path} for a model",
            remedy="Give other tags, or a longer --every.",
        )
    if len(often) < 2:
        return None
    chosen = tuple(tags[number] for number in often)
    hours = np.arange(1, count + 1, dtype=np.float64) * (every / 3600.0)
    return tuple(units[tag] for tag in chosen), Golden(chosen, hours, values[:, :, often], outcome)


def _amounts(batches: Sequence[_Batch]) -> Floats:
    """What each batch gave, g."""
    lacking = [item.name for item in batches if item.state.produced is None or not item.state.produced.get("amount")]
    if lacking:
        raise InputError(
            f"{', '.join(lacking[:5])}: the record has no amount of product", remedy="Model them without --amount."
        )
    return np.array([float(str((item.state.produced or {})["amount"])) for item in batches])
