"""kill -9 of the executor anywhere: the batch is Held with its exact state, nothing is repeated, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import Ending, batch_state
from seedtrain.automation._opcua import OpcUaUnit, Session
from seedtrain.automation._scenario import Scenario
from seedtrain.recipe import State
from seedtrain.record import Ledger, open_ledger, verify
from tests.automation.made import RECIPE
from tests.automation_live.made import BATCH, Script, connected, ledger_in, run, served, story
from tests.automation_live.parallel import PARALLEL
from tests.automation_live.parallel import scenario as parallel_scenario
from tests.automation_opcua.served import drafted

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
SEED = 20261122
GROW = "seed/expansion/grow"

Story = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, str]]:
    """The story of a batch that nothing disturbs."""
    folder = tmp_path_factory.mktemp("unbroken")
    with served(folder) as process, ledger_in(folder) as ledger, connected(process.url) as plant:
        assert run(ledger, plant, Script(ledger)).state() is State.COMPLETE
        yield shown(ledger), process.url


def shown(ledger: Ledger) -> Story:
    """What must be the same however often the executor dies: times of process, amounts, values, digests of telemetry.

    Times of the batch are counted from its start, because each batch starts when it starts.
    """
    begun = batch_state(ledger, BATCH).begun
    assert begun is not None
    return [(kind, actor, device, payload) for kind, _when, actor, device, payload in story(ledger)]


def child(folder: Path, url: str, mapping: str, points: int, recipe: str) -> None:
    """Drive the batch and die by SIGKILL at the given point: before or after a request or a commit."""
    left = points

    def dying(original: Any) -> Any:
        def acting(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            found = original(*given, **more)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return acting

    with ledger_in(folder) as ledger, connected(url, mapping, recipe=recipe) as plant:
        setattr(Session, "_ask", dying(Session._ask))  # noqa: B010 - for this process alone, which dies
        setattr(Ledger, "append", dying(Ledger.append))  # noqa: B010
        run(ledger, plant, Script(ledger, confirm=True), recipe=recipe)


def forked(folder: Path, url: str, mapping: str, points: int, recipe: str = RECIPE) -> int:
    """Run `child` in a process of its own; its exit status, negative for a signal."""
    number = os.fork()
    if number == 0:
        try:
            child(folder, url, mapping, points, recipe)
        except BaseException as error:  # noqa: BLE001 - a child must not come back into the test
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(number, 0)
    return os.waitstatus_to_exitcode(status)


def killed_often(
    folder: Path, kills: int, longest: int, recipe: str = RECIPE, made: Scenario | None = None
) -> tuple[Story, int, Counter[str]]:
    """A batch whose executor is killed up to `kills` times, and then driven to its end."""
    draws, count = random.Random(SEED), 0
    with served(folder, recipe, made=made) as process:
        mapping = drafted(process.url)
        while count < kills:
            status = forked(folder, process.url, mapping, draws.randint(1, longest), recipe)
            if status == 0:
                break
            assert status == -signal.SIGKILL
            count += 1
        if count == kills:
            assert forked(folder, process.url, mapping, 10**9, recipe) == 0
    with open_ledger(folder / "record.db", read_only=True) as ledger:
        assert batch_state(ledger, BATCH).state() is State.COMPLETE
        orders = Counter(
            str(event.payload["command"]) for event in ledger.events(subject=BATCH, type="batch.state_changed")
        )
        return shown(ledger), count, orders


def test_killed_anywhere_the_batch_is_the_same(unbroken: tuple[Story, str], tmp_path: Path):
    found, count, orders = killed_often(tmp_path, 12, 60)
    assert count == 12
    assert found == unbroken[0]
    assert orders["hold"] >= count // 2  # one that dies while Held finds it Held
    assert verify(tmp_path / "record.db").verdict == "pass"


@pytest.mark.slow
def test_killed_a_hundred_times_in_one_batch(unbroken: tuple[Story, str], tmp_path: Path):
    found, count, orders = killed_often(tmp_path, 100, 24)
    assert count == 100
    assert found == unbroken[0]
    assert orders["hold"] >= 50  # one that dies while Held finds it Held
    assert verify(tmp_path / "record.db").verdict == "pass"


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story of a batch of two branches that nothing disturbs."""
    folder = tmp_path_factory.mktemp("beside")
    with served(folder, PARALLEL, made=parallel_scenario()) as process, ledger_in(folder) as ledger:
        with connected(process.url, recipe=PARALLEL) as plant:
            assert run(ledger, plant, Script(ledger), recipe=PARALLEL).state() is State.COMPLETE
        return shown(ledger)


def check_killed_beside(unbroken: Story, folder: Path, kills: int, longest: int) -> None:
    found, count, orders = killed_often(folder, kills, longest, PARALLEL, parallel_scenario())
    assert count == kills
    assert found == unbroken
    assert orders["hold"] >= kills // 2
    with open_ledger(folder / "record.db", read_only=True) as ledger:
        takeovers = [event.payload for event in ledger.events(subject=BATCH, type="batch.attached")]
    two = [(item["found"], *item["beside"]) for item in takeovers if "beside" in item]
    assert len(two) >= kills // 4  # it was killed while two phases ran, and told of both
    assert all(len({said["unit"] for said in item}) == 2 for item in two)
    assert all(said["program"] in ("", said["phase"]) for item in two for said in item)
    assert verify(folder / "record.db").verdict == "pass"


def test_killed_while_two_phases_run_the_batch_is_the_same(beside: Story, tmp_path: Path):
    check_killed_beside(beside, tmp_path, 6, 110)


@pytest.mark.slow
def test_killed_forty_times_while_two_phases_run(beside: Story, tmp_path: Path):
    check_killed_beside(beside, tmp_path, 40, 50)


class Crash(BaseException):
    """Like a kill: nothing catches it."""


def test_a_phase_that_declares_it_restarts_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recipe = RECIPE.replace("do: grow\n", "do: grow\n            automatic_restart: true\n")
    asked = "instruction: Thaw one vial.\n"
    recipe = recipe.replace(
        asked, f"{asked}            entries: {{label: {{choices: [right, wrong], accept: [right]}}}}\n"
    )
    poll = OpcUaUnit.poll

    def crash(unit: OpcUaUnit, path: str, until: datetime | None = None) -> Ending | None:
        if path == GROW:
            raise Crash
        return poll(unit, path, until)

    with served(tmp_path, recipe) as process:
        monkeypatch.setattr(OpcUaUnit, "poll", crash)
        with ledger_in(tmp_path) as ledger, connected(process.url, recipe=recipe) as plant, pytest.raises(Crash):
            run(ledger, plant, Script(ledger), recipe=recipe)
        monkeypatch.setattr(OpcUaUnit, "poll", poll)
        heard: list[str] = []

        def stop(words: str) -> None:
            heard.append(words)
            if words == "phase production/main/sterilise" or words.startswith("held"):
                raise KeyboardInterrupt

        with ledger_in(tmp_path) as ledger, connected(process.url, recipe=recipe) as plant:
            with pytest.raises(KeyboardInterrupt):
                run(ledger, plant, stop, recipe=recipe)
            state = batch_state(ledger, BATCH)
            assert GROW in state.completed
            thaw = "seed/expansion/thaw"  # its equipment ended it, a person entered the label and completed it
            assert state.ended[thaw].time <= state.completed[thaw].time
            assert state.completers[thaw] != state.completers[GROW] == "system"
            assert not state.held
            assert state.attached is not None
            found = {"phase": GROW, "unit": "shake_flask", "state": "running", "program": GROW}
            assert dict(state.attached.payload["found"]) == found  # the exact state, before anything was commanded
