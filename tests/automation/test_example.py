"""The worked example's batch on the simulator's own truth: every phase runs, within the budget of events and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from seedtrain.automation import (
    READING_INTERVAL,
    Excursion,
    FaultEntry,
    batch_state,
    execute,
    executed_strategy,
)
from seedtrain.base import Document, InputErrors, read_document
from seedtrain.quality import Lot, LotEntry
from seedtrain.quantity import Quantity
from seedtrain.recipe import ControlRecipe, SeedUnit, State, at_scale, read_recipe
from seedtrain.record import Ledger
from seedtrain.simulation import (
    Run,
    StepResult,
    Vessel,
    VesselEntry,
    broth,
    read_culture,
    run_train,
    simulate,
    simulate_seed_train,
)
from tests.automation.made import BATCH, START, Yes, crew, ledger_in
from tests.automation.played import PlayedPlant

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen"
UNIT = "PILOT-200"
MOST_EVENTS = 800
MOST_CPU_S = 6.0


@dataclass
class Example:
    document: Document
    control: ControlRecipe
    vessels: dict[str, Vessel]
    production: Run
    seeds: tuple[Run, ...]
    steps: tuple[StepResult, ...]

    @property
    def lots(self) -> list[Lot]:
        return [LotEntry.model_validate(data).lot(name) for name, data in self.document.data["lots"].items()]

    @property
    def faults(self) -> list[FaultEntry]:
        """What a unit that plays back can have: an instrument that is off."""
        (data,) = self.document.data["simulated_faults"]
        kept = {name: data[name] for name in ("unit", "phase", "after", "what")}
        return [FaultEntry.model_validate({**kept, "tag": "pH", "offset": "-0.35", "duration": "0.4 h"})]

    def plant(self) -> PlayedPlant:
        return PlayedPlant(
            self.control,
            production=self.production,
            seeds=self.seeds,
            steps=self.steps,
            faults=self.faults,
            units=self.vessels,
            document=self.document,
        )


@pytest.fixture(scope="module")
def example() -> Example:
    return worked_example()


@cache
def worked_example() -> Example:
    """The 90 L batch of the worked example, simulated once for all tests of a process."""
    document = read_document(EXAMPLE / "plant.yaml")
    vessels = {name: VesselEntry.model_validate(data).vessel(name) for name, data in document.data["units"].items()}
    master = read_recipe(EXAMPLE / "recipe.yaml")
    flask, tank = vessels[UNIT].seeds
    seeds = [
        SeedUnit(flask, "shake_flask", Quantity(vessels[flask].working_volume[1] * 0.95, "L")),
        SeedUnit(tank, "seed_tank", Quantity(vessels[tank].working_volume[0], "L")),
    ]
    control = at_scale(master, unit=UNIT, volume=Quantity(90, "L"), seeds=seeds)
    culture = read_culture(master.culture)
    train = simulate_seed_train(culture, vessels, control)
    production = simulate(culture, vessels[UNIT], control.recipe, inoculum=train[-1])
    steps = run_train(control.recipe, broth(production, culture))
    return Example(document, control, vessels, production, train, steps)


@pytest.fixture(scope="module")
def executed(example: Example, tmp_path_factory: pytest.TempPathFactory):
    told: list[Excursion] = []
    with ledger_in(tmp_path_factory.mktemp("example")) as ledger:
        began = time.process_time()
        run = execute(
            example.control,
            example.plant(),
            ledger,
            batch=BATCH,
            operators=crew(ledger),
            lots=example.lots,
            permit=Yes(),
            start=START,
            on_excursion=told.append,
        )
        yield ledger, run, told, time.process_time() - began


def test_the_whole_recipe_runs_within_its_budget(
    example: Example, executed: tuple[Ledger, Run, list[Excursion], float]
):
    ledger, _, _, cpu = executed
    state = batch_state(ledger, BATCH)
    assert state.state() is State.COMPLETE
    assert set(state.completed) == {step.path for step in example.control.recipe.phases()}
    assert len(list(ledger.events(subject=BATCH))) <= MOST_EVENTS
    assert cpu < MOST_CPU_S


def test_the_planned_fault_is_an_excursion_of_its_tag(executed: tuple[Ledger, Run, list[Excursion], float]):
    _, _, told, _ = executed
    (excursion,) = [item for item in told if item.tag == "pH"]
    assert excursion.phase == "production/induction/express"
    assert (excursion.start_h, excursion.end_h) == pytest.approx((2.0, 2.3), abs=0.11)


def test_the_measured_run_follows_the_prediction(
    example: Example, executed: tuple[Ledger, Run, list[Excursion], float]
):
    _, run, _, _ = executed
    truth = example.production
    assert run.vessel == UNIT
    for symbol in ("DCW", "V", "T", "F"):
        assert run.variables[symbol].unit == truth.variables[symbol].unit
        predicted = np.interp(run.time, truth.time, truth[symbol])
        assert np.median(np.abs(run[symbol] - predicted)) <= 0.05 * np.max(np.abs(predicted)), symbol
    grown = ("production/growth/fed-batch", "production/induction/express")
    for path in grown:
        span, predicted_span = run.phase(path), truth.phase(path)
        assert span.end - span.start == pytest.approx(predicted_span.end - predicted_span.start, abs=1e-3)


def test_what_is_fed_is_what_the_simulator_fed(executed: tuple[Ledger, Run, list[Excursion], float], example: Example):
    ledger, _, _, _ = executed
    feed = sum(
        float(item.payload["amount"])
        for item in ledger.events(subject=BATCH, type="lot.consumed")
        if item.payload["material"] == "glucose" and item.payload["phase"].endswith(("fed-batch", "express"))
    )
    litres = example.production.totals["feed"][0]
    assert feed == pytest.approx(500 * litres, rel=0.01)


def test_every_line_of_the_control_strategy_has_evidence(
    example: Example, executed: tuple[Ledger, Run, list[Excursion], float]
):
    ledger, _, _, _ = executed
    lines = executed_strategy(example.control, ledger, BATCH)
    assert len(lines) == len(example.control.recipe.control_strategy)
    assert all(line.basis != "nothing" and line.within is not None for line in lines)


def test_a_sample_that_nobody_simulates_is_refused_at_its_line(example: Example):
    with pytest.raises(InputErrors) as caught:
        PlayedPlant(example.control, production=example.production, seeds=example.seeds, steps=())
    positions = [error.position for error in caught.value.parts]
    assert len(positions) > 5
    assert all(position is not None and position.line > 0 for position in positions)


def test_a_wrong_fault_is_refused_at_its_line(example: Example):
    wrong = [entry.model_copy(update={"tag": "taste"}) for entry in example.faults]
    with pytest.raises(InputErrors, match=r"plant.yaml:\d+:\d+: simulated_faults.0.tag: .* reports no 'taste'"):
        PlayedPlant(
            example.control,
            production=example.production,
            seeds=example.seeds,
            steps=example.steps,
            faults=wrong,
            document=example.document,
        )


def test_a_fault_in_a_repeated_unit_procedure_is_meant_by_its_path_in_the_recipe(example: Example):
    tank = example.vessels[UNIT].seeds[1]
    (entry,) = example.faults
    meant = entry.model_copy(update={"unit": tank, "phase": "seed-tank/expansion/grow"})
    path = "seed-tank-1/expansion/grow"
    shown = []
    for faults in ([], [meant]):
        plant = PlayedPlant(
            example.control,
            production=example.production,
            seeds=example.seeds,
            steps=example.steps,
            faults=faults,
            document=example.document,
        )
        unit, phase = plant.unit(tank), example.control.recipe.phase(path)
        unit.command(path, phase.set)
        unit.start(path, phase, START)
        shown.append(np.array([item.value for item in unit.read(path, READING_INTERVAL) if item.tag == "pH"]))
    off = shown[1] - shown[0]
    assert np.count_nonzero(off) == 4
    assert off.min() == pytest.approx(meant.offset)
