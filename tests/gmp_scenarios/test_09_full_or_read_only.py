"""Scenario 9: the disk is full, or the ledger is read-only: a clean refusal, nothing acknowledged, and it goes on."""

import pytest

from tests.gmp_scenarios.child import children
from tests.gmp_scenarios.store import Store


@pytest.fixture(scope="module")
def run():
    with children() as made:
        yield made


@pytest.fixture
def store(tmp_path):
    made = Store.ready(tmp_path, clock=None)
    made.receive("S-1")
    return made


def refused(ended, words):
    for code, data in ended.answers:
        if code == 0:
            continue
        assert code == 4, data
        (error,) = data["errors"]
        assert any(word in error["message"] for word in words), error
        assert error["remedy"]
    return [data["lot"] for code, data in ended.answers if code == 0]


@pytest.mark.parametrize("room_bytes", [0, 10_000, 30_000, 45_000])
def test_a_full_disk_refuses_and_what_was_acknowledged_is_there(run, store, room_bytes):
    """No file may grow beyond so much: what the disk does when it is full, at another place each time."""
    names = [f"L-{number}" for number in range(8)]
    (ended,) = run.run(store.order("first", *names, largest_file_bytes=room_bytes))
    assert ended.status == 0
    assert len(ended.answers) == len(names)
    told = refused(ended, ("disk", "full", "written", "cannot be", "could not be"))
    assert room_bytes > 30_000 or len(told) < len(names)
    assert store.verified()[0] == 0
    assert set(told) <= set(store.lots())
    (ended,) = run.run(store.order("first", *names))  # there is room again
    assert ended.codes == [0] * len(names)
    assert sorted(store.lots()) == sorted(["S-1", *names])
    assert store.verified()[0] == 0


def test_a_read_only_ledger_is_read_and_takes_nothing(run, store):
    places = [store.folder, *store.folder.rglob("*")]
    modes = {place: place.stat().st_mode for place in places}
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    try:
        told = store.folder / ".told-person-2"
        store.folder.chmod(0o755)
        told.touch()
        store.folder.chmod(0o555)
        order = store.order("first", "L-1", bound=True)
        order.commands = [["lot", "list"], *order.commands]
        (ended,) = run.run(order)
    finally:
        for place, mode in modes.items():
            place.chmod(mode)
    assert ended.codes == [0, 4]
    assert [row["lot"] for row in ended.answers[0][1]] == ["S-1"]
    assert "writable" in ended.answers[1][1]["errors"][0]["remedy"]
    assert store.lots() == ["S-1"]
    store.receive("L-1")
    assert store.verified()[0] == 0
