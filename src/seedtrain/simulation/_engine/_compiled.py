"""The engine's door: a system compiled once, then run with any schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.simulation._engine._plain import Plain
from seedtrain.simulation._engine._schedule import (
    Schedule,
    Seeds,
    Trajectories,
    checked_schedule,
    checked_seeds,
    checked_times,
)
from seedtrain.simulation._engine._system import System

Method = Literal["auto", "explicit", "stiff"]


@dataclass(frozen=True, eq=False)
class Compiled:
    """A system that can be run."""

    system: System

    def run(
        self,
        schedule: Schedule,
        times: Any,
        *,
        rtol: float = 1e-6,
        atol: Any = 1e-8,
        method: Method = "auto",
        seeds: Seeds | None = None,
        threads: int = 0,
        most_steps: int = 100_000,
        progress: Progress = silent,
    ) -> Trajectories:
        """The trajectories of `schedule` at `times` (h, from 0, not decreasing).

        - `rtol`, `atol` (one, or one per state in its unit): of the error of a step.
        - `seeds`: directions of forward sensitivities, error-controlled with the state.
        - `threads`: 0 for one per core. Results do not depend on it.

        Raises `InputError` where the schedule does not fit the system. A trajectory that fails says so in its status.
        """
        checked = checked_schedule(self.system, schedule)
        by = None if seeds is None else checked_seeds(self.system, checked, seeds)
        if not rtol > 0 or not (np.asarray(atol) > 0).all():
            raise InputError(f"the tolerances are {rtol} and {atol}", remedy="Give tolerances above 0.")
        return Plain(self.system).run(
            checked, checked_times(self.system, times), rtol=rtol, atol=atol, method=method, seeds=by
        )


def compile_system(system: System, *, progress: Progress = silent) -> Compiled:
    """`system` as something that runs."""
    return Compiled(system)
