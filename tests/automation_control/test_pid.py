"""Laws of a PID loop: it settles without offset, stays within limits, never winds up, and hands over without a bump."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.automation._control import Pid, PidSettings, Stage, split
from seedtrain.base import InputError

DT = 0.01


class Lag:
    """A first-order process: dx/dt = (gain u + load - x) / tau."""

    def __init__(self, gain: float = 2.0, tau: float = 0.5, load: float = 0.0) -> None:
        self.gain, self.tau, self.load, self.x = gain, tau, load, 0.0

    def move(self, output: float) -> float:
        share = 1 - math.exp(-DT / self.tau)
        self.x += share * (self.gain * output + self.load - self.x)
        return self.x


def run(loop: Pid, process: Lag, set_point: float, hours: float) -> list[float]:
    seen = []
    for _ in range(round(hours / DT)):
        seen.append(process.move(loop.step(set_point, process.x, DT)))
    return seen


@settings(max_examples=30)
@given(gain=st.floats(0.5, 5), integral=st.floats(0.2, 1), load=st.floats(-5, 5), target=st.floats(10, 40))
def test_it_settles_without_offset_whatever_the_load(gain, integral, load, target):
    loop, process = Pid(PidSettings(gain=gain, integral_time=integral)), Lag(load=load)
    assert run(loop, process, target, 30.0)[-1] == pytest.approx(target, abs=1e-3 * target)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), max_size=60), st.floats(1, 50))
def test_the_output_keeps_its_limits_and_its_rate(pairs, rate):
    fall = rate / 3
    settings = PidSettings(gain=3.0, integral_time=0.1, derivative_time=0.05, low=-10, high=20, rate=rate, fall=fall)
    loop = Pid(settings)
    before = loop.output
    for set_point, measured in pairs:
        output = loop.step(set_point, measured, DT)
        assert -10 <= output <= 20
        assert -fall * DT * (1 + 1e-9) <= output - before <= rate * DT * (1 + 1e-9)
        before = output


def test_a_long_saturation_does_not_wind_up():
    loop, process = Pid(PidSettings(gain=2.0, integral_time=0.5, high=10.0)), Lag()
    run(loop, process, 100.0, 20.0)  # out of reach: the output stands at its limit
    assert loop.output == 10.0
    seen = run(loop, process, 5.0, 3.0)
    assert min(seen[100:]) > 4.0  # a wound-up integral would keep it at its limit for hours, then dive far below
    assert seen[100] < 8.0
    assert seen[-1] == pytest.approx(5.0, abs=0.05)


def test_hand_over_retuning_and_new_limits_have_no_bump():
    loop, process = Pid(PidSettings(gain=2.0, integral_time=0.5)), Lag()
    run(loop, process, 20.0, 10.0)
    before = loop.output
    loop.to_manual(before)
    run(loop, process, 20.0, 1.0)
    loop.to_automatic()
    assert loop.step(20.0, process.x, DT) == pytest.approx(before, abs=1e-6)
    loop.retune(PidSettings(gain=7.0, integral_time=0.3, derivative_time=0.02))
    assert loop.step(20.0, process.x, DT) == pytest.approx(before, abs=1e-3)


def test_in_manual_it_does_as_it_is_told_within_limits():
    loop = Pid(PidSettings(gain=2.0, high=50.0))
    loop.to_manual(80.0)
    assert loop.step(20.0, 0.0, DT) == 50.0


def test_a_missing_value_leaves_the_output_where_it_is():
    loop, process = Pid(PidSettings(gain=2.0, integral_time=0.5)), Lag()
    run(loop, process, 20.0, 5.0)
    before = loop.output
    for _ in range(100):
        assert loop.step(20.0, math.nan, DT) == before


def test_a_new_set_point_gives_no_derivative_kick():
    loop = Pid(PidSettings(gain=1.0, derivative_time=0.5, low=-1e9, high=1e9, weight=0.0))
    for _ in range(50):
        loop.step(0.0, 5.0, DT)
    before = loop.output
    assert loop.step(1000.0, 5.0, DT) == pytest.approx(before, abs=1e-9)


def test_within_the_dead_band_it_rests():
    loop = Pid(PidSettings(gain=5.0, integral_time=0.1, low=-100, high=100, dead_band=0.5))
    loop.step(7.0, 7.0, DT)
    before = loop.output
    for value in (7.3, 6.7, 7.49):
        assert loop.step(7.0, value, DT) == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize(
    "given",
    [{"gain": 0.0}, {"gain": math.inf}, {"integral_time": 0.0}, {"low": 5.0, "high": 5.0}, {"rate": 0.0}, {"fall": 0}],
)
def test_settings_that_control_nothing_are_refused(given):
    with pytest.raises(InputError, match="a controller cannot have"):
        PidSettings(**{"gain": 1.0, **given})


@given(st.floats(-50, 150))
def test_a_cascade_uses_one_actuator_after_the_other(output):
    stages = (Stage("speed", 0, 50, 100, 600), Stage("air", 50, 80, 30, 90), Stage("oxygen", 80, 100, 0, 40))
    found, more = split(stages, output), split(stages, output + 5)
    assert all(more[name] >= found[name] for name in found)
    if found["oxygen"] > 0:
        assert found["air"] == 90
    if found["air"] > 30:
        assert found["speed"] == 600
    with pytest.raises(InputError, match="twice"):
        split((*stages, stages[0]), 1.0)
