"""`seedtrain simulate --n`, as a user calls it."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest

from seedtrain.simulation import read_ensemble
from tests.worked import COLLAGEN, called

RECIPE = COLLAGEN / "recipe.yaml"
VARY = ("--vary", "q_P_max=0.015..0.02", "--vary", "production/growth/fed-batch:growth_rate=0.14..0.15")


def test_many_runs_are_told_written_and_drawn(tmp_path) -> None:
    file, plot, table = tmp_path / "ensemble.nc", tmp_path / "fan.svg", tmp_path / "fan.csv"
    words = ["simulate", RECIPE, "--n", "40", "--spread", "20", "--seed", "7", "-o", file]
    said = called(*words, "--plot", plot, "--csv", table)
    assert said.code == 0, said.err
    assert said.out.startswith("40 runs of ecoli_balanced in BENCH-1L, simulated, seed 7")
    assert "q_P_max goes along with P: rank correlation +0.9" in said.out
    assert f"kept: {file}" in said.out
    with read_ensemble(file) as found:
        assert found.sizes["trajectory"] == 40
        assert found.attrs["origin"] == "simulated"
    svg = plot.read_text()
    assert "simulated" in svg
    assert "5 .. 95 %" in svg
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert {row["origin"] for row in rows} == {"simulated"}
    for row in rows:
        levels = [float(row[f"X [g/L] {level} %"]) for level in (5, 25, 50, 75, 95)]
        assert all(low <= high for low, high in pairwise(levels))
    # The same command again finds the file whole, and says the same.
    again = called(*words, "--json")
    assert again.code == 0
    document = again.document
    assert document["runs"] == document["finished"] == 40
    assert document["file"] == str(file)
    assert document["final"]["P"]["unit"] == "g/L"
    assert list(document["final"]["P"]["percentiles"]) == ["5.0", "25.0", "50.0", "75.0", "95.0"]
    assert document["movers"]["P"]["q_P_max"] > 0.9


def test_values_are_chosen_and_runs_that_stop_are_counted() -> None:
    said = called("simulate", RECIPE, "-n", "6", *VARY, "--vary", "feed_factor=1..9", "--seed", "3")
    assert said.code == 0, said.err
    assert "x the broth reaches more than BENCH-1L may hold" in said.out
    assert "goes along" not in said.out, "six runs show chance"
    chinese = called("simulate", RECIPE, "--n", "3", *VARY, "--lang", "zh")
    assert "次运行（模拟）" in chinese.out
    assert "结束时" in chinese.out


def test_another_vessel_gets_the_scaled_recipe() -> None:
    said = called("simulate", RECIPE, "--n", "2", "--vary", "q_P_max=0.0179..0.0181", "--vessel", "PILOT-200", "--json")
    assert said.code == 0, said.err
    alone = called("simulate", RECIPE, "--vessel", "PILOT-200", "--json").document
    titre = said.document["final"]["P"]["percentiles"]["50.0"]
    assert titre == pytest.approx(alone["variables"]["P"]["values"][-1], rel=0.02)
    assert said.document["vessel"] == "PILOT-200"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--spread", "20"], "--spread without --n"),
        (["-o", "x.nc", "--vary", "K_S=0..1"], "--vary, --output without --n"),
        (["--n", "0"], "an ensemble of 0"),
        (["--n", "2", "--spread", "200"], "a spread of 2"),
        (["--n", "2", "--vary", "q_S_max"], "gives no range"),
        (["--n", "2", "--vary", "q_S_max=a..b"], "gives no range"),
        (["--n", "2", "--vary", "q_S_mx=0..1"], "q_S_max"),
        (["--n", "2", "--vary", "q_S_max=0.7..0.5"], "no range"),
        (["--n", "2", "--scheduler", "nowhere"], "no executor 'nowhere'"),
        (["--n", "many"], "many"),
    ],
)
def test_bad_input_is_told_with_a_remedy(words, told) -> None:
    said = called("simulate", RECIPE, *words)
    assert said.code == 2
    assert told in said.err + said.out
    document = called("simulate", RECIPE, *words, "--json").document
    assert document["exit_code"] == 2
    assert document["errors"][0]["remedy"]
