"""`seedtrain vessel check`: figures of every unit of a plant file, in two languages, and faults at their lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worked import called

PLANT = Path(__file__).parents[2] / "examples" / "collagen" / "plant.yaml"
BAG = """\
units:
  BAG:
    kind: wave_bag
    scale: seed
    nominal_volume: 20 L
    working_volume: 2 .. 10 L
    kLa: 12 1/h
    aeration: 0.02 .. 0.2 vvm
"""


def test_every_unit_is_shown_with_its_sources() -> None:
    said = called("vessel", "check", PLANT)
    assert said.code == 0
    for name in ("BENCH-1L: stirred tank", "PLANT-20M3: stirred tank, 15000 L", "FLASK-250: shake flask, 60 mL"):
        assert name in said.out
    row = next(line for line in said.out.splitlines() if line.startswith("  kLa"))
    assert "van 't Riet 1979" in row
    assert ".." in row
    assert "outside the range of its source" in said.out


def test_one_unit_at_one_volume_for_machines() -> None:
    said = called("vessel", "check", PLANT, "--unit", "PILOT-200", "--volume", "100 L", "--json")
    assert said.code == 0
    (found,) = json.loads(said.out)
    assert (found["vessel"], found["volume"], found["kind"]) == ("PILOT-200", 100.0, "stirred_tank")
    figures = {item["name"]: item for item in found["figures"]}
    assert figures["kLa"]["in_range"] is True
    assert figures["OTR"]["low"] < figures["OTR"]["high"]
    drier = json.loads(
        called("vessel", "check", PLANT, "--unit", "PILOT-200", "--dissolved-oxygen", "60%", "--json").out
    )
    less = {item["name"]: item for item in drier[0]["figures"]}
    assert less["OTR"]["high"] < figures["OTR"]["high"]


def test_in_chinese() -> None:
    said = called("vessel", "check", PLANT, "--unit", "FLASK-500", "--lang", "zh")
    assert said.code == 0
    assert "摇瓶" in said.out
    assert "氧传递速率" in said.out
    assert "dissolved" not in said.out


def test_a_file_of_other_vessels_needs_no_lots(tmp_path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(BAG)
    said = called("vessel", "check", path)
    assert said.code == 0
    assert "BAG: wave bag, 10 L at 37 degC" in said.out


@pytest.mark.parametrize(
    ("change", "options", "what"),
    [
        (("kLa: 12 1/h", "kLa: 12 L"), (), "plant.yaml:7:"),
        (("kLa: 12 1/h", "impellers: 2"), (), "plant.yaml:7:"),
        (("units:", "vessels:"), (), "there are no units"),
        (None, ("--unit", "TUB"), "there is no unit 'TUB'"),
        (None, ("--unit", "BAG", "--volume", "30 L"), "outside its working volume"),
        (None, ("--volume", "3 L"), "Name it with --unit"),
        (None, ("--dissolved-oxygen", "120 %"), "0 to 99 %"),
        (None, ("--temperature", "80 degC"), "0 to 40 degC"),
        (None, ("--unit", "BAG", "--volume", "3 kg"), "mass"),
    ],
)
def test_bad_input_is_told_with_its_place_and_a_remedy(tmp_path, change, options, what) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(BAG.replace(*change) if change else BAG)
    said = called("vessel", "check", path, *options)
    assert said.code == 2
    assert what in said.err
    assert "remedy:" in said.err
