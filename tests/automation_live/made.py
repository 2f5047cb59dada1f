"""A batch of the small recipe on a served plant, driven with people in other hands than the executor's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from seedtrain.automation import BatchState, OpcUaPlant, batch_state, execute_live, parse_mapping
from seedtrain.automation._observed import WatchedPlant
from seedtrain.automation._scenario import Scenario, scenario_of, write_scenario
from seedtrain.automation._served import PlantProcess, start_plant
from seedtrain.gmp import LedgerPermit, receive_lots, received_lots
from seedtrain.program import answer, scripted_crew
from seedtrain.recipe import ControlRecipe, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger
from tests.automation.made import RECIPE, lots, production_run, seed_run, step_results
from tests.automation_opcua.served import drafted

BATCH = "L-1"
HOUR = timedelta(hours=1)


@cache
def control(text: str = RECIPE) -> ControlRecipe:
    """Its units stand in the recipe, so that the text of the batch alone says what runs where."""
    first = at_scale(parse_recipe(text, "small.yaml"), unit="T", volume=_ten_litres(), seeds=())
    master = parse_recipe(first.recipe.to_yaml(), "control.yaml")
    return at_scale(master, unit="T", volume=master.basis_volume)


def _ten_litres() -> Any:
    from seedtrain.quantity import parse

    return parse("10 L")


def scenario(text: str = RECIPE) -> Scenario:
    return scenario_of(control(text), production=production_run(), seeds=[seed_run()], steps=step_results())


@contextmanager
def served(folder: Path, recipe: str = RECIPE, *, made: Scenario | None = None, **given: Any) -> Iterator[PlantProcess]:
    path = folder / "scenario.json"
    write_scenario(path, made or scenario(recipe))
    process = start_plant(path, **given)
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def connected(
    url: str, text: str | None = None, *, recipe: str = RECIPE, patience: float = 1.0
) -> Iterator[OpcUaPlant]:
    mapping = parse_mapping(text or drafted(url), "mapping.yaml")
    with OpcUaPlant(mapping, control(recipe), owner=BATCH, patience=patience, stride=HOUR) as plant:
        yield plant


def ledger_in(folder: Path, url: str = "") -> Ledger:
    ledger = open_ledger(url or folder / "record.db")
    if not received_lots(ledger.events()):
        receive_lots(ledger, lots(), enrol_person(ledger, "Store", ["warehouse"], scripted=True))
    return ledger


def starter(ledger: Ledger) -> str:
    return scripted_crew(ledger, control())["operator"]


@dataclass
class Script:
    """Told what the executor says; answers as people do, in the same thread, when it waits."""

    ledger: Ledger
    confirm: bool = False
    heard: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    more: Callable[[str], object] = lambda words: None

    def __call__(self, words: str) -> None:
        self.heard.append(words)
        self.more(words)
        while did := answer(self.ledger, BATCH, scripted_crew(self.ledger, control()), confirm=self.confirm):
            self.done.append(did)


def run(
    ledger: Ledger, plant: WatchedPlant, tell: Callable[[str], object], *, recipe: str = RECIPE, **given: Any
) -> BatchState:
    defaults: dict[str, Any] = {
        "batch": BATCH,
        "actor": starter(ledger),
        "permit": LedgerPermit(ledger, control(recipe)),
        "stock": lambda: tuple(received_lots(ledger.events()).values()),
        "simulated": True,
        "look_s": 0.02,
    }
    return execute_live(control(recipe), plant, ledger, tell=tell, **{**defaults, **given})


def story(ledger: Ledger) -> list[tuple[object, ...]]:
    """What the process did: without takeovers, orders, signatures and everything that only the wall clock tells."""
    left = ("batch.attached", "batch.state_changed", "step.commanded", "signature.applied", "batch.created")
    return [
        (event.type, event.occurred_at, event.actor, event.device, dict(event.payload))
        for event in ledger.events(subject=BATCH)
        if event.type not in left
    ]


def state_in(folder: Path) -> BatchState:
    with open_ledger(folder / "record.db", read_only=True) as ledger:
        return batch_state(ledger, BATCH)
