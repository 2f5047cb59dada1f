"""Primary drying against the published calculator, and its laws.

Golden figures: LyoPRONTO (Shivkumar et al. 2019, AAPS PharmSciTech 20:328; the program is GPL-3, only its inputs and
results stand here): 5 % mannitol, 2 mL in a vial of 3.8 cm2 (3.14 cm2 inside), KC 2.75e-4, KP 8.93e-4, KD 0.46,
R0 1.4, A1 16, A2 0, 0.15 Torr, shelf from -35 degC at 1 K/min. Its reference run at a shelf of 20 degC ends after
6.66 h and reaches -14.77 degC; at -5 degC it ends after 12.62 h.
"""

from __future__ import annotations

import dataclasses

import pytest

from seedtrain.base import InputError
from seedtrain.simulation._downstream import _lyophilisation as lyo
from seedtrain.simulation._downstream._operation import Carry
from tests.simulation_downstream.cases import clear, settings

PUBLISHED = lyo.Cycle(shelf=20.0, pressure=0.15, depth=2.0 / 3.14, solids=0.05, area_ratio=3.8 / 3.14)


def _dry(cycle: lyo.Cycle) -> lyo.Drying:
    found = lyo.primary_drying(cycle)
    assert found is not None
    return found


def test_the_published_runs_are_reproduced() -> None:
    warm = _dry(PUBLISHED)
    assert warm.duration == pytest.approx(6.66, abs=0.01)
    assert warm.bottom.max() == pytest.approx(-14.77, abs=0.02)
    assert _dry(dataclasses.replace(PUBLISHED, shelf=-5.0)).duration == pytest.approx(12.62, abs=0.01)


def test_the_course_is_that_of_drying() -> None:
    run = _dry(PUBLISHED)
    assert (run.time[1:] > run.time[:-1]).all()
    assert (run.layer[1:] > run.layer[:-1]).all()
    assert (run.bottom >= run.front - 1e-9).all()
    assert run.layer[-1] == pytest.approx(0.6919, abs=1e-3)


@pytest.mark.parametrize(("name", "value"), [("shelf", 0.0), ("A1", 30.0), ("depth", 1.0), ("KC", 1.5e-4), ("R0", 5.0)])
def test_what_makes_drying_slower(name: str, value: float) -> None:
    assert _dry(dataclasses.replace(PUBLISHED, **{name: value})).duration > _dry(PUBLISHED).duration


def test_a_shelf_too_cold_for_the_chamber_dries_nothing() -> None:
    assert lyo.primary_drying(dataclasses.replace(PUBLISHED, shelf=-40.0, shelf_start=-45.0, pressure=0.5)) is None
    numbers = {"fill_depth": 1.0, "shelf_temperature": -60.0, "chamber_pressure": 100.0, "residual_moisture": 2.0}
    with pytest.raises(InputError, match="no ice sublimes"):
        lyo.LYOPHILISE.run(settings("lyophilise", numbers), Carry(clear()))


def test_the_cake_has_its_residual_moisture_and_the_rest_of_the_water_is_vapour() -> None:
    numbers = {"fill_depth": 1.0, "shelf_temperature": -10.0, "chamber_pressure": 10.0, "residual_moisture": 2.0}
    step, _ = lyo.LYOPHILISE.run(settings("lyophilise", numbers), Carry(clear()))
    cake = step.outlet
    assert cake.masses["water"] / cake.mass == pytest.approx(0.02)
    assert step.wastes[0].masses["water"] > 0.99 * clear().masses["water"]
    assert step.performance["collapse_margin"][0] == pytest.approx(
        263.0 - 273.15 - step.performance["front_temperature"][0]
    )
    wetter = {**numbers, "residual_moisture": 5.0}
    assert lyo.LYOPHILISE.run(settings("lyophilise", wetter), Carry(clear()))[0].duration < step.duration


def test_the_electricity_of_freeze_drying_is_that_of_heat_condenser_and_pumps() -> None:
    numbers = {"fill_depth": 1.0, "shelf_temperature": -10.0, "chamber_pressure": 10.0, "residual_moisture": 2.0}
    step, _ = lyo.LYOPHILISE.run(settings("lyophilise", numbers), Carry(clear()))
    ice = step.wastes[0].masses["water"] / 1000  # kg, at 678 cal/g
    heat = ice * 678 * 4.184 / 3600
    cold = clear().volume * (4.18 * clear().temperature + 334 + 2.1 * 35) / 3600  # to ice at -35 degC
    pumps = 0.3 * clear().volume / 1000 / 0.01 * step.duration
    assert step.utilities["electricity"] == (pytest.approx(heat + (heat + cold) / 0.5 + pumps), "kWh")
