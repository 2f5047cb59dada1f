"""Hypothesis runs batches by hand: legal and illegal acts, wrong lots, wrong order, against a model of a page.

The model knows the procedure, who did what, and ISA-88's matrix as far as people give commands. It says of every act
whether it is taken; the record must say the same, and afterwards stand exactly where the model stands.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from seedtrain import gmp
from seedtrain.base import InputError
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.recipe import Command, ControlRecipe, IllegalCommand, at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger, verify

RECIPE = """
recipe: machine
title: Three phases
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
          - phase: weigh
            do: manual
            duration: 5 min
            equipment: [balance]
            second_person: true
            dispense: {salt: {amount: 10 g, tolerance: 10 %}}
            entries: {gross: {unit: g}, tare: {unit: g}}
            calculate: {net: {formula: gross - tare, unit: g, action: 9 .. 11 g}}
          - phase: stir
            do: manual
            duration: 5 min
            entries: {appearance: {choices: [clear, hazy], accept: [clear]}}
            hold_point: It may be filled.
  - unit_procedure: fill
    unit_class: line
    unit: L-1
    operations:
      - operation: fill
        phases:
          - phase: fill
            do: manual
            duration: 5 min
            clear: L-1
            entries: {filled: {action: "= 3"}}
            yields: {yield: {actual: filled * 10, unit: "", theoretical: "30"}}
"""
WEIGH, STIR, FILL = PHASES = ("make/mix/weigh", "make/mix/stir", "fill/fill/fill")
TAGS: Final = {WEIGH: ("gross", "tare"), STIR: ("appearance",), FILL: ("filled",)}
UNITS: Final = {"gross": "g", "tare": "g", "appearance": "", "filled": ""}
VALUES: Final = {"gross": ("20.0", "21.5"), "tare": ("10.0", "10.5"), "appearance": ("clear", "hazy"), "filled": ("3",)}
GOOD_LOT: Final = "SALT-1"
LOTS: Final = {
    GOOD_LOT: ("salt", date(2030, 1, 1), "released"),
    "SALT-OLD": ("salt", date(2026, 3, 1), "released"),
    "SALT-NEW": ("salt", date(2030, 1, 1), "quarantined"),
    "SALT-BAD": ("salt", date(2030, 1, 1), "rejected"),
    "SUGAR-1": ("sugar", date(2030, 1, 1), "released"),
}
PEOPLE: Final = {"anna": "operator", "bela": "operator", "cora": "shift_leader", "dora": "quality_assurance"}
NOW: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
MATRIX: Final = {
    "running": {"hold": "held", "pause": "paused", "stop": "stopped", "abort": "aborted"},
    "held": {"restart": "running", "stop": "stopped", "abort": "aborted"},
    "paused": {"resume": "running", "hold": "held", "stop": "stopped", "abort": "aborted"},
    "stopped": {"abort": "aborted"},
    "aborted": {},
    "complete": {},
}


@dataclass
class Model:
    """One batch as a person would keep it on a page."""

    state: str = "running"
    done: list[str] = field(default_factory=list)
    running: str = ""
    starter: str = ""
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    weighed: float = 0.0
    doers: dict[str, set[str]] = field(default_factory=dict)
    finisher: dict[str, str] = field(default_factory=dict)
    performed: set[str] = field(default_factory=set)
    checked: dict[str, set[str]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    cleared: bool = False

    @property
    def following(self) -> str:
        """The phase whose turn it is; empty while a signature or check is missing, or all is done."""
        signed = all(item in self.performed for item in self.done)
        checked = WEIGH not in self.done or bool(self.checked.get(WEIGH, set()) - self.doers[WEIGH])
        held = STIR not in self.done or STIR in self.released
        return PHASES[len(self.done)] if signed and checked and held and len(self.done) < 3 else ""

    @property
    def whole(self) -> bool:
        """Whether the batch may end."""
        checked = bool(self.checked.get(WEIGH, set()) - self.doers.get(WEIGH, set()))
        return len(self.done) == 3 and set(self.done) <= self.performed and checked and STIR in self.released

    def acts(self, who: str) -> bool:
        """Whether this person may run phases at all."""
        return PEOPLE[who] in ("operator", "shift_leader")

    def does(self, phase: str, who: str) -> None:
        """They acted in it: whatever they checked or released there before counts no more."""
        self.doers.setdefault(phase, set()).add(who)

    def takes_back(self, phase: str) -> None:
        """A correction: signatures and checks of the phase stand for nothing."""
        self.performed.discard(phase)
        self.checked.pop(phase, None)
        self.released.discard(phase)


@dataclass
class Shop:
    """A ledger in which many batches are made one after the other."""

    ledger: Ledger
    control: ControlRecipe
    actors: dict[str, str]
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @staticmethod
    def open(folder: Path) -> Shop:
        ledger = open_ledger(folder / "record.db", clock=lambda: NOW)
        actors = {name: enrol_person(ledger, name, [role], scripted=True) for name, role in PEOPLE.items()}
        master = parse_recipe(RECIPE, "machine.yaml")
        control = at_scale(master, unit=master.basis_unit, volume=master.basis_volume)
        gmp.receive_lots(
            ledger,
            [Lot(name, what, "S", parse("1000 kg"), day, status) for name, (what, day, status) in LOTS.items()],  # type: ignore[arg-type]
        )
        gmp.register_equipment(ledger, "BAL-1", actors["anna"], name="Balance", kind="balance", calibrated=True)
        gmp.calibrate_equipment(ledger, "BAL-1", actors["anna"], certificate="C-1", due=date(2027, 1, 1))
        return Shop(ledger, control, actors)


def machine(shop: Shop) -> type[RuleBasedStateMachine]:
    """The machine over this shop; each of its runs is a batch of its own."""
    people = st.sampled_from(sorted(PEOPLE))
    workers = st.sampled_from(["anna", "anna", "anna", "bela", "cora", "dora"])
    phases = st.sampled_from(PHASES)

    class Batch(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()
            self.batch = f"M-{next(shop.numbers)}"
            gmp.start_batch(shop.ledger, shop.control, self.batch, shop.actors["anna"], simulated=True)

        def taken(self, expected: bool, act: Any, *words: Any, **more: Any) -> bool:
            """Do it; it must be taken exactly where the model says so."""
            refusal: InputError | None = None
            try:
                act(shop.ledger, self.batch, *words, **more)
            except InputError as error:
                refusal = error
            assert (refusal is None) == expected, f"{act.__name__}{words}: {refusal or 'taken'}"
            return refusal is None

        @rule(times=st.integers(1, 12))
        def go_on(self, times: int) -> None:
            """What a good crew does next, as often: so that runs reach the end, from wherever they are."""
            for _ in range(times):
                self._next()

        def _next(self) -> None:
            model = self.model
            back = {"held": "restart", "paused": "resume"}.get(model.state)
            if back:
                self._order("anna", back)
            elif model.state != "running":
                return
            elif model.running:
                self._work(model.running)
            elif set(model.done) - model.performed:
                phase = min(set(model.done) - model.performed)
                self.sign(phase, model.finisher[phase])
            elif WEIGH in model.done and not model.checked.get(WEIGH, set()) - model.doers[WEIGH]:
                self.check(WEIGH, "bela" if "bela" not in model.doers[WEIGH] else "cora")
            elif STIR in model.done and STIR not in model.released:
                self.sign(STIR, "cora" if "cora" not in model.doers[STIR] else "bela")
            elif model.whole:
                self.finish("anna")
            elif model.following == FILL and not model.cleared:
                self.clear("anna", "L-1")
            else:
                self.begin(model.following, "anna", True, True)

        def _work(self, phase: str) -> None:
            """The next thing that a running phase lacks."""
            model = self.model
            missing = [tag for tag in TAGS[phase] if (phase, tag) not in model.values]
            if missing:
                unit, value = UNITS[missing[0]], VALUES[missing[0]][0]
                gmp.enter_value(shop.ledger, self.batch, phase, missing[0], value, unit, shop.actors["anna"])
                model.values[phase, missing[0]] = f"{value} anna"
                model.does(phase, "anna")
            elif phase == WEIGH and model.weighed < 9:
                self.dispense(phase, "anna", GOOD_LOT, "10", "g")
            else:
                self.complete(phase, "anna", True)

        @rule(phase=phases, who=workers, equipped=st.sampled_from([True, True, False]), turn=st.booleans())
        def begin(self, phase: str, who: str, equipped: bool, turn: bool) -> None:
            model = self.model
            phase = model.following or phase if turn else phase
            again = model.running == phase and model.starter == who
            ready = model.following == phase and not model.running and (phase != WEIGH or equipped)
            ready = ready and (phase != FILL or model.cleared)
            expected = model.acts(who) and model.state == "running" and (again or ready)
            equipment = ["BAL-1"] if equipped else []
            if self.taken(expected, gmp.begin_phase, phase, shop.actors[who], equipment=equipment) and not again:
                model.running, model.starter = phase, who
                model.does(phase, who)

        @rule(
            phase=phases,
            who=workers,
            lot=st.sampled_from([GOOD_LOT, GOOD_LOT, *LOTS, "SALT-99"]),
            amount=st.sampled_from(["10", "4", "7", "0", "-1", "ten"]),
            unit=st.sampled_from(["g", "g", "g", "kg", "mL"]),
        )
        def dispense(self, phase: str, who: str, lot: str, amount: str, unit: str) -> None:
            model = self.model
            key = (lot, amount, unit)
            known = key in getattr(self, "tickets", set()) and model.running == WEIGH == phase
            good = lot == GOOD_LOT and amount in ("10", "4", "7") and unit == "g"
            expected = model.acts(who) and model.state == "running" and model.running == phase
            expected = expected and ((phase == WEIGH and good) or known)
            if self.taken(expected, gmp.dispense, phase, lot, amount, unit, shop.actors[who]) and not known:
                self.tickets = {*getattr(self, "tickets", set()), key}
                model.weighed += float(amount)
                model.does(phase, who)

        @rule(phase=phases, who=workers, data=st.data(), right=st.sampled_from([True, True, True, False]))
        def enter(self, phase: str, who: str, data: Any, right: bool) -> None:
            model = self.model
            phase = model.running or phase
            tag = data.draw(st.sampled_from(TAGS[phase] if right else ("net", "nothing")))
            value = data.draw(st.sampled_from(VALUES.get(tag, ("1",))))
            unit = UNITS.get(tag, "") if right else "kg"
            before = model.values.get((phase, tag))
            same = before == f"{value} {who}"
            expected = right and model.acts(who) and model.state == "running" and model.running == phase
            expected = expected and (before is None or same)
            act = (phase, tag, value, unit, shop.actors[who])
            if self.taken(expected, gmp.enter_value, *act) and not same:
                model.values[phase, tag] = f"{value} {who}"
                model.does(phase, who)

        @rule(phase=phases, who=workers, turn=st.booleans())
        def complete(self, phase: str, who: str, turn: bool) -> None:
            model = self.model
            phase = model.running or phase if turn else phase
            again = phase in model.done and model.finisher[phase] == who
            entered = all((phase, tag) in model.values for tag in TAGS[phase])
            enough = phase != WEIGH or model.weighed >= 9
            ready = model.running == phase and model.state == "running" and model.acts(who) and entered and enough
            if self.taken(again or ready, gmp.complete_phase, phase, shop.actors[who]) and not again:
                model.running = ""
                model.done.append(phase)
                model.finisher[phase] = who
                model.performed.add(phase)
                model.does(phase, who)

        @rule(phase=phases, who=people)
        def check(self, phase: str, who: str) -> None:
            model = self.model
            expected = phase in model.done and model.acts(who) and who not in model.doers[phase]
            if self.taken(expected, gmp.check_by_second, phase, shop.actors[who]):
                model.checked.setdefault(phase, set()).add(who)

        @precondition(lambda self: self.model.done)
        @rule(phase=phases, who=people)
        def sign(self, phase: str, who: str) -> None:
            model = self.model
            own = phase in model.done and model.finisher[phase] == who
            again = own and (phase not in model.performed or phase != STIR)
            other = phase == STIR and phase in model.done and model.acts(who) and who not in model.doers[phase]
            release = other and phase in model.performed
            if self.taken(model.acts(who) and (again or release), gmp.sign_phase, phase, shop.actors[who]):
                if own:
                    model.performed.add(phase)
                else:
                    model.released.add(phase)

        @precondition(lambda self: self.model.values)
        @rule(data=st.data(), who=workers, reason=st.sampled_from(["misread", "misread", " "]))
        def correct(self, data: Any, who: str, reason: str) -> None:
            model = self.model
            phase, tag = data.draw(st.sampled_from(sorted(model.values)))
            value = data.draw(st.sampled_from(VALUES[tag]))
            expected = model.acts(who) and bool(reason.strip())
            taken = self.taken(expected, gmp.correct_entry, phase, tag, value, shop.actors[who], reason=reason)
            if taken and model.values[phase, tag].split(" ")[0] != value:
                model.values[phase, tag] = f"{value} corrected"
                model.does(phase, who)
                model.takes_back(phase)

        @rule(who=workers, line=st.sampled_from(["L-1", "L-1", "L-2"]))
        def clear(self, who: str, line: str) -> None:
            model = self.model
            expected = model.acts(who) and model.state == "running" and line == "L-1"
            if self.taken(expected, gmp.clear_line, line, shop.actors[who], found="empty"):
                model.cleared = True

        @rule(who=workers, name=st.sampled_from(["hold", "restart", "pause", "resume", "restart", "resume"]))
        def order(self, who: str, name: str) -> None:
            self._order(who, name)

        @precondition(lambda self: len(self.model.done) == 2)
        @rule(who=workers, name=st.sampled_from(["stop", "abort", "reset", "start", "complete"]))
        def end(self, who: str, name: str) -> None:
            self._order(who, name)

        def _order(self, who: str, name: str) -> None:
            after = MATRIX[self.model.state].get(name)
            expected = after is not None and self.model.acts(who)
            command = Command(name)
            if self.taken(expected, gmp.command_batch, command, shop.actors[who], reason="as the model wants"):
                assert after is not None
                self.model.state = after

        @precondition(lambda self: len(self.model.done) > 1)
        @rule(who=workers)
        def finish(self, who: str) -> None:
            model = self.model
            expected = model.acts(who) and model.state == "running" and model.whole
            if self.taken(expected, gmp.finish_batch, shop.actors[who], amount="3"):
                model.state = "complete"

        @invariant()
        def the_record_stands_where_the_model_stands(self) -> None:
            record = gmp.batch_record(shop.ledger.events(subject=self.batch), self.batch)
            model = self.model
            assert record.state.value == model.state
            assert record.illegal == ()
            assert [item.phase for item in record.steps if item.completed_at] == model.done
            assert (record.running.phase if record.running else "") == model.running
            assert {item.phase for item in record.steps if item.performed} == model.performed
            assert {item.phase for item in record.steps if item.hold_signatures} == model.released
            current = {(item.phase, item.tag): item.current for item in record.values if item.kind == "entry"}
            assert current == {key: text.split(" ")[0] for key, text in model.values.items()}
            assert all(not item.faults for item in gmp.recalculate(record, shop.control))
            assert sum(float(item.amount) for item in record.consumed) == model.weighed
            assert record.lot == (self.batch if model.state == "complete" else None)

    return Batch


def settings_of(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


def test_no_run_of_acts_gets_past_the_procedure(tmp_path):
    shop = Shop.open(tmp_path)
    run_state_machine_as_test(machine(shop), settings=settings_of(60, 30))
    states = [row.state.value for row in gmp.batch_list(shop.ledger)]
    assert {"running", "complete"} <= set(states)  # the runs reach the end
    shop.ledger.close()
    assert verify(tmp_path / "record.db").verdict == "pass"


@pytest.mark.parametrize("name", ["start", "reset", "complete"])
def test_people_give_no_other_commands(tmp_path, name):
    shop = Shop.open(tmp_path)
    gmp.start_batch(shop.ledger, shop.control, "M-1", shop.actors["anna"], simulated=True)
    with pytest.raises(IllegalCommand, match="is no order"):
        gmp.command_batch(shop.ledger, "M-1", Command(name), shop.actors["anna"], reason="past the end")
    shop.ledger.close()


@pytest.mark.slow
def test_no_long_run_of_acts_gets_past_the_procedure(tmp_path):
    shop = Shop.open(tmp_path)
    run_state_machine_as_test(machine(shop), settings=settings_of(300, 80))
    states = {row.state.value for row in gmp.batch_list(shop.ledger)}
    assert {"stopped", "aborted", "complete"} <= states
    given = {event.payload["command"] for event in shop.ledger.events(type="batch.state_changed")}
    assert given == {"start", "hold", "restart", "pause", "resume", "stop", "abort", "complete"}
    shop.ledger.close()
    assert verify(tmp_path / "record.db").verdict == "pass"
