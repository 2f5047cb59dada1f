"""Scenario 8: kill -9 at every commit point, and a torn write: what was acknowledged is there, the chain valid."""

import os
import random
import shutil
import time

import pytest

from tests.gmp_scenarios.child import STAGES, children
from tests.gmp_scenarios.store import Store

KILLS = int(os.environ.get("SEEDTRAIN_KILLS", "500"))


@pytest.fixture(scope="module")
def run():
    with children() as made:
        yield made


def acknowledged(ended):
    return [data["lot"] for code, data in ended.answers if code == 0]


def all_there(store, lots):
    here = store.lots()
    assert sorted(set(here)) == sorted(here)
    assert set(lots) <= set(here)
    code, _, evidence = store.verified()
    assert code == 0, evidence
    return here


def test_at_every_point_of_a_commit(run, tmp_path):
    store = Store.ready(tmp_path, clock=None)
    done = []
    for stage in STAGES:
        for at in (1, 3):
            names = [f"{stage.replace(' ', '-')}-{at}-{number}" for number in range(4)]
            (ended,) = run.run(store.order("first", *names, stage=stage, at=at))
            assert ended.status == -9
            told = acknowledged(ended)
            assert told == names[: at - 1]
            done += told
            here = all_there(store, done)
            # The one that was cut: there or not, as its commit had come; given once more it is there once.
            assert (names[at - 1] in here) == (stage not in ("begun", "written"))
            (ended,) = run.run(store.order("second", *names))
            assert ended.codes == [0] * 4
            assert [data["fresh"] for _, data in ended.answers] == [name not in here for name in names]
            done += names
    all_there(store, done)


def test_a_write_that_was_torn_off(run, tmp_path):
    store = Store.ready(tmp_path / "site", clock=None)
    (ended,) = run.run(store.order("first", "A", "B", "C", stage="committed", at=3))
    assert acknowledged(ended) == ["A", "B"]
    log = store.record.with_name("record.db-wal").read_bytes()
    assert log
    frame = log[-4120:]  # header and page of the last frame of the log
    for number, torn in enumerate((frame[:20], frame[:1000], frame[:-1])):
        folder = tmp_path / f"torn-{number}"
        shutil.copytree(store.folder, folder)
        (folder / "record.db-wal").write_bytes(log + torn)
        (folder / "record.db-shm").unlink(missing_ok=True)
        after = Store(folder, passwords=store.passwords)
        after.who = store.who
        all_there(after, ["A", "B", "C"])
        after.receive("D")
        all_there(after, ["A", "B", "C", "D"])


def rounds(run, store, number, seed):
    generator = random.Random(seed)
    start = time.monotonic()
    done = acknowledged(run.run(store.order("first", "R-a", "R-b", "R-c"))[0])
    window = max(0.6, time.monotonic() - start)  # a busy machine takes longer to come to anything worth killing
    for turn in range(number):
        names = [f"R-{turn}-{at}" for at in range(6)]
        first, second = names[:3], names[3:]
        ended = run.run(
            store.order("first", *first, after_s=generator.random() * window),
            store.order("second", *second, after_s=generator.random() * window),
        )
        for item in ended:
            assert set(item.codes) <= {0}
            done += acknowledged(item)
        if not any(item.answers for item in ended):
            window *= 1.5  # it has become busier since
        if turn % 50 == 0:
            all_there(store, done)
    all_there(store, done)
    return done


def test_at_random_points_while_two_write(run, tmp_path):
    assert len(rounds(run, Store.ready(tmp_path, clock=None), 8, 7)) > 5 + 3


@pytest.mark.slow
def test_at_random_points_five_hundred_times(run, tmp_path):
    assert len(rounds(run, Store.ready(tmp_path, clock=None), KILLS, 2026)) > KILLS // 2
