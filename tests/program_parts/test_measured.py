"""What the gap reads from the batch's record."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seedtrain.program._design_stages import DesignStages
from seedtrain.program._directory import read_program
from seedtrain.program._gap_stage import GapStage

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen"


def test_the_titre_is_the_last_sample_of_the_broth_and_none_of_purification() -> None:
    program = read_program(EXAMPLE)
    stage = GapStage(program, DesignStages(program))
    titre = next(item for item in stage.criteria() if item.attribute == "titre")

    def sample(phase: str, value: str) -> dict[str, str]:
        return {"tag": "product", "kind": "sample", "phase": phase, "value": value, "unit": "g/L"}

    values = [
        sample("production/growth/fed-batch", "1.0"),
        sample("production/induction/express", "4.5"),
        sample("capture/cation-exchange/elute", "12.0"),
    ]
    record = {"results": [], "values": values}
    results: Any = {"batch": SimpleNamespace(data={"content": {"record": record}})}
    assert stage._measured(titre, results) == {"value": "4.5 g/L", "verdict": "pass"}
    record["values"] = values[2:]
    assert stage._measured(titre, results) is None
