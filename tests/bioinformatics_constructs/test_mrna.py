"""Messengers: the protein stays, the front is a front, and what stands around the coding sequence is judged."""

import io
import itertools
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, UnavailableError
from seedtrain.bioinformatics import (
    MessengerQuestion,
    Protein,
    design_mrna,
    dna_genbank,
    front_figure,
    parse_dna,
    read_host,
    utrs,
)
from seedtrain.bioinformatics import _fold as fold
from seedtrain.bioinformatics import _fold_whole as fold_whole
from seedtrain.bioinformatics._draft import Limits
from seedtrain.bioinformatics._fold_whole import Vienna
from seedtrain.bioinformatics._mrna._front import Candidate, _Search, undominated
from seedtrain.bioinformatics._mrna._parts import poly_a, utr
from seedtrain.report import draw
from tests.judges import needs
from tests.worked import called

PROTEIN = Protein("short", "MKWVTFISLLLLFSSAYSRGVFRREAHKSEIAHRFKDLGEEHFKGLVLIAFSQYLQQCPF")
"""The first sixty residues of bovine serum albumin (UniProt P02769), with its signal."""


@pytest.fixture(scope="module")
def messenger():
    return design_mrna(PROTEIN, MessengerQuestion(cai_lowest=0.85))


def test_the_messenger_encodes_the_protein_and_passes(messenger):
    assert messenger.verdict.verdict == "pass"
    for one in messenger.candidates:
        assert str(Seq(one.dna).translate(cds=True)) == PROTEIN.sequence
    whole = messenger.dna
    assert whole.startswith("ACTCTTCTGG")
    assert whole.endswith("A" * 30 + "GCATATGACT" + "A" * 70)
    assert f"GCCACC{messenger.coding.dna}" in whole
    assert "GCTCTTC" not in whole
    assert "GAAGAGC" not in whole


def test_the_front_falls_in_codons_as_it_gains_in_structure(messenger):
    cai = [item.cai for item in messenger.candidates]
    strength = [item.strength for item in messenger.candidates]
    assert len(cai) >= 3
    assert cai == sorted(cai, reverse=True)
    assert strength == sorted(strength, reverse=True)
    assert messenger.coding.cai >= 0.85
    assert messenger.coding.strength == min(item.strength for item in messenger.candidates if item.cai >= 0.85)
    first = read_host("human").start.window // 3 * 3
    assert len({item.dna[:first] for item in messenger.candidates}) == 1


def test_less_uridine_where_it_is_to_be_depleted(messenger):
    depleted = design_mrna(PROTEIN, MessengerQuestion(cai_lowest=0.0, deplete_uridine=True))
    plain = design_mrna(PROTEIN, MessengerQuestion(cai_lowest=0.0))
    assert depleted.coding.uridine < plain.coding.uridine
    assert max(item.uridine for item in depleted.candidates) < min(item.uridine for item in plain.candidates) + 0.02
    assert str(Seq(depleted.coding.dna).translate(cds=True)) == PROTEIN.sequence


def test_the_same_question_gives_the_same_messenger(messenger):
    assert design_mrna(PROTEIN, MessengerQuestion(cai_lowest=0.85)).to_data() == messenger.to_data()


@given(points=st.lists(st.tuples(st.integers(0, 9), st.integers(-9, 0)), min_size=1, max_size=12))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_a_front_holds_what_nothing_beats(points):
    made = [Candidate(0.0, f"{at}", cai / 10, 0.2, float(energy)) for at, (cai, energy) in enumerate(points)]
    kept = undominated(made)
    assert kept
    for one in made:
        beaten = any(
            (other.cai or 0) >= (one.cai or 0)
            and other.strength <= one.strength
            and (other.cai, other.strength) != (one.cai, one.strength)
            for other in made
        )
        assert (one in kept) == (not beaten)


def test_other_programs_read_the_parts(messenger):
    record = SeqIO.read(io.StringIO(dna_genbank(messenger.record)), "genbank")
    kinds = {item.type: str(item.extract(record.seq)) for item in record.features}
    assert kinds["CDS"] == messenger.coding.dna
    assert kinds["3'UTR"] == messenger.utr3.sequence
    assert parse_dna(dna_genbank(messenger.record)).sequence == messenger.dna
    ElementTree.fromstring(draw(front_figure(messenger)).svg)  # noqa: S314  our own


def test_bad_surroundings_are_judged():
    verdict = design_mrna(
        Protein("p", "MKWVTF"),
        MessengerQuestion(utr5="GGGGCCCCAAAAGGGGCCCCATGGTTTTTTGCTCTTC", poly_a="20", cai_lowest=0.0),
    ).verdict
    missed = {item.name for item in verdict.criteria if item.verdict == "fail"}
    assert missed == {
        "AUG in front of the start",
        "structure at the cap",
        "A in the tail",
        "sites of the linearising enzyme",
    } or missed == {"AUG in front of the start", "A in the tail", "sites of the linearising enzyme"}


@needs("RNA")
def test_the_whole_is_folded_by_viennarna():
    import RNA

    made = design_mrna(Protein("p", PROTEIN.sequence[:30]), MessengerQuestion(whole=True))
    structure, energy = RNA.fold(made.dna.replace("T", "U"))
    assert (made.structure, made.coding.energy) == (structure, pytest.approx(energy))
    assert {item.energy is None for item in made.candidates} == {False}


@needs("RNA")
def test_viennarna_folds_the_published_transfer_rna():
    """Yeast tRNA-Phe folds to its cloverleaf's energy, -22 kcal/mol or so, in both programs."""
    trna = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"
    with Vienna() as vienna:
        assert vienna.energy(trna) == pytest.approx(-22.0, abs=1.5)
    assert fold.window_energy(trna) == pytest.approx(-22.0, abs=1.5)


LINEAR_DESIGN = (
    ("AUGAACGAUACGGAGGCGAUC", "......(((.((....)))))", -1.10),
    ("AUGCCAAACACCCUGGCAUGCCCC", "((((((.......)))))).....", -6.00),
    (
        "AUGCUGGAUCAGGUGAACAAGCUGAAGUACCCAGAGGUGAGCCUGACCUGA",
        ".....((.((((((..((...(((.......)))..))..))))))))...",
        -13.50,
    ),
)
"""Messengers, structures and kcal/mol that the authors of LinearDesign print in its README (Zhang et al. 2023)."""


@needs("RNA")
def test_the_search_finds_the_optimum_that_lineardesign_prints():
    """Its energies are ViennaRNA's without dangling ends. Of all 6,144 codings of its second example, with 3 kcal/mol a
    unit of ln w, none is better than the one it prints, and the local search ends there."""
    import RNA

    model = RNA.md()
    model.dangles = 0

    def energy(dna):
        return float(RNA.fold_compound(dna.replace("T", "U"), model).mfe()[1])

    for messenger, structure, expected in LINEAR_DESIGN:
        assert RNA.fold_compound(messenger, model).mfe()[0] == structure
        assert energy(messenger) == pytest.approx(expected, abs=1e-5)
    host = read_host("human")
    free = host.model_copy(update={"start": host.start.model_copy(update={"window": 0, "nucleotides": 0})})
    printed = LINEAR_DESIGN[1][0].replace("U", "T")

    def cost(dna):
        words = [dna[at : at + 3] for at in range(0, len(dna), 3)]
        return energy(dna) - 3 * sum(math.log(host.weights[one]) for one in words if one not in {"ATG", "TGG"})

    letters = [next(k for k, v in host.synonyms.items() if printed[at : at + 3] in v) for at in range(0, 24, 3)]
    every = [host.synonyms[letter] for letter in letters]
    assert min(cost("".join(one)) for one in itertools.product(*every)) == pytest.approx(cost(printed))
    begin = "".join(max(codons, key=lambda codon: host.weights[codon]) for codons in every)
    search = _Search(free, Limits(50, 0.0, 1.0, 99, 99, ()), 1 / 3, 0.0, energy)
    found = search.sweep(begin, np.random.default_rng([1, 0, 0]))
    assert cost(found) == pytest.approx(cost(printed))
    assert cost(begin) > cost(printed) + 1


def test_without_viennarna_the_whole_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(fold_whole, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="ViennaRNA") as caught:
        design_mrna(PROTEIN, MessengerQuestion(whole=True))
    assert "seedtrain[folding]" in caught.value.remedy


@needs("RNA")
def test_folding_that_takes_too_long_is_stopped_and_its_process_gone():
    with Vienna(0.2) as vienna:
        with pytest.raises(UnavailableError, match=r"did not answer in 0\.2 s \(4000 nt\)"):
            vienna.fold("GGCCAUAUCG" * 400)
        assert vienna._worker.pid is None
        with pytest.raises(UnavailableError, match="has ended"):
            vienna.fold("GGGAAACCC")  # never the late answer to the question before


@needs("RNA")
def test_a_process_that_dies_says_what_it_said():
    with Vienna(worker="raise SystemExit('out of memory')") as vienna, pytest.raises(UnavailableError) as caught:
        vienna.fold("GGGAAACCC")
    assert "ended before it answered (9 nt) (exit code 1): out of memory" in caught.value.message


@needs("RNA")
@pytest.mark.parametrize("answer", ["((....)) -1.0", "((.....)) low", "Segmentation fault", ""])
def test_an_answer_that_is_no_structure_of_it_is_refused(answer):
    with Vienna(worker=f"input(); print({answer!r}, flush=True); input()") as vienna:
        with pytest.raises(UnavailableError, match="no structure"):
            vienna.fold("GGGAAACCC")
        assert vienna._worker.pid is None


BAD = {
    "utr": (lambda: utr("my_utr", 5), "no 5' UTR 'my_utr'"),
    "end": (lambda: utr("human_beta_globin", 5), "no 5' UTR"),
    "tail": (lambda: poly_a("x"), "a poly-A of 'x'"),
    "stretch": (lambda: poly_a("100+2"), "100[+]2"),
    "long": (lambda: poly_a("200+200"), "200[+]200"),
    "host": (lambda: design_mrna(PROTEIN, MessengerQuestion(host="martian")), "no host"),
    "enzyme": (lambda: design_mrna(PROTEIN, MessengerQuestion(linearise="QqqI")), "QqqI"),
    "protein": (lambda: design_mrna(Protein("long", "MK" * 1000)), "2000 residues"),
    "cai": (lambda: MessengerQuestion(cai_lowest=2), "2"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_questions_are_refused(name):
    work, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        work()
    assert caught.value.remedy


def test_every_utr_has_its_source():
    for item in utrs():
        assert item.source
        assert set(item.sequence) <= set("ACGT")
        assert item.end == 3 or "ATG" not in item.sequence


def test_the_commands_write_gene_and_messenger(tmp_path):
    (tmp_path / "p.fasta").write_text(f">p\n{PROTEIN.sequence[:30]}\n")
    files = [tmp_path / "p.fasta", "-o", tmp_path / "out"]
    said = called("design", "mrna", *files, "--cai-lowest", "0.5", "--json")
    assert said.code in {0, 3}, said.err
    data = said.document
    assert (tmp_path / "out" / "messenger.fasta").read_text() == f">p\n{data['rna']}\n"
    assert "<svg" in (tmp_path / "out" / "front.svg").read_text()
    said = called("design", "gene", files[0], "--host", "cho", "--genbank", tmp_path / "g.gb", "--json")
    assert said.code == 0, said.err
    assert SeqIO.read(tmp_path / "g.gb", "genbank").seq == said.document["dna"]
