"""Genes raised: the locus is the genome with the new promoter in front, and pydna amplifies the junction only there."""

import csv
import dataclasses
import json
import random

import pytest

from seedtrain.base import InputError, InputErrors
from seedtrain.bioinformatics import (
    DnaRecord,
    EditQuestion,
    Feature,
    dna_genbank,
    genes_to_raise,
    promoters,
    raise_genes,
    reverse_complement,
)
from tests.judges import needs
from tests.worked import called

SIZE = 9000
GENES = (("b0001", "+", 2000, 2900), ("b0002", "-", 5000, 5600), ("b0003", "+", 2920, 3500), ("b0004", "+", 8900, 300))
J23119 = "TTGACAGCTAGCTCAGTCCTAGGTATAATGCTAGC" + "AAAGAGGAGAAA" + "TACTAG"


def genome() -> DnaRecord:
    """A drawn circle: two genes alone, one close behind another, one across the origin; each begins with ATG."""
    source = random.Random(5)
    text = [source.choice("ACGT") for _ in range(SIZE)]
    features = [Feature("promoter", ((1950, 1985),), "+", {"label": ("old",)})]
    for tag, strand, start, end in GENES:
        if strand == "+":
            text[start : start + 3] = "ATG"
        else:
            text[end - 3 : end] = "CAT"
        spans = ((start + 1, end),) if start < end else ((start + 1, SIZE), (1, end))
        features.append(Feature("CDS", spans, "-" if strand == "-" else "+", {"locus_tag": (tag,)}))
    return DnaRecord("chromosome", "".join(text), True, tuple(features))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDTRAIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield raise_genes(genome(), ["b0001", "b0002", "b0003", "b0004"], "J23119", EditQuestion(arm=200))


def test_the_edited_locus_is_the_genome_with_the_promoter_in_front_of_the_gene(made):
    text = genome().sequence * 3
    turned = reverse_complement(text)
    for item, (_tag, strand, start, end) in zip(made, GENES, strict=True):
        letters, edge = (text, SIZE + start) if strand == "+" else (turned, 3 * SIZE - end - SIZE)
        before = letters[edge - item.replaced - 400 : edge - item.replaced]
        assert item.locus.sequence == before + J23119 + letters[edge : edge + 400]
        assert item.donor.sequence == before[200:] + J23119 + letters[edge : edge + 200]
        assert item.edited == item.wild - item.replaced + len(J23119)
    assert [item.replaced for item in made] == [100, 100, 20, 100]


def test_the_guide_cuts_the_genome_and_not_the_edited_one(made):
    text = genome().sequence
    both = text + text[:30] + "|" + reverse_complement(text + text[:30])
    for item in made:
        assert item.guide is not None
        assert item.guide.sequence in both
        assert item.guide.sequence not in item.locus.sequence + "|" + reverse_complement(item.locus.sequence)


@needs("pydna")
def test_pydna_amplifies_the_junction_in_the_edited_strain_alone(made):
    from pydna.amplify import Anneal
    from pydna.dseqrecord import Dseqrecord
    from pydna.primer import Primer

    whole = genome()
    for item in made:
        outer = [Primer(one.sequence) for one in item.check]
        across = [Primer(item.junction.sequence), outer[1]]
        wild, edited = Dseqrecord(whole.sequence, circular=True), Dseqrecord(item.locus.sequence)
        assert [len(one) for one in Anneal(outer, wild, limit=14).products] == [item.wild]
        assert [len(one) for one in Anneal(outer, edited, limit=14).products] == [item.edited]
        assert Anneal(across, wild, limit=14).products == []
        assert [len(one) for one in Anneal(across, edited, limit=14).products] == [item.junction_bp]


def test_a_gene_close_behind_another_is_in_doubt_and_an_old_promoter_may_go(made):
    found = {item.gene: item.verdict for item in made}
    assert [found[tag].verdict for tag in ("b0001", "b0002", "b0004")] == ["pass"] * 3
    open_ones = [one.name for one in found["b0003"].criteria if one.verdict != "pass"]
    assert open_ones == ["room to the gene in front"]
    assert made[0].touched == ()


def test_what_is_no_start_codon_fails(made):
    whole = genome()
    spoiled = dataclasses.replace(whole, sequence=whole.sequence[:2000] + "CCC" + whole.sequence[2003:])
    verdict = raise_genes(spoiled, ["b0001"], "J23119", EditQuestion(arm=200))[0].verdict
    assert [one.name for one in verdict.criteria if one.verdict == "fail"] == ["start codon"]


def test_rules_by_hand():
    assert genes_to_raise("b1 or b2") == ("b1",)
    assert genes_to_raise("b2 and b1") == ("b1", "b2")
    assert genes_to_raise("(b0902 and b0903) or b3114") == ("b3114",)
    assert genes_to_raise("(b1 or b2) and b3") == ("b1", "b3")


def test_promoters_are_the_published_ones_and_others_are_refused():
    assert [item.record.sequence for item in promoters() if item.name == "J23119"] == [J23119]
    with pytest.raises(InputError, match="no promoter 'nonsense'"):
        raise_genes(genome(), ["b0001"], "nonsense")
    with pytest.raises(InputErrors) as caught:
        raise_genes(genome(), ["x1", "x2"])
    assert len(caught.value.parts) == 2


def test_the_command_raises_the_fluxes_of_a_design(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "genome.gb").write_text(dna_genbank(genome()))
    targets = [{"reaction": "R9", "rule": "b0001 or b0003", "low": 0.1, "high": 1.0}]
    design = {"designs": [{"names": ["R1"], "rules": ["b0002"]}], "targets": targets}
    (tmp_path / "strain.json").write_text(json.dumps(design))
    words = ["design", "edits", tmp_path / "genome.gb", "--strain", tmp_path / "strain.json", "--arm", "200"]
    said = called(*words, "--raise", "1", "-o", tmp_path / "out", "--json")
    assert said.code == 0, said.out + said.err
    data = said.document
    assert [[item["gene"] for item in data[key]] for key in ("deletions", "raised")] == [["b0002"], ["b0001"]]
    rows = list(csv.DictReader((tmp_path / "out" / "oligonucleotides.csv").read_text().splitlines()))
    assert "b0001_junction_fwd" in [row["what"] for row in rows if row["gene"] == "b0001"]
    assert (tmp_path / "out" / "b0001_raised_donor.gb").exists()
    said = called(*words, "--raise", "2")
    assert said.code == 2
    assert "2 fluxes to raise, and the design tells 1" in said.err


def test_every_fault_of_the_wish_comes_at_once_before_any_work(tmp_path):
    from seedtrain.cli._design_edits import edits

    path = tmp_path / "g.gb"
    path.write_text(dna_genbank(genome()))
    with pytest.raises(InputErrors) as caught:
        edits(path, gene=["b9001", "b0001"], raise_gene=["b9002"], promoter="XYZ", output=tmp_path / "out")
    told = str(caught.value)
    assert all(word in told for word in ("b9001", "b9002", "XYZ"))
    assert not (tmp_path / "out").exists()
