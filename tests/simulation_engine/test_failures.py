"""A trajectory that fails says why, keeps its last good state, and leaves its neighbours alone."""

import numpy as np
import pytest

from seedtrain.simulation._engine import DONE, NOT_FINITE, STEP_TOO_SMALL, TOO_MANY_STEPS, System, compile_system
from tests.simulation_engine.cases import PREDATORS, schedule

METHODS = ("explicit", "stiff")
BLOW_UP = System("blow-up", ("x",), ("k",), (), (("twice", "2*x"),), ("k*x**2",), (), ("twice",))
ROOT = System(
    "a root", ("x",), ("k",), (("start", "x"),), (("root", "sqrt(x)"),), ("-k*root - k",), (), ("root", "start")
)


@pytest.mark.parametrize("method", METHODS)
def test_a_solution_that_runs_to_infinity_stops_before_it(method):
    times = np.linspace(0.0, 2.0, 21)
    found = compile_system(BLOW_UP).run(schedule(BLOW_UP, [1.0], [1.0], 2.0), times, method=method)
    assert found.status[0] in (STEP_TOO_SMALL, NOT_FINITE)
    assert found.reached[0] == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(found.states).all()
    assert found.states.shape == (1, 21, 1)
    assert found.states[0, :9, 0] == pytest.approx(1 / (1 - times[:9]), rel=1e-4)
    assert (found.states[0, 11:, 0] == found.finals[0, 0, 0]).all()
    assert found.observed[0, -1, 0] == 2 * found.finals[0, 0, 0]
    assert "small" in found.reason(0) or "finite" in found.reason(0)


@pytest.mark.parametrize("method", METHODS)
def test_a_rate_without_a_value_keeps_what_was_good(method):
    item = schedule(ROOT, [1.0], [1.0], 5.0)
    found = compile_system(ROOT).run(item, np.linspace(0.0, 5.0, 11), method=method)
    assert found.status[0] in (NOT_FINITE, STEP_TOO_SMALL)
    assert 0 < found.reached[0] < 2.0
    assert np.isfinite(found.states).all()
    assert np.isfinite(found.observed).all()
    assert (found.states >= -1e-9).all()


def test_a_start_without_a_value_is_told_at_once():
    broken = System("broken", ("x",), ("k",), (("h", "1/k"),), (), ("-h*x",), (("g", "x - h"),), ("h",))
    item = schedule(broken, [1.0], [[[0.0], [0.0]]], [1.0, 1.0])
    found = compile_system(broken).run(item, [0.0, 0.5])
    assert found.status[0] == NOT_FINITE
    assert found.reached[0] == 0.0
    assert found.states[0, :, 0] == pytest.approx([1.0, 1.0])
    assert np.isfinite(found.held).all()
    assert np.isfinite(found.gauges_at_start).all()
    assert np.isfinite(found.observed).all()


def test_too_many_steps_are_told():
    found = compile_system(PREDATORS).run(
        schedule(PREDATORS, [1.0, 2.0], [1.1, 0.4], 1000.0), [0.0, 1000.0], most_steps=50
    )
    assert found.status[0] == TOO_MANY_STEPS
    assert found.steps[0] + found.rejected[0] == 50
    assert 0 < found.reached[0] < 1000
    assert (found.states[0, 1] == found.finals[0, 0]).all()


def test_neighbours_of_a_failure_do_not_notice():
    k = np.linspace(0.1, 3.0, 40)
    item = schedule(BLOW_UP, [1.0], k.reshape(-1, 1, 1), 1.0)
    times = np.linspace(0.0, 1.0, 11)
    found = compile_system(BLOW_UP).run(item, times)
    assert np.array_equal(found.status == DONE, k < 1.0)
    assert np.isfinite(found.states).all()
    good = found.states[k < 1.0, :, 0]
    assert good == pytest.approx(1 / (1 - k[k < 1.0, None] * times), rel=2e-4)
