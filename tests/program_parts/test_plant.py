"""Names of units end up in names of files, and must not lead out of their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrain.base import InputError
from seedtrain.program._plant import read_plant

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen" / "plant.yaml"


@pytest.mark.parametrize("name", ["../PILOT-200", "/PILOT-200", "..", "a b", "PILOT/200", "x" * 81])
def test_a_unit_name_that_is_no_file_name_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("  PILOT-200:\n", f'  "{name}":\n')
    path = tmp_path / "plant.yaml"
    path.write_text(text.replace("unit: PILOT-200", f'unit: "{name}"'), encoding="utf-8")
    with pytest.raises(InputError, match="is not a name") as caught:
        read_plant(path)
    (fault,) = caught.value.parts
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row == f'  "{name}":')
    assert str(fault.position) == f"{path}:{line}:3"


def test_the_names_of_the_example_are_kept() -> None:
    assert {"BENCH-1L", "PILOT-200", "PLANT-20M3"} <= set(read_plant(EXAMPLE).vessels)
