"""Batches one by one: the solver against the closed form, and what a schedule may never do."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, UnavailableError
from seedtrain.cli import main
from seedtrain.development import Gantt, Task, gantt, timetable
from seedtrain.development._costing import _gantt_process

pytest.importorskip("ortools")


def line(hours: Sequence[float], turnaround: float = 0.0) -> list[Task]:
    """Steps one after the other, each in a suite of its own."""
    found, now = [], 0.0
    for number, length in enumerate(hours):
        found.append(Task(f"step {number}", f"suite {number}", now, now + length, now + length + turnaround))
        now += length
    return found


def allowed(found: Gantt, tasks: Sequence[Task], units: Mapping[str, int]) -> None:
    """No unit does two things at once, and every step lasts as long as it takes."""
    lengths = {task.name: task.end - task.start for task in tasks}
    for suite, unit in {(slot.suite, slot.unit) for slot in found.slots}:
        assert unit <= units.get(suite, 1)
        mine = sorted((s.start, s.until) for s in found.slots if (s.suite, s.unit) == (suite, unit))
        assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(mine))
    for slot in found.slots:
        if slot.task in lengths:
            assert slot.end - slot.start >= lengths[slot.task] - 1e-9


def test_the_solver_never_is_in_this_process() -> None:
    """Its library and highspy's have one name: whichever is imported second fails. The refusals are the same."""
    assert gantt(line([6]), {}, 2).makespan == 12
    assert not any(name.startswith("ortools.sat") for name in sys.modules)
    with pytest.raises(InputError, match="each other's way") as error:
        gantt([Task("a", "room", 0, 4, 4), Task("b", "room", 2, 5, 5)], {}, 1)
    assert error.value.remedy


def test_a_solver_that_dies_is_told_and_started_anew() -> None:
    """As one does that the system ends for its memory."""
    assert gantt(line([6]), {}, 2).makespan == 12
    process = _gantt_process._solver().pid
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    Timer(0.2, os.kill, (process, signal.SIGKILL)).start()
    with pytest.raises(UnavailableError, match=r"ended before it answered \(exit code -9\)") as error:
        gantt(line([6]), {}, 2)
    assert "fewer batches" in error.value.remedy
    assert gantt(line([6]), {}, 2).makespan == 12


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 3), st.integers(2, 4))
@settings(max_examples=15, deadline=None)
def test_one_unit_each_and_no_waiting_is_the_closed_form(hours: list[int], turnaround: int, batches: int) -> None:
    """Every suite serves a batch once: its hours, over and over, and then the rest of the train."""
    tasks = line(hours, turnaround)
    found, closed = gantt(tasks, {}, batches), timetable(tasks, {}, batches)
    assert found.optimal
    assert found.interval == pytest.approx(closed.interval)
    assert found.makespan == pytest.approx(sum(hours) + (batches - 1) * closed.interval)
    allowed(found, tasks, {})


def test_two_reactors_come_to_the_closed_form_in_the_long_run() -> None:
    """The first two start almost together; each pair that follows adds two intervals."""
    tasks, units = line([40, 15]), {"suite 0": 2}
    closed = timetable(tasks, units, 2)
    assert closed.interval == 20
    longer, shorter = gantt(tasks, units, 6), gantt(tasks, units, 4)
    assert longer.makespan - shorter.makespan == pytest.approx(2 * closed.interval)
    allowed(longer, tasks, units)


def test_waiting_helps_where_a_shared_suite_stands_in_the_way() -> None:
    """A buffer room that two steps share: without waiting every batch meets the one before."""
    rigid = [Task("a", "room", 0, 4, 4), Task("b", "reactor", 4, 10, 10), Task("c", "room", 10, 13, 13)]
    patient = [rigid[0], rigid[1], dataclasses.replace(rigid[2], wait=6.0)]
    without, with_waits = gantt(rigid, {}, 4), gantt(patient, {}, 4)
    assert without.waited == 0
    assert with_waits.makespan < without.makespan
    assert with_waits.waited > 0
    allowed(with_waits, patient, {})


def test_people_hold_batches_apart() -> None:
    tasks = [dataclasses.replace(task, people=2.0) for task in line([6, 6])]
    free, few = gantt(tasks, {}, 3), gantt(tasks, {}, 3, crew=2)
    assert (free.busiest, few.busiest) == (4, 2)
    assert free.makespan == 24
    assert few.makespan == 36  # one step at a time: 3 x 12 h


def test_a_cleaning_skid_is_shared_and_may_come_later() -> None:
    tasks = [Task("grow", "reactor", 0, 10, 14, "skid"), Task("purify", "column", 10, 16, 20, "skid")]
    found = gantt(tasks, {}, 3)
    cleaning = sorted((s.start, s.until) for s in found.slots if s.suite == "skid")
    assert len(cleaning) == 6
    assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(cleaning))
    assert timetable(tasks, {}, 2).interval >= found.interval  # which must clean at once
    allowed(found, tasks, {})


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"batches": 0}, "0 batches"),
        ({"batches": 11}, "11 batches"),
        ({"crew": 1.0}, "needs 2 people, and 1 are there"),
        ({"crew": -1.0}, "a crew of -1"),
        ({"units": {"suite 0": 0}}, "suite 0: 0 units"),
    ],
)
def test_what_cannot_be_placed_is_refused(given_: dict[str, Any], words: str) -> None:
    tasks = [dataclasses.replace(task, people=2.0) for task in line([6, 6])]
    with pytest.raises(InputError, match=words) as error:
        gantt(tasks, given_.pop("units", {}), given_.pop("batches", 2), **given_)
    assert error.value.remedy
    with pytest.raises(InputError, match="no step says how many people"):
        gantt(line([6]), {}, 1, crew=3)
    with pytest.raises(InputError, match="each other's way"):
        gantt([Task("a", "room", 0, 4, 4), Task("b", "room", 2, 5, 5)], {}, 1)


def test_without_the_solver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gantt_process, "find_spec", lambda _name: None)
    with pytest.raises(UnavailableError, match="OR-Tools, which is not installed") as error:
        gantt(line([6]), {}, 1)
    assert "scheduling" in error.value.remedy


def test_a_case_is_placed_by_its_people_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = Path("examples/enzyme/case.yaml")
    with pytest.raises(SystemExit) as left:
        main(["economics", str(case), "--gantt", "4", "--draws", "500", "-o", str(tmp_path / "out")])
    assert left.value.code == 0
    assert "4 batches one by one" in capsys.readouterr().out
    assert (tmp_path / "out" / "gantt.svg").read_text().startswith("<svg")
    data = json.loads((tmp_path / "out" / "economics.json").read_text())
    assert data["gantt"]["optimal"]
    assert data["gantt"]["bound_h"] <= data["gantt"]["makespan_h"] + 1e-6
    with pytest.raises(SystemExit) as left:
        main(["economics", str(case), "--crew", "4"])
    assert left.value.code == 2
