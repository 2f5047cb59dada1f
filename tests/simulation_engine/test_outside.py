"""A numba function runs like a system of equations."""

from typing import Any

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation._engine import Schedule, Seeds, compile_system, numba_system
from tests.simulation_engine.cases import PREDATORS, ROBERTSON, schedule


def predators(t, y, p, dy):
    dy[0] = p[0] * y[0] - p[1] * y[0] * y[1]
    dy[1] = p[1] * y[0] * y[1] - p[0] * y[1]


def robertson(t, y, p, dy):
    dy[0] = -0.04 * y[0] + 1e4 * y[1] * y[2]
    dy[2] = 3e7 * y[1] ** 2
    dy[1] = -dy[0] - dy[2]


@pytest.mark.parametrize("method", ["explicit", "stiff"])
def test_a_function_agrees_with_the_same_equations(method):
    item, times = (
        schedule(PREDATORS, [1.0, 2.0], [1.1, 0.4], [4.0, 6.0], jumps=[[0, 0], [0.5, 0]]),
        np.linspace(0, 10, 7),
    )
    ours = numba_system(predators, ("x", "y"), ("a", "b")).run(item, times, method=method, rtol=1e-9, atol=1e-10)
    theirs = compile_system(PREDATORS).run(item, times, method=method, rtol=1e-9, atol=1e-10)
    assert ours.status[0] == 0
    assert ours.states == pytest.approx(theirs.states, rel=1e-6)
    assert ours.finals == pytest.approx(theirs.finals, rel=1e-6)


def test_a_stiff_function_is_run_by_differences():
    item = schedule(ROBERTSON, [1.0, 0.0, 0.0], np.zeros((1, 1, 0)), 1e5)
    options: dict[str, Any] = {"rtol": 1e-7, "atol": [1e-12, 1e-15, 1e-12]}
    ours = numba_system(robertson, ("a", "b", "c"), ()).run(item, [40.0, 1e5], **options)
    theirs = compile_system(ROBERTSON).run(item, [40.0, 1e5], **options)
    assert ours.states == pytest.approx(theirs.states, rel=1e-5)


def test_an_ensemble_of_a_function_does_not_depend_on_threads():
    item = schedule(PREDATORS, [1.0, 2.0], np.random.default_rng(0).uniform(0.5, 1.5, (40, 1, 2)), 5.0)
    compiled = numba_system(predators, ("x", "y"), ("a", "b"))
    assert np.array_equal(compiled.run(item, [5.0], threads=1).states, compiled.run(item, [5.0], threads=2).states)


def test_sensitivities_of_a_function_are_refused():
    item = schedule(PREDATORS, [1.0, 2.0], [1.1, 0.4], 1.0)
    assert isinstance(item, Schedule)
    seeds = Seeds(np.zeros((2, 1)), np.zeros((1, 2, 1)), np.zeros((1, 2, 1)), np.zeros((1, 1)))
    with pytest.raises(InputError, match="no sensitivities"):
        numba_system(predators, ("x", "y"), ("a", "b")).run(item, [1.0], seeds=seeds)
