"""Against solutions that can be had another way: moments, Laplace, fronts, limits of the isotherms."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from seedtrain.simulation._downstream._chromatography import Bed, Grid, Inlet, Langmuir, Linear, StericMassAction, elute
from seedtrain.simulation._downstream._chromatography._published import ISOTHERM
from tests.simulation_chromatography.cases import BED, PULSE, SPEED, pulse_response

LINEAR = Linear((3.0, 1.5))


def test_first_and_second_moment_are_those_of_kucera() -> None:
    """Exact for a closed-closed column: the dispersion's share has Danckwerts' correction."""
    times = np.linspace(0.0, 1500.0, 6001)
    found = elute(BED, LINEAR, PULSE, times=times, grid=Grid(8, 4, 1, 4), rtol=1e-7)
    load, speed = PULSE[0].duration, SPEED
    stay, peclet = BED.length / speed, BED.length / BED.dispersivity
    for i, henry in enumerate(LINEAR.henry):
        held = BED.bead_porosity + (1 - BED.bead_porosity) * henry
        delta = BED.beads_per_liquid * held
        lag = BED.bead_radius / (5 * BED.bead_porosity * BED.pore_diffusion[i]) + 1 / BED.film[i]
        mass_transfer = BED.beads_per_liquid * held**2 * BED.bead_radius / 3 * lag
        mean = stay * (1 + delta) + load / 2
        spread = 2 * stay * mass_transfer + load**2 / 12
        spread += 2 * stay**2 * (1 + delta) ** 2 * (1 / peclet - (1 - math.exp(-peclet)) / peclet**2)
        peak = found.outlet[:, i]
        area = np.trapezoid(peak, times)
        first = np.trapezoid(peak * times, times) / area
        second = np.trapezoid(peak * (times - first) ** 2, times) / area
        assert area == pytest.approx(PULSE[0].start[i] * load, rel=1e-6)
        assert first == pytest.approx(mean, rel=1e-6)
        assert second == pytest.approx(spread, rel=1e-5)


def test_the_error_falls_with_the_order_of_the_elements() -> None:
    """Degree 3 along the column: fourth order in the number of elements, against the Laplace solution."""
    times = np.linspace(150.0, 900.0, 16)
    exact = pulse_response(LINEAR, times)
    errors = []
    for elements in (5, 10, 20):
        found = elute(BED, LINEAR, PULSE, times=times, grid=Grid(elements, 3, 1, 5), rtol=1e-8)
        errors.append(float(np.abs(found.outlet - exact).max()))
    assert math.log2(errors[0] / errors[1]) > 3.5
    assert errors[2] < 4e-6


@pytest.mark.parametrize(("grids", "order"), [([Grid(6, 4, 1, k) for k in (1, 2, 3, 4)], 4.0)])
def test_the_error_falls_by_a_factor_with_each_degree_inside_the_beads(grids: list[Grid], order: float) -> None:
    slow = dataclasses.replace(BED, pore_diffusion=(1e-11, 2e-11))
    finest = elute(slow, LINEAR, PULSE, grid=Grid(6, 4, 1, 8), rtol=1e-8).outlet
    errors = [float(np.abs(elute(slow, LINEAR, PULSE, grid=g, rtol=1e-8).outlet - finest).max()) for g in grids]
    assert all(after < before / order for before, after in pairwise(errors)), errors


def test_elements_inside_the_beads_converge_to_the_same() -> None:
    one = elute(BED, LINEAR, PULSE, grid=Grid(6, 3, 1, 6), rtol=1e-7).outlet
    several = elute(BED, LINEAR, PULSE, grid=Grid(6, 3, 4, 3), rtol=1e-7).outlet
    assert np.abs(several - one).max() < 1e-5


def test_the_method_in_time_is_of_fourth_order() -> None:
    inlets = (Inlet(300.0, SPEED, (0.0, 0.0), slope=(0.01, 0.0), curve=((0.0, 0.0), (1e-5, 0.0))),)
    langmuir = Langmuir((10.0, 20.0), (0.5, 0.8))

    def run(rtol: float) -> tuple[float, int]:
        found = elute(BED, langmuir, inlets, times=np.array([300.0]), rtol=rtol)
        return float(np.abs(found.outlet - exact).max()), found.steps

    exact = elute(BED, langmuir, inlets, times=np.array([300.0]), rtol=1e-11).outlet
    (coarse, few), (fine, many) = run(1e-4), run(1e-7)
    assert math.log(coarse / fine) / math.log(many / few) > 3.0


def test_a_sharp_langmuir_front_travels_at_the_speed_of_its_chord() -> None:
    """De Vault: a front of height c leaves when it has filled the bed, at L/u (1 + F (eps + (1 - eps) q/c))."""
    fast = Bed(0.1, 0.4, 2e-5, 2e-5, 0.6, (1e-4,))
    langmuir = Langmuir((30.0,), (2.0,))
    found = elute(fast, langmuir, (Inlet(3000.0, SPEED, (1.0,)),), grid=Grid(40, 3), times=3001)
    bound = 30.0 * 2.0 / 3.0
    expected = 0.1 / SPEED * (1 + fast.beads_per_liquid * (0.6 + 0.4 * bound))
    half = found.times[int(np.argmax(found.outlet[:, 0] > 0.5))]
    assert half == pytest.approx(expected, rel=2e-3)
    # By mass, exactly: what the bed holds at the end is what the front left behind.
    held = fast.porosity + (1 - fast.porosity) * (0.6 + 0.4 * bound)
    assert found.held[0] == pytest.approx(held, rel=1e-6)


def test_a_diluted_peak_leaves_later_than_its_front_and_tails() -> None:
    langmuir, bed = Langmuir((30.0,), (2.0,)), Bed(0.1, 0.4, 3e-4, 2e-5, 0.6, (1e-4,))
    found = elute(bed, langmuir, (Inlet(300.0, SPEED, (1.0,)), Inlet(8000.0, SPEED, (0.0,))), grid=Grid(40, 3))
    top = int(found.outlet[:, 0].argmax())
    mean = np.trapezoid(found.outlet[:, 0] * found.times, found.times) / np.trapezoid(found.outlet[:, 0], found.times)
    assert found.times[top] < mean - 100.0
    assert found.outlet.min() > -2e-3


def test_steric_mass_action_of_traces_is_linear_in_them_and_steric_at_saturation() -> None:
    sma = StericMassAction(1200.0, (4.7,), (11.83,), (0.0355,))
    traces = sma.bound(np.array([200.0, 1e-9]))
    assert traces[1] / 1e-9 == pytest.approx(0.0355 * (1200 / 200) ** 4.7, rel=1e-6)
    # Without free sites there is one protein for every nu + sigma of them; a hundredth of them is free here.
    full = sma.bound(np.array([20.0, 1e3]))
    assert full[1] == pytest.approx(1200 / (4.7 + 11.83), rel=0.02)
    assert full[0] == pytest.approx(1200 - 4.7 * full[1])


@given(st.floats(20.0, 1000.0), st.lists(st.floats(0.0, 5.0), min_size=3, max_size=3))
@limits(max_examples=30, deadline=None)
def test_steric_mass_action_keeps_charge_and_its_own_law(salt: float, proteins: list[float]) -> None:
    liquid = np.array([salt, *proteins])
    bound = ISOTHERM.bound(liquid)
    charge, shielding = np.array(ISOTHERM.charge), np.array(ISOTHERM.shielding)
    assert bound[0] + charge @ bound[1:] == pytest.approx(1200.0)
    free = 1200.0 - float((charge + shielding) @ bound[1:])
    assert free >= 0
    expected = np.array(ISOTHERM.equilibrium) * (free / salt) ** charge * liquid[1:]
    assert bound[1:] == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_fast_binding_is_the_equilibrium_and_slow_binding_is_none() -> None:
    langmuir = Langmuir((10.0, 20.0), (0.5, 0.8))
    at_once = elute(BED, langmuir, PULSE, rtol=1e-6).outlet
    fast = elute(BED, dataclasses.replace(langmuir, desorption=(50.0, 50.0)), PULSE, rtol=1e-6).outlet
    slow = elute(BED, dataclasses.replace(langmuir, desorption=(1e-9, 1e-9)), PULSE, rtol=1e-6).outlet
    none = elute(BED, Linear((0.0, 0.0)), PULSE, rtol=1e-6).outlet
    assert np.abs(fast - at_once).max() < 2e-3
    assert np.abs(slow - none).max() < 1e-5


def test_diffusion_without_resistance_is_the_lumped_model() -> None:
    quick = dataclasses.replace(BED, pore_diffusion=(1e-6, 1e-6))
    lumped = dataclasses.replace(BED, pore_diffusion=())
    one, other = (elute(bed, LINEAR, PULSE, rtol=1e-6).outlet for bed in (quick, lumped))
    assert np.abs(one - other).max() < 1e-3


def test_diffusion_along_the_surface_acts_as_diffusion_in_the_pores_of_what_it_carries() -> None:
    """Linear and at equilibrium, D_s adds (1 - eps) H D_s to eps D_p, exactly."""
    surface = dataclasses.replace(BED, surface_diffusion=(2e-11, 1e-11))
    solid, eps = 1 - BED.bead_porosity, BED.bead_porosity
    more = tuple(
        pore + solid * henry * along / eps
        for pore, henry, along in zip(BED.pore_diffusion, LINEAR.henry, surface.surface_diffusion, strict=True)
    )
    one = elute(surface, LINEAR, PULSE, rtol=1e-8).outlet
    other = elute(dataclasses.replace(BED, pore_diffusion=more), LINEAR, PULSE, rtol=1e-8).outlet
    assert np.abs(one - other).max() < 1e-7
