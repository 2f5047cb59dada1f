"""`seedtrain new`: any protein, any vessels, and a program that runs as the worked example does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.bioinformatics import read_protein
from seedtrain.program import new_program, read_program
from seedtrain.program._sizing import size_plant
from seedtrain.quantity import Quantity
from seedtrain.recipe import check_volumes
from seedtrain.simulation import ShakeFlask, StirredTank
from tests.worked import called, command

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
ACIDIC = (
    "MDEDLKDEEAVKNLDEELSAQDEVIDALLEELEKDPSVDWEDFLKALEEAGLSDEEIEALLAEWEDGDESLLDAAEALGY"
    "EVSELDKEEQLRRFLEAHPEWDGEALAEALEAAKDEIPEEALKRLAEEFGISPDEVARYLEETDKTGLDAMI"
)
SIZES = {"bench": "2 L", "pilot": "100 L", "plant": "5 m3"}

sequences = st.text(RESIDUES, min_size=30, max_size=400).map(lambda text: f"M{text}")
vessels = st.lists(st.floats(0.25, 100_000).map(lambda litres: float(f"{litres:.3g}")), min_size=3, max_size=3).filter(
    lambda sizes: all(big >= 3 * small for small, big in zip(sorted(sizes), sorted(sizes)[1:], strict=False))
)


def test_another_protein_in_other_vessels_ends_with_a_dossier(tmp_path) -> None:
    folder = tmp_path / "my-product"
    sizes = [word for name, text in SIZES.items() for word in (f"--{name}", text)]
    said = called("new", folder, "--sequence", ACIDIC, *sizes, "--json")
    assert said.code == 0, said.err
    assert said.document["files"] == ["campaign.yaml", "need.yaml", "plant.yaml", "product.fasta", "recipe.yaml"]
    assert (folder / "recipe.yaml").read_text().startswith("# CHECK: ")
    ran = command("run", folder, "--json")
    assert ran.code == 0, ran.out + ran.err
    document = ran.document
    assert all(row["ran"] for row in document["stages"])
    assert {"BENCH-2L", "PILOT-100L", "PLANT-5M3"} <= set(read_program(folder).plant.vessels)
    assert (folder / "out" / "dossier.html").stat().st_size > 10_000
    assert (folder / "out" / "dossier.pdf").read_bytes().startswith(b"%PDF")
    assert {row["attribute"] for row in document["gap"]} >= {"titre", "purity", "cost", "carbon", "amount"}
    assert called("record", "verify", folder / "out" / "record.db").code == 0
    protein = json.loads(next((folder / "out" / "stages" / "gene").glob("*/result.json")).read_text())["protein"]
    assert protein["sequence"] == ACIDIC


@settings(max_examples=25)
@given(sequence=sequences, sizes=vessels)
@example(sequence=ACIDIC, sizes=[0.25, 1.0, 4.0])
@example(sequence="MKRKRKRKRKRKRKRKRKRKRKRKRKRKRKRKRK", sizes=[10, 1000, 500_000])
def test_what_is_written_reads_back_fits_and_is_the_same_each_time(tmp_path_factory, sequence, sizes) -> None:
    base = tmp_path_factory.mktemp("new")
    bench, pilot, plant = sorted(sizes)
    named = {"bench": f"{bench:g} L", "pilot": f"{pilot:g} L", "plant": f"{plant / 1000:g} m3"}
    new_program(base / "a" / "mine", sequence, named)
    new_program(base / "b" / "mine", sequence, named)
    for path in (base / "a" / "mine").iterdir():
        assert path.read_bytes() == (base / "b" / "mine" / path.name).read_bytes()
    program = read_program(base / "a" / "mine")  # checks that the recipe fits its vessel
    assert program.protein.sequence == sequence
    assert read_protein(base / "a" / "mine" / "product.fasta").sequence == sequence
    for tank, litres in ((program.bench, bench), (program.pilot, pilot), (program.production, plant)):
        assert tank.nominal_volume == pytest.approx(litres, rel=1e-5)
        assert all(name in program.plant.vessels for name in tank.seeds)
        assert isinstance(program.plant.vessels[tank.seeds[0]], ShakeFlask)
    assert check_volumes(program.recipe, Quantity(program.bench.working_volume[1], "L")).magnitude("L") > 0
    assert list((base / "a").glob(".*")) == []


def test_the_campaign_that_is_written_is_none_until_its_comments_are_taken_away(tmp_path) -> None:
    new_program(tmp_path / "mine", ACIDIC, SIZES)
    path = tmp_path / "mine" / "campaign.yaml"
    assert read_program(tmp_path / "mine").campaign is None
    lines = [line.removeprefix("# ") for line in path.read_text().splitlines()]
    keys = [line for line in lines if re.match(r"\w+:|  ", line) and not re.match("data|sheet|fitted", line)]
    path.write_text("\n".join(keys) + "\n")
    campaign = read_program(tmp_path / "mine").campaign
    assert campaign is not None
    assert campaign.virtual
    assert [item.parameter for item in campaign.factors] == ["growth_rate", "until", "temperature", "rate"]
    assert {"S", "P", "DCW", "A"} == {item.symbol for item in campaign.assays}


@given(sizes=vessels)
def test_vessels_grow_from_flask_to_plant_in_steps_that_an_inoculum_can_take(sizes) -> None:
    bench, pilot, plant = (Quantity(litres, "L") for litres in sorted(sizes))
    tanks = {tank.name: tank for tank in size_plant(bench, pilot, plant)}
    for tank in tanks.values():
        chain = [tanks[name].nominal for name in tank.seeds]
        assert chain == sorted(chain)
        assert all(tanks[name].highest >= 0.03 * tank.lowest for name in tank.seeds[-1:])
        assert 0 < tank.lowest < tank.highest < tank.nominal
        if tank.kind == "stirred_tank":
            assert tank.impeller_diameter < tank.diameter
            assert tank.lowest_speed < tank.top_speed


@pytest.mark.parametrize(
    ("what", "sizes", "words"),
    [
        ("MKTAYIAK*QRQISFVK", SIZES, "stop codon"),
        ("ACGTACGTACGTACGTACGTACGTACGTACGTACGT", SIZES, "DNA"),
        ("", SIZES, "no residues|no sequence|empty"),
        (ACIDIC, {**SIZES, "pilot": "1 L"}, "do not grow"),
        (ACIDIC, {**SIZES, "bench": "2 kg"}, "mass"),
        (ACIDIC, {**SIZES, "bench": "0 L"}, "outside"),
        (ACIDIC, {**SIZES, "plant": "900 m3"}, "outside"),
        (Path("nowhere.fasta"), SIZES, "no such"),
    ],
)
def test_what_makes_no_program_leaves_nothing(tmp_path, what, sizes, words) -> None:
    with pytest.raises(InputError, match=words):
        new_program(tmp_path / "mine", what, sizes)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        new_program(tmp_path / "mine", ACIDIC, SIZES)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_every_vessel_of_a_new_plant_is_a_stirred_tank_or_a_flask(tmp_path) -> None:
    new_program(tmp_path / "mine", ACIDIC, SIZES)
    vessels = read_program(tmp_path / "mine").plant.vessels.values()
    assert all(isinstance(vessel, (StirredTank, ShakeFlask)) for vessel in vessels)
