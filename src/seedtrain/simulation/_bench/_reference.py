"""The tight references that errors are measured against, by SciPy alone: computed once and kept in the user's cache."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import numpy as np

from seedtrain.base import cache_folder, digest, write_atomic
from seedtrain.simulation._bench import _problem as problem
from seedtrain.simulation._bench._problem import Floats

RTOL: Final = 1e-10
ATOL: Final = 1e-12
COMPLEX_STEP: Final = 1e-30
"""Relative size of the imaginary step: nothing is subtracted, so it may be far below rounding (Squire & Trapp 1998)."""


def states(count: int) -> Floats:
    """States of the first `count` draws, shape (count, time, 7): SciPy's Radau at rtol 1e-10, atol 1e-12."""
    return _kept("states", count, _state)


def sensitivities(count: int) -> Floats:
    """Derivatives of the first `count` draws by the varied numbers, shape (count, time, 7, 22).

    The complex step through SciPy's DOP853 at rtol 1e-10: exact to the error of the integration.
    """
    return _kept("sensitivities", count, _derivative)


def _kept(what: str, count: int, one: Callable[[Floats], Floats]) -> Floats:
    text = [what, problem.rhs_source(), repr(problem.START), repr(problem.NUMBERS), problem.SEED, problem.OUTPUTS]
    path = cache_folder("bench") / f"{digest([str(part) for part in text])[:24]}.npy"
    found: list[Floats] = []
    if path.is_file():
        try:
            found = list(np.load(path))
        except (ValueError, OSError):  # cut short or of another kind: made anew
            found = []
    if len(found) < count:
        numbers = problem.draws(count)
        found += [one(row) for row in numbers[len(found) :]]
        stream = io.BytesIO()
        np.save(stream, np.stack(found))
        write_atomic(path, stream.getvalue())
    return np.stack(found[:count])


def _state(row: Floats) -> Floats:
    from scipy.integrate import solve_ivp

    found = solve_ivp(
        _returning(), (0.0, problem.END_H), problem.start(), method="Radau", t_eval=problem.times(), args=(row,),
        rtol=RTOL, atol=ATOL,
    )  # fmt: skip
    assert found.success, found.message
    return np.asarray(found.y.T)


def _derivative(row: Floats) -> Floats:
    from scipy.integrate import solve_ivp

    places = problem.varied()
    moved = np.tile(row.astype(complex), (len(places), 1))
    steps = COMPLEX_STEP * row[places]
    moved[np.arange(len(places)), places] += 1j * steps
    first = np.tile(problem.start().astype(complex), len(places))
    found = solve_ivp(
        _complex(), (0.0, problem.END_H), first, method="DOP853", t_eval=problem.times(), args=(moved,),
        rtol=RTOL, atol=ATOL,
    )  # fmt: skip
    assert found.success, found.message
    by = found.y.imag.reshape(len(places), 7, -1) / steps[:, None, None]
    return np.asarray(by.transpose(2, 1, 0))


_functions: dict[str, Any] = {}


def _returning() -> Any:
    if "states" not in _functions:
        numba = import_module("numba")

        kernel = numba.njit(problem.rhs({"exp": np.exp}))

        @numba.njit
        def function(t, y, p):  # type: ignore[no-untyped-def]
            d = np.empty(7)
            kernel(t, y, p, d)
            return d

        _functions["states"] = function
    return _functions["states"]


def _complex() -> Any:
    if "derivatives" not in _functions:
        numba = import_module("numba")

        kernel = numba.njit(problem.rhs({"exp": np.exp}))

        @numba.njit
        def function(t, y, p):  # type: ignore[no-untyped-def]
            d = np.empty(len(y), dtype=np.complex128)
            for at in range(len(p)):
                kernel(t, y[7 * at : 7 * at + 7], p[at], d[7 * at : 7 * at + 7])
            return d

        _functions["derivatives"] = function
    return _functions["derivatives"]
