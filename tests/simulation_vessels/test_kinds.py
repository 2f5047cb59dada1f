"""The same culture in every kind of vessel: it grows as its law says, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seedtrain.base import InputError, parse_document, translate, use_language
from seedtrain.simulation import Run, StirredTank, TrajectoryError, Vessel, simulate, transfer_limits
from seedtrain.simulation._culture_file import build
from seedtrain.simulation._vessel import Transfer
from tests.simulation_vessels import cases

VESSELS: dict[str, tuple[Vessel, str]] = {
    "stirred_tank": (cases.tank(), "10 L"),
    "zones": (cases.tank(zones=3), "10 L"),
    "airlift": (cases.airlift(), "10 L"),
    "wave_bag": (cases.bag(), "10 L"),
    "shake_flask": (cases.flask(), "20 mL"),
    "well": (cases.well(), "0.15 mL"),
}
ALL = pytest.mark.parametrize("kind", VESSELS)


def grown(kind: str, hours: float = 4.0, start: float = 0.05) -> Run:
    vessel, charge = VESSELS[kind]
    made = cases.recipe(cases.phase("grow", "", hours), volume=charge)
    return cases.simulate(vessel, made, initial={"X": start})


@ALL
def test_a_batch_grows_as_monod_says_and_every_balance_closes(kind):
    run = grown(kind)
    for item in run.balances:
        assert abs(item.residual) <= 1e-6 * max(abs(item.inlet), abs(item.accumulated), run.final("V")), item
    # Amounts, for a well dries: X + Y S is kept, and ln X grows with mu; quadrature of the run's own mu.
    biomass = run["X"] * run["V"]
    used = (run["S"][0] * run["V"][0]) - run["S"] * run["V"]
    whole = 1 / cases.Y_XS + 2 * 0.05
    assert biomass - biomass[0] == pytest.approx(used / whole, rel=1e-6, abs=1e-9 * run["V"][0])
    steps = np.diff(run.time) * (run["mu"][1:] + run["mu"][:-1]) / 2
    assert np.log(biomass[-1] / biomass[0]) == pytest.approx(steps.sum(), rel=1e-4)
    assert run["mu"] == pytest.approx(cases.MU_MAX * run["S"] / (cases.K_S + run["S"]), rel=1e-3)


@ALL
def test_transfer_in_the_run_is_that_of_the_vessel(kind):
    vessel, _ = VESSELS[kind]
    run = grown(kind, hours=1.0)
    speed = vessel.stirrer_speed[0] if isinstance(vessel, StirredTank) else None
    exchange = None if kind in ("shake_flask", "well") else 1.0
    limits = transfer_limits(vessel, run["V"][0], aeration=exchange, head_pressure=0.0, speed=speed)
    both = sorted((limits.kLa_coalescing.value, limits.kLa_non_coalescing.value))
    assert both[0] * (1 - 1e-9) <= run["kLa"][0] <= both[1] * (1 + 1e-9)
    # The liquid holds little oxygen: what comes in is what the cells use.
    assert run["OTR"][-1] == pytest.approx(run["OUR"][-1], rel=0.05)


def test_a_well_dries_by_what_it_is_said_to_and_everything_in_it_thickens():
    run = grown("well")
    lost = run["V"][0] - run.final("V")
    assert lost * 1000 == pytest.approx(1e-3 * run.time[-1], rel=1e-6)
    assert run.final("minerals") * run.final("V") == pytest.approx(run["minerals"][0] * run["V"][0], rel=1e-9)
    # kLa V^1 is kept while it dries
    assert run.final("kLa") <= run["kLa"][0] * run["V"][0] / run.final("V") * (1 + 1e-9)


def test_growth_without_enough_oxygen_is_what_the_transfer_allows():
    rich, poor = cases.bag(500.0), cases.bag(5.0)
    made = cases.recipe(cases.phase("grow", "", 3.0))
    plenty, little = (cases.simulate(vessel, made, initial={"X": 1.0}) for vessel in (rich, poor))
    assert little.final("DO_percent") < 1.0 < plenty.final("DO_percent")
    assert little.final("X") < 0.9 * plenty.final("X")
    limit = transfer_limits(poor, 10.5, aeration=1.0, dissolved_oxygen=0.0).OTR_coalescing
    # The run's medium dissolves a little less oxygen than water.
    assert little.final("OUR") == pytest.approx(0.95 * limit, rel=0.02)


def test_a_culture_that_breathes_what_is_not_there_is_told_so():
    text = cases.MONOD.replace(" * DO / (K_O + DO)", "").replace("constants: {K_O: 1e-5 mmol/L}\n", "")
    careless = build(parse_document(text, "careless.yaml"))
    made = cases.recipe(cases.phase("grow", "", 2.0))
    with pytest.raises(TrajectoryError, match="dissolved oxygen falls below zero") as caught:
        simulate(careless, cases.bag(5.0), made, initial={"X": 2.0})
    assert 0 < caught.value.time < 2.0
    assert caught.value.last["n_O"] >= 0
    assert "culture monod" in str(caught.value)
    assert "Let the culture's rates fall to zero with dissolved oxygen" in str(caught.value)


def test_a_run_says_where_its_transfer_comes_from_and_what_lies_outside():
    made = cases.recipe(cases.phase("grow", "", 0.2), volume="0.15 mL")
    words = {}
    for inside in (True, False):
        known = Transfer(400.0, 2e-4, -1.0, in_range=inside, source="a plate's data sheet", status="assumed")
        run = cases.simulate(replace(cases.well(), transfer=known), made)
        used = run.parameters[-1]
        assert (used.name, used.value, used.unit) == ("kLa at 0.0002 L", 400.0, "1/h")
        assert (used.status, used.source) == ("assumed", "a plate's data sheet")
        words[inside] = [event.words for event in run.events if event.kind == "extrapolated"]
    assert words[True] == []
    assert words[False] == ["oxygen transfer lies outside the range of the source of its kLa"]
    slow = cases.simulate(cases.airlift(), cases.recipe(cases.phase("grow", "", 0.2)))
    assert any("Heijnen & van 't Riet 1984" in event.words for event in slow.events), "5 mm/s of gas"
    assert slow.parameters[-1].source.endswith("unverified")
    with use_language("zh"):
        for told in (run, slow):
            for event in told.events:
                assert event.kind == "phase" or translate(event.words) != event.words, event.words


def test_perfusion_beyond_the_device_is_refused_at_its_phase():
    greedy = cases.recipe(cases.phase("perfuse", "material: feed, rate: 40 L/h, retention: 0.999", 2.0))
    with pytest.raises(InputError) as caught:
        cases.simulate(cases.bag(), greedy)
    said = str(caught.value)
    assert "0.999 of the cells is to stay, and the device of VESSEL keeps 0.99" in said
    assert "40 L/h are to be harvested, and the device of VESSEL passes 0 .. 30 L/h" in said
    assert all(fault.position and fault.position.line > 10 and fault.remedy for fault in caught.value.parts)
