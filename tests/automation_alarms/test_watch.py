"""Alarms of a batch in its record: raised, acted upon, shelved for a time, told to people, and there after a kill."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import (
    Alarm,
    AlarmState,
    AlarmWatch,
    NotifyEntry,
    acknowledge_alarm,
    alarm_book,
    read_alarms,
    recipe_alarms,
    reset_alarm,
    shelve_alarm,
)
from seedtrain.base import InputError, InputErrors
from seedtrain.cli import main
from seedtrain.quantity import Quantity
from seedtrain.recipe import parse_recipe
from seedtrain.record import Draft, Ledger, enrol_person, open_ledger
from tests.automation.made import BATCH, RECIPE, START

PASSWORD = "a long enough password"  # noqa: S105


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "record.db") as found:
        found.append(Draft("batch.created", BATCH, {"origin": "simulated"}, "system", START))
        yield found


def at(minutes: float) -> Any:
    return START + timedelta(minutes=minutes)


HIGH = Alarm("T", "pH", "pH.high", "high", Quantity(7.0, ""), 0.1, group="pH", action="Look at the acid.")
LOW = Alarm("T", "pH", "pH.low", "low", Quantity(6.0, ""), group="pH", priority="critical", latching=True)
FOAM = Alarm("T", "foam", "foam.high", "high", Quantity(10.0, "cm"), group="pH", suppressed_in=("sterilise",))


def watch(ledger: Ledger, *alarms: Alarm, **more: Any) -> AlarmWatch:
    return AlarmWatch(ledger, BATCH, alarms or (HIGH, LOW, FOAM), origin="simulated", **more)


def states(ledger: Ledger) -> dict[str, str]:
    return {item.name: item.state.value for item in alarm_book(ledger, BATCH).alarms.values()}


def test_the_record_tells_the_whole_story_and_a_killed_watch_goes_on(ledger: Ledger) -> None:
    person = enrol_person(ledger, "Operator", ["operator"], scripted=True)
    first = watch(ledger)
    first.see("T", "pH", 7.2, "", "good", at(1))
    first.see("T", "foam", 11.0, "cm", "good", at(2))
    found = alarm_book(ledger, BATCH)
    assert [(item.name, item.first_out) for item in found.standing] == [("pH.high", True), ("foam.high", False)]
    assert (found.standing[0].value, found.standing[0].limit, found.standing[0].action) == ("7.2", "7", HIGH.action)
    second = watch(ledger)  # the first one was killed
    head = ledger.head.seq
    second.see("T", "pH", 7.3, "", "good", at(3))
    assert ledger.head.seq == head, "it is there already"
    acknowledge_alarm(ledger, BATCH, "pH.high", person)
    second.see("T", "pH", 6.95, "", "good", at(4))  # within the dead band
    assert states(ledger)["pH.high"] == "acknowledged"
    second.see("T", "pH", 6.85, "", "good", at(5))
    assert states(ledger) == {"pH.high": "normal", "foam.high": "unacknowledged"}
    with pytest.raises(InputError, match="normal, not unacknowledged"):
        acknowledge_alarm(ledger, BATCH, "pH.high", person)
    second.see("T", "pH", 5.0, "", "good", at(6))
    second.see("T", "pH", 6.5, "", "good", at(7))
    with pytest.raises(InputError, match="latched unacknowledged, not latched and acknowledged"):
        reset_alarm(ledger, BATCH, "pH.low", person)
    acknowledge_alarm(ledger, BATCH, "pH.low", person)
    reset_alarm(ledger, BATCH, "pH.low", person)
    assert states(ledger)["pH.low"] == "normal"
    payload = next(ledger.events(subject=BATCH, type="alarm.acknowledged")).payload
    assert set(payload) >= {"unit", "tag", "alarm", "priority", "at", "reason", "by", "until"}
    assert payload["by"] == person


def test_shelving_ends_by_itself_and_an_alarm_that_is_still_there_comes_back(ledger: Ledger) -> None:
    person = enrol_person(ledger, "Operator", ["operator"], scripted=True)
    watching = watch(ledger)
    watching.see("T", "pH", 7.2, "", "good", at(1))
    with pytest.raises(InputError, match="not between 0 and 8:00:00"):
        shelve_alarm(ledger, BATCH, "pH.high", person, duration=timedelta(hours=9), reason="probe")
    with pytest.raises(InputError, match="no reason"):
        shelve_alarm(ledger, BATCH, "pH.high", person, duration=timedelta(hours=1), reason=" ")
    end = shelve_alarm(ledger, BATCH, "pH.high", person, duration=timedelta(minutes=10), reason="probe")
    assert end == at(11), "on the clock of the process"
    watching.tick(at(10.9))
    assert states(ledger)["pH.high"] == "shelved"
    watching.tick(at(30))
    assert states(ledger)["pH.high"] == "unacknowledged"
    assert next(ledger.events(subject=BATCH, type="alarm.unshelved")).occurred == at(11)


def test_a_phase_suppresses_by_design_and_limits_of_a_recipe_hold_in_their_phase_only(ledger: Ledger) -> None:
    alarms = recipe_alarms(parse_recipe(RECIPE, "recipe.yaml"))
    (high,) = [item for item in alarms if item.name == "temperature.high@seed/expansion/grow"]
    watching = watch(ledger, FOAM, high)
    unit, path = high.unit, high.phases[0]
    watching.see("T", "foam", 11.0, "cm", "good", at(0))
    watching.phase("T", "production/main/sterilise", "sterilise", at(1))
    assert states(ledger)["foam.high"] == "suppressed_by_design"
    watching.phase("T", "production/main/grow", "grow", at(2))
    assert states(ledger)["foam.high"] == "unacknowledged"
    watching.see(unit, "temperature", 39.0, "degC", "good", at(3))
    assert high.name not in states(ledger), "its phase does not run"
    watching.phase(unit, path, "grow", at(10))
    for minute in range(10, 60):
        watching.see(unit, "temperature", 39.0, "degC", "good", at(minute))
    raised = alarm_book(ledger, BATCH).get(unit, high.name)
    assert raised is not None
    assert raised.raised_at == at(10) + high.settling + high.on_delay
    watching.phase(unit, "seed/expansion/charge", "charge", at(61))
    assert states(ledger)[high.name] == "returned_unacknowledged"


def test_people_are_told_of_what_is_grave_enough_and_the_record_says_whether_it_worked(
    ledger: Ledger, tmp_path: Path
) -> None:
    told = tmp_path / "told.jsonl"
    code = f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read() + '\\n')"
    ways = (
        NotifyEntry(command=(sys.executable, "-c", code), priority="high"),
        NotifyEntry(command=("/nowhere/to/be/found",), priority="critical"),
    )
    watching = watch(ledger, notify=ways)
    watching.see("T", "pH", 7.2, "", "good", at(1))  # medium: nobody is told
    watching.see("T", "pH", 5.0, "", "good", at(2))
    watching.close()
    (line,) = [json.loads(text) for text in told.read_text().splitlines()]
    assert (line["alarm"], line["priority"], line["origin"], line["batch"]) == (
        "pH.low",
        "critical",
        "simulated",
        BATCH,
    )
    events = [event.payload for event in ledger.events(subject=BATCH, type="alarm.notified")]
    assert [(item["told"], bool(item["fault"])) for item in events] == [(True, False), (False, True)]


def test_a_file_of_alarms_is_refused_whole_with_every_fault(tmp_path: Path) -> None:
    good = tmp_path / "alarms.yaml"
    good.write_text(
        "alarms:\n"
        "  - {unit: T, tag: pH, low: '6.6', dead_band: '0.05', on_delay: 1 min, priority: critical}\n"
        "  - {unit: T, tag: temperature, high: 38.5 degC, latching: yes, suppressed_in: [sterilise]}\n"
        "  - {unit: T, tag: pH, bad: yes}\n"
        "notify:\n  - {email: {server: 'mail.example:587', sender: a@b.example, to: [c@d.example]}}\n"
    )
    alarms, notify = read_alarms(good)
    assert [item.name for item in alarms] == ["pH.low", "temperature.high", "pH.bad"]
    assert (alarms[0].on_delay, alarms[0].dead_band) == (timedelta(minutes=1), 0.05)
    assert notify[0].wants("critical")
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "alarms:\n"
        "  - {unit: T, tag: pH}\n"
        "  - {unit: T, tag: pH, low: '6', high: '7'}\n"
        "  - {unit: T, tag: pH, low: '6', dead_band: '-1'}\n"
        "notify:\n  - {email: {server: 'mail.example:25', sender: a@b.example, to: [c@d.example], tls: 'no'}}\n"
    )
    with pytest.raises(InputErrors) as error:
        read_alarms(bad)
    words = str(error.value)
    assert len(error.value.parts) == 4
    assert all(text in words for text in ("neither a high", "high and low", "a dead band of -1", "read by others"))
    twice = tmp_path / "twice.yaml"
    twice.write_text("alarms:\n  - {unit: T, tag: pH, low: '6'}\n  - {unit: T, tag: pH, low: '5'}\n")
    with pytest.raises(InputErrors, match=r"two alarms 'pH\.low'"):
        read_alarms(twice)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def command(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, password: str = PASSWORD) -> tuple[int, str]:
        read, write = os.pipe()
        os.write(write, f"{password}\n".encode())
        os.close(write)
        try:
            with pytest.raises(SystemExit) as left:
                main(["batch", *(item.replace("FD", str(read)) for item in words), "--record", str(ledger.path)])
        finally:
            os.close(read)
        printed = capsys.readouterr()
        return int(str(left.value.code)), printed.out + printed.err

    return run


def test_an_operator_acts_at_the_command_line_and_nobody_else_does(ledger: Ledger, command: Run) -> None:
    operator = enrol_person(ledger, "Op Erator", ["operator"], password=PASSWORD)
    stranger = enrol_person(ledger, "Store Keeper", ["warehouse"], password=PASSWORD)
    watch(ledger).see("T", "pH", 7.2, "", "good", at(1))
    code, words = command("alarms", BATCH)
    assert code == 0
    assert all(text in words for text in ("medium", "unacknowledged", "T pH.high", "7.2", "first-out", "simulated"))
    assert command("acknowledge-alarm", BATCH, "pH.high", "--as", stranger, "--password-fd", "FD")[0] == 2
    code, words = command("acknowledge-alarm", BATCH, "pH.high", "--as", operator, "--password-fd", "FD", "--json")
    assert (code, json.loads(words)["alarms"][0]["state"]) == (0, "acknowledged")
    act = ("shelve", BATCH, "pH.high", "--for", "30 min", "--reason", "probe", "--as", operator, "--password-fd", "FD")
    assert command(*act)[0] == 0
    assert "已搁置" in command("alarms", BATCH, "--lang", "zh")[1]
    code, words = command("acknowledge-alarm", BATCH, "foam.low", "--as", operator, "--password-fd", "FD")
    assert code == 2
    assert "Alarms so far: pH.high" in words
    assert command("alarms", "B-9")[0] == 2
    signed = list(ledger.events(subject=BATCH, type="signature.applied"))
    assert [item.payload["meaning"] for item in signed] == ["alarm acknowledged", "alarm shelved"]
    assert alarm_book(ledger, BATCH).standing[0].state is AlarmState.SHELVED
