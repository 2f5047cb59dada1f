"""Release panels: their files, and lots judged against them."""

import json

import pytest

from seedtrain.base import InputError, InputErrors, use_language
from seedtrain.report import render_html
from seedtrain.vectors import PANELS, panel_page, read_panel, verify_panel
from seedtrain.vectors._panel import same_method

SMALL = """
name: small
product: trial
tests:
  - {attribute: endotoxin, method: LAL, limit: "<= 10 EU/mL", stage: drug product, category: safety, source: assumed}
  - {attribute: full, method: AUC, limit: ">= 70 %", stage: drug substance, category: purity, source: assumed}
  - {attribute: sterility, method: USP 71, limit: "= no growth", stage: drug product, category: safety, source: USP}
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return read_panel(str(path))


def words(report):
    return {item.name: item.verdict for item in report.verdict.criteria}


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_asks_for_identity_purity_and_safety_and_names_the_source_of_every_limit(name):
    panel = read_panel(name)
    assert {"identity", "purity", "safety", "quantity"} <= {test.category for test in panel.tests}
    assert {test.stage for test in panel.tests} <= {"in process", "drug substance", "drug product"}
    assert any("endotoxin" in test.attribute for test in panel.tests)
    assert all(test.source for test in panel.tests)


@pytest.mark.parametrize("name", PANELS)
def test_a_lot_at_its_limits_passes_and_a_lot_without_results_is_inconclusive(name):
    panel = read_panel(name)
    lines = ["lot,attribute,value,unit"]
    for test in panel.tests:
        found = test.limit.range
        if found is None:
            lines.append(f'L1,"{test.attribute}",{test.limit.word},')
        else:
            end = found.low or found.high
            assert end is not None
            lines.append(f'L1,"{test.attribute}",{end.value!r},{end.unit}')
    assert verify_panel(panel, "\n".join(lines)).verdict.verdict == "pass"
    report = verify_panel(panel, "\n".join(lines[:2]))
    assert report.verdict.verdict == "inconclusive"
    assert sum(item.verdict == "inconclusive" for item in report.verdict.criteria) == len(panel.tests) - 1


def test_one_verdict_a_lot_and_the_worst_of_them_altogether(small):
    text = """lot,attribute,value,unit,sample
L1,endotoxin,2,EU/mL,s1
L1,full,71,%,s1
L1,sterility,no growth,,s1
L2,endotoxin,12,EU/mL,s2
L2,full,80,%,s2
L2,sterility,no growth,,s2
L3,endotoxin,2,EU/mL,s3
"""
    report = verify_panel(small, text)
    assert {name: found.verdict for name, found in report.lots.items()} == {
        "L1": "pass",
        "L2": "fail",
        "L3": "inconclusive",
    }
    assert words(report) == {"L1": "pass", "L2": "fail", "L3": "inconclusive"}
    assert report.verdict.criteria[1].value == "endotoxin: fail"
    assert report.verdict.verdict == "fail"
    assert verify_panel(small, text, lot="L1").verdict.verdict == "pass"
    assert words(verify_panel(small, text, lot="L3", stage="drug product")) == {
        "endotoxin": "pass",
        "sterility": "inconclusive",
    }


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ("endotoxin,10.4,EU/mL,LAL,yes", "pass"),  # rounded as the limit is written
        ("endotoxin,10.5,EU/mL,LAL,yes", "fail"),
        ("endotoxin,0.01,kEU/L,LAL,yes", "pass"),
        ("endotoxin,< 5,EU/mL,LAL,yes", "pass"),
        ("endotoxin,< 50,EU/mL,LAL,yes", "inconclusive"),  # the limit of detection lies above the limit
        ("endotoxin,2,EU/mL,another,yes", "inconclusive"),
        ("endotoxin,20,EU/mL,another,yes", "fail"),
        ("endotoxin,2,EU/mL,LAL,no", "inconclusive"),
        ("sterility,no growth,,,yes", "pass"),
        ("sterility,growth,,,yes", "fail"),
    ],
)
def test_results_as_laboratories_report_them(small, row, verdict):
    report = verify_panel(small, f"lot,attribute,value,unit,method,valid\nL,{row}\n")
    assert words(report)[row.partition(",")[0]] == verdict


def test_a_second_result_does_not_cover_a_first_that_failed(small):
    text = "lot,attribute,value,unit\nL,endotoxin,20,EU/mL\nL,endotoxin,2,EU/mL\n"
    assert [item.verdict for item in verify_panel(small, text).verdict.criteria[:2]] == ["fail", "pass"]


@pytest.mark.parametrize(
    ("text", "words_"),
    [
        ("lot,attribute,value\nL,endotoxin,2\n", r"results:2:1: endotoxin"),
        ("lot,attribute,value,unit\nL,endotoxin,2,g/L\n", r"results:2:1: endotoxin"),
        ("lot,attribute,value,unit\nL,endotoxin,high,EU/mL\n", r"results:2:1: endotoxin"),
        ("lot,attribute\nL,endotoxin\n", "'value' is missing"),
        ("lot,attribute,value,valid\nL,endotoxin,2,perhaps\n", "'perhaps' is not known"),
    ],
)
def test_results_that_cannot_be_read_are_errors_with_their_line(small, text, words_):
    with pytest.raises(InputError, match=words_):
        verify_panel(small, text)


def test_a_panel_with_faults_tells_them_all(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(SMALL.replace("<= 10 EU/mL", "<= 10 EUU/mL").replace("stage: drug substance", "stage: later"))
    with pytest.raises(InputErrors) as caught:
        read_panel(str(path))
    assert [error.position.line for error in caught.value.parts if error.position] == [5, 6]
    path.write_text(SMALL.replace("attribute: full", "attribute: endotoxin"))
    with pytest.raises(InputError, match="stands twice"):
        read_panel(str(path))
    with pytest.raises(InputError, match="no panel 'cat'"):
        read_panel("cat")


def test_unknown_lots_and_stages_name_what_there_is(small):
    text = "lot,attribute,value,unit\nL,endotoxin,2,EU/mL\n"
    with pytest.raises(InputError, match="no lot 'M'"):
        verify_panel(small, text, lot="M")
    with pytest.raises(InputError, match="no tests at the stage"):
        verify_panel(small, text, stage="in process")


def test_the_page_and_the_command(small, tmp_path, capsys):
    from seedtrain.cli import main

    text = "lot,attribute,value,unit\nL,endotoxin,2,EU/mL\nM,endotoxin,2,EU/mL\n"
    report = verify_panel(small, text)
    assert render_html(panel_page(report)) == render_html(panel_page(verify_panel(small, text)))
    with use_language("zh"):
        assert "批次" in render_html(panel_page(report))
    path = tmp_path / "results.csv"
    path.write_text(text)
    with pytest.raises(SystemExit) as left:
        main(["verify", "panel", str(tmp_path / "small.yaml"), str(path), "--json"])
    assert left.value.code == 3
    assert [item["name"] for item in json.loads(capsys.readouterr().out)["criteria"]] == ["L", "M"]


def test_names_words_and_units_as_laboratories_write_them_and_every_fault_at_once():
    head = "lot,attribute,value,unit\n"
    written = head + "A,Vector  Genomes,2e13,vg/mL\nA,STERILITY,No Growth,\nA,Replication-competent AAV,negative,\n"
    report = verify_panel(read_panel("aav"), written + "A,colour,blue,\n")
    words = {item.name: item.verdict for item in report.lots["A"].criteria}
    asked = ("vector genomes", "sterility", "replication-competent AAV")
    assert [words[name] for name in asked] == ["pass"] * 3
    assert report.remarks == ("A: colour is no test of the panel",)
    grown = verify_panel(read_panel("aav"), head + "A,sterility,growth,\n")
    assert grown.verdict.verdict == "fail"
    wrong = "A,host cell protein,-5,ng/mL\nA,full capsids,0.8,\nA,endotoxin,5,EU/mg\nA,endotoxin,< -1,EU/mL\n"
    with pytest.raises(InputErrors) as caught:
        verify_panel(read_panel("aav"), head + wrong)
    assert [item.position.line for item in caught.value.parts if item.position] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("HPLC", "HPLC or densitometry of a gel", True),
        ("usp 85", "USP <85>", True),
        ("visual", "visual, USP <790>", True),
        ("AUC", "AUC or SEC-MALS", True),
        ("SEC MALS", "AUC or SEC-MALS", True),
        ("SEC", "AUC or SEC-MALS", False),
        ("", "ELISA", False),
        ("Western blot", "ELISA", False),
        ("anything", "", True),
    ],
)
def test_a_method_is_one_of_those_that_the_panel_leaves_the_choice_of(given, wanted, same):
    assert same_method(given, wanted) is same
