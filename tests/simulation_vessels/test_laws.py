"""Laws between ways to run a vessel: zones that mix, perfusion without outflow, chemostats in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.simulation import Run, _setup, zone_exchange
from seedtrain.simulation._vessel import SideCompartment
from tests.simulation_vessels import cases

SEEN = ("X", "S", "P", "V")
FEED = "material: feed, rate: 0.5 L/h"
DILUTION = 0.25  # 1/h
FED = cases.FEED
PER_BIOMASS = 1 / cases.Y_XS + 2 * 0.05  # g/g of glucose, with the product that comes with it


def substrate_at(mu: float, run: Run) -> float:
    """Monod's substrate at a growth rate; what little the run's dissolved oxygen slows is taken into account."""
    DO = run.final("DO")
    return cases.K_S * mu / (cases.MU_MAX * DO / (1e-5 + DO) - mu)


def same(one: Run, other: Run, rel: float, names: tuple[str, ...] = SEEN) -> None:
    for name in names:
        assert one.final(name) == pytest.approx(other.final(name), rel=rel, abs=1e-7), name


@pytest.mark.parametrize("vessel", [cases.tank(), cases.bag()], ids=lambda item: item.kind)
def test_perfusion_without_harvest_and_bleed_is_a_fed_batch(vessel):
    fed = cases.recipe(cases.phase("grow", "", 2.0), cases.phase("feed", FEED, 4.0))
    settings = f"{FEED}, harvest_rate: 0 L/h, bleed_rate: 0 L/h, retention: 0.9"
    perfused = cases.recipe(cases.phase("grow", "", 2.0), cases.phase("perfuse", settings, 4.0))
    one, other = (cases.simulate(vessel, made, initial={"X": 0.5}) for made in (fed, perfused))
    same(one, other, 1e-7, (*SEEN, "DO", "T", "minerals", "NH"))
    assert one.final("V") > 11.9


def test_perfusion_without_retention_at_constant_volume_is_a_chemostat():
    vessel = cases.bag()
    rate = DILUTION * 10.5
    perfused = cases.phase("perfuse", f"material: feed, rate: {rate} L/h, retention: 0, product_retention: 0", 12.0)
    held = cases.phase("chemostat", f"material: feed, dilution_rate: {DILUTION} 1/h", 12.0)
    one, other = (cases.simulate(vessel, cases.recipe(item), initial={"X": 1.0}) for item in (perfused, held))
    same(one, other, 1e-6)
    assert one["V"] == pytest.approx(np.full_like(one["V"], 10.5), rel=1e-9)


@pytest.mark.parametrize("dilution", [0.1, 0.25, 0.4])
def test_a_chemostat_s_steady_state_is_monod_s(dilution):
    run = cases.simulate(
        cases.bag(3000.0),
        cases.recipe(cases.phase("chemostat", f"material: feed, dilution_rate: {dilution} 1/h", 20 / dilution)),
        initial={"X": 1.0},
    )
    substrate = substrate_at(dilution, run)
    assert substrate == pytest.approx(cases.K_S * dilution / (cases.MU_MAX - dilution), rel=2e-3)
    biomass = (FED - substrate) / PER_BIOMASS
    assert run.final("S") == pytest.approx(substrate, rel=1e-4)
    assert run.final("X") == pytest.approx(biomass, rel=1e-4)
    assert run.final("P") == pytest.approx(0.05 * biomass, rel=1e-4)
    assert run.final("mu") == pytest.approx(dilution, rel=1e-5)


def test_a_chemostat_above_the_largest_growth_rate_washes_out():
    run = cases.simulate(
        cases.bag(),
        cases.recipe(cases.phase("chemostat", "material: feed, dilution_rate: 0.7 1/h", 40.0)),
        initial={"X": 5.0},
    )
    fastest = cases.MU_MAX * FED / (cases.K_S + FED)
    late = run.time > 25.0
    slope = np.polyfit(run.time[late], np.log(run["X"][late]), 1)[0]
    assert slope == pytest.approx(fastest - 0.7, rel=1e-3)
    assert run.final("S") == pytest.approx(FED, rel=1e-2)


def test_retention_holds_cells_as_the_bleed_lets_them():
    """At rest growth makes up for what bleed and a leaky device take: mu = (D_b + (1 - keep) H) / V."""
    rate, bleed, keep = 4.0, 0.5, 0.98
    settings = f"material: feed, rate: {rate} L/h, bleed_rate: {bleed} L/h, retention: {keep}, product_retention: 0.2"
    run = cases.simulate(cases.bag(2000.0), cases.recipe(cases.phase("perfuse", settings, 160.0)), initial={"X": 2.0})
    volume, harvest = 10.5, rate - bleed
    mu = (bleed + (1 - keep) * harvest) / volume
    substrate = substrate_at(mu, run)
    biomass = rate * (FED - substrate) / volume / mu / PER_BIOMASS
    assert run.final("mu") == pytest.approx(mu, rel=1e-3)
    assert run.final("S") == pytest.approx(substrate, rel=1e-3)
    assert run.final("X") == pytest.approx(biomass, rel=1e-3)
    # Product leaves with the bleed and with what the device lets pass of the harvest.
    assert run.final("P") == pytest.approx(0.05 * mu * biomass * volume / (bleed + 0.8 * harvest), rel=1e-3)


@pytest.mark.parametrize("zones", [2, 4])
def test_zones_become_one_as_the_circulation_grows(monkeypatch, zones):
    """The means differ by the curvature of the rates over the gradients, so by the square of one over the flow."""
    made = cases.recipe(cases.phase("grow", "", 1.0), cases.phase("feed", FEED, 2.0))
    whole = cases.simulate(cases.tank(), made, initial={"X": 2.0, "S": 0.2})
    gaps = []
    for factor in (0.1, 1.0, 100.0):
        monkeypatch.setattr(_setup, "zone_exchange", lambda *given, factor=factor: factor * zone_exchange(*given))
        parts = cases.simulate(cases.tank(zones=zones), made, initial={"X": 2.0, "S": 0.2})
        gaps.append(abs(parts.final("S") / whole.final("S") - 1))
    assert gaps[0] > 1e-4, "a slow circulation must show"
    assert gaps[1] == pytest.approx(gaps[0] / 100, rel=0.1)
    assert gaps[2] < 1e-8
    same(parts, whole, 1e-7, (*SEEN, "OUR", "T"))
    same(parts, whole, 1e-5, ("DO",))  # where the probe sits: its gradient falls with one over the flow


def test_without_circulation_only_the_fed_zone_grows(monkeypatch):
    monkeypatch.setattr(_setup, "zone_exchange", lambda *given: 0.0)
    made = cases.recipe(cases.phase("feed", FEED, 2.0))
    start = {"X": 2.0, "S": 0.0}
    parts = cases.simulate(cases.tank(zones=4), made, initial=start)
    whole = cases.simulate(cases.tank(), made, initial=start)
    # All feed stays in its zone but for what flows on to keep the zones equal: less of it is near the other cells.
    assert parts.final("S") > whole.final("S")
    assert parts.final("X") * parts.final("V") < whole.final("X") * whole.final("V")


@pytest.mark.parametrize("probe", [1, 3])
def test_the_probe_reads_the_zone_that_it_sits_in(probe):
    made = cases.recipe(cases.phase("feed", FEED, 2.0))
    run = cases.simulate(cases.tank(zones=3, probe_zone=probe), made, initial={"X": 6.0, "S": 0.0})
    assert run["DO"] == pytest.approx(run[f"DO[{probe}]"], rel=1e-12)
    assert run["S[3]"][-1] > run["S[1]"][-1], "feed enters at the top"
    assert run["DO[3]"][-1] < run["DO[1]"][-1], "there the cells use more, and the pressure is lower"


@pytest.mark.parametrize("aerated", [False, True], ids=["no gas beside", "gas beside"])
def test_a_side_compartment_closes_its_balances_and_becomes_one_with_the_tank_as_the_flow_grows(aerated):
    made = cases.recipe(cases.phase("grow", "", 1.0), cases.phase("feed", f"{FEED}, dissolved_oxygen: 30 %", 2.0))
    start = {"X": 2.0, "S": 0.2}
    whole = cases.simulate(cases.tank(), made, initial=start)
    gaps = []
    for flow in (20.0, 200.0, 2e6):
        vessel = cases.tank(side_compartment=SideCompartment(2.5, flow, aerated))
        run = cases.simulate(vessel, made, initial=start)
        for item in run.balances:
            assert abs(item.residual) <= 1e-6 * max(abs(item.inlet), abs(item.accumulated), run.final("V")), item
        parts = 2.5 * run["S[2]"] + (run["V"] - 2.5) * run["S[1]"]
        assert parts == pytest.approx(run["S"] * run["V"], rel=1e-9, abs=1e-9)
        assert run["S[2]"][-1] > run["S[1]"][-1], "the feed enters the compartment"
        assert run["DO"] == pytest.approx(run["DO[1]"], rel=1e-12), "the probe is in the tank"
        gaps.append(abs(run.final("S") / whole.final("S") - 1))
        if flow < 100.0:
            lacking = run["DO[2]"][-1] < 1e-3 * run["DO[1]"][-1]
            assert lacking != aerated
    assert gaps[0] > gaps[1] > gaps[2]
    same(run, whole, 3e-5, (*SEEN, "OUR", "T"))
    if aerated:
        same(run, whole, 1e-4, ("DO", "C_CO2", "kLa"))


def test_what_is_added_and_drawn_goes_by_the_tank_and_the_compartment_keeps_its_volume():
    vessel = cases.tank(side_compartment=SideCompartment(2.5, 1e-9))
    made = cases.recipe(
        cases.phase("grow", "", 0.5),
        "          - {phase: draw, do: withdraw, set: {volume: 2 L}}",
        cases.phase("feed", FEED, 0.5),
    )
    run = cases.simulate(vessel, made, initial={"X": 2.0, "S": 1.0})
    drawn = run.final("V") - 10.5 - 0.25
    assert drawn == pytest.approx(-2.0, abs=0.05)
    # Without a flow the compartment sends on what the feed brings, and holds 2.5 L throughout.
    fed = run.time >= next(span.start for span in run.phases if span.path.endswith("/feed"))
    washed = run["X[2]"][fed]
    assert washed[-1] / washed[0] == pytest.approx(np.exp(-0.5 / 2.5 * 0.5), rel=0.01), "no air, so no growth"
    biomass = 2.5 * run["X[2]"] + (run["V"] - 2.5) * run["X[1]"]
    assert biomass == pytest.approx(run["X"] * run["V"], rel=1e-9)
    for item in run.balances:
        assert abs(item.residual) <= 1e-6 * max(abs(item.inlet), abs(item.accumulated), run.final("V")), item
