"""What of a batch on a plant is told as not done yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from seedtrain.automation import BatchState, clock_behind
from seedtrain.automation._branches import Branches
from seedtrain.automation._fold import WHOLE, Mark
from seedtrain.automation._standing import _not_obeyed
from seedtrain.base import InputError
from seedtrain.recipe import State
from seedtrain.record import Draft, Event, open_ledger
from tests.automation.made import START
from tests.automation_live.made import BATCH, control

FED = "production/main/fed"


def event(seq: int, type: str, **payload: object) -> Event:
    made = object.__new__(Event)
    for name, value in {"seq": seq, "type": type, "payload": payload, "occurred_at": START.isoformat()}.items():
        object.__setattr__(made, name, value)
    return made


def test_a_unit_that_was_held_is_in_its_safe_state_when_its_batch_is_aborted():
    state = BatchState(BATCH)
    state.started[FED] = Mark(START, "0" * 64)
    state.states, state.orders = {WHOLE: State.HELD}, {WHOLE: event(5, "batch.state_changed")}
    assert _not_obeyed(control(), state, ()) == ["T"]  # the executor has not looked yet
    state.obeyed.add((5, "T"))
    state._stand(FED, "hold", START)
    assert _not_obeyed(control(), state, ()) == []
    state.states, state.orders = {WHOLE: State.ABORTED}, {WHOLE: event(9, "batch.state_changed")}
    assert _not_obeyed(control(), state, ()) == []  # nobody has told it to abort, but it is where it is safe
    state._stand(FED, "restart", START)
    assert _not_obeyed(control(), state, ()) == ["T"]


def test_a_plant_whose_clock_lies_before_another_batch_on_its_units_is_noticed(tmp_path: Path):
    with open_ledger(tmp_path / "record.db") as ledger:
        for batch, units, hours in (("A", ["T"], 5), ("B", ["T", "U"], 9), ("C", ["V"], 99)):
            created = Draft("batch.created", batch, {"live": {"units": units, "people": []}}, "x", START)
            ended = {"phase": FED, "unit": units[0], "settings": {}}
            ledger.append(created, Draft("step.started", batch, ended, "x", START + timedelta(hours=hours)))
        assert clock_behind(ledger, "N", ["T"], START) == ("B", START + timedelta(hours=9))
        assert clock_behind(ledger, "N", ["T"], START + timedelta(hours=9)) is None
        assert clock_behind(ledger, "B", ["T"], START) == ("A", START + timedelta(hours=5))  # its own do not count
        assert clock_behind(ledger, "N", ["W"], START) is None


def test_what_a_unit_refuses_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    held: list[str] = []
    branches = Branches(cast(Any, None), BatchState(BATCH))
    monkeypatch.setattr(Branches, "hold", lambda own, step, words: held.append(words))

    def refuse() -> None:
        raise InputError("T is locked", remedy="Unlock it.")

    assert branches._try(control().recipe.phase_at(FED), refuse) == "T is locked. Unlock it."
    assert held == ["T is locked"]  # the record has the reason alone
