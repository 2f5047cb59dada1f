"""The cascade of oxygen and the carbon dioxide of the pH on integrated tanks, as a batch over OPC UA records them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.automation import LivePlant, OpcUaPlant, Session, batch_state, execute_live, parse_mapping
from seedtrain.automation._scenario import scenario_of, write_scenario
from seedtrain.automation._served import start_plant
from seedtrain.automation._telemetry import Segment, read_segment
from seedtrain.gmp import LedgerPermit, receive_lots, received_lots
from seedtrain.program import scripted_crew
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, State, at_scale, parse_recipe
from seedtrain.record import enrol_person, open_ledger
from seedtrain.simulation import VesselEntry, read_culture, simulate
from tests.automation_live.test_ramp import VESSEL
from tests.automation_opcua.served import drafted
from tests.simulation.cases import recipe_text
from tests.simulation_cell_cultures.test_cho import RECIPE as CHO

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
BATCH, PLACE = "C-1", "production/culture/"
GROWN = recipe_text(
    {
        "stirrer_speed: 700 1/min\n": "stirrer_speed: 190 1/min\n",
        "inoculum_fraction: 5 %": "inoculum_fraction: 40 %",
        "until: biomass >= 14 g/L\n            at_most: 16 h": "duration: 6 min",
        "until: elapsed >= 5 h\n            at_most: 7 h": "duration: 6 min",
        "until: glucose <= 0.2 g/L\n            at_most: 20 h": "until: elapsed >= 7 h\n            at_most: 20 h\n"
        "            limits: {aeration: 0.5 .. 1.5 vvm, oxygen_share: 0 .. 40 %}",
    }
)
"""The stirrer is slower than the culture needs, and the recipe limits the gas below what the vessel gives."""
CELLS = (
    CHO.replace("sodium-chloride: 7 g/L", "sodium-chloride: 7 g/L, sodium-bicarbonate: 2 g/L")
    .replace("SETTINGS", "temperature: 36.5 degC, pH: 7.1, dissolved_oxygen: 40 %, aeration: 0.05 vvm")
    .replace(
        "            until: elapsed >= 72 h\n            at_most: 80 h",
        "            duration: 6 h\n            limits: {dissolved_carbon_dioxide: 0.5 .. 4 mmol/L}",
    )
    .replace("            until: elapsed >= 168 h\n            at_most: 200 h", "            duration: 6 min")
)


def control(text: str) -> ControlRecipe:
    first = at_scale(parse_recipe(text, "trial.yaml"), unit="TANK", volume=parse("10 L"), seeds=())
    master = parse_recipe(first.recipe.to_yaml(), "control.yaml")
    return at_scale(master, unit="TANK", volume=master.basis_volume)


@contextmanager
def plant_of(folder: Path, made: ControlRecipe, vessel: dict[str, Any]) -> Iterator[str]:
    """A served plant with the vessel, integrated; its address."""
    tank = VesselEntry.model_validate(vessel).vessel("TANK")
    run = simulate(read_culture(made.recipe.culture), tank, made.recipe)
    live = LivePlant(made.recipe.culture, {"TANK": vessel})
    write_scenario(folder / "s.json", scenario_of(made, production=run, live=live))
    process = start_plant(folder / "s.json", interval=timedelta(minutes=2))
    try:
        yield process.url
    finally:
        process.stop()


def batch(
    folder: Path, text: str, client: Callable[[Session, bool], object] = lambda *_: None, **lines: Any
) -> Segment:
    """The telemetry of the phase `batch` of a whole batch over OPC UA on a vessel with `lines`; a `client` may look and
    write before it, and after it."""
    made = control(text)
    with plant_of(folder, made, VESSEL | lines) as url, open_ledger(folder / "record.db") as ledger:
        names = {name for parts in made.recipe.materials.values() for name in parts}
        lots = [Lot(f"LOT-{name}", name, "x", parse("500 kg"), date(2030, 1, 1), "released") for name in names]
        receive_lots(ledger, lots, enrol_person(ledger, "Store", ["warehouse"], scripted=True))
        with OpcUaPlant(parse_mapping(drafted(url), "mapping.yaml"), made, owner=BATCH) as plant:
            client(plant.session, False)
            ended = execute_live(
                made,
                plant,
                ledger,
                batch=BATCH,
                actor=scripted_crew(ledger, made)["operator"],
                permit=LedgerPermit(ledger, made),
                stock=lambda: tuple(received_lots(ledger.events()).values()),
                simulated=True,
                interval=timedelta(minutes=2),
                look_s=0.02,
            )
            client(plant.session, True)
        assert ended.state() is State.COMPLETE
        return read_segment(folder / "segments", batch_state(ledger, BATCH).segments[PLACE + "batch"])


FUNCTION = "nsu=urn:seedtrain:plant;s=TANK/FunctionSet/{}"
TUNED = [
    FUNCTION.format(f"dissolved_oxygen/ControllerTuningParameter/{name}") for name in ("CtrlP", "CtrlTi", "CtrlTd")
]


def tunes(session: Session, after: bool) -> None:
    """A client that slows the oxygen's loop a little, and would turn that of the pH round."""
    turned = FUNCTION.format("pH/ControllerTuningParameter/CtrlP")
    loops = ("temperature", "dissolved_oxygen")
    states = [FUNCTION.format(f"{tag}/ControlFunctionState/CurrentState") for tag in loops]
    read = [value.value for value in session.read([*TUNED, turned, *states]) if value is not None]
    found = [getattr(value, "Text", value) for value in read]
    if after:
        assert found == [60.0, pytest.approx(200.0), 0.0, 60.0, "Running", "Running"]
        return
    assert found == [60.0, pytest.approx(180.0), 0.0, 60.0, "Stopped", "Stopped"]
    session.write({TUNED[1]: 200.0, turned: -60.0})


def test_the_stages_follow_one_another_and_oxygen_comes_back(tmp_path: Path):
    told = batch(tmp_path, GROWN, tunes, oxygen_share="40 %")
    seen = told.columns
    assert {"RQ", "mu", "biomass_estimate"} <= set(seen)  # over OPC UA, with their quality
    assert "uncertain" in told.quality  # the worst of each row, and biomass is not sure yet
    assert "bad" not in told.quality
    speed, gas, rich = (np.array(seen[tag]) for tag in ("stirrer_speed", "aeration", "oxygen_share"))
    used = [int(np.argmax(found)) for found in (speed > 186.0, gas > 1.03, rich > 0.1)]
    assert 0 < used[0] < used[1] < used[2]  # each stage begins when the one before is at its end
    before = slice(0, used[0])
    assert gas[before].max() < 1.03
    assert rich[: used[1]].max() == 0.0
    assert speed.max() < 190.0 + 2.5
    assert gas.max() < 1.5  # the recipe's limit of the gas, not the vessel's 2 vvm
    assert rich.max() <= 40.0 * 1.02
    for stage, most in ((speed, 8.0), (gas, 0.15), (rich, 2.0)):
        assert np.abs(np.diff(stage[used[0] :])).max() < most  # no bump from one reading to the next
    late = np.array(seen["dissolved_oxygen"])[used[2] :]
    assert late.mean() == pytest.approx(30.0, abs=3.0)  # the demand goes on rising, and is met
    assert late.min() > 25.0
    agrees_with_its_run(told, oxygen_share="40 %")


def agrees_with_its_run(told: Segment, **lines: Any) -> None:
    """Means over 12 minutes beside those of the simulated run, once both give pure oxygen."""
    made = control(GROWN)
    tank = VesselEntry.model_validate(VESSEL | lines).vessel("TANK")
    run = simulate(read_culture(made.recipe.culture), tank, made.recipe)
    hours = np.array(told.time) - told.time[0]
    held = hours < 6.9
    assert run["O2_share"].max() > 5.0
    for tag, symbol, most in (
        ("aeration", "vvm", 0.1),
        ("oxygen_share", "O2_share", 1.5),
        ("dissolved_oxygen", "DO_percent", 4.0),
    ):
        seen, simulated = np.array(told.columns[tag]), np.interp(hours, run.time, run[symbol])
        off = np.convolve((seen - simulated)[held & (hours > 5.4)], np.ones(6) / 6, mode="valid")
        assert np.abs(off).max() < most, tag


def test_carbon_dioxide_holds_the_pH_of_cells_and_is_reported(tmp_path: Path):
    seen = batch(
        tmp_path, CELLS, stirrer_speed="30 .. 400 1/min", aeration="0.02 .. 0.5 vvm", carbon_dioxide_share="20 %"
    ).columns
    late = slice(2 * len(seen["pH"]) // 3, None)
    assert np.mean(seen["pH"][late]) == pytest.approx(7.1, abs=0.05)
    assert 2.0 < np.mean(seen["carbon_dioxide_share"][late]) < 12.0
    assert np.max(seen["acid_rate"]) == 0.0
    assert 1.0 < np.mean(seen["dissolved_carbon_dioxide"][late]) < 3.0
    assert "oxygen_share" not in seen  # there is no such line
