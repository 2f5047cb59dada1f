"""kill -9 of the executor anywhere: the batch is Held with its exact state, nothing is repeated, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedtrain.automation import batch_state
from seedtrain.automation._opcua import Session
from seedtrain.recipe import State
from seedtrain.record import Ledger, open_ledger, verify
from tests.automation_live.made import BATCH, Script, connected, ledger_in, run, served, story
from tests.automation_opcua.served import drafted

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
SEED = 20261122

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


def child(folder: Path, url: str, mapping: str, points: int) -> None:
    """Drive the batch and die by SIGKILL at the given point: before or after a request or a commit."""
    left = points

    def dying(original):  # type: ignore[no-untyped-def]
        def acting(*given, **more):  # type: ignore[no-untyped-def]
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

    with ledger_in(folder) as ledger, connected(url, mapping) as plant:
        Session._ask = dying(Session._ask)
        Ledger.append = dying(Ledger.append)
        run(ledger, plant, Script(ledger, confirm=True))


def forked(folder: Path, url: str, mapping: str, points: int) -> int:
    """Run `child` in a process of its own; its exit status, negative for a signal."""
    number = os.fork()
    if number == 0:
        try:
            child(folder, url, mapping, points)
        except BaseException as error:  # noqa: BLE001 - a child must not come back into the test
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(number, 0)
    return os.waitstatus_to_exitcode(status)


def killed_often(folder: Path, kills: int, longest: int) -> tuple[Story, int, Counter[str]]:
    """A batch whose executor is killed up to `kills` times, and then driven to its end."""
    draws, count = random.Random(SEED), 0
    with served(folder) as process:
        mapping = drafted(process.url)
        while count < kills:
            status = forked(folder, process.url, mapping, draws.randint(1, longest))
            if status == 0:
                break
            assert status == -signal.SIGKILL
            count += 1
        if count == kills:
            assert forked(folder, process.url, mapping, 10**9) == 0
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
