"""The reader of proteins: what it takes, where it points when it refuses, and the figures against independent ones."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, Position, use_language
from seedtrain.bioinformatics import AMINO_ACIDS, Protein, parse_protein, read_protein

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen" / "product.fasta"
UNIT = "GERGAPGFRGPAGPNGIPGEKGPAGERGAP"
proteins = st.text(alphabet=sorted(AMINO_ACIDS), min_size=1, max_size=80)


def parse(text: str) -> Protein:
    return parse_protein(text, "p.fasta")


def test_the_example_is_read_whole():
    protein = read_protein(EXAMPLE)
    assert protein.name == "rhCOL3-16"
    assert protein.sequence == UNIT * 16
    assert protein.title.startswith("recombinant human-type collagen III")
    assert protein.elements == {"C": 1920, "H": 2994, "N": 656, "O": 593, "S": 0}
    assert protein.molar_mass == pytest.approx(44_755, abs=2)
    assert 10 < protein.isoelectric_point < 12
    assert protein.extinction_280 == 0
    assert any("280" in note for note in protein.notes)
    assert protein.synthesis_cost == 4 * 480


@given(sequence=proteins)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_two_ways_to_the_mass_agree(sequence):
    protein = Protein("p", sequence)
    weights = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "S": 32.06}
    by_atoms = sum(weights[element] * count for element, count in protein.elements.items())
    assert by_atoms == pytest.approx(protein.molar_mass, rel=1e-4)
    assert sum(protein.composition.values()) == len(protein)


@given(left=proteins, right=proteins)
@settings(derandomize=True, max_examples=40, deadline=None)
def test_joining_two_chains_releases_one_water(left, right):
    whole, first, second = (Protein("p", sequence).elements for sequence in (left + right, left, right))
    water = {"C": 0, "H": 2, "N": 0, "O": 1, "S": 0}
    assert {key: first[key] + second[key] - water[key] for key in water} == dict(whole)


@given(sequence=proteins, width=st.integers(1, 30), end=st.sampled_from(["\n", "\r\n", "\r"]))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_line_ends_width_and_case_do_not_change_the_protein(sequence, width, end):
    if len(sequence) >= 12 and set(sequence) <= set("ACGTUN"):
        return
    lines = [sequence[start : start + width] for start in range(0, len(sequence), width)]
    plain = parse(end.join([">p a title", *lines, ""]))
    lower = parse(end.join([">p a title", *(line.lower() for line in lines), ""]))
    assert plain.sequence == lower.sequence == sequence
    assert plain.title == "a title"
    assert plain.read_as == ()
    assert lower.read_as == ("lower_case",)


def test_a_trailing_stop_and_spaces_are_taken_and_noted():
    protein = parse(">p\nMKV LLW\nAAK*\n")
    assert protein.sequence == "MKVLLWAAK"
    assert protein.read_as == ("trailing_stop", "spaces")
    with use_language("zh"):
        notes = protein.notes
    assert len(notes) == 2
    assert notes != protein.notes


def test_data_round_trip():
    protein = read_protein(EXAMPLE)
    assert Protein.from_data(protein.to_data()) == protein


BAD = {
    "empty": ("", 1, 1, "empty", "header"),
    "blank": ("\n \n", 1, 1, "empty", "header"),
    "no header": ("MKVLL\n", 1, 1, "no header", ">my-product"),
    "nameless": (">\nMKVLL\n", 1, 2, "no name", "name"),
    "header only": (">p\n\n", 1, 1, "no sequence", "sequence"),
    "two records": (">p\nMKVLL\n>q\nMKW\n", 3, 1, "record 2 of 2", "p, q"),
    "stop inside": (">p\nMKV\nL*K\n", 3, 2, "residue 5 of 6", "stop"),
    "two stops": (">p\nMKVL**\n", 2, 5, "stop codon", "stop"),
    "only a stop": (">p\n*\n", 1, 1, "only a stop", "Write"),
    "B": (">p\nMKB\n", 2, 3, "'B'", "D or N"),
    "Z": (">p\nMKZ\n", 2, 3, "'Z'", "E or Q"),
    "J": (">p\nMKJ\n", 2, 3, "'J'", "L or I"),
    "X": (">p\nMXK\n", 2, 2, "'X'", "any residue"),
    "U": (">p\nMKLU\n", 2, 4, "'U'", "selenocysteine"),
    "O": (">p\nMOK\n", 2, 2, "'O'", "pyrrolysine"),
    "gap": (">p\nMK-K\n", 2, 3, "'-'", "gap"),
    "digit": (">p\r\nMK\r\n1K\r\n", 3, 1, "'1'", "twenty"),
    "Greek": (">p\nMKα\n", 2, 3, "'α'", "twenty"),
    "comment": (">p\n;note\nMK\n", 2, 1, "comment", "Remove"),
    "DNA": (">p\nATGGGTGAACGTGGTGCTCCG\n", 2, 1, "DNA", "translate"),
    "dna": (">p\natggcaNNattcaggcacgtacgcatgcatgcatcagcagcacgtacgca\n", 2, 1, "DNA", "translate"),
    "RNA": (">p\nAUGGGUGAACGUGGUGCUCCG\n", 2, 1, "RNA", "translate"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_points_and_says_what_to_do(name):
    text, line, column, message, remedy = BAD[name]
    with pytest.raises(InputError) as caught:
        parse(text)
    first = caught.value.parts[0]
    assert first.position == Position("p.fasta", line, column)
    assert message in first.message
    assert remedy in first.remedy


def test_all_faults_come_at_once_and_a_flood_is_cut():
    with pytest.raises(InputError) as caught:
        parse(">p\nMBK\nMKX\nM*K\n")
    assert [str(part.position) for part in caught.value.parts] == ["p.fasta:2:2", "p.fasta:3:3", "p.fasta:4:2"]
    with pytest.raises(InputError) as caught:
        parse(">p\n" + "X" * 500)
    assert len(caught.value.parts) == 21
    assert "480 more" in caught.value.parts[-1].message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such FASTA file"):
        read_protein(tmp_path / "none.fasta")
    with pytest.raises(InputError, match="folder"):
        read_protein(tmp_path)
    (tmp_path / "latin.fasta").write_bytes(b">prot\xe9ine\nMKV\n")
    with pytest.raises(InputError, match="UTF-8"):
        read_protein(tmp_path / "latin.fasta")
    (tmp_path / "marked.fasta").write_bytes(b"\xef\xbb\xbf>p\r\nMKV\r\n")
    assert read_protein(tmp_path / "marked.fasta").sequence == "MKV"


def test_repeats_of_two_letters_are_a_protein():
    assert parse(">silk\n" + "GA" * 20).sequence == "GA" * 20
    with pytest.raises(InputError, match="no amino acid"):
        Protein("p", "MKX")
