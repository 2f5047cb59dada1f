"""Laws of banks: whatever is done to vials, none is in two places, no place holds two, and none is lost."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seedtrain.base import InputError
from seedtrain.gmp import (
    create_bank,
    fill_bank,
    find_excursions,
    fold_banks,
    inventory,
    move_vials,
    place_vials,
    withdraw_vials,
)
from seedtrain.gmp._custody._excursions import Reading
from seedtrain.gmp._custody._places import Box, Grid, Place
from seedtrain.quantity import Quantity, parse_range
from seedtrain.record import Event, enrol_person, open_ledger

BANKS = ("RB-1", "RB-2")
BOXES = ("F1/R1/B1", "F1/R1/B2", "F2/R1/B1")
NUMBERS = st.integers(1, 6)


class Freezer(RuleBasedStateMachine):
    """Random acts of a keeper, good and bad; a refused act changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()

    @initialize()
    def begin(self) -> None:
        self.ledger = open_ledger(f"{self.folder.name}/record.db")
        self.keeper = enrol_person(self.ledger, "The keeper", ["shift_leader"], scripted=True)
        for bank in BANKS:
            create_bank(
                self.ledger, bank, self.keeper, tier="research", kind="cell", material="CHO", age=3, age_limit=60
            )
            fill_bank(self.ledger, bank, 5, self.keeper)

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    def act(self, function, *words, **more) -> None:
        before = self.ledger.head
        try:
            function(self.ledger, *words, **more)
        except InputError:
            assert self.ledger.head == before

    @rule(
        bank=st.sampled_from(BANKS),
        box=st.sampled_from(BOXES),
        number=NUMBERS,
        first=st.sampled_from(["A1", "A2", "B2", "C1"]),
    )
    def place(self, bank, box, number, first) -> None:
        self.act(place_vials, bank, box, self.keeper, vials=[f"{bank}-{number:03d}"], first=first, grid="2x2")

    @rule(bank=st.sampled_from(BANKS), box=st.sampled_from(BOXES))
    def place_the_rest(self, bank, box) -> None:
        self.act(place_vials, bank, box, self.keeper, grid="2x2")

    @rule(
        bank=st.sampled_from(BANKS),
        box=st.sampled_from(BOXES),
        pairs=st.lists(st.tuples(NUMBERS, st.sampled_from(["A1", "A2", "B1", "B2", "C1"])), min_size=1, max_size=3),
    )
    def move(self, bank, box, pairs) -> None:
        moves = {f"{bank}-{number:03d}": f"{box}/{position}" for number, position in pairs}
        self.act(move_vials, moves, self.keeper, grid="2x2")

    @rule(bank=st.sampled_from(BANKS), number=NUMBERS, purpose=st.sampled_from(["testing", "destruction", "transfer"]))
    def take(self, bank, number, purpose) -> None:
        self.act(withdraw_vials, bank, self.keeper, purpose=purpose, reason="x", vials=[f"{bank}-{number:03d}"])

    @invariant()
    def nothing_is_doubled_or_lost(self) -> None:
        held = inventory(self.ledger)
        places = Counter(vial.place for vial in held.vials.values() if vial.place is not None)
        assert not [place for place, count in places.items() if count > 1]
        assert held.at == {vial.place: vial.id for vial in held.vials.values() if vial.place is not None}
        for bank in held.banks.values():
            states = [held.count(bank.id, state) for state in ("stored", "withdrawn", "destroyed")]
            assert sum(states) == bank.made == len(held.of(bank.id))
        assert all(vial.place is None or vial.state == "stored" for vial in held.vials.values())
        assert all(held.boxes[place.box].holds(place.position) for place in held.at)
        for vial in held.vials.values():  # what a vial's history says of now
            assert [stay.place for stay in vial.stays if stay.until is None] == ([vial.place] if vial.place else [])


TestFreezer = Freezer.TestCase
TestFreezer.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)


def event(seq, type, subject, payload):
    return Event(
        seq,
        "",
        str(seq),
        type,
        subject,
        f"2026-03-0{min(seq, 9)}T00:00:00Z",
        "",
        "p",
        None,
        payload,
        "r",
        None,
        "",
        b"",
    )


def made(vials=2):
    bank = {"tier": "research", "kind": "cell", "material": "m", "parent": "", "age": 1, "age_limit": 9}
    bank |= {"age_unit": "passages", "reserve": 0, "plan": {}, "contains": [], "expiry": "2040-01-01"}
    return [event(1, "bank.created", "B", bank), event(2, "bank.filled", "B", {"vials": vials, "content": ""})]


def placed(seq, box, places, type="bank.placed", grid="2x2"):
    return event(seq, type, "B", {"box": box, "grid": grid, "places": places})


@pytest.mark.parametrize(
    "bad",
    [
        placed(4, "F/R/B", {"B-002": "A1"}),
        placed(4, "F/R/B", {"B-002": "C1"}),
        placed(4, "F/R/B", {"B-003": "A2"}),
        placed(4, "F/R/B", {"B-002": "A2"}, grid="9x9"),
        event(4, "bank.filled", "B", {"vials": 3, "content": ""}),
        event(4, "bank.withdrawn", "B", {"vials": ["B-009"], "purpose": "testing", "for": "", "request": ""}),
        placed(4, "F/R/B", {"B-001": "A2", "B-002": "A2"}),
        placed(4, "F/R/B2", {"B-001": "A1", "B-002": "D9"}),
    ],
)
def test_an_event_that_tells_of_two_vials_in_one_place_changes_nothing_and_is_named(bad):
    good = [*made(), placed(3, "F/R/B", {"B-001": "A1"})]
    before = fold_banks(good)
    assert before.at == {Place.parse("F/R/B/A1"): "B-001"}
    after = fold_banks([*good, bad])
    assert [seq for seq, _words in after.illegal] == [4]
    assert replace(after, illegal=()) == before


def test_two_vials_may_change_places_in_one_event():
    events = [*made(), placed(3, "F/R/B", {"B-001": "A1", "B-002": "A2"})]
    swapped = fold_banks([*events, placed(4, "F/R/B", {"B-001": "A2", "B-002": "A1"}, type="bank.moved")])
    assert {str(place): vial for place, vial in swapped.at.items()} == {"F/R/B/A1": "B-002", "F/R/B/A2": "B-001"}
    assert [stay.until for stay in swapped.vials["B-001"].stays] == ["2026-03-04T00:00:00Z", None]


@given(st.integers(1, 26), st.integers(1, 99))
def test_a_grid_has_each_of_its_positions_once_and_no_other(rows, columns):
    grid = Grid(rows, columns)
    every = list(grid.positions())
    assert Grid.parse(str(grid)) == grid
    assert len(every) == len(set(every)) == rows * columns
    assert all(grid.holds(item) for item in every)
    assert not grid.holds(f"A{columns + 1}")
    assert all(str(Place.parse(f"F/R/B/{item}")) == f"F/R/B/{item}" for item in every)
    assert grid.following(every[-1], 5) == (every[-1],)


@pytest.mark.parametrize("text", ["", "F1", "F1/R1", "F1/R1/B1/A1", "F1//B1", "F 1/R/B", "../R/B"])
def test_what_is_no_box_is_refused(text):
    with pytest.raises(InputError, match="is not a box"):
        Box.parse(text)


START = datetime(2026, 3, 1, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(-190, -60)), min_size=1, max_size=30),
    st.integers(0, 90),
    st.integers(1, 120),
)
def test_excursions_are_exactly_the_stretches_out_of_the_limit_and_the_silences(steps, allowed, quiet):
    """Against an independent reading of the same rule: minute by minute, a reading holds until the next one."""
    readings, clock = [], START
    for minutes, value in steps:
        readings.append(Reading(clock, value))
        clock += timedelta(minutes=minutes)
    found = find_excursions(
        readings,
        parse_range("<= -130 degC"),
        longer_than=Quantity(allowed, "min"),
        silence=Quantity(quiet, "min"),
    )
    out_at = set()
    for item in found:
        if item.kind == "temperature":
            assert item.minutes > allowed
            assert item.peak == max(
                r.temperature for r in readings if item.start <= r.time <= item.end and r.temperature > -130
            )
            out_at |= {item.start + timedelta(minutes=at) for at in range(int(item.minutes))}
    expected = set()
    stretch = []
    until = readings[-1].time
    for at in range(int((until - START).total_seconds() // 60)):
        now = START + timedelta(minutes=at)
        last = [r for r in readings if r.time <= now][-1]
        if last.temperature > -130:
            stretch.append(now)
        else:
            expected |= set(stretch) if len(stretch) > allowed else set()
            stretch = []
    expected |= set(stretch) if len(stretch) > allowed else set()
    assert out_at == expected
    gaps = [(item.start, item.end) for item in found if item.kind == "no data"]
    pairs = list(itertools.pairwise(readings))
    assert gaps == [(a.time, b.time) for a, b in pairs if (b.time - a.time) > timedelta(minutes=quiet)]
