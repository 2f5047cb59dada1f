"""People run two branches of one batch: each phase in its turn, two at one time, and together where the recipe says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seedtrain import gmp
from seedtrain.base import InputError
from seedtrain.gmp import HardStop, LedgerPermit
from seedtrain.gmp._documents._recipe_section import _parts
from seedtrain.recipe import Command, ControlRecipe, IllegalCommand, PermitRequest, State, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger

RECIPE = """
recipe: two
title: Two lines that meet
version: "1"
product: mix
culture: none
basis: {unit: T-1, volume: 1 L}
procedure:
  - unit_procedure: make
    unit_class: production_vessel
    operations:
      - operation: mix
        phases:
          - {phase: weigh, do: manual, duration: 1 h, second_person: true}
          - {phase: stir, do: manual, duration: 1 h, hold_time: 2 h}
  - unit_procedure: column
    unit_class: skid
    unit: S-1
    after: []
    operations:
      - operation: clean
        phases:
          - {phase: wash, do: manual, duration: 1 h, hold_point: The column is clean.}
  - unit_procedure: capture
    unit_class: skid
    unit: S-1
    operations:
      - operation: run
        phases:
          - {phase: load, do: manual, duration: 1 h}
"""
BATCH, START = "B-1", datetime(2026, 5, 1, 8, tzinfo=UTC)
WEIGH, STIR, WASH, LOAD = "make/mix/weigh", "make/mix/stir", "column/clean/wash", "capture/run/load"


class Hall:
    """One batch, and who acts in it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.at = ledger, START
        names = {"operator": "operator", "second": "operator", "leader": "shift_leader"}
        self.who = {name: enrol_person(ledger, name, [role], scripted=True) for name, role in names.items()}
        master = parse_recipe(RECIPE)
        self.control: ControlRecipe = at_scale(master, unit="T-1", volume=master.basis_volume)
        gmp.start_batch(ledger, self.control, BATCH, self.who["operator"], simulated=True, at=START)

    def begin(self, phase: str) -> gmp.BatchRecord:
        return gmp.begin_phase(self.ledger, BATCH, phase, self.who["operator"], at=self.at)

    def complete(self, phase: str) -> gmp.BatchRecord:
        self.at += timedelta(hours=1)
        return gmp.complete_phase(self.ledger, BATCH, phase, self.who["operator"], at=self.at)

    def next(self) -> set[tuple[str, str]]:
        record = gmp.batch_record(self.ledger.events(subject=BATCH), BATCH)
        return {(item.what, item.phase) for item in gmp.following(record, self.control)}

    def refused(self, phase: str) -> str:
        unit = self.control.recipe.phase_at(phase).unit_procedure.unit or "T-1"
        asked = PermitRequest(BATCH, phase, unit, (), self.at)
        refusal = LedgerPermit(self.ledger, self.control).check(asked)
        return "" if refusal is None else refusal.reason


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with open_ledger(tmp_path / "record.db", clock=lambda: START + timedelta(days=1)) as ledger:
        yield Hall(ledger)


def test_two_phases_run_at_one_time_and_what_binds_one_does_not_bind_the_other(hall: Hall):
    assert hall.next() == {("begin", WEIGH), ("begin", WASH)}
    hall.begin(WEIGH)
    record = hall.begin(WASH)
    assert [item.phase for item in record.all_running] == [WEIGH, WASH]
    assert hall.next() == {("complete", WEIGH), ("complete", WASH)}
    hall.complete(WEIGH)  # a second person has to check it, which holds up its own branch alone
    assert hall.next() == {("check", WEIGH), ("complete", WASH)}
    assert hall.refused(STIR) == f"{WEIGH} was not checked by a second person"
    hall.complete(WASH)
    assert hall.next() == {("check", WEIGH), ("sign", WASH)}
    gmp.check_by_second(hall.ledger, BATCH, WEIGH, hall.who["second"], at=hall.at)
    assert hall.next() == {("begin", STIR), ("sign", WASH)}
    assert hall.refused(STIR) == ""  # a hold point of the other branch binds what comes after that one
    hall.begin(STIR)
    assert hall.refused(LOAD) == f"the hold point of {WASH} is not signed: The column is clean."
    gmp.sign_phase(hall.ledger, BATCH, WASH, hall.who["leader"], at=hall.at)
    assert "is out of order" in hall.refused(LOAD)
    with pytest.raises(HardStop, match="out of order"):
        hall.begin(LOAD)
    hall.complete(STIR)
    hall.at += timedelta(hours=3)
    record = hall.begin(LOAD)
    waited = {item.phase: item for item in record.values if item.tag == "hold_time"}
    assert (list(waited), waited[STIR].value, waited[STIR].within) == ([STIR], "3", False)
    hall.complete(LOAD)
    record = gmp.finish_batch(hall.ledger, BATCH, hall.who["operator"], at=hall.at)
    assert record.state is State.COMPLETE
    found = gmp.review_items(record, hall.control.recipe)
    assert not [item for item in found if item.kind == "sequence"]


def test_a_unit_is_held_and_comes_back_while_people_go_on_with_the_other(hall: Hall):
    hall.begin(WEIGH)
    hall.begin(WASH)
    who = hall.who["operator"]
    record = gmp.command_batch(hall.ledger, BATCH, Command.HOLD, who, unit="S-1", reason="a leak", at=hall.at)
    assert (record.state, record.states["column"], record.states["make"]) == (State.RUNNING, State.HELD, State.RUNNING)
    with pytest.raises(IllegalCommand, match="not legal while held"):
        gmp.command_batch(hall.ledger, BATCH, Command.HOLD, who, unit="S-1", reason="again", at=hall.at)
    with pytest.raises(InputError, match="column is held"):
        hall.complete(WASH)
    hall.complete(WEIGH)
    record = gmp.command_batch(hall.ledger, BATCH, Command.RESTART, who, unit="S-1", reason="tight", at=hall.at)
    assert record.states["column"] is State.RUNNING
    record = gmp.command_batch(hall.ledger, BATCH, Command.ABORT, who, reason="enough", at=hall.at)
    assert {record.states[name] for name in ("", "make", "column")} == {State.ABORTED}


def test_the_printed_copy_says_what_waits_for_what(hall: Hall):
    printed = repr(list(_parts(hall.control.recipe)))
    assert "Begins after" in printed
    for row in (("make", "all that stands above", "the unit alone"), ("column", "nothing", "the unit alone")):
        assert all(repr(word) in printed for word in row)
    assert repr("the whole batch") in printed  # capture: nothing runs beside it
