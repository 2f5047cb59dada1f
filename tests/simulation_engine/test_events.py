"""Events: where they lie, what they end, what is written down."""

import numpy as np
import pytest

from seedtrain.simulation._engine import DONE, RAISED, System, compile_system
from tests.simulation_engine.cases import BALL, ball, schedule
from tests.simulation_engine.reference import Plain

METHODS = ("explicit", "stiff")
LINE = System(
    "a straight line",
    ("x",),
    ("k",),
    (("x_start", "x"),),
    (),
    ("k",),
    (("one", "x - 1"), ("also_one", "2*x - 2"), ("two", "x - 2")),
    ("x", "x_start"),
)


@pytest.mark.parametrize("method", METHODS)
def test_a_crossing_lies_where_it_should_to_a_trillionth_of_an_hour(method):
    item = schedule(LINE, [0.0], [0.3], 20.0, actions=[[1, 1, 1]])
    found = compile_system(LINE).run(item, [0.0], method=method)
    rows = found.crossings.of(0)
    assert list(rows["gauge"]) == [0, 1, 2]
    assert list(rows["direction"]) == [1, 1, 1]
    assert rows["time"] == pytest.approx([1 / 0.3, 1 / 0.3, 2 / 0.3], abs=2e-12)


@pytest.mark.parametrize("method", METHODS)
def test_the_first_of_several_gauges_ends_the_stretch_and_the_next_goes_on_from_there(method):
    item = schedule(LINE, [0.0], [[[0.5], [1.0]]], [10.0, 3.0], actions=[[2, 2, 2], [0, 0, 0]], jumps=[[0.0], [5.0]])
    found = compile_system(LINE).run(item, [0.0, 1.0, 2.0, 2.5, 5.0, 9.0], method=method)
    assert found.ends[0] == pytest.approx([2.0, 5.0], abs=2e-12)
    assert found.finals[0, :, 0] == pytest.approx([1.0, 9.0], abs=1e-11)
    assert found.starts[0, :, 0] == pytest.approx([0.0, 6.0], abs=1e-11)
    assert found.held[0, :, 0] == pytest.approx([0.0, 6.0], abs=1e-11)
    # At the seam the next stretch's value stands; beyond the end the last one.
    assert found.states[0, :, 0] == pytest.approx([0.0, 0.5, 6.0, 6.5, 9.0, 9.0], abs=1e-10)
    assert set(found.crossings.of(0)["gauge"]) == {0, 1}


def test_a_gauge_that_is_up_at_the_start_ends_the_stretch_at_once():
    item = schedule(LINE, [1.5], [[[1.0], [2.0]]], [10.0, 1.0], actions=[[2, 0, 0], [0, 0, 0]])
    found = compile_system(LINE).run(item, [0.0, 0.5, 1.0])
    assert found.ends[0] == pytest.approx([0.0, 1.0])
    assert found.states[0, :, 0] == pytest.approx([1.5, 2.5, 3.5])


def test_action_three_ends_the_trajectory_when_rising_and_where_a_stretch_starts_above():
    item = schedule(LINE, [1.5], [[[1.0], [2.0]]], [10.0, 1.0], actions=[[0, 0, 3], [0, 0, 0]])
    found = compile_system(LINE).run(item, [0.0, 5.0])
    assert found.status[0] == RAISED
    assert found.stretch[0] == 0
    assert found.reached[0] == pytest.approx(0.5, abs=1e-12)
    assert found.states[0, :, 0] == pytest.approx([1.5, 2.0])
    assert found.finals[0, :, 0] == pytest.approx([2.0, 2.0])
    above = schedule(LINE, [2.5], [[[1.0], [2.0]]], [10.0, 1.0], actions=[[0, 0, 3], [0, 0, 0]])
    found = compile_system(LINE).run(above, [0.0, 5.0])
    assert (found.status[0], found.reached[0]) == (RAISED, 0.0)
    assert found.states[0, :, 0] == pytest.approx([2.5, 2.5])


@pytest.mark.parametrize("method", METHODS)
def test_a_ball_agrees_with_scipy(method):
    item, _ = ball()
    times = np.linspace(0.0, 1.5, 40)
    found = compile_system(BALL).run(item, times, rtol=1e-10, atol=1e-12, method=method)
    judge = Plain(BALL).run(item, times, rtol=1e-10, atol=1e-12, method="explicit", seeds=None)
    assert found.status[0] == DONE
    for name in ("states", "observed", "starts", "finals", "ends", "held", "gauges_at_start", "reached"):
        assert getattr(found, name) == pytest.approx(getattr(judge, name), abs=2e-8), name
    for name in ("gauge", "direction", "stretch"):
        assert list(found.crossings.of(0)[name]) == list(judge.crossings.of(0)[name])


def test_two_crossings_in_one_step_are_both_found():
    dip = System("a dip", ("x",), ("a",), (), (), ("0*x",), (("below", "(t - 5)**2 - a"),), ())
    item = schedule(dip, [1.0], [4.0], 20.0, actions=[[1]])
    found = compile_system(dip).run(item, [0.0])
    rows = found.crossings.of(0)
    assert rows["time"] == pytest.approx([3.0, 7.0], abs=2e-12)
    assert list(rows["direction"]) == [-1, 1]


def test_more_crossings_than_are_kept_are_counted():
    wave = System("a wave", ("x", "v"), (), (), (), ("v", "-x"), (("up", "x"),), ())
    item = schedule(wave, [0.0, 1.0], np.zeros((1, 1, 0)), 400.0, actions=[[1]])
    found = compile_system(wave).run(item, [0.0])
    assert found.crossings.counts[0] == 127  # the half periods in 400 h
    assert found.crossings.overflowed[0]
    assert found.crossings.of(0)["time"] == pytest.approx(np.pi * np.arange(1, 65), rel=1e-4)
