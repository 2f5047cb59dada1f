"""The made-up results that ship as examples give the verdicts that they were made for."""

from pathlib import Path

import pytest

from seedtrain.vectors import ASSAYS, read_panel, verify_assay, verify_panel, verify_species

RESULTS = Path(__file__).parents[2] / "examples" / "vectors" / "results"
LIMITS = {
    "ddpcr": (">= 1e11 vg/mL", "lot 7, ITR", 8e11),
    "qpcr": ("<= 1e6", "lot 7", 4.2e5),
    "tcid50": (">= 1e6", "titre, maximum likelihood", 10**7.2 / 0.693),
    "elisa": ("50 .. 200 %", "potency of lot 7", 0.92),
    "full": (">= 60 %", "full capsids, auc", 78.0),
    "absence": ("<= 1e-8", "infectious particles", 0.0),
    "topology": (">= 80 %", "supercoiled", 92.0),
}


def test_every_file_says_that_it_is_made_up_and_every_assay_has_one():
    assert all(path.read_text().startswith("# Made up") for path in RESULTS.iterdir())
    assert set(LIMITS) == set(ASSAYS)


@pytest.mark.parametrize("kind", LIMITS)
def test_assays_pass_at_their_limit_and_find_what_the_file_was_made_with(kind):
    limit, name, truth = LIMITS[kind]
    report = verify_assay(kind, RESULTS / f"{kind}.csv", limit=limit)
    assert report.verdict.verdict == "pass"
    assert report.estimates[0].name == name
    assert report.estimates[0].low <= truth <= report.estimates[0].high


def test_the_lot_passes_its_panel_at_its_stage_and_is_open_at_the_others():
    table, panel = RESULTS / "aav-panel.csv", read_panel("aav")
    assert verify_panel(panel, table, stage="drug product").verdict.verdict == "pass"
    assert verify_panel(panel, table).verdict.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("kind", "word", "animals"),
    [
        ("qpcr", "pass", (("bovine",),)),
        ("peptides", "fail", (("porcine",),)),
        ("peaks", "pass", (("cattle", "sheep"),)),
    ],
)
def test_the_animal_is_told_by_each_method(kind, word, animals):
    report = verify_species(RESULTS / f"species-{kind}.csv", lod=RESULTS / "species-levels.csv", claim="0.2 %")
    assert (report.verdict.verdict, report.animals) == (word, animals)
