"""A scripted batch leaves its telemetry, for questions by batch and phase, and the alarms of its recipe's limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedtrain.automation import FaultEntry, Recorder, alarm_book, batch_state, read_segment, recipe_alarms
from seedtrain.cli import main
from seedtrain.record import Telemetry, verify
from tests.automation.made import BATCH, control_recipe, ledger_in, plant, run_batch
from tests.judges import needs

pytestmark = needs("duckdb", "pyarrow")
FED = "production/main/fed"


def test_the_telemetry_of_a_batch_is_that_of_its_phases_and_its_excursion_was_an_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control = control_recipe()
    fault = FaultEntry.model_validate(
        {"unit": "T", "phase": FED, "tag": "pH", "offset": "-0.5", "after": "2 h", "duration": "1 h"}
    )
    with ledger_in(tmp_path) as ledger:
        for _ in range(2):  # the second time it is complete, and is only read
            with Recorder(ledger, BATCH, origin="simulated", alarms=recipe_alarms(control.recipe)) as recorder:
                run_batch(ledger, control=control, plant=plant(control, [fault]), recorder=recorder)
        segment = read_segment(tmp_path / "segments", batch_state(ledger, BATCH).segments[FED])
        (raised,) = [item for item in alarm_book(ledger, BATCH).alarms.values() if item.count]
        with Telemetry(ledger) as telemetry:
            assert set(telemetry.tags()) >= set(segment.columns)
        assert verify(ledger.path).verdict == "pass"
        path = ledger.path
    assert (raised.name, raised.count, raised.state.value) == (f"pH.low@{FED}", 1, "returned_unacknowledged")
    words = ["telemetry", "query", "--tag", "pH", "--batch", BATCH, "--phase", FED, "--json", "--record", str(path)]
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    (trend,) = json.loads(capsys.readouterr().out)["trends"]
    # A phase ends where the next begins: its last reading stands at that time, and is the next one's.
    assert trend["value"] == pytest.approx(segment.columns["pH"][: len(trend["value"])].tolist(), rel=1e-6)
    assert len(trend["value"]) >= len(segment.time) - 1
    assert trend["batch_h"] == pytest.approx(segment.time[: len(trend["value"])].tolist(), abs=1e-6)
    assert trend["origin"] == "simulated"
