"""Enzymes against their closed solutions, the published integral of 1913, and the mechanism written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import lambertw

from seedtrain.simulation import PublishedPhase, read_culture, reproduce


def test_the_first_step_of_a_cascade_follows_lambert_w():
    # Schnell & Mendoza 1997, J. Theor. Biol. 187:207: S = K W(S0 / K exp((S0 - V t) / K)).
    culture = read_culture("enzyme_cascade")
    run = reproduce(culture, {"M3": 10.0, "E1": 0.1, "E2": 0.2}, [PublishedPhase("batch", 6.0)], points=100, rtol=1e-10)
    V, K = culture.values["k_1"] * 0.1, culture.values["K_1"]
    exact = K * lambertw(10.0 / K * np.exp((10.0 - V * run.time) / K)).real
    np.testing.assert_allclose(run["M3"], exact, rtol=1e-6, atol=1e-8)
    # Sugar units are conserved along the cascade.
    np.testing.assert_allclose(3 * run["M3"] + 2 * run["M2"] + run["Glc"], 30.0, rtol=1e-9)
    assert run["M2"].max() > 2.0
    assert run.final("Glc") == pytest.approx(30.0, rel=0.05)


@pytest.mark.parametrize("sucrose", [333.0, 166.7, 83.3, 41.6, 20.8])
def test_invertase_follows_the_integral_of_michaelis_and_menten(sucrose):
    # C t = k (1/a + 1/k1 + 1/k2) a ln(a / (a - x)) + k (1/k - 1/k1 - 1/k2) x with k = 1/60, k1 = 1/17, k2 = 1/11 mol/L.
    culture = read_culture("invertase")
    run = reproduce(culture, {"S": sucrose}, [PublishedPhase("batch", 4.0)], points=60, rtol=1e-10)
    k, fructose, glucose = 1000 / 60, 1000 / 17, 1000 / 11
    x = sucrose - run["S"]
    keep = (run.time > 0) & (run["S"] > 1e-3 * sucrose)
    left = k * (1 / sucrose + 1 / fructose + 1 / glucose) * sucrose * np.log(sucrose / (sucrose - x))
    left += k * (1 / k - 1 / fructose - 1 / glucose) * x
    np.testing.assert_allclose(left[keep] / run.time[keep], culture.values["V_max"], rtol=1e-5)
    np.testing.assert_allclose(run["Glc"], run["Fru"], rtol=1e-12)


def test_collagen_hydrolysis_is_the_published_curve_and_makes_the_published_optimum_plausible():
    culture = read_culture("collagen_hydrolysis")
    for collagen in (5.0, 30.0, 60.0):
        rate = culture.expressions["V"].evaluate({**culture.values, "S": collagen})
        assert rate == pytest.approx(9.3633 * collagen / (114.785 + collagen), rel=1e-12)
    run = reproduce(culture, {"S": 30.0, "E": 3.5}, [PublishedPhase("batch", 6.0)], points=50)
    assert run.final("S") + run.final("P") / (1 + 0.19581202 / 10) == pytest.approx(30.0, rel=1e-9)
    exact = 114.785 * lambertw(30.0 / 114.785 * math.exp((30.0 - 9.3633 * 6.0) / 114.785)).real
    assert run.final("S") == pytest.approx(exact, rel=1e-6)


def test_the_ping_pong_rate_is_that_of_its_mechanism():
    # E + A = EA, EA = F + P, F + B = FB, FB = E + Q with eight constants; its steady state, solved as linear equations.
    f1, f2, f3, f4 = 55.0, 194.0, 1.8333, 194.0  # 1/(mmol/L)/min, 1/min
    b1, b2, b3, b4 = 26.0, 11.0, 26.0, 0.6
    forward, backward = f2 * f4 / (f2 + f4), b1 * b3 / (b1 + b3)
    culture = read_culture("transaminase_cascade").with_parameters(
        {
            "k_f": 60 * forward,
            "k_r": 60 * backward,
            "K_eq": f1 * f2 * f3 * f4 / (b1 * b2 * b3 * b4),
            "K_MBA": f4 * (b1 + f2) / (f1 * (f2 + f4)),
            "K_ERY": f2 * (b3 + f4) / (f3 * (f2 + f4)),
            "K_AP": b3 * (b1 + f2) / (b2 * (b1 + b3)),
            "K_iMBA": b1 / f1,
        }
    )
    random = np.random.default_rng(5)
    for A, B, P, Q in random.uniform(0.1, 100.0, (20, 4)):
        # States of the enzyme: E, EA, F, FB; the last row says that they sum to 1.
        rates = np.array(
            [
                [-(f1 * A + b4 * Q), b1, 0.0, f4],
                [f1 * A, -(b1 + f2), b2 * P, 0.0],
                [0.0, f2, -(b2 * P + f3 * B), b3],
                [1.0, 1.0, 1.0, 1.0],
            ]
        )
        E, EA, _, _ = np.linalg.solve(rates, [0.0, 0.0, 0.0, 1.0])
        exact = 60 * (f1 * A * E - b1 * EA)
        values = {**culture.values, "MBA": A, "ERY": B, "AP": P, "ABT": Q, "E2": 1.0, "E1": 0.0, "HPA": 1.0, "GA": 1.0}
        for name, text in culture.expressions.items():
            values[name] = text.evaluate(values)
        assert values["v_ta"] == pytest.approx(exact, rel=1e-9)


def test_the_transaminase_stops_at_the_published_equilibrium():
    culture = read_culture("transaminase_cascade")
    start = {"MBA": 10.0, "ERY": 50.0, "E2": 0.05}
    run = reproduce(culture, start, [PublishedPhase("batch", 400.0)], points=50, rtol=1e-10)
    ratio = run.final("AP") * run.final("ABT") / (run.final("MBA") * run.final("ERY"))
    assert ratio == pytest.approx(849.0, rel=1e-4)
    back = reproduce(culture, {"AP": 10.0, "ABT": 50.0, "E2": 0.05}, [PublishedPhase("batch", 400.0)], points=50)
    ratio = back.final("AP") * back.final("ABT") / (back.final("MBA") * back.final("ERY"))
    assert ratio == pytest.approx(849.0, rel=1e-3)


def test_the_cascade_frees_one_carbon_dioxide_and_no_oxygen():
    culture = read_culture("transaminase_cascade")
    first, second = (culture.exchange(item) for item in culture.conversions)
    carbon_dioxide = first.CO2
    assert carbon_dioxide == pytest.approx(1e-3, abs=1e-15)  # mol per mmol
    for value in (first.O2, first.H2O, first.NH3, second.CO2, second.O2, second.H2O, second.NH3):
        assert abs(value) < 1e-15
