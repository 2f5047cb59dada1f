"""Orders of convergence, dense output, and solutions that are known."""

import numpy as np
import pytest

from seedtrain.simulation._engine import compile_system
from seedtrain.simulation._engine._tableaus import DORMAND_PRINCE, RODAS5P
from tests.simulation_engine.cases import DECAY, FORCED, LOGISTIC, PREDATORS, ROBERTSON, VAN_DER_POL, schedule

METHODS = ("explicit", "stiff")


def field(t, y):
    """Not linear, not autonomous; with its Jacobian and its derivative by time."""
    x, z = y
    f = np.array([z * np.cos(t) - x**2, np.sin(x) + t * z])
    return f, np.array([[-2 * x, np.cos(t)], [np.cos(x), t]]), np.array([-z * np.sin(t), z])


def rosenbrock_step(t, y, h):
    """One step by the formulas of the class, from the coefficients alone; the state, and the state at half the step."""
    m = RODAS5P
    _, J, by_time = field(t, y)
    W = np.eye(2) / (h * m.gamma) - J
    stages: list[np.ndarray] = []
    for s in range(m.stages):
        if s < len(m.a):
            point = y + sum((a * u for a, u in zip(m.a[s], stages, strict=True)), np.zeros(2))
        else:
            point = point + stages[-1]
        carried = sum((C * u for C, u in zip(m.C[s], stages, strict=True)), np.zeros(2)) / h
        stages.append(np.linalg.solve(W, field(t + m.c[s] * h, point)[0] + carried + h * m.d[s] * by_time))
    new = point + stages[-1]
    inner = [sum(w * u for w, u in zip(row, stages, strict=True)) for row in m.dense]
    return new, 0.5 * y + 0.5 * (new + 0.5 * (inner[0] + 0.5 * (inner[1] + 0.5 * inner[2])))


def dormand_prince_step(t, y, h):
    m = DORMAND_PRINCE
    stages: list[np.ndarray] = []
    for s in range(m.stages):
        point = y + sum((a * u for a, u in zip(m.a[s], stages, strict=False)), np.zeros(2))
        stages.append(h * field(t + m.c[s] * h, point)[0])
    inner = [sum(w * u for w, u in zip(row, stages, strict=True)) for row in m.dense]
    return point, 0.5 * y + 0.5 * (point + 0.5 * (inner[0] + 0.5 * (inner[1] + 0.5 * inner[2])))


@pytest.mark.parametrize("step", [rosenbrock_step, dormand_prince_step])
def test_the_coefficients_have_order_five_and_a_fourth_order_interpolant(step):
    def walk(count):
        y, t, h = np.array([0.5, -0.4]), 0.1, 1.0 / count
        for _ in range(count):
            y, middle = step(t, y, h)
            t += h
        return y, middle, t - h / 2

    exact = walk(1024)[0]
    errors = [np.abs(walk(count)[0] - exact).max() for count in (8, 16, 32, 64)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 4.6).all(), orders
    inner = []
    for h in (0.1, 0.05, 0.025):
        y = np.array([0.5, -0.4])
        fine = y
        for number in range(64):
            fine = step(0.1 + number * h / 128, fine, h / 128)[0]
        inner.append(np.abs(step(0.1, y, h)[1] - fine).max())
    orders = np.log2(np.array(inner[:-1]) / inner[1:])
    assert (orders > 4.4).all(), orders  # a local error of order 5 is an interpolant of order 4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("system", "numbers"), [(PREDATORS, [1.1, 0.4]), (FORCED, [3.0])])
def test_the_error_falls_with_the_fifth_power_of_the_step(method, system, numbers):
    compiled, item = compile_system(system), schedule(system, [1.0, 2.0], numbers, 4.0)
    exact = compiled.run(item, [4.0], rtol=1e-13, atol=1e-14, method=method).states[0, -1]
    runs = [compiled.run(item, [4.0], rtol=tol, atol=tol, method=method) for tol in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10)]
    errors = np.log([np.abs(run.states[0, -1] - exact).max() for run in runs])
    steps = np.log([run.steps[0] for run in runs])
    order = -np.polyfit(steps, errors, 1)[0]
    assert 4.3 < order < 6.5, order


@pytest.mark.parametrize("method", METHODS)
def test_decay_and_logistic_growth_meet_their_formulas_between_steps_too(method):
    times = np.linspace(0.0, 5.0, 173)
    found = compile_system(DECAY).run(schedule(DECAY, [3.0], [1.7], 5.0), times, rtol=1e-8, atol=1e-10, method=method)
    assert found.states[0, :, 0] == pytest.approx(3.0 * np.exp(-1.7 * times), abs=3e-7)
    found = compile_system(LOGISTIC).run(
        schedule(LOGISTIC, [0.1], [2.0, 4.0], 5.0), times, rtol=1e-8, atol=1e-10, method=method
    )
    exact = 4.0 / (1 + (4.0 / 0.1 - 1) * np.exp(-2.0 * times))
    assert found.states[0, :, 0] == pytest.approx(exact, rel=3e-7)
    assert found.observed[0, :, 0] == pytest.approx(1 - exact / 4.0, abs=3e-7)


def test_robertson_to_ten_to_the_eleven():
    """Reference: Mazzia & Magherini 2008, Test Set for Initial Value Problem Solvers, problem ROBER, at t = 1e11."""
    item = schedule(ROBERTSON, [1.0, 0.0, 0.0], np.zeros((1, 1, 0)), 1e11)
    found = compile_system(ROBERTSON).run(item, [0.0, 40.0, 1e11], rtol=1e-8, atol=[1e-14, 1e-18, 1e-14])
    assert found.status[0] == 0
    assert found.steps[0] < 700
    assert found.states[0, -1] == pytest.approx(
        [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050], rel=1e-5
    )
    assert found.states[0].sum(axis=1) == pytest.approx(1.0, rel=1e-12)


def test_van_der_pol_with_sharp_turns():
    """Reference: Mazzia & Magherini 2008, problem VDPOL (eps = 1e-6), at t = 2."""
    item = schedule(VAN_DER_POL, [2.0, 0.0], [1e-6], 2.0)
    found = compile_system(VAN_DER_POL).run(item, [1.0, 2.0], rtol=1e-9, atol=1e-9)
    assert found.states[0, -1] == pytest.approx([1.706167732170483, -0.8928097010247975], rel=1e-6)


def test_the_explicit_method_hands_a_stiff_problem_over(monkeypatch):
    monkeypatch.setattr("seedtrain.simulation._engine._compiled.MOST_STATES_STIFF", 0)
    item = schedule(DECAY, [1.0], [1e6], 10.0)
    found = compile_system(DECAY).run(item, [10.0])
    assert found.status[0] == 0
    assert found.steps[0] < 200  # an explicit method needs millions
    alone = compile_system(DECAY).run(item, [10.0], method="stiff")
    assert np.array_equal(found.states, alone.states)
