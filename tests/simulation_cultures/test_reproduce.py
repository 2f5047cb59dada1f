"""The published vessel: volumes, feeds, dilution, surroundings and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation import PublishedPhase, TrajectoryError, read_culture, reproduce
from tests.simulation.cases import build_culture

DECAY = """\
culture: decay
title: A state of the cells and a counted tracer
source: invented
status: unverified
design: false
basis: volume
species:
  Tr: {words: tracer, known_as: tracer, unit: 1e6 copies/L}
  f: {words: fraction, known_as: fraction, unit: "1"}
parameters:
  k: {value: 0.2 1/h, status: assumed, source: invented}
rates:
  Tr: -k * Tr
  f: -k * f
outputs: {rate: k}
"""


def test_a_tracer_is_diluted_and_a_state_of_the_cells_is_not():
    phase = PublishedPhase("fill", 4.0, feed=0.5, growth=0.1, inflow={"Tr": 8.0})
    run = reproduce(build_culture(DECAY), {"Tr": 2.0, "f": 0.7}, [phase], volume=2.0, points=40, rtol=1e-10)
    volume = 2.0 + 0.5 * (np.exp(0.1 * run.time) - 1) / 0.1
    np.testing.assert_allclose(run["V"], volume, rtol=1e-8)
    np.testing.assert_allclose(run["f"], 0.7 * np.exp(-0.2 * run.time), rtol=1e-7)
    # d(NV)/dt = 8 F - k Tr V, F = 0.5 exp(0.1 t)
    held = 4.0 * np.exp(-0.2 * run.time) + 8.0 * 0.5 / 0.3 * (np.exp(0.1 * run.time) - np.exp(-0.2 * run.time))
    np.testing.assert_allclose(run["Tr"] * run["V"], held, rtol=1e-7)
    assert run.variables["Tr"].unit == "1e6 copies/L"
    assert run.variables["rate"].unit == "1/h"


def test_a_chemostat_keeps_its_volume_and_washes_out():
    phase = PublishedPhase("wash", 3.0, feed=2.0, constant_volume=True)
    run = reproduce(build_culture(DECAY), {"Tr": 1.0}, [phase], volume=4.0, points=30, rtol=1e-10)
    np.testing.assert_allclose(run["V"], 4.0, rtol=1e-12)
    np.testing.assert_allclose(run["Tr"], np.exp(-(0.5 + 0.2) * run.time), rtol=1e-7)


def test_parameters_hold_from_their_phase_on_and_pulses_are_seen_at_both_ends():
    phases = [
        PublishedPhase("slow", 1.0),
        PublishedPhase("fast", 1.0, parameters={"k": 2.0}, pulse={"Tr": 3.0}),
        PublishedPhase("still fast", 1.0),
    ]
    run = reproduce(build_culture(DECAY), {"Tr": 1.0}, phases, points=60, rtol=1e-10)
    assert run.final("Tr") == pytest.approx((np.exp(-0.2) + 3.0) * np.exp(-4.0), rel=1e-7)
    at = np.flatnonzero(run.time == 1.0)
    assert len(at) == 2
    assert run["Tr"][at[1]] - run["Tr"][at[0]] == pytest.approx(3.0, rel=1e-12)


def test_oxygen_stands_at_what_the_surroundings_say_where_it_is_no_state():
    culture = read_culture("yeast_bottleneck")
    start = {"X": 1.0, "S": 5.0}
    aerobic = reproduce(culture, start, [PublishedPhase("batch", 0.5)], points=10)
    starved = reproduce(culture, start, [PublishedPhase("batch", 0.5, surroundings={"DO_percent": 0.0})], points=10)
    assert starved["q_O"].max() == 0.0
    assert aerobic.final("X") > starved.final("X")
    assert "DOT" not in aerobic.variables


@pytest.mark.parametrize(
    ("phase", "what"),
    [
        (PublishedPhase("a", 1.0, inflow={"Q": 1.0}), "'Q'"),
        (PublishedPhase("a", 1.0, surroundings={"light": 1.0}), "'light'"),
        (PublishedPhase("a", 1.0, parameters={"K_q": 1.0}), "'K_q'"),
        (PublishedPhase("a", 1.0, pulse={"Z": 1.0}), "'Z'"),
        (PublishedPhase("a", 0.0), "lasts 0.0 h"),
    ],
)
def test_what_the_culture_lacks_is_refused(phase, what):
    with pytest.raises(InputError, match=what):
        reproduce(build_culture(DECAY), {"Tr": 1.0}, [phase])
    for start in ({"Tr": -1.0}, {"Tr": float("nan")}, {"f": float("inf")}):
        with pytest.raises(InputError, match="starts with"):
            reproduce(build_culture(DECAY), start, [PublishedPhase("a", 1.0)])
    with pytest.raises(InputError, match=r"-1\.0 L/h"):
        reproduce(build_culture(DECAY), {"Tr": 1.0}, [PublishedPhase("a", 1.0, feed=-1.0)])
    with pytest.raises(InputError, match=r"starts with 0\.0 L"):
        reproduce(build_culture(DECAY), {"Tr": 1.0}, [PublishedPhase("a", 1.0)], volume=0.0)
    with pytest.raises(InputError, match="no phase"):
        reproduce(build_culture(DECAY), {"Tr": 1.0}, [])


def test_a_blow_up_tells_where_and_the_last_good_state():
    text = DECAY.replace("Tr: -k * Tr", "Tr: k * Tr * Tr / Tr_0").replace(
        "rates:", "constants: {Tr_0: 1e6 copies/L}\nrates:"
    )
    with pytest.raises(TrajectoryError, match="burst") as caught:
        reproduce(build_culture(text), {"Tr": 1.0}, [PublishedPhase("burst", 10.0)])
    assert caught.value.time == pytest.approx(5.0, abs=0.01)
    assert caught.value.last["Tr"] > 1e3
