"""node-opcua, which nobody here wrote, browses, subscribes to, writes and calls the virtual plant."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from seedtrain.automation._scenario import write_scenario
from seedtrain.automation._served import start_plant
from seedtrain.quantity import Quantity
from tests.automation.made import START, plant
from tests.automation_opcua.served import FED, small, small_scenario
from tests.judges import node_judge

JUDGE = Path(__file__).parent / "judge"


def test_node_opcua_sees_what_the_stand_in_shows(tmp_path: Path):
    node = node_judge(JUDGE, "node-opcua-client")
    path = tmp_path / "scenario.json"
    write_scenario(path, small_scenario())
    phase = small().recipe.phase(FED)
    controlled = {"temperature": "degC", "pH": "", "aeration": "vvm"}
    targets = {
        tag: value.magnitude(unit) for tag, unit in controlled.items() if isinstance(value := phase.set[tag], Quantity)
    }
    properties = [f"{name}={value}" for name, value in phase.set.items() if name not in targets]
    process = start_plant(path)
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    settings = [START.isoformat(), json.dumps(properties), json.dumps(targets)]
    command = [node, str(JUDGE / "judge.js"), process.url, "T", FED, "temperature", *settings]
    try:
        done = subprocess.run(command, env=home, capture_output=True, text=True, timeout=60, check=False)
    finally:
        process.stop()
    assert done.returncode == 0, done.stderr
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))  # it talks besides
    assert found["units"]["T"] == list(small_scenario().units["T"].phases[FED].sensors)
    assert found["EngineeringUnits"] == {"text": "degC", "id": 4408652}
    assert found["Origin"] == "simulated"
    assert found["statuses"].pop("writeCurrent") in ("BadNotWritable", "BadUserAccessDenied")
    assert set(found["statuses"].values()) == {"Good"}, found["statuses"]
    assert found["refusal"] == ["", ""]
    assert (found["running"], found["ended"]) == ("Execute", "Complete")
    assert datetime.fromisoformat(found["reached"]) == START + timedelta(hours=6)
    unit = plant(small()).unit("T")
    unit.command(FED, phase.set)
    unit.start(FED, phase, START)
    shown = [item for item in unit.read(FED, timedelta(minutes=6)) if item.tag == "temperature"]
    assert [(datetime.fromisoformat(when), value) for when, value, _ in found["values"]] == [
        (item.time, item.value) for item in shown
    ]
    assert {status for _, _, status in found["values"]} == {"Good"}
