"""The filter finds biomass and growth rate from the exit gas, where its own model alone would be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.automation._control import CultureFilter, ExponentialFeed
from seedtrain.automation._control._soft import gas_balance
from seedtrain.base import InputError
from tests.automation_control.driven import Rig
from tests.simulation_live.test_tank import STEP, filled

EVERY = 12  # ticks of 30 s between two readings of the gas analyser


def followed(mismatch: dict[str, float], hours: float = 14.0) -> np.ndarray:
    """(h, true biomass, found, its deviation, model alone, true mu, found mu) every six minutes."""
    rig = Rig(filled(cells=1.0))
    for name, factor in mismatch.items():
        rig.tank.set_parameter(name, factor * rig.tank.parameter(name))
    model, alone = filled(cells=1.3), filled(cells=1.3)  # nobody knows the inoculum better
    found = CultureFilter(model, ("q_S_max", "Y_em"))
    feed, rows = ExponentialFeed(0.4, 0.12, 3.5), []
    for number in range(round(hours / STEP)):
        inputs = rig.step(feed.step(rig.hours - 8.0, STEP, {}) if rig.hours > 8.0 else 0.0)
        alone.advance(STEP, inputs)
        if number % EVERY == EVERY - 1:
            true = rig.tank.read(inputs)
            read = {tag: true[tag] * (1 + 0.02 * rig.rng.normal()) + 0.3 * rig.rng.normal() for tag in ("OUR", "CER")}
            told = found.step(inputs, EVERY * STEP, read)
            own = alone.read(inputs)["cells"]
            rows.append((rig.hours, true["cells"], told["biomass"], told["biomass_sd"], own, true["mu"], told["mu"]))
    return np.array(rows)


def test_biomass_and_mu_follow_a_culture_that_is_not_the_model():
    rows = followed({"q_S_max": 0.85, "Y_em": 0.9})
    late = rows[rows[:, 0] > 10.0]
    found = np.sqrt(np.mean((late[:, 2] / late[:, 1] - 1) ** 2))
    alone = np.sqrt(np.mean((late[:, 4] / late[:, 1] - 1) ** 2))
    assert found < 0.08
    assert found < 0.6 * alone
    assert np.sqrt(np.mean((late[:, 6] - late[:, 5]) ** 2)) < 0.02
    assert np.mean(np.abs(late[:, 2] - late[:, 1]) < 2 * late[:, 3]) > 0.8  # it knows how wrong it may be


def test_a_missing_reading_leaves_more_unknown_than_a_good_one():
    inputs = Rig(filled(cells=2.0)).step()
    blind, seeing = CultureFilter(filled(cells=2.0)), CultureFilter(filled(cells=2.0))
    usual = filled(cells=2.0).read(inputs)["OUR"]
    without = blind.step(inputs, 0.1, {"OUR": float("nan")})
    assert seeing.step(inputs, 0.1, {"OUR": usual})["biomass_sd"] < without["biomass_sd"]
    with pytest.raises(InputError, match="no parameter 'q_X'"):
        CultureFilter(filled(), ("q_X",))


def test_what_is_left_after_a_draw_is_known_as_well_as_before():
    """Half the broth holds half of everything, and half the error of it; parameters do not change."""
    found = CultureFilter(filled(cells=2.0), ("q_S_max",))
    inputs = Rig(filled(cells=2.0)).step()
    before, covariance, volume = found.told(inputs), found.covariance.copy(), found.model.volume
    found.draw(0.5 * volume)
    after = found.told(inputs)
    assert after["biomass"] == pytest.approx(before["biomass"])
    assert after["biomass_sd"] == pytest.approx(before["biomass_sd"])
    assert found.covariance[:-1, :-1] == pytest.approx(0.25 * covariance[:-1, :-1])
    assert found.covariance[-1, -1] == covariance[-1, -1]


def test_the_gas_balance_finds_what_the_cells_take():
    rig = Rig(filled(cells=5.0))
    rig.run(1.0)
    true = rig.tank.read(rig.inputs)
    found = gas_balance(rig.inputs.air, 0.0, 0.0, 0.0, true["exit_oxygen"], true["exit_carbon_dioxide"], true["volume"])
    assert found["OUR"] == pytest.approx(true["OUR"], rel=0.1)  # the head space lags behind a growing culture
    assert found["CER"] == pytest.approx(true["CER"], rel=0.12)
    assert found["RQ"] == pytest.approx(1.0, abs=0.15)
    assert gas_balance(0, 0, 0, 0, 0.2, 0.0, 1)["OUR"] == 0.0
