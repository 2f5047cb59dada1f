"""What each command does, as a user calls it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from seedtrain.development import KEEP
from seedtrain.recipe import read_recipe
from tests.worked import COLLAGEN, called, command, edit

RECIPE = COLLAGEN / "recipe.yaml"


def test_run_prints_the_gap_the_decision_and_where_the_dossier_is(easy) -> None:
    said = command("run", easy)
    assert said.code == 0
    assert "simulated batch, not for use" in said.out
    assert "RHCOL3-001" in said.out
    assert str(easy / "out" / "dossier.html") in said.out
    assert "titre >= 0.5 g/L" in said.out
    chinese = called("run", easy, "--lang", "zh")
    assert chinese.code == 0
    assert any("一" <= letter <= "鿿" for letter in chinese.out)


# recipe


def test_check_gives_the_digest_that_formatting_leaves_alone(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.read_text().replace("\nprocedure:", "\n# a note\nprocedure:"))
    first, second = called("recipe", "check", RECIPE, "--json"), called("recipe", "check", path, "--json")
    assert first.code == second.code == 0
    assert first.document["digest"] == second.document["digest"] == read_recipe(RECIPE).digest
    assert first.document["phases"] == sum(1 for _ in read_recipe(RECIPE).phases())
    assert first.document["digest"] in called("recipe", "check", RECIPE).out


def test_diff_of_two_files_names_what_changed_and_where(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.read_text())
    line = edit(path, "rate: 6.2 mL/h", "rate: 6.5 mL/h")
    document = called("recipe", "diff", RECIPE, path, "--json").document
    (change,) = document["changes"]
    assert change["path"] == "production/induction/express"
    assert (change["parameter"], change["before"], change["after"]) == ("rate", "6.2 mL/h", "6.5 mL/h")
    assert f":{line}:" in change["position"]
    assert document["agitation"] is None
    assert "6.2 mL/h -> 6.5 mL/h" in called("recipe", "diff", RECIPE, path).out
    assert "no value differs" in called("recipe", "diff", RECIPE, RECIPE).out


@pytest.mark.parametrize("keep", KEEP)
def test_diff_at_another_scale_keeps_what_is_chosen_and_prints_the_rest(keep) -> None:
    said = called("recipe", "diff", RECIPE, "--at", "PILOT-200", "--keep", keep, "--json")
    assert said.code == 0, said.err
    document = said.document
    rows = {row["name"]: row for row in document["agitation"]["criteria"]}
    assert set(rows) >= set(KEEP)
    reached = document["agitation"]["reached"]
    assert [name for name, row in rows.items() if row["held"]] == ([keep] if reached else [])
    if reached:
        assert rows[keep]["ratio"] == pytest.approx(1.0, rel=1e-3)
    else:
        assert "nearest" in document["agitation"]["words"]
    assert any(abs(row["ratio"] - 1) > 0.05 for name, row in rows.items() if name != keep), "everything cannot stay"
    kept = {change["parameter"] for change in document["changes"]}
    assert kept.isdisjoint({"temperature", "pH", "composition", "load", "flux", "residence_time"})
    printed = called("recipe", "diff", RECIPE, "--at", "PILOT-200", "--keep", keep).out
    assert all(name in printed for name in KEEP)


def test_what_cannot_be_compared() -> None:
    for words in (["diff", RECIPE], ["diff", RECIPE, RECIPE, "--at", "PILOT-200"], ["diff", RECIPE, "--at", "NOWHERE"]):
        said = called("recipe", *words)
        assert said.code == 2
        assert "remedy" in said.err
    assert called("recipe", "diff", RECIPE, "--at", "PILOT-200", "--keep", "luck").code == 2


# simulate


def test_simulate_writes_table_plot_and_json(tmp_path) -> None:
    table, plot = tmp_path / "run.csv", tmp_path / "run.svg"
    said = called("simulate", RECIPE, "--csv", table, "--plot", plot)
    assert said.code == 0, said.err
    assert "ecoli_balanced" in said.out
    assert "balance carbon" in said.out
    with table.open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["origin"] for row in rows} == {"simulated"}
    times = [float(row["time [h]"]) for row in rows]
    assert times == sorted(times)
    svg = plot.read_text()
    assert svg.startswith(("<?xml", "<svg"))
    assert "simulated" in svg
    document = called("simulate", RECIPE, "--json").document
    assert document["time"] == times
    assert document["variables"]["P"]["values"][-1] == pytest.approx(float(rows[-1]["P [g/L]"]))


def test_simulate_in_another_vessel_lowers_the_feed_to_what_that_allows() -> None:
    bench = called("simulate", RECIPE, "--json").document
    plant = called("simulate", RECIPE, "--vessel", "PLANT-20M3", "--json").document
    assert plant["vessel"] == "PLANT-20M3"
    per_volume = [run["totals"]["glucose_fed"][0] / run["totals"]["medium"][0] for run in (bench, plant)]
    assert per_volume[1] < per_volume[0]
    assert min(plant["variables"]["DO_percent"]["values"]) > 14


def test_simulate_refuses_what_is_not_there(tmp_path) -> None:
    assert called("simulate", RECIPE, "--vessel", "NOWHERE").code == 2
    assert called("simulate", RECIPE, "--culture", "nobody").code == 2
    assert called("simulate", tmp_path / "none.yaml").code == 2
    (tmp_path / "file").touch()
    assert called("simulate", RECIPE, "--csv", tmp_path / "file" / "run.csv").code == 4


# record


def test_verify_says_what_it_checked(easy_finished) -> None:
    ledger = easy_finished / "out" / "record.db"
    said = called("record", "verify", ledger, "--json")
    assert said.code == 0
    assert set(said.document) == {"verdict", "criteria", "evidence", "versions", "seed"}
    assert said.document["verdict"] == "pass"
    printed = called("record", "verify", ledger)
    assert printed.out.startswith(f"{ledger}: pass")


def test_show_prints_events_by_subject_type_and_number(easy_finished) -> None:
    ledger = easy_finished / "out" / "record.db"
    every = called("record", "show", ledger, "--json").document
    assert [row["seq"] for row in every] == list(range(every[0]["seq"], every[0]["seq"] + len(every)))
    kind = called("record", "show", ledger, "--type", "deviation.opened", "--json").document
    assert kind == [row for row in every if row["type"] == "deviation.opened"]
    assert len(kind) == 1
    later = called("record", "show", ledger, "--after", every[9]["seq"], "--json").document
    assert later == every[10:]
    one = called("record", "show", ledger, "--subject", "PEP-3305", "--json").document
    assert {row["subject"] for row in one} == {"PEP-3305"}
    lines = called("record", "show", ledger).out.splitlines()
    assert len(lines) == len(every)
    assert all(" simulated " in line for line in lines if " step.value_recorded " in line)


def test_no_name_of_a_person_stands_in_the_ledger(easy_finished) -> None:
    raw = b"".join(path.read_bytes() for path in (easy_finished / "out").glob("record.db*") if path.is_file())
    for name in (b"Authorised person", b"Storekeeper", b"Process scientist"):
        assert name not in raw


def test_export_is_checked_by_a_third_party_without_seedtrain(easy_finished, tmp_path) -> None:
    ledger, folder = easy_finished / "out" / "record.db", tmp_path / "handover"
    said = called("record", "export", ledger, folder, "--json")
    assert said.code == 0, said.err
    assert "verify.py" in said.document["files"]
    assert "import seedtrain" not in (folder / "verify.py").read_text()
    assert "from seedtrain" not in (folder / "verify.py").read_text()
    alone = [sys.executable, "-I", str(folder / "verify.py"), str(folder)]
    assert subprocess.run(alone, capture_output=True, check=False).returncode == 0
    events = next(path for path in folder.iterdir() if b"lot.produced" in path.read_bytes() and path.suffix != ".py")
    events.write_bytes(events.read_bytes().replace(b"352.", b"353.", 1))
    assert subprocess.run(alone, capture_output=True, check=False).returncode != 0
    assert called("record", "export", ledger, folder).code == 2  # it is not empty


def test_commands_leave_the_program_as_it_was(easy, easy_finished) -> None:
    called("recipe", "check", easy / "recipe.yaml")
    called("record", "verify", easy / "out" / "record.db")
    called("record", "show", easy / "out" / "record.db")
    for path in easy.iterdir():
        if path.is_file():
            assert path.read_bytes() == (easy_finished / path.name).read_bytes()
    assert json.loads(called("run", easy, "--json").out)["stages"][0]["ran"] is False


def test_new_without_a_terminal_takes_the_usual_vessels_and_needs_a_sequence(tmp_path) -> None:
    folder = tmp_path / "mine"
    said = command("new", folder, stdin=subprocess.DEVNULL)
    assert said.code == 2
    assert "--sequence" in said.err
    assert not folder.exists()
    said = command("new", folder, "--product", COLLAGEN / "product.fasta", stdin=subprocess.DEVNULL)
    assert said.code == 0
    assert "seedtrain run" in said.out
    assert "20 m3" in (folder / "plant.yaml").read_text()
    again = called("new", folder, "--product", COLLAGEN / "product.fasta", "--json")
    assert again.code == 2
    both = called("new", tmp_path / "x", "--product", COLLAGEN / "product.fasta", "--sequence", "MKV")
    assert both.code == 2
    assert not (tmp_path / "x").exists()


# bench


def test_a_bench_marks_what_is_simulated_case_by_case(capsys) -> None:
    from seedtrain.cli._bench_rows import tell_rows
    from seedtrain.cli._common import Common

    row = {"ours": 1.0, "unit": "s", "goal": None, "met": None, "peer": None, "peer_name": None, "note": ""}
    measured, virtual = row | {"case": "timetables"}, row | {"case": "a fed batch", "origin": "simulated"}
    tell_rows([measured, virtual], Common(), None)
    said = capsys.readouterr().out.splitlines()
    assert "timetables" in said
    assert "a fed batch (simulated)" in said
    assert not any("every figure" in line for line in said)
    tell_rows([virtual], Common(), None)
    assert "every figure" in capsys.readouterr().out.splitlines()[0]
