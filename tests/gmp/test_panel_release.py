"""A release panel in the record: its verdict on a batch is read by the batch's release."""

import json
from typing import Any

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import lift_hold, record_panel_verdict, release_verdict
from seedtrain.vectors import read_panel, verify_panel
from tests.gmp.made import BATCH

PANEL = """name: small
product: plasmid
tests:
  - {attribute: supercoiled, method: HPLC, limit: ">= 80 %", stage: drug substance, category: purity, source: assumed}
  - {attribute: endotoxin, method: LAL, limit: "<= 10 EU/mg", stage: drug substance, category: safety, source: assumed}
"""


@pytest.fixture
def judged(tmp_path):
    (tmp_path / "small.yaml").write_text(PANEL)

    def of(lot: str, *rows: str) -> dict[str, Any]:
        panel = read_panel(str(tmp_path / "small.yaml"))
        report = verify_panel(panel, "\n".join(["lot,attribute,value,unit", *rows, ""]))
        data = report.verdict.to_data()
        return dict(json.loads(json.dumps(data)))

    return of


def test_a_batch_is_released_only_past_its_panel(made, judged):
    made.run().results()
    made.review()
    qa = made.people["qa"]
    passed = judged(BATCH, f"{BATCH},supercoiled,92,%", f"{BATCH},endotoxin,3,EU/mg")
    assert record_panel_verdict(made.ledger, BATCH, passed, qa).order is None
    made.review()
    assert release_verdict(made.ledger, BATCH).verdict == "pass"
    short = judged(BATCH, f"{BATCH},supercoiled,92,%")
    order = record_panel_verdict(made.ledger, BATCH, short, qa).order
    assert order is not None
    made.review()
    verdict = release_verdict(made.ledger, BATCH)
    assert verdict.verdict == "inconclusive"
    assert any("release panel small: endotoxin: inconclusive" in reason for reason in verdict.evidence)
    assert record_panel_verdict(made.ledger, BATCH, short, qa).order is not None  # the same again changes nothing
    lift_hold(made.ledger, order.hold, "endotoxin was tested meanwhile", qa)
    made.review()
    assert release_verdict(made.ledger, BATCH).verdict == "pass"


def test_a_verdict_of_another_lot_or_of_no_panel_is_refused(made, judged):
    made.run()
    qa = made.people["qa"]
    for document, words in (
        (judged("B-9", "B-9,supercoiled,92,%"), "of lot B-9, not of"),
        (judged("", f"{BATCH},supercoiled,92,%", "B-9,supercoiled,92,%"), "of lot several lots"),
        (
            {"verdict": "pass", "criteria": [], "evidence": ["lot x"], "versions": {}, "seed": None},
            "no verdict|no release",
        ),
    ):
        with pytest.raises(InputError, match=words):
            record_panel_verdict(made.ledger, BATCH, document, qa)
