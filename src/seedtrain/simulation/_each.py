"""Many runs of one vessel in one call of the engine: equations alike, numbers each their own; by CUDA where asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import SeedtrainError
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._assemble import assemble
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._engine import Crossings, Schedule, Trajectories, compile_system
from seedtrain.simulation._flight import ATOL, flight_of, refuse
from seedtrain.simulation._run import Floats, Run
from seedtrain.simulation._setup import Setup, setup_of
from seedtrain.simulation._vessel import Vessel

Device = Literal["cpu", "cuda"]
_SHARED: Final = ("times", "crossings")


def check_device(device: Device) -> None:
    """Raise `UnavailableError` where there is no such device here, before anything is simulated."""
    if device == "cuda":
        from seedtrain.simulation._engine._cuda import Driver

        Driver()


def simulate_each(
    cases: Sequence[tuple[Culture, MasterRecipe]],
    vessel: Vessel,
    *,
    times: Floats,
    unit_procedure: str = "production",
    inoculum: Run | None = None,
    rtol: float = 1e-6,
    threads: int = 0,
    device: Device = "cpu",
) -> list[Run | SeedtrainError]:
    """The runs of several cultures through several recipes in `vessel`, or why one came to no end, in order.

    As `simulate` of each, in fewer calls: those whose equations and phases are alike are integrated together, vector
    by vector on `threads` cores (0: all), or each in a thread of the first CUDA device. What is stored: `times` (h)
    within the run, and both ends of every phase.

    Raises `UnavailableError` where `device` is "cuda" and there is none; everything else is an outcome of its case.
    """
    check_device(device)
    found: list[Run | SeedtrainError | None] = [None] * len(cases)
    alike: dict[tuple[Any, ...], list[tuple[int, Setup]]] = {}
    for at, (culture, recipe) in enumerate(cases):
        try:
            setup = setup_of(culture, vessel, recipe, unit_procedure=unit_procedure, inoculum=inoculum)
            key = (*setup.layout.key, setup.schedule.stretches)
            alike.setdefault(key, []).append((at, setup))
        except SeedtrainError as error:
            found[at] = error
    for group in alike.values():
        compiled = compile_system(group[0][1].system)
        together = compiled.run(
            _joined([setup.schedule for _, setup in group]), times, rtol=rtol, atol=ATOL, threads=threads, device=device
        )
        for row, (at, setup) in enumerate(group):
            found[at] = _one(setup, _alone(together, row), times)
    return [item for item in found if item is not None]


def _joined(schedules: Sequence[Schedule]) -> Schedule:
    parts = {
        item.name: np.concatenate([getattr(one, item.name) for one in schedules])
        for item in dataclasses.fields(Schedule)
    }
    return Schedule(**parts)


def _alone(found: Trajectories, row: int) -> Trajectories:
    """One trajectory of many as if it were the only one."""
    parts = {
        item.name: value[row : row + 1]
        for item in dataclasses.fields(found)
        if item.name not in _SHARED and (value := getattr(found, item.name)) is not None
    }
    crossings = Crossings(found.crossings.counts[row : row + 1], found.crossings.rows[row : row + 1])
    return dataclasses.replace(found, crossings=crossings, **parts)


def _one(setup: Setup, found: Trajectories, times: Floats) -> Run | SeedtrainError:
    try:
        refuse(setup, found)
        return assemble(flight_of(setup, found, times))
    except SeedtrainError as error:
        return error
