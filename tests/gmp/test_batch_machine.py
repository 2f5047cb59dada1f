"""Hypothesis runs batches by hand: legal and illegal acts, wrong lots, wrong order, up to a release and past it.

The model of `by_hand` says of every act whether it is taken; the record must say the same, and afterwards stand exactly
where the model stands. What is released stays as it was released, whatever is tried.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from seedtrain import gmp
from seedtrain.base import InputError
from seedtrain.quality import Result
from seedtrain.recipe import Command, IllegalCommand
from seedtrain.record import verify
from tests.gmp.by_hand import (
    FILL,
    GOOD_LOT,
    LOTS,
    MATRIX,
    PEOPLE,
    PHASES,
    STIR,
    TAGS,
    UNITS,
    VALUES,
    WEIGH,
    Model,
    Shop,
)

WHY: Final = "as the model wants"
CLOSING: Final = {"impact": "none: within what was validated", "cause": "slip", "action": "trained"}
AFTERWARDS: Final = ("signature.applied", "batch.reviewed", "batch.released", "batch.rejected", "batch.on_hold")


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
            self.frozen: Any = None
            gmp.start_batch(shop.ledger, shop.control, self.batch, shop.actors["anna"])

        @property
        def record(self) -> gmp.BatchRecord:
            return gmp.batch_record(shop.ledger.events(subject=self.batch), self.batch)

        def taken(self, expected: bool, act: Any, *words: Any, **more: Any) -> bool:
            """Do it; it must be taken exactly where the model says so."""
            refusal: InputError | None = None
            try:
                act(shop.ledger, self.batch, *words, **more)
            except InputError as error:
                refusal = error
            assert (refusal is None) == expected, f"{act.__name__}{words}: {refusal or 'taken'}"
            return refusal is None

        @rule(times=st.integers(2, 12))
        def go_on(self, times: int) -> None:
            """What a good crew does next, as often: so that runs reach the end, from wherever they are."""
            for _ in range(times):
                self._next()

        def _next(self) -> None:
            model = self.model
            back = {"held": "restart", "paused": "resume"}.get(model.state)
            unsigned = set(model.done) - model.performed
            if not model.open or model.state in ("stopped", "aborted"):
                return
            if back:
                self._order("anna", back)
            elif model.running:
                self._work(model.running)
            elif unsigned:
                self.sign(min(unsigned), model.finisher[min(unsigned)])
            elif WEIGH in model.done and not model.checked.get(WEIGH, set()) - model.doers[WEIGH]:
                self.check(WEIGH, "bela" if "bela" not in model.doers[WEIGH] else "cora")
            elif STIR in model.done and STIR not in model.released:
                self.sign(STIR, "cora" if "cora" not in model.doers[STIR] else "bela")
            elif model.state == "complete":
                self._judge()
            elif model.whole:
                self.finish("anna", "3")
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
                model.states(missing[0])
            elif phase == WEIGH and model.weighed < 9:
                self.dispense(phase, "anna", GOOD_LOT, ("10", "g"), f"T-{len(model.tickets) + 9}")
            else:
                self.complete(phase, model.starter, True, "")

        def _judge(self) -> None:
            """What quality does with a whole batch."""
            if not self.model.result:
                self.test("quin", "conforms")
            elif self.model.out - self.model.mended:
                self.mend()
            elif not self.reviewed:
                self.review("rita")
            else:
                self.release("dora")

        @rule(phase=phases, who=workers, equipped=st.sampled_from([True, True, False]), turn=st.booleans())
        def begin(self, phase: str, who: str, equipped: bool, turn: bool) -> None:
            model = self.model
            phase = model.following or phase if turn else phase
            again = model.running == phase and model.starter == who
            ready = model.following == phase and not model.running and (phase != WEIGH or equipped)
            ready = ready and (phase != FILL or model.cleared)
            expected = model.acts(who) and model.runs and (again or ready)
            equipment = ["BAL-1"] if equipped else []
            if self.taken(expected, gmp.begin_phase, phase, shop.actors[who], equipment=equipment) and not again:
                model.running, model.starter = phase, who
                model.does(phase, who)

        @rule(
            phase=phases,
            who=workers,
            lot=st.sampled_from([GOOD_LOT, GOOD_LOT, *LOTS, "SALT-99"]),
            given=st.sampled_from(
                [
                    *(("10", "g"), ("10.0", "g"), ("4", "g"), ("4.00", "g"), ("7", "g")),
                    *(("0.01", "kg"), ("0", "g"), ("-1", "g"), ("ten", "g"), ("10", "mL")),
                ]
            ),
            reference=st.sampled_from(["", "", "T-1", "T-2"]),
        )
        def dispense(self, phase: str, who: str, lot: str, given: tuple[str, str], reference: str) -> None:
            model = self.model
            phase = model.running or phase
            amount, unit = ("10", "g") if given == ("0.01", "kg") else given
            weight = f"{float(amount):g}" if amount != "ten" else ""
            known = model.tickets.get((lot, reference or weight)) if phase == WEIGH and unit == "g" else None
            if phase == WEIGH and reference and unit != "g":
                known = model.tickets.get((lot, reference))  # a ticket names one weighing: another amount is refused
            good = lot == GOOD_LOT and amount in ("10", "10.0", "4", "4.00", "7") and given[1] == "g"
            right = phase == WEIGH and good if known is None else (f"{known[0]:g}", known[1]) == (weight, who)
            right = right and (known is None or unit == "g")
            expected = model.acts(who) and model.runs and model.running == phase and right
            act = (phase, lot, *given, shop.actors[who])
            if self.taken(expected, gmp.dispense, *act, reference=reference):
                model.weighs(lot, amount, reference, who)

        @precondition(lambda self: WEIGH in (self.model.running, self.model.following) and self.model.runs)
        @rule(data=st.data(), who=workers, spelled=st.sampled_from(["{:g}", "{:.1f}", "{:.3f}", "0.0{:g}"]))
        def weigh_again(self, data: Any, who: str, spelled: str) -> None:
            """A weighing told twice: by the same person it is one, however it is written."""
            if not self.model.running:
                self.begin(WEIGH, "anna", True, True)
            if not self.model.tickets:
                self.dispense(WEIGH, data.draw(st.sampled_from(["anna", "bela"])), GOOD_LOT, ("10", "g"), "")
            (lot, reference), (amount, _) = data.draw(st.sampled_from(sorted(self.model.tickets.items())))
            given = (spelled.format(amount), "g") if not spelled.startswith("0.0") else ("0.01", "kg")
            self.dispense(WEIGH, who, lot, given, reference if reference.startswith("T-") else "")

        @precondition(lambda self: self.model.running or self.model.done)
        @rule(phase=phases, who=workers, data=st.data(), right=st.sampled_from([True, True, True, False]))
        def enter(self, phase: str, who: str, data: Any, right: bool) -> None:
            model = self.model
            phase = model.running or phase
            tag = data.draw(st.sampled_from(TAGS[phase] if right else ("net", "nothing")))
            value = data.draw(st.sampled_from(VALUES.get(tag, ("1",))))
            unit = UNITS.get(tag, "") if right else "kg"
            before = model.values.get((phase, tag))
            same = before == f"{value} {who}"
            expected = right and model.acts(who) and model.runs and model.running == phase
            expected = expected and (before is None or same)
            act = (phase, tag, value, unit, shop.actors[who])
            if self.taken(expected, gmp.enter_value, *act) and not same:
                model.values[phase, tag] = f"{value} {who}"
                model.does(phase, who)
                model.states(tag)

        @rule(phase=phases, who=workers, turn=st.booleans(), reason=st.sampled_from(["", "", "anna was called away"]))
        def complete(self, phase: str, who: str, turn: bool, reason: str) -> None:
            model = self.model
            phase = model.running or phase if turn else phase
            again = phase in model.done and model.finisher[phase] == who and reason in ("", model.reasons[phase])
            entered = all((phase, tag) in model.values for tag in TAGS[phase])
            enough = phase != WEIGH or model.weighed >= 9
            took_part = who in model.doers.get(phase, set())
            ready = model.running == phase and model.runs and model.acts(who) and entered and enough
            ready = ready and (took_part or bool(reason))
            act = (phase, shop.actors[who])
            if self.taken(again or ready, gmp.complete_phase, *act, reason=reason) and not again:
                model.running = ""
                model.done.append(phase)
                model.finisher[phase], model.reasons[phase] = who, reason
                model.performed.add(phase)
                if not took_part:
                    model.strangers.add(phase)
                model.does(phase, who)

        @precondition(lambda self: self.model.running and self.model.runs)
        @rule(who=st.sampled_from(["anna", "bela", "cora"]), reason=st.sampled_from(["", "", "anna was called away"]))
        def hand_over(self, who: str, reason: str) -> None:
            """Everything is there, and somebody ends the phase."""
            phase = self.model.running
            while any((phase, tag) not in self.model.values for tag in TAGS[phase]) or (
                phase == WEIGH and self.model.weighed < 9
            ):
                self._work(phase)
            self.complete(phase, who, True, reason)

        @precondition(lambda self: self.model.done)
        @rule(phase=phases, who=people)
        def check(self, phase: str, who: str) -> None:
            model = self.model
            expected = phase in model.done and model.acts(who) and who not in model.doers[phase] and model.open
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
            expected = model.acts(who) and model.open and (again or release)
            if self.taken(expected, gmp.sign_phase, phase, shop.actors[who]):
                if own:
                    model.performed.add(phase)
                else:
                    model.released.add(phase)

        @precondition(lambda self: self.model.values)
        @rule(data=st.data(), who=workers, reason=st.sampled_from(["misread", "misread", "misread", " "]))
        def correct(self, data: Any, who: str, reason: str) -> None:
            phase, tag = data.draw(st.sampled_from(sorted(self.model.values)))
            self._correct(phase, tag, data.draw(st.sampled_from(VALUES[tag])), who, reason)

        def _correct(self, phase: str, tag: str, value: str, who: str, reason: str) -> None:
            model = self.model
            expected = model.acts(who) and bool(reason.strip()) and model.open
            taken = self.taken(expected, gmp.correct_entry, phase, tag, value, shop.actors[who], reason=reason)
            if taken and model.values[phase, tag].split(" ")[0] != value:
                model.values[phase, tag] = f"{value} corrected"
                model.does(phase, who)
                model.takes_back(phase)
                model.states(tag)

        @precondition(lambda self: self.model.values and self.model.open)
        @rule(data=st.data(), who=st.sampled_from(["anna", "bela"]))
        def put_right(self, data: Any, who: str) -> None:
            """Another value than the one that stands, wherever the batch is: what was signed for is signed no more."""
            phase, tag = data.draw(st.sampled_from(sorted(self.model.values)))
            stands = self.model.values[phase, tag].split(" ")[0]
            (other,) = [value for value in VALUES[tag] if value != stands]
            self._correct(phase, tag, other, who, "misread")

        @precondition(lambda self: len(self.model.done) > 1)
        @rule(who=workers, line=st.sampled_from(["L-1", "L-1", "L-2"]))
        def clear(self, who: str, line: str) -> None:
            model = self.model
            expected = model.acts(who) and model.runs and line == "L-1"
            if self.taken(expected, gmp.clear_line, line, shop.actors[who], found="empty"):
                model.cleared = True

        @precondition(lambda self: len(self.model.done) == 1 or self.model.state in ("held", "paused"))
        @rule(who=workers, name=st.sampled_from(["hold", "restart", "pause", "resume", "restart", "resume"]))
        def order(self, who: str, name: str) -> None:
            self._order(who, name)

        @precondition(lambda self: len(self.model.done) == 2)
        @rule(who=workers, name=st.sampled_from(["stop", "abort"]))
        def end(self, who: str, name: str) -> None:
            self._order(who, name)

        @precondition(lambda self: len(self.model.done) == 2)
        @rule(who=workers, name=st.sampled_from(["reset", "start", "complete"]))
        def misorder(self, who: str, name: str) -> None:
            self._order(who, name)

        def _order(self, who: str, name: str) -> None:
            model = self.model
            again = model.last_order == (name, who)
            after = model.state if again else MATRIX[model.state].get(name)
            expected = after is not None and model.acts(who)
            if self.taken(expected, gmp.command_batch, Command(name), shop.actors[who], reason=WHY):
                assert after is not None
                model.state, model.last_order = after, (name, who)

        @precondition(lambda self: len(self.model.done) > 1)
        @rule(who=workers, amount=st.sampled_from(["3", "3.0", "4"]))
        def finish(self, who: str, amount: str) -> None:
            model = self.model
            again = model.state == "complete" and (who, float(amount)) == model.ended
            ready = model.runs and model.whole
            if self.taken(model.acts(who) and (again or ready), gmp.finish_batch, shop.actors[who], amount=amount):
                model.state, model.ended = "complete", (who, float(amount))

        @precondition(lambda self: self.model.state == "complete")
        @rule(who=people, value=st.sampled_from(["conforms", "conforms", "other"]))
        def test(self, who: str, value: str) -> None:
            model = self.model
            expected = PEOPLE[who] == "quality_control" and model.result in ("", value)
            expected = expected and (model.open or value == "conforms")
            found = [Result("identity", value, "look", "Q-1")]
            act = (shop.control.recipe.specification, found, shop.actors[who])
            if self.taken(expected, gmp.record_results, *act):
                model.result = value

        @precondition(lambda self: len(self.model.done) > 1 and self.model.out - self.model.mended)
        @rule()
        def mend(self) -> None:
            """Quality opens a deviation for every excursion, and closes it."""
            gmp.open_deviations(shop.ledger, self.batch)
            for item in self.record.deviations:
                if item.closure is None:
                    more: dict[str, Any] = {"classification": "minor", "actor": shop.actors["dora"], **CLOSING}
                    gmp.close_deviation(shop.ledger, self.batch, item.deviation, **more)
            self.model.mended |= self.model.out

        @precondition(lambda self: self.model.done)
        @rule(who=people)
        def review(self, who: str) -> None:
            expected = PEOPLE[who] in ("reviewer", "quality_assurance")
            self.taken(expected, gmp.review, shop.actors[who], comment="seen")

        @precondition(lambda self: self.model.state == "complete" and self.model.open)
        @rule()
        def decide_in_haste(self) -> None:
            """Reviewed and decided as it is, whatever is still missing."""
            self.review("rita")
            self.release("dora")

        @precondition(lambda self: len(self.model.done) > 1)
        @rule(who=st.sampled_from(["dora", "dora", "rita", "cora", "quin"]))
        def release(self, who: str) -> None:
            model, ready = self.model, self.releasable
            expected = PEOPLE[who] == "quality_assurance" and model.decision != "rejected"
            if not self.taken(expected, gmp.release_batch, shop.actors[who]) or model.decision == "released":
                return
            decision = self.record.decision
            found = decision.decision if decision else ""
            assert (found == "released") == ready, gmp.release_verdict(shop.ledger, self.batch).evidence
            if ready:
                model.decision = "released"
                self.frozen = _content(self.record)

        @precondition(lambda self: self.reviewed)
        @rule(who=st.sampled_from(["dora", "dora", "rita"]), word=st.sampled_from(["on_hold", "on_hold", "rejected"]))
        def stop(self, who: str, word: Any) -> None:
            model = self.model
            if self.taken(PEOPLE[who] == "quality_assurance", gmp.stop_batch, shop.actors[who], word, "a complaint"):
                model.decision = model.decision if model.decision == "rejected" else word

        @property
        def reviewed(self) -> bool:
            """Whether nothing happened to the batch since its last review."""
            events = list(shop.ledger.events(subject=self.batch))
            last = max(item.seq for item in events if item.type not in AFTERWARDS)
            return max((item.seq for item in events if item.type == "batch.reviewed"), default=0) > last

        @property
        def releasable(self) -> bool:
            model = self.model
            conforms = model.result == "conforms" and model.out <= model.mended
            return model.state == "complete" and model.whole and conforms and self.reviewed and model.open

        @invariant()
        def the_record_stands_where_the_model_stands(self) -> None:
            record = self.record
            model = self.model
            assert record.state.value == model.state
            assert record.illegal == ()
            assert [item.phase for item in record.steps if item.completed_at] == model.done
            assert (record.running.phase if record.running else "") == model.running
            assert {item.phase for item in record.steps if item.performed} == model.performed
            assert {item.phase for item in record.steps if item.hold_signatures} == model.released
            assert {item.phase for item in record.steps if not item.took_part} == model.strangers
            current = {(item.phase, item.tag): item.current for item in record.values if item.kind == "entry"}
            assert current == {key: text.split(" ")[0] for key, text in model.values.items()}
            assert all(not item.faults for item in gmp.recalculate(record, shop.control))
            assert sum(float(item.amount) for item in record.consumed) == model.weighed
            assert record.lot == (self.batch if model.state == "complete" else None)
            assert bool(gmp.uncovered(record)) == bool(model.out - model.mended)

        @invariant()
        def nothing_changes_under_a_release(self) -> None:
            if self.model.decision == "released":
                assert _content(self.record) == self.frozen

    return Batch


def _content(record: gmp.BatchRecord) -> tuple[object, ...]:
    """What a release is about."""
    made = (record.steps, record.values, record.consumed, record.clearances, record.lot, record.amount, record.states)
    return (*made, record.stops, record.results, record.deviations, record.interventions)


def settings_of(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


def test_no_run_of_acts_gets_past_the_procedure(tmp_path):
    shop = Shop.open(tmp_path)
    run_state_machine_as_test(machine(shop), settings=settings_of(50, 35))
    rows = gmp.batch_list(shop.ledger)
    assert {"running", "complete"} <= {row.state.value for row in rows}  # the runs reach the end
    assert list(shop.ledger.events(type="batch.released"))
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
    rows = gmp.batch_list(shop.ledger)
    states = {row.state.value for row in rows}
    assert "complete" in states
    assert states & {"stopped", "aborted"}
    assert all(list(shop.ledger.events(type=f"batch.{word}")) for word in ("released", "rejected", "on_hold"))
    given = {event.payload["command"] for event in shop.ledger.events(type="batch.state_changed")}
    # Walks are what chance makes of them: which orders they leave out changes with every rule.
    orders = {"start", "hold", "restart", "pause", "resume", "stop", "abort", "complete"}
    assert given <= orders
    assert len(given) >= 6
    shop.ledger.close()
    assert verify(tmp_path / "record.db").verdict == "pass"
