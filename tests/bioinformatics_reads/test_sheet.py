"""Sheets, reports and the command line."""

import json

import pytest

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import (
    bench_clone,
    clone_page,
    read_sheet,
    sheet_page,
    simulate_reads,
    verify_clone,
    verify_sheet,
    write_fastq,
)
from seedtrain.report import render_html

from .made import plain, planted, random_dna

REFERENCE = plain()


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plate")
    (folder / "ref.fasta").write_text(f">plain\n{REFERENCE.sequence}\n")
    write_fastq(folder / "good.fastq.gz", simulate_reads(REFERENCE.sequence, 100, seed=1))
    write_fastq(folder / "bad.fastq", simulate_reads(planted(REFERENCE)["deletion of 45 bases"], 100, seed=2))
    (folder / "empty.fastq").write_text("")
    rows = ["good,good.fastq.gz,ref.fasta", "bad,bad.fastq,", "empty,empty.fastq,ref.fasta"]
    (folder / "sheet.csv").write_text("sample,reads,reference\n" + "\n".join(rows) + "\n")
    return folder


def test_a_sheet_gives_one_verdict_and_a_bad_file_stops_no_other(plate):
    rows = read_sheet(plate / "sheet.csv", reference=plate / "ref.fasta")
    report = verify_sheet(rows, name="plate")
    words = {item.name: item.verdict for item in report.verdict.criteria}
    assert words == {"good": "inconclusive", "bad": "fail", "empty": "inconclusive"}
    assert report.verdict.verdict == "fail"
    assert report.errors == {"empty": "the file of reads is empty"}
    alone = verify_clone(plate / "bad.fastq", REFERENCE)
    assert report.reports[1].verdict.criteria == alone.verdict.criteria
    html = render_html(sheet_page(report))
    assert html == render_html(sheet_page(report))
    assert "bad" in html


def test_a_file_that_is_not_there_is_a_fault_of_its_row_and_all_are_told(plate, capsys):
    from seedtrain.cli._verify import app

    sheet = plate / "gaps.csv"
    rows = ["bad,bad.fastq,ref.fasta,", "lost,lost.fastq,gone.fasta,none.fastq"]
    sheet.write_text("sample,reads,reference,control\n" + "\n".join(rows) + "\n")
    assert app(["clone", str(sheet), "--json"], result_action="return_value") == 1
    found = json.loads(capsys.readouterr().out)
    assert {item["name"]: item["verdict"] for item in found["criteria"]} == {"bad": "fail", "lost": "inconclusive"}
    told = found["criteria"][1]["value"]
    assert all(name in told for name in ("lost.fastq", "gone.fasta", "none.fastq"))
    assert app(["clone", str(sheet), "--lang", "zh"], result_action="return_value") == 1
    table = capsys.readouterr().out
    assert "无法判定" in table
    assert "lost.fastq" in "".join(table.split())
    sheet.write_text("sample,reads,reference\nlost,lost.fastq,gone.fasta\n")
    with pytest.raises(InputError, match=r"lost\.fastq"):
        app(["clone", str(sheet)], result_action="return_value")


def test_all_faults_of_a_sheet_come_at_once_with_their_lines(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("sample,reads,reference,topology\n,a.fq,b.fa,\nx,a.fq,b.fa,knot\ny,a.fq\n")
    with pytest.raises(InputError) as caught:
        read_sheet(path)
    assert {part.position.line for part in caught.value.parts if part.position} == {2, 3, 4}
    assert all(words in str(caught.value) for words in ("knot", "no file", "b.fa"))
    (tmp_path / "a.fq").write_text("@a\nA\n+\nI\n")
    (tmp_path / "b.fa").write_text(">b\nACGT\n")
    for sign in ";\t":
        path.write_text("sample,reads,reference\nx,a.fq,b.fa\n".replace(",", sign))
        assert [(row.sample, row.reads.name, row.faults) for row in read_sheet(path)] == [("x", "a.fq", ())]
    for text, words in (("", "missing"), ("sample,reads,reference\n", "no sample"), ("sample,x,reads\n", "unknown")):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_sheet(path)


def test_the_report_speaks_both_languages_and_marks_simulated_reads(plate):
    report = verify_clone(plate / "good.fastq.gz", REFERENCE, name="good")
    english = render_html(clone_page(report))
    assert "simulated reads" in english
    assert "thinnest strand of any site" in english
    with use_language("zh"):
        chinese = render_html(clone_page(report))
    assert "克隆验证" in chinese
    assert report.verdict.to_data() == verify_clone(plate / "good.fastq.gz", REFERENCE, name="good").to_data()


def test_the_command_prints_one_verdict_and_leaves_with_its_code(plate, capsys):
    from seedtrain.cli._verify import app

    page = plate / "bad.html"
    words = ["clone", str(plate / "bad.fastq"), str(plate / "ref.fasta"), "--json", "--html", str(page)]
    assert app(words, result_action="return_value") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "fail"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>".upper()[:2]) or page.stat().st_size > 1000
    good = ["clone", str(plate / "good.fastq.gz"), str(plate / "ref.fasta"), "--limit", "alleles=40%", "--json"]
    good += ["--limit", "homopolymers=none", "--limit", "structures=20%"]
    assert app(good, result_action="return_value") == 0
    sheet = ["clone", str(plate / "sheet.csv"), str(plate / "ref.fasta")]
    assert app(sheet, result_action="return_value") == 1
    assert "sheet.csv: fail" in capsys.readouterr().out
    with pytest.raises(InputError, match="no reference"):
        app(["clone", str(plate / "bad.fastq")], result_action="return_value")


def test_nothing_is_written_where_the_reads_are_bad(plate):
    from seedtrain.cli._verify import app

    page = plate / "none.html"
    with pytest.raises(InputError, match="empty"):
        app(
            ["clone", str(plate / "empty.fastq"), str(plate / "ref.fasta"), "--html", str(page)],
            result_action="return_value",
        )
    assert not page.exists()


def test_the_bench_measures_both_in_one_run():
    ratio, limit = bench_clone(reads=60)
    assert ratio["ratio"] == pytest.approx(ratio["ours"] / ratio["peer"])
    assert (limit["goal_kind"], limit["peer"]) == ("limit", None)


def test_the_bench_of_sequences_has_a_row_for_every_goal(tmp_path, capsys):
    from seedtrain.cli._bench import app

    genome = tmp_path / "g.fa"
    genome.write_text(f">g\n{random_dna(60_000, 3)}\n")
    words = ["sequence", str(genome), "--guides", "10", "--reads", "40", "--json"]
    assert app(words, result_action="return_value") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["bench"] for row in rows} == {"guides", "clone", "genomes"}
    assert {row["goal"] for row in rows} >= {0.001, 2.5, 10.0, 1000.0}
    with pytest.raises(InputError, match="0 guides"):
        app([*words[:2], "--guides", "0"], result_action="return_value")
