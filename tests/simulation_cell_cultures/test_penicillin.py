"""IndPenSim: golden values of its public port, of the original in MATLAB where they were checked once, and laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation import PenicillinBatch, penicillin_batch, simulate_penicillin
from seedtrain.simulation._indpensim import penicillin_system

# The public port of IndPenSim 2.02 (GitHub cjpulmano/indpensim-py, compared there with the original in MATLAB) at a
# tolerance of 1e-6, mean initial values, no disturbances: h, S g/L, DO mg/L, P g/L, V L, a0, a1 g/L, PAA, NH3 mg/L.
PORT = (
    (4.0, 1.721523, 14.209341, 0.000990, 58016.3894, 0.392811, 0.505976, 1564.36752, 1775.18096),
    (40.0, 0.0023667, 11.515338, 2.404556, 61274.9467, 3.785925, 10.500274, 474.991884, 1704.16238),
)
COLUMNS = ("S", "DO", "P", "V", "a0", "a1", "PAA", "N")


@pytest.mark.parametrize("row", PORT, ids=["4 h", "40 h"])
def test_the_first_hours_are_those_of_the_port(row):
    hours, *values = row
    run = simulate_penicillin(hours=hours)
    for name, value in zip(COLUMNS, values, strict=True):
        assert run.final(name) == pytest.approx(value, rel=2e-5, abs=1e-6), name
    assert run.final("pH") == pytest.approx(6.4873 if hours == 4 else 6.50606, abs=1e-4)
    assert run.final("T") == pytest.approx(297.99775 if hours == 4 else 297.99075, abs=1e-4)


def test_the_harvest_of_the_mean_batch():
    run = simulate_penicillin()
    assert run.final("P") == pytest.approx(30.6444, rel=1e-4)
    assert run.final("V") == pytest.approx(77867.24, rel=1e-4)


def test_the_harvest_of_the_port_s_batch_42():
    run = simulate_penicillin(penicillin_batch(seed=42))
    # 31.92525 at 1e-6; 31.9185 at the port's default tolerance of 1e-3.
    assert run.final("P") == pytest.approx(31.92525, rel=1e-4)
    assert run.final("P") == pytest.approx(31.9, abs=0.05)


def test_the_plant_has_what_the_paper_says():
    system = penicillin_system()
    remembered = [name for name in system.states if name.endswith(("_before", "_earlier"))]
    assert len(system.states) - len(remembered) == 33
    inputs = [name for name in system.numbers if not name.startswith(("F_", "d_"))]
    assert len(inputs) > 100  # its parameters, set points among them


def test_the_controllers_hold_their_set_points():
    run = simulate_penicillin(hours=30.0)
    late = run.time > 10
    assert np.abs(run["pH"][late] - 6.5).max() < 0.15
    assert np.abs(run["T"][late] - 298).max() < 1
    assert (run["F_base"] >= 0).all()
    assert (run["F_base"] <= 225).all()


def test_nothing_but_penicillin_changes_without_its_formation():
    batch = penicillin_batch(10.0)
    without = simulate_penicillin(replace(batch, parameters={**batch.parameters, "mu_p": 0.0}), hours=10.0)
    assert without.final("P") < batch.initial["P"]
    assert without.final("a1") == pytest.approx(simulate_penicillin(hours=10.0).final("a1"), rel=1e-3)


def test_weight_follows_the_pumps():
    run = simulate_penicillin(hours=4.0, every=0.2)
    fed = run["F_base"] + run["F_acid"]
    poured = float((fed[:-1] * np.diff(run.time)).sum())
    sugar = 8.0 * 3 + 15.0 * 1  # L
    oil, precursor = 22.0 * 4, 5.0 * 4
    expected = sugar * (0.6 * 1540 + 0.4 * 1000) / 1000 + oil * 0.9 + precursor + poured
    evaporated = expected - (run.final("W") - 62000)
    assert 0 < evaporated < 0.003 * 62000


def test_a_seed_draws_the_same_batch_again():
    first, second = penicillin_batch(20.0, seed=7), penicillin_batch(20.0, seed=7)
    assert first.initial == second.initial
    assert (first.disturbances == second.disturbances).all()
    other = penicillin_batch(20.0, seed=8)
    assert other.initial["V"] != first.initial["V"]
    assert first.parameters["mu_p"] != penicillin_batch(20.0).parameters["mu_p"]


@pytest.mark.parametrize("hours", [0.0, -1.0, 400.0, float("nan")])
def test_a_length_that_is_none_is_refused(hours):
    with pytest.raises(InputError, match="350"):
        simulate_penicillin(hours=hours)


def test_disturbances_that_end_too_early_are_refused():
    batch = penicillin_batch(2.0)
    assert isinstance(batch, PenicillinBatch)
    with pytest.raises(InputError, match="10 samples"):
        simulate_penicillin(batch, hours=4.0)
