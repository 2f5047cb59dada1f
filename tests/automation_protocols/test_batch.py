"""A whole batch on the virtual plant over Sparkplug B and over Modbus, as `batch start --mapping` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrain.automation import SpeaksEntry, TagPlant, parse_tag_mapping
from seedtrain.recipe import State
from tests.automation_live.made import BATCH, Script, control, ledger_in, run, served
from tests.automation_protocols.spoken import GROUP, free_port
from tests.automation_protocols.test_plant import opened


@pytest.mark.parametrize("protocol", ["sparkplug", pytest.param("modbus", marks=pytest.mark.slow)])
def test_a_batch_from_thaw_to_fill(protocol: str, tmp_path: Path, broker_port: int):
    """Every phase, with what went in, what came out and what the laboratory found; all of it marked simulated."""
    spark = {"broker": f"mqtt://127.0.0.1:{broker_port}", "group": GROUP, "edge": f"batch-{protocol}"}
    speaks = SpeaksEntry.model_validate({protocol: spark if protocol == "sparkplug" else {"port": free_port()}})
    registers = tmp_path / "registers.yaml" if protocol == "modbus" else None
    with served(tmp_path, speed=30_000.0, speaks=speaks, register_map=registers):
        device, text = opened(protocol, tmp_path, speaks)
        mapping = parse_tag_mapping(text, str(tmp_path / "mapping.yaml"))
        with ledger_in(tmp_path) as ledger, TagPlant(mapping, control(), device=device) as plant:
            script = Script(ledger, confirm=True)
            state = run(ledger, plant, script)
            assert state.state() is State.COMPLETE, script.heard
            assert set(state.completed) == {step.path for step in control().recipe.phases()}
            events = list(ledger.events(subject=BATCH))
            assert {event.payload["origin"] for event in events if "origin" in event.payload} == {"simulated"}
            taken = {
                (event.payload["phase"], event.payload["material"]): float(event.payload["amount"])
                for event in events
                if event.type == "lot.consumed"
            }
            assert taken["production/main/charge", "water"] == pytest.approx(9800.0, rel=0.02)  # 10 L of 0.98 kg/L
            assert taken["production/main/fed", "ammonia-water"] > 0, "what the unit drew by itself"
            found = [item for event in events if event.type == "sample.taken" for item in event.payload["attributes"]]
            assert found == ["biomass", "biomass", "product", "cell_loss"]
            (produced,) = (event.payload for event in events if event.type == "lot.produced")
            assert float(produced["amount"]) > 0
            assert produced["unit"] == "g"
