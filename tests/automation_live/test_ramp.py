"""Waits and ramps: where a ramp stands, as it is simulated, and on an integrated tank over OPC UA."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.automation import LivePlant, OpcUaPlant, batch_state, execute_live, parse_mapping
from seedtrain.automation._ramp import CONTROL_INTERVAL, Ramp, position
from seedtrain.automation._scenario import scenario_of, write_scenario
from seedtrain.automation._served import start_plant
from seedtrain.automation._telemetry import read_segment
from seedtrain.base import InputError
from seedtrain.gmp import LedgerPermit, command_batch, receive_lots, received_lots
from seedtrain.program import scripted_crew
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity, parse
from seedtrain.recipe import Command, ControlRecipe, Phase, State, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger
from seedtrain.simulation import Run, simulate
from tests.automation_opcua.served import drafted
from tests.recipe.examples import SMALL
from tests.simulation import cases

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
BATCH, BEGAN = "R-1", datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PLACE = "production/culture/"
RAMPED = {
    "          - phase: feed\n": "          - {phase: cool, do: ramp, duration: 1 h, "
    "set: {initial_temperature: 37 degC, temperature: 303.15 K}}\n"
    "          - {phase: rest, do: wait, until: elapsed >= 30 min, limits: {temperature: 29 .. 31 degC}}\n"
    "          - phase: feed\n",
    "until: glucose <= 0.2 g/L\n            at_most: 20 h": "duration: 30 min",
    "until: biomass >= 14 g/L\n            at_most: 16 h": "duration: 6 min",
    "until: elapsed >= 5 h\n            at_most: 7 h": "duration: 6 min",
}


def ramp(hours: float, **ends: tuple[float, float, str]) -> Phase:
    values = {f"initial_{name}": Quantity(begin, unit) for name, (begin, _, unit) in ends.items()}
    values |= {name: Quantity(end, unit) for name, (_, end, unit) in ends.items()}
    return Phase("r", "ramp", dict(values), duration=Quantity(hours, "h"))


@given(
    begin=st.floats(0, 100),
    end=st.floats(0, 100),
    hours=st.floats(0.01, 100),
    moments=st.lists(st.floats(-1.0, 200.0), min_size=2, max_size=8),
)
def test_a_ramp_is_a_straight_line_between_its_ends(begin: float, end: float, hours: float, moments: list[float]):
    phase = ramp(hours, temperature=(begin, end, "degC"))
    found = [position(phase, timedelta(hours=moment))["temperature"].value for moment in sorted(moments)]
    expected = np.interp(sorted(moments), [0.0, hours], [begin, end])
    assert found == pytest.approx(expected.tolist(), abs=1e-6)
    assert position(phase, timedelta(hours=hours + 1))["temperature"].value == end  # exactly


def test_a_ramp_steps_each_control_interval_stands_still_in_hold_and_leaves_what_people_set():
    phase = ramp(1.0, temperature=(20.0, 50.0, "degC"), pH=(7.0, 6.0, ""))
    at = Ramp(phase, BEGAN)
    first = at.due(BEGAN, timedelta(0))
    assert first["temperature"].value == pytest.approx(20.25)  # 30 s of an hour: where the interval ends
    assert at.due(BEGAN + CONTROL_INTERVAL / 2, timedelta(0)) == {}
    later = BEGAN + timedelta(minutes=40)
    second = at.due(later, timedelta(minutes=10), {"pH"})
    assert {name: value.value for name, value in second.items()} == {"temperature": pytest.approx(35.25)}
    assert at.end() == {"temperature": Quantity(50.0, "degC"), "pH": Quantity(6.0, "")}


def test_recipes_say_what_is_wrong_with_a_wait_or_a_ramp():
    wrong = SMALL.replace(
        "            do: feed\n            set: {material: feed, rate: 2 mL/h}\n            duration: 1 h",
        "            do: ramp\n            set: {temperature: 30 degC}\n            until: elapsed >= 1 h\n"
        "          - {phase: still, do: wait, set: {temperature: 30 degC}}\n"
        "          - {phase: none, do: ramp, duration: 1 h}",
    )
    with pytest.raises(InputError) as caught:
        parse_recipe(wrong, "small.yaml")
    words = str(caught.value)
    assert "initial_temperature and temperature belong together" in words
    assert "a ramp phase takes its whole 'duration', and no 'until'" in words
    assert "a wait phase takes no parameters" in words
    assert "a wait phase needs an end" in words
    assert "a ramp phase needs temperature or pH or dissolved_oxygen" in words


@cache
def simulated() -> Run:
    return simulate(cases.culture(), cases.tank(), cases.recipe(RAMPED))


def test_a_simulated_ramp_is_one_phase_whose_steps_follow_the_line():
    run = simulated()
    names = [span.path.removeprefix(PLACE) for span in run.phases]
    assert names == ["fill", "inoculate", "batch", "cool", "rest", "feed", "induce", "express"]
    cool, rest = run.phase(PLACE + "cool"), run.phase(PLACE + "rest")
    assert (cool.end - cool.start, rest.end - rest.start) == (pytest.approx(1.0), pytest.approx(0.5))
    assert [event.words for event in run.events if event.kind == "phase"].count(PLACE + "cool") == 1
    for share in (0.25, 0.5, 0.75):  # a tank lags behind its jacket
        assert run.at("T", cool.start + share) == pytest.approx(37.0 - 7.0 * share, abs=0.6)
    assert run.at("T", rest.end) == pytest.approx(30.0, abs=0.1)
    assert run.at("DCW", rest.end) > run.at("DCW", rest.start) > run.at("DCW", cool.start)  # cells live on


def test_what_cannot_be_simulated_is_refused_with_its_line():
    fill = "          - {phase: inoculate,"
    early = {fill: "          - {phase: warm, do: wait, until: temperature >= 37 degC, at_most: 1 h}\n" + fill}
    with pytest.raises(InputError, match=r"before inoculation nothing tells when temperature >= 37 degC"):
        simulate(cases.culture(), cases.tank(), cases.recipe(early))
    soon = {fill: "          - {phase: warm, do: wait, duration: 2 h}\n" + fill, **RAMPED}
    run = simulate(cases.culture(), cases.tank(), cases.recipe(soon))
    assert run.phase(PLACE + "fill").start == pytest.approx(-2.5)
    early = {
        fill: "          - {phase: warm, do: ramp, duration: 1 h, set: {initial_pH: 6, pH: 7}}\n" + fill,
    }
    with pytest.raises(InputError, match="a ramp before inoculation is not simulated"):
        simulate(cases.culture(), cases.tank(), cases.recipe(early))


@cache
def control() -> ControlRecipe:
    first = at_scale(cases.recipe(RAMPED), unit="TANK", volume=parse("10 L"), seeds=())
    master = parse_recipe(first.recipe.to_yaml(), "control.yaml")
    return at_scale(master, unit="TANK", volume=master.basis_volume)


VESSEL: dict[str, Any] = {
    "kind": "stirred_tank",
    "scale": "pilot",
    "nominal_volume": "20 L",
    "working_volume": "5 .. 15 L",
    "diameter": "240 mm",
    "impellers": "2",
    "impeller": "rushton",
    "impeller_diameter": "100 mm",
    "stirrer_speed": "100 .. 900 1/min",
    "motor_power": "400 W",
    "aeration": "0.1 .. 2 vvm",
    "head_pressure": "0 .. 1 bar",
    "cooling_area": "0.4 m2",
    "heat_transfer_coefficient": "400 W/m2/K",
    "coolant_temperature": "10 degC",
}


def ledger_in(folder: Path) -> Ledger:
    ledger = open_ledger(folder / "record.db")
    if not received_lots(ledger.events()):
        kinds = ("glucose", "mineral-salts", "antifoam", "water", "ammonia-water", "iptg")
        lots = [Lot(f"LOT-{name}", name, "x", parse("500 kg"), date(2030, 1, 1), "released") for name in kinds]
        receive_lots(ledger, lots, enrol_person(ledger, "Store", ["warehouse"], scripted=True))
    return ledger


def drive(ledger: Ledger, plant: OpcUaPlant, tell: Any) -> State:
    return execute_live(
        control(),
        plant,
        ledger,
        batch=BATCH,
        actor=scripted_crew(ledger, control())["operator"],
        permit=LedgerPermit(ledger, control()),
        stock=lambda: tuple(received_lots(ledger.events()).values()),
        simulated=True,
        tell=tell,
        look_s=0.02,
    ).state()


def test_on_an_integrated_tank_the_target_follows_the_line_also_after_a_hold(tmp_path: Path, monkeypatch: Any):
    live = LivePlant("ecoli_balanced", {"TANK": VESSEL})
    write_scenario(tmp_path / "s.json", scenario_of(control(), production=simulated(), live=live))
    process = start_plant(tmp_path / "s.json")
    path = PLACE + "cool"
    steps: list[tuple[datetime, float]] = []
    held: list[datetime] = []
    try:
        mapping = parse_mapping(drafted(process.url), "mapping.yaml")
        with ledger_in(tmp_path) as ledger, OpcUaPlant(mapping, control(), owner=BATCH) as plant:
            unit = plant.unit("TANK")
            written = unit.override

            def override(values: Any) -> None:
                written(values)
                steps.append((unit.now(), float(values["temperature"].magnitude("degC"))))
                if len(steps) == 60 and not held:  # half an hour of the ramp, in steps of 30 s
                    crew = scripted_crew(ledger, control())
                    command_batch(ledger, BATCH, Command.HOLD, crew["operator"], reason="a look")

            def tell(words: str) -> None:
                state = batch_state(ledger, BATCH)
                if state.held and (state.order, "TANK") in state.obeyed and not held:
                    held.append(unit.now())
                    plant.session.call(
                        mapping.node(mapping.entry.clock.object),  # type: ignore[union-attr]
                        mapping.node(mapping.entry.clock.advance),  # type: ignore[union-attr]
                        ("String", BATCH),
                        ("DateTime", unit.now() + timedelta(minutes=20)),
                    )
                    crew = scripted_crew(ledger, control())
                    command_batch(ledger, BATCH, Command.RESTART, crew["operator"])

            monkeypatch.setattr(unit, "override", override)
            assert drive(ledger, plant, tell) is State.COMPLETE
            state = batch_state(ledger, BATCH)
            began, stood = state.started[path].time, state.stood[path]
            assert stood.total_seconds() == pytest.approx(1200.0, abs=31.0)
            assert (state.completed[path].time - began - stood).total_seconds() == pytest.approx(3600.0, abs=31.0)
            assert len(steps) == pytest.approx(121, abs=2)
            for when, value in steps[:-1]:
                done = when - began - (stood if when > held[0] else timedelta(0)) + CONTROL_INTERVAL
                assert value == pytest.approx(37.0 - 7.0 * min(done / timedelta(hours=1), 1.0), abs=0.06)
            assert steps[-1][1] == pytest.approx(30.0)
            rest = read_segment(tmp_path / "segments", state.segments[PLACE + "rest"]).columns["temperature"]
            assert rest[2:] == pytest.approx(np.full(len(rest) - 2, 30.0), abs=0.4)  # the wait leaves it there
    finally:
        process.stop()
