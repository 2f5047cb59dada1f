"""Genome classes of AAV reads: simulated lots of known class, the real lot, and files that cannot be used."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mappy")
pytest.importorskip("edlib")
pytest.importorskip("pysam")

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import Read, read_reads, reverse_complement
from seedtrain.report import render_html
from seedtrain.vectors import (
    CLASSES,
    GenomeLimits,
    ReadErrors,
    example_vector,
    fastq,
    genomes_page,
    limits_from,
    make_vector,
    random_sequence,
    read_sources,
    read_vector,
    simulate_genomes,
    verify_genomes,
)
from seedtrain.vectors._genomes._vector import AAV2_ITR, find_repeats

DATA = next(
    (folder / "shared" / "data" for folder in Path(__file__).parents if (folder / "shared/data").is_dir()), None
)
SINGLE = (
    "full",
    "internal-deletion",
    "left-partial",
    "right-partial",
    "partial",
    "left-snapback",
    "right-snapback",
    "read-through",
    "reverse-packaged",
    "backbone",
    "tandem",
)
DOUBLE = (*SINGLE, "sc-full", "sc-partial", "sc-internal-deletion")
EACH = 40


def foreign(seed=9):
    rng = np.random.default_rng(seed)
    return {role: random_sequence(9000, rng) for role in ("helper", "host", "repcap")}


def write_sources(folder, sequences):
    for role, sequence in sequences.items():
        (folder / f"{role}.fa").write_text(f">{role}\n{sequence}\n")
    return [f"{role}={folder / f'{role}.fa'}" for role in sequences]


def macro_f1(truth, found):
    scores = []
    for kind in sorted(set(truth)):
        both = sum(a == b == kind for a, b in zip(truth, found, strict=True))
        either = truth.count(kind) + found.count(kind)
        scores.append(2 * both / either)
    return sum(scores) / len(scores)


def write_vector(folder, vector):
    path = folder / "vector.fa"
    path.write_text(f">{vector.name}\n{vector.sequence}\n")
    return path


@pytest.mark.parametrize(
    ("design", "kinds", "platform", "quality"),
    [("ss", SINGLE, "pacbio", 30.0), ("sc", DOUBLE, "pacbio", 30.0), ("ss", SINGLE, "nanopore", 18.0)],
)
def test_reads_of_known_class_are_told_apart(tmp_path, design, kinds, platform, quality):
    vector = example_vector(seed=11, design=design)
    others = foreign()
    sources = read_sources([str(write_vector(tmp_path, vector)), *write_sources(tmp_path, others)])
    made = simulate_genomes(
        vector,
        dict.fromkeys((*kinds, "helper", "host", "repcap", "chimeric-vector"), EACH),
        seed=21,
        others=others,
        errors=ReadErrors(quality, 4.0),
    )
    report = verify_genomes([read for read, _kind in made], vector, sources=sources, platform=platform)
    truth = [kind for _read, kind in made]
    found = [item.kind for item in report.genomes]
    assert report.design == design
    assert macro_f1(truth, found) >= 0.97
    deleted = [b for a, b in zip(truth, found, strict=True) if "internal-deletion" in a]
    assert sum(kind in ("full", "sc-full") for kind in deleted) <= 0.01 * len(deleted)
    assert set(found) <= set(CLASSES)


def test_a_deletion_is_measured_and_its_reads_are_not_full():
    vector = example_vector(seed=12)
    payload = vector.sequence[vector.left[1] : vector.right[0]]
    for size, expected in ((0, "full"), (20, "full"), (60, "internal-deletion"), (700, "internal-deletion")):
        inside = payload[:900] + payload[900 + size :]
        read = Read("r", AAV2_ITR + inside + reverse_complement(AAV2_ITR))
        found = verify_genomes([read], vector).genomes[0]
        assert found.kind == expected
        assert found.deleted == pytest.approx(size, abs=15 if size else 0)


def test_a_class_does_not_depend_on_the_strand_read_nor_on_where_the_file_begins():
    vector = example_vector(seed=13)
    made = [read for read, _kind in simulate_genomes(vector, dict.fromkeys(SINGLE, 4), seed=3)]
    plain = [item.kind for item in verify_genomes(made, vector).genomes]
    turned = [Read(read.name, reverse_complement(read.sequence)) for read in made]
    assert [item.kind for item in verify_genomes(turned, vector).genomes] == plain
    cut = 700
    sequence = vector.sequence[cut:] + vector.sequence[:cut]
    left, right = ((span[0] - cut, span[1] - cut) for span in (vector.left, vector.right))
    again = make_vector("v", sequence, left, right)
    assert again.sequence == vector.sequence
    assert [item.kind for item in verify_genomes(made, again).genomes] == plain


def test_shares_add_up_and_a_missed_limit_fails_only_with_its_whole_interval():
    vector = example_vector(seed=14)
    counts = {"full": 150, "internal-deletion": 60, "backbone": 90}
    reads = [read for read, _kind in simulate_genomes(vector, counts, seed=5)]
    report = verify_genomes(reads, vector)
    assert dict(report.counts) == counts
    by_name = {item.name: item for item in report.verdict.criteria}
    assert by_name["internal deletions"].verdict == "fail"
    assert by_name["full genomes"].verdict == "inconclusive"  # 150 of 300: the limit of 50 % lies inside
    assert by_name["reads judged"].verdict == "pass"
    assert "host" not in by_name  # nobody gave the host's sequence
    few = verify_genomes(reads[:20], vector)
    assert {item.verdict for item in few.verdict.criteria} == {"inconclusive"}
    assert "simulated reads" in report.verdict.evidence


def test_ends_say_which_orientation_the_repeat_has_and_what_is_missing():
    vector = example_vector(seed=15)
    payload = vector.sequence[vector.left[1] : vector.right[0]]
    read = Read("r", AAV2_ITR[8:] + payload + reverse_complement(AAV2_ITR)[:-25])
    ends = {end.side: end for end in verify_genomes([read], vector).genomes[0].ends}
    assert (ends["left"].orientation, ends["right"].orientation) == ("flip", "flip")
    assert ends["left"].missing == pytest.approx(8, abs=3)
    assert ends["right"].missing == pytest.approx(25, abs=3)


def test_the_same_reads_give_the_same_bytes_in_both_languages(tmp_path):
    vector = example_vector(seed=16)
    path = tmp_path / "lot.fastq"
    path.write_text(fastq([read for read, _kind in simulate_genomes(vector, dict.fromkeys(SINGLE, 8), seed=6)]))
    first, second = (verify_genomes(path, vector) for _each in range(2))
    assert json.dumps(first.verdict.to_data()) == json.dumps(second.verdict.to_data())
    assert render_html(genomes_page(first)) == render_html(genomes_page(second))
    with use_language("zh"):
        assert "内部缺失" in render_html(genomes_page(first))


def test_a_larger_file_is_sampled_by_its_reads_whatever_their_order():
    vector = example_vector(seed=17)
    reads = [read for read, _kind in simulate_genomes(vector, {"full": 15, "backbone": 15}, seed=7)]
    one = verify_genomes(reads, vector, most=10)
    two = verify_genomes(reads[::-1], vector, most=10)
    assert len(one.genomes) == 10
    assert one.counts == two.counts
    assert "10 of 30 reads" in one.verdict.evidence[0]


def test_the_real_lot_is_full_and_self_complementary():
    if DATA is None:
        pytest.skip("the real AAV reads (shared/data/aav_pacbio) are not there")
    real = DATA / "aav_pacbio"
    source = read_sources([str(real / "vector.fasta")])[0]
    vector = read_vector(source, real / "vector.bed")
    report = verify_genomes(real / "tc-gia-012.bam", vector, most=320)
    assert report.design == "sc"
    assert report.counts["sc-full"] >= 0.98 * 320
    assert report.verdict.verdict == "pass"
    found = read_vector(source)
    assert abs(found.size - vector.size) < 50


def test_repeats_are_found_in_the_sequence_or_named_by_a_bed_file(tmp_path):
    vector = example_vector(seed=18)
    assert find_repeats(vector.sequence) == [vector.left, vector.right]
    path = write_vector(tmp_path, vector)
    source = read_sources([str(path)])[0]
    assert read_vector(source).digest == vector.digest
    bed = tmp_path / "v.bed"
    bed.write_text(f"{vector.name}\t{vector.left[0]}\t{vector.left[1]}\tITR-L\n")
    with pytest.raises(InputError, match="1 inverted terminal repeats were found"):
        read_vector(source, bed)
    bed.write_text(f"{vector.name}\t10\tx\tITR\n")
    with pytest.raises(InputError, match=r"v.bed:1:1"):
        read_vector(source, bed)


def test_a_cassette_over_the_origin_of_the_file_is_the_same_cassette(tmp_path):
    """Maps begin anywhere: taken as it stands, such a file would make backbone of every genome."""
    vector = example_vector(seed=18)
    total = len(vector.sequence)
    middle = (vector.left[1] + vector.right[0]) // 2
    for cut in (5, middle, vector.right[0] - 1, vector.right[1] + 1):
        turned = vector.sequence[cut:] + vector.sequence[:cut]
        path = write_vector(tmp_path, replace(vector, sequence=turned))
        found = read_vector(read_sources([str(path)])[0])
        assert found.size == vector.size
        assert found.sequence[slice(*found.left)] == vector.sequence[slice(*vector.left)]
        bed = tmp_path / "v.bed"
        places = [
            ((start - cut) % total, (start - cut) % total + end - start) for start, end in (vector.left, vector.right)
        ]
        bed.write_text("".join(f"{vector.name}\t{start}\t{end}\tITR\n" for start, end in places))
        assert read_vector(read_sources([str(path)])[0], bed).digest == found.digest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello\n", "begins with '@'"),
        (b"@r\nACGT\n+\nII\n", "4 bases"),
        (b"@r\nACGT\n+\n", "ends inside"),
        (b"@r\nAC!T\n+\nIIII\n", "'!' is no base"),
        (b"@r\nMEFILPQ\n+\nIIIIIII\n", "protein"),
        (gzip.compress(b"@r\nACGT\n+\nIIII\n" * 900)[:-9], "ends too early"),
        (b"CRAM....", "CRAM"),
    ],
)
def test_reads_that_cannot_be_used_are_errors_with_their_place(tmp_path, content, words):
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        list(read_reads(path))
    assert "bad" in str(caught.value)


def test_reads_of_something_else_are_unknown_and_never_pass():
    rng = np.random.default_rng(4)
    reads = [Read(f"r{index}", random_sequence(2000, rng)) for index in range(400)]
    report = verify_genomes(reads, example_vector(seed=19))
    assert dict(report.counts) == {"unknown": 400}
    assert report.verdict.verdict == "fail"


def test_limits_by_name():
    assert limits_from({"full": "60%", "host": "none", "reads": "50"}) == GenomeLimits(50, full=0.6, host=None)
    for texts in ({"fool": "1%"}, {"full": "160%"}, {"reads": "0"}, {"host": "x"}):
        with pytest.raises(InputError):
            limits_from(texts)


def test_sources_say_what_they_are(tmp_path):
    path = write_vector(tmp_path, example_vector(seed=20))
    for texts, words in (
        ([str(path), str(path)], "does not say what it is"),
        ([str(path), f"cat={path}"], "does not say what it is"),
        ([f"host={path}"], "one vector"),
        ([str(tmp_path / "none.fa")], "no such file"),
    ):
        with pytest.raises(InputError, match=words):
            read_sources(texts)


def test_the_command_answers_with_the_contracts_code(tmp_path, capsys):
    from seedtrain.cli import main

    vector = example_vector(seed=21)
    path = tmp_path / "lot.fastq"
    path.write_text(fastq([read for read, _kind in simulate_genomes(vector, {"full": 320}, seed=8)]))
    reference = write_vector(tmp_path, vector)
    page = tmp_path / "lot.html"
    with pytest.raises(SystemExit) as left:
        main(["verify", "vector", str(path), str(reference), "--html", str(page), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (left.value.code, answer["verdict"]) == (0, "pass")
    assert "simulated reads" in page.read_text("utf-8")
    with pytest.raises(SystemExit) as left:
        main(["verify", "vector", str(path), str(reference), "--limit", "full=99.9%"])
    assert left.value.code == 3
