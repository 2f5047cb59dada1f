"""The oxygen's cascade in a simulated run: stirrer, gas and pure oxygen, one after the other, within their ranges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.development._upstream_use import culture_uses
from seedtrain.simulation import Run, StirredTank, check_vessel, simulate, transfer_limits
from seedtrain.simulation._evaluate import evaluator
from seedtrain.simulation._plan import WITHIN
from seedtrain.simulation._setup import setup_of
from tests.simulation import cases

ORDERS = tuple(
    order[:count] for order in permutations(("stirrer_speed", "aeration", "oxygen_share")) for count in (2, 3)
)
SLOW = {"stirrer_speed: 700": "stirrer_speed: 350"}
"""The stirrer is slower than the culture needs."""


def tank(**changes: object) -> StirredTank:
    found = cases.tank(**changes)
    assert isinstance(found, StirredTank)
    return found


@cache
def rich() -> Run:
    """All three stages, one after the other."""
    return simulate(cases.culture(), tank(oxygen_share=0.4), cases.recipe(SLOW))


def test_where_the_stirrer_suffices_the_run_is_that_of_the_stirrer_alone():
    alone = simulate(cases.culture(), tank(oxygen_cascade=("stirrer_speed",)), cases.recipe())
    for found in (cases.run(), simulate(cases.culture(), tank(oxygen_share=0.4), cases.recipe())):
        assert set(found.variables) - set(alone.variables) <= {"vvm", "O2_share"}
        for name, variable in alone.variables.items():
            np.testing.assert_allclose(found[name], variable.values, rtol=1e-9, atol=1e-11, err_msg=name)
        assert [event.kind for event in found.events] == [event.kind for event in alone.events]
        for name, (value, unit) in alone.totals.items():
            assert found.totals[name] == (pytest.approx(value, rel=1e-9, abs=1e-12), unit), name
    assert found["O2_share"].max() == 0.0
    assert found.totals["pure_oxygen"] == (0.0, "m3")


def test_stages_follow_one_another_and_oxygen_stays_at_its_set_point():
    run = rich()
    assert not [event for event in run.events if event.kind == "oxygen_limited"]
    gas, share, speed = run["vvm"], run["O2_share"], run["N"]
    begun = run.time > 10.5  # the medium's own oxygen is used
    induced = run.phase("production/culture/induce")  # ten minutes without feed, in which oxygen comes back by itself
    fed = begun & ((run.time < induced.start - 0.1) | (run.time > induced.end + 0.3))
    assert np.abs(run["DO_percent"][fed] - 30.0).max() < 0.1
    assert share.max() > 5.0
    assert (speed[(gas > 1.01)] > 350.0 * (1 - 1e-3)).all()
    assert (speed <= 350.0 * (1 + 1e-9)).all()
    assert gas[share > 0.01] == pytest.approx(2.0, rel=1e-6)
    for balance in run.balances:
        assert balance.relative < 1e-6, balance.name
    np.testing.assert_allclose(run["OTR"][fed], run["OUR"][fed], rtol=0.01)


def test_oxygen_is_short_only_with_the_last_stage_at_its_end():
    for vessel, last, end in ((tank(), "vvm", 2.0), (tank(oxygen_share=0.03), "O2_share", 3.0)):
        run = simulate(cases.culture(), vessel, cases.recipe(SLOW))
        (short,) = [event.time for event in run.events if event.kind == "oxygen_limited"][:1]
        after = (run.time >= short) & (run.time < run.phase("production/culture/induce").start)
        np.testing.assert_allclose(run[last][after], end, rtol=1e-6)
        assert (run["DO_percent"][after] < 16.0).all()


def test_a_recipe_that_limits_the_gas_limits_the_stage():
    changes = {
        "stirrer_speed: 700": "stirrer_speed: 250",
        "until: glucose <= 0.2 g/L\n": "until: glucose <= 0.2 g/L\n            limits: {aeration: 0.5 .. 1.1 vvm}\n",
    }
    run = simulate(cases.culture(), tank(oxygen_share=0.4), cases.recipe(changes))
    span = run.phase("production/culture/batch")
    inside = (run.time >= span.start) & (run.time < span.end)
    assert run["vvm"][inside].max() == pytest.approx(WITHIN * 1.1, rel=1e-6)
    assert run["O2_share"][inside].max() > 0.5
    assert run["vvm"][~inside].max() > 1.2  # the other phases do not


def test_what_no_phase_asks_for_or_no_vessel_has_costs_no_equation():
    culture, recipe = cases.culture(), cases.recipe()
    alone = setup_of(culture, tank(oxygen_cascade=("stirrer_speed",)), recipe)
    fixed = setup_of(culture, tank(aeration=(1.0, 1.0)), recipe)
    unasked = {"              dissolved_oxygen: 30 %\n": "", "dissolved_oxygen: 30 %, ": ""}
    free = setup_of(culture, tank(oxygen_share=0.4), cases.recipe(unasked))
    unnamed = setup_of(culture, tank(oxygen_share=0.4, oxygen_cascade=("stirrer_speed",)), recipe)
    assert {item.layout.cascade for item in (alone, fixed, free, unnamed)} == {()}
    assert {item.system.digest for item in (alone, fixed, free, unnamed)} == {alone.system.digest}
    assert setup_of(culture, tank(), recipe).layout.cascade == ("stirrer_speed", "aeration")


Placed = Callable[[float], dict[str, float]]


def placer(
    vessel: StirredTank, *, coalescence: float = 0.5, volume: float = 1.0, least: float = 1.0, steady: bool = True
) -> Placed:
    """What the equations of the first phase give in a broth at its set point, by what its cells use, mmol/L/h.

    Where it is `steady`, the broth holds the CO2 at which what the cells give off leaves it.
    """
    found = setup_of(cases.culture(), vessel, cases.recipe(SLOW), parameters={"coalescence": coalescence})
    first = dataclasses.replace(found.plan.segments[0], aeration=least)
    setup = dataclasses.replace(found, plan=dataclasses.replace(found.plan, segments=(first,)))
    read, numbers = evaluator(setup.system), setup.schedule.numbers[0, 0].tolist()
    state = setup.schedule.initial[0].copy()
    held = read.held(numbers, state.tolist())
    state[setup.index("v")] = volume
    state[setup.index("n_O")] = held[[name for name, _ in setup.system.held].index("DO_set")] * volume

    def at(cells: float, carbon: float) -> dict[str, float]:
        state[setup.index("m_X")], state[setup.index("n_C")] = cells * volume, carbon
        seen = read.observed(0.0, state.tolist(), numbers, held)
        return {"share": 0.0, **dict(zip(setup.system.observed, seen, strict=True))}

    def kept(found: dict[str, float]) -> float:
        """CO2 that stays in the broth, mmol/h."""
        oxygen, carbon = found["x_O2_out"], found["x_CO2_out"]
        air = found["gas"] * 60 / 22.413969 * 1000 * (1 - found["share"])
        inert = max(air, 1e-6 * found["gas"]) * (1 - 0.20946 - 0.00042)
        gone = inert * carbon / (1 - oxygen - carbon) - air * 0.00042
        return found["CER"] * volume * setup.plan.volume - gone

    def settled(cells: float) -> dict[str, float]:
        places = [0.0, 1.0]
        rests = [kept(at(cells, place)) for place in places]
        for _ in range(4):
            slope = (rests[-1] - rests[-2]) / (places[-1] - places[-2])
            if abs(rests[-1]) < 1e-9 or slope == 0:
                break
            places.append(places[-1] - rests[-1] / slope)
            rests.append(kept(at(cells, places[-1])))
        return at(cells, places[-1])

    per_cell = at(1.0, 0.0)["OUR"]
    return lambda uptake: settled(uptake / per_cell) if steady else at(uptake / per_cell, 0.05)


@settings(max_examples=40, deadline=None)
@given(
    order=st.sampled_from(ORDERS),
    uptake=st.floats(1.0, 250.0),
    step=st.floats(1.0, 1.5),
    share=st.sampled_from([0.0, 0.05, 0.4, 0.9]),
    coalescence=st.floats(0, 1),
    volume=st.floats(0.9, 1.4),
    least=st.floats(0.1, 1.0),
)
def test_what_is_transferred_is_what_is_used_until_the_last_stage_is_at_its_end(
    order: tuple[str, ...], uptake: float, step: float, share: float, coalescence: float, volume: float, least: float
):
    vessel = tank(oxygen_cascade=order, oxygen_share=share)
    place = placer(vessel, coalescence=coalescence, volume=volume, least=least)
    start, one, other, end = (place(found) for found in (1e-3, uptake, uptake * step, 1e4))
    met = [0.99 * found["OUR"] <= found["OTR"] <= 1.01 * found["OUR"] for found in (one, other)]
    # More is not answered by less. Where oxygen becomes short more CO2 dilutes the gas, and so takes some of it.
    assert not met[0] or one["OTR"] <= other["OTR"] * (1.001 if met[1] else 1.2)
    for symbol in ("gas", "share"):
        assert start[symbol] - 1e-9 <= one[symbol] <= other[symbol] * (1 + 1e-6) + 1e-9
        assert other[symbol] <= end[symbol] * (1 + 1e-9) + 1e-9
    moves = {"stirrer_speed": "kLa", "aeration": "gas", "oxygen_share": "share"}
    used = [moves[name] for name in order if end[moves[name]] > start[moves[name]] * (1 + 1e-6)]
    for found in (one, other):
        if all(found[symbol] >= end[symbol] * (1 - 1e-6) for symbol in used):
            assert found["OTR"] <= found["OUR"] * 1.005
        elif any(found[symbol] > start[symbol] * (1 + 1e-6) for symbol in used):
            assert found["OTR"] == pytest.approx(found["OUR"], rel=0.005)
        behind = [symbol for symbol in used if symbol != "kLa"]
        if behind == ["gas", "share"] and found["share"] > 1e-6:
            assert found["gas"] == pytest.approx(end["gas"], rel=1e-6)
        if behind == ["share", "gas"] and found["gas"] > start["gas"] * (1 + 1e-6):
            assert found["share"] == pytest.approx(end["share"], rel=1e-6)


def test_gas_that_is_all_oxygen_is_no_division_by_nothing():
    found = placer(tank(oxygen_share=1.0), steady=False)(1e3)
    assert found["share"] == 1.0
    assert found["x_O2_out"] == pytest.approx(1.0, abs=0.01)
    assert 100 < found["OTR"] < 1e3


@pytest.mark.parametrize("order", [order for order in ORDERS if len(order) == 3], ids="-".join)
def test_a_hand_over_is_no_step(order: tuple[str, ...]):
    """Transfer over a fine ladder of uptakes that crosses every stage."""
    place, ladder = placer(tank(oxygen_cascade=order, oxygen_share=0.4)), np.linspace(2.0, 160.0, 300)
    rows = [place(float(uptake)) for uptake in ladder]
    assert np.abs(np.diff([row["OTR"] for row in rows])).max() < 2.0 * (ladder[1] - ladder[0])
    for symbol, most in (("gas", 2.0), ("share", 0.05), ("kLa", 15.0)):
        values = [row[symbol] for row in rows]
        assert np.abs(np.diff(values)).max() < most, symbol
        assert np.ptp(values) > 0.1, symbol


def test_pure_oxygen_is_told_and_paid():
    run, recipe = rich(), cases.recipe(SLOW)
    share = run["O2_share"] / 100
    pure = np.trapezoid(run["gas"] * share, run.time) * 60 / 1000
    assert run.totals["pure_oxygen"][0] == pytest.approx(pure, rel=2e-3)
    assert run.totals["air"][0] == pytest.approx(np.trapezoid(run["gas"] * (1 - share), run.time) * 60 / 1000, rel=2e-3)
    uses = culture_uses(recipe, recipe.production, run, tank(oxygen_share=0.4))
    (use,) = [use for use in uses if use.item == "oxygen"]
    assert (use.amount, use.unit) == (pytest.approx(run.totals["pure_oxygen"][0] * 1.4276, rel=1e-4), "kg")


def test_a_vessel_with_pure_oxygen_can_transfer_more():
    plain, enriched = (check_vessel(tank(oxygen_share=share)) for share in (0.0, 0.4))
    OTR = [next(item.high for item in found.figures if item.name == "OTR") for found in (plain, enriched)]
    assert OTR[1] > 2.5 * OTR[0]
    held = transfer_limits(tank(), 12.0, oxygen_share=1.0).OTR_coalescing
    assert held == pytest.approx(transfer_limits(tank(), 12.0).OTR_coalescing * (1 / 0.20946 - 0.3) / 0.7, rel=1e-9)
