"""Scenario 1: recipe, batch, quality control, exceptions, release, certificate, PDF; a stranger verifies it all."""

import json
import subprocess
import sys

import pytest
from pypdf import PdfReader

from tests.gmp_scenarios.hand import ADJUST, BATCH, PHASES, Bench

RESULTS = {"pH": "7.40", "osmolality": "285 mmol/kg", "endotoxin": "< 0.05 EU/mL", "sterility": "no growth"}


@pytest.fixture
def bench(tmp_path):
    found = Bench.ready(tmp_path)
    found.who |= found.crew(analyst="quality_control", investigator="quality_control")
    found.start()
    return found


def run_with_an_excursion(bench):
    """pH 7.49 is beyond the alert limit; 7.28 beyond the action limit, which is an excursion."""
    for phase in PHASES:
        for word, words in bench.commands(phase):
            bench.later(minutes=1)
            said = ["7.28" if item == "7.41" else item for item in words]
            bench.by(word, *said)
    bench.by("operator", "batch", "finish", BATCH, "950", "mL")


def release(bench):
    bench.later(minutes=1)
    return bench.signed(bench.who["qa"], "batch", "release", BATCH)


def reasons(answer):
    return answer.data["verdict"]["evidence"]


def test_from_the_recipe_to_a_certificate_that_a_stranger_verifies(bench, tmp_path):
    run_with_an_excursion(bench)
    for attribute, value in RESULTS.items():
        found = bench.by("analyst", "quality", "result", BATCH, "QC-1", attribute, value)
        assert (found["state"], found["investigations"]) == ("conforms", [])
    refused = release(bench)
    assert refused.code == 3
    assert any("no deviation was opened for pH 7.28" in reason for reason in reasons(refused))
    deviate(bench)
    review(bench)
    answer = release(bench)
    assert (answer.code, answer.data["decision"]) == (0, "released")
    assert bench.done(None, "batch", "status", BATCH)["decision"] == "released"
    hand_over(bench, tmp_path)


def deviate(bench):
    """Opened by the system's rule, closed by quality, and by nobody else."""
    (name,) = bench.by("leader", "quality", "deviation", "find", BATCH)["opened"]
    bench.by("investigator", "quality", "deviation", "classify", name, "minor", "--reason", "within the proven range")
    answers = ("--impact", "none", "--cause", "late titration", "--action", "titrant renewed")
    close = ("quality", "deviation", "close", name, *answers)
    for word in ("operator", "leader", "investigator"):
        assert "may not do quality.approve" in bench.refused(word, *close).words
    bench.by("qa", *close)


def review(bench):
    opened = bench.run("batch", "review", BATCH)
    assert opened.code == 3  # no signed review yet
    kinds = [item["kind"] for item in opened.data["exceptions"]]
    assert kinds == ["excursion", "manual entry", "deviation"]  # the gravest first; what is in limits is a number
    assert opened.data["within_limits"] == {"values": 15, "materials": 7, "results": 4, "alarms": 0}
    keys = [item["key"] for item in opened.data["exceptions"]]
    assert "3 of 3 exceptions" in bench.refused("reviewer", "batch", "sign-review", BATCH).words
    bench.refused("operator", "batch", "acknowledge", BATCH, *keys, "--comment", "fine")
    for key in keys:
        bench.by("reviewer", "batch", "acknowledge", BATCH, key, "--comment", "pH right in the bulk; see the deviation")
    for word in ("operator", "analyst"):
        bench.refused(word, "batch", "sign-review", BATCH)
    bench.by("reviewer", "batch", "sign-review", BATCH)
    assert bench.run("batch", "review", BATCH).code == 0
    for word in ("reviewer", "analyst", "operator", "manager"):
        assert "may not do batch.release" in bench.refused(word, "batch", "release", BATCH).words


def hand_over(bench, folder):
    """Certificate and record as PDF; the folder for a stranger, who has Python and nothing of ours."""
    data, coa, out = folder / "coa.json", folder / "coa.pdf", folder / "out"
    bench.done(None, "batch", "certificate", BATCH, coa, "--data", data)
    assert json.loads(data.read_text())
    text = printed(coa)
    for words in ("Certificate of analysis", "osmolality", "285 mmol/", "released", "The qa"):
        assert words in text
    said = bench.done(None, "batch", "export", BATCH, out)
    record = printed(out / "batch-record.pdf")
    for words in ("Exceptions as acknowledged", "pH right in the bulk", "outside 7.3 .. 7.5", "late titration"):
        assert words in record, words
    check = [sys.executable, "-I", *said["verify"].split()[1:]]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    events = out / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"7.28", b"7.48", 1))
    done = subprocess.run(check, capture_output=True, check=False)
    assert done.returncode == 1, done.stdout
    assert bench.run("record", "verify", bench.record).code == 0


def printed(path):
    """The words of a PDF, without its breaks."""
    text = "".join(page.extract_text() for page in PdfReader(path).pages)
    return " ".join(text.replace("\u200b", "").split())


def test_nothing_is_released_that_nobody_tested_or_reviewed(bench):
    run_with_an_excursion(bench)
    found = reasons(release(bench))
    for words in ("the review is missing", "sterility has no valid result", "no deviation was opened"):
        assert any(words in reason for reason in found), words
    assert not bench.done(None, "record", "show", bench.record, "--type", "batch.released")
    assert not bench.done(None, "record", "show", bench.record, "--type", "batch.rejected")
    assert ADJUST in json.dumps(found)
