"""Oxygen through the surface: published figures, exponents, and the limits between them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.simulation import _surface as s
from seedtrain.simulation._estimate import GRAVITY

WELL = {"shaking_diameter": 0.05, "diameter": 0.0065}


def test_flask_in_round_figures_and_its_exponents():
    # 6.67e-6 x 200^1.16 x 20^-0.83 x 2.5^0.38 x 8.3^1.92 = 6.67e-6 x 466.9 x 0.08320 x 1.4165 x 58.17 = 0.02135 1/s
    assert s.flask_kLa(200, 0.025, 0.083, 0.020, 0.25).value == pytest.approx(76.9, rel=2e-3)
    base = s.flask_kLa(200, 0.025, 0.083, 0.020, 0.25).value
    for change, exponent in (
        ({"frequency": 400.0}, 1.16),
        ({"shaking_diameter": 0.05}, 0.38),
        ({"diameter": 0.166}, 1.92),
        ({"volume": 0.04}, -0.83),
    ):
        given_ = {"frequency": 200.0, "shaking_diameter": 0.025, "diameter": 0.083, "volume": 0.02, "nominal": 0.25}
        assert s.flask_kLa(**{**given_, **change}).value / base == pytest.approx(2**exponent, rel=1e-12)


def test_a_flask_s_usual_best_is_that_of_the_manufacturer():
    # Enzyscreen: some 40 mmol/L/h, kLa about 200 1/h, is the high end of flasks (10 % filled, 300 1/min), here at 5 cm.
    assert s.flask_kLa(300, 0.05, 0.083, 0.025, 0.25).value == pytest.approx(200, rel=0.5)


@pytest.mark.parametrize(
    "change",
    [{"frequency": 40.0}, {"frequency": 520.0}, {"shaking_diameter": 0.01}, {"volume": 0.05}, {"volume": 0.005}],
)
def test_a_flask_outside_the_measured_range_says_so(change):
    inside = {"frequency": 200.0, "shaking_diameter": 0.025, "diameter": 0.083, "volume": 0.02, "nominal": 0.25}
    assert s.flask_kLa(**inside).in_range
    assert not s.flask_kLa(**{**inside, **change}).in_range


@pytest.mark.parametrize(("volume", "published"), [(1.0e-4, 200.0), (2.0e-4, 100.0)])
def test_a_round_well_of_96_has_the_published_transfer(volume, published):
    # Enzyscreen, 96 round wells, 0.1 to 0.2 mL, 300 1/min at 50 mm: kLa 100 to 200 1/h (OTR 20 to 40 mmol/L/h).
    assert s.well_kLa(300, volume=volume, **WELL).value == pytest.approx(published, rel=0.25)


def test_a_flask_s_power_in_round_figures_and_its_exponents():
    # 250 mL flask of 8.2 cm with 25 mL at 300 1/min: Re = 1020 x 5 x 0.082^2 / 0.001 = 34,292; Ne' = 0.002 + 25 x
    # 0.001899 + 1.5 x 0.12387 = 0.2353; P/V = 0.2353 x 1020 x 5^3 x 0.082^4 x 2.5e-5^(-2/3) = 1,587 W/m3.
    found = s.flask_power(300, 0.025, 0.082, 0.025, 0.25)
    assert found.value == pytest.approx(1587, rel=2e-3)
    assert found.status == "unverified"
    # Fully turbulent, Ne' falls with Re^-0.2: P/V grows with n^2.8, and falls with V^(2/3) as Ne' holds V^(1/3).
    fast = s.flask_power(3e7, 0.025, 0.082, 0.025, 0.25).value / s.flask_power(3e6, 0.025, 0.082, 0.025, 0.25).value
    assert math.log10(fast) == pytest.approx(2.8, abs=0.01)
    twice = s.flask_power(300, 0.025, 0.082, 0.05, 0.25).value
    assert twice / found.value == pytest.approx(2 ** (-2 / 3), rel=1e-12)


def test_a_flask_out_of_phase_says_so():
    usual = (250, 0.025, 0.082, 0.025)
    assert s.in_phase(*usual)
    assert s.phase_number(*usual) > s.IN_PHASE
    assert not s.in_phase(50, *usual[1:]), "the centrifugal acceleration is too weak"
    assert s.axial_froude(60, 2 * GRAVITY / (2 * math.pi) ** 2) == pytest.approx(1.0)
    small_orbit = (250, 0.010, *usual[2:])
    assert s.phase_number(*small_orbit) < s.phase_number(*usual)
    assert not s.flask_power(50, *usual[1:], 0.25).in_range
    assert not s.flask_power(300, 0.05, 0.2, 0.2, 2.0).in_range  # above 1 L


def test_a_well_s_liquid_stands_still_below_the_critical_frequency():
    volume = 2e-4
    still = s.critical_frequency(volume=volume, **WELL)
    below, above = s.well_kLa(still * 0.999, volume=volume, **WELL), s.well_kLa(still * 1.001, volume=volume, **WELL)
    flat = s.WELL_FILM * math.pi * 0.0065**2 / 4 / (volume / 1000)
    assert below.value == pytest.approx(flat)
    assert not below.in_range
    assert above.in_range
    assert above.value > below.value
    # The work of the centrifugal force over the well's width balances the surface tension: it falls with the volume
    # and the orbit, and grows with the well.
    assert s.critical_frequency(0.05, 0.0065, 4 * volume) == pytest.approx(still / 2)
    assert s.critical_frequency(0.20, 0.0065, volume) == pytest.approx(still / 2)
    assert s.critical_frequency(0.05, 4 * 0.0065, volume) == pytest.approx(still * 2)


def test_a_well_s_surface_leans_with_the_centrifugal_force():
    # At w^2 d0 / 2 = g the surface stands at 45 degrees and is 2^0.5 times the well's cross section.
    frequency = 60 * math.sqrt(GRAVITY / 0.025) / (2 * math.pi)
    flat = s.WELL_FILM * math.pi * 0.0065**2 / 4 / 2e-7
    assert s.well_kLa(frequency, volume=2e-4, **WELL).value == pytest.approx(flat * math.sqrt(2))
    assert not s.well_kLa(frequency, 0.05, 0.02, 3e-3).in_range  # above 2 mL


def test_a_bag_meets_the_published_figures():
    # Bai et al. 2019: about 3.5 1/h at 20 1/min, 65 1/h at 40 1/min, 91 % of that by the breaking wave.
    assert s.bag_kLa(20, 12, 0.5).value == pytest.approx(3.5)
    assert s.bag_kLa(40, 12, 0.5).value == pytest.approx(65.0)
    surface = s.bag_kLa(40, 1e-9, 0.5).value
    assert 1 - surface / 65.0 == pytest.approx(0.91)
    assert s.bag_kLa(20, 12, 0.5).in_range
    assert not s.bag_kLa(10, 8, 0.5).in_range
    assert not s.bag_kLa(30, 8, 0.7).in_range


@settings(max_examples=60, deadline=None)
@given(st.floats(60, 450), st.floats(0.0125, 0.1), st.floats(1.01, 1.5))
def test_more_shaking_transfers_more_and_more_liquid_less(frequency, orbit, factor):
    flask = s.flask_kLa(frequency, orbit, 0.083, 0.02, 0.25).value
    assert s.flask_kLa(frequency * factor, orbit, 0.083, 0.02, 0.25).value > flask
    assert s.flask_kLa(frequency, orbit, 0.083, 0.02 * factor, 0.25).value < flask
    well = s.well_kLa(frequency, orbit, 0.0065, 1e-4).value
    assert s.well_kLa(frequency * factor, orbit, 0.0065, 1e-4).value >= well
    rate = 10 + frequency / 15
    bag = s.bag_kLa(rate, 8, 0.4).value
    assert s.bag_kLa(rate * factor, 8, 0.4).value > bag
    assert s.bag_kLa(rate, 8, 0.4 * factor).value < bag
    assert s.flask_kLa(0.0, orbit, 0.083, 0.02, 0.25).value == 0.0
    assert s.bag_kLa(0.0, 8, 0.4).value == 0.0
