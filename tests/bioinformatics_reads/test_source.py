"""Reads from files: every fault a typed error, and a sample that does not depend on the order."""

import gzip
import random

import pytest

from seedtrain.base import InputError
from seedtrain.bioinformatics import Read, read_reads, simulate_reads, write_fastq
from seedtrain.bioinformatics._reads._source import take_sample

from .made import random_dna

READS = simulate_reads(random_dna(400, 2), 12, seed=1)


def written(tmp_path, raw, name="reads.fastq"):
    path = tmp_path / name
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", ["r.fastq", "r.fastq.gz"])
def test_what_is_written_is_read(tmp_path, name):
    write_fastq(tmp_path / name, READS)
    assert list(read_reads(tmp_path / name)) == READS


def test_a_bam_without_index_gives_the_reads_as_sequenced(tmp_path):
    import pysam

    from seedtrain.bioinformatics._reads._reference import reverse_complement

    path = tmp_path / "r.bam"
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "x", "LN": 1000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as stream:
        for number, read in enumerate(READS):
            item = pysam.AlignedSegment()
            item.query_name = read.name
            turned = number % 2 == 1
            item.query_sequence = reverse_complement(read.sequence) if turned else read.sequence
            quality = read.quality[::-1] if turned else read.quality
            item.query_qualities = pysam.qualitystring_to_array(quality)
            item.flag = 16 if turned else 4
            if turned:
                item.reference_id, item.reference_start = 0, 0
                item.cigarstring = f"{len(read.sequence)}M"
            stream.write(item)
            item.flag |= 0x900
            stream.write(item)
    assert list(read_reads(path)) == READS
    cut = written(tmp_path, path.read_bytes()[: path.stat().st_size // 2], "cut.bam")
    with pytest.raises(InputError, match="too early or is damaged"):
        list(read_reads(cut))


GOOD = b"@a\nACGT\n+\nIIII\n"


@pytest.mark.parametrize(
    ("raw", "words", "line"),
    [
        (b"", "empty", 0),
        (gzip.compress(b""), "empty", 0),
        (b"\n\n", "empty", 0),
        (GOOD + b"@b\nACGT\n+\nIII\n", "4 bases but 3 qualities", 6),
        (GOOD + b"@b\nACGT\n", "ends inside", 5),
        (GOOD + b"b\nACGT\n+\nIIII\n", "begins with '@'", 5),
        (b"@a\nACGT\nx\nIIII\n", "third line", 3),
        (b"@a\nAC.T\n+\nIIII\n", "'.' is no base", 2),
        (b"@a\nMKTAYIAKQRQISFVK\n+\nIIIIIIIIIIIIIIII\n", "protein", 2),
        (b"hello\n", "not with 'h'", 1),
        (b"CRAM\x03", "CRAM", 0),
        (b"@a\n\xff\xfe\n", "not text", 2),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path, raw, words, line):
    with pytest.raises(InputError, match=words) as caught:
        list(read_reads(written(tmp_path, raw)))
    assert caught.value.position is not None
    assert caught.value.position.line == line


@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_gzip_cut_anywhere_is_refused(tmp_path, share):
    write_fastq(tmp_path / "r.fastq.gz", READS)
    raw = (tmp_path / "r.fastq.gz").read_bytes()
    with pytest.raises(InputError, match=r"too early|ends inside"):
        list(read_reads(written(tmp_path, raw[: int(share * len(raw))], "cut.fastq.gz")))


def test_missing_files_and_folders_are_refused(tmp_path):
    for path, words in ((tmp_path / "none.fastq", "no such"), (tmp_path, "folder")):
        with pytest.raises(InputError, match=words):
            read_reads(path)


def test_iupac_and_lower_case_become_plain_bases(tmp_path):
    path = written(tmp_path, b">a\nacgtrynU\n>b\nAC\nGT\n")
    assert list(read_reads(path)) == [Read("a", "ACGTNNNT"), Read("b", "ACGT")]


def test_the_sample_does_not_depend_on_the_order_and_keeps_its_bounds():
    reads = [Read(f"r{number}", "ACGT" * (1 + number % 7)) for number in range(500)]
    mixed = reads.copy()
    random.Random(3).shuffle(mixed)
    one = take_sample(reads, most_bases=2000, most_reads=100)
    other = take_sample(mixed, most_bases=2000, most_reads=100)
    assert {read.name for read in one.reads} == {read.name for read in other.reads}
    assert 0 < sum(len(read.sequence) for read in one.reads) <= 2000
    assert len(one.reads) <= 100
    assert (one.total_reads, one.complete) == (500, False)
    assert take_sample(reads).reads == tuple(reads)


def test_a_large_stream_is_sampled_in_bounded_memory():
    import tracemalloc

    def stream():
        for number in range(40_000):
            yield Read(f"r{number}", "ACGTACGTAC" * 50)

    tracemalloc.start()
    try:
        sample = take_sample(stream(), most_bases=500_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sample.total_bases == 20_000_000
    assert peak < 5_000_000
