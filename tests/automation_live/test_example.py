"""The shipped example of two lines of work in one batch, from the command line as its page says, in lock-step."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedtrain.automation import batch_state
from seedtrain.gmp import receive_lots
from seedtrain.program import read_plant
from seedtrain.record import Telemetry, enrol_person, open_ledger, verify
from tests.automation_live.test_command_line import PASSWORD, Bench
from tests.worked import COMMAND, ROOT, called

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
PLANT, RECIPE = ROOT / "examples/collagen/plant.yaml", ROOT / "examples/beside/recipe.yaml"
BATCH, EXPRESS, INSPECT = "BES-001", "production/induction/express", "buffer/preparation/inspect"


@contextmanager
def plant(folder: Path) -> Iterator[str]:
    """The virtual plant in which the example runs; its URL."""
    more = ["--recipe", str(RECIPE), "--lock-step", "--port", "0", "--control-recipe", str(folder / "control.yaml")]
    process = subprocess.Popen([str(COMMAND), "plant", "start", str(PLANT), *more, "--json"], stdout=-1, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, text
            text += line
        yield str(json.loads(text)["url"])
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.slow
def test_two_lines_of_work_run_at_one_time_and_the_feed_follows_the_culture(tmp_path: Path):
    with open_ledger(tmp_path / "record.db") as ledger:
        who = enrol_person(ledger, "Olga", ["operator"], password=PASSWORD)
        receive_lots(ledger, read_plant(PLANT).lots, enrol_person(ledger, "Store", ["warehouse"], scripted=True))
    with plant(tmp_path) as url:
        mapping = tmp_path / "mapping.yaml"
        assert called("plant", "browse", url, "--write", mapping).code == 0
        bench = Bench(tmp_path, who, url)
        asked = ("start", tmp_path / "control.yaml", "--batch", BATCH, "--mapping", mapping, "--simulated")
        driven = bench.process(*asked, signed=True)
        bench.until(lambda: called("batch", "status", BATCH, "--record", bench.record).code == 0, 60.0)
        answered = bench.process("answer", BATCH)
        said, _ = driven.communicate(timeout=500)
        assert driven.returncode == 0, said
        answered.communicate(timeout=30)
    with open_ledger(bench.record, read_only=True) as ledger, Telemetry(ledger) as telemetry:
        state = batch_state(ledger, BATCH)
        start, end = state.started, state.completed
        assert start[INSPECT].time < end["seed-tank-1/expansion/grow"].time  # beside the culture
        assert end[INSPECT].time <= start["lysis/disruption/resuspend"].time
        soft = {item.tag: item for item in telemetry.trends(["mu", "RQ"], start[EXPRESS].time, end[EXPRESS].time)}
        mean = {tag: float(item.value[len(item.value) // 2 :].mean()) for tag, item in soft.items()}
        assert mean["mu"] == pytest.approx(0.08, abs=0.03)
        assert 0.8 < mean["RQ"] < 1.3
        (probe,) = ledger.events(subject=BATCH, type="probe.calibrated")
        assert (probe.payload["device"], probe.payload["passed"]) == ("PILOT-200.pH", True)
    assert verify(bench.record).verdict == "pass"
