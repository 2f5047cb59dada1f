"""The bench rig, simulated: what cells meet in it beside what they meet in the large vessel, and the verdict on it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import use_language
from seedtrain.development import ScaleUp, gradients, rig, scale_up_lines, transfer_blocks, transfer_figures
from seedtrain.development._scaling._fluctuations import Fluctuations, Zone, persistence
from seedtrain.development._scaling._rig_check import RigCheck, RigRow, RigTrial, rig_check
from seedtrain.report import Page, render_html
from seedtrain.simulation import SideCompartment
from tests.development.plant import BENCH, PLANT, batches, culture, tank
from tests.development_scaling.test_scale_up import chain, up, zoned


def checked(found: ScaleUp) -> RigCheck:
    assert found.rig_check is not None
    return found.rig_check


def walk(count: int) -> np.ndarray:
    """Rates between neighbours of a chain, exchange and volume 1."""
    steps = np.eye(count, k=1) + np.eye(count, k=-1)
    return np.asarray(steps * count, dtype=float)


@given(st.floats(0.05, 0.95), st.floats(0.1, 50.0))
def test_two_compartments_last_f_1_f_over_their_flow(share: float, flow: float) -> None:
    rates = np.array([[0.0, flow / share], [flow / (1 - share), 0.0]])
    off = np.array([1.0 - share, -share])
    assert persistence(rates, np.array([share, 1 - share]), off) == pytest.approx(share * (1 - share) / flow)


def test_the_persistence_is_that_of_cells_that_walk_by_chance() -> None:
    """Integral of the autocorrelation of 150 cells' paths through four zones, against the formula."""
    values, shares = np.array([0.0, 1.0, 3.0, 6.0]), np.full(4, 0.25)
    off = values - values.mean()
    rates = walk(4)
    zones = tuple(Zone(0.25, value, 0.0) for value in values)
    met = Fluctuations(zones, tuple(map(tuple, rates * 3600.0)), 3, 0.0)  # 1/s
    grid = np.arange(0.0, 40.0, 0.02)
    seen = []
    for seed in range(150):
        times, places = met.path(40.0, seed)
        seen.append(off[places[np.searchsorted(times, grid, side="right") - 1]])
    late = np.array(seen)[:, 250:]  # the start is in the zone of the feed
    lags = [float((late[:, : late.shape[1] - lag] * late[:, lag:]).mean()) for lag in range(120)]
    wanted = persistence(rates, shares, off)
    assert met.substrate.persistence == pytest.approx(wanted)
    assert sum(lags) * 0.02 / lags[0] == pytest.approx(wanted, rel=0.15)
    assert met.entries == pytest.approx(3600.0 * 1.0)
    assert met.stay == pytest.approx(0.25)


@given(st.integers(2, 12), st.floats(1.0, 1e3))
@settings(max_examples=30, deadline=None)
def test_the_setting_for_the_swing_is_that_of_the_chain_where_uptake_is_even(count: int, exchange: float) -> None:
    large = dataclasses.replace(zoned(), count=count, exchange=exchange, volume=1.0)
    found = rig(large, 1.0)
    share, flow = found.side_for_swing, found.flow_for_swing
    zones = chain(count, 1e-6, 1.0, exchange)
    off = zones - zones.mean()
    assert np.sqrt((off**2).mean()) == pytest.approx((1 - share) ** 1.5 * share**0.5 / flow, rel=1e-3)
    lasting = persistence(walk(count) * exchange, np.full(count, 1 / count), off)
    assert lasting == pytest.approx(share * (1 - share) / flow, rel=1e-3)


def test_a_rig_of_two_halves_is_a_vessel_of_two_zones() -> None:
    """The same equations: zones of a run, and the compartments of another vessel with the flow that is told."""
    result = batches()[PLANT]
    found = gradients(culture(), result, 2)
    check = rig_check(culture(), result, found, rig(found, 0.5), tank(BENCH))
    assert check is not None
    times = next(trial for trial in check.trials if trial.kind == "times" and trial.side.aerated)
    assert times.side.volume == pytest.approx(0.25)
    assert times.met.substrate.deviation == pytest.approx(check.large.substrate.deviation, rel=0.03)
    assert times.met.substrate.persistence == pytest.approx(check.large.substrate.persistence, rel=0.01)
    assert times.met.substrate.mean == pytest.approx(check.large.substrate.mean, rel=0.03)
    assert times.titre == pytest.approx(found.titre[0], rel=0.02)
    assert check.verdict == "pass"


def test_the_best_setting_shows_the_plant_and_one_without_air_does_not() -> None:
    check = checked(up())
    assert check.verdict == "pass"
    assert check.best.side.aerated
    assert check.best.kind == "swing"
    assert {row.name for row in check.best.rows} >= {"substrate_deviation", "substrate_persistence", "titre"}
    for row in check.best.rows:
        assert row.within == (abs(row.rig - row.large) <= row.allowed)
    airless = [trial for trial in check.trials if not trial.side.aerated]
    assert airless
    # The fed layer of the plant still has air: cells beside it without any lose titre that the plant does not.
    assert all(trial.misfit > 3.0 and trial.titre < 0.9 * check.best.titre for trial in airless)
    assert [trial.misfit for trial in check.trials] == sorted(trial.misfit for trial in check.trials)
    shares = sum(zone.share for zone in check.best.met.zones)
    assert shares == pytest.approx(1.0)


def flat(deviation: float) -> Fluctuations:
    zones = (Zone(0.5, 1.0 - deviation, 30.0), Zone(0.5, 1.0 + deviation, 30.0))
    return Fluctuations(zones, ((0.0, 100.0), (100.0, 0.0)), 1, 0.0)


@pytest.mark.parametrize(
    ("deviation", "rig_value", "flow", "verdict"),
    [(0.001, 0.0, 10.0, "inconclusive"), (0.3, 0.3, 10.0, "pass"), (0.3, 0.6, 10.0, "fail"), (0.3, 0.3, 1e4, "fail")],
)
def test_the_verdict_has_three_values(deviation: float, rig_value: float, flow: float, verdict: str) -> None:
    rows = (RigRow("substrate_deviation", "g/L", deviation, rig_value, 0.25 * deviation),)
    trial = RigTrial("swing", SideCompartment(0.1, flow, True), flat(rig_value), rows, 1.0)
    assert RigCheck(flat(deviation), (trial,), 0.5, "B", 500.0).verdict == verdict


def test_the_document_and_the_screen_tell_the_verdict_with_plots() -> None:
    found = up()
    page = render_html(Page("transfer", transfer_blocks(found)))
    for words in (
        "pass: simulated with these settings",
        "deviation of substrate",
        "What one cell meets",
        "Every setting",
    ):
        assert words in page
    assert set(transfer_figures(found)) == {"gradients", "rig", "rig-shares"}
    lines = "\n".join(scale_up_lines(found))
    assert "L beside it with air" in lines
    assert "persistence of substrate" in lines
    data = json.loads(json.dumps(found.to_data()["rig_check"]))
    assert data["verdict"] == "pass"
    assert data["trials"][0]["aerated"] is True
    with use_language("zh"):
        assert "装置再现了大容器的波动" in "\n".join(scale_up_lines(found))
