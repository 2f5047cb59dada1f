"""References: faults with their place, masks and homopolymers that turn with the circle."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.bioinformatics import Reference, parse_reference, read_reference
from seedtrain.bioinformatics._reads._reference import encode, reverse_complement

from .made import random_dna

DNA = random_dna(300, 1)


def test_lower_case_rna_and_wrapped_lines_read_as_one_sequence():
    text = f">x words\n{DNA[:100].lower()}\n\n{DNA[100:].replace('T', 'U')}\n"
    found = parse_reference(text)
    assert (found.name, found.sequence, found.circular, found.notes) == ("x", DNA, True, ("lower_case", "rna"))


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("", "empty", 0),
        (">x\n", "empty", 0),
        ("ACGT\n", "begins with '>'", 1),
        (f">x\n{DNA}\n>y\n{DNA}\n", "second record", 3),
        (f">x\n{DNA[:60]}\n{DNA[:10]}-{DNA}\n", "'-' is no base", 3),
        (">x\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n", "protein", 2),
        (">x\nACGT\n", "allowed are", 0),
        (f">x\n{'N' * 200}{DNA[:50]}\n", "only 50 of 250", 0),
    ],
)
def test_a_reference_that_is_none_is_refused_with_its_place(text, words, line):
    with pytest.raises(InputError, match=words) as caught:
        parse_reference(text, "r.fasta")
    assert caught.value.position is not None
    assert (caught.value.position.file, caught.value.position.line) == ("r.fasta", line)


def test_genbank_says_whether_it_is_a_circle(tmp_path):
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    for topology in ("circular", "linear"):
        path = tmp_path / f"{topology}.gb"
        record = SeqRecord(Seq(DNA), id="p1", name="p1", annotations={"molecule_type": "DNA", "topology": topology})
        SeqIO.write([record], path, "genbank")
        found = read_reference(path)
        assert (found.sequence, found.circular) == (DNA, topology == "circular")
        assert read_reference(path, circular=False).circular is False


def test_a_damaged_gzip_and_a_folder_are_refused(tmp_path):
    path = tmp_path / "r.fasta.gz"
    whole = gzip.compress(f">x\n{DNA}\n".encode())
    for wrong in (whole[:-20], whole[:12] + b"\xff" * 40 + whole[52:]):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match="damaged or cut off"):
            read_reference(path)
    with pytest.raises(InputError, match="this is a folder"):
        read_reference(tmp_path)


@given(st.integers(0, 299))
def test_masks_and_homopolymers_turn_with_the_circle(turn):
    text = DNA[:50] + "GATC" + DNA[50:120] + "CCAGG" + DNA[120:200] + "AAAAAAA" + DNA[200:]
    one, other = Reference("a", text), Reference("b", text[turn:] + text[:turn])
    size = len(text)
    for kind in ("Dam", "Dcm"):
        there = {(int(site) - turn) % size for site in one.positions_of(kind).nonzero()[0]}
        assert there == {int(site) for site in other.positions_of(kind).nonzero()[0]}
    assert sorted(((run.start - turn) % size, run.length) for run in one.runs) == sorted(
        (run.start, run.length) for run in other.runs
    )


@given(st.text("ACGTN", min_size=1, max_size=60))
def test_the_other_strand_of_the_other_strand_is_the_strand(text):
    assert reverse_complement(reverse_complement(text)) == text
    back = encode(reverse_complement(text))[::-1]
    assert [3 - code if code < 4 else 4 for code in encode(text)] == list(back)
