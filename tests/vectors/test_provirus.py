"""Proviruses of known kind are told apart, and their places in the host found."""

import json
from collections import Counter

import numpy as np
import pytest

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import Read, write_fastq
from seedtrain.report import render_html
from seedtrain.vectors import (
    ProvirusLimits,
    example_provirus,
    make_provirus,
    provirus_limits_from,
    provirus_page,
    random_sequence,
    read_provirus,
    simulate_proviruses,
    verify_provirus,
)

KINDS = (
    "intact",
    "hypermutated",
    "spliced",
    "internal-deletion",
    "truncated",
    "solo-ltr",
    "rearranged",
    "open",
    "host",
)


@pytest.fixture(scope="module")
def host():
    return random_sequence(80_000, np.random.default_rng(6))


@pytest.mark.parametrize(("annotated", "quality", "platform"), [(True, 30, "pacbio"), (False, 20, "nanopore")])
def test_every_kind_is_told_and_sits_where_it_was_put(host, annotated, quality, platform):
    provirus = example_provirus(seed=2, annotated=annotated)
    made = simulate_proviruses(provirus, dict.fromkeys(KINDS, 25), host, seed=3, quality=quality)
    report = verify_provirus([read for read, _kind, _place in made], provirus, host=host, platform=platform)
    pairs = list(zip(report.reads, made, strict=True))
    found = {kind: Counter(item.kind for item, (_read, known, _at) in pairs if known == kind) for kind in KINDS}
    # Without annotated splice sites chance makes some deletions end in GT and AG, and errors blur those that do.
    wrong = sum(count for kind in KINDS for other, count in found[kind].items() if other != kind)
    assert wrong <= (0 if annotated else 0.03 * len(made))
    placed = [(item.site, place) for item, (_read, kind, place) in pairs if item.site is not None]
    assert len(placed) >= 0.95 * 8 * 25
    assert max(abs(site.position - place) for site, place in placed) <= 10
    assert sum(item.reads for item in report.sites) == len(placed)
    assert len(report.sites) <= len({place for _site, place in placed})
    assert "origin: simulated" in report.verdict.evidence


def test_parts_are_whole_only_where_nothing_of_them_is_missing(host):
    provirus = example_provirus(seed=4)
    rre = provirus.part("RRE")
    assert rre is not None
    gone = provirus.sequence[: rre.start + 50] + provirus.sequence[rre.start + 150 :]
    reads = [Read(f"r{number}", host[900:1200] + gone + host[1195:1500]) for number in range(60)]
    report = verify_provirus(reads, provirus, host=host)
    assert dict(report.counts) == {"internal-deletion": 60}
    assert {name for item in report.reads for name in item.whole} == {item.name for item in provirus.parts} - {"RRE"}
    ((low, high),) = report.reads[0].gaps
    assert abs(low - rre.start - 50) <= 5
    assert high - low == 100
    assert [item.reads for item in report.sites] == [60]
    clone = verify_provirus(reads, provirus, host=host, limits=ProvirusLimits(largest_site=0.5))
    assert {item.name: item.verdict for item in clone.verdict.criteria}["reads at one place"] == "fail"


def test_ten_reads_are_never_a_pass_and_reads_of_something_else_neither(host):
    provirus = example_provirus(seed=4)
    ten = [read for read, _kind, _at in simulate_proviruses(provirus, {"intact": 10}, host, seed=1)]
    assert verify_provirus(ten, provirus).verdict.verdict == "inconclusive"
    other = [Read(f"r{number}", host[number * 500 : number * 500 + 3000]) for number in range(60)]
    report = verify_provirus(other, provirus)
    assert dict(report.counts) == {"unknown": 60}
    assert {item.verdict for item in report.verdict.criteria} == {"inconclusive"}
    assert dict(verify_provirus(other, provirus, host=host).counts) == {"host": 60}


def test_reads_of_another_organism_are_never_a_pass(host):
    provirus = example_provirus(seed=4)
    good = [read for read, _kind, _at in simulate_proviruses(provirus, {"intact": 60}, host, seed=1)]
    strange = random_sequence(40_000, np.random.default_rng(12))
    other = [Read(f"r{number}", strange[number * 500 : number * 500 + 3000]) for number in range(60)]
    assert verify_provirus(good, provirus).verdict.verdict == "pass"
    mixed = verify_provirus([*good, *other], provirus, host=host).verdict
    assert [item.name for item in mixed.criteria if item.verdict == "fail"] == ["of no sequence given"]
    blind = verify_provirus([*good, *other], provirus).verdict
    assert blind.verdict == "inconclusive"  # without the host they may be its own
    assert any("no host was given" in line for line in blind.evidence)
    unasked = verify_provirus([*good, *other], provirus, limits=ProvirusLimits(unknown=None))
    assert unasked.verdict.verdict == "pass"
    # Whole proviruses in the cells of another organism than was given.
    elsewhere = verify_provirus(good, provirus, host=strange).verdict
    assert [item.name for item in elsewhere.criteria if item.verdict == "fail"] == [
        "flanks without a place in the host"
    ]
    assert verify_provirus(good, provirus, host=host).verdict.verdict == "pass"


def test_parts_are_read_from_genbank_and_bed_and_what_is_missing_is_refused(tmp_path):
    from Bio.Seq import Seq
    from Bio.SeqFeature import SeqFeature, SimpleLocation
    from Bio.SeqIO import write
    from Bio.SeqRecord import SeqRecord

    known = example_provirus(seed=3)
    text = "ACGTTGCA" * 20 + known.sequence + "TTGACCAT" * 20
    labels = {"5' LTR": "5' LTR", "psi": "HIV-1 Psi", "3' LTR": "3' LTR (dU3)", "cPPT": "cPPT/CTS"}
    record = SeqRecord(Seq(text), id="p", name="p", annotations={"molecule_type": "DNA"})
    for part in known.parts:
        place = SimpleLocation(part.start + 160, part.end + 160)
        record.features.append(SeqFeature(place, type="x", qualifiers={"label": [labels.get(part.name, part.name)]}))
    path, bed, fasta = tmp_path / "p.gb", tmp_path / "p.bed", tmp_path / "p.fa"
    write([record], path, "genbank")
    found = read_provirus(path)
    assert (found.sequence, found.parts) == (known.sequence, known.parts)
    fasta.write_text(f">p\n{text}\n")
    bed.write_text("".join(f"p\t{part.start + 160}\t{part.end + 160}\t{part.name}\n" for part in known.parts))
    assert read_provirus(fasta, bed).parts == known.parts
    with pytest.raises(InputError, match="0 features are a 5' LTR"):
        read_provirus(fasta)
    bed.write_text("p\t1\n\np\t9\t2\t5' LTR\n")
    with pytest.raises(InputError) as caught:
        read_provirus(fasta, bed)
    assert [item.position.line for item in caught.value.parts if item.position] == [1, 3]
    short = make_provirus("s", text, [("5'LTR", 0, 100), ("3'LTR", 900, 1000)])
    assert [item.name for item in short.parts] == ["5' LTR", "transgene", "3' LTR"]


def test_the_command_judges_a_lot_in_both_languages(tmp_path, host, capsys):
    from seedtrain.cli._verify import app

    provirus = example_provirus(seed=2)
    made = simulate_proviruses(provirus, {"intact": 70, "internal-deletion": 4}, host, seed=9, sites=5)
    write_fastq(tmp_path / "lot.fastq.gz", [read for read, _kind, _at in made])
    (tmp_path / "p.fa").write_text(f">p\n{provirus.sequence}\n")
    (tmp_path / "p.bed").write_text("".join(f"p\t{one.start}\t{one.end}\t{one.name}\n" for one in provirus.parts))
    (tmp_path / "host.fa").write_text(f">chrA\n{host}\n")
    page = tmp_path / "lot.html"
    words = ["provirus", str(tmp_path / "lot.fastq.gz"), str(tmp_path / "p.fa"), "--bed", str(tmp_path / "p.bed")]
    words += ["--host", str(tmp_path / "host.fa"), "--html", str(page)]
    assert app([*words, "--json"], result_action="return_value") == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"
    assert app([*words, "--lang", "zh"], result_action="return_value") == 0
    assert "chrA:" in capsys.readouterr().out
    assert "前病毒" in page.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="no limit"):
        provirus_limits_from({"full": "1%"})
    report = verify_provirus(tmp_path / "lot.fastq.gz", provirus, host=host)
    with use_language("en"):
        assert render_html(provirus_page(report)) == render_html(provirus_page(report))
