"""Conservation and invariance: what a run keeps whatever the culture, the vessel and the recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.simulation import Run, TrajectoryError, simulate
from seedtrain.simulation._books import _Elements
from seedtrain.simulation._elements import CO2_MASS, NH3_MASS, O2_MASS, composition
from seedtrain.simulation._engine import System
from seedtrain.simulation._equations import Layout, culture_system
from seedtrain.simulation._transfer import (
    DRIVE_EFFICIENCY,
    HEAT_CAPACITY,
    OXYGEN_IN_AIR,
    carbon_dioxide_solubility,
    gas_flow,
    gassed_power,
    kLa_coalescing,
    kLa_non_coalescing,
    mean_pressure,
    oxygen_solubility,
    water_vapour,
)
from tests.simulation import cases

NAMES = {"carbon", "nitrogen", "mass", "oxygen", "electrons", "volume", "inducer", "product"}
SHORT = {"until: elapsed >= 5 h": "until: elapsed >= 2 h", "biomass >= 14 g/L": "biomass >= 8 g/L"}


def closes(run: Run, to: float = 1e-6) -> None:
    assert {balance.name for balance in run.balances} == NAMES
    for balance in run.balances:
        assert abs(balance.relative) < to, balance


def test_every_balance_closes_and_none_is_empty():
    run = cases.run()
    closes(run)
    for balance in run.balances:
        assert balance.inlet > 0
        assert abs(balance.accumulated) > 0
    for name in ("carbon", "mass", "oxygen", "electrons", "volume"):
        assert next(item for item in run.balances if item.name == name).outlet > 0


def test_the_amounts_in_the_balances_are_those_of_the_stored_points():
    """The same closure, summed by hand from what a user sees: variables, feed, off-gas."""
    run, culture = cases.run(), cases.culture()
    elements = culture.compositions

    def held(index: int) -> float:
        volume = run["V"][index]
        carbon = sum(run[name][index] * elements[name].elements["C"] for name in culture.species) * volume
        inorganic = run["C_CO2"][index] * (1 + 10 ** (7.0 - 6.1)) / 1000 * volume
        return float(carbon + inorganic)

    fed = run.totals["glucose_fed"][0] * elements["S"].elements["C"]
    assert held(-1) - held(0) == pytest.approx(fed - run.totals["carbon_dioxide"][0], rel=1e-5)
    # CO2 left the cells as CER says and the broth as the exit gas says.
    given = np.trapezoid(run["CER"] * run["V"], run.time) / 1000
    assert given == pytest.approx(run.totals["carbon_dioxide"][0], rel=0.02)


@pytest.mark.parametrize("species", ["X", "A", "P", "S"])
def test_a_wrong_composition_breaks_the_carbon_balance(species, monkeypatch):
    """The check is not vacuous: judged with another composition, the same run does not close."""
    judged = dict(cases.culture().compositions)
    judged[species] = composition({"C": 1, "H": 2.2, "O": 0.3, "N": 0.2})
    monkeypatch.setattr("seedtrain.simulation._books._Elements", lambda compositions: _Elements(judged))
    run = simulate(cases.culture(), cases.tank(), cases.recipe(SHORT))
    carbon = next(item for item in run.balances if item.name == "carbon")
    assert abs(carbon.relative) > 1e-4


def test_a_wrong_stoichiometry_breaks_mass_nitrogen_and_electrons(monkeypatch):
    def spoiled(layout: Layout) -> System:
        system = culture_system(layout)
        wrong = {"z0_O", "z0_N"}  # O2 and NH3 of growth
        held = [(name, f"1.02 * ({text})" if name in wrong else text) for name, text in system.held]
        return dataclasses.replace(system, held=tuple(held))

    monkeypatch.setattr("seedtrain.simulation._setup.culture_system", spoiled)
    run = simulate(cases.culture(), cases.tank(), cases.recipe(SHORT))
    broken = {balance.name for balance in run.balances if abs(balance.relative) > 1e-4}
    assert {"nitrogen", "electrons", "mass"} <= broken
    assert "carbon" not in broken


@settings(max_examples=12, deadline=None)
@given(st.lists(st.floats(0.8, 1.2), min_size=12, max_size=12), st.floats(0.3, 1.6))
def test_perturbed_cultures_close_and_nothing_is_negative(factors, feed_factor):
    names = ("q_S_max", "K_S", "K_ia", "K_is", "K_ap", "K_sa", "q_A_max", "m_S", "p_A_max", "K_O", "q_P_max", "Y_XA")
    culture = cases.culture()
    changed = {name: culture.values[name] * factor for name, factor in zip(names, factors, strict=True)}
    run = simulate(culture, cases.tank(), cases.recipe(SHORT), parameters=changed, feed_factor=feed_factor)
    closes(run, 2e-6)
    for name in (*culture.species, "DO", "C_CO2", "NH", "I", "V", "OUR", "kLa", "water"):
        assert run[name].min() >= 0, name
        assert np.all(np.isfinite(run[name]))


def test_tightening_the_tolerance_moves_the_result_by_less_and_less():
    def titre(rtol: float) -> float:
        return simulate(cases.culture(), cases.tank(), cases.recipe(SHORT), rtol=rtol).final("P")

    best = titre(1e-11)
    errors = [abs(titre(rtol) / best - 1) for rtol in (1e-4, 1e-6, 1e-8)]
    assert errors[0] < 1e-3
    assert errors[1] < 1e-5
    assert errors[2] < 1e-6
    assert errors[2] < errors[0] / 2


def _scaled(factor: float) -> Run:
    changes = {
        "volume: 10 L": f"volume: {10 * factor:g} L",
        "initial_rate: 20 mL/h": f"initial_rate: {20 * factor:g} mL/h",
        "rate: 90 mL/h": f"rate: {90 * factor:g} mL/h",
        "volume: 100 mL": f"volume: {100 * factor:g} mL",
    }
    return simulate(cases.culture(), cases.flask(15 * factor), cases.recipe(changes))


def test_a_vessel_of_another_size_with_the_same_transfer_gives_the_same_concentrations():
    small, large = _scaled(1.0), _scaled(1000.0)
    np.testing.assert_allclose(small.time, large.time, rtol=1e-9)
    for name in ("X", "S", "A", "P", "DO", "OUR", "RQ"):
        np.testing.assert_allclose(small[name], large[name], rtol=1e-6, atol=1e-9)
    assert large.totals["product"][0] == pytest.approx(1000 * small.totals["product"][0], rel=1e-7)


def test_more_feed_never_asks_for_less_oxygen():
    culture, vessel = cases.culture(), cases.tank()
    changes = {"until: biomass >= 14 g/L\n            at_most: 16 h": "until: elapsed >= 6 h"}
    needs = [
        simulate(culture, vessel, cases.recipe(changes), feed_factor=factor).totals["oxygen"][0]
        for factor in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert needs == sorted(needs)
    assert needs[-1] > 1.5 * needs[0]


def test_respiration_stays_near_theory_through_the_whole_run():
    run = cases.run()
    breathing = run["OUR"] > 1.0
    assert run["RQ"][breathing].min() > 0.95
    assert run["RQ"][breathing].max() < 1.15


def test_the_generated_kernel_uses_the_published_correlations():
    """The kernel carries the correlations as text: what it computes must be what `_transfer` computes."""
    run, tank = cases.run(), cases.tank()
    for hour in (2.0, 8.0, run.time[-1] - 0.5):
        T, V, P_V = (run.at(name, hour) for name in ("T", "V", "P_V"))
        start = next(span for span in reversed(run.phases) if span.start <= hour).start
        pressure = mean_pressure(tank, run.at("V", start), 0.1)
        flow = gas_flow(1.0, run.at("V", start), round(T), pressure)
        both = kLa_coalescing(P_V, flow / tank.area, V).value * kLa_non_coalescing(P_V, flow / tank.area, V).value
        assert run.at("kLa", hour) == pytest.approx(np.sqrt(both), rel=2e-3)
        power = gassed_power(tank, run.at("N", hour), flow, V).value
        assert power == pytest.approx(P_V * V / 1000, rel=2e-3)
        now = mean_pressure(tank, V, 0.1)
        dry = now - water_vapour(round(T)) * now / pressure
        star = 0.95 * oxygen_solubility(T) * dry * run.at("O2_out", hour) / 100
        assert run.at("OTR", hour) == pytest.approx(run.at("kLa", hour) * (star - run.at("DO", hour)), rel=5e-3)


def test_the_gas_balance_is_that_of_the_inert_gas():
    run = cases.run()
    for index in (20, 100, -2):
        supply = run["gas"][index] * 60 / 22.414 * 1000 / run["V"][index]  # mmol of dry air per L and h
        inert = supply * (1 - OXYGEN_IN_AIR - 0.00042)
        out = inert / (1 - run["O2_out"][index] / 100 - run["CO2_out"][index] / 100)
        assert run["OTR"][index] == pytest.approx(supply * OXYGEN_IN_AIR - out * run["O2_out"][index] / 100, rel=1e-5)


def test_the_air_of_a_run_is_its_gas_flow_over_time():
    run = cases.run()
    assert run.totals["air"][0] == pytest.approx(np.trapezoid(run["gas"], run.time) * 60 / 1000, rel=1e-6)
    assert run["gas"][0] == pytest.approx(1.0 * run["V"][0])  # 1 vvm, normal L/min


def test_carbon_dioxide_leaves_by_its_own_transfer():
    """What the exit gas carries is 0.89 kLa (C - C*), with the CO2 of the same well-mixed gas (Royce & Thornhill)."""
    run, tank = cases.run(), cases.tank()
    for hour in (8.0, run.time[-1] - 0.5):
        start = next(span for span in reversed(run.phases) if span.start <= hour).start
        pressure, now = (mean_pressure(tank, run.at("V", when), 0.1) for when in (start, hour))
        supply = run.at("gas", hour) * 60 / 22.414 * 1000 / run.at("V", hour)
        oxygen, carbon = run.at("O2_out", hour) / 100, run.at("CO2_out", hour) / 100
        leaving = supply * (1 - OXYGEN_IN_AIR - 0.00042) / (1 - oxygen - carbon) * carbon - supply * 0.00042
        T = run.at("T", hour)
        star = carbon_dioxide_solubility(T) * (1 - water_vapour(round(T)) / pressure) * now * carbon
        assert leaving > 3
        assert leaving == pytest.approx(0.89 * run.at("kLa", hour) * (run.at("C_CO2", hour) - star), rel=5e-3)


def test_heat_is_made_by_breath_and_stirrer_and_leaves_through_the_jacket():
    """460 kJ/mol O2 and the shaft's work, less what the jacket took, is what warmed or cooled the broth."""
    run = cases.run()
    made = run.totals["oxygen"][0] * 460.0 / 3600.0 + run.totals["stirrer_energy"][0] * DRIVE_EFFICIENCY
    volume = (run["V"][1:] + run["V"][:-1]) / 2 / 1000
    warmed = float(np.sum(volume * np.diff(run["T"]))) * HEAT_CAPACITY / 3.6e6
    assert warmed < -0.03  # kWh: 37 to 32 degC at induction
    assert made - run.totals["cooling"][0] == pytest.approx(warmed, abs=2e-3 * made)
    # The plotted heat is the same heat.
    assert float(np.trapezoid(run["heat"], run.time)) == pytest.approx(made, rel=0.01)


def test_water_is_made_fed_and_evaporated():
    run = cases.run()
    mass = next(item for item in run.balances if item.name == "mass")
    volume = run["V"]
    whole = sum(run[name] for name in ("X", "S", "A", "M", "P", "water", "minerals")) * volume
    gases = (run["DO"] * O2_MASS + run["NH"] * NH3_MASS + run["C_CO2"] * (1 + 10**0.9) * CO2_MASS) / 1000 * volume
    assert (whole + gases)[-1] - (whole + gases)[0] == pytest.approx(mass.accumulated, rel=1e-6)
    assert run.totals["evaporated"][0] > 0
    dry = simulate(
        cases.culture(), cases.tank(), cases.recipe(SHORT), parameters={"condenser_temperature": 2.0}
    ).totals["evaporated"][0]
    moist = simulate(
        cases.culture(), cases.tank(), cases.recipe(SHORT), parameters={"condenser_temperature": 25.0}
    ).totals["evaporated"][0]
    assert moist > 3 * dry


def test_glucose_carbon_goes_to_mixed_acids_when_air_is_short_and_comes_back():
    poor = simulate(cases.culture(), cases.flask(kLa=60.0), cases.recipe(SHORT))
    rich = simulate(cases.culture(), cases.flask(kLa=2000.0), cases.recipe(SHORT))
    closes(poor)
    assert poor["M"].max() > 0.5
    assert rich["M"].max() < 0.05
    assert poor["X"].max() < rich["X"].max()


def test_a_stored_concentration_below_zero_is_a_fault(monkeypatch):
    monkeypatch.setattr("seedtrain.simulation._assemble.NEGATIVE", 1e9)
    with pytest.raises(TrajectoryError, match="falls below zero"):
        simulate(cases.culture(), cases.tank(), cases.recipe(SHORT))


def test_another_cell_closes_too():
    """Nothing in the balances is written for one composition."""
    culture = cases.culture()
    heavy = replace(culture.species["X"], ash=0.12)
    changed = replace(culture, species={**culture.species, "X": heavy}, structure=culture.structure + "x")
    closes(simulate(changed, cases.tank(), cases.recipe(SHORT)))
