"""The column against CADET on the published load-wash-elute example, in CPU seconds of one run."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, SeedtrainError, silent
from seedtrain.simulation._downstream._chromatography import Grid, elute
from seedtrain.simulation._downstream._chromatography._cadet import Cadet
from seedtrain.simulation._downstream._chromatography._elute import Problem, grids
from seedtrain.simulation._downstream._chromatography._published import BED, INITIAL, INLETS, ISOTHERM
from seedtrain.simulation._run import Floats

GOAL: Final = 3e-3
"""Error that a solver must stay below to be compared: of the highest outlet of each protein."""
_TIMES: Final = np.arange(1501.0)
_REPEATS: Final = 5


def bench_chromatography(progress: Progress = silent) -> list[dict[str, Any]]:
    """CPU seconds for the published example, and the largest error over all proteins and seconds, over the peak.

    Rows `{what, peer, version, cpu_s, value, error, ratio}`: the first is ours (`value`: its grid and tolerance); then
    SciPy's BDF with a sparse Jacobian on our own compiled right-hand side, which says what the integrator brings; then
    CADET's discontinuous Galerkin method at its own tolerance and at a looser one, where an interpreter that has it is
    named, with `ratio` = its CPU seconds over ours; else one row with None. The reference is our own solution on a grid
    twice as fine at 1e-6, which agrees with CADET's finest to 5e-5 (docs/validation.md). Compiling is not counted.
    """
    progress(0.0, "bench chromatography: reference")
    reference = elute(BED, ISOTHERM, INLETS, initial=INITIAL, times=_TIMES, grid=Grid(8, 5, 1, 6), rtol=1e-6).outlet
    grid, rtol = Grid(4, 3, 1, 2), 1e-3
    best, outlet = np.inf, reference
    for _ in range(_REPEATS):
        before = time.process_time()
        outlet = elute(BED, ISOTHERM, INLETS, initial=INITIAL, times=_TIMES, grid=grid, rtol=rtol).outlet
        best = min(best, time.process_time() - before)
    rows = [
        _row("seedtrain", "", best, f"elements 4, degree 3, beads 2, rtol {rtol:g}", _error(outlet, reference), 1.0)
    ]
    progress(0.3, "bench chromatography: SciPy")
    rows.append(_scipy(grid, reference, best))
    cadet = Cadet.found()
    if cadet is None:
        return [*rows, _row("CADET-DG", None, None, "not installed", None, None)]
    for number, tolerance in enumerate((1e-6, 1e-4)):
        progress(0.4 + 0.3 * number, "bench chromatography: CADET")
        rows.append(_judged(cadet, tolerance, reference, best))
    progress(1.0, "bench chromatography")
    return rows


def _scipy(grid: Grid, reference: Floats, ours: float) -> dict[str, Any]:
    """SciPy's stiff method on the same grid and the same compiled rates, section by section."""
    import scipy

    problem = Problem(BED, ISOTHERM, *grids(grid, BED.lumped))
    start = problem.begin(np.array(INITIAL))[0]
    # The pattern of the Jacobian, from the columns that move when a state does.
    rates, pattern = problem.rates(), np.zeros((problem.size, problem.size))
    middle = start + 1e-3 * (1.0 + np.abs(start))
    base = rates(INLETS[0], 0.0, middle)
    for k in range(problem.size):
        moved = middle.copy()
        moved[k] *= 1.01
        pattern[:, k] = rates(INLETS[0], 0.0, moved) != base
    before = time.process_time()
    y, outlet, begin = start.copy(), np.zeros((len(_TIMES), ISOTHERM.components)), 0.0
    place = (problem.places - 1) * problem.components
    for inlet in INLETS:
        inside = (begin <= _TIMES) & (begin + inlet.duration >= _TIMES)
        solved = scipy.integrate.solve_ivp(
            lambda t, state, inlet=inlet: rates(inlet, t, state),
            (0.0, inlet.duration),
            y,
            method="BDF",
            jac_sparsity=pattern,
            rtol=1e-3,
            atol=1e-5,
            t_eval=_TIMES[inside] - begin,
        )
        y = solved.y[:, -1]
        outlet[inside] = solved.y[place : place + ISOTHERM.components].T
        begin += inlet.duration
    cpu = time.process_time() - before
    value = "elements 4, degree 3, beads 2, rtol 0.001"
    return _row("SciPy BDF", scipy.__version__, cpu, value, _error(outlet, reference), cpu / ours)


def _judged(cadet: Cadet, rtol: float, reference: Floats, ours: float) -> dict[str, Any]:
    try:
        runs = [
            cadet.elute(BED, ISOTHERM, INLETS, initial=INITIAL, times=_TIMES, grid=Grid(4, 3, 1, 3), rtol=rtol)
            for _ in range(3)
        ]
    except SeedtrainError as error:
        return _row("CADET-DG", None, None, error.message, None, None)
    cpu = min(float(run.details["cpu_s"]) for run in runs)
    off = _error(runs[0].outlet, reference)
    version = runs[0].engine.removeprefix("CADET-Core ")
    return _row("CADET-DG", version, cpu, f"elements 4, degree 3, beads 3, rtol {rtol:g}", off, cpu / ours)


def _error(outlet: Floats, reference: Floats) -> float:
    return float((np.abs(outlet - reference).max(axis=0) / reference.max(axis=0))[1:].max())


def _row(
    peer: str, version: str | None, cpu: float | None, value: str, error: float | None, ratio: float | None
) -> dict[str, Any]:
    what = "load-wash-elute, 4 components, general rate model"
    return {
        "what": what,
        "peer": peer,
        "version": version,
        "cpu_s": cpu,
        "value": value,
        "error": error,
        "ratio": ratio,
    }
