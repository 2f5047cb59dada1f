"""A real virtual plant on loopback for the small recipe, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

from seedtrain.automation import FaultEntry
from seedtrain.automation._opcua import Mapping, OpcUaPlant, Session, browse, draft_mapping, parse_mapping
from seedtrain.automation._scenario import Scenario, scenario_of, write_scenario
from seedtrain.automation._served import PlantProcess, start_plant
from seedtrain.recipe import ControlRecipe
from tests.automation.made import control_recipe, production_run, seed_run, step_results

FED = "production/main/fed"
GROW = "seed/expansion/grow"
HOUR = timedelta(hours=1)


@cache
def small() -> ControlRecipe:
    return control_recipe()


def small_scenario(*faults: FaultEntry) -> Scenario:
    return scenario_of(
        small(), production=production_run(), seeds=[seed_run()], steps=step_results(), faults=list(faults)
    )


@contextmanager
def served(
    folder: Path, *, speed: float | None = None, interval: timedelta = timedelta(minutes=6)
) -> Iterator[PlantProcess]:
    path = folder / "scenario.json"
    write_scenario(path, small_scenario())
    process = start_plant(path, speed=speed, interval=interval)
    try:
        yield process
    finally:
        process.stop()


def drafted(url: str) -> str:
    session = Session(url, patience=2.0)
    try:
        return draft_mapping(browse(session), url)
    finally:
        session.close()


def mapped(url: str) -> Mapping:
    return parse_mapping(drafted(url), "mapping.yaml")


def driven(mapping: Mapping, **given: object) -> OpcUaPlant:
    return OpcUaPlant(mapping, small(), **{"patience": 20.0, "stride": HOUR, **given})  # type: ignore[arg-type]
