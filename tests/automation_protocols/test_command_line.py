"""The whole way over a broker from the command line: browse, the drafted mapping, start, hold, confirm, complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrain.automation import SpeaksEntry, batch_state
from seedtrain.record import enrol_person, open_ledger
from tests.automation_live.made import BATCH, control, ledger_in, served
from tests.automation_live.test_command_line import PASSWORD, SIMULATED, Bench
from tests.automation_protocols.spoken import GROUP
from tests.worked import called

GROW = "seed/expansion/grow"


@pytest.mark.slow
def test_from_browse_to_a_complete_batch_over_a_broker(tmp_path: Path, broker_port: int):
    spark = {"broker": f"mqtt://127.0.0.1:{broker_port}", "group": GROUP, "edge": "command"}
    speaks = SpeaksEntry.model_validate({"sparkplug": spark})
    with ledger_in(tmp_path) as ledger:
        who = enrol_person(ledger, "Olga", ["operator"], password=PASSWORD)
    recipe, mapping = tmp_path / "recipe.yaml", tmp_path / "mapping.yaml"
    recipe.write_text(control().recipe.to_yaml(), encoding="utf-8")
    with served(tmp_path, speed=4000.0, speaks=speaks) as process:
        bench = Bench(tmp_path, who, process.url)
        try:
            said = called("plant", "browse", speaks.urls()["sparkplug"], "--write", mapping)
            assert said.code == 0, said.out + said.err
            begun = bench.process("start", recipe, "--batch", BATCH, "--mapping", mapping, *SIMULATED, signed=True)
            bench.until(bench.status, 120)  # nobody can answer what is not there yet
            crew = bench.process("answer", BATCH)

            def runs() -> bool:
                with open_ledger(bench.record, read_only=True) as ledger:
                    return GROW in batch_state(ledger, BATCH).started

            bench.until(runs, 60)
            assert bench.signed("hold", BATCH, "--reason", "a look").code == 0
            bench.until(lambda: bench.status()["state"] == "held" and not bench.status()["plant"]["not_obeyed"], 20)
            assert bench.signed("confirm", BATCH).code == 0
            out, _ = begun.communicate(timeout=120)
            assert begun.returncode == 0, out
            assert f"{BATCH}: complete" in out
            crew.communicate(timeout=30)
        finally:
            for item in bench.begun:
                item.kill()  # nothing where it has ended
                item.communicate()
    with open_ledger(bench.record, read_only=True) as ledger:
        commands = [str(event.payload["command"]) for event in ledger.events(subject=BATCH, type="step.commanded")]
        assert commands == ["hold", "restart"]
        done = [event.payload["phase"] for event in ledger.events(subject=BATCH, type="step.completed")]
        assert done == [step.path for step in control().recipe.phases()]
