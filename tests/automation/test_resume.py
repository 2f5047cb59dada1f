"""A batch that is killed anywhere goes on from its record, to the same record; illegal and repeated commands."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.automation import FunctionalUnit, batch_state
from seedtrain.base import InputError
from seedtrain.quality import Lot
from seedtrain.recipe import IllegalCommand, State
from seedtrain.record import Event, Ledger
from tests.automation.made import BATCH, START, control_recipe, ledger_in, plant, run_batch, story

FED = "production/main/fed"
Unbroken = tuple[list[tuple[object, ...]], dict[str, Any], int]


class Crash(BaseException):
    """Like a kill: nothing catches it."""


@contextmanager
def crash_at(commit: int, *, after: bool) -> Iterator[None]:
    """Crash at the n-th append from here on, before it or right after it is durable."""
    count, original = 0, Ledger.append

    def append(self: Ledger, *drafts, **more) -> tuple[Event, ...]:
        nonlocal count
        count += 1
        if count == commit and not after:
            raise Crash
        events = original(self, *drafts, **more)
        if count == commit:
            raise Crash
        return events

    Ledger.append = append  # type: ignore[method-assign]
    try:
        yield
    finally:
        Ledger.append = original  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    """Story and run of a batch that nothing disturbed, and how many commits it took."""
    commits, original = 0, Ledger.append

    def append(self: Ledger, *drafts, **more) -> tuple[Event, ...]:
        nonlocal commits
        commits += 1
        return original(self, *drafts, **more)

    with ledger_in(tmp_path_factory.mktemp("unbroken")) as ledger:
        Ledger.append = append  # type: ignore[method-assign]
        try:
            run = run_batch(ledger)
        finally:
            Ledger.append = original  # type: ignore[method-assign]
        return story(ledger.events(subject=BATCH)), run.to_data(), commits


@settings(max_examples=12)
@given(crashes=st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=4))
def test_crashes_anywhere_leave_the_same_record(unbroken: Unbroken, crashes: list[tuple[int, bool]]):
    wanted, data, _ = unbroken
    with tempfile.TemporaryDirectory() as folder, ledger_in(Path(folder)) as ledger:
        for commit, after in crashes:
            try:
                with crash_at(commit, after=after):
                    run_batch(ledger)
            except Crash:
                pass
        run = run_batch(ledger)
        assert story(ledger.events(subject=BATCH)) == wanted
        assert run.to_data() == data


def test_a_crash_at_every_single_commit(unbroken: Unbroken, tmp_path: Path):
    """One batch that dies after each of its commits in turn still tells the same story."""
    wanted, data, commits = unbroken
    with ledger_in(tmp_path) as ledger:
        run = None
        for _ in range(commits + 10):
            try:
                with crash_at(1, after=True):
                    run = run_batch(ledger)
                break
            except Crash:
                continue
        assert run is not None
        assert story(ledger.events(subject=BATCH)) == wanted
        assert run.to_data() == data


@pytest.mark.parametrize(("commit", "when"), [(6, "after"), (17, "before"), (19, "after"), (27, "after")])
def test_kill_9_and_resume(unbroken: Unbroken, tmp_path: Path, commit: int, when: str):
    command = [sys.executable, "-m", "tests.automation.killed", str(tmp_path), str(commit), when]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    wanted, data, _ = unbroken
    with ledger_in(tmp_path) as ledger:
        before = story(ledger.events(subject=BATCH))
        assert before == wanted[: len(before)]
        assert len(before) < len(wanted)
        run = run_batch(ledger)
        assert story(ledger.events(subject=BATCH)) == wanted
        assert run.to_data() == data


def test_two_executors_of_one_batch_write_it_once(unbroken: Unbroken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A second executor that knows only the beginning asks for the same events, and the ledger has them already."""
    wanted, _, _ = unbroken
    with ledger_in(tmp_path) as ledger:
        with pytest.raises(Crash), crash_at(12, after=True):
            run_batch(ledger)
        stale = batch_state(ledger, BATCH)
        run_batch(ledger)
        monkeypatch.setattr("seedtrain.automation._executor.batch_state", lambda *_: stale)
        run_batch(ledger)
        assert story(ledger.events(subject=BATCH)) == wanted


class TestUnit:
    """The stand-in holds what the interface promises: intent, safe to repeat; anything else is refused."""

    @staticmethod
    def state(unit: FunctionalUnit) -> State:
        return unit.state

    def running(self):
        control = control_recipe()
        unit = plant(control).unit("T")
        unit.command(FED, control.recipe.phase(FED).set)
        unit.start(FED, control.recipe.phase(FED), START)
        return control, unit

    def test_repeating_a_command_changes_nothing(self):
        control, unit = self.running()
        first = unit.await_end(FED)
        readings = unit.read(FED, timedelta(minutes=6))
        unit.command(FED, control.recipe.phase(FED).set)
        unit.start(FED, control.recipe.phase(FED), START)
        assert unit.await_end(FED) == first
        assert unit.read(FED, timedelta(minutes=6)) == readings
        assert unit.draw_sample(FED, {"biomass": "g/L"}) == unit.draw_sample(FED, {"biomass": "g/L"})

    def test_a_phase_without_set_points_does_not_start(self):
        control = control_recipe()
        with pytest.raises(InputError, match="no set points"):
            plant(control).unit("T").start(FED, control.recipe.phase(FED), START)

    def test_one_unit_runs_one_phase(self):
        control, unit = self.running()
        other = "production/main/charge"
        unit.command(other, {})
        with pytest.raises(InputError, match="runs production/main/fed and cannot start"):
            unit.start(other, control.recipe.phase(other), START)

    def test_nothing_is_read_of_a_phase_that_does_not_run(self):
        _, unit = self.running()
        for ask in (
            unit.await_end,
            lambda path: unit.read(path, timedelta(1)),
            lambda path: unit.draw_sample(path, {}),
        ):
            with pytest.raises(InputError, match="does not run"):
                ask("production/main/charge")

    def test_a_unit_refuses_phases_of_others(self):
        _, unit = self.running()
        with pytest.raises(InputError, match="cannot run"):
            unit.command("filling/fill/fill", {})

    def test_hold_restart_and_abort(self):
        control, unit = self.running()
        unit.hold(FED)
        unit.hold(FED)
        assert self.state(unit) is State.HELD
        with pytest.raises(InputError, match="does not run"):
            unit.await_end(FED)
        unit.start(FED, control.recipe.phase(FED), START)
        assert self.state(unit) is State.RUNNING
        unit.abort(FED)
        unit.abort(FED)
        assert self.state(unit) is State.ABORTED
        with pytest.raises(IllegalCommand):
            unit.start(FED, control.recipe.phase(FED), START)

    def test_a_wrong_sample_is_refused(self):
        _, unit = self.running()
        with pytest.raises(InputError, match="nothing is known of 'taste'"):
            unit.draw_sample(FED, {"taste": "g/L"})


def test_a_phase_cannot_be_recorded_before_its_turn(tmp_path: Path):
    """A record with a phase out of order is refused, not continued."""
    from seedtrain.record import Draft

    with ledger_in(tmp_path) as ledger:
        with pytest.raises(Crash), crash_at(12, after=True):
            run_batch(ledger)
        payload = {"phase": "filling/fill/fill", "duration_h": "1", "ended_by": "duration"}
        ledger.append(Draft("step.completed", BATCH, payload, "system", START))
        with pytest.raises(InputError, match="completed before"):
            run_batch(ledger)


def test_an_illegal_command_in_the_record_is_noticed(tmp_path: Path):
    from seedtrain.record import Draft

    with ledger_in(tmp_path) as ledger:
        with pytest.raises(Crash), crash_at(12, after=True):
            run_batch(ledger)
        payload = {"unit_procedure": "", "unit": "", "command": "start", "before": "idle", "after": "running"}
        ledger.append(Draft("batch.state_changed", BATCH, payload, "system", START))
        with pytest.raises(IllegalCommand, match="not legal while running"):
            run_batch(ledger)


@given(
    amounts=st.lists(st.floats(0.5, 50.0), min_size=1, max_size=6),
    wanted=st.floats(0.1, 100.0),
)
def test_shares_make_up_the_amount_and_take_no_lot_below_zero(amounts: list[float], wanted: float):
    from datetime import date

    from seedtrain.automation._materials import ShortOfMaterial, Store
    from seedtrain.quantity import Quantity

    kept = [
        Lot(f"L{index}", "m", "x", Quantity(amount, "g"), date(2030, 1, 1 + index), "released")
        for index, amount in enumerate(amounts)
    ]
    store = Store(kept, [])
    if wanted > sum(amounts) + 1e-9:
        with pytest.raises(ShortOfMaterial):
            store.draw("m", wanted, "g", START.date())
        return
    shares = store.draw("m", min(wanted, sum(amounts)), "g", START.date())
    assert sum(share.amount for share in shares) == pytest.approx(min(wanted, sum(amounts)))
    for share, amount in zip(shares, amounts, strict=False):
        assert 0 <= share.amount <= amount + 1e-9
    assert [share.lot for share in shares] == [lot.id for lot in kept[: len(shares)]]


def test_a_lot_that_is_counted_otherwise_is_named_with_what_to_do():
    from datetime import date

    from seedtrain.automation._materials import ShortOfMaterial, Store
    from seedtrain.quantity import Quantity

    store = Store([Lot("CB-1", "cell bank", "x", Quantity(100, ""), date(2030, 1, 1), "released")], [])
    for asked in (store.choose, store.draw):
        with pytest.raises(ShortOfMaterial, match=r"lot CB-1 of cell bank is counted in pieces, and mL is wanted"):
            asked("cell bank", 1.0, "mL", START.date())
