"""Good batches learnt from their record, a running one watched beside them: alarm, telemetry, record, command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.automation import (
    GoldenBatches,
    GoldenPoint,
    GoldenWatch,
    alarm_book,
    learn_golden,
    read_golden,
    write_golden,
)
from seedtrain.automation._monitoring._profile import PhaseTime, profile
from seedtrain.base import InputError, InputErrors
from seedtrain.cli import main
from seedtrain.cli._batch_golden import _tell_model, beside
from seedtrain.cli._common import Common
from seedtrain.record import Ledger, Telemetry, Trend, open_ledger
from tests.automation_monitoring.recorded import (
    EVERY,
    PHASE,
    RECIPE,
    START,
    UNIT,
    begin,
    commanded,
    end,
    golden_ledger,
    names,
    tell,
)
from tests.automation_monitoring.test_model import TAGS, TIMES, batches
from tests.judges import needs

pytestmark = needs("duckdb", "pyarrow")
ALARM = f"golden@{PHASE}"


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GoldenBatches]:
    folder = tmp_path_factory.mktemp("golden")
    with golden_ledger(folder) as ledger, Telemetry(ledger) as telemetry:
        return folder, learn_golden(ledger, telemetry, names(), components=2)


@pytest.fixture
def ledger(tmp_path: Path, learnt: tuple[Path, GoldenBatches]) -> Iterator[Ledger]:
    """A copy of the ledger with the good batches."""
    shutil.copytree(learnt[0], tmp_path / "record")
    with open_ledger(tmp_path / "record" / "record.db") as found:
        yield found


def faulty(seed: int = 8) -> Any:
    return batches(1, seed, shift=2.5, tag=1).values[0]


def test_the_profiles_of_the_record_are_those_that_were_read(learnt: tuple[Path, GoldenBatches]) -> None:
    model = learnt[1].phases[PHASE].model
    assert set(model.tags) == set(TAGS)
    assert len(model.hours) == TIMES
    drawn = batches(20, 0).values[:, :, [TAGS.index(tag) for tag in model.tags]]
    np.testing.assert_allclose(model.mean.reshape(TIMES, -1), drawn.mean(axis=0), atol=1e-6)
    assert (learnt[1].recipe, learnt[1].origin, len(learnt[1].batches)) == (RECIPE, "simulated", 20)


def test_a_model_is_the_same_from_its_file_and_a_damaged_file_is_none(
    learnt: tuple[Path, GoldenBatches], tmp_path: Path
) -> None:
    path = tmp_path / "golden.json"
    write_golden(learnt[1], path)
    again = read_golden(path)
    assert again.digest == learnt[1].digest
    values = faulty()[:, [TAGS.index(tag) for tag in again.phases[PHASE].model.tags]]
    one, two = (item.phases[PHASE].model.first_alarm(values) for item in (again, learnt[1]))
    assert one is not None
    assert two is not None
    assert (one.place, one.statistic, next(iter(one.contributions))) == (two.place, two.statistic, "oxygen")
    assert one.contributions == pytest.approx(two.contributions)
    data = json.loads(path.read_text())
    for change in ("loadings", "limits", "left_out"):
        spoilt = json.loads(json.dumps(data))
        spoilt["phases"][0][change] = spoilt["phases"][0][change][:-1]
        path.write_text(json.dumps(spoilt))
        with pytest.raises(InputError, match=f"{change} of {PHASE} has the shape"):
            read_golden(path)
    for text in ("[]", "{", json.dumps({**data, "format": "another"})):
        path.write_text(text)
        with pytest.raises(InputError, match="no model of good batches"):
            read_golden(path)


def test_a_running_batch_is_judged_as_it_comes_and_the_alarm_names_the_tag(
    ledger: Ledger, learnt: tuple[Path, GoldenBatches]
) -> None:
    values = faulty()
    started = begin(ledger, "B-1", 40)
    watching = GoldenWatch(ledger, "B-1", learnt[1])
    assert watching.look() == ()
    points: list[GoldenPoint] = []
    for first in range(0, 30, 5):
        tell(ledger, started, values[first : first + 5], first)
        points += watching.look()
    assert [round(item.hours * 10) for item in points] == list(range(1, 31))
    came = next(place for place, item in enumerate(points) if item.alarm)
    assert 15 <= came <= 19, "what is wrong from the sixteenth point on is found within five"
    finding = points[came].finding
    assert finding is not None
    assert next(iter(finding.contributions)) == "oxygen"
    (alarm,) = alarm_book(ledger, "B-1").standing
    assert (alarm.unit, alarm.name, alarm.priority, alarm.origin) == (UNIT, ALARM, "high", "simulated")
    assert alarm.raised_at == started + EVERY * (came + 1)
    assert "oxygen" in alarm.action
    raised = next(ledger.events(subject="B-1", type="alarm.raised"))
    assert raised.payload["model"] == learnt[1].digest
    assert raised.payload["contributions"][0]["tag"] == "oxygen"
    with Telemetry(ledger) as telemetry:
        (trend,) = telemetry.trends(["golden.index"])
    assert trend.value.tolist() == pytest.approx([item.index for item in points], rel=1e-12)
    assert trend.device == f"{UNIT}.golden.index"
    watching.close()
    killed = GoldenWatch(ledger, "B-1", learnt[1])
    head = ledger.head.seq
    again = killed.look()
    assert ledger.head.seq == head, "made anew it says nothing twice"
    assert [item.index for item in again] == pytest.approx([item.index for item in points], rel=1e-9)
    tell(ledger, started, values[30:], 30)
    end(ledger, "B-1", started + EVERY * TIMES)
    killed.look()
    killed.look()
    assert killed.ended
    killed.close()
    told = [event.payload for event in ledger.events(subject="B-1", type="batch.monitored")]
    assert [item["watch"] for item in told] == ["began", "ended"]
    assert (told[1]["points"], float(told[1]["highest"]) > 1) == (TIMES, True)
    assert alarm_book(ledger, "B-1").alarms[UNIT, ALARM].layers.present is False


def test_a_hold_makes_no_difference_for_the_clock_of_the_phase_stands_still(
    ledger: Ledger, learnt: tuple[Path, GoldenBatches]
) -> None:
    values = batches(1, 5).values[0]
    found = []
    for name, day, held in (("B-1", 40, timedelta(0)), ("B-2", 42, timedelta(hours=2, minutes=1))):
        started = begin(ledger, name, day)
        tell(ledger, started, values[:10])
        if held:
            at = started + EVERY * 10
            commanded(ledger, name, "hold", at)
            tell(ledger, at, np.full((8, len(TAGS)), 99.0))  # what is read meanwhile says nothing of the phase
            commanded(ledger, name, "restart", at + held)
        tell(ledger, started, values[10:], 10, late=held)
        end(ledger, name, started + EVERY * TIMES + held)
        watching = GoldenWatch(ledger, name, learnt[1])
        found.append(watching.look())
        watching.close()
    assert [item.index for item in found[0]] == pytest.approx([item.index for item in found[1]], rel=1e-9)
    assert len(found[0]) == TIMES
    assert found[1][-1].at - found[0][-1].at == timedelta(days=2, hours=2, minutes=1)


def test_a_profile_is_the_mean_of_what_is_good_in_its_unit_and_an_empty_stretch_has_the_one_before_once() -> None:
    minutes = np.array([1, 2, 5, 7, 8, 40, 45])
    time = (minutes * 60_000_000).astype(np.int64)
    quality = np.array([0, 0, 2, 1, 0, 0, 0], np.int8)
    value = np.array([20.0, 22.0, 999.0, 30.0, 31.0, 50.0, 52.0])
    trend = Trend("temperature", "degC", "T.temperature", "measured", time, value, quality, 7)
    phase = PhaseTime("p", "T", 0, 60 * 60_000_000)
    (row,) = profile({"temperature": [trend]}, phase, {"temperature": "degC"}, 360.0, 10).T
    nan = np.nan
    np.testing.assert_allclose(row, [21, 31, 31, nan, nan, nan, 50, 52, 52, nan])
    (kelvin,) = profile({"temperature": [trend]}, phase, {"temperature": "K"}, 360.0, 10).T
    np.testing.assert_allclose(kelvin, row + 273.15)


def test_a_phase_of_which_one_instrument_tells_has_no_model_and_stops_no_other(
    learnt: tuple[Path, GoldenBatches],
) -> None:
    assert list(learnt[1].phases) == [PHASE]


def test_what_does_not_fit_is_refused(ledger: Ledger, learnt: tuple[Path, GoldenBatches]) -> None:
    begin(ledger, "B-1", 40)
    begin(ledger, "B-2", 41, recipe="another")
    begin(ledger, "B-3", 42, origin="measured")
    with Telemetry(ledger) as telemetry:
        with pytest.raises(InputError, match="3 batches are too few"):
            learn_golden(ledger, telemetry, names(3))
        with pytest.raises(InputErrors) as errors:
            learn_golden(ledger, telemetry, [*names(), "B-1", "B-9"])
        assert "B-1 is running, not complete" in str(errors.value)
        assert "no batch 'B-9'" in str(errors.value)
        for given, words in (
            ({"phases": ["x"]}, "x is read over 10 points"),
            ({"tags": ["colour"]}, "no telemetry of 'colour'"),
            ({"every": timedelta(hours=1)}, "10 points of 3600 s"),
            ({"phases": ["production/main/warm"]}, "fewer than two tags"),
        ):
            with pytest.raises(InputError, match=words):
                learn_golden(ledger, telemetry, names(), **given)
    for batch, words in (("B-2", "runs another, the model is of"), ("B-3", "is measured"), ("B-8", "no batch 'B-8'")):
        with pytest.raises(InputError, match=words):
            GoldenWatch(ledger, batch, learnt[1])


def test_a_batch_that_stands_out_among_the_good_ones_is_named(
    learnt: tuple[Path, GoldenBatches], capsys: pytest.CaptureFixture[str]
) -> None:
    phase = learnt[1].phases[PHASE]
    left_out = list(phase.model.left_out)
    left_out[3] = 50.0
    odd = replace(learnt[1], phases={PHASE: replace(phase, model=replace(phase.model, left_out=tuple(left_out)))})
    assert list(odd.outstanding) == ["G-03"]
    assert odd.outstanding["G-03"] > 2.0
    _tell_model(odd, Path("golden.json"), Common())
    assert "G-03 stands out" in capsys.readouterr().out


def test_at_the_command_line(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str], learnt: tuple[Path, GoldenBatches]
) -> None:
    model = tmp_path / "golden.json"

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main(["batch", *words, "--record", str(ledger.path)])
        said = capsys.readouterr()
        return int(str(left.value.code)), said.out + said.err

    code, said = run("golden", str(model), "--recipe", RECIPE, "--amount", "--components", "2")
    assert code == 0, said
    assert "learnt from 20 batches (simulated)" in said
    assert read_golden(model).outcome == "g"
    assert run("golden", str(model), "--recipe", RECIPE)[0] == 2
    assert run("golden", str(tmp_path / "other.json"))[0] == 2
    values = faulty()
    started = begin(ledger, "B-1", 40)
    tell(ledger, started, values)
    end(ledger, "B-1", started + EVERY * TIMES)
    code, said = run("monitor", "B-1", "--golden", str(model))
    assert code == 0, said
    assert "beyond what good batches do" in said
    assert "oxygen" in said
    code, said = run("monitor", "B-1", "--golden", str(model), "--once", "--json")
    points = json.loads(said)["points"]
    assert len(points) == TIMES
    assert points[-1]["told"] == pytest.approx(batches(1, 8).outcome[0], rel=0.05)  # type: ignore[index]
    code, said = run("watch", "B-1", "--once", "--hours", "9")
    assert (code, "golden.index" in said, ALARM in said) == (0, True, True)
    assert started > START


def test_beside_an_executor_it_watches_until_that_is_done_and_a_model_of_another_recipe_is_refused(
    ledger: Ledger, tmp_path: Path, learnt: tuple[Path, GoldenBatches], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "golden.json"
    write_golden(learnt[1], path)
    started, record = begin(ledger, "B-1", 40), str(ledger.path)
    with beside(path, "B-1", record):
        tell(ledger, started, faulty())
    (alarm,) = alarm_book(ledger, "B-1").standing
    assert alarm.name == ALARM, "what came last is judged too"
    begin(ledger, "B-2", 60, recipe="another")
    with pytest.raises(InputError, match="runs another"), beside(path, "B-2", record):
        raise AssertionError("nothing is executed")
    with beside(None, "B-1", record):
        pass
    with pytest.raises(SystemExit) as left:
        main(["batch", "start", "x@1", "--batch", "B-3", "--golden", str(path), "--as", "person-1", "--record", record])
    assert left.value.code == 2
    assert "--golden watches a batch on a plant" in capsys.readouterr().err
