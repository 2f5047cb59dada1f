"""kill -9 of an executor that drives a plant over Sparkplug: the next one goes on, with every amount."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import SpeaksEntry, TagMapping, TagPlant, batch_state, parse_tag_mapping
from seedtrain.automation._protocols._sparkplug import SparkplugDevice
from seedtrain.recipe import State
from seedtrain.record import Ledger, open_ledger, verify
from tests.automation_live.made import BATCH, Script, connected, control, ledger_in, run, served
from tests.automation_protocols.spoken import GROUP
from tests.automation_protocols.test_plant import opened

KILLS, SEED = 4, 20261122


def drive(folder: Path, mapping: TagMapping, points: int) -> int:
    """Drive the batch in a process of its own, which dies at the given point: before or after a request or a commit."""
    number = os.fork()
    if number:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    left = points

    def dying(original: Any) -> Any:
        def acting(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*given, **more)

        return acting

    try:
        with ledger_in(folder) as ledger, TagPlant(mapping, control()) as plant:
            for of, name in ((SparkplugDevice, "read"), (SparkplugDevice, "write"), (Ledger, "append")):
                setattr(of, name, dying(getattr(of, name)))
            run(ledger, plant, Script(ledger, confirm=True))
    except BaseException as error:  # noqa: BLE001 - a child must not come back into the test
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)


def test_killed_over_a_broker_the_batch_completes_with_every_amount_once(tmp_path: Path, broker_port: int):
    spark = {"broker": f"mqtt://127.0.0.1:{broker_port}", "group": GROUP, "edge": "killed"}
    speaks = SpeaksEntry.model_validate({"sparkplug": spark})
    draws, killed = random.Random(SEED), 0
    with served(tmp_path, speed=8_000.0, speaks=speaks) as process:
        device, text = opened("sparkplug", tmp_path, speaks)
        device.close()
        mapping = parse_tag_mapping(text, str(tmp_path / "mapping.yaml"))
        while killed < KILLS and (status := drive(tmp_path, mapping, draws.randint(40, 90))):
            assert status == -signal.SIGKILL
            killed += 1
        assert killed == KILLS
        assert drive(tmp_path, mapping, 10**9) == 0
        with open_ledger(tmp_path / "record.db", read_only=True) as ledger, connected(process.url) as plant:
            state = batch_state(ledger, BATCH)
            assert state.state() is State.COMPLETE
            assert set(state.completed) == {step.path for step in control().recipe.phases()}
            orders = [event.reason or "" for event in ledger.events(subject=BATCH, type="batch.state_changed")]
            assert any("the executor was lost" in reason for reason in orders)
            taken: dict[tuple[str, str], float] = {}
            for item in state.consumed:
                key = str(item["phase"]), str(item["material"])
                taken[key] = taken.get(key, 0.0) + float(item["amount"])
            # what the plant itself says over another protocol, of a feed that ran while executors came and went
            result = "nsu=urn:seedtrain:plant;s=T/ProgramManager/ResultSet/production/main/fed"
            fed = plant.session.read([f"{result}/Materials", f"{result}/Amounts"])
            amounts = dict(zip(*(item.value for item in fed if item is not None), strict=True))
            assert taken["production/main/fed", "water"] == pytest.approx(amounts["feed"] * 700.0, rel=1e-4)
            assert taken["production/main/fed", "ammonia-water"] == pytest.approx(amounts["base"] * 900.0, rel=1e-4)
    assert verify(tmp_path / "record.db").verdict == "pass"
