"""The recorder's telemetry, alarms and gaps, and a batch that is watched from them while another process runs it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.automation import Alarm, Reading, Recorder, batch_state
from seedtrain.cli import main
from seedtrain.cli._batch_watch import braille
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, Ledger, Spool, Telemetry, open_ledger, telemetry_path
from tests.automation.made import BATCH, START
from tests.judges import needs

pytestmark = needs("duckdb", "pyarrow")
UNIT, PATH = "PILOT-200", "production/growth/batch"
HIGH = Alarm(UNIT, "pH", "pH.high", "high", Quantity(7.0, ""), priority="critical")


def at(hours: float) -> Any:
    return START + timedelta(hours=hours)


def readings(first: float, last: float) -> list[Reading]:
    """Every six minutes; pH passes 7 after an hour."""
    found = []
    for number in range(round(first * 10), round(last * 10)):
        time = at(number / 10)
        values = {"pH": (6.8 + 0.02 * number, ""), "temperature": (37.0 + math.sin(number), "degC")}
        for tag, (value, unit) in values.items():
            found.append(Reading(tag, value, unit, time, "good", "simulated", f"{UNIT}.{tag}"))
    return found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "record.db") as found:
        settings = {"temperature": "37 degC", "material": "medium"}
        found.append(
            Draft("batch.created", BATCH, {"recipe": "small", "origin": "simulated"}, "system", START),
            Draft("step.started", BATCH, {"phase": PATH, "unit": UNIT, "settings": settings}, "system", START),
        )
        yield found


def recorder(ledger: Ledger) -> Recorder:
    return Recorder(ledger, BATCH, origin="simulated", alarms=[HIGH])


def test_what_a_killed_recorder_sends_again_is_there_once_and_sealed_hour_by_hour(ledger: Ledger) -> None:
    first = recorder(ledger)
    first.take(UNIT, readings(0, 2))
    first.close(seal=False)  # as after a kill: the spool has it, no more was sealed
    with recorder(ledger) as again:
        again.take(UNIT, readings(0, 3))
        again.gap(UNIT, "", at(1.2), at(1.4), "the server was restarted", backfilled=True, origin="simulated")
        again.gap(UNIT, "", at(1.2), at(1.4), "the server was restarted", backfilled=True, origin="simulated")
    with Telemetry(ledger) as telemetry:
        for trend in telemetry.trends(["pH", "temperature"]):
            wanted = [(item.time, item.value) for item in readings(0, 3) if item.tag == trend.tag]
            assert trend.value.tolist() == [value for _, value in wanted]
            assert trend.device == f"{UNIT}.{trend.tag}"
        assert telemetry.latest == at(2.9)
    stored = list(ledger.events(subject=BATCH, type="segment.stored"))
    assert {item.payload["hour"][11:13] for item in stored} == {"08", "09", "10"}
    assert all(item.occurred <= at(3) for item in stored), "on the clock of the process"
    assert batch_state(ledger, BATCH).clock == at(2.9)
    assert len(list(ledger.events(type="telemetry.gap"))) == 1
    assert len(list(ledger.events(type="alarm.raised"))) == 1


def test_a_value_that_is_not_a_number_is_kept_as_bad(ledger: Ledger) -> None:
    with recorder(ledger) as target:
        target.put(UNIT, "pH", at(0), math.nan, "", origin="measured")
    with Telemetry(ledger) as telemetry:
        (trend,) = telemetry.trends(["pH"])
    assert (trend.quality.tolist(), trend.origin) == ([2], "measured")


def watched(ledger: Ledger, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as left:
        main(["batch", "watch", BATCH, "--once", "--record", str(ledger.path), *words])
    assert left.value.code == 0
    return capsys.readouterr().out


def test_a_batch_is_watched_with_targets_trends_alarms_and_its_mark(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorder(ledger) as target:
        target.take(UNIT, readings(0, 1.5))
        target.gap(UNIT, "pH", at(0.2), at(0.4), "network", backfilled=False, origin="simulated")
        target.flush()
        found = json.loads(watched(ledger, capsys, "--json"))
        tags = {item["tag"]: item for item in found["tags"]}
        assert (found["simulated"], found["phases"][0]["path"]) == (True, PATH)
        assert (tags["temperature"]["target"], tags["pH"]["target"]) == (37.0, None)
        assert tags["pH"]["alarm"] == "unacknowledged"
        assert [item["name"] for item in found["alarms"]] == ["pH.high"]
        text = watched(ledger, capsys, "--tag", "pH")
        assert all(word in text for word in ("simulated", PATH, "PILOT-200 pH", "pH.high", "critical", "telemetry gap"))
        assert "PILOT-200 temperature" not in text
        assert "模拟" in watched(ledger, capsys, "--lang", "zh")
        target.take(UNIT, readings(1.5, 2))  # the other process goes on
        target.flush()
        assert json.loads(watched(ledger, capsys, "--json"))["batch_h"] == pytest.approx(1.9)


def test_watching_ends_with_the_batch_and_an_unknown_batch_is_refused(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["batch", "watch", "B-9", "--record", str(ledger.path)])
    assert left.value.code == 2
    assert "no batch 'B-9'" in capsys.readouterr().err
    for before, command, after in (("idle", "start", "running"), ("running", "complete", "complete")):
        payload = {"unit_procedure": "", "command": command, "before": before, "after": after}
        ledger.append(Draft("batch.state_changed", BATCH, payload, "system", START))
    with pytest.raises(SystemExit) as left:
        main(["batch", "watch", BATCH, "--record", str(ledger.path)])
    assert left.value.code == 0
    assert "complete" in capsys.readouterr().out


KILLED = """
import sys
from seedtrain.automation import Recorder
from seedtrain.record import open_ledger
from tests.automation_alarms.test_recorder import BATCH, UNIT, readings, recorder
target = recorder(open_ledger(sys.argv[1]))
for item in readings(0, 400):
    target.take(UNIT, [item])
    target.flush()
    print(item.time.isoformat(), flush=True)
"""


def test_what_a_recorder_has_brought_to_the_disk_outlives_its_kill(ledger: Ledger) -> None:
    ledger.close()
    command = [sys.executable, "-c", KILLED, str(ledger.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(60)]
        process.kill()
    with open_ledger(ledger.path) as again, recorder(again) as target:
        target.take(UNIT, readings(0, 3))
    with open_ledger(ledger.path) as again, Telemetry(again) as telemetry:
        found = {item for trend in telemetry.trends(["pH", "temperature"]) for item in trend.time.tolist()}
        assert set(told) <= {
            (START + timedelta(microseconds=item - START.timestamp() * 1e6)).isoformat() for item in found
        }
        assert len(list(again.events(type="alarm.raised"))) == 1


def test_what_keeps_telemetry_in_the_spool_is_told_once_for_a_batch_and_not_every_hour(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with recorder(ledger) as found:
        for hour in range(5):
            found.take(UNIT, readings(hour, hour + 1))
            found.tick(at(hour + 1))
    told = [item.getMessage() for item in caplog.records if "stays in the spool" in item.getMessage()]
    assert len(told) == 1, told
    assert "pyarrow" in told[0]


def test_two_spools_of_one_ledger_do_not_disturb_a_recorder(ledger: Ledger) -> None:
    with recorder(ledger) as target, Spool(telemetry_path(ledger.path)) as other:
        other.put("level", 1.0, "m", at(0), device="TANK.level")
        target.take(UNIT, readings(0, 1))
    with Telemetry(ledger) as telemetry:
        assert telemetry.tags() == ("level", "pH", "temperature")


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=200), st.integers(2, 40), st.integers(1, 4))
def test_a_trend_of_dots_has_its_size_and_shows_least_and_most(values: list[float], width: int, lines: int) -> None:
    rows = braille(values, width, lines)
    assert [len(row) for row in rows] == [width] * lines
    finite = [value for value in values if math.isfinite(value)]
    dots = [[ord(cell) - 0x2800 for cell in row] for row in rows]
    if not finite:
        assert not any(map(any, dots))
        return
    assert any(cell & 0xC0 for cell in dots[-1]), "the least lies on the lowest dots"
    if max(finite) > min(finite):
        assert any(cell & 0x09 for cell in dots[0]), "the most on the highest"


def test_a_rising_trend_rises() -> None:
    assert braille([0, 1, 2, 3], 2, 1) == ["⡠⠊"]
