"""`seedtrain model` through the command line: what it writes, says and refuses."""

from __future__ import annotations

import json

from seedtrain.simulation import read_sbml
from tests.simulation_exchange.small import math, parameter, rule, sbml
from tests.worked import called


def decay() -> str:
    """x' = -x / 2 from 1."""
    return sbml(Parameters=parameter("x", "1"), Rules=rule("rate", "x", "-0.5 * x"))


def test_render_writes_html_latex_and_pdf(tmp_path):
    for kind, start in (("html", b"<!doctype"), ("latex", b"\\documentclass"), ("pdf", b"%PDF")):
        path = tmp_path / f"model.{kind}"
        said = called("model", "render", "ecoli_balanced", "--to", kind, "-o", path, "--lang", "zh")
        assert said.code == 0, said.err
        assert "已写入" in said.out
        assert path.read_bytes().lstrip().lower().startswith(start.lower())


def test_export_and_import_go_round(tmp_path):
    path, table = tmp_path / "batch.xml", tmp_path / "run.csv"
    said = called("model", "export", "ecoli_balanced", "--start", "X=0.1", "--start", "S=5", "-o", path, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["file"] == str(path)
    said = called("model", "import", path, "--json")
    assert json.loads(said.out)["reactions"] == 8
    options = ("--simulate", "--until", "4", "--points", "5", "--integrator", "plain", "-o", table)
    said = called("model", "import", path, *options)
    assert said.code == 0, said.err
    rows = table.read_text().splitlines()
    assert rows[0].startswith("time [h],X [g/L],S [g/L]")
    assert len(rows) == 6
    assert float(rows[-1].split(",")[1]) > 0.1


def test_the_trajectory_as_json(tmp_path):
    path = tmp_path / "decay.xml"
    path.write_text(decay())
    said = called(
        "model", "import", path, "--simulate", "--until", "2", "--points", "3", "--integrator", "plain", "--json"
    )
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["time"] == [0.0, 1.0, 2.0]
    assert abs(found["variables"]["x"]["values"][2] - 0.36787944) < 1e-6


def test_what_is_wrong_is_told_with_code_2(tmp_path):
    path = tmp_path / "bad.xml"
    path.write_text(sbml(Parameters=parameter("x"), Rules=f"<algebraicRule>{math('x - 1')}</algebraicRule>"))
    said = called("model", "import", path, "--json")
    assert said.code == 2
    error = json.loads(said.out)["errors"][0]
    assert error["line"] == 8
    assert "algebraicRule" in error["message"]
    assert error["remedy"]
    path.write_text(decay())
    for wrong in (
        ("import", tmp_path / "none.xml"),
        ("import", path, "--simulate", "--points", "1"),
        ("import", path, "-o", tmp_path / "x.csv"),
        ("import", path, "--simulate", "--start", "x"),
        ("render", "no_such_culture"),
        ("export", "ecoli_balanced", "--start", "Q=1", "-o", tmp_path / "q.xml"),
    ):
        said = called("model", *wrong)
        assert said.code == 2, wrong
        assert "remedy" in said.err
    assert not (tmp_path / "q.xml").exists()


def test_an_imported_model_is_rendered_as_well(tmp_path):
    path, page = tmp_path / "decay.xml", tmp_path / "decay.html"
    path.write_text(decay())
    assert called("model", "render", path, "-o", page).code == 0
    assert "dx/dt" in page.read_text()
    assert read_sbml(path).id == "small"
