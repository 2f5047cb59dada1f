"""`seedtrain culture`: what is shipped, one culture in full, and a file's faults at their lines."""

from __future__ import annotations

import json

from seedtrain.simulation import read_culture, shipped_cultures
from tests.simulation.cases import culture_text
from tests.worked import called


def test_every_shipped_culture_is_listed_with_its_status() -> None:
    said = called("culture", "list")
    assert said.code == 0
    for name in shipped_cultures():
        row = next(line for line in said.out.splitlines() if line.startswith(f"{name} "))
        assert read_culture(name).status in row
    listed = json.loads(called("culture", "list", "--json").out)
    assert [item["name"] for item in listed] == list(shipped_cultures())


def test_a_culture_is_shown_with_ranges_units_and_sources() -> None:
    said = called("culture", "show", "yeast_bottleneck")
    assert said.code == 0
    assert "unverified: its original could not be checked" in said.out
    row = next(line for line in said.out.splitlines() if line.startswith("q_S_max"))
    assert "3.5 g/g/h" in row
    assert "2.5 .. 4" in row
    assert "Hjersted" in row
    found = json.loads(called("culture", "show", "yeast_bottleneck", "--json").out)
    assert found["expressions"]["mu"]["unit"] == "1/h"
    assert found["conversions"][0]["amounts"]["S"] == -1.0
    assert "葡萄糖" in called("culture", "show", "yeast_bottleneck", "--lang", "zh").out


def test_a_sound_file_passes_and_a_faulty_one_names_every_line(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(culture_text(), "utf-8")
    said = called("culture", "check", path)
    assert said.code == 0
    assert "8 conversions that close" in said.out
    path.write_text(culture_text({"DO / (DO + K_O)": "DO / (DO + K_S)", "q_S_grow * Y_em": "q_S_grow * Y_ew"}), "utf-8")
    said = called("culture", "check", path)
    assert said.code == 2
    assert "adds unlike units: 'DO' is in mmol/L, 'K_S' in g/L" in said.err
    assert "'Y_ew' is undefined" in said.err
    assert "2 faults" in said.err
    assert json.loads(called("culture", "check", path, "--json").out)["exit_code"] == 2
