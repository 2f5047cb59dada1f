"""The transitions of an alarm against the state diagram of ISA-18.2, and its detection against a plain search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seedtrain.automation._alarms import Alarm, AlarmHappening, AlarmState, next_alarm_state
from seedtrain.automation._alarms._states import Layers
from seedtrain.automation._alarms._watch import Detector
from seedtrain.quantity import Quantity

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
# The letters of ANSI/ISA-18.2-2016 as alerta (alerta/models/alarms/isa_18_2.py) and Beckhoff (E_MTP_AlarmState) have
# them; the latched states have none: b and c are B and C whose condition is gone.
LETTERS = dict(zip("ABCDbcEFG", AlarmState, strict=True))
DIAGRAM = {
    # from: {what: to}, of an alarm that does not latch: the transitions of alerta's state machine
    "A": {"comes": "B"},
    "B": {"acknowledge": "C", "goes": "D"},
    "C": {"goes": "A"},
    "D": {"acknowledge": "A", "comes": "B"},
}
LATCHING = {
    "A": {"comes": "B"},
    "B": {"acknowledge": "C", "goes": "b"},
    "C": {"goes": "c"},
    "b": {"acknowledge": "c", "comes": "B"},
    "c": {"reset": "A", "comes": "B"},  # OPC 10000-9, 5.8.5: no longer active and acknowledged, else Bad_InvalidState
}
WORDS = {
    "comes": AlarmHappening.RAISED,
    "goes": AlarmHappening.RETURNED,
    "acknowledge": AlarmHappening.ACKNOWLEDGED,
    "reset": AlarmHappening.RESET,
}
OVER = {
    "E": (AlarmHappening.SHELVED, AlarmHappening.UNSHELVED),
    "F": (AlarmHappening.SUPPRESSED, AlarmHappening.UNSUPPRESSED),
    "G": (AlarmHappening.REMOVED, AlarmHappening.RESTORED),
}


class Machine(RuleBasedStateMachine):
    """The layers beside the diagram: a letter, the condition, and the set of what lies over it."""

    latching = False

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.letter, self.present = Layers(), "A", False
        self.over: set[str] = set()

    def give(self, word: AlarmHappening) -> bool:
        found = next_alarm_state(self.layers, word, latching=self.latching)
        self.layers = found or self.layers
        return found is not None

    @rule(word=st.sampled_from(["acknowledge", "reset"]))
    def somebody_acts(self, word: str) -> None:
        diagram = (LATCHING if self.latching else DIAGRAM)[self.letter]
        wanted = None if self.over else diagram.get(word)
        assert self.give(WORDS[word]) is (wanted is not None)
        self.letter = wanted or self.letter

    @rule()
    def the_condition_turns(self) -> None:
        self.present = not self.present
        word = "comes" if self.present else "goes"
        assert self.give(WORDS[word])
        if not self.over:
            self.letter = (LATCHING if self.latching else DIAGRAM)[self.letter][word]

    @rule()
    def the_same_again(self) -> None:
        assert not self.give(WORDS["comes" if self.present else "goes"])

    @rule(what=st.sampled_from("EFG"))
    def put_over(self, what: str) -> None:
        assert self.give(OVER[what][0]) is (what not in self.over)
        self.over.add(what)

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def taken_off(self, data: st.DataObject) -> None:
        what = data.draw(st.sampled_from(sorted(self.over)))
        assert self.give(OVER[what][1])
        self.over.remove(what)
        if not self.over:
            self.letter = "B" if self.present else "A"

    @invariant()
    def shows_what_the_diagram_says(self) -> None:
        assert self.layers.state is LETTERS[max(self.over) if self.over else self.letter]
        assert self.layers.present is self.present


class Latching(Machine):
    latching = True


TestPlain = Machine.TestCase
TestLatching = Latching.TestCase
TestPlain.settings = TestLatching.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(
    values=st.lists(st.integers(3, 9), min_size=5, max_size=40),
    band=st.integers(0, 3),
    on=st.integers(0, 3),
    off=st.integers(0, 3),
    kind=st.sampled_from(["high", "low"]),
)
@example(values=[7, 7, 6, 5], band=1, on=0, off=0, kind="high")
@example(values=[5, 5, 6, 7], band=1, on=0, off=0, kind="low")
def test_dead_band_and_delays_are_what_they_say(values: list[int], band: int, on: int, off: int, kind: str) -> None:
    """Readings a minute apart, against a plain search backwards through all of them."""
    detector = Detector(
        Alarm(
            "T",
            "pH",
            "pH.x",
            kind,  # type: ignore[arg-type]
            Quantity(6.0, ""),
            float(band),
            timedelta(minutes=on),
            timedelta(minutes=off),
        )
    )
    sign, shown, since = (1 if kind == "high" else -1), False, 0
    for number, value in enumerate(values):
        detector.see(float(value), "", "good", START + timedelta(minutes=number))
        detector.see(99.0, "", "good", START + timedelta(minutes=number - 1))  # sent again late: passed over
        over = [sign * (item - 6) > 0 for item in values[: number + 1]]
        inside = [sign * (item - 6) <= -band for item in values[: number + 1]]
        run = inside if shown else over
        count = next((back for back, there in enumerate(reversed(run)) if not there), len(run))
        if min(count, number - since + 1) > (off if shown else on):
            shown, since = not shown, number + 1
        assert detector.present is shown


def test_a_value_that_cannot_be_used_neither_raises_nor_returns_but_is_an_alarm_of_its_own() -> None:
    high = Detector(Alarm("T", "pH", "pH.high", "high", Quantity(6.0, "")))
    bad = Detector(Alarm("T", "pH", "pH.bad", "bad"))
    for number, (value, quality) in enumerate([(7.0, "good"), (0.0, "bad"), (float("nan"), "good"), (5.0, "good")]):
        at = START + timedelta(minutes=number)
        high.see(value, "", quality, at)
        bad.see(value, "", quality, at)
        assert high.present is (number < 3)
        assert bad.present is (number in (1, 2))


def test_a_limit_is_read_in_the_unit_of_the_reading() -> None:
    detector = Detector(Alarm("T", "temperature", "t.high", "high", Quantity(37.0, "degC")))
    assert not detector.see(310.0, "K", "good", START)
    assert detector.see(310.5, "K", "good", START + timedelta(seconds=1))
    with pytest.raises(Exception, match="bar"):
        Detector(detector.alarm).see(1.0, "bar", "good", START)
