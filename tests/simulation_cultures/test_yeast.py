"""S. cerevisiae with limited respiration: where ethanol sets in, and what it costs.

Published: in glucose-limited chemostats of CBS 8066 respiration is complete below 0.30 1/h at a yield of 0.50 g/g,
ethanol appears above 0.38 1/h at the latest, and the yield falls towards 0.16 g/g (Postma, Verduyn, Scheffers & van
Dijken 1989, Appl. Environ. Microbiol. 55:468, its abstract as quoted). Batches of another strain on 25 and 40 g/L gave
0.365 and 0.40 g of ethanol per g of glucose (Ji et al. 2016, SpringerPlus 5:503, as read from its figure by others).
"""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.simulation import PublishedPhase, Run, read_culture, reproduce

FEED = 30.0


def _chemostat(dilution: float) -> Run:
    phase = PublishedPhase("chemostat", 80.0, feed=dilution, constant_volume=True, inflow={"S": FEED})
    return reproduce(read_culture("yeast_bottleneck"), {"X": 10.0, "S": 0.05}, [phase], points=50, rtol=1e-8)


def _yield(run: Run) -> float:
    return run.final("X") / (FEED - run.final("S"))


def test_ethanol_sets_in_between_the_published_growth_rates():
    low, high = 0.25, 0.40
    while high - low > 0.002:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if _chemostat(middle).final("E") > 0.01 else (middle, high)
    assert 0.30 <= high <= 0.38
    assert high == pytest.approx(0.303, abs=0.003)
    # As the bottleneck has it: all of the capacity spent on glucose.
    culture = read_culture("yeast_bottleneck")
    oxidative = culture.conversions[0]
    capacity = culture.values["q_O_max"] * 0.21 / (0.21 + culture.values["K_O"])
    onset = culture.values["Y_XS_ox"] * capacity / (-1000 * culture.exchange(oxidative).O2)
    assert high == pytest.approx(onset, abs=0.003)


def test_the_yield_falls_as_published_when_ethanol_sets_in():
    assert _yield(_chemostat(0.2)) == pytest.approx(0.50, abs=0.015)
    assert _yield(_chemostat(0.4)) == pytest.approx(0.16, abs=0.015)


def test_respiration_stays_at_its_capacity_beyond_the_onset():
    rates = [_chemostat(dilution).final("q_O") for dilution in (0.32, 0.35, 0.4)]
    np.testing.assert_allclose(rates, 8.0 * 0.21 / 0.213, rtol=1e-6)


def test_a_batch_ferments_first_and_then_grows_on_its_ethanol():
    culture = read_culture("yeast_bottleneck")
    run = reproduce(culture, {"X": 0.2, "S": 25.0}, [PublishedPhase("batch", 16.0)], points=800, rtol=1e-8)
    peak = int(np.argmax(run["E"]))
    made = run["E"][peak] / (25.0 - run["S"][peak])
    assert made == pytest.approx(0.38, abs=0.025)
    assert made < 0.511  # two ethanol of one glucose
    assert run.final("X") > 2 * run["X"][peak]
    assert run.final("E") < 0.1 * run["E"][peak]


def test_the_reductive_conversion_needs_no_oxygen():
    culture = read_culture("yeast_bottleneck")
    reductive = next(item for item in culture.conversions if item.name == "reductive")
    assert abs(culture.exchange(reductive).O2) < 1e-9
    assert culture.amounts(reductive)["E"] == pytest.approx(0.479, abs=0.001)
