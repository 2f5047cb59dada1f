"""Scenario 14: a corrected value: the old one visible, a reason required, flagged in print, signatures invalidated; an
out-of-specification result blocks release, whatever is tried."""

import pytest
from pypdf import PdfReader

from tests.gmp_scenarios.hand import ADJUST, BATCH, Bench

GOOD = {"pH": "7.40", "osmolality": "285 mmol/kg", "sterility": "no growth"}
OOS = f"{BATCH}-OOS-01"
CORRECTION = ("batch", "correct", BATCH, ADJUST, "pH", "7.40")


@pytest.fixture
def bench(tmp_path):
    found = Bench.ready(tmp_path)
    found.who |= found.crew(analyst="quality_control", second_analyst="quality_control", lead="quality_control")
    found.start()
    return found


def test_a_corrected_value_keeps_the_old_one_in_sight_and_takes_the_signatures_back(bench, tmp_path):
    bench.run_batch()
    for attribute, value in (GOOD | {"endotoxin": "< 0.05 EU/mL"}).items():
        bench.by("analyst", "quality", "result", BATCH, "QC-1", attribute, value)
    bench.by("reviewer", "batch", "sign-review", BATCH)
    assert bench.run("batch", "review", BATCH).code == 0
    assert bench.signed(bench.who["operator"], *CORRECTION).code == 2  # no reason given
    assert bench.signed(bench.who["operator"], *CORRECTION, "--reason", " ").code == 2
    bench.refused("qa", *CORRECTION, "--reason", "looks better")  # not who runs batches
    bench.later(minutes=1)
    bench.by("operator", *CORRECTION, "--reason", "misread: the display said 7.40")

    opened = bench.run("batch", "review", BATCH)
    assert opened.code == 3  # the review does not cover it any more
    shown = {item["kind"]: item["words"] for item in opened.data["exceptions"]}
    assert "7.41 became 7.40" in shown["correction"]
    assert "misread: the display said 7.40" in shown["correction"]
    answer = bench.signed(bench.who["qa"], "batch", "release", BATCH)
    assert answer.code == 3
    found = answer.data["verdict"]["evidence"]
    assert any("hold point" in reason for reason in found)  # its signature stood before the correction
    assert any("older than the last event" in reason for reason in found)

    out = tmp_path / "record.pdf"
    bench.done(None, "batch", "print", BATCH, out)
    text = " ".join("".join(page.extract_text() for page in PdfReader(out).pages).replace("\u200b", "").split())
    assert "misread: the display said 7.40" in text
    assert "7.41" in text


def test_a_correction_needs_signatures_anew_and_then_the_batch_goes_on(bench):
    bench.run_batch()
    for attribute, value in (GOOD | {"endotoxin": "< 0.05 EU/mL"}).items():
        bench.by("analyst", "quality", "result", BATCH, "QC-1", attribute, value)
    bench.later(minutes=1)
    bench.by("operator", *CORRECTION, "--reason", "misread")
    bench.later(minutes=1)
    bench.by("operator", "batch", "sign", BATCH, ADJUST)
    bench.by("leader", "batch", "sign", BATCH, ADJUST)
    keys = [item["key"] for item in bench.run("batch", "review", BATCH).data["exceptions"]]
    bench.by("reviewer", "batch", "acknowledge", BATCH, *keys, "--comment", "the print-out of PH-1 says 7.40")
    bench.by("reviewer", "batch", "sign-review", BATCH)
    assert bench.by("qa", "batch", "release", BATCH)["decision"] == "released"


def test_an_out_of_specification_result_blocks_release_whatever_is_tried(bench):
    bench.run_batch()
    for attribute, value in GOOD.items():
        bench.by("analyst", "quality", "result", BATCH, "QC-1", attribute, value)
    out = bench.signed(bench.who["analyst"], "quality", "result", BATCH, "QC-1", "endotoxin", "0.31 EU/mL")
    assert (out.code, out.data["state"], out.data["investigations"]) == (1, "oos", [OOS])

    def released():
        keys = [item["key"] for item in bench.run("batch", "review", BATCH).data["exceptions"]]
        bench.by("reviewer", "batch", "acknowledge", BATCH, *keys, "--comment", "seen")
        bench.by("reviewer", "batch", "sign-review", BATCH)
        return bench.signed(bench.who["qa"], "batch", "release", BATCH)

    held = released()
    assert (held.code, held.data["decision"]) == (3, None)
    assert f"{OOS} (endotoxin) is not concluded" in held.data["verdict"]["evidence"]
    again = ("quality", "result", BATCH, "QC-2", "endotoxin", "0.10 EU/mL")
    assert "another sample is not tested" in bench.refused("analyst", *again).words
    slip = ("quality", "correct", BATCH, "QC-1", "endotoxin", "0.13")
    assert bench.signed(bench.who["analyst"], *slip, "--reason", " ").code == 2
    bench.refused("operator", *slip, "--reason", "looks better")
    same = ("quality", "result", BATCH, "QC-1", "endotoxin", "0.10 EU/mL")
    assert "recorded before; now it is 0.10 EU/mL" in bench.refused("analyst", *same).words
    retest(bench)
    concluded = ("quality", "investigate", "close", OOS, "--words", "x", "--conclusion")
    assert "retest 1 is oos" in bench.refused("qa", *concluded, "not confirmed").words
    bench.by("qa", *concluded, "confirmed")
    stopped = released()
    assert (stopped.code, stopped.data["decision"]) == (1, None)
    assert any(
        "endotoxin 0.31" in item and "out of specification" in item for item in stopped.data["verdict"]["evidence"]
    )
    bench.refused("reviewer", "batch", "reject", BATCH, "--reason", "endotoxin")
    assert bench.by("qa", "batch", "reject", BATCH, "--reason", "endotoxin")["decision"] == "rejected"
    assert "rejected, for good" in bench.refused("qa", "batch", "release", BATCH).words


def retest(bench):
    """Every way to test until it passes."""
    result = ("quality", "retest", "result", OOS)
    plan = ("quality", "retest", "plan", OOS, "2", "--why", "the assay's repeatability")
    assert "no approved plan" in bench.refused("second_analyst", *result, "1", "0.10 EU/mL").words
    assert "no full-scale investigation" in bench.refused("lead", *plan).words
    laboratory = ("quality", "investigate", "laboratory", OOS, "--findings", "standard curve in order", "--no-error")
    assert "another person" in bench.refused("analyst", *laboratory).words
    bench.by("lead", *laboratory)
    bench.by("lead", "quality", "investigate", "full", OOS, "--findings", "loop sanitised late", "--cause", "biofilm")
    bench.by("lead", *plan)
    assert "no approved plan" in bench.refused("second_analyst", *result, "1", "0.10 EU/mL").words
    assert "may not do quality.approve" in bench.refused("lead", "quality", "retest", "approve", OOS).words
    bench.by("qa", "quality", "retest", "approve", OOS)
    assert "needs another person" in bench.refused("analyst", *result, "1", "0.10 EU/mL").words
    assert bench.signed(bench.who["second_analyst"], *result, "1", "0.29 EU/mL").code == 1
    assert bench.signed(bench.who["second_analyst"], *result, "2", "0.12 EU/mL").code == 0
    assert "no testing into compliance" in bench.refused("second_analyst", *result, "3", "0.10 EU/mL").words
    changed = ("quality", "retest", "plan", OOS, "5", "--why", "more")
    assert "has a plan of 2 retests" in bench.refused("lead", *changed).words
    found = bench.done(None, "quality", "results", BATCH)
    assert [item["reported"] for item in found["results"] if item["attribute"] == "endotoxin"] == [
        "0.31 EU/mL",
        "0.29 EU/mL",
        "0.12 EU/mL",
    ]
