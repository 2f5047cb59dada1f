"""Genes: identity, limits and determinism, judged by code that is not the designer's."""

import importlib
import io
import json
import math
import random
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import (
    AMINO_ACIDS,
    TRANSLATION_RULE,
    Gene,
    GeneRequirements,
    Protein,
    adaptation_index,
    design_gene,
    genbank,
    host_names,
    read_host,
    read_protein,
)
from seedtrain.bioinformatics import _measure as measure
from seedtrain.bioinformatics._chisel import polish
from seedtrain.bioinformatics._draft import DeadEnd, Limits, draft

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen" / "product.fasta"
HASHED = "MGERGAPGFRGPAGPNGIPGEKGPAGERGAPGERGAPGFRGPAGP"
dna_text = st.text(alphabet="ACGT", min_size=1, max_size=60)


@pytest.fixture(scope="module")
def collagen():
    return design_gene(read_protein(EXAMPLE), seed=1)


def occurrences(dna, word):
    return len(re.findall(f"(?={word})", dna))


def naive_longest_repeat(dna):
    other = str(Seq(dna).reverse_complement())
    best = 0
    for length in range(1, len(dna)):
        words = [dna[at : at + length] for at in range(len(dna) - length + 1)]
        back = [other[at : at + length] for at in range(len(dna) - length + 1)]
        # the same stretch read backwards stands at the mirrored place: that one is no repeat
        inverted = any(w == b and i != len(words) - 1 - j for i, w in enumerate(words) for j, b in enumerate(back))
        if len(set(words)) == len(words) and not inverted:
            return best
        best = length
    return best


# --- the worked example -------------------------------------------------------------------------------------------


def test_the_example_translates_back_and_passes(collagen):
    product = read_protein(EXAMPLE)
    assert str(Seq(collagen.dna).translate(table=11, cds=True)) == f"M{product.sequence}"
    assert collagen.dna.endswith("TAA")
    assert collagen.checks.verdict == "pass"
    assert collagen.methionine == "added"
    assert collagen.mature == product.sequence


def test_the_example_has_no_restriction_site_by_biopython(collagen):
    batch: Any = vars(importlib.import_module("Bio.Restriction"))["RestrictionBatch"](list(collagen.requirements.sites))
    found = batch.search(Seq(collagen.dna), linear=True)
    assert set(found) == set(batch)
    assert not any(found.values())
    # Biopython reports a site only if the cut lies inside: look for the words as well
    for enzyme in batch:
        assert occurrences(collagen.dna, enzyme.site) == 0
        assert occurrences(str(Seq(collagen.dna).reverse_complement()), enzyme.site) == 0
    assert "AGGAGG" not in collagen.dna


def test_the_sixteen_repeats_are_sixteen_different_sequences(collagen):
    body = collagen.dna[3:-3]
    units = [body[at : at + 90] for at in range(0, len(body), 90)]
    assert len(set(units)) == 16
    words = [collagen.dna[at : at + 20] for at in range(len(collagen.dna) - 19)]
    back = {str(Seq(word).reverse_complement()) for word in words}
    assert len(set(words)) == len(words)
    assert not back & set(words)
    assert collagen.figures.longest_repeat <= 19
    assert collagen.figures.unique_words == 1.0
    chosen = {measure.longest_repeat(one + two) for one, two in pairwise(units)}
    assert max(chosen) <= 19


def test_the_example_keeps_to_the_gc_that_it_reports(collagen):
    windows = [collagen.dna[at : at + 50] for at in range(len(collagen.dna) - 49)]
    shares = [(w.count("G") + w.count("C")) / 50 for w in windows]
    assert (min(shares), max(shares)) == pytest.approx(
        (collagen.figures.gc_window_low, collagen.figures.gc_window_high)
    )
    # 0.65 cannot be had beside the other limits; the gene must say so, in both languages
    assert [item.limit for item in collagen.relaxed] == ["GC window"]
    assert max(shares) <= 0.70 + 1e-9
    assert not re.search(r"(.)\1{6}", collagen.dna)
    assert any("0.70" in note for note in collagen.notes)
    with use_language("zh"):
        assert any("0.70" in note and "GC 窗口" in note for note in collagen.notes)


def test_the_example_is_better_than_dna_chisel_alone(collagen):
    """The beam search is there for its codons: DNA Chisel from an even draft reaches less under the same limits."""
    host = read_host("e_coli")
    even = "".join(random.Random(3).choice(host.usable(letter)) for letter in collagen.encoded) + host.stop
    limits = Limits(50, 0.35, 0.70, 19, 6, host.forbidden)
    alone = polish(even, collagen.encoded, host, limits, seed=3)
    assert alone is not None
    assert (adaptation_index(alone, host.weights) or 0) < collagen.figures.cai - 0.05


def test_codon_adaptation_by_hand(collagen):
    host = read_host("e_coli")
    codons = [collagen.dna[at : at + 3] for at in range(3, len(collagen.dna) - 3, 3)]
    usage = {codon: max(x, 0.01) for codon, x in host.reference.codons.items()}
    best: dict[str, float] = {}
    for codon, x in usage.items():
        letter = str(Seq(codon).translate())
        best[letter] = max(best.get(letter, 0), x)
    product = math.prod(usage[codon] / best[str(Seq(codon).translate())] for codon in codons)
    assert product ** (1 / len(codons)) == pytest.approx(collagen.figures.cai, rel=1e-9)
    assert 0.7 < collagen.figures.cai < 1
    expected = min(1.1, max(0.5, (collagen.figures.cai / 0.8) ** 0.5))
    assert collagen.translation_factor == pytest.approx(expected)
    assert collagen.lever[0] == "q_P_max"
    assert collagen.lever[2] == "assumed"


def test_the_start_is_weaker_than_the_rest(collagen):
    assert collagen.figures.start_gc < collagen.figures.gc - 0.05


def test_genbank_round_trip(collagen):
    text = genbank(collagen)
    record = SeqIO.read(io.StringIO(text), "genbank")
    assert str(record.seq) == collagen.dna
    kinds = [feature.type for feature in record.features]
    assert kinds == ["source", "gene", "CDS", "mat_peptide"]
    coding, mature = record.features[2:]
    assert coding.qualifiers["translation"] == [collagen.encoded]
    assert str(coding.extract(record.seq).translate(table=11, cds=True)) == collagen.encoded
    assert str(mature.extract(record.seq).translate(table=11)) == collagen.product.sequence
    assert record.annotations["molecule_type"] == "DNA"
    assert genbank(collagen) == text
    assert not re.search("RBS|promoter", text)


def test_data_round_trip(collagen):
    assert Gene.from_data(json.loads(json.dumps(collagen.to_data()))) == collagen


# --- laws -----------------------------------------------------------------------------------------------------------


@given(sequence=st.text(alphabet=sorted(AMINO_ACIDS), min_size=1, max_size=24))
@settings(derandomize=True, max_examples=10, deadline=None)
def test_protein_to_gene_to_protein(sequence):
    gene = design_gene(Protein("p", sequence))
    back = str(Seq(gene.dna).translate(table=11, cds=True))
    assert back == gene.encoded
    assert back == (sequence if sequence.startswith("M") else f"M{sequence}")
    assert Gene.from_data(gene.to_data()) == gene
    record = SeqIO.read(io.StringIO(genbank(gene)), "genbank")
    assert str(record.seq) == gene.dna


def test_the_same_seed_gives_the_same_gene_and_leaves_numpy_alone():
    protein = Protein("p", "MKWVTFISLLLLFSSAYSRGVFRREAHKSEIAHRFKDLGEEHFKG")
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    first = design_gene(protein, seed=7)
    assert np.array_equal(np.random.random(3), expected)
    assert design_gene(protein, seed=7) == first
    repeated = Protein("p", "GERGAPGFRGPAGPNGIPGEKGPAGERGAP" * 3)
    assert len({design_gene(repeated, seed=seed).dna for seed in (1, 2)}) == 2


def test_the_gene_does_not_depend_on_the_hash_seed():
    program = (
        f"from seedtrain.bioinformatics import Protein, design_gene;print(design_gene(Protein('p', '{HASHED}')).dna)"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": "2"}, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == design_gene(Protein("p", HASHED)).dna


@given(dna=dna_text)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_repeat_and_run_against_plain_counting(dna):
    assert measure.longest_repeat(dna) == naive_longest_repeat(dna)
    longest = max(len(dna[a:b]) for a in range(len(dna)) for b in range(a + 1, len(dna) + 1) if len(set(dna[a:b])) == 1)
    assert measure.longest_homopolymer(dna) == longest
    low, high = measure.gc_windows(dna, 10)
    width = min(10, len(dna))
    shares = [measure.gc_fraction(dna[at : at + width]) for at in range(len(dna) - width + 1)]
    assert (low, high) == pytest.approx((min(shares), max(shares)))


@given(stem=st.text(alphabet="ACGT", min_size=3, max_size=8))
@settings(derandomize=True, max_examples=30, deadline=None)
def test_a_hairpin_is_found(stem):
    dna = stem + "AAAA" + str(Seq(stem).reverse_complement())
    assert measure.longest_stem(dna) >= len(stem)
    assert measure.longest_stem("A" * 30) == 0


def test_polish_never_leaves_the_limits_or_the_protein():
    host = read_host("e_coli")
    limits = Limits(50, 0.3, 0.7, 15, 5, host.forbidden)
    encoded = "M" + "GERGAPGFRGPAGPNGIPGEKGPAGERGAP" * 3
    drafted = draft(encoded, host, limits, [1])
    assert isinstance(drafted, str)
    polished = polish(drafted, encoded, host, limits, seed=1)
    assert polished is not None
    for dna in (drafted, polished):
        assert str(Seq(dna).translate()) == f"{encoded}*"
        assert measure.longest_repeat(dna) <= 15
        assert measure.longest_homopolymer(dna) <= 5
    before, after = (adaptation_index(dna, host.weights) for dna in (drafted, polished))
    assert before is not None
    assert after is not None
    assert after >= before - 0.02


def test_every_codon_of_a_host_is_weighed():
    for name in host_names():
        host = read_host(name)
        for weights in (host.weights, host.genome_weights):
            assert len(weights) == 64
            assert all(0 < w <= 1 for w in weights.values())
            assert all(max(weights[codon] for codon in codons) == 1 for codons in host.synonyms.values())
        best = "".join(host.usable(letter)[0] for letter in "MGAVLIPFYSTCNQDEKRH") + host.stop
        assert adaptation_index(best, host.weights) == pytest.approx(1)
    assert adaptation_index("ATGTGGTAA", read_host("e_coli").weights) is None


# --- what cannot be had -------------------------------------------------------------------------------------------


def test_what_cannot_be_met_is_relaxed_reported_and_failed():
    gene = design_gene(Protein("w", "W" * 30))
    assert {item.limit for item in gene.relaxed} == {"GC window", "longest repeat"}
    assert gene.checks.verdict == "fail"
    failed = [item.name for item in gene.checks.criteria if item.verdict != "pass"]
    assert failed == ["longest repeat"]
    assert gene.figures.cai is None
    assert gene.translation_factor == 1.0


def test_a_pattern_that_the_protein_forces_is_reported():
    gene = design_gene(Protein("m", "MWWMWW"), requirements=GeneRequirements(patterns=("tggatg",)))
    assert [item.limit for item in gene.relaxed] == ["tggatg"]
    assert gene.checks.verdict == "fail"
    assert any(line.startswith("tggatg at ") for line in gene.checks.evidence)


def test_a_dead_end_names_the_limit_that_refused():
    host = read_host("e_coli")
    dead = draft("MWWWWWWWWWWWWWWWWW", host, Limits(50, 0.0, 1.0, 12, 6, ()), [1])
    assert isinstance(dead, DeadEnd)
    assert dead.reason == "repeat"


def test_the_first_methionine_follows_its_neighbour():
    kept, cut = (design_gene(Protein("p", sequence)) for sequence in ("MKLV", "MALV"))
    assert (kept.methionine, kept.methionine_removed, kept.mature) == ("own", False, "MKLV")
    assert (cut.methionine, cut.methionine_removed, cut.mature) == ("own", True, "ALV")


def test_the_rule_of_translation_rises_and_is_bounded():
    factors = [TRANSLATION_RULE.factor(cai / 20) for cai in range(1, 21)]
    assert factors == sorted(factors)
    assert min(factors) == TRANSLATION_RULE.lowest
    assert max(factors) == TRANSLATION_RULE.highest
    assert TRANSLATION_RULE.factor(TRANSLATION_RULE.reference) == 1.0


BAD = {
    "host": (lambda p: design_gene(p, "martian"), "no host 'martian'", "e_coli"),
    "enzyme": (lambda p: design_gene(p, requirements=GeneRequirements(sites=("bsai",))), "'bsai'", "BsaI"),
    "unknown enzyme": (lambda p: design_gene(p, requirements=GeneRequirements(sites=("QqqI",))), "'QqqI'", "REBASE"),
    "pattern": (lambda p: design_gene(p, requirements=GeneRequirements(patterns=("ACGX",))), "'ACGX'", "IUPAC"),
    "short pattern": (lambda p: design_gene(p, requirements=GeneRequirements(patterns=("AC",))), "'AC'", "four"),
    "GC": (lambda p: GeneRequirements(gc=(0.7, 0.6)), "GC (0.7, 0.6)", "within"),
    "repeat": (lambda p: GeneRequirements(repeat=40), "40 nt", "within"),
    "CAI": (lambda p: GeneRequirements(cai_lowest=1.5), "1.5", "0 to 1"),
    "length": (lambda p: design_gene(Protein("titin", "MK" * 2000)), "4000 residues", "domains"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused(name):
    work, message, remedy = BAD[name]
    with pytest.raises(InputError) as caught:
        work(Protein("p", "MKV"))
    assert message in caught.value.message
    assert remedy in caught.value.remedy


@given(protein=st.text("ACDEFGHIKLMNPQRSTVWY", min_size=60, max_size=150), longest=st.integers(9, 12))
@settings(max_examples=30)
def test_a_draft_holds_no_word_beyond_the_longest_repeat_twice_on_either_strand(protein: str, longest: int) -> None:
    drafted = draft(f"M{protein}", read_host("e_coli"), Limits(50, 0.2, 0.8, longest, 6, ()), [1])
    if isinstance(drafted, DeadEnd):
        return
    size = longest + 1
    words = [drafted[at : at + size] for at in range(len(drafted) - size + 1)]
    assert len(set(words)) == len(words)
    assert not [word for word in words if str(Seq(word).reverse_complement()) in drafted]
