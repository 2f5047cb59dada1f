"""Two unit procedures of one batch at the same time: in the order of the process, held one by one, watched together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedtrain.automation import BatchWatch, Recorder, batch_state, live_status, live_words
from seedtrain.base import InputError
from seedtrain.gmp import batch_record, command_batch, review_items
from seedtrain.recipe import Command, State, earlier
from seedtrain.record import Ledger, Telemetry, verify
from tests.automation.made import production_run, run_batch, seed_run
from tests.automation.played import PlayedPlant
from tests.automation_live.made import BATCH, Script, connected, control, ledger_in, run, served, starter
from tests.automation_live.parallel import CHARGE, MIX, PARALLEL, RESUSPEND, STERILISE, scenario, steps
from tests.automation_live.test_live import SECONDS, Running, running

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
TOGETHER = PARALLEL.replace("unit_class: buffer_tank\n", "unit_class: buffer_tank\n    holds: batch\n")
GROW, FED, SPIN = "seed/expansion/grow", "production/main/fed", "harvest/recovery/spin"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A batch in lock-step with its telemetry."""
    folder = tmp_path_factory.mktemp("parallel")
    with served(folder, made=scenario()) as process, ledger_in(folder) as ledger:
        with connected(process.url, recipe=PARALLEL) as plant, Recorder(ledger, BATCH, origin="simulated") as recorder:
            state = run(ledger, plant, Script(ledger), recipe=PARALLEL, recorder=recorder)
            assert state.state() is State.COMPLETE
        yield ledger


def test_branches_run_at_one_time_and_meet_where_the_recipe_says(made: Ledger):
    state, recipe = batch_state(made, BATCH), control(PARALLEL).recipe
    start, end = state.started, state.completed
    assert set(end) == {step.path for step in recipe.phases()}
    for path in end:  # nothing before its turn, by the clock of the process
        assert all(end[before].time <= start[path].time for before in earlier(recipe, path)), path
    both = [
        (one, other)
        for one in end
        for other in end
        if one < other and start[one].time < end[other].time and start[other].time < end[one].time
    ]
    assert (STERILISE, GROW) in both
    assert (MIX, FED) in both
    assert all(one.startswith("buffer/") != other.startswith("buffer/") for one, other in both)
    hours = sum((end[path].time - start[path].time).total_seconds() for path in end) / 3600.0
    assert state.begun is not None
    assert state.clock is not None
    lasted = (state.clock - state.begun).total_seconds() / 3600.0
    assert hours - lasted == pytest.approx(
        2.5 + 2.5 + 10 / 60 + 5 - 4 * 0.5
    )  # the branch, less 4 changeovers of the other
    times = [event.occurred for event in made.events(subject=BATCH, type="step.completed")]
    assert times == sorted(times)  # in lock-step what ends first is recorded first
    assert verify(made.path).verdict == "pass"


def test_review_and_record_know_that_it_is_no_disorder(made: Ledger):
    record = batch_record(made.events(subject=BATCH), BATCH)
    found = review_items(record, control(PARALLEL).recipe)
    assert [item.words for item in found if item.kind == "sequence"] == []
    waited = {item.phase for item in record.values if item.tag == "hold_time"}
    assert waited == {MIX, FED}  # each against what follows it: resuspend waits for both branches, spin for the broth
    assert [item.phase for item in record.steps].index(STERILISE) < [item.phase for item in record.steps].index(GROW)


def test_readings_of_two_phases_at_one_time_stand_apart(made: Ledger):
    stored = (event.payload for event in made.events(subject=BATCH, type="segment.stored"))
    tags = {item["phase"]: item["tags"] for item in stored if "phase" in item}
    assert tags[STERILISE] == ["temperature"]
    assert "biomass" in tags[GROW]
    with Telemetry(made) as telemetry:
        watched = BatchWatch(made, telemetry, BATCH).look(hours=100.0)
    spans = {item.unit: item for item in watched.tags if item.tag == "temperature"}
    assert spans["buffer_tank"].value == pytest.approx(121.0, abs=1.0)
    assert spans["shake_flask"].value == pytest.approx(37.0, abs=1.0)


@pytest.fixture
def batch(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    text = getattr(request, "param", PARALLEL)
    with (
        served(tmp_path, made=scenario(text), speed=900.0) as process,
        running(tmp_path, process.url, recipe=text) as found,
    ):
        found.until(lambda: {GROW, STERILISE} <= set(found.state.started))
        yield found


def test_a_unit_is_held_alone_and_goes_on_alone(batch: Running):
    who = starter(batch.ledger)
    with Telemetry(batch.ledger) as telemetry:
        seen = BatchWatch(batch.ledger, telemetry, BATCH).look()
    assert {(item.unit, item.path) for item in seen.phases} == {("buffer_tank", STERILISE), ("shake_flask", GROW)}
    with pytest.raises(InputError, match=r"runs nothing on 'T' now"):
        command_batch(batch.ledger, BATCH, Command.HOLD, who, unit="T", reason="no")
    command_batch(batch.ledger, BATCH, Command.HOLD, who, unit="buffer_tank", reason="a leak")
    assert batch.until(lambda: batch.events("step.commanded")) < SECONDS
    tank, flask = batch.plant.unit("buffer_tank"), batch.plant.unit("shake_flask")
    assert (tank.state, flask.state) == (State.HELD, State.RUNNING)
    state = batch.state
    assert (state.state(), state.state("buffer"), state.state("seed")) == (State.RUNNING, State.HELD, State.RUNNING)
    status = live_status(batch.ledger, BATCH, control(PARALLEL))
    assert status is not None
    assert status["command"] == f"batch confirm {BATCH} --unit buffer_tank"
    assert "buffer_tank is held: a leak; somebody confirms that it goes on" in " ".join(live_words(status))
    batch.until(lambda: GROW in batch.state.completed)  # the flask went on to its end
    assert tank.state is State.HELD
    command_batch(batch.ledger, BATCH, Command.RESTART, who, unit="buffer_tank", reason="tight again")
    batch.until(lambda: STERILISE in batch.state.completed)
    ended = next(item for item in batch.events("step.completed") if item.payload["phase"] == STERILISE)
    assert float(ended.payload["duration_h"]) > 2.5  # of its own time, and what it was held
    assert [item.payload["command"] for item in batch.events("step.commanded")] == ["hold", "restart"]
    batch.order(Command.HOLD, "all of it")
    batch.until(lambda: flask.state is not State.RUNNING and tank.state is not State.RUNNING)
    assert {batch.state.state(name) for name in ("", "buffer")} == {State.HELD}


@pytest.mark.slow
@pytest.mark.parametrize("batch", [TOGETHER], indirect=True)
def test_where_the_recipe_says_so_a_hold_of_the_unit_holds_the_batch(batch: Running):
    with pytest.raises(InputError, match=r"buffer on buffer_tank is not held alone"):
        command_batch(batch.ledger, BATCH, Command.HOLD, starter(batch.ledger), unit="buffer_tank", reason="a leak")
    batch.plant.unit("buffer_tank").hold(STERILISE)  # somebody at the vessel
    batch.until(lambda: batch.state.held)
    units = [batch.plant.unit(name) for name in ("buffer_tank", "shake_flask")]
    batch.until(lambda: {unit.state for unit in units} == {State.HELD})
    assert {batch.state.state(name) for name in ("buffer", "seed")} == {State.HELD}


@pytest.mark.slow
def test_a_unit_that_somebody_stops_at_the_vessel_is_held_alone(batch: Running):
    batch.plant.unit("buffer_tank").hold(STERILISE)
    batch.until(lambda: batch.state.state("buffer") is State.HELD)
    reason = batch.state.orders["buffer"].reason
    assert reason is not None
    assert "does not run buffer/preparation/sterilise (it is held)" in reason
    assert (batch.state.state(), batch.plant.unit("shake_flask").state) == (State.RUNNING, State.RUNNING)


def test_without_people_beside_it_one_branch_is_run_after_the_other_in_the_order_of_the_list(tmp_path: Path):
    recipe = control(PARALLEL)
    plant = PlayedPlant(recipe, production=production_run(), seeds=[seed_run()], steps=steps())
    with ledger_in(tmp_path) as ledger:
        run_batch(ledger, control=recipe, plant=plant, batch=BATCH)
        found = batch_state(ledger, BATCH)
        record = batch_record(ledger.events(subject=BATCH), BATCH)
    assert list(found.completed) == [step.path for step in recipe.recipe.phases()]
    assert not [item for item in review_items(record, recipe.recipe) if item.kind == "sequence"]


def test_what_waits_for_both_is_refused_before_either_has_ended(made: Ledger):
    recipe = control(PARALLEL).recipe
    assert {CHARGE, MIX, FED, SPIN} <= earlier(recipe, RESUSPEND)
    assert MIX not in earlier(recipe, SPIN)
