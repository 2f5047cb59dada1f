"""A network that is lost, by the fault script and cut for real in a namespace of its own; and a disk that fills up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seedtrain.automation import FaultEntry
from seedtrain.automation._scenario import scenario_of
from seedtrain.base import InputErrors
from seedtrain.quantity import Quantity
from seedtrain.recipe import State
from seedtrain.record import moment
from tests.automation.made import production_run, seed_run, step_results
from tests.automation_live.made import control, served
from tests.automation_live.test_live import GROW, running
from tests.judges import needs

pytestmark = needs("asyncua", "duckdb", "pyarrow")
SPEED = 600.0


def lost(unit: str = "shake_flask", phase: str = GROW) -> FaultEntry:
    """Half an hour of the process in which nobody reaches the plant: three seconds."""
    half = Quantity(0.5, "h")
    return FaultEntry(unit=unit, phase=phase, kind="network_lost", after=half, duration=half)


def test_a_network_that_the_fault_script_loses_is_a_gap_that_history_fills(tmp_path: Path) -> None:
    made = scenario_of(
        control(), production=production_run(), seeds=[seed_run()], steps=step_results(), faults=[lost()]
    )
    with served(tmp_path, made=made, speed=SPEED) as process, running(tmp_path, process.url) as batch:
        batch.phase(GROW)
        batch.until(lambda: batch.events("telemetry.gap"))
        gap = next(item.payload for item in batch.events("telemetry.gap") if item.payload["tag"] == "temperature")
        began = batch.state.started[GROW].time
        start, end = ((moment(str(gap[key])) - began).total_seconds() / 3600.0 for key in ("from", "to"))
        assert 0.5 - 2 * SPEED / 3600 < start < 0.5 + 2 * SPEED / 3600, "within two looks"
        assert 1.0 - SPEED / 3600 < end < 1.0 + 8 * SPEED / 3600
        assert (gap["cause"], gap["backfilled"]) == ("connection lost", True)
        assert batch.state.state() is State.RUNNING
        assert any("cannot be reached" in words for words in batch.script.heard)
        assert any("is reached again" in words for words in batch.script.heard)


def test_a_lost_network_needs_its_phase_and_has_neither_tag_nor_size() -> None:
    hour = Quantity(1, "h")
    with pytest.raises(ValueError, match="network_lost"):
        FaultEntry(unit="u", phase="p", kind="network_lost", after=hour, duration=hour, tag="pH")
    with pytest.raises(ValueError, match="network_lost"):
        FaultEntry(unit="u", phase="p", kind="network_lost", after=hour, duration=hour, offset=1.0)
    with pytest.raises(InputErrors, match="there is no unit 'nowhere'"):
        scenario_of(
            control(), production=production_run(), seeds=[seed_run()], steps=step_results(), faults=[lost("nowhere")]
        )


@pytest.mark.slow
def test_a_network_that_is_cut_in_a_namespace_of_its_own_is_a_gap_and_the_batch_goes_on(tmp_path: Path) -> None:
    """Plant and executor alone in a network namespace; its interface goes down, so that packets vanish unanswered."""
    tools = [shutil.which("unshare"), shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")]
    allowed = all(tools) and subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0
    if not allowed:
        pytest.skip("network namespaces are not allowed here (unshare -n), or iproute2 is not installed")
    command = ["unshare", "-n", sys.executable, "-m", "tests.automation_live.cut_off", str(tmp_path), str(tools[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gap" in done.stdout


@pytest.mark.slow
def test_a_batch_whose_disk_is_full_for_a_while_goes_on(tmp_path: Path) -> None:
    """A small disk of its own in a mount namespace of its own: record and telemetry have no byte left for seconds."""
    unshare = shutil.which("unshare")
    probe = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs tmpfs {tmp_path}"]
    if unshare is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces are not allowed here (unshare -m)")
    command = ["unshare", "-m", sys.executable, "-m", "tests.automation_live.full_disk", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "goes on" in done.stdout
