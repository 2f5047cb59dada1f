"""Sanger traces: trimmed, laid on the circle, judged only where they cover it."""

import json
import struct

import numpy as np
import pytest

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import (
    Reference,
    TraceLimits,
    read_trace,
    simulate_trace,
    trace_files,
    trace_limits_from,
    trace_page,
    verify_traces,
)
from seedtrain.bioinformatics._reads._trace import trim
from seedtrain.report import render_html

from .made import OTHER, plain, planted, quiet, random_dna

REFERENCE = plain()
TEXT = REFERENCE.sequence
SITE = quiet(REFERENCE, 700)


def folder(tmp_path, text, count=6, **more):
    """Traces of both strands every 500 bases, around the origin as well."""
    for number in range(count):
        forward = simulate_trace(text, seed=number, start=number * 500, **more)
        (tmp_path / f"f{number}.ab1").write_bytes(forward)
        reverse = simulate_trace(text, seed=100 + number, start=(number * 500 + 800) % len(text), reverse=True, **more)
        (tmp_path / f"r{number}.ab1").write_bytes(reverse)
    return trace_files(tmp_path)


def word(report, name):
    (found,) = [item for item in report.verdict.criteria if item.name == name]
    return found.verdict


def test_a_trace_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "one.ab1"
    path.write_bytes(simulate_trace(TEXT, seed=3, start=2600, length=700))
    trace = read_trace(path)
    wanted = (TEXT * 2)[2600:3300]
    good = slice(trace.start, trace.end)
    assert trace.simulated
    assert len(trace.sequence) == 700
    assert sum(a != b for a, b in zip(trace.good, wanted[good], strict=True)) <= 2
    assert trace.ratio[good].max() < 0.2
    assert path.read_bytes() == simulate_trace(TEXT, seed=3, start=2600, length=700)


def test_the_good_stretch_has_the_largest_score_of_all_stretches():
    rng = np.random.default_rng(4)
    for _each in range(20):
        quality = rng.integers(2, 45, 40)
        score = 0.01 - 10.0 ** (-quality / 10.0)
        sums = np.concatenate([[0.0], np.cumsum(score)])
        best = max(sums[b] - sums[a] for a in range(41) for b in range(a, 41))
        start, end = trim(quality)
        assert sums[end] - sums[start] == pytest.approx(best, abs=1e-12)


def test_a_clean_clone_passes_on_traces_that_cover_it(tmp_path):
    report = verify_traces(folder(tmp_path, TEXT), REFERENCE)
    assert report.verdict.verdict == "pass"
    assert report.gaps() == []
    assert "origin: simulated" in report.verdict.evidence
    again = verify_traces(trace_files(tmp_path), REFERENCE)
    assert json.dumps(report.verdict.to_data()) == json.dumps(again.verdict.to_data())
    assert render_html(trace_page(report)) == render_html(trace_page(again))
    with use_language("zh"):
        assert "桑格" in render_html(trace_page(report))


@pytest.mark.parametrize("kind", [kind for kind in planted(REFERENCE) if "G9" not in kind and "A30" not in kind])
def test_a_difference_fails_and_is_named(tmp_path, kind):
    wrong = planted(REFERENCE)[kind]
    report = verify_traces(folder(tmp_path, wrong), REFERENCE)
    assert report.verdict.verdict == "fail"
    sure = [item for item in report.differences if item.sure]
    assert len(sure) == 1
    size = abs(len(wrong) - len(TEXT))
    if "777" not in kind:
        assert sure[0].size == max(1, size)
    turned = next(index for index in range(len(TEXT)) if TEXT[index] != wrong[index])
    assert abs(sure[0].site - turned) <= 3


def test_what_no_trace_covers_is_inconclusive_and_a_region_may_be_asked_alone(tmp_path):
    paths = folder(tmp_path, TEXT, count=2)
    whole = verify_traces(paths, REFERENCE)
    assert (whole.verdict.verdict, word(whole, "bases covered by traces")) == ("inconclusive", "inconclusive")
    (gap,) = [item for item in whole.gaps() if item[1] - item[0] > 100]
    assert gap[0] == pytest.approx(1300, abs=25)
    assert gap[1] == len(TEXT)
    assert verify_traces(paths, REFERENCE, region=(200, 900)).verdict.verdict == "pass"
    assert verify_traces(paths, REFERENCE, region=(2900, 900)).verdict.verdict == "inconclusive"
    with pytest.raises(InputError, match="does not lie"):
        verify_traces(paths, REFERENCE, region=(200, 9000))
    deeper = verify_traces(paths, REFERENCE, region=(200, 480), limits=TraceLimits(depth=3))
    assert word(deeper, "bases covered by traces") == "inconclusive"


def test_a_mixed_peak_fails_in_two_traces_and_is_a_doubt_in_one(tmp_path):
    mixed = {SITE: (OTHER[TEXT[SITE]], 0.6)}
    both = verify_traces(folder(tmp_path, TEXT, mixed=mixed), REFERENCE)
    assert word(both, "mixed peaks") == "fail"
    ((one, sure),) = both.mixed
    assert (one.site, one.base, sure) == (SITE, OTHER[TEXT[SITE]], True)
    assert one.ratio == pytest.approx(0.6, abs=0.1)
    (tmp_path / "alone").mkdir()
    path = tmp_path / "alone" / "x.ab1"
    path.write_bytes(simulate_trace(TEXT, seed=9, start=SITE - 200, mixed=mixed))
    alone = verify_traces([path], REFERENCE, region=(SITE - 50, SITE + 50))
    assert word(alone, "mixed peaks") == "inconclusive"
    weak = simulate_trace(TEXT, seed=9, start=SITE - 200, mixed={SITE: (OTHER[TEXT[SITE]], 0.12)})
    path.write_bytes(weak)
    assert word(verify_traces([path], REFERENCE, region=(SITE - 50, SITE + 50)), "mixed peaks") == "pass"


def test_traces_of_something_else_fail_and_failed_runs_say_nothing(tmp_path):
    other = verify_traces(folder(tmp_path, random_dna(3000, 321), count=2), REFERENCE)
    assert (other.verdict.verdict, word(other, "traces of something else")) == ("fail", "fail")
    path = tmp_path / "bad.ab1"
    path.write_bytes(simulate_trace(TEXT, seed=2, quality=8))
    failed = verify_traces([path], REFERENCE)
    assert (failed.verdict.verdict, word(failed, "usable traces")) == ("inconclusive", "inconclusive")


def test_a_line_is_judged_to_its_ends_where_traces_come_from_the_flanks(tmp_path):
    vector = random_dna(400, 71)
    path = tmp_path / "flanked.ab1"
    path.write_bytes(simulate_trace(vector + TEXT[:500] + vector, seed=2, start=200))
    report = verify_traces([path], Reference("insert", TEXT[:500], circular=False), region=(10, 490))
    assert report.verdict.verdict == "pass"


GOOD = simulate_trace(TEXT, seed=1, length=200)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"hello", "ABIF"),
        (GOOD[:200], "damaged|lacks"),
        (GOOD[: len(GOOD) // 2], "damaged|lacks"),
        (GOOD[:-10], "damaged"),
        (GOOD.replace(b"FWO_", b"FWO-"), "lacks its peaks"),
        (GOOD.replace(b"PCON", b"PCOX"), "0 qualities"),
        (GOOD.replace(b"PBAS", b"PBAX"), "no bases|damaged"),
        (GOOD[:18] + struct.pack(">i", 10**6) + GOOD[22:], "damaged"),
    ],
)
def test_a_damaged_trace_is_refused(tmp_path, raw, words):
    path = tmp_path / "x.ab1"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=words) as caught:
        read_trace(path)
    assert caught.value.position is not None


def test_folders_and_limits_are_refused_with_a_remedy(tmp_path):
    with pytest.raises(InputError, match="no traces"):
        trace_files(tmp_path)
    with pytest.raises(InputError, match="no such trace"):
        read_trace(tmp_path / "none.ab1")
    assert trace_limits_from({"covered": "95 %", "depth": "2"}) == TraceLimits(depth=2, covered=0.95)
    for wrong in ({"depth": "0"}, {"covered": "x"}, {"mixed": "200%"}, {"alleles": "1%"}):
        with pytest.raises(InputError, match="limit"):
            trace_limits_from(wrong)


def test_the_command_takes_a_trace_a_folder_and_a_sheet_of_both(tmp_path, capsys):
    from seedtrain.cli._verify import app

    (tmp_path / "clone").mkdir()
    folder(tmp_path / "clone", TEXT)
    (tmp_path / "ref.fasta").write_text(f">plain\n{TEXT}\n")
    page = tmp_path / "page.html"
    words = ["clone", str(tmp_path / "clone"), str(tmp_path / "ref.fasta"), "--json", "--html", str(page)]
    assert app(words, result_action="return_value") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"verdict", "criteria", "evidence", "versions", "seed"}
    assert "simulated traces" in page.read_text(encoding="utf-8")
    one = ["clone", str(tmp_path / "clone" / "f1.ab1"), str(tmp_path / "ref.fasta"), "--region", "600-1100"]
    assert app(one, result_action="return_value") == 0
    (tmp_path / "s.csv").write_text("sample,reads,reference\nA1,clone,ref.fasta\nA2,clone/f1.ab1,ref.fasta\n")
    assert app(["clone", str(tmp_path / "s.csv"), "--html", str(page)], result_action="return_value") == 3
    with pytest.raises(InputError, match="--parental says nothing"):
        app([*one, "--parental", str(tmp_path / "ref.fasta")], result_action="return_value")
    with pytest.raises(InputError, match="no region"):
        app([*one[:3], "--region", "abc"], result_action="return_value")


def test_traces_tell_the_base_at_a_letter_that_allows_several(tmp_path):
    code = {"A": "R", "G": "R", "C": "Y", "T": "Y"}[TEXT[SITE]]
    loose = Reference("loose", TEXT[:SITE] + code + TEXT[SITE + 1 :])
    report = verify_traces(folder(tmp_path, TEXT, count=2), loose)
    (told,) = [line for line in report.verdict.evidence if line.startswith("letter ")]
    assert told.startswith(f"letter {code} of the reference at {SITE + 1}: {TEXT[SITE]} in ")
    assert told.endswith(" traces, allowed")
    assert word(report, "differences from the reference") == "pass"
