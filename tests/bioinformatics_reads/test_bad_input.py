"""What people give by mistake: a typed error with its place, or an inconclusive verdict with the reason."""

import gzip
import json

import pytest

from seedtrain.base import InputError
from seedtrain.bioinformatics import simulate_reads, write_fastq
from seedtrain.bioinformatics._reads import _fasta
from seedtrain.cli._verify import app

from .made import plain, random_dna

REFERENCE = plain()
TEXT = REFERENCE.sequence
READ = f"@a\n{TEXT[:300]}\n+\n{'I' * 300}\n".encode()
FASTA = f">plain\n{TEXT}\n".encode()


def run(tmp_path, reads, reference, *more, name="r.fastq"):
    (tmp_path / name).write_bytes(reads)
    (tmp_path / "ref.fasta").write_bytes(reference)
    words = ["clone", str(tmp_path / name), str(tmp_path / "ref.fasta"), "--html", str(tmp_path / "page.html"), *more]
    return app(words, result_action="return_value")


@pytest.mark.parametrize(
    ("reads", "reference", "words"),
    [
        (gzip.compress(READ * 50)[:-30], FASTA, "ends too early or is damaged|ends inside"),
        (READ + b"@b\nACGT\n+\nIII\n", FASTA, "4 bases but 3 qualities"),
        (b"@a\nMKVLLETREWQQFFIPLL\n+\nIIIIIIIIIIIIIIIIII\n", FASTA, "protein"),
        (b"", FASTA, "empty"),
        (READ, b"", "begins with|empty"),
        (READ, b">p\nMKVLLETREWQQFFIPLLMKVLLETREWQQFFIPLL\n", "protein"),
        (READ, FASTA + b">second\nACGT\n", "a second record"),
        (READ, b">x\n" + b"ACGT" * 10 + b"\n", "40 bases"),
        (READ, b">x\n" + b"N" * 500 + b"\n", "only 0 of 500"),
        (READ, gzip.compress(FASTA)[:-30], "damaged or cut off"),
        (READ, FASTA[:-1] + b"!\n", "'!' is no base"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_nothing_is_written(tmp_path, reads, reference, words):
    with pytest.raises(InputError, match=words) as caught:
        run(tmp_path, reads, reference)
    assert caught.value.position is not None
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (b">h\nMKVLLETREWQQFFIPLLMKVLLETREWQQFFIPLL\n", "protein"),
        (gzip.compress(FASTA * 50)[:-30], "damaged or cut off"),
        (b"", "no sequence"),
        (b"LOCUS  x", "begins with '>'"),
        (b">h\nACGT!\n", "'!' is no base"),
    ],
)
def test_a_host_that_minimap2_would_swallow_is_refused(tmp_path, monkeypatch, other, words):
    monkeypatch.setattr(_fasta, "CHUNK", 64)  # a host has gigabytes, and its end is read too
    (tmp_path / "host.fa").write_bytes(other)
    with pytest.raises(InputError, match=words) as caught:
        run(tmp_path, READ * 30, FASTA, "--other", f"host={tmp_path / 'host.fa'}")
    assert str(caught.value.position).startswith(str(tmp_path / "host.fa"))
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("circular", "more", "words"),
    [
        (True, ["--linear"], " reads run on from its end to its beginning"),
        (False, [], "0 reads cross base 1: if the molecule is a line"),
    ],
)
def test_a_circle_given_as_a_line_and_the_reverse_are_told(tmp_path, capsys, circular, more, words):
    write_fastq(tmp_path / "made.fastq", simulate_reads(TEXT, 40, seed=3, circular=circular))
    assert run(tmp_path, (tmp_path / "made.fastq").read_bytes(), FASTA, "--json", *more) in (1, 3)
    assert any(words in line for line in json.loads(capsys.readouterr().out)["evidence"])


def test_what_can_be_judged_is_judged_and_says_what_was_read(tmp_path, capsys):
    write_fastq(tmp_path / "made.fastq", simulate_reads(TEXT, 10, seed=3))
    ten = (tmp_path / "made.fastq").read_bytes()
    loose = TEXT[:50].lower() + "R" + TEXT[51:]
    assert run(tmp_path, ten, f">x\n{loose}\n".encode(), "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert "reference: read with lower case" in found["evidence"]
    assert any(line.startswith("masked: 1 IUPAC") for line in found["evidence"])
    assert (tmp_path / "page.html").exists()
    write_fastq(tmp_path / "made.fastq", simulate_reads(random_dna(3000, 999), 40, seed=3))
    assert run(tmp_path, (tmp_path / "made.fastq").read_bytes(), FASTA, "--json") == 1
    other = {item["name"]: item for item in json.loads(capsys.readouterr().out)["criteria"]}
    assert other["bases of something else"]["value"] == "100 %"
    assert {item["verdict"] for item in other.values()} == {"fail", "inconclusive"}


def test_a_bam_without_an_index_is_read(tmp_path):
    import pysam

    with pysam.AlignmentFile(str(tmp_path / "r.bam"), "wb", header={"HD": {"VN": "1.6"}}) as stream:
        for read in simulate_reads(TEXT, 20, seed=4):
            item = pysam.AlignedSegment()
            item.query_name, item.query_sequence, item.flag = read.name, read.sequence, 4
            item.query_qualities = pysam.qualitystring_to_array(read.quality)
            stream.write(item)
    assert run(tmp_path, (tmp_path / "r.bam").read_bytes(), FASTA, "--json", name="r.bam") == 3
