"""Scenario 12: an out-of-order phase, an illegal ISA-88 command, a bypass of the commands: rejected, or shown."""

import itertools

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import batch_record, begin_phase, enter_value, sign_phase
from seedtrain.recipe import State
from seedtrain.record import Draft, RefusedError, append_signed, open_ledger, sign
from tests.gmp_scenarios.hand import ADJUST, BATCH, FILL, PHASES, SALTS, VOLUME, WATER, Bench

ORDERS = ("hold", "restart", "pause", "resume", "stop", "abort")
LEGAL = {
    "running": {"hold": "held", "pause": "paused", "stop": "stopped", "abort": "aborted"},
    "held": {"restart": "running", "stop": "stopped", "abort": "aborted"},
    "paused": {"resume": "running", "hold": "held", "stop": "stopped", "abort": "aborted"},
    "stopped": {"abort": "aborted"},
    "aborted": {},
}
"""What the standard's matrix leaves for people, whose batch has no state that ends by itself; written out by hand."""


@pytest.fixture
def bench(tmp_path):
    found = Bench.ready(tmp_path)
    found.start()
    return found


AGAIN = {"hold": "held", "pause": "paused", "stop": "stopped", "abort": "aborted"}


def order(bench, name):
    words = ("--reason", "as the test wants it") if name in ("hold", "stop", "abort") else ()
    return bench.signed(bench.who["operator"], "batch", name, BATCH, *words)


def test_a_phase_begins_in_its_turn_only(bench):
    for done, phase in enumerate(PHASES[:3]):
        for other in PHASES[:done] + PHASES[done + 1 :]:
            answer = bench.refused("operator", "batch", "begin", BATCH, other)
            assert "out of order" in answer.words or "hold point" in answer.words
        bench.run_phase(phase)
    found = bench.done(None, "batch", "status", BATCH)
    assert [item["phase"] for item in found["phases"]] == list(PHASES[:3])
    assert found["illegal"] == []


def test_nothing_is_put_into_a_phase_before_or_after_its_time(bench):
    bench.refused("operator", "batch", "enter", BATCH, ADJUST, "pH", "7.4")
    bench.refused("operator", "batch", "dispense", BATCH, WATER, "WFI-1", "800", "g")
    bench.refused("operator", "batch", "complete", BATCH, WATER)
    bench.refused("second", "batch", "check", BATCH, SALTS)
    bench.refused("leader", "batch", "sign", BATCH, ADJUST)
    bench.refused("operator", "batch", "finish", BATCH, "950", "mL")
    bench.run_phase(WATER)
    assert "is complete" in bench.refused("operator", "batch", "dispense", BATCH, WATER, "WFI-1", "1", "g").words


@pytest.mark.parametrize("path", [*itertools.product(ORDERS, repeat=2), ("hold", "restart", "pause", "hold", "stop")])
def test_every_pair_of_commands_goes_as_the_standard_says(path, shared):
    bench, state = shared, "running"
    batch = f"PBS-{'-'.join(path)}"
    bench.start(batch)
    for name in path:
        words = ("--reason", "as the test wants it") if name in ("hold", "stop", "abort") else ()
        answer = bench.signed(bench.who["operator"], "batch", name, batch, *words)
        said_again = AGAIN.get(name) == state  # an order that is carried out already changes nothing
        assert (answer.code == 0) == (said_again or name in LEGAL[state]), (path, name, state, answer.words)
        if answer.code:
            assert "not legal while" in answer.words
        state = LEGAL[state].get(name, state)
        assert bench.done(None, "batch", "status", batch)["state"] == state


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Bench.ready(tmp_path_factory.mktemp("orders"))


def test_a_held_batch_takes_nothing_until_somebody_brings_it_back(bench):
    bench.by("operator", "batch", "begin", BATCH, WATER, "--equipment", "BAL-1")
    assert order(bench, "hold").data["states"] == {"preparation": "held"}
    assert "is held" in bench.refused("operator", "batch", "dispense", BATCH, WATER, "WFI-1", "800", "g").words
    assert [item["what"] for item in bench.done(None, "batch", "step", BATCH)["next"]] == ["restart"]
    assert order(bench, "restart").data["states"] == {"preparation": "running"}
    bench.by("operator", "batch", "dispense", BATCH, WATER, "WFI-1", "800", "g")
    assert bench.by("operator", "batch", "complete", BATCH, WATER)["state"] == "running"


def test_the_functions_behind_the_commands_refuse_the_same(bench):
    """No way around: who calls the library meets the same gates, and cannot sign as somebody."""
    operator = bench.who["operator"]
    with bench.surroundings(), open_ledger(bench.record) as ledger:
        head = ledger.head.seq
        for phase in (SALTS, ADJUST, VOLUME, FILL):
            with pytest.raises(InputError, match="out of order"):
                begin_phase(ledger, BATCH, phase, operator, equipment=["BAL-1"])
        with pytest.raises(InputError, match="not begun"):
            enter_value(ledger, BATCH, ADJUST, "pH", "7.4", "", operator)
        with pytest.raises(InputError, match="roles"):
            begin_phase(ledger, BATCH, WATER, bench.who["qa"])
        with pytest.raises(InputError, match="not enrolled"):
            begin_phase(ledger, BATCH, WATER, "person-99")
        assert ledger.head.seq == head
        with pytest.raises(InputError):  # a real person's signature needs their password
            append_signed(ledger, Draft("line.cleared", BATCH, {"line": "FILL-1", "found": "x"}, operator), "clearance")
        with pytest.raises(RefusedError):
            sign(ledger, bench.who["leader"], "0" * 64, "hold point", subject=BATCH)


def test_events_written_past_the_commands_change_nothing_and_are_shown(bench):
    """Somebody who can write to the ledger appends raw events: no state, signature or check comes of it."""
    operator = bench.who["operator"]
    bench.run_phase(WATER)
    bench.run_phase(SALTS)
    raw = [
        ("batch.state_changed", {"unit_procedure": "", "command": "resume", "before": "paused", "after": "running"}),
        ("batch.state_changed", {"unit_procedure": "", "command": "complete", "before": "held", "after": "complete"}),
        ("step.completed", {"phase": VOLUME, "duration_h": "1", "ended_by": "person"}),
        ("step.checked", {"phase": SALTS, "meaning": "checked"}),
        ("step.value_recorded", value(SALTS, "appearance", "hazy")),
        ("step.completed", {"phase": SALTS, "duration_h": "9", "ended_by": "person"}),
    ]
    with bench.surroundings(), open_ledger(bench.record) as ledger:
        ledger.append(*(Draft(type, BATCH, payload, operator) for type, payload in raw))
        record = batch_record(ledger.events(subject=BATCH), BATCH)
        words = [text for _, text in record.illegal]
    assert any("resume is not legal while running" in text for text in words)
    assert any(f"the end of {VOLUME}" in text for text in words)
    assert any("appearance was recorded after the end" in text for text in words)
    assert any(f"the end of {SALTS} was recorded, a second time" in text for text in words)
    assert record.state is State.RUNNING
    step = record.step(SALTS)
    assert step is not None
    assert not step.checked  # what came after the check takes it back; the raw check is not signed
    assert bench.refused("operator", "batch", "begin", BATCH, ADJUST, "--equipment", "PH-1")


def value(phase, tag, text):
    return {
        "phase": phase,
        "tag": tag,
        "value": text,
        "unit": "",
        "low": None,
        "high": None,
        "within": True,
        "kind": "entry",
    }


def test_a_hold_point_is_released_by_somebody_else_only(bench):
    for phase in (WATER, SALTS):
        bench.run_phase(phase)
    for word, words in list(bench.commands(ADJUST))[:-1]:
        bench.later(minutes=1)
        bench.by(word, *words)
    assert "same person" in bench.refused("operator", "batch", "sign", BATCH, ADJUST).words
    begin = ("batch", "begin", BATCH, VOLUME, "--equipment", "BAL-1")
    assert "hold point" in bench.refused("operator", *begin).words
    # Whoever performed the phase signs its end again, under the meaning of a hold point, past the command:
    with bench.surroundings(), open_ledger(bench.record) as ledger, pytest.raises(InputError):
        sign_phase(ledger, BATCH, ADJUST, bench.who["operator"])
    bench.by("leader", "batch", "sign", BATCH, ADJUST)
    bench.by("operator", *begin)
