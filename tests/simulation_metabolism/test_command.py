"""`seedtrain compile` as a user types it, with right and with wrong input."""

from __future__ import annotations

import json

import pytest

from tests.simulation_metabolism.cases import GLUCOSE, OXYGEN, core_json
from tests.worked import called

THREE = ("--bound", f"{GLUCOSE}=0..12", "--bound", f"{OXYGEN}=0..30", "--bound", "ATPM>=0..12")


def test_a_model_is_compiled_once_and_told() -> None:
    """The core model's growth on 10 mmol/gDW/h of glucose is 0.8739 1/h (COBRApy gives the same)."""
    first = called("compile", "textbook", *THREE, "--fresh", "--at", f"{GLUCOSE}=10", "--at", "ATPM=8.39")
    assert first.code == 0
    for words in ("95 reactions", f"{GLUCOSE:<20} uptake   0 .. 12", "ATPM", "regions:", "largest flux difference"):
        assert words in first.out
    assert f"at {GLUCOSE} 10, {OXYGEN} 30, ATPM 8.39: growth 0.873922" in first.out
    assert "one more of EX_glc__D_e changes growth by +0." in first.out
    assert "round 1" in first.err
    again = called("compile", "textbook", *THREE)
    assert "found in the cache" in again.err
    assert "round 1" not in again.err
    chinese = called("compile", "textbook", *THREE, "--lang", "zh")
    assert "区域数" in chinese.out


def test_json_is_one_document_with_the_certificate() -> None:
    said = called("compile", "textbook", *THREE, "--json", "--at", "ATPM=0", "--knock-out", "PGI")
    assert said.code == 0
    assert said.err == ""
    found = said.document
    assert found["kind"] == "certified"
    assert found["certificate"]["gap"] < 1e-8
    assert found["edits"]["knock_outs"] == ["PGI"]
    assert found["at"]["growth"] > 0.5
    assert [item["reaction"] for item in found["moving"]] == [GLUCOSE, OXYGEN, "ATPM"]
    with open(found["stored"], encoding="utf-8") as stream:
        assert json.load(stream)["data"]["certificate"]["regions"] == found["certificate"]["regions"]


def test_a_lazy_table_says_that_nothing_is_certified_and_is_kept() -> None:
    said = called("compile", "textbook", *THREE, "--lazy")
    assert said.code == 0
    assert "nothing is certified" in said.out
    assert called("compile", "textbook", *THREE, "--lazy", "--json").document["certificate"] is None


def test_a_drain_is_demanded_with_a_penalty_that_may_be_too_small() -> None:
    words = ("compile", "textbook", *THREE, "--drain", "out: succ_c ->", "--bound")
    assert "give the demand a larger penalty" in called(*words, "out>=0..6@0.01").out
    assert "give the demand a larger penalty" not in called(*words, "out>=0..6@5").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "there is no model 'nothing'"),
        (("nothing.xml",), "there is no such model file"),
        (("textbook", "--bound", "EX_glc_D_e=0..12"), "Did you mean EX_glc__D_e"),
        (("textbook", "--bound", f"{GLUCOSE}=12..0"), "must rise"),
        (("textbook", "--bound", f"{GLUCOSE}=0..2 g/gDW/h"), "a flux is not given in 'g/gDW/h'"),
        (("textbook", *THREE, "--output", "EX_bla_e"), "no reaction 'EX_bla_e'"),
        (("textbook", *THREE, "--drain", "out: nothing_c ->"), "nothing_c"),
        (("textbook", *THREE, "--limit", "EX_etoh_e=5..0"), "no range"),
        (("textbook", *THREE, "--limit", "EX_etoh_e=5..1000"), "EX_etoh_e must carry 5 and can carry 0"),
        (("textbook", *THREE, "--knock-out", "ENO"), "does not grow"),
        (("textbook", *THREE, "--objective", "BIOMASS"), "no reaction 'BIOMASS'"),
        (("textbook", *THREE, "--at", "EX_ac_e=1"), "EX_ac_e does not move here"),
        (("textbook", *THREE, "--at", f"{GLUCOSE}=13"), "box 0 .. 12"),
        (("textbook", *THREE, "--at", "ATPM"), "gives no bound a value"),
        (("textbook", "--bound", "ATPM>=1..8"), "no uptake moves"),
    ],
)
def test_wrong_input_ends_with_2_and_a_remedy(words, said: str) -> None:
    found = called("compile", *words)
    assert found.code == 2
    assert said in found.err
    assert "remedy:" in found.err
    assert found.out == ""


def test_every_wrong_option_is_told_at_once() -> None:
    found = called("compile", "textbook", "--bound", "x", "--drain", "y", "--limit", "z", "--at", "w", "--json")
    assert found.code == 2
    assert len(found.document["errors"]) == 4


def test_a_file_is_refused_with_its_line(tmp_path) -> None:
    def heavy(data) -> None:
        growth = next(item for item in data["reactions"] if item["id"] == "Biomass_Ecoli_core")
        growth["metabolites"] = {name: value / 1000 for name, value in growth["metabolites"].items()}

    path = core_json(tmp_path, heavy)
    found = called("compile", path)
    assert found.code == 2
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "Biomass_Ecoli_core" in text)
    assert f"core.json:{line}:" in found.err
    assert "weighs 0.00154 g" in found.err


def test_without_cobra_it_is_unavailable(monkeypatch) -> None:
    from seedtrain.simulation._metabolism import _read

    monkeypatch.setattr(_read, "find_spec", lambda name: None)
    found = called("compile", "textbook")
    assert found.code == 4
    assert "pip install 'seedtrain[metabolism]'" in found.err
