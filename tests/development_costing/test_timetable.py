"""The shortest equal interval is exact: against a search by force, and by its laws."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.development import Photovoltaics, Task, Timetable, power_mix, timetable
from seedtrain.development._costing._power import EFFICIENCY


@st.composite
def trains(draw: st.DrawFn) -> tuple[list[Task], dict[str, int]]:
    units = {"tank": draw(st.integers(1, 3)), "skid": draw(st.integers(1, 2)), "cip": 1}
    tasks, at = [], 0
    for number in range(draw(st.integers(1, 5))):
        hours = draw(st.integers(1, 12))
        suite = draw(st.sampled_from(sorted(units)))
        tasks.append(Task(f"step {number}", suite, at, at + hours, at + hours + draw(st.integers(0, 2))))
        at += hours
    return tasks, {name: units[name] for name in {task.suite for task in tasks}}


def made(tasks: list[Task], units: dict[str, int], batches: int = 8) -> Timetable:
    try:
        return timetable(tasks, units, batches)
    except InputError:
        assume(False)
        raise


def overlaps(tasks: list[Task], suite: str, interval: float, batches: int = 40) -> int:
    turns = sorted(
        turn
        for batch in range(batches)
        for task in tasks
        if task.suite == suite
        for turn in ((round(task.until + batch * interval, 6), -1), (round(task.start + batch * interval, 6), 1))
    )
    most = now = 0
    for _, change in turns:
        now += change
        most = max(most, now)
    return most


@given(trains())
@settings(max_examples=80, deadline=None)
def test_the_interval_works_and_nothing_shorter_does(train: tuple[list[Task], dict[str, int]]) -> None:
    tasks, units = train
    found = made(tasks, units)
    assert found.interval >= found.bound > 0
    for suite, count in units.items():
        assert overlaps(tasks, suite, found.interval) <= count
    # All hours are whole, so that what works changes at fractions of small whole numbers: every sixtieth is tried.
    shorter = found.bound
    while shorter < found.interval - 1e-6:
        assert any(overlaps(tasks, suite, shorter) > count for suite, count in units.items()), shorter
        shorter += 1 / 60


@given(trains())
@settings(max_examples=60, deadline=None)
def test_no_unit_does_two_things_at_once(train: tuple[list[Task], dict[str, int]]) -> None:
    tasks, units = train
    found = made(tasks, units)
    assert len(found.slots) == 8 * len(tasks)
    for suite, count in units.items():
        for unit in range(1, count + 1):
            mine = sorted((slot.start, slot.until) for slot in found.slots if (slot.suite, slot.unit) == (suite, unit))
            assert all(first[1] <= second[0] + 1e-6 * found.interval for first, second in pairwise(mine))
    for slot in found.slots:
        task = next(item for item in tasks if item.name == slot.task)
        assert slot.start - task.start == pytest.approx((slot.batch - 1) * found.interval)


@given(trains())
@settings(max_examples=40, deadline=None)
def test_more_units_never_slow_a_train(train: tuple[list[Task], dict[str, int]]) -> None:
    tasks, units = train
    found = made(tasks, units)
    assert timetable(tasks, {name: count + 1 for name, count in units.items()}).interval <= found.interval + 1e-9


@pytest.mark.parametrize(("reactors", "hours"), [(1, 340.0), (2, 170.0), (4, 85.0), (6, 72.0)])
def test_staggered_reactors_divide_the_interval_until_another_suite_sets_it(reactors: int, hours: float) -> None:
    tasks = [
        Task("seed", "seed", 0, 60, 72),
        Task("culture", "reactor", 60, 390, 400),
        Task("capture", "column", 390, 430, 440),
    ]
    found = timetable(tasks, {"reactor": reactors})
    assert found.interval == pytest.approx(hours)
    assert found.exact


def test_a_shared_cleaning_skid_can_cost_more_than_its_hours() -> None:
    """Two cleanings 5 h apart, 3 h each: every 6 h is the bound, but the second then meets the next first."""
    tasks = [Task("a", "cip", 0, 3, 3), Task("b", "cip", 5, 8, 8)]
    found = timetable(tasks, {})
    assert found.bound == 6.0
    assert found.interval == pytest.approx(8.0)
    assert not found.exact


@pytest.mark.parametrize(
    ("tasks", "units", "batches", "words"),
    [
        ([], {}, 3, "no step"),
        ([Task("a", "x", 0, 5, 8), Task("b", "x", 5, 9, 9)], {}, 3, "in two steps at the same time"),
        ([Task("a", "x", 0, 5, 8)], {"x": 0}, 3, "0 units"),
        ([Task("a", "x", 0, 5, 8)], {}, 0, "0 batches"),
        ([Task("a", "x", 0, 0, 0)], {}, 3, "no step takes any time"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(
    tasks: list[Task], units: dict[str, int], batches: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        timetable(tasks, units, batches)
    with pytest.raises(InputError, match="do not run backwards"):
        Task("a", "x", 5, 4, 6)


# --- electricity ----------------------------------------------------------------------------------------------------


@given(st.floats(10, 1e5), st.floats(0, 1e5), st.floats(-60, 60), st.floats(1e4, 1e8))
@settings(max_examples=60, deadline=None)
def test_energy_is_neither_made_nor_lost(peak: float, storage: float, latitude: float, used: float) -> None:
    found = power_mix(Photovoltaics(peak, storage, 1100.0, latitude), used)
    assert found.made == pytest.approx(1100.0 * peak)
    assert found.direct + found.stored + found.grid == pytest.approx(1.0, abs=1e-9)
    taken = used * (found.direct + found.stored / EFFICIENCY)
    assert taken <= found.made * (1 + 1e-9)
    assert found.surplus == pytest.approx(1 - taken / found.made, abs=1e-6)
    assert min(found.direct, found.stored, found.grid) >= 0


def test_a_battery_helps_and_the_night_stays_dark_without_one() -> None:
    small, large = (power_mix(Photovoltaics(5000.0, storage), 4e6) for storage in (0.0, 10_000.0))
    assert small.direct == large.direct < 0.55
    assert small.stored == 0.0 < large.stored
    assert large.grid < small.grid


def test_panels_that_no_place_on_earth_has_are_refused() -> None:
    for words, given_ in (("0 kW", {"peak": 0.0}), ("5000 kWh", {"peak": 1.0, "specific_yield": 5000.0})):
        with pytest.raises(InputError, match=words):
            Photovoltaics(**given_)
    with pytest.raises(InputError, match="uses 0 kWh"):
        power_mix(Photovoltaics(1.0), 0.0)
