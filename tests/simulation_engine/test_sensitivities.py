"""Forward sensitivities against formulas and tight differences, through events, and their order of convergence."""

import numpy as np
import pytest

from seedtrain.simulation._engine import Seeds, System, compile_system
from tests.simulation_engine.cases import (
    BALL,
    DECAY,
    FORCED,
    LOGISTIC,
    ball,
    fed_batch_numbers,
    fed_batch_schedule,
    fed_batch_seeds,
    fed_batch_system,
    fed_batch_times,
    moved,
    schedule,
)

METHODS = ("explicit", "stiff")
NAMES = ("states", "observed", "starts", "finals", "ends", "held")


@pytest.mark.parametrize("method", METHODS)
def test_logistic_growth_by_all_that_decides_it(method):
    times = np.linspace(0.0, 5.0, 23)
    seeds = Seeds(np.array([[0.0, 0.0, 1.0]]), np.zeros((1, 2, 3)), np.zeros((1, 1, 3)), np.zeros((1, 3)))
    seeds.numbers[0, 0, 0] = seeds.numbers[0, 1, 1] = 1.0
    r, K, x0 = 2.0, 4.0, 0.1
    found = compile_system(LOGISTIC).run(
        schedule(LOGISTIC, [x0], [r, K], 5.0), times, seeds=seeds, rtol=1e-9, atol=1e-11, method=method
    )
    e = np.exp(-r * times)
    x = K / (1 + (K / x0 - 1) * e)
    by = np.stack([x**2 / K * (K / x0 - 1) * e * times, x / K - x**2 / K * e / x0, x**2 * e / x0**2], axis=-1)
    assert found.states_by[0, :, 0] == pytest.approx(by, rel=1e-6, abs=1e-8)
    assert found.observed_by[0, :, 0] == pytest.approx(-by / K + np.array([0, 1, 0]) * (x / K**2)[:, None], abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_through_events_jumps_and_ends_like_tight_differences(method):
    item, seeds = ball()
    times = np.array([0.0, 0.1, 0.3, 0.6, 0.9, 1.1, 1.3, 2.0])  # clear of the events
    compiled = compile_system(BALL)
    tight = {"rtol": 1e-12, "atol": 1e-13, "method": method}
    found = compiled.run(item, times, seeds=seeds, rtol=1e-9, atol=1e-11, method=method)
    for k in range(seeds.directions):
        step = 1e-5
        up, down = (compiled.run(moved(item, seeds, k, side * step), times, **tight) for side in (1, -1))
        for name in NAMES:
            by = (getattr(up, name) - getattr(down, name)) / (2 * step)
            assert getattr(found, f"{name}_by")[..., k] == pytest.approx(by, rel=2e-5, abs=2e-6), (name, k)


def test_an_event_of_constant_motion_moves_by_the_formula():
    """x = x0 + k t ends at x = 1: the end (1 - x0) / k moves by -1/k and -(1 - x0)/k**2, the state there not at all."""
    line = System("line", ("x",), ("k", "limit"), (), (), ("k",), (("there", "x - limit"),))
    seeds = Seeds(np.array([[1.0, 0.0, 0.0]]), np.zeros((2, 2, 3)), np.zeros((2, 1, 3)), np.zeros((2, 3)))
    seeds.numbers[:, 0, 1] = seeds.numbers[:, 1, 2] = 1.0
    item = schedule(line, [0.2], [0.5, 1.0], [10.0, 1.0], actions=[[2], [0]])
    found = compile_system(line).run(item, [0.0, 1.0, 2.0], seeds=seeds)
    assert found.ends_by[0, 0] == pytest.approx([-2.0, -3.2, 2.0], rel=1e-9)
    assert found.finals_by[0, 0, 0] == pytest.approx([0.0, 0.0, 1.0], abs=1e-9)
    assert found.states_by[0, 2, 0] == pytest.approx([1.0, 2.0, 0.0], abs=1e-9)  # the line goes on as it was


def test_the_sensitivities_of_the_stiff_method_converge_with_its_order():
    compiled, item = compile_system(FORCED), schedule(FORCED, [1.0, 2.0], [3.0], 4.0)
    seeds = Seeds(np.eye(2, 3), np.zeros((1, 1, 3)), np.zeros((1, 2, 3)), np.zeros((1, 3)))
    seeds.numbers[0, 0, 2] = 1.0
    exact = compiled.run(item, [4.0], rtol=1e-13, atol=1e-14, seeds=seeds).states_by[0, -1]
    runs = [compiled.run(item, [4.0], rtol=tol, atol=tol, seeds=seeds) for tol in (1e-6, 1e-7, 1e-8, 1e-9)]
    errors = np.log([np.abs(run.states_by[0, -1] - exact).max() for run in runs])
    order = -np.polyfit(np.log([run.steps[0] for run in runs]), errors, 1)[0]
    assert order > 4.3, order


def test_the_benchmark_problem_against_differences():
    compiled, times = compile_system(fed_batch_system()), fed_batch_times()[::9]
    numbers, seeds = fed_batch_numbers(1), fed_batch_seeds()
    item = fed_batch_schedule(numbers)
    found = compiled.run(item, times, seeds=seeds).states_by[0]
    for k in range(0, seeds.directions, 3):
        step = 1e-4 * float(np.abs(numbers[0] * seeds.numbers[0, :, k]).sum())
        up, down = (
            compiled.run(moved(item, seeds, k, side * step), times, rtol=1e-11, atol=1e-13).states[0]
            for side in (1, -1)
        )
        by = (up - down) / (2 * step)
        least = 1e-6 * np.abs(up).max(axis=0) * 1e-4 / step  # what the differences lose in rounding counts for nothing
        scale = np.abs(by) + 1e-2 * np.abs(by).max(axis=0) + 10 * least
        assert (np.abs(found[..., k] - by) / scale).max() < 1e-3, k


def test_the_unit_of_a_direction_does_not_change_the_steps():
    compiled, item = compile_system(fed_batch_system()), fed_batch_schedule(fed_batch_numbers(1))
    seeds = fed_batch_seeds()
    scaled = Seeds(seeds.initial, seeds.numbers * 1e6, seeds.jumps, seeds.lengths)
    one = compiled.run(item, [24.0], seeds=seeds)
    two = compiled.run(item, [24.0], seeds=scaled)
    assert one.steps[0] == pytest.approx(two.steps[0], abs=1)
    assert two.states_by / 1e6 == pytest.approx(one.states_by, rel=1e-6, abs=1e-12)


def test_each_trajectory_may_have_its_own_directions():
    seeds = Seeds(np.array([[[1.0]], [[0.0]]]), np.array([[[[0.0]]], [[[1.0]]]]), np.zeros((1, 1, 1)), np.zeros((1, 1)))
    item = schedule(DECAY, [2.0], [[[1.0]], [[1.0]]], 1.0)
    found = compile_system(DECAY).run(item, [1.0], seeds=seeds, rtol=1e-9, atol=1e-11)
    assert found.states_by[:, 0, 0, 0] == pytest.approx([np.exp(-1), -2 * np.exp(-1)], rel=1e-7)
