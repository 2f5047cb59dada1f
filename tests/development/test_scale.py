"""Batches at three scales: volumes that fit, intensive set points kept, tables that add up, data that round-trips."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.development import ScaleResult, result_from_data, result_to_data, scale
from seedtrain.development._volumes import growth, inoculum_fraction, plan
from seedtrain.quantity import Quantity
from seedtrain.recipe import PHASE_KINDS, check_volumes
from seedtrain.simulation import Airlift, WaveBag, broth, run_train
from seedtrain.simulation._vessel import Transfer
from tests.development.plant import BENCH, PILOT, PLANT, batches, culture, recipe, tank, vessels

ALL = pytest.mark.parametrize("name", [BENCH, PILOT, PLANT])


@ALL
def test_nothing_overfills_even_with_every_phase_at_its_longest(name: str) -> None:
    found = batches()[name]
    high = tank(name).working_volume[1]
    assert check_volumes(found.control.recipe, Quantity(high, "L")).value <= high
    assert max(found.production["V"]) <= high
    for run, vessel in zip(found.seeds, found.seed_vessels, strict=True):
        low, high = vessel.working_volume
        assert low <= run.final("V") <= high


@ALL
def test_every_inoculum_is_there(name: str) -> None:
    found = batches()[name]
    runs = [*found.seeds, found.production]
    for seed, after in itertools.pairwise(runs):
        assert seed.final("V") >= after.totals["inoculum"][0]
        fraction = inoculum_fraction(found.control.recipe.unit_procedure(after.unit_procedure))
        assert after.totals["inoculum"][0] == pytest.approx(fraction * after.totals["medium"][0])


@ALL
def test_intensive_set_points_stay_and_amounts_grow_with_the_volume(name: str) -> None:
    found = batches()[name]
    master, control = recipe(), found.control.recipe
    moved = {"stirrer_speed", "aeration", "head_pressure", "growth_rate"}
    for path in (place.path for place in master.phases() if place.unit_procedure is master.production):
        before, after = master.phase(path), control.phase(path)
        for parameter, value in before.set.items():
            if not isinstance(value, Quantity) or parameter in moved:
                continue
            extensive = PHASE_KINDS[before.do].parameters[parameter].scaling == "extensive"
            wanted = value.value * (found.control.ratio if extensive else 1.0)
            reached = after.number(parameter, value.unit)
            if parameter in ("rate", "initial_rate"):
                wanted *= found.feed.factors.get(path, 1.0)
            assert reached == pytest.approx(wanted, rel=2e-3), (path, parameter)
    assert control.materials == master.materials


def test_the_basis_vessel_runs_the_master_recipe_as_it_is_written() -> None:
    found = batches()[BENCH]
    assert found.control.ratio == 1.0
    assert found.agitation.scaled == found.agitation.reference
    if not found.feed.factors:
        assert found.control.recipe.production == dataclasses.replace(recipe().production, unit=BENCH)


@ALL
def test_the_limits_are_kept_in_the_run_that_counts(name: str) -> None:
    found = batches()[name]
    assert found.feed.limited.smallest >= 0 or 0.0 in found.feed.factors.values()
    assert (found.limited_by == "none") == (found.feed.margins.smallest >= 0) == (not found.feed.factors)
    assert found.feed.factor <= 1.0 + 1e-9


@ALL
def test_the_yields_multiply_and_the_seed_train_grows(name: str) -> None:
    found = batches()[name]
    rows = found.mass_yield
    assert rows[0].product == pytest.approx(found.titre * found.production.final("V"))
    assert math.prod(row.step_yield for row in rows) == pytest.approx(rows[-1].cumulative_yield, rel=1e-9)
    assert rows[-1].product == pytest.approx(found.product)
    assert rows[-1].cumulative_yield == pytest.approx(found.product / rows[0].product)
    assert all(after.product <= before.product * (1 + 1e-9) for before, after in itertools.pairwise(rows))
    assert rows[-1].endotoxin < 1e-3 * rows[0].endotoxin
    holds = [row.hold_time for row in rows if row.hold_time is not None]
    assert holds, "the recipe states hold times downstream"
    for row, run in zip(found.seed_train, (*found.seeds, found.production), strict=True):
        cells = run["DCW"] * run["V"]
        assert cells[-1] == pytest.approx(cells[0] * 2.0**row.generations)
        assert row.generations > 1


def test_kLa_and_demand_are_told_with_their_ranges() -> None:
    for found in batches().values():
        told = found.transfer
        low, high = told.kLa_range
        both = (told.matched.kLa_coalescing.value, told.matched.kLa_non_coalescing.value)
        assert low == pytest.approx(0.6 * min(both))
        assert high == pytest.approx(1.4 * max(both))
        assert max(found.production["OUR"]) == pytest.approx(told.OUR)
        assert told.highest.speed >= told.matched.speed * (1 - 1e-9)
        run = found.production
        at = int(np.argmax(run["OUR"]))
        # The table's gas is the run's own: set at the phase's start, and cut where it floods the impeller.
        assert told.matched.aeration * told.volume == pytest.approx(float(run["gas"][at]))
        assert told.matched.flooded == any(event.kind == "flooding" for event in run.events)
    plant = batches()[PLANT].transfer
    assert not plant.matched.kLa_coalescing.in_range, "van 't Riet measured up to 2.6 m3"
    assert plant.matched.mixing_time.value > batches()[BENCH].transfer.matched.mixing_time.value


def test_a_wave_bag_or_an_airlift_may_be_the_seed_tank() -> None:
    """The same charge in it as in the stirred tank that it replaces: a seed vessel is a volume to the plan."""
    whole, usual = vessels(), plan(recipe(), tank(PILOT), vessels())
    seed = tank("SEED-20")
    bag = WaveBag(seed.name, seed.scale, seed.nominal_volume, seed.working_volume, Transfer(200.0), (0.1, 1.0))
    column = Airlift(
        name=seed.name,
        scale=seed.scale,
        nominal_volume=seed.nominal_volume,
        working_volume=seed.working_volume,
        diameter=seed.diameter,
        draft_tube_diameter=0.7 * seed.diameter,
        aeration=seed.aeration,
        head_pressure=seed.head_pressure,
        cooling_area=seed.cooling_area,
        heat_transfer_coefficient=seed.heat_transfer_coefficient,
        coolant_temperature=seed.coolant_temperature,
    )
    for other in (bag, column):
        assert plan(recipe(), tank(PILOT), {**whole, seed.name: other}) == usual


@ALL
def test_a_result_round_trips_through_json(name: str) -> None:
    found = batches()[name]
    text = json.dumps(result_to_data(found), allow_nan=False)
    again = result_from_data(json.loads(text), vessels())
    assert json.dumps(result_to_data(again), allow_nan=False) == text
    assert again.control.digest == found.control.digest
    assert again.summary() == found.summary()
    json.dumps(found.summary(), allow_nan=False)


def test_the_downstream_train_is_that_of_the_control_recipe() -> None:
    found = batches()[PILOT]
    again = run_train(found.control.recipe, broth(found.production, culture()))
    assert [step.path for step in again] == [step.path for step in found.steps]
    assert again[-1].outlet.masses["product"] == pytest.approx(found.product)


def test_scaling_is_deterministic_and_tells_its_progress() -> None:
    told: list[float] = []
    (again,) = scale(culture(), vessels(), recipe(), targets=[PILOT], progress=lambda done, _: told.append(done))
    assert again.summary() == batches()[PILOT].summary()
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_vessel_that_is_unknown_or_no_tank_is_refused() -> None:
    with pytest.raises(InputError, match="no vessel 'TANK-9'"):
        scale(culture(), vessels(), recipe(), targets=["TANK-9"])
    flask = next(name for name in vessels() if name.startswith("FLASK"))
    with pytest.raises(InputError, match=f"Name the seed train of {flask}"):
        scale(culture(), vessels(), recipe(), targets=[flask])
    bag = WaveBag("BAG", "seed", 20.0, (2.0, 10.0), Transfer(10.0), (0.02, 0.2))
    with pytest.raises(InputError, match="is a wave bag, and agitation is not carried to one"):
        scale(culture(), {**vessels(), "BAG": bag}, recipe(), targets=["BAG"])


def test_a_seed_vessel_that_is_too_small_unknown_or_too_many_is_refused() -> None:
    plant = tank(PLANT)
    with pytest.raises(InputError, match="L of inoculum need"):
        plan(recipe(), dataclasses.replace(plant, seeds=(plant.seeds[0], plant.seeds[1])), vessels())
    with pytest.raises(InputError, match="no seed vessel 'SEED-9'"):
        plan(recipe(), dataclasses.replace(plant, seeds=("SEED-9",)), vessels())
    with pytest.raises(InputError, match="no unit procedure left for the seed vessel"):
        plan(recipe(), dataclasses.replace(plant, seeds=(plant.seeds[0], *plant.seeds)), vessels())


def test_a_vessel_that_the_recipe_cannot_fill_is_refused() -> None:
    narrow = dataclasses.replace(tank(PILOT), working_volume=(140.0, 150.0))
    with pytest.raises(InputError, match="outside its working volume"):
        plan(recipe(), narrow, vessels())
    assert growth(recipe()) > 1.0


def test_results_are_plain_frozen_data() -> None:
    found = batches()[PILOT]
    assert isinstance(found, ScaleResult)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.broth = found.broth  # type: ignore[misc]
