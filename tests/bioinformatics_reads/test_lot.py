"""Cell banks and plasmid lots: one verdict a lot from reads and a specification."""

import json

import pytest

from seedtrain.base import InputError
from seedtrain.bioinformatics import (
    Reference,
    judge_lot,
    read_lot_specification,
    simulate_reads,
    verify_clone,
    write_fastq,
)

from .made import plain, quiet, random_dna, snv

REFERENCE = plain()
TEXT = REFERENCE.sequence
PARENTAL = Reference("parental", TEXT[:1800] + random_dna(600, 14))
"""The same backbone, another insert."""
HOST = random_dna(20_000, 44)
LINES = (
    "{attribute: identity, method: reads, limit: = conforms}",
    "{attribute: parental plasmid, method: reads, limit: <= 5 %}",
    "{attribute: mixture, method: reads, limit: <= 40 %}",
    "{attribute: host, method: reads, limit: <= 5 %}",
    "{attribute: multimers, method: reads, limit: <= 20 %}",
    "{attribute: unknown, method: reads, limit: <= 5 %}",
    "{attribute: reads, method: reads, limit: '>= 100'}",
)


def written(tmp_path, lines=LINES):
    path = tmp_path / "specification.yaml"
    path.write_text("specification: plasmid\nversion: '1'\nlines:\n" + "".join(f"  - {line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def clean():
    reads = simulate_reads(TEXT, 250, seed=5)
    return verify_clone(reads, REFERENCE, others=[("host: h", HOST)], parental=PARENTAL)


def words(report):
    return {item.name: item.verdict for item in report.verdict.criteria}


def test_a_clean_lot_passes_line_by_line_with_intervals_and_limits_of_detection(tmp_path, clean):
    specification, named = read_lot_specification(written(tmp_path))
    found = judge_lot(clean, specification, named)
    assert set(words(found).values()) == {"pass"}
    assert list(words(found)) == [line.attribute for line in specification.lines]
    shares = {item.name: item for item in found.verdict.criteria}
    assert shares["parental plasmid"].interval is not None
    assert shares["parental plasmid"].limit_of_detection == "1.19 %"  # 1 - 0.05^(1/250)
    assert any("SHA-256" in line and line.startswith("specification plasmid 1") for line in found.verdict.evidence)
    tighter = tuple(line.replace("<= 5 %", "<= 1 %") for line in LINES)
    specification, _named = read_lot_specification(written(tmp_path, tighter))
    assert words(judge_lot(clean, specification))["parental plasmid"] == "inconclusive"


def test_what_a_lot_should_not_hold_is_counted_and_fails(tmp_path):
    site = quiet(REFERENCE, 700)
    reads = simulate_reads(TEXT, 130, seed=5) + simulate_reads(PARENTAL.sequence, 40, seed=6)
    reads += simulate_reads(HOST[3000:6000], 30, seed=7, circular=False)
    reads += simulate_reads(snv(TEXT, site), 100, seed=8)
    report = verify_clone(reads, REFERENCE, others=[("host: h", HOST)], parental=PARENTAL)
    # Reads of the host tell nothing of the two plasmids.
    assert report.parental == (40, 270)
    specification, _named = read_lot_specification(written(tmp_path))
    found = {item.name: item for item in judge_lot(report, specification).verdict.criteria}
    assert {name for name, item in found.items() if item.verdict == "fail"} == {"parental plasmid", "host"}
    assert found["mixture"].verdict == "inconclusive"  # 100 of 270 lies about the limit
    assert found["host"].value == "10.3 %"  # 90 of 876 kb
    assert found["unknown"].verdict == "pass"


def test_what_nobody_gave_is_inconclusive_and_too_few_reads_are_never_a_pass(tmp_path, clean):
    specification, _named = read_lot_specification(written(tmp_path))
    few = judge_lot(verify_clone(simulate_reads(TEXT, 10, seed=5), REFERENCE), specification)
    assert set(words(few).values()) == {"inconclusive"}
    helper = (
        "{attribute: helper, method: reads, limit: <= 1 %}",
        "{attribute: poly-A length, method: r, limit: '>= 90'}",
    )
    specification, _named = read_lot_specification(written(tmp_path, helper))
    assert words(judge_lot(clean, specification)) == {"helper": "inconclusive", "poly-A length": "inconclusive"}


@pytest.mark.parametrize(("length", "verdict"), [(30, "pass"), (22, "fail")])
def test_the_length_of_a_poly_a_is_judged_in_bases(tmp_path, length, verdict):
    tail = Reference("tail", TEXT[:1500] + "C" + "A" * 30 + "G" + TEXT[1500:])
    grown = tail.sequence.replace("A" * 30, "A" * length)
    line = ("{attribute: poly-A length, method: reads, limit: '>= 27'}",)
    specification, _named = read_lot_specification(written(tmp_path, line))
    found = judge_lot(verify_clone(simulate_reads(grown, 120, seed=2), tail), specification)
    assert words(found) == {"poly-A length": verdict}


@pytest.mark.parametrize("length", [130, 79, 70, 40])
def test_a_poly_a_that_lost_or_gained_many_bases_is_measured(length):
    tail = Reference("tail", TEXT[:1500] + "C" + "A" * 100 + "G" + TEXT[1500:])
    grown = tail.sequence.replace("A" * 100, "A" * length)
    (run,) = [item for item in verify_clone(simulate_reads(grown, 60, seed=2), tail).runs if item.length == 100]
    # The simulator, as the method does, loses some bases of a long run in every read.
    assert all(-0.06 * length <= 100 + median - length <= 0 for median in run.medians)
    assert run.sure


def test_every_fault_of_a_specification_comes_at_once(tmp_path):
    lines = (
        "{attribute: endotoxin, method: LAL, limit: <= 10 EU/mg}",
        "{attribute: identity, method: reads, limit: <= 1 %}",
        "{attribute: host, method: reads, limit: <= 5 mg}",
    )
    with pytest.raises(InputError) as caught:
        read_lot_specification(written(tmp_path, lines))
    assert [part.position.line for part in caught.value.parts if part.position] == [4, 5, 6]


def test_the_command_gives_one_verdict_a_lot(tmp_path, capsys):
    from seedtrain.cli._verify import app

    write_fastq(tmp_path / "lot.fastq.gz", simulate_reads(TEXT, 120, seed=5))
    (tmp_path / "ref.fasta").write_text(f">plain\n{TEXT}\n")
    (tmp_path / "host.fasta").write_text(f">h\n{HOST}\n")
    (tmp_path / "parental.fasta").write_text(f">p\n{PARENTAL.sequence}\n")
    path = written(tmp_path, [line for line in LINES if "mixture" not in line])
    more = ["--specification", str(path), "--other", f"host={tmp_path / 'host.fasta'}"]
    more += ["--parental", str(tmp_path / "parental.fasta"), "--json"]
    alone = ["clone", str(tmp_path / "lot.fastq.gz"), str(tmp_path / "ref.fasta"), *more]
    assert app(alone, result_action="return_value") == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in found["criteria"]][:2] == ["identity", "parental plasmid"]
    (tmp_path / "lots.csv").write_text("sample,reads,reference\nP-1,lot.fastq.gz,ref.fasta\n")
    assert app(["clone", str(tmp_path / "lots.csv"), *more], result_action="return_value") == 0
    assert json.loads(capsys.readouterr().out)["criteria"][0]["name"] == "P-1"
    with pytest.raises(InputError, match="no role"):
        app([*alone, "--other", f"plant={path}"], result_action="return_value")
