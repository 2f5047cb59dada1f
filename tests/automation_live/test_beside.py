"""Executors beside each other: one that takes a batch over from elsewhere, and two batches on one plant."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import OpcUaPlant, batch_state, execute_live, parse_mapping
from seedtrain.automation import _lock as locks
from seedtrain.automation._scenario import Scenario, scenario_of, write_scenario
from seedtrain.automation._served import start_plant
from seedtrain.automation._watch import TakenOver
from seedtrain.gmp import LedgerPermit, receive_lots, received_lots
from seedtrain.program import answer, scripted_crew
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, State, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, verify
from tests.automation.made import RECIPE, lots, production_run, seed_run, step_results
from tests.automation_live.made import BATCH, HOUR, Script, connected, control, ledger_in, run, served
from tests.automation_live.test_live import GROW, running
from tests.automation_opcua.served import drafted

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
COMMANDS = ("command", "start", "hold", "abort", "override")


def test_an_executor_elsewhere_takes_over_and_the_old_one_commands_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Files that lock are of one machine; on another one the record alone fences the old executor off."""
    with served(tmp_path, speed=7200.0) as process, running(tmp_path, process.url) as old:
        told: list[tuple[str, str]] = []  # what the old one commanded, and who had the batch by the record then

        def noting(name: str, original: Any) -> Any:
            def act(*given: Any) -> Any:
                told.append((name, batch_state(old.ledger, BATCH).executor))
                return original(*given)

            return act

        for unit in old.plant._units.values():
            for name in COMMANDS:
                setattr(unit, name, noting(name, getattr(unit, name)))
        old.phase(GROW)
        first = old.state.executor
        monkeypatch.setattr(locks, "LOCKS", "executors-of-another-machine")
        with ledger_in(tmp_path) as ledger, connected(process.url) as plant:
            script = Script(ledger, confirm=True)
            assert run(ledger, plant, script).state() is State.COMPLETE
        old.until(lambda: old.result)
        (ended,) = old.result
        assert isinstance(ended, TakenOver)
        assert "another executor drives batch L-1" in ended.message
        assert {who for _, who in told} <= {"", first}, told
        assert [event.payload["executor"] == first for event in old.events("batch.attached")] == [True, False]
        assert "the executor was lost" in script.heard[0]
        completed = [event.payload["phase"] for event in old.events("step.completed")]
        assert sorted(completed) == sorted(step.path for step in control().recipe.phases())  # each of them once
    assert verify(tmp_path / "record.db").verdict == "pass"


@cache
def second() -> ControlRecipe:
    """The same recipe on other units."""
    text = RECIPE.replace("basis: {unit: T,", "basis: {unit: T-2,")
    for name in ("shake_flask", "centrifuge", "filling_line"):
        text = text.replace(f"unit_class: {name}\n", f"unit_class: {name}\n    unit: {name}-2\n")
    first = at_scale(parse_recipe(text, "second.yaml"), unit="T-2", volume=parse("10 L"), seeds=())
    master = parse_recipe(first.recipe.to_yaml(), "second.yaml")
    return at_scale(master, unit="T-2", volume=master.basis_volume)


def both() -> Scenario:
    """One plant with the units of both recipes."""
    given: dict[str, Any] = {"production": production_run(), "seeds": [seed_run()], "steps": step_results()}
    one, other = scenario_of(control(), **given), scenario_of(second(), **given)
    assert not set(one.units) & set(other.units)
    return Scenario(one.recipe_digest, {**one.units, **other.units})


def batch(folder: Path, url: str, name: str, recipe: ControlRecipe, ended: dict[str, Any]) -> None:
    def drive(ledger: Ledger, plant: OpcUaPlant) -> State:
        def tell(_: str) -> None:
            while answer(ledger, name, scripted_crew(ledger, recipe)):
                pass

        state = execute_live(
            recipe,
            plant,
            ledger,
            batch=name,
            actor=scripted_crew(ledger, recipe)["operator"],
            permit=LedgerPermit(ledger, recipe),
            stock=lambda: tuple(received_lots(ledger.events()).values()),
            simulated=True,
            tell=tell,
            look_s=0.02,
        )
        return state.state()

    try:
        mapping = parse_mapping(drafted(url), "mapping.yaml")
        with ledger_in(folder) as ledger, OpcUaPlant(mapping, recipe, owner=name, stride=HOUR) as plant:
            ended[name] = drive(ledger, plant)
    except BaseException as error:  # noqa: BLE001 - the test looks at it
        ended[name] = error


def test_two_batches_on_different_units_of_one_plant_run_side_by_side(tmp_path: Path):
    write_scenario(tmp_path / "scenario.json", both())
    process = start_plant(tmp_path / "scenario.json", speed=20_000.0)
    ended: dict[str, Any] = {}
    try:
        with ledger_in(tmp_path) as ledger:
            store = enrol_person(ledger, "Store", ["warehouse"], scripted=True)
            more = [Lot(f"{lot.id}-2", *list(vars(lot).values())[1:]) for lot in lots()]
            receive_lots(ledger, more, store)
            threads = [
                threading.Thread(target=batch, args=(tmp_path, process.url, name, recipe, ended), daemon=True)
                for name, recipe in (("A-1", control()), ("A-2", second()))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(90.0)
            assert ended == {"A-1": State.COMPLETE, "A-2": State.COMPLETE}
            spans = {}
            for name, recipe in (("A-1", control()), ("A-2", second())):
                state = batch_state(ledger, name)
                assert set(state.completed) == {step.path for step in recipe.recipe.phases()}
                assert {str(item["unit"]) for item in state.starts.values()} == {
                    step.unit_procedure.unit or step.unit_procedure.unit_class for step in recipe.recipe.phases()
                }
                events = list(ledger.events(subject=name))
                spans[name] = events[0].seq, events[-1].seq
            assert max(first for first, _ in spans.values()) < min(last for _, last in spans.values())  # at one time
    finally:
        process.stop()
    assert verify(tmp_path / "record.db").verdict == "pass"
