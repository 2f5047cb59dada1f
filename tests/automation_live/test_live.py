"""A batch on a plant in which people act: it waits for them, obeys them, and refuses what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrain.recipe import State
from tests.automation_live.made import Script, connected, ledger_in, run, served

pytest.importorskip("asyncua", reason="the group `plant` is not installed")


def test_people_and_equipment_take_turns_to_the_end(tmp_path: Path):
    with served(tmp_path) as process, ledger_in(tmp_path) as ledger, connected(process.url) as plant:
        script = Script(ledger)
        state = run(ledger, plant, script)
        assert state.state() is State.COMPLETE
        assert script.done == []
