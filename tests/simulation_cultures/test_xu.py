"""Xu, Jahic & Enfors 1999, Biotechnol. Prog. 15:81-90: overflow of glucose to acetate, and pulses.

From the abstract: overflow acetate makes up 9.0 +/- 1.0 % (carbon per carbon) of the glucose consumed in batch; acetate
is taken up at 0.12 to 0.18 g/g/h beside a glucose feed, three times as fast as without. The batch on 13.86 g/L from
0.1 g/L of cells is that of the collection from which the numbers come (see the culture's file).
"""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.simulation import PublishedPhase, Run, read_culture, reproduce

PUBLISHED, BALANCED = "ecoli_xu_published", "ecoli_xu_balanced"
STATED = {"X": 0.057, "S": 0.045, "A": 0.137}
"""Root mean square difference over the largest value of each state, as docs/validation.md states it."""
GLUCOSE = 13.86


def _batch(name: str, glucose: float = GLUCOSE) -> Run:
    return reproduce(
        read_culture(name), {"X": 0.1, "S": glucose}, [PublishedPhase("batch", 9.0)], points=901, rtol=1e-8
    )


def _overflow(run: Run) -> float:
    """Carbon of acetate per carbon of the glucose consumed, when acetate is highest: both have 1/30.03 mol C per g."""
    peak = int(np.argmax(run["A"]))
    return float(run["A"][peak] / (run["S"][0] - run["S"][peak]))


def _pulses(name: str, **parameters: float) -> Run:
    start = 7.0 * 6.0 * 0.3 / (0.51 * 520.0)
    after = [start * float(np.exp(0.3 * hours)) for hours in (0.0, 2.0, 2.5, 3.5)]
    phases = [
        PublishedPhase("feed", 2.0, feed=after[0], growth=0.3, feed_glucose=520.0, parameters=parameters),
        PublishedPhase("glucose pulse", 0.5, feed=after[1], growth=0.3, feed_glucose=520.0, pulse={"S": 1.0}),
        PublishedPhase("feed again", 1.0, feed=after[2], growth=0.3, feed_glucose=520.0),
        PublishedPhase("acetate pulse", 0.5, feed=after[3], growth=0.3, feed_glucose=520.0, pulse={"A": 1.0}),
    ]
    return reproduce(read_culture(name), {"X": 6.0, "S": 0.02}, phases, volume=7.0, points=800, rtol=1e-8)


def test_overflow_in_batch_is_nine_percent_of_the_carbon():
    assert _overflow(_batch(BALANCED)) == pytest.approx(0.090, abs=0.010)
    assert _overflow(_batch(BALANCED, 10.0)) == pytest.approx(0.090, abs=0.010)


def test_the_published_form_stays_below_its_published_number():
    # With the numbers of the collection 6.9 %: stated in docs/validation.md, where nothing is bent to fit.
    assert _overflow(_batch(PUBLISHED)) == pytest.approx(0.0685, abs=0.001)


def test_a_glucose_pulse_overflows_and_the_acetate_is_used_again():
    for run in (_pulses(PUBLISHED, q_A_max=0.15, G=1.3), _pulses(BALANCED)):
        before, peak, after = run.at("A", 1.95), run.at("A", 2.1), run.at("A", 2.45)
        assert before < 1e-3
        assert peak > 0.03
        assert after < 0.1 * peak


def test_an_acetate_pulse_beside_the_feed_is_taken_up_as_published():
    for run in (_pulses(PUBLISHED, q_A_max=0.15, G=1.3), _pulses(BALANCED)):
        assert 0.12 < run.at("q_A_c", 3.55) < 0.18
        assert run.at("mu", 3.6) > run.at("mu", 3.45)


def test_overflow_needs_uptake_beyond_the_capacity_to_respire():
    run = _pulses(BALANCED)
    fed = run.time < 1.99
    assert np.all(run["q_S"][fed] < 0.8)
    assert np.all(run["A"][fed] < 1e-3)


def test_the_balanced_form_follows_the_published_one_as_closely_as_stated():
    published, balanced = _batch(PUBLISHED), _batch(BALANCED)
    misses = {
        name: float(np.sqrt(np.mean((balanced[name] - published[name]) ** 2)) / published[name].max())
        for name in ("X", "S", "A")
    }
    assert misses["X"] == pytest.approx(STATED["X"], abs=0.003)
    assert misses["S"] == pytest.approx(STATED["S"], abs=0.003)
    assert misses["A"] == pytest.approx(STATED["A"], abs=0.01)


def test_published_oxygen_and_that_of_the_elements_differ_as_stated():
    published, balanced = read_culture(PUBLISHED), read_culture(BALANCED)
    values = {**published.values, "X": 1.0, "S": 0.02, "A": 0.0, "DO": 0.2, "NH": 100.0}
    for name, text in published.expressions.items():
        values[name] = text.evaluate(values)
    made = -published.rates["O2"].evaluate(values) / values["q_S"]
    uses = {item.name: -balanced.exchange(item).O2 * 1000 for item in balanced.conversions}
    share = values["q_m"] / values["q_S"]
    wanted = share * uses["maintenance"] + (1 - share) * uses["growth"]
    assert made / wanted == pytest.approx(0.876, abs=0.003)
